//! Existing clients, unchanged: Debian's `influx` shell 1.6.7, Python's `influxdb` 5.3.2, and the
//! requests Grafana sends. `cargo xtask test` installs them.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    python::python,
    server::{NAME, Server, TOKEN},
};

/// What `influx -execute` prints.
fn influx(server: &Server, args: &[&str], statement: &str) -> String {
    let (host, port) = server
        .url
        .trim_start_matches("http://")
        .rsplit_once(':')
        .expect("host and port");
    let output = Command::new("influx")
        .args([
            "-host",
            host,
            "-port",
            port,
            "-username",
            "any",
            "-password",
            TOKEN,
        ])
        .args(args)
        .args(["-execute", statement])
        .output()
        .expect("the influx shell starts; `cargo xtask test` installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[test]
fn the_influx_shell_writes_and_reads_with_any_username_and_a_token() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    server.write("s", "boot v=1 1");
    assert_eq!(
        influx(&server, &["-format", "csv"], "SHOW DATABASES"),
        "name,name\ndatabases,first\n"
    );
    let on = ["-database", NAME, "-format", "csv"];
    influx(
        &server,
        &on,
        "INSERT cpu,host=a\\ b value=1.5,text=\"x y\" 1000000000",
    );
    influx(&server, &on, "INSERT cpu,host=c value=2 2000000000");
    assert_eq!(
        influx(&server, &on, "SELECT * FROM cpu"),
        "name,time,host,text,value\ncpu,1000000000,a b,x y,1.5\ncpu,2000000000,c,,2\n"
    );
    assert_eq!(
        influx(&server, &["-database", NAME], "SHOW MEASUREMENTS"),
        "name: measurements\nname\n----\nboot\ncpu\n"
    );
    let rfc3339 = ["-database", NAME, "-precision", "rfc3339", "-format", "csv"];
    assert_eq!(
        influx(
            &server,
            &rfc3339,
            "SELECT mean(value) FROM cpu GROUP BY host"
        ),
        "name,tags,time,mean\ncpu,host=a b,1970-01-01T00:00:00Z,1.5\n\
         name,tags,time,mean\ncpu,host=c,1970-01-01T00:00:00Z,2\n"
    );
}

#[test]
fn python_influxdb_writes_and_queries_with_tags_and_epoch() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let port = server.url.rsplit_once(':').expect("a port").1;
    let output = Command::new(python())
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/clients/python_influxdb.py"
        ))
        .args([port, TOKEN, NAME])
        .output()
        .expect("Python starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "all checks passed\n"
    );
}

/// What Grafana's InfluxQL data source asks, in its own spelling.
fn grafana(server: &Server, query: &str) -> Value {
    let parameters = [("db", NAME), ("epoch", "ms"), ("q", query)];
    let answer = server.request("GET", "/query", &parameters, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let by_form = server.request_form("/query", &[("db", NAME), ("epoch", "ms")], &[("q", query)]);
    assert_eq!(by_form, answer, "GET and POST must agree");
    answer.json()["results"][0].take()
}

#[test]
fn grafana_requests_get_what_its_panels_and_editor_need() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let lines = "cpu,host=a,dc=x value=1 1518856560000\ncpu,host=a,dc=x value=3 1518856575000\n\
                 cpu,host=b,dc=y value=7 1518856570000\nmem,host=a used=5i 1518856560000";
    server.write("ms", lines);
    assert_eq!(
        grafana(&server, "SHOW measurements")["series"],
        json!([{"name": "measurements", "columns": ["name"], "values": [["cpu"], ["mem"]]}])
    );
    assert_eq!(
        grafana(
            &server,
            "SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)CPU/ LIMIT 100"
        )["series"][0]["values"],
        json!([["cpu"]])
    );
    assert_eq!(
        grafana(&server, "SHOW RETENTION POLICIES on \"first\"")["series"][0]["values"],
        json!([["autogen", "0s", "168h0m0s", 1, true]])
    );
    assert_eq!(
        grafana(&server, "SHOW TAG KEYS FROM \"autogen\".\"cpu\"")["series"],
        json!([{"name": "cpu", "columns": ["tagKey"], "values": [["dc"], ["host"]]}])
    );
    assert_eq!(
        grafana(
            &server,
            "SHOW TAG VALUES FROM \"cpu\" WITH KEY = \"host\" WHERE \"dc\" = 'x'"
        )["series"],
        json!([{"name": "cpu", "columns": ["key", "value"], "values": [["host", "a"]]}])
    );
    assert_eq!(
        grafana(&server, "SHOW FIELD KEYS FROM \"autogen\".\"cpu\"")["series"],
        json!([{"name": "cpu", "columns": ["fieldKey", "fieldType"], "values": [["value", "float"]]}])
    );
    assert_eq!(
        grafana(
            &server,
            "SELECT mean(\"value\") FROM \"autogen\".\"cpu\" WHERE (\"host\"::tag =~ /^a$/) AND \
             time >= 1518856550362ms and time <= 1518856580362ms GROUP BY time(10s), \
             \"host\"::tag fill(null) tz('Europe/Berlin')"
        )["series"],
        json!([{"name": "cpu", "tags": {"host": "a"}, "columns": ["time", "mean"], "values": [
            [1_518_856_550_000i64, null], [1_518_856_560_000i64, 1], [1_518_856_570_000i64, 3],
            [1_518_856_580_000i64, null]]}])
    );
    assert_eq!(
        grafana(
            &server,
            "SELECT \"value\" FROM \"cpu\" WHERE time > 1518856560000ms ORDER BY time DESC LIMIT 1"
        )["series"][0]["values"],
        json!([[1_518_856_575_000i64, 3]])
    );
}
