//! Rows 103 to 111: line protocol.

use serde_json::{Value, json};

use super::fixture::{Fixture, NOTHING};

impl Fixture {
    /// `line` is refused for `reason`.
    #[track_caller]
    fn refuses(&self, line: &str, reason: &str) {
        let message = format!("unable to parse '{line}': {reason}");
        self.write(line).send().is_error(400, "invalid", &message);
    }
}

#[test]
fn seed_103_a_measurement_and_a_field_are_needed() {
    let f = Fixture::new();
    f.refuses(",t=a v=1", "missing measurement");
    f.refuses("m", "missing fields");
    f.refuses("m,t=a", "missing fields");
    f.query("SELECT * FROM m").send().is_results(NOTHING);
}

#[test]
fn seed_104_fields_have_five_types_in_all_their_spellings() {
    let f = Fixture::new();
    f.store("types f=1.5,i=1i,u=1u,s=\"x\",b=true 1");
    assert_eq!(
        f.values("SHOW FIELD KEYS FROM types"),
        json!([
            ["b", "boolean"],
            ["f", "float"],
            ["i", "integer"],
            ["s", "string"],
            ["u", "unsigned"]
        ])
    );
    for (number, word) in ["t", "T", "true", "True", "TRUE"].into_iter().enumerate() {
        f.store(&format!("yes v={word} {number}"));
    }
    for (number, word) in ["f", "F", "false", "False", "FALSE"]
        .into_iter()
        .enumerate()
    {
        f.store(&format!("no v={word} {number}"));
    }
    let all = |value: bool| Value::from_iter((0..5).map(|time| json!([time, value])));
    assert_eq!(f.values("SELECT v FROM yes"), all(true));
    assert_eq!(f.values("SELECT v FROM no"), all(false));
    f.store("floats v=1 1\nfloats v=-1.5 2\nfloats v=1.5e3 3\nfloats v=.5 4\nfloats v=2. 5");
    assert_eq!(
        f.values("SELECT v FROM floats"),
        json!([[1, 1], [2, -1.5], [3, 1500], [4, 0.5], [5, 2]])
    );
    f.refuses("m v=yes", "invalid boolean");
    f.refuses("m v=\"x", "unbalanced quotes");
}

#[test]
fn seed_105_integers_have_64_bits() {
    let f = Fixture::new();
    f.store("m i=9223372036854775807i,u=18446744073709551615u 1\nm i=-9223372036854775808i,u=0u 2");
    assert_eq!(
        f.values("SELECT i, u FROM m"),
        json!([[1, i64::MAX, u64::MAX], [2, i64::MIN, 0]])
    );
    f.refuses(
        "m i=9223372036854775808i",
        "unable to parse integer 9223372036854775808: strconv.ParseInt: parsing \
         \"9223372036854775808\": value out of range",
    );
    f.refuses(
        "m u=18446744073709551616u",
        "unable to parse unsigned 18446744073709551616: strconv.ParseUint: parsing \
         \"18446744073709551616\": value out of range",
    );
    f.refuses("m u=-1u", "invalid number");
}

#[test]
fn seed_106_timestamps_stay_in_their_range() {
    let f = Fixture::new();
    f.store("m v=1 -9223372036854775806\nm v=2 9223372036854775806");
    assert_eq!(
        f.values("SELECT v FROM m"),
        json!([
            [-9_223_372_036_854_775_806i64, 1],
            [9_223_372_036_854_775_806i64, 2]
        ])
    );
    let outside = "time outside range -9223372036854775806 - 9223372036854775806";
    f.refuses("m v=1 9223372036854775807", outside);
    f.refuses("m v=1 -9223372036854775807", outside);
    f.refuses("m v=1 abc", "bad timestamp");
}

#[test]
fn seed_107_each_element_has_its_escapes() {
    let f = Fixture::new();
    f.store(r#"m\ ea\,s,ta\ g=a\=b\,c\ d fie\,ld="q\"uote \\ back" 1"#);
    f.query(r#"SELECT * FROM "m ea,s""#)
        .param("epoch", "ns")
        .send()
        .is_results(concat!(
            r#"{"results":[{"statement_id":0,"series":[{"name":"m ea,s","columns":["time","#,
            r#""fie,ld","ta g"],"values":[[1,"q\"uote \\ back","a=b,c d"]]}]}]}"#,
            "\n"
        ));
}

#[test]
fn seed_108_lines_that_begin_with_a_hash_are_comments() {
    let f = Fixture::new();
    f.store("# m v=1 1\n  # indented\nm v=2 2");
    assert_eq!(f.values("SELECT v FROM m"), json!([[2, 2]]));
}

#[test]
fn seed_109_points_of_one_series_and_time_merge_and_the_newest_value_wins() {
    let f = Fixture::new();
    f.store("m,t=x a=1,b=1 1");
    f.store("m,t=x b=2,c=2 1");
    assert_eq!(f.values("SELECT a, b, c FROM m"), json!([[1, 1, 2, 2]]));
}

/// Nanoseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "to be compared with the server's clock"
)]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_nanos()).expect("before 2262")
}

#[test]
fn seed_110_without_a_timestamp_the_servers_time_counts() {
    let f = Fixture::new();
    let before = now();
    f.store("m v=1");
    let after = now();
    let stored = f.values("SELECT v FROM m")[0][0].as_i64();
    let stored = stored.expect("a time");
    assert!((before..=after).contains(&stored), "{stored}");
}

#[test]
fn seed_111_a_tag_value_cannot_be_empty() {
    let f = Fixture::new();
    f.refuses("m,t= v=1", "missing tag value");
    f.refuses("m,t v=1", "missing tag value");
}
