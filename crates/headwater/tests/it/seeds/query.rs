//! Rows 40 to 63: `/query`.

use std::io::Read;

use serde_json::{Value, json};

use super::fixture::{Fixture, SELECT, SELECTED, TOKEN};

/// A point of another retention policy, and the database that has both.
fn with_two_policies() -> Fixture {
    let f = Fixture::new();
    let weekly = f.make_bucket("weekly-bucket");
    f.map(&weekly, "mydb", "weekly", false);
    let write = f.write("cpu_usage,host=host1 value=7 1577836800000000000");
    write.param("rp", "weekly").send().is_no_content();
    f
}

/// What [`SELECT`] answers in `weekly` of [`with_two_policies`].
fn weekly() -> String {
    SELECTED.replace("42.5", "7")
}

fn gunzip(packed: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut unpacked)
        .expect("a gzip stream");
    unpacked
}

#[test]
fn seed_040_a_get_with_influxql_returns_json() {
    let f = Fixture::new();
    let reply = f.query(SELECT).send();
    reply.is_results(SELECTED);
    assert_eq!(reply.header("vary"), "Accept-Encoding");
}

#[test]
fn seed_041_a_post_with_the_query_in_a_form_works() {
    let f = Fixture::new();
    let call = f.post("/query").token(TOKEN).param("db", "mydb");
    let call = call.body("q=SELECT%20%2A%20FROM%20cpu_usage");
    call.send().is_results(SELECTED);
}

#[test]
fn seed_042_a_post_with_the_influxql_content_type_has_the_query_as_body() {
    let f = Fixture::new();
    let call = f.post("/query").param("db", "mydb").param("rp", "autogen");
    let call = call
        .basic("x", TOKEN)
        .body("SELECT * FROM cpu_usage WHERE time > now() - 9000d")
        .header("content-type", "application/vnd.influxql");
    call.send().is_results(SELECTED);
}

#[test]
fn seed_043_database_and_policy_select_the_bucket() {
    let f = with_two_policies();
    f.query(SELECT)
        .param("rp", "weekly")
        .send()
        .is_results(&weekly());
    f.query(SELECT)
        .param("rp", "autogen")
        .send()
        .is_results(SELECTED);
}

#[test]
fn seed_044_without_a_policy_the_default_one_is_read() {
    let f = with_two_policies();
    f.query(SELECT).send().is_results(SELECTED);
    let mappings = f.mappings(&[("rp", "weekly")]);
    let id = mappings[0]["id"].as_str().expect("an id");
    let path = format!("/api/v2/dbrps/{id}");
    let patch = f.call("PATCH", &path).token(TOKEN).param("orgID", &f.org);
    patch.json(json!({"default": true})).send().json(200);
    f.query(SELECT).send().is_results(&weekly());
}

#[test]
fn seed_045_a_database_is_needed() {
    let f = Fixture::new();
    let call = f.query(SELECT).without_param("db");
    call.send().is_statement_error("database name required");
}

#[test]
fn seed_046_a_query_text_is_needed() {
    let f = Fixture::new();
    let call = f.query(SELECT).without_param("q");
    call.send()
        .is_error(400, "invalid", r#"missing required parameter "q""#);
}

#[test]
fn seed_047_several_statements_are_answered_in_order() {
    let f = Fixture::new();
    let two = f.query("SELECT * FROM cpu_usage;SELECT mean(value) FROM cpu_usage");
    two.send().is_results(concat!(
        r#"{"results":[{"statement_id":0,"series":[{"name":"cpu_usage","columns":["time","host","#,
        r#""value"],"values":[["2020-01-01T00:00:00Z","host1",42.5]]}]},"#,
        r#"{"statement_id":1,"series":[{"name":"cpu_usage","columns":["time","mean"],"#,
        r#""values":[["1970-01-01T00:00:00Z",42.5]]}]}]}"#,
        "\n"
    ));
}

#[test]
fn seed_048_epoch_chooses_the_unit_of_times() {
    let f = Fixture::new();
    let cases = [
        ("ns", "1577836800000000000"),
        ("u", "1577836800000000"),
        ("µ", "1577836800000000"),
        ("ms", "1577836800000"),
        ("s", "1577836800"),
        ("m", "26297280"),
        ("h", "438288"),
    ];
    for (unit, time) in cases {
        let expected = SELECTED.replace("\"2020-01-01T00:00:00Z\"", time);
        f.query(SELECT)
            .param("epoch", unit)
            .send()
            .is_results(&expected);
    }
}

#[test]
fn seed_049_without_epoch_times_are_rfc3339_to_the_nanosecond() {
    let f = Fixture::new();
    f.store("fine v=1 1577836800000000001");
    f.query("SELECT v FROM fine").send().is_results(concat!(
        r#"{"results":[{"statement_id":0,"series":[{"name":"fine","columns":["time","v"],"#,
        r#""values":[["2020-01-01T00:00:00.000000001Z",1]]}]}]}"#,
        "\n"
    ));
}

#[test]
fn seed_050_the_default_policy_is_read_with_basic_credentials() {
    let f = with_two_policies();
    let call = f.select().basic("exampleuser@influxdata.com", TOKEN);
    call.send().is_results(SELECTED);
}

#[test]
fn seed_051_another_policy_is_read_with_a_token() {
    let f = with_two_policies();
    let call = f.select().token(TOKEN).param("rp", "weekly");
    call.send().is_results(&weekly());
}

#[test]
fn seed_052_a_query_text_may_have_newlines() {
    let f = Fixture::new();
    let call = f.query("SELECT *\nFROM cpu_usage\nWHERE host = 'host1'\n");
    call.send().is_results(SELECTED);
}

#[test]
fn seed_053_a_client_that_takes_gzip_gets_it() {
    let f = Fixture::new();
    let lines: Vec<String> = (1..=200).map(|i| format!("many v={i} {i}")).collect();
    f.store(&lines.join("\n"));
    let plain = f.query("SELECT v FROM many").send();
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.body.len() > 1400);
    for accepted in ["gzip", "deflate, gzip"] {
        let packed = f
            .query("SELECT v FROM many")
            .header("accept-encoding", accepted)
            .send();
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert_eq!(packed.header("content-type"), "application/json");
        assert_eq!(packed.header("vary"), "Accept-Encoding");
        assert_eq!(gunzip(&packed.body), plain.body);
    }
}

#[test]
fn seed_054_a_bucket_of_another_name_must_be_mapped_to_be_queried() {
    let f = Fixture::new();
    f.make_bucket("plain");
    let call = f.query(SELECT).param("db", "plain");
    call.send().is_statement_error("database not found: plain");
    let oss = Fixture::with_args(&["--profile", "oss"]);
    oss.make_bucket("plain");
    let point = "cpu_usage,host=host1 value=42.5 1577836800000000000";
    oss.write(point).param("db", "plain").send().is_no_content();
    let call = oss.query(SELECT).param("db", "plain");
    call.send().is_results(SELECTED);
}

#[test]
fn seed_055_a_bucket_written_through_v2_must_be_mapped_to_be_queried() {
    let f = Fixture::new();
    let plain = f.make_bucket("plain");
    let write = f
        .post("/api/v2/write")
        .token(TOKEN)
        .param("bucket", "plain");
    write
        .body("cpu_usage,host=host1 value=42.5 1577836800000000000")
        .send()
        .is_no_content();
    let query = || f.query(SELECT).param("db", "plain").send();
    query().is_statement_error("database not found: plain");
    f.map(&plain, "plain", "autogen", true);
    query().is_results(SELECTED);
}

#[test]
fn seed_056_csv_has_times_as_integers() {
    let f = Fixture::new();
    for kind in ["application/csv", "text/csv"] {
        f.query(SELECT).header("accept", kind).send().is_ok(
            kind,
            "name,tags,time,host,value\ncpu_usage,,1577836800000000000,host1,42.5\n",
        );
    }
}

#[test]
fn seed_057_messagepack_has_times_as_extension_5() {
    let f = Fixture::new();
    let reply = f
        .query(SELECT)
        .header("accept", "application/x-msgpack")
        .send();
    assert_eq!(reply.header("content-type"), "application/x-msgpack");
    // Short maps, arrays and strings are one byte with their length, then what is in them.
    let mut expected = b"\x81\xa7results\x91\x82\xacstatement_id\x00\xa6series\x91".to_vec();
    expected.extend(b"\x83\xa4name\xa9cpu_usage\xa7columns\x93\xa4time\xa4host\xa5value");
    expected.extend(b"\xa6values\x91\x93\xc7\x0c\x05");
    expected.extend(1_577_836_800i64.to_be_bytes());
    expected.extend(0u32.to_be_bytes());
    expected.extend(b"\xa5host1\xcb");
    expected.extend(42.5f64.to_be_bytes());
    assert_eq!(reply.body, expected);
}

#[test]
fn seed_058_chunks_are_documents_of_their_own_with_partial_flags() {
    let f = Fixture::new();
    f.store("c v=1 1\nc v=2 2\nc v=3 3");
    let call = f.query("SELECT v FROM c").param("epoch", "ns");
    let call = call.param("chunked", "true").param("chunk_size", "2");
    call.send().is_results(concat!(
        r#"{"results":[{"statement_id":0,"series":[{"name":"c","columns":["time","v"],"#,
        r#""values":[[1,1],[2,2]],"partial":true}],"partial":true}]}"#,
        "\n",
        r#"{"results":[{"statement_id":0,"series":[{"name":"c","columns":["time","v"],"#,
        r#""values":[[3,3]]}]}]}"#,
        "\n"
    ));
}

#[test]
fn seed_059_an_error_has_code_and_message() {
    let f = Fixture::new();
    let reason = "found SLECT, expected SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, \
                  REVOKE, ALTER, SET, KILL at line 1, char 1";
    f.query("SLECT").send().is_error_with(
        400,
        "invalid",
        &format!("failed to parse query: {reason}"),
        &format!("error parsing query: {reason}"),
    );
}

#[test]
fn seed_060_a_trace_header_is_accepted() {
    let f = Fixture::new();
    let span = r#"{"trace_id":"1","span_id":"1","baggage":{"key":"value"}}"#;
    f.query(SELECT)
        .header("zap-trace-span", span)
        .send()
        .is_results(SELECTED);
}

#[test]
fn seed_061_an_unknown_database_or_policy_is_the_statements_error() {
    let f = Fixture::new();
    f.query(SELECT)
        .param("db", "nope")
        .send()
        .is_statement_error("database not found: nope");
    f.query(SELECT)
        .param("rp", "nope")
        .send()
        .is_statement_error("retention policy not found: nope");
}

#[test]
fn seed_062_a_token_that_may_only_write_sees_no_database() {
    let f = Fixture::new();
    let (_, writer) = f.make_token("write");
    f.select()
        .token(&writer)
        .send()
        .is_statement_error("database not found: mydb");
}

#[test]
fn seed_063_parameters_are_bound_to_a_query() {
    let f = Fixture::new();
    f.store("cpu_usage,host=host2 value=1 1577836800000000000");
    let call = f.query("SELECT value FROM cpu_usage WHERE host = $h");
    let reply = call.param("params", r#"{"h":"host1"}"#).send();
    let expected: Value = json!({"results": [{"statement_id": 0, "series": [{
        "name": "cpu_usage", "columns": ["time", "value"],
        "values": [["2020-01-01T00:00:00Z", 42.5]]}]}]});
    reply.is_results(&format!("{expected}\n"));
}
