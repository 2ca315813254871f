//! Rows 35 to 39: statements that are refused, and those that need the right to write.

use serde_json::json;

use super::fixture::{Fixture, NOTHING, SELECTED, TOKEN};

#[test]
fn seed_035_select_into_is_refused_and_writes_nothing() {
    let f = Fixture::new();
    f.query("SELECT value INTO other FROM cpu_usage")
        .send()
        .is_statement_error("not implemented: SELECT INTO");
    assert_eq!(f.values("SHOW MEASUREMENTS"), json!([["cpu_usage"]]));
}

#[test]
fn seed_036_delete_removes_points_by_get_and_by_post() {
    let f = Fixture::new();
    for method in ["GET", "POST"] {
        f.store("tmp,host=a v=1 1\ntmp,host=b v=2 1");
        let call = f.call(method, "/query").token(TOKEN).param("db", "mydb");
        let call = call.param("q", "DELETE FROM tmp WHERE host='a'");
        call.send().is_results(NOTHING);
        assert_eq!(f.values("SELECT host, v FROM tmp"), json!([[1, "b", 2]]));
    }
}

#[test]
fn seed_037_drop_measurement_removes_it() {
    let f = Fixture::new();
    f.store("tmp v=1 1");
    f.query("DROP MEASUREMENT tmp").send().is_results(NOTHING);
    assert_eq!(f.values("SHOW MEASUREMENTS"), json!([["cpu_usage"]]));
    f.query("SELECT * FROM tmp").send().is_results(NOTHING);
}

#[test]
fn seed_038_database_management_statements_are_refused() {
    let f = Fixture::new();
    let cases = [
        ("CREATE DATABASE x", "CREATE DATABASE"),
        ("DROP DATABASE mydb", "DROP DATABASE"),
        (
            "CREATE RETENTION POLICY r ON mydb DURATION 1d REPLICATION 1",
            "CREATE RETENTION POLICY",
        ),
        (
            "ALTER RETENTION POLICY autogen ON mydb DURATION 1d",
            "ALTER RETENTION POLICY",
        ),
        (
            "DROP RETENTION POLICY autogen ON mydb",
            "DROP RETENTION POLICY",
        ),
        ("CREATE USER u WITH PASSWORD 'p'", "CREATE USER"),
        ("DROP USER u", "DROP USER"),
        ("SET PASSWORD FOR u = 'p'", "SET PASSWORD"),
        ("GRANT READ ON mydb TO u", "GRANT"),
        ("GRANT ALL PRIVILEGES TO u", "GRANT ALL"),
        ("REVOKE READ ON mydb FROM u", "REVOKE"),
        ("REVOKE ALL PRIVILEGES FROM u", "REVOKE ALL"),
        (
            "CREATE CONTINUOUS QUERY c ON mydb BEGIN SELECT mean(value) INTO x FROM cpu_usage \
             GROUP BY time(1h) END",
            "CREATE CONTINUOUS QUERY",
        ),
        ("DROP CONTINUOUS QUERY c ON mydb", "DROP CONTINUOUS QUERY"),
        (
            "CREATE SUBSCRIPTION s ON mydb.autogen DESTINATIONS ALL 'udp://127.0.0.1:1'",
            "CREATE SUBSCRIPTION",
        ),
        ("DROP SUBSCRIPTION s ON mydb.autogen", "DROP SUBSCRIPTION"),
        ("DROP SERIES FROM cpu_usage", "DROP SERIES"),
        ("DROP SHARD 1", "DROP SHARD"),
        ("KILL QUERY 1", "SHOW QUERIES"),
    ];
    for (statement, operation) in cases {
        f.query(statement)
            .send()
            .is_statement_error(&format!("not implemented: {operation}"));
    }
    f.select().token(TOKEN).send().is_results(SELECTED);
}

#[test]
fn seed_039_delete_and_drop_need_the_right_to_write() {
    let f = Fixture::new();
    let (_, reader) = f.make_token("read");
    for statement in ["DELETE FROM cpu_usage", "DROP MEASUREMENT cpu_usage"] {
        let call = f.query(statement).token(&reader);
        call.send().is_statement_error("insufficient permissions");
    }
    f.select().token(&reader).send().is_results(SELECTED);
}
