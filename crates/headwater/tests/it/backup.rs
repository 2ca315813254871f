//! `headwater backup` of a server that is being written to, and `headwater restore`.

use std::{
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
};

use crate::server::{NAME, Server};

fn headwater(args: &[&str], dirs: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.args(args);
    for (flag, dir) in dirs {
        command.arg(flag).arg(dir);
    }
    command.output().expect("the binary starts")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// How many points there are, which must be the first ones: value and time count from 0.
fn points(server: &Server) -> i64 {
    let answer = server.query("SELECT count(v), max(v) FROM m");
    let row = &answer["results"][0]["series"][0]["values"][0];
    let count = row[1].as_i64().expect("a count");
    assert_eq!(
        row[2].as_i64(),
        Some(count - 1),
        "a point is missing: {answer}"
    );
    count
}

#[test]
fn a_backup_under_load_restores_to_a_moment_of_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| dir.path().join(name);
    let (data, backup) = (at("data"), at("backup"));
    drop(Server::set_up(&data));
    let server = Server::start_with(&data, &["--memtable-flush-bytes", "30000"], &[]);
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicI64::new(0));
    let back_up = || {
        let before = acknowledged.load(Ordering::SeqCst);
        let flags: [(&str, &Path); 2] = [("--data-dir", &data), ("--to", &backup)];
        (before, text(&headwater(&["backup"], &flags)))
    };
    let (before, said) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                let first = acknowledged.load(Ordering::SeqCst);
                let line = |i| format!("m,t={} v={i}i {i}", i % 5);
                let lines: Vec<_> = (first..first + 100).map(line).collect();
                server.write("s", &lines.join("\n"));
                acknowledged.store(first + 100, Ordering::SeqCst);
            }
        });
        while acknowledged.load(Ordering::SeqCst) < 5_000 {
            std::thread::yield_now();
        }
        back_up();
        let second = back_up();
        stop.store(true, Ordering::SeqCst);
        second
    });
    assert!(said.starts_with("backed up "), "{said}");

    let restored = at("restored");
    let flags: [(&str, &Path); 2] = [("--data-dir", &restored), ("--from", &backup)];
    text(&headwater(&["restore"], &flags));
    text(&headwater(&["check"], &[("--data-dir", &restored)]));
    let again = headwater(&["restore"], &flags);
    assert_eq!(
        again.status.code(),
        Some(1),
        "not over what is there: {again:?}"
    );
    let copy = Server::start(&restored);
    assert!(points(&copy) >= before, "{} of {before}", points(&copy));
    copy.write("s", "m v=1i 1");
}

#[test]
fn one_bucket_is_restored_without_the_others_and_damage_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| dir.path().join(name);
    let (data, backup) = (at("data"), at("backup"));
    let server = Server::set_up(&data);
    let org = server.request("GET", "/api/v2/orgs", &[], "").json()["orgs"][0]["id"].clone();
    let body = serde_json::json!({"orgID": org, "name": "second", "retentionRules": []});
    let created = server.request("POST", "/api/v2/buckets", &[], &body.to_string());
    assert_eq!(created.status, 201, "{}", created.body);
    server.write("s", "m v=0i 0");
    let query = [("db", "second"), ("precision", "s")];
    assert_eq!(
        server
            .request("POST", "/write", &query, "m v=0i 0\nm v=1i 1")
            .status,
        204
    );
    assert!(server.terminate().success());
    let flags: [(&str, &Path); 2] = [("--data-dir", &data), ("--to", &backup)];
    text(&headwater(&["backup"], &flags));
    let again = text(&headwater(&["backup"], &flags));
    assert!(
        again.ends_with(": copied 0 data files with 0 bytes, 2 were there\n"),
        "{again}"
    );

    let restored = at("restored");
    let flags: [(&str, &Path); 2] = [("--data-dir", &restored), ("--from", &backup)];
    text(&headwater(&["restore", "--bucket", NAME], &flags));
    text(&headwater(&["check"], &[("--data-dir", &restored)]));
    let copy = Server::start(&restored);
    assert_eq!(points(&copy), 1);
    let names = copy.request("GET", "/api/v2/buckets", &[], "").body;
    assert!(names.contains(NAME) && !names.contains("second"), "{names}");
    drop(copy);

    let catalog = backup.join("catalog-2.sqlite");
    let mut bytes = std::fs::read(&catalog).expect("readable");
    *bytes.last_mut().expect("not empty") ^= 1;
    std::fs::write(&catalog, bytes).expect("writable");
    let other = at("other");
    let flags: [(&str, &Path); 2] = [("--data-dir", &other), ("--from", &backup)];
    let refused = headwater(&["restore"], &flags);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("catalog-2.sqlite is damaged: "), "{said}");
}
