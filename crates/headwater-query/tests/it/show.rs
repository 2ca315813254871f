//! SHOW statements over points in memory and in files.

use headwater_model::Precision;
use serde_json::json;

use crate::fixture::Fixture;

/// Hour-long partitions; `cpu` with three hosts, `mem` whose second series comes two hours later.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let bucket = fixture.database("db", "rp", true, 3_600).await;
    fixture
        .write(
            bucket,
            Precision::Second,
            "cpu,host=a,region=us v=1,n=1i 0\ncpu,host=b,region=eu v=2 60\nmem,host=a used=1i 0",
        )
        .await;
    fixture.flush().await;
    fixture
        .write(
            bucket,
            Precision::Second,
            "cpu,host=c v=3 7200\nmem,host=d,rack=r1 used=2i 7200\nplain f=1.5 7200",
        )
        .await;
    let other = fixture.database("db", "other", false, 3_600).await;
    fixture
        .write(other, Precision::Second, "elsewhere,zone=z q=1 0")
        .await;
    fixture
}

#[tokio::test(flavor = "multi_thread")]
async fn series_are_listed_by_key() {
    let fixture = fixture().await;
    assert_eq!(
        fixture.rows("db", "SHOW SERIES").await,
        [
            "cpu,host=a,region=us",
            "cpu,host=b,region=eu",
            "cpu,host=c",
            "mem,host=a",
            "mem,host=d,rack=r1",
            "plain"
        ]
    );
    assert_eq!(
        fixture
            .rows("db", "SHOW SERIES WHERE host != 'a' LIMIT 2 OFFSET 1")
            .await,
        ["cpu,host=c", "mem,host=d,rack=r1"]
    );
    assert_eq!(
        fixture.rows("db", "SHOW SERIES FROM other.elsewhere").await,
        ["elsewhere,zone=z"]
    );
    // Fields are no reason to leave a series out.
    assert_eq!(
        fixture
            .rows("db", "SHOW SERIES FROM cpu WHERE v = 9 AND host = 'c'")
            .await,
        ["cpu,host=c"]
    );
    assert_eq!(
        fixture.error("db", "SHOW SERIES WHERE host > 'a'").await,
        "invalid tag comparison operator"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_range_means_points_in_it() {
    let fixture = fixture().await;
    let series = |text| fixture.rows("db", text);
    assert_eq!(
        series("SHOW SERIES WHERE time < 60s").await,
        ["cpu,host=a,region=us", "mem,host=a"]
    );
    assert_eq!(
        series("SHOW SERIES WHERE time >= 60s AND host = 'b'").await,
        ["cpu,host=b,region=eu"]
    );
    assert!(
        series("SHOW SERIES WHERE time > 1s AND time < 60s")
            .await
            .is_empty()
    );
    assert_eq!(
        series("SHOW TAG KEYS FROM mem WHERE time < 100s").await,
        ["host"]
    );
    assert_eq!(
        series("SHOW TAG VALUES FROM cpu WITH KEY = host WHERE time >= 60s").await,
        ["host b", "host c"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tag_keys_and_values_are_of_matching_series() {
    let fixture = fixture().await;
    assert_eq!(
        fixture
            .results("db", "SHOW TAG KEYS WHERE host = 'a'")
            .await,
        json!([{"statement_id": 0, "series": [
            {"name": "cpu", "columns": ["tagKey"], "values": [["host"], ["region"]]},
            {"name": "mem", "columns": ["tagKey"], "values": [["host"]]},
        ]}])
    );
    let values = |text| fixture.rows("db", text);
    assert_eq!(
        values("SHOW TAG VALUES FROM cpu WITH KEY IN (region, host) WHERE region != 'us'").await,
        ["host b", "host c", "region eu"]
    );
    assert_eq!(
        values("SHOW TAG VALUES FROM cpu WITH KEY !~ /o/").await,
        Vec::<String>::new()
    );
    assert_eq!(
        values("SHOW TAG VALUES FROM cpu WITH KEY =~ /./ WHERE value =~ /^[ae]/").await,
        ["host a", "region eu"]
    );
    assert_eq!(
        fixture
            .error("db", "SHOW TAG VALUES FROM cpu WITH KEY = host WHERE v > 1")
            .await,
        "expression too complex for metaquery: v > 1"
    );
    assert_eq!(
        fixture.error("db", "SHOW TAG KEYS WHERE host = a").await,
        "bad WHERE clause for metaquery; one term must be a string literal tag value within \
         single quotes: host = a"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn measurements_are_kept_by_sets_of_names() {
    let fixture = fixture().await;
    let names = |text| fixture.rows("db", text);
    assert_eq!(names("SHOW MEASUREMENTS").await, ["cpu", "mem", "plain"]);
    assert_eq!(
        names("SHOW MEASUREMENTS WHERE rack = 'r1' OR region = 'eu'").await,
        ["cpu", "mem"]
    );
    // One with the value is out, and so is one without the key.
    assert_eq!(names("SHOW MEASUREMENTS WHERE rack != 'r2'").await, ["mem"]);
    assert!(
        names("SHOW MEASUREMENTS WHERE host != 'a'")
            .await
            .is_empty()
    );
    assert_eq!(
        names("SHOW MEASUREMENTS WITH MEASUREMENT =~ /m/ LIMIT 1").await,
        ["mem"]
    );
    assert_eq!(
        names("SHOW MEASUREMENTS ON db.*").await,
        [
            "elsewhere db other",
            "cpu db rp",
            "mem db rp",
            "plain db rp"
        ]
    );
    assert!(names("SHOW MEASUREMENTS ON nosuch").await.is_empty());
    assert_eq!(
        fixture.error("db", "SHOW MEASUREMENTS ON *").await,
        "query 'SHOW MEASUREMENTS ON *' not supported. use 'ON *.*' or specify a database"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn field_keys_have_a_row_a_type() {
    let fixture = fixture().await;
    let bucket = fixture.database("mixed", "rp", true, 3_600).await;
    fixture
        .write(bucket, Precision::Second, "m v=1i,s=\"x\" 0")
        .await;
    fixture
        .write(bucket, Precision::Second, "m v=1.5 7200")
        .await;
    assert_eq!(
        fixture.rows("mixed", "SHOW FIELD KEYS").await,
        ["s string", "v float", "v integer"]
    );
    assert_eq!(
        fixture
            .rows("mixed", "SHOW FIELD KEYS LIMIT 1 OFFSET 1")
            .await,
        ["v float"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cardinalities_count_distinct_things_by_measurement_and_group() {
    let fixture = fixture().await;
    let count = |text| fixture.rows("db", text);
    assert_eq!(count("SHOW SERIES EXACT CARDINALITY FROM cpu").await, ["3"]);
    assert_eq!(count("SHOW MEASUREMENT EXACT CARDINALITY").await, ["3"]);
    assert_eq!(
        count("SHOW TAG KEY CARDINALITY FROM mem WHERE host = 'a'").await,
        ["1"]
    );
    assert_eq!(
        count("SHOW TAG VALUES CARDINALITY FROM cpu WITH KEY IN (host, region)").await,
        ["5"]
    );
    assert_eq!(count("SHOW FIELD KEY CARDINALITY FROM cpu").await, ["2"]);
    assert!(
        count("SHOW SERIES CARDINALITY FROM cpu WHERE v > 0")
            .await
            .is_empty()
    );
    assert_eq!(
        fixture
            .results("db", "SHOW SERIES CARDINALITY FROM mem GROUP BY rack")
            .await,
        json!([{"statement_id": 0, "series": [
            {"name": "mem", "tags": {"rack": ""}, "columns": ["count"], "values": [[1]]},
            {"name": "mem", "tags": {"rack": "r1"}, "columns": ["count"], "values": [[1]]},
        ]}])
    );
    // A tag that a series lacks matches nothing here.
    let values = "SHOW TAG VALUES CARDINALITY WITH KEY = host WHERE rack !~ /x/";
    assert_eq!(count(values).await, ["1"]);
    assert_eq!(
        fixture.error("db", "SHOW SERIES CARDINALITY").await,
        "not implemented: SHOW SERIES CARDINALITY"
    );
    assert_eq!(
        fixture
            .error("db", "SHOW FIELD KEY CARDINALITY WHERE time > 0")
            .await,
        "SHOW FIELD KEY CARDINALITY doesn't support time in WHERE clause"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_and_policies_always_have_a_series() {
    let fixture = fixture().await;
    assert_eq!(fixture.rows("", "SHOW DATABASES").await, ["db"]);
    assert_eq!(
        fixture.rows("db", "SHOW RETENTION POLICIES").await,
        ["rp 0s 168h0m0s 1 true", "other 0s 168h0m0s 1 false"]
    );
    let columns = [
        "name",
        "duration",
        "shardGroupDuration",
        "replicaN",
        "default",
    ];
    assert_eq!(
        fixture
            .results("", "SHOW RETENTION POLICIES ON nosuch")
            .await,
        json!([{"statement_id": 0, "series": [{"columns": columns}]}])
    );
    assert_eq!(
        fixture.error("", "SHOW RETENTION POLICIES").await,
        "database name required"
    );
    assert_eq!(
        fixture.error("", "SHOW SERIES").await,
        "database name required"
    );
    assert_eq!(
        fixture.error("nosuch", "SHOW TAG KEYS").await,
        "database not found: nosuch"
    );
    assert_eq!(
        fixture.error("nosuch", "SHOW FIELD KEYS").await,
        "database not found: nosuch"
    );
}
