//! Rows 64 to 85: `/write`.

use std::io::Write;

use serde_json::json;

use super::fixture::{Fixture, NOTHING, SELECTED, TOKEN};

const NO_MAPPING: &str = "no dbrp mapping found";

#[test]
fn seed_064_a_write_is_a_post() {
    let f = Fixture::new();
    let reply = f.get("/write").token(TOKEN).param("db", "mydb").send();
    reply.is_error(405, "method not allowed", "allow: OPTIONS, POST");
    assert_eq!(reply.header("allow"), "OPTIONS, POST");
}

#[test]
fn seed_065_the_body_is_line_protocol() {
    let f = Fixture::new();
    let call = f.write("measurement,host=host1 field1=2i,field2=2.0 1577836800000000000");
    call.basic("exampleuser@influxdata.com", TOKEN)
        .send()
        .is_no_content();
    assert_eq!(
        f.values(r#"SELECT * FROM "measurement""#),
        json!([[1_577_836_800_000_000_000i64, 2, 2, "host1"]])
    );
    assert_eq!(
        f.values(r#"SHOW FIELD KEYS FROM "measurement""#),
        json!([["field1", "integer"], ["field2", "float"]])
    );
}

#[test]
fn seed_066_a_write_takes_a_token() {
    let f = Fixture::new();
    let call = f.write("measurement,host=host1 field1=2i,field2=2.0 1");
    call.send().is_no_content();
    assert_eq!(
        f.values(r#"SELECT field1, field2 FROM "measurement""#),
        json!([[1, 2, 2]])
    );
}

#[test]
fn seed_067_a_policy_selects_the_bucket_that_is_written() {
    let f = Fixture::new();
    let weekly = f.make_bucket("weekly-bucket");
    f.map(&weekly, "mydb", "weekly", false);
    f.write("m v=1 1")
        .param("rp", "weekly")
        .send()
        .is_no_content();
    f.query("SELECT v FROM m").send().is_results(NOTHING);
    assert_eq!(f.values("SELECT v FROM weekly.m"), json!([[1, 1]]));
}

#[test]
fn seed_068_a_write_has_many_lines() {
    let f = Fixture::new();
    f.store("m,host=host1 v=1 7\nm,host=host2 v=2 7\nm,host=host3 v=3 7");
    assert_eq!(
        f.values("SELECT host, v FROM m"),
        json!([[7, "host1", 1], [7, "host2", 2], [7, "host3", 3]])
    );
}

#[test]
fn seed_069_milliseconds_are_chosen_by_precision() {
    let f = Fixture::new();
    f.write("m v=1 1577836800000")
        .param("precision", "ms")
        .send()
        .is_no_content();
    f.query("SELECT v FROM m").send().is_results(concat!(
        r#"{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","v"],"#,
        r#""values":[["2020-01-01T00:00:00Z",1]]}]}]}"#,
        "\n"
    ));
}

#[test]
fn seed_070_every_precision_counts_and_nanoseconds_are_the_default() {
    let f = Fixture::new();
    let cases = [
        ("", 1_000i64),
        ("ns", 1_000),
        ("u", 1_000_000),
        ("µ", 1_000_000),
        ("ms", 1_000_000_000),
        ("s", 1_000_000_000_000),
        ("m", 60_000_000_000_000),
        ("h", 3_600_000_000_000_000),
    ];
    for (number, (precision, nanoseconds)) in cases.into_iter().enumerate() {
        let call = f.write(&format!("m{number} v=1 1000"));
        call.param("precision", precision).send().is_no_content();
        let stored = f.values(&format!("SELECT v FROM m{number}"));
        assert_eq!(stored, json!([[nanoseconds, 1]]), "{precision}");
    }
}

#[test]
fn seed_071_a_file_may_have_comments_and_blank_lines() {
    let f = Fixture::new();
    f.store("# a comment\nm v=1 1\n\n  \n# another\nm v=2 2\n");
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1], [2, 2]]));
}

#[test]
fn seed_072_a_database_is_needed() {
    let f = Fixture::new();
    let call = f.write("m v=1").without_param("db");
    call.send()
        .is_error_with(400, "invalid", "missing db", "database is required");
}

#[test]
fn seed_073_without_a_policy_the_default_one_is_written() {
    let f = Fixture::new();
    let weekly = f.make_bucket("weekly-bucket");
    f.map(&weekly, "mydb", "weekly", true);
    f.store("m v=1 1");
    assert_eq!(f.values("SELECT v FROM weekly.m"), json!([[1, 1]]));
    f.query("SELECT v FROM autogen.m")
        .send()
        .is_results(NOTHING);
}

#[test]
fn seed_074_a_malformed_line_is_refused_and_nothing_is_written() {
    let f = Fixture::new();
    f.write("good v=1\nbad v=").send().is_error(
        400,
        "invalid",
        "unable to parse 'bad v=': missing field value",
    );
    f.query("SELECT v FROM good").send().is_results(NOTHING);
}

#[test]
fn seed_075_a_type_conflict_drops_that_point_alone() {
    let f = Fixture::new();
    f.store("m v=1 1");
    let partial = "partial write: field type conflict: input field \"v\" on measurement \"m\" is \
                   type string, already exists as type float dropped=1";
    f.write("m v=\"text\" 2\nm v=3 3").send().is_error_with(
        422,
        "unprocessable entity",
        &format!("failure writing points to database: {partial}"),
        partial,
    );
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1], [3, 3]]));
}

#[test]
fn seed_076_a_body_may_be_gzip() {
    let f = Fixture::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(b"m v=1 1").expect("a vector takes it");
    let call = f
        .write("")
        .body(packed.finish().expect("a vector takes it"));
    call.header("content-encoding", "gzip")
        .send()
        .is_no_content();
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1]]));
}

#[test]
fn seed_077_a_body_over_the_limit_is_refused() {
    let f = Fixture::new();
    let call = f.write("").body(vec![b'\n'; 50_000_001]);
    call.send().is_error_with(
        413,
        "request too large",
        "unable to read data: points batch is too large",
        "Request Entity Too Large",
    );
    f.write("")
        .body(vec![b'\n'; 50_000_000])
        .send()
        .is_no_content();
}

#[test]
fn seed_078_a_token_that_may_only_read_may_not_write() {
    let f = Fixture::new();
    let (_, reader) = f.make_token("read");
    f.write("m v=1").token(&reader).send().is_error_with(
        403,
        "forbidden",
        "insufficient permissions for write",
        "user is not authorized to write to database \"mydb\"",
    );
    f.query("SELECT v FROM m").send().is_results(NOTHING);
}

#[test]
fn seed_079_a_token_that_may_only_write_may_write() {
    let f = Fixture::new();
    let (_, writer) = f.make_token("write");
    f.write("m v=1 1").token(&writer).send().is_no_content();
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1]]));
}

#[test]
fn seed_080_an_unknown_database_is_not_found() {
    let f = Fixture::new();
    let words = "database not found: \"nope\"";
    f.write("m v=1")
        .param("db", "nope")
        .send()
        .is_error_with(404, "not found", NO_MAPPING, words);
}

#[test]
fn seed_081_a_write_maps_the_bucket_named_after_database_and_policy() {
    let f = Fixture::new();
    let bucket = f.make_bucket("auto1/rp1");
    assert_eq!(f.mappings(&[("db", "auto1")]), json!([]));
    let call = f.write("m v=1 1").param("db", "auto1").param("rp", "rp1");
    call.send().is_no_content();
    let mappings = f.mappings(&[("db", "auto1")]);
    let id = mappings[0]["id"].as_str().expect("an id");
    assert_eq!(
        mappings,
        json!([f.mapping(id, &bucket, ("auto1", "rp1"), true)])
    );
}

#[test]
fn seed_082_a_write_maps_the_bucket_named_after_the_database() {
    let f = Fixture::new();
    let bucket = f.make_bucket("auto2");
    f.write("m v=1 1")
        .param("db", "auto2")
        .send()
        .is_no_content();
    let mappings = f.mappings(&[("db", "auto2")]);
    let id = mappings[0]["id"].as_str().expect("an id");
    assert_eq!(
        mappings,
        json!([f.mapping(id, &bucket, ("auto2", "autogen"), true)])
    );
}

#[test]
fn seed_083_what_a_write_mapped_can_be_queried() {
    let f = Fixture::new();
    f.make_bucket("auto1/rp1");
    f.make_bucket("auto2");
    let point = "cpu_usage,host=host1 value=42.5 1577836800000000000";
    let call = f.write(point).param("db", "auto1").param("rp", "rp1");
    call.send().is_no_content();
    f.write(point).param("db", "auto2").send().is_no_content();
    for database in ["auto1", "auto2"] {
        let call = f.select().token(TOKEN).param("db", database);
        call.send().is_results(SELECTED);
    }
}

#[test]
fn seed_084_a_mapping_comes_before_a_bucket_of_that_name() {
    let f = Fixture::new();
    let named = f.make_bucket("mydb/autogen");
    f.write("m v=1 1")
        .param("rp", "autogen")
        .send()
        .is_no_content();
    assert_eq!(f.values("SELECT v FROM m"), json!([[1, 1]]));
    f.map(&named, "named", "autogen", true);
    let call = f.query("SELECT v FROM m").param("db", "named");
    call.send().is_results(NOTHING);
}

#[test]
fn seed_085_an_empty_body_is_accepted() {
    let f = Fixture::new();
    f.write("").send().is_no_content();
}
