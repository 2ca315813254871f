//! Several statements, pieces, and statements that are not offered.

use std::fmt::Write as _;

use headwater_catalog::Profile;
use headwater_model::Precision;
use serde_json::json;

use crate::fixture::Fixture;

async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let bucket = fixture.database("db", "rp", true, 604_800).await;
    fixture
        .write(
            bucket,
            Precision::Second,
            "cpu,host=a v=1 0\ncpu,host=a v=2 10\ncpu,host=b v=3 20",
        )
        .await;
    fixture
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failing_statement_nothing_is_executed() {
    let fixture = fixture().await;
    assert_eq!(
        fixture
            .results(
                "db",
                "SELECT count(v) FROM cpu; SELECT nofunc(v) FROM cpu; SHOW SERIES"
            )
            .await,
        json!([
            {"statement_id": 0, "series": [
                {"name": "cpu", "columns": ["time", "count"], "values": [[0, 3]]}
            ]},
            {"statement_id": 1, "error": "undefined function nofunc()"},
            {"statement_id": 2, "error": "not executed"},
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_only_reported_does_not_stop_the_request() {
    let fixture = fixture().await;
    let results = fixture
        .results("db", "SHOW TAG KEYS WHERE v = 1; SHOW MEASUREMENTS")
        .await;
    assert_eq!(
        results[0]["error"],
        "expression too complex for metaquery: v = 1"
    );
    assert_eq!(results[1]["series"][0]["values"], json!([["cpu"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_piece_of_a_statement_is_not_partial() {
    let fixture = fixture().await;
    let mut request = fixture.request("db", "SELECT v FROM cpu GROUP BY host; SHOW SERIES");
    request.chunk_size = 1;
    request.is_chunked = true;
    let pieces = fixture.pieces(request).await;
    let flags: Vec<_> = pieces
        .iter()
        .map(|piece| (piece.statement_id, piece.partial, piece.series[0].partial))
        .collect();
    assert_eq!(
        flags,
        [
            (0, true, true),
            (0, true, false),
            (0, false, false),
            (1, true, true),
            (1, false, false)
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn small_series_share_a_piece_unless_the_answer_is_chunked() {
    let fixture = fixture().await;
    for (is_chunked, expected) in [(false, vec![2]), (true, vec![1, 1])] {
        let mut request = fixture.request("db", "SELECT v FROM cpu GROUP BY host");
        request.is_chunked = is_chunked;
        let pieces = fixture.pieces(request).await;
        let counts: Vec<usize> = pieces.iter().map(|piece| piece.series.len()).collect();
        assert_eq!(counts, expected, "chunked: {is_chunked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_receiver_ends_the_request() {
    let fixture = fixture().await;
    // Far more windows than anyone waits for.
    let text = "SELECT count(v) FROM cpu WHERE time >= 0 AND time < 20000d GROUP BY time(1s)";
    let mut request = fixture.request("db", text);
    request.chunk_size = 10;
    {
        let mut receiver = fixture.query().execute(request);
        assert!(receiver.recv().await.unwrap().partial);
    }
    // The worker is free again for another request.
    assert_eq!(fixture.rows("db", "SHOW MEASUREMENTS").await, ["cpu"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_administration_are_refused_after_their_sources_are_checked() {
    let fixture = fixture().await;
    assert_eq!(
        fixture.error("db", "DROP SERIES FROM cpu").await,
        "not implemented: DROP SERIES"
    );
    assert_eq!(
        fixture.error("db", "KILL QUERY 3").await,
        "not implemented: SHOW QUERIES"
    );
    assert_eq!(
        fixture.error("db", "CREATE DATABASE x").await,
        "not implemented: CREATE DATABASE"
    );
    assert_eq!(
        fixture
            .error("db", "SELECT v INTO nosuch.rp.m FROM cpu")
            .await,
        "database not found: nosuch"
    );
    assert_eq!(
        fixture
            .error("db", "SELECT v INTO db.nosuch.m FROM cpu")
            .await,
        "not implemented: SELECT INTO"
    );
    let continuous = "CREATE CONTINUOUS QUERY q ON db BEGIN SELECT mean(v) INTO m FROM nosuch..cpu GROUP BY time(1m) END";
    assert_eq!(
        fixture.error("db", continuous).await,
        "database not found: nosuch"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_profile_v1_database_management_acts() {
    let fixture = Fixture::with_profile(Profile::V1).await;
    let text = "CREATE DATABASE made WITH DURATION 30d NAME month; SHOW RETENTION POLICIES ON made; \
                DROP DATABASE made; SHOW DATABASES; CREATE USER u WITH PASSWORD 'p'";
    let results = fixture.results("", text).await;
    assert_eq!(results[0], json!({"statement_id": 0}));
    assert_eq!(results[1]["series"][0]["values"][0][0], "month");
    assert_eq!(
        results[3]["series"][0],
        json!({"name": "databases", "columns": ["name"]})
    );
    assert_eq!(results[4]["error"], "not implemented: CREATE USER");
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_what_storage_is_asked_for() {
    let fixture = fixture().await;
    let lines = fixture
        .rows("db", "EXPLAIN SELECT max(v), host FROM cpu")
        .await;
    assert_eq!(
        lines[..4],
        [
            "EXPRESSION: max(v::float)",
            "AUXILIARY FIELDS: host::tag",
            "NUMBER OF SHARDS: 1",
            "NUMBER OF SERIES: 2"
        ]
    );
    assert_eq!(
        fixture.rows("db", "EXPLAIN SELECT v FROM nosuch").await,
        [""]
    );
    // Each source as it is written has its block, an unknown one too if the type is known.
    let lines = fixture
        .rows("db", "EXPLAIN SELECT count(v) FROM nosuch, cpu")
        .await;
    let shards: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("NUMBER OF SHARDS"))
        .collect();
    assert_eq!(shards, ["NUMBER OF SHARDS: 0", "NUMBER OF SHARDS: 1"]);
    assert_eq!(
        fixture
            .rows("db", "EXPLAIN SELECT first(nosuch) FROM cpu")
            .await,
        [""]
    );
    let lines = fixture
        .rows("db", "EXPLAIN ANALYZE SELECT v FROM cpu")
        .await;
    assert!(
        lines.iter().any(|line| line.ends_with("output_rows: 3")),
        "{lines:?}"
    );
    assert_eq!(
        fixture.error("db", "EXPLAIN SELECT f(v) FROM cpu").await,
        "undefined function f()"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn much_work_gets_the_same_answer_as_little() {
    let fixture = Fixture::new().await;
    let bucket = fixture.database("db", "rp", true, 604_800).await;
    // Enough rows and series that a whole read is more than may be tried at once.
    let mut lines = String::new();
    for host in 0..20 {
        for row in 0..2_000 {
            writeln!(lines, "cpu,host=h{host:02} v={row}i {row}").unwrap();
        }
    }
    fixture.write(bucket, Precision::Second, &lines).await;
    let all = fixture
        .results("db", "SELECT sum(v), count(v) FROM cpu GROUP BY host")
        .await;
    for (host, series) in all[0]["series"].as_array().unwrap().iter().enumerate() {
        let text =
            format!("SELECT sum(v), count(v) FROM cpu WHERE host = 'h{host:02}' GROUP BY host");
        let one = fixture.results("db", &text).await;
        assert_eq!(one[0]["series"], json!([series]));
    }
    assert_eq!(all[0]["series"].as_array().unwrap().len(), 20);
    // One that begins as little work and turns out to be much, after one that is little.
    let text = "SELECT last(v) FROM cpu WHERE host = 'h00'; SELECT v FROM cpu WHERE host =~ /h0./ LIMIT 3; \
                SELECT sum(v) FROM (SELECT v FROM cpu)";
    let results = fixture.results("db", text).await;
    assert_eq!(results.as_array().unwrap().len(), 3);
    assert_eq!(results[2]["series"][0]["values"], json!([[0, 39_980_000]]));
}
