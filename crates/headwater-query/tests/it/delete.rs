//! DELETE and DROP MEASUREMENT.

use headwater_model::Precision;
use serde_json::json;

use crate::fixture::Fixture;

async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let bucket = fixture.database("db", "rp", true, 3_600).await;
    let lines = "cpu,host=a v=1 0\ncpu,host=a v=2 60\ncpu,host=b v=3 0\ncpu,host=b v=4 7200\n\
                 mem,host=a v=5 0\nnet v=6 0";
    fixture.write(bucket, Precision::Second, lines).await;
    let other = fixture.database("db", "other", false, 3_600).await;
    fixture
        .write(other, Precision::Second, "cpu,host=z v=7 0")
        .await;
    fixture
}

/// Deletes, and tells the rows of `cpu` that are left.
async fn left_after(statement: &str) -> Vec<String> {
    let fixture = fixture().await;
    assert_eq!(
        fixture.results("db", statement).await,
        json!([{"statement_id": 0}]),
        "{statement}"
    );
    fixture.rows("db", "SELECT v FROM cpu").await
}

#[tokio::test(flavor = "multi_thread")]
async fn points_go_by_time_and_tags() {
    assert_eq!(
        left_after("DELETE FROM cpu WHERE time < 60s").await,
        ["60 2.0", "7200 4.0"]
    );
    assert_eq!(
        left_after("DELETE WHERE host = 'a'").await,
        ["0 3.0", "7200 4.0"]
    );
    assert_eq!(
        left_after("DELETE FROM cpu WHERE host != 'a'").await,
        ["0 1.0", "60 2.0"]
    );
    assert_eq!(
        left_after("DELETE FROM /c.*|m.*/ WHERE host =~ /b/").await,
        ["0 1.0", "60 2.0"]
    );
    assert_eq!(
        left_after("DELETE FROM cpu WHERE host = 'a' OR time > 0").await,
        ["0 1.0", "0 3.0", "7200 4.0"]
    );
    assert_eq!(left_after("DELETE FROM nosuch").await.len(), 4);
    assert!(
        left_after("DELETE FROM cpu WHERE nosuch != 'x'")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_bucket_of_the_first_source_is_touched() {
    let fixture = fixture().await;
    fixture.results("db", "DELETE FROM other.cpu").await;
    assert_eq!(fixture.rows("db", "SELECT v FROM cpu").await.len(), 4);
    assert!(
        fixture
            .rows("db", "SELECT v FROM other.cpu")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn series_and_measurements_without_points_are_gone() {
    let fixture = fixture().await;
    fixture.results("db", "DELETE WHERE host = 'a'").await;
    assert_eq!(
        fixture.rows("db", "SHOW SERIES").await,
        ["cpu,host=b", "net"]
    );
    assert_eq!(
        fixture.rows("db", "SHOW MEASUREMENTS").await,
        ["cpu", "net"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measurement_is_dropped_from_all_buckets_of_a_database() {
    let fixture = fixture().await;
    let results = fixture
        .results("db", "DROP MEASUREMENT cpu; SHOW MEASUREMENTS ON db.*")
        .await;
    assert_eq!(results[0], json!({"statement_id": 0}));
    assert_eq!(
        results[1]["series"][0]["values"],
        json!([["mem", "db", "rp"], ["net", "db", "rp"]])
    );
    assert_eq!(
        fixture.results("db", "DROP MEASUREMENT cpu").await,
        json!([{"statement_id": 0}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deleted_is_told() {
    let fixture = fixture().await;
    for (statement, error) in [
        (
            "DELETE FROM cpu WHERE v > 1",
            "shard 1: fields not supported in WHERE clause during deletion",
        ),
        (
            "DELETE FROM nosuch.cpu",
            "no dbrp mappings found: db=db, rp=nosuch, please check to make sure db and rp exist",
        ),
        (
            "DELETE FROM cpu WHERE time > 'x'",
            "invalid operation: time and *influxql.StringLiteral are not compatible",
        ),
    ] {
        assert_eq!(fixture.error("db", statement).await, error, "{statement}");
    }
    assert_eq!(fixture.rows("db", "SELECT v FROM cpu").await.len(), 4);
}
