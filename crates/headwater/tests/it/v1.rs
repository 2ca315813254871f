//! The profile `v1`: database management statements and DROP SERIES act. The answers expected here
//! are those of InfluxDB 1.6.7 to the same statements, but for the default policy that stays when
//! the default one is dropped.

use serde_json::{Value, json};

use crate::server::{NAME, Server};

fn v1(dir: &tempfile::TempDir) -> Server {
    Server::set_up_with(dir.path(), &["--profile", "v1"])
}

/// The results of statements.
fn results(server: &Server, database: &str, text: &str) -> Vec<Value> {
    let query = [("db", database), ("q", text), ("epoch", "s")];
    let answer = server.request("POST", "/query", &query, "");
    assert_eq!(answer.status, 200, "{text}: {}", answer.body);
    answer.json()["results"]
        .as_array()
        .cloned()
        .expect("results")
}

/// `ok`, the error, or the rows of the only series.
#[track_caller]
fn check(server: &Server, database: &str, cases: &[(&str, Value)]) {
    for (text, expected) in cases {
        let results = results(server, database, text);
        assert_eq!(results.len(), 1, "{text}");
        let outcome = match (&results[0]["error"], &results[0]["series"][0]["values"]) {
            (Value::String(error), _) => json!(error),
            (_, Value::Null) => json!("ok"),
            (_, rows) => rows.clone(),
        };
        assert_eq!(outcome, *expected, "{text}");
    }
}

#[test]
fn databases_and_retention_policies_are_managed_as_in_1_x() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = v1(&dir);
    let conflict = json!("retention policy conflicts with an existing policy");
    let too_short = json!("retention policy duration must be at least 1h0m0s");
    let autogen = json!(["autogen", "0s", "168h0m0s", 1, true]);
    check(
        &server,
        "",
        &[
            ("CREATE DATABASE a", json!("ok")),
            ("CREATE DATABASE a", json!("ok")),
            ("SHOW DATABASES", json!([["a"]])),
            ("SHOW RETENTION POLICIES ON a", json!([autogen])),
            ("CREATE DATABASE a WITH REPLICATION 1", json!("ok")),
            (
                "CREATE DATABASE a WITH DURATION 30d NAME x",
                conflict.clone(),
            ),
            ("CREATE DATABASE a WITH DURATION 30d", conflict.clone()),
            ("CREATE DATABASE b WITH DURATION 30m", too_short.clone()),
            ("CREATE DATABASE \"a/b\"", json!("invalid name")),
            (
                "CREATE DATABASE b WITH DURATION 1d REPLICATION 1 SHARD DURATION 2h NAME \"p q\"",
                json!("ok"),
            ),
            (
                "SHOW RETENTION POLICIES ON b",
                json!([["p q", "24h0m0s", "2h0m0s", 1, true]]),
            ),
            (
                "CREATE RETENTION POLICY y ON a DURATION 7d REPLICATION 1 DEFAULT",
                json!("ok"),
            ),
            (
                "CREATE RETENTION POLICY y ON a DURATION 7d REPLICATION 1",
                json!("ok"),
            ),
            (
                "CREATE RETENTION POLICY y ON a DURATION 8d REPLICATION 1",
                json!("retention policy already exists"),
            ),
            (
                "CREATE RETENTION POLICY autogen ON a DURATION INF REPLICATION 1 DEFAULT",
                conflict,
            ),
            (
                "CREATE RETENTION POLICY z ON a DURATION 1h REPLICATION 1 SHARD DURATION 2h",
                json!("retention policy duration must be greater than the shard duration"),
            ),
            (
                "CREATE RETENTION POLICY z ON nope DURATION 1d REPLICATION 1",
                json!("database not found: nope"),
            ),
            (
                "ALTER RETENTION POLICY y ON a SHARD DURATION 2d",
                json!("ok"),
            ),
            (
                "ALTER RETENTION POLICY y ON a DURATION 31536000s",
                json!("ok"),
            ),
            ("ALTER RETENTION POLICY y ON a DURATION 1m", too_short),
            (
                "ALTER RETENTION POLICY x ON a DURATION 1d",
                json!("retention policy not found: x"),
            ),
            (
                "ALTER RETENTION POLICY x ON nope DURATION 1d",
                json!("database not found: nope"),
            ),
            (
                "SHOW RETENTION POLICIES ON a",
                json!([
                    ["autogen", "0s", "168h0m0s", 1, false],
                    ["y", "8760h0m0s", "48h0m0s", 1, true]
                ]),
            ),
            ("DROP RETENTION POLICY y ON a", json!("ok")),
            ("DROP RETENTION POLICY y ON a", json!("ok")),
            ("SHOW RETENTION POLICIES ON a", json!([autogen])),
            (
                "SHOW RETENTION POLICIES ON nope",
                json!("database not found: nope"),
            ),
            ("DROP DATABASE a", json!("ok")),
            ("DROP DATABASE nope", json!("ok")),
            ("SHOW DATABASES", json!([["b"]])),
            (
                "CREATE USER u WITH PASSWORD 'p'",
                json!("not implemented: CREATE USER"),
            ),
        ],
    );
}

#[test]
fn a_dropped_database_takes_its_points_and_its_buckets() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = v1(&dir);
    let write = |query: &[(&str, &str)]| server.request("POST", "/write", query, "m v=1 1").status;
    assert_eq!(write(&[("db", "a")]), 404);
    check(&server, "a", &[("CREATE DATABASE a", json!("ok"))]);
    assert_eq!(write(&[("db", "a")]), 204);
    check(
        &server,
        "a",
        &[
            ("SELECT v FROM m", json!([[0, 1]])),
            ("DROP DATABASE a", json!("ok")),
            ("SELECT v FROM m", json!("database not found: a")),
            ("CREATE DATABASE a", json!("ok")),
            ("SELECT v FROM m", json!("ok")),
        ],
    );
}

#[test]
fn drop_series_acts_on_all_policies_and_refuses_time_and_fields() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = v1(&dir);
    let of_fields = json!("shard 1: fields not supported in WHERE clause during deletion");
    check(
        &server,
        "c",
        &[
            ("CREATE DATABASE c", json!("ok")),
            (
                "CREATE RETENTION POLICY two ON c DURATION INF REPLICATION 1",
                json!("ok"),
            ),
        ],
    );
    let lines = "s,h=a,r=1 f=1 1\ns,h=a,r=2 f=2 2\ns,h=b,r=1 f=3 3\nt,h=b f=4 4\nu,h=c f=5 5";
    for policy in ["autogen", "two"] {
        let query = [("db", "c"), ("rp", policy), ("precision", "s")];
        assert_eq!(server.request("POST", "/write", &query, lines).status, 204);
    }
    let left = json!([["s,h=a,r=2"], ["s,h=b,r=1"], ["t,h=b"], ["u,h=c"]]);
    check(
        &server,
        "c",
        &[
            ("DROP SERIES FROM s WHERE h = 'a' AND r = '1'", json!("ok")),
            (
                "DROP SERIES FROM s WHERE time > 0",
                json!("DROP SERIES doesn't support time in WHERE clause"),
            ),
            ("DROP SERIES FROM s WHERE f > 0", of_fields.clone()),
            ("DROP SERIES WHERE f > 0 AND h = 'b'", of_fields),
            ("SHOW SERIES", left.clone()),
            ("SELECT f FROM two.s", json!([[2, 2], [3, 3]])),
            ("DROP SERIES FROM nope", json!("ok")),
            ("DROP SERIES FROM /s|t/ WHERE h =~ /b/", json!("ok")),
            ("SHOW SERIES", json!([["s,h=a,r=2"], ["u,h=c"]])),
            ("DROP SERIES WHERE h = 'c'", json!("ok")),
            ("SHOW MEASUREMENTS", json!([["s"]])),
            ("DROP SERIES FROM s", json!("ok")),
            ("SHOW SERIES", json!("ok")),
            ("SELECT f FROM two.s", json!("ok")),
        ],
    );
    let text = json!("database not found: nope");
    check(&server, "nope", &[("DROP SERIES FROM s", text)]);
}

#[test]
fn management_needs_the_permission_to_write_what_it_changes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = v1(&dir);
    let made = "CREATE DATABASE a; CREATE DATABASE b";
    assert_eq!(results(&server, "", made).len(), 2);
    let query = [("db", "a")];
    assert_eq!(
        server
            .request("POST", "/write", &query, "m,t=x v=1 1")
            .status,
        204
    );
    let bucket = |name: &str| {
        let found = server
            .request("GET", "/api/v2/buckets", &[("name", name)], "")
            .json();
        let bucket = &found["buckets"][0];
        (bucket["id"].clone(), bucket["orgID"].clone())
    };
    let (id, org) = bucket("a/autogen");
    let token = |actions: &[&str], resource: Value| {
        let permissions: Vec<Value> = actions
            .iter()
            .map(|action| json!({"action": action, "resource": resource}))
            .collect();
        let body = json!({"orgID": org, "permissions": permissions}).to_string();
        let made = server.request("POST", "/api/v2/authorizations", &[], &body);
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["token"].as_str().expect("a token").to_owned()
    };
    let one = json!({"type": "buckets", "id": id, "orgID": org});
    let (reader, owner) = (
        token(&["read"], one.clone()),
        token(&["read", "write"], one),
    );
    let creator = token(&["read", "write"], json!({"type": "buckets", "orgID": org}));
    let run = |token: &str, text: &str| -> Vec<String> {
        let answer = server.request_as(token, "POST", "/query", &[("db", "a"), ("q", text)], "");
        let results = answer.json()["results"]
            .as_array()
            .cloned()
            .expect("results");
        results
            .iter()
            .map(|it| it["error"].as_str().unwrap_or("ok").to_owned())
            .collect()
    };
    let denied = "insufficient permissions";
    for statement in [
        "CREATE DATABASE c",
        "CREATE RETENTION POLICY x ON a DURATION 1d REPLICATION 1",
        "ALTER RETENTION POLICY autogen ON a DURATION 1d",
        "DROP RETENTION POLICY autogen ON a",
        "DROP SERIES FROM m",
        "DROP DATABASE a",
    ] {
        assert_eq!(run(&reader, statement), [denied], "{statement}");
    }
    let text = "CREATE DATABASE c; SHOW DATABASES";
    assert_eq!(run(&owner, text), [denied, "not executed"]);
    let text =
        "ALTER RETENTION POLICY autogen ON a DURATION 7d; DROP SERIES FROM m; DROP DATABASE a";
    assert_eq!(run(&owner, text), ["ok", "ok", "ok"]);
    assert_eq!(
        run(&owner, "DROP DATABASE b"),
        [denied],
        "the bucket of b is another"
    );
    assert_eq!(
        run(&creator, "CREATE DATABASE c; DROP DATABASE b"),
        ["ok", "ok"]
    );
}

#[test]
fn other_profiles_refuse_database_management() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    server.write("s", "m v=1 1");
    for (statement, name) in [
        ("CREATE DATABASE x", "CREATE DATABASE"),
        ("DROP DATABASE first", "DROP DATABASE"),
        (
            "CREATE RETENTION POLICY r ON first DURATION 1d REPLICATION 1",
            "CREATE RETENTION POLICY",
        ),
        (
            "ALTER RETENTION POLICY autogen ON first DURATION 1d",
            "ALTER RETENTION POLICY",
        ),
        (
            "DROP RETENTION POLICY autogen ON first",
            "DROP RETENTION POLICY",
        ),
        ("DROP SERIES FROM m", "DROP SERIES"),
    ] {
        let refusal = json!(format!("not implemented: {name}"));
        check(&server, NAME, &[(statement, refusal)]);
    }
    check(
        &server,
        NAME,
        &[
            ("SELECT v FROM m", json!([[1, 1]])),
            (
                "SHOW RETENTION POLICIES",
                json!([["autogen", "0s", "168h0m0s", 1, true]]),
            ),
        ],
    );
}

#[test]
fn queries_are_listed_killed_and_limited_as_the_settings_say() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let limits = [
        ("query.max_select_series", "1"),
        ("query.max_select_point", "2"),
        ("query.max_select_buckets", "3"),
        ("query.query_timeout", "1h"),
        ("query.query_memory_bytes", "8KiB"),
    ];
    let limits = limits.map(|(key, value)| format!("{key}={value}"));
    let mut args = vec!["--profile", "v1"];
    args.extend(limits.iter().flat_map(|limit| ["--set", limit]));
    let server = Server::set_up_with(dir.path(), &args);
    let long = "x".repeat(9000);
    let lines = format!(
        "two,t=a v=1 1\ntwo,t=b v=1 1\nthree v=1 1\nthree v=2 2\nthree v=3 3\nlong v=\"{long}\" 1"
    );
    check(&server, "a", &[("CREATE DATABASE a", json!("ok"))]);
    let written = server.request("POST", "/write", &[("db", "a")], &lines);
    assert_eq!(written.status, 204);
    let listed = results(&server, "a", "SHOW QUERIES").remove(0);
    let columns = ["qid", "query", "database", "duration", "status"];
    assert_eq!(listed["series"][0]["columns"], json!(columns));
    let mut row = listed["series"][0]["values"][0].clone();
    // How long it takes, who knows.
    row[3] = json!(null);
    assert_eq!(row, json!([2, "SHOW QUERIES", "a", null, "running"]));
    check(
        &server,
        "a",
        &[
            ("KILL QUERY 1", json!("no such query id: 1")),
            (
                "SELECT v FROM two",
                json!("max-select-series limit exceeded: (2/1)"),
            ),
            (
                "SELECT v FROM three",
                json!("max-select-point limit exceeed: (3/2)"),
            ),
            (
                "SELECT max(v) FROM three WHERE time >= 0 AND time < 5 GROUP BY time(1ns)",
                json!("max-select-buckets limit exceeded: (4/3)"),
            ),
        ],
    );
    let refused = results(&server, "a", "SELECT v FROM long").remove(0);
    let error = refused["error"].as_str().expect("an error");
    let setting = " of 8192 bytes (setting query_memory_bytes)";
    assert!(error.ends_with(setting), "{error}");
}
