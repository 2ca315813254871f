//! Limits of queries and their texts (`spec/influxql/fill_and_windows.md` §7).

use std::{fmt::Write as _, time::Duration};

use headwater_model::Precision;
use headwater_query::Settings;
use serde_json::json;

use crate::fixture::Fixture;

/// Six series of ten rows each.
async fn fixture(settings: Settings) -> Fixture {
    let fixture = Fixture::with_settings(settings).await;
    let bucket = fixture.database("db", "rp", true, 604_800).await;
    let mut lines = String::new();
    for host in 0..6 {
        for row in 0..10 {
            writeln!(lines, "cpu,host=h{host} v={row} {}", 10 * row).unwrap();
        }
    }
    fixture.write(bucket, Precision::Second, &lines).await;
    fixture
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_reads_more_rows_than_allowed_fails() {
    let fixture = fixture(Settings {
        max_select_point: 30,
        ..Settings::default()
    })
    .await;
    let text = "SELECT v FROM cpu WHERE host =~ /h[0-2]/; SELECT count(v) FROM cpu; SHOW SERIES";
    let results = fixture.results("db", text).await;
    assert_eq!(
        results[0]["series"][0]["values"].as_array().unwrap().len(),
        30
    );
    assert_eq!(
        results[1]["error"],
        "max-select-point limit exceeed: (40/30)"
    );
    assert_eq!(results[2]["error"], "not executed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_of_more_series_than_allowed_fails_before_it_reads() {
    let fixture = fixture(Settings {
        max_select_series: 5,
        ..Settings::default()
    })
    .await;
    for text in [
        "SELECT v FROM cpu",
        "SELECT count(v) FROM cpu GROUP BY host",
        "SELECT count(v) FROM (SELECT v FROM cpu)",
        "EXPLAIN SELECT v FROM cpu",
        "EXPLAIN ANALYZE SELECT v FROM cpu",
    ] {
        assert_eq!(
            fixture.error("db", text).await,
            "max-select-series limit exceeded: (6/5)",
            "{text}"
        );
    }
    let text = "SELECT count(v) FROM cpu WHERE host != 'h5'";
    assert_eq!(fixture.rows("db", text).await, ["0 50"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_of_more_windows_than_allowed_fails_or_reads_the_last_ones() {
    let fixture = fixture(Settings {
        max_select_buckets: 5,
        ..Settings::default()
    })
    .await;
    let bounded = "SELECT max(v) FROM cpu WHERE time >= 0 AND time < 100s GROUP BY time(10s)";
    assert_eq!(
        fixture.error("db", bounded).await,
        "max-select-buckets limit exceeded: (10/5)"
    );
    let open = "SELECT max(v) FROM cpu WHERE host = 'h0' AND time < 120s GROUP BY time(10s)";
    assert_eq!(
        fixture.rows("db", open).await,
        ["70 7.0", "80 8.0", "90 9.0", "100 null", "110 null"]
    );
    let raw = "SELECT v FROM cpu WHERE time >= 0 AND time < 20s AND host = 'h0'";
    assert_eq!(fixture.rows("db", raw).await, ["0 0.0", "10 1.0"]);
    // Only the outermost statement counts.
    let inner = "SELECT sum(c) FROM (SELECT count(v) AS c FROM cpu WHERE time >= 0 AND time < 100s \
                 GROUP BY time(1s))";
    assert_eq!(fixture.rows("db", inner).await, ["0 60"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_lower_bound_the_last_windows_start_amid_a_partition() {
    let fixture = Fixture::with_settings(Settings {
        max_select_buckets: 5,
        ..Settings::default()
    })
    .await;
    let bucket = fixture.database("db", "rp", true, 604_800).await;
    // 11:30, 12:00 and 16:30 of one day.
    let lines = "m val=1 41400\nm val=3 43200\nm val=5 59400";
    fixture.write(bucket, Precision::Second, lines).await;
    let text = |end| format!("SELECT mean(val) FROM m WHERE time < {end}h GROUP BY time(1h)");
    assert_eq!(
        fixture.rows("db", &text(18)).await,
        ["57600 5.0", "61200 null"]
    );
    assert_eq!(
        fixture.rows("db", &text(17)).await,
        [
            "43200 3.0",
            "46800 null",
            "50400 null",
            "54000 null",
            "57600 5.0"
        ]
    );
}

/// Far more windows than anyone waits for.
const ENDLESS: &str =
    "SELECT count(v) FROM cpu WHERE time >= 0 AND time < 20000d GROUP BY time(1s)";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_time_is_over_ends_wherever_it_is() {
    let fixture = fixture(Settings {
        query_timeout: Duration::from_millis(1),
        workers: 1,
        ..Settings::default()
    })
    .await;
    let expected = json!([
        {"statement_id": 0, "error": "query-timeout limit exceeded"},
        {"statement_id": 1, "error": "not executed"},
    ]);
    // While it computes.
    let text = format!("SELECT sum(count) FROM ({ENDLESS} fill(0)); SHOW DATABASES");
    assert_eq!(fixture.results("db", &text).await, expected);
    // While it waits for its receiver, and while the other waits for the only worker.
    let first = fixture.query().execute(fixture.request("db", ENDLESS));
    assert_eq!(fixture.results("db", &text).await, expected);
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_would_hold_too_much_fails_and_names_the_setting() {
    let fixture = fixture(Settings {
        query_memory_bytes: 300,
        ..Settings::default()
    })
    .await;
    for text in [
        "SELECT v FROM cpu",
        "SELECT distinct(v) FROM cpu",
        "SHOW SERIES",
        "SHOW TAG VALUES WITH KEY = host WHERE host != ''",
        "SHOW TAG KEYS WHERE host != ''",
        "SHOW SERIES EXACT CARDINALITY WHERE host != ''",
    ] {
        let results = fixture
            .results("db", &format!("{text}; SHOW DATABASES"))
            .await;
        let error = results[0]["error"].as_str().expect(text);
        assert!(
            error.starts_with("query memory limit exceeded: ")
                && error.ends_with(" of 300 bytes (setting query_memory_bytes)"),
            "{text}: {error}"
        );
        assert_eq!(results[1]["error"], "not executed", "{text}");
    }
    assert_eq!(fixture.rows("db", "SHOW MEASUREMENTS").await, ["cpu"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limit_are_refused_with_all_their_statements() {
    let refused = |count: usize| {
        json!([
            {"statement_id": 0, "error":
                format!("max-concurrent-queries limit exceeded({count}, {count})")},
            {"statement_id": 1, "error": "not executed"},
        ])
    };
    let text = "SHOW DATABASES; SHOW DATABASES";
    let limited = fixture(Settings {
        max_concurrent_queries: 2,
        ..Settings::default()
    })
    .await;
    let queued = fixture(Settings {
        workers: 1,
        max_queued_queries: 2,
        ..Settings::default()
    })
    .await;
    for (fixture, limit) in [(limited, 2), (queued, 3)] {
        let running: Vec<_> = (0..limit)
            .map(|_| fixture.query().execute(fixture.request("db", ENDLESS)))
            .collect();
        assert_eq!(fixture.results("db", text).await, refused(limit));
        drop(running);
    }
}
