//! The `serve` and `setup` commands: starting empty, being set up in each of the ways, restarting.

use std::process::Command;

use serde_json::json;

use crate::server::{NAME, Server, TOKEN};

#[test]
fn an_empty_server_says_how_to_set_it_up_and_answers_health() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(dir.path());
    let health = server.request("GET", "/health", &[], "");
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &json!("pass"))
    );
    assert_eq!(
        server
            .request("GET", "/query", &[("q", "SHOW DATABASES")], "")
            .status,
        401
    );
    let log = server.log();
    for way in [
        "/api/v2/setup",
        "headwater setup",
        "DOCKER_INFLUXDB_INIT_MODE",
    ] {
        assert!(log.contains(way), "{way} is not in the log:\n{log}");
    }
}

#[test]
fn the_setup_command_sets_up_a_running_server_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(dir.path());
    let setup = || {
        Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args([
                "setup",
                "--host",
                &server.url,
                "--username",
                "admin",
                "--org",
                NAME,
            ])
            .args([
                "--bucket",
                NAME,
                "--token",
                TOKEN,
                "--password",
                "a-password",
            ])
            .output()
            .expect("the binary starts")
    };
    let first = setup();
    let printed = String::from_utf8_lossy(&first.stdout);
    assert!(
        first.status.success() && printed.contains(TOKEN),
        "{printed}"
    );
    server.write("s", "m v=1 1");
    assert_eq!(
        server.query("SELECT v FROM m")["results"][0]["series"][0]["values"],
        json!([[1, 1]])
    );
    let second = setup();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(
        said.contains("onboarding has already been completed"),
        "{said}"
    );
}

#[test]
fn docker_variables_set_up_an_empty_server_and_leave_a_set_up_one_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let secret = dir.path().join("secret");
    std::fs::write(&secret, format!("{TOKEN}\n")).expect("a writable file");
    let env = [
        ("DOCKER_INFLUXDB_INIT_MODE", "setup"),
        ("DOCKER_INFLUXDB_INIT_USERNAME", "admin"),
        ("DOCKER_INFLUXDB_INIT_PASSWORD", "a-password"),
        ("DOCKER_INFLUXDB_INIT_ORG", NAME),
        ("DOCKER_INFLUXDB_INIT_BUCKET", NAME),
        ("DOCKER_INFLUXDB_INIT_RETENTION", "1w"),
        (
            "DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE",
            secret.to_str().expect("UTF-8"),
        ),
    ];
    for _ in 0..2 {
        let server = Server::start_with(dir.path(), &[], &env);
        let buckets = server
            .request("GET", "/api/v2/buckets", &[("name", NAME)], "")
            .json();
        assert_eq!(
            buckets["buckets"][0]["retentionRules"][0]["everySeconds"],
            604_800
        );
        assert!(
            !server.log().contains(TOKEN),
            "the token must not be logged"
        );
        assert!(server.terminate().success());
    }
}

#[test]
fn demo_prints_a_token_once_with_lines_that_work() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start_with(dir.path(), &["--demo"], &[]);
    let printed = server.log_with("curl -G");
    let lines: Vec<&str> = printed
        .lines()
        .filter(|l| l.trim().starts_with("curl "))
        .collect();
    assert_eq!(lines.len(), 2, "{printed}");
    for line in &lines {
        let output = Command::new("sh")
            .args(["-c", line])
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{line}");
        if line.contains("/query") {
            let answer = String::from_utf8_lossy(&output.stdout);
            assert!(answer.contains(r#""columns":["time","#), "{line}\n{answer}");
        }
    }
    assert!(server.terminate().success());
    let again = Server::start_with(dir.path(), &["--demo"], &[]);
    assert!(!again.log().contains("curl "), "{}", again.log());
}

#[test]
fn two_servers_cannot_share_a_data_directory() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let _first = Server::start(dir.path());
    let second = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["serve", "--bind", "127.0.0.1:0", "--data-dir"])
        .arg(dir.path())
        .output()
        .expect("the binary starts");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("in use by another process"), "{said}");
}

#[test]
fn a_restart_keeps_data_schemas_tokens_and_mappings() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    server.write(
        "s",
        "m,t=a f=1,i=2i,u=3u,s=\"x\",b=true 1\nm,t=b f=2 700000",
    );
    let questions = [
        "SELECT * FROM m",
        "SHOW FIELD KEYS",
        "SHOW SERIES",
        "SHOW DATABASES",
        "SHOW TAG VALUES WITH KEY = t",
    ];
    let before: Vec<_> = questions.iter().map(|q| server.query(q)).collect();
    server.kill_running();
    let server = Server::start(dir.path());
    let from_log: Vec<_> = questions.iter().map(|q| server.query(q)).collect();
    assert_eq!(from_log, before, "after kill -9, from the write-ahead log");
    let log = server.log();
    assert!(log.contains("opened the catalog in "), "{log}");
    assert!(
        log.contains("0 files with 0 rows in 0 bytes; recovered ")
            && !log.contains("recovered 0 bytes"),
        "{log}"
    );
    assert!(server.terminate().success());
    let server = Server::start(dir.path());
    let from_files: Vec<_> = questions.iter().map(|q| server.query(q)).collect();
    assert_eq!(from_files, before, "after a clean stop, from files");
    let log = server.log();
    assert!(log.contains("2 files with 2 rows in "), "{log}");
    assert!(log.contains("recovered 0 bytes of points"), "{log}");
    let conflict = [("db", NAME), ("precision", "s")];
    let answer = server.request("POST", "/write", &conflict, "m,t=a i=1.5 2");
    assert_eq!(
        answer.status, 422,
        "the schema survives too: {}",
        answer.body
    );
}
