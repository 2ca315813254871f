//! `headwater bucket | token | dbrp | completions`, and help.

use serde_json::Value;

use super::{Ran, headwater};
use crate::server::{NAME, Server};

/// Lines of a list without the ids.
fn without_ids(list: &str) -> Vec<String> {
    let line = |line: &str| {
        let rest = line.split_once("  ").map_or("", |(_, rest)| rest);
        rest.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    list.lines().map(line).collect()
}

#[test]
fn buckets_are_made_listed_changed_and_deleted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let run = |args: &[&str]| headwater(&server, &[&["bucket"], args].concat());
    let made = run(&[
        "create",
        "sensors",
        "--retention",
        "30d",
        "--description",
        "of all",
    ]);
    let id = made.good().trim().to_owned();
    assert_eq!(id.len(), 16, "{id}");
    let expected = [
        "NAME RETENTION PARTITIONS DESCRIPTION",
        "first infinite 1w",
        "sensors 30d 1d of all",
    ];
    let listed = |name: &str, expected: &[&str]| {
        let list = without_ids(&run(&["list"]).good());
        let found: Vec<&String> = list
            .iter()
            .filter(|line| line.starts_with("NAME") || line.starts_with(name))
            .collect();
        assert_eq!(found, expected);
    };
    listed("first", &expected[..2]);
    listed("sensors", &[expected[0], expected[2]]);
    run(&[
        "update",
        "sensors",
        "--name",
        "probes",
        "--retention",
        "inf",
    ])
    .good();
    listed("probes", &[expected[0], "probes infinite 1d of all"]);
    let json = run(&["list", "--json"]).good();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert!(
        json.as_array()
            .is_some_and(|list| list.iter().any(|bucket| bucket["id"] == *id)),
        "{json}"
    );
    run(&["delete", &id]).good();
    assert_eq!(
        run(&["delete", "probes"]),
        Ran::new(
            1,
            "",
            "headwater: there is no bucket \"probes\" that the token may read\n"
        )
    );
    let again = run(&["create", NAME]);
    assert_eq!(
        again,
        Ran::new(1, "", "headwater: bucket with name first already exists\n")
    );
}

#[test]
fn lists_of_more_than_a_page_are_whole() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let before = headwater(&server, &["bucket", "list"])
        .good()
        .lines()
        .count();
    let org = server.request("GET", "/api/v2/orgs", &[], "").json();
    let org = org["orgs"][0]["id"].as_str().expect("an id").to_owned();
    for i in 0..120 {
        let body = serde_json::json!({ "orgID": org, "name": format!("b{i}") }).to_string();
        let answer = server.request("POST", "/api/v2/buckets", &[], &body);
        assert_eq!(answer.status, 201);
    }
    let list = headwater(&server, &["bucket", "list"]).good();
    assert_eq!(list.lines().count(), before + 120);
}

#[test]
fn tokens_allow_what_they_were_made_for() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let run = |args: &[&str]| headwater(&server, &[&["token"], args].concat());
    let create = ["create", "--description", "grafana", "--read-bucket", NAME];
    let token = run(&create).good().trim().to_owned();
    let list = run(&["list"]).good();
    let line = list.lines().find(|line| line.contains("grafana"));
    let line = line.expect("the token is listed");
    let (id, rest) = line.split_once("  ").expect("columns");
    assert_eq!(
        rest.split_whitespace().collect::<Vec<_>>(),
        ["grafana", "active", NAME, "read:first"]
    );
    let query = |token: &str| {
        let args = ["query", "--token", token, "-d", NAME, "SHOW MEASUREMENTS"];
        headwater(&server, &args).code
    };
    assert_eq!(query(&token), Some(0));
    run(&["deactivate", id]).good();
    assert_eq!(query(&token), Some(1));
    run(&["activate", id]).good();
    assert_eq!(query(&token), Some(0));
    run(&["delete", id]).good();
    assert_eq!(query(&token), Some(1));
    let all = run(&["create", "--all-access", "--description", "all"]).good();
    let args = ["bucket", "create", "by-all", "--token", all.trim()];
    headwater(&server, &args).good();
    let none = run(&["create"]);
    assert_eq!(
        none,
        Ran::new(
            1,
            "",
            "headwater: a token needs permissions (--all-access gives all of the organization's): \
             what may it do? give --read-bucket or --write-bucket\n"
        )
    );
}

#[test]
fn mappings_are_made_listed_changed_and_deleted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let run = |args: &[&str]| headwater(&server, &[&["dbrp"], args].concat());
    let first = run(&["create", "-d", "telegraf", "-b", NAME]).good();
    let second = run(&["create", "-d", "telegraf", "--rp", "short", "-b", NAME]).good();
    let list = || without_ids(&run(&["list", "--database", "telegraf"]).good());
    let head = "DATABASE POLICY BUCKET DEFAULT VIRTUAL";
    assert_eq!(
        list(),
        [
            head,
            "telegraf autogen first default",
            "telegraf short first"
        ]
    );
    run(&["update", second.trim(), "--default", "--rp", "brief"]).good();
    assert_eq!(
        list(),
        [
            head,
            "telegraf autogen first",
            "telegraf brief first default"
        ]
    );
    run(&["delete", first.trim()]).good();
    assert_eq!(list(), [head, "telegraf brief first default"]);
}

#[test]
fn users_of_1x_are_made_listed_and_deleted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let run = |args: &[&str]| headwater(&server, &[&["v1-user"], args].concat());
    let create = [
        "create",
        "telegraf",
        "--password",
        "short",
        "--write-bucket",
        NAME,
    ];
    let refused = run(&create);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("password"), "{}", refused.err);
    let create = [
        "create",
        "telegraf",
        "--password",
        "long-enough",
        "--write-bucket",
        NAME,
    ];
    run(&create).good();
    let list = without_ids(&run(&["list"]).good());
    assert_eq!(
        list,
        [
            "NAME STATUS ORGANIZATION PERMISSIONS",
            "telegraf active first write:first"
        ]
    );
    run(&["set-password", "telegraf", "--password", "another-one"]).good();
    let write = [
        "write",
        "-d",
        NAME,
        "--username",
        "telegraf",
        "--password",
        "another-one",
    ];
    super::headwater_with(&server.url, &write, "m v=1 1").good();
    run(&["delete", "telegraf"]).good();
    assert_eq!(
        run(&["delete", "telegraf"]).err,
        "headwater: there is no user \"telegraf\": authorization not found\n"
    );
}

#[test]
fn every_command_has_help_and_shells_get_their_scripts() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let commands = [
        "serve",
        "setup",
        "write",
        "query",
        "export",
        "import",
        "bucket",
        "token",
        "v1-user",
        "dbrp",
        "completions",
    ];
    let overview = headwater(&server, &["--help"]).good();
    for command in commands {
        assert!(
            overview.contains(&format!("\n  {command}")),
            "{command} in {overview}"
        );
        let help = headwater(&server, &[command, "--help"]).good();
        assert!(
            help.contains(&format!("Usage: headwater {command}")),
            "{help}"
        );
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = headwater(&server, &["completions", shell]).good();
        assert!(script.contains("v1-user"), "{shell}");
    }
    assert_eq!(headwater(&server, &["wrtie"]).code, Some(2));
}
