//! `headwater export` and `import`: what goes out comes in again, exactly.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{Ran, exported, file, headwater, headwater_with};
use crate::server::{NAME, Server};

const DAY: i64 = 86_400_000_000_000;

/// Names with everything that has to be escaped, or looks as if.
fn name() -> impl Strategy<Value = String> {
    const PARTS: [&str; 20] = [
        "a", "b", "é", "\\,", "\\ ", "\\=", "\\\\,", "\\\\ ", "\\\\=", "\"", "#", "'", ".", "{",
        "\t", "time", "_x", "\\n", "-1", "=",
    ];
    proptest::collection::vec(proptest::sample::select(&PARTS[..]), 1..4)
        .prop_map(|parts| parts.concat())
}

fn value() -> impl Strategy<Value = String> {
    let float = any::<u64>().prop_map(f64::from_bits);
    prop_oneof![
        float
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| format!("{value:e}")),
        Just("-0".to_owned()),
        any::<i64>().prop_map(|value| format!("{value}i")),
        any::<u64>().prop_map(|value| format!("{value}u")),
        any::<bool>().prop_map(|value| value.to_string()),
        "[a-c \\n,=é#]{0,6}(\\\\\\\\|\\\\\"|\\\\n)?".prop_map(|text| format!("\"{text}\"")),
    ]
}

/// A line that has a few names in common with others: tags named as fields are, and fields whose
/// type changes from one day to the next.
fn line() -> impl Strategy<Value = String> {
    let pick = || prop_oneof![Just("m".to_owned()), Just("n".to_owned()), name()];
    let tags = proptest::collection::vec((pick(), name()), 0..3);
    let fields = proptest::collection::vec((pick(), value()), 1..4);
    let time = (-20_i64..20, 0_i64..4).prop_map(|(days, offset)| days * DAY + offset);
    (pick(), tags, fields, time).prop_map(|(measurement, tags, fields, time)| {
        let mut line = measurement;
        for (key, value) in tags {
            line += &format!(",{key}={value}");
        }
        let fields: Vec<String> = fields
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        format!("{line} {} {time}", fields.join(","))
    })
}

#[test]
fn an_export_imported_is_the_same_bucket() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let mut runner = TestRunner::deterministic();
    for round in 0..12 {
        // Small partitions, so that types change often.
        let (from, to) = (format!("from{round}"), format!("to{round}"));
        for bucket in [&from, &to] {
            let create = ["bucket", "create", bucket, "--retention", "inf"];
            let create = [&create[..], &["--shard-group-duration", "1d"]].concat();
            headwater(&server, &create).good();
        }
        let lines = proptest::collection::vec(line(), 60)
            .new_tree(&mut runner)
            .expect("a value")
            .current();
        // Lines that cannot be read and points that conflict are refused; the others count.
        let written = headwater_with(&server.url, &["write", "-b", &from], &lines.join("\n"));
        assert!(!written.err.contains("panic"), "{}", written.err);
        let export = headwater(&server, &["export", "--bucket", &from]).good();
        assert!(export.lines().count() > 10, "{export}");
        headwater_with(&server.url, &["import", "--bucket", &to], &export).good();
        let again = headwater(&server, &["export", "--bucket", &to]).good();
        assert_eq!(again, export, "round {round}");
        let count = |db: &str| {
            let query = [("db", db), ("q", "SELECT count(*) FROM /.*/")];
            let answer = server.request("GET", "/query", &query, "").body;
            assert!(!answer.contains("error"), "{answer}");
            answer
        };
        for (db, bucket) in [(&from, &from), (&to, &to)] {
            headwater(&server, &["dbrp", "create", "-d", db, "-b", bucket]).good();
        }
        assert_eq!(count(&to), count(&from));
    }
}

#[test]
fn every_type_and_odd_name_comes_back() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let lines = format!(
        "m,v=tag v=1.5,w=-0 -1\nm v=2i {}\nm v=\"text \\\"q\\\" \\\\ \n é\" {}\nm v=18446744073709551615u {}\n\
         m v=false {}\n\\#\\ odd\\,name,a\\ b=c\\=d e\\,f=5e-324 9223372036854775806\nmin v=1 -9223372036854775806\n",
        7 * DAY,
        14 * DAY,
        21 * DAY,
        28 * DAY,
    );
    headwater_with(&server.url, &["write", "-b", NAME], &lines).good();
    let expected = format!(
        "\\#\\ odd\\,name,a\\ b=c\\=d e\\,f=5e-324 9223372036854775806\n\
         m,v=tag v=1.5,w=-0.0 -1\nm v=2i {}\nm v=\"text \\\"q\\\" \\\\ \n é\" {}\nm v=18446744073709551615u {}\n\
         m v=false {}\nmin v=1.0 -9223372036854775806\n",
        7 * DAY,
        14 * DAY,
        21 * DAY,
        28 * DAY,
    );
    assert_eq!(exported(&server), expected);
    let narrow = ["export", "-b", NAME, "-m", "m", "--start", "-1"];
    let narrow = [&narrow[..], &["--stop", "1970-01-08T00:00:00Z"]].concat();
    assert_eq!(
        headwater(&server, &narrow).good(),
        format!("m,v=tag v=1.5,w=-0.0 -1\nm v=2i {}\n", 7 * DAY)
    );
}

#[test]
fn a_database_is_exported_with_its_policies_and_imported_from_a_packed_file() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    headwater(&server, &["bucket", "create", "first/short"]).good();
    for (rp, line) in [("autogen", "m v=1 1"), ("short", "m v=2 2")] {
        let args = ["write", "-d", NAME, "--rp", rp];
        let args = if rp == "autogen" {
            &args[..3]
        } else {
            &args[..]
        };
        headwater_with(&server.url, args, line).good();
    }
    let path = dir.path().join("dump.lp.gz");
    let path = path.to_str().expect("UTF-8");
    let export = ["export", "--database", NAME, "--output", path];
    assert_eq!(headwater(&server, &export).good(), "");
    let plain = headwater(&server, &["export", "--database", NAME]).good();
    let points: String = plain
        .lines()
        .filter(|line| !line.starts_with("CREATE"))
        .map(|line| format!("{line}\n"))
        .collect();
    let expected = "# DDL\n# DML\n\
                    # CONTEXT-DATABASE: first\n# CONTEXT-RETENTION-POLICY: autogen\nm v=1.0 1\n\
                    # CONTEXT-DATABASE: first\n# CONTEXT-RETENTION-POLICY: short\nm v=2.0 2\n";
    assert_eq!(points, expected);
    let other_dir = tempfile::tempdir().expect("a temporary directory");
    let other = Server::set_up(other_dir.path());
    headwater(&other, &["bucket", "create", "first/short"]).good();
    headwater(&other, &["dbrp", "create", "-d", NAME, "-b", NAME]).good();
    let ran = headwater(&other, &["import", path]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // This profile does not run the statements, and says so.
    assert!(ran.err.contains("going on without it"), "{}", ran.err);
    assert_eq!(
        headwater(&other, &["export", "--database", NAME]).good(),
        plain
    );
    headwater(&other, &["bucket", "create", "all"]).good();
    headwater(&other, &["import", "--bucket", "all", path]).good();
    let all = headwater(&other, &["export", "--bucket", "all"]).good();
    assert_eq!(all, "m v=1.0 1\nm v=2.0 2\n");
}

#[test]
fn files_of_1x_are_imported_and_points_without_a_place_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let dump = "# INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z\n# DML\n\
                # CONTEXT-DATABASE:first\n# CONTEXT-RETENTION-POLICY:autogen\n# writing tsm data\n\
                cpu,host=a v=1 1\n# writing wal data\ncpu,host=a v=2 2\n";
    let path = file(dir.path(), "dump", dump.as_bytes());
    // The policy is mapped by a first write.
    server.write("s", "cpu,host=a v=0 0");
    headwater(&server, &["import", &path]).good();
    assert_eq!(
        exported(&server),
        "cpu,host=a v=0.0 0\ncpu,host=a v=1.0 1\ncpu,host=a v=2.0 2\n"
    );
    let ran = headwater_with(&server.url, &["import"], "# DML\ncpu v=1 1\n");
    let said = "headwater: stdin: line 2: no `# CONTEXT-DATABASE: name` comes before the point; give \
                --database or --bucket\n";
    assert_eq!(ran, Ran::new(1, "", said));
    let ran = headwater_with(
        &server.url,
        &["import"],
        "# CONTEXT-DATABASE: none\ncpu v=1 1\n",
    );
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("`headwater bucket create`"), "{}", ran.err);
}
