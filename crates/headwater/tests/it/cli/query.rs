//! `headwater query`.

use super::{Ran, headwater, headwater_with};
use crate::server::{NAME, Server};

fn server_with_points(dir: &std::path::Path) -> Server {
    let server = Server::set_up(dir);
    server.write(
        "s",
        "cpu,host=a usage=0.5,note=\"x,y\" 0\ncpu,host=b usage=2 1",
    );
    server
}

#[test]
fn answers_are_printed_in_each_form() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = server_with_points(dir.path());
    let query = "SELECT usage, note FROM cpu GROUP BY host; SHOW MEASUREMENTS";
    let ask = |more: &[&str]| {
        let mut args = vec!["query", "--database", NAME];
        args.extend(more);
        args.push(query);
        headwater(&server, &args).good()
    };
    let table = "\
name: cpu
tags: host=a
+----------------------+-------+------+
| time                 | usage | note |
+----------------------+-------+------+
| 1970-01-01T00:00:00Z |   0.5 | x,y  |
+----------------------+-------+------+
name: cpu
tags: host=b
+----------------------+-------+------+
| time                 | usage | note |
+----------------------+-------+------+
| 1970-01-01T00:00:01Z |     2 |      |
+----------------------+-------+------+
name: measurements
+------+
| name |
+------+
| cpu  |
+------+
";
    assert_eq!(ask(&[]), table);
    let column = "\
name: cpu
tags: host=a
time usage note
---- ----- ----
0    0.5   x,y

name: cpu
tags: host=b
time usage note
---- ----- ----
1000 2     \n
name: measurements
name
----
cpu

";
    assert_eq!(ask(&["--format", "column", "--precision", "ms"]), column);
    let csv = "\
name,tags,time,usage,note
cpu,host=a,0,0.5,\"x,y\"
cpu,host=b,1,2,

name,tags,name
measurements,,cpu
";
    assert_eq!(ask(&["--format", "csv", "--precision", "s"]), csv);
    let params = [("db", NAME), ("q", query), ("epoch", "s")];
    let served = server.request("GET", "/query", &params, "").body;
    assert_eq!(ask(&["--format", "json", "--precision", "s"]), served);
}

#[test]
fn the_text_comes_from_the_argument_a_file_or_standard_input() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = server_with_points(dir.path());
    let base = ["query", "-d", NAME, "--format", "csv", "--precision", "s"];
    let expected = "name,tags,time,count\ncpu,,0,1\n";
    let text = "SELECT count(usage)\nFROM cpu WHERE host = $h";
    let path = super::file(dir.path(), "q.influxql", text.as_bytes());
    let params = ["--params", "{\"h\":\"a\"}"];
    for (more, input) in [(&[text][..], ""), (&["--file", &path], ""), (&[], text)] {
        let args = [&base, &params[..], more].concat();
        let ran = headwater_with(&server.url, &args, input);
        assert_eq!(ran.good(), expected, "{more:?}");
    }
}

#[test]
fn errors_are_the_servers_and_the_exit_code_tells() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = server_with_points(dir.path());
    let query = |args: &[&str]| headwater(&server, &[&["query"], args].concat());
    let syntax = "headwater: failed to parse query: found EOF, expected FROM at line 1, char 10\n";
    assert_eq!(query(&["SELECT v"]), Ran::new(1, "", syntax));
    let text = "SHOW MEASUREMENTS; SELECT mean(usage), host FROM cpu";
    let mixed = "headwater: mixing aggregate and non-aggregate queries is not supported\n";
    let csv = "name,tags,name\nmeasurements,,cpu\n";
    assert_eq!(
        query(&["-d", NAME, "--format", "csv", text]),
        Ran::new(1, csv, mixed)
    );
    let ran = query(&["-d", NAME, "--format", "json", text]);
    assert_eq!((ran.code, &*ran.err), (Some(1), mixed));
    assert!(ran.out.contains("mixing aggregate"), "{}", ran.out);
}

#[test]
fn an_answer_of_many_chunks_is_one_table() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let lines: String = (0..25_000).map(|i| format!("m v={i}i {i}\n")).collect();
    server.write("s", &lines);
    let args = ["query", "-d", NAME, "--format", "csv", "--precision", "s"];
    let out = headwater(&server, &[&args[..], &["SELECT v FROM m"]].concat()).good();
    let rows: String = (0..25_000).map(|i| format!("m,,{i},{i}\n")).collect();
    assert!(
        out == format!("name,tags,time,v\n{rows}"),
        "{} bytes",
        out.len()
    );
}

#[test]
fn the_shell_follows_commands_and_goes_on_after_errors() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = server_with_points(dir.path());
    let script = format!(
        "format csv\nprecision s\nSELECT usage FROM cpu\nuse {NAME}\ninsert cpu,host=c usage=7 2000000000\n\
         SELECT usage FROM cpu WHERE host='c'\nprecision days\nuse none\nsettings\nexit\nSHOW DATABASES\n"
    );
    let ran = headwater_with(&server.url, &["query", "--interactive"], &script);
    let out = "\
name,tags,time,usage
cpu,,2,7
database:         none
retention policy: not set
format:           csv
precision:        s
";
    let err = "\
ERR: database name required
ERR: \"days\" is none of rfc3339, ns, u, ms, s, m, h
headwater: there is no database \"none\", or no right to read it; SHOW DATABASES lists them
headwater: a line failed
";
    assert_eq!(ran, Ran::new(1, out, err));
}

#[test]
fn a_user_of_1x_signs_in_by_name_and_password() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = server_with_points(dir.path());
    let create = ["v1-user", "create", "reader", "--read-bucket", NAME];
    let ran = headwater_with(&server.url, &create, "a-password\n");
    assert_eq!(ran.good().trim().len(), 16);
    let ask = |password: &str| {
        let args = ["query", "--username", "reader", "--password", password];
        let more = ["-d", NAME, "--format", "csv", "SHOW MEASUREMENTS"];
        headwater(&server, &[&args[..], &more].concat())
    };
    assert_eq!(
        ask("a-password").good(),
        "name,tags,name\nmeasurements,,cpu\n"
    );
    assert_eq!(ask("wrong").code, Some(1));
    let args = ["--username", "reader", "--password", "a-password"];
    let export = [&["export", "-d", NAME, "--rp", "autogen"][..], &args].concat();
    assert!(
        headwater(&server, &export)
            .good()
            .starts_with("cpu,host=a ")
    );
    let write = [&["write", "-d", NAME][..], &args].concat();
    let refused = headwater_with(&server.url, &write, "m v=1 1");
    assert_eq!(
        refused,
        Ran::new(
            1,
            "",
            "headwater: stdin: insufficient permissions for write\n"
        )
    );
}
