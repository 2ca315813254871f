//! The `config` command and a server that starts with a settings file.

use std::process::{Command, Output};

use crate::server::Server;

fn check(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["config", "check"])
        .args(args)
        .output()
        .expect("the binary starts")
}

#[test]
fn config_check_fails_for_a_misspelt_key_and_so_does_serve() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("headwater.toml");
    std::fs::write(&path, "[query]\nworker = 3\n").expect("a writable file");
    let path = path.to_str().expect("UTF-8");
    let expected =
        format!("headwater: {path}: query.worker is not a setting; did you mean query.workers?\n");
    let checked = check(&["--config", path]);
    assert_eq!(checked.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&checked.stderr), expected);
    let served = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["serve", "--config", path])
        .output()
        .expect("the binary starts");
    assert_eq!(served.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&served.stderr), expected);
}

#[test]
fn config_check_tells_each_value_and_its_origin() {
    let checked = check(&["--set", "query.workers=3"]);
    assert!(checked.status.success());
    let printed = String::from_utf8_lossy(&checked.stdout);
    let words = |start: &str| -> Vec<&str> {
        let line = printed.lines().find(|line| line.starts_with(start));
        line.expect("the key is printed")
            .split_whitespace()
            .collect()
    };
    assert_eq!(
        words("workers").join(" "),
        "workers = 3 # --set query.workers"
    );
    assert_eq!(words("page_rows").join(" "), "page_rows = 4000 # default");
}

#[test]
fn a_settings_file_changes_what_the_server_answers() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("headwater.toml");
    std::fs::write(
        &path,
        "[http]\nversion = \"9.9\"\nmetrics_enabled = false\n",
    )
    .expect("a writable file");
    let config = ["--config", path.to_str().expect("UTF-8")];
    let server = Server::start_with(&dir.path().join("data"), &config, &[]);
    let health = server.request("GET", "/health", &[], "");
    assert_eq!(health.json()["version"], "9.9");
    let metrics = server.request("GET", "/metrics", &[], "");
    assert_eq!(metrics.status, 403);
    assert_eq!(metrics.json()["message"], "metrics disabled");
}
