//! EXPLAIN and EXPLAIN ANALYZE of points in files and in the memtable.

use std::fmt::Write as _;

use headwater_model::Precision;

use crate::fixture::Fixture;

const WEEK: i64 = 7 * 24 * 3600;

/// Three weeks: of the first two a file each, of the third the memtable alone.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let bucket = fixture.database("db", "rp", true, WEEK).await;
    for week in 0..3 {
        let mut lines = String::new();
        for row in 0..10 {
            let time = week * WEEK + row;
            writeln!(
                lines,
                "cpu,host=a v={row},n={row}i {time}\ncpu,host=b v={row} {time}"
            )
            .unwrap();
        }
        fixture.write(bucket, Precision::Second, &lines).await;
        if week < 2 {
            fixture.flush().await;
        }
    }
    fixture
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_counts_files_column_chunks_and_cached_values() {
    let fixture = fixture().await;
    let lines = fixture
        .rows("db", "EXPLAIN SELECT max(v), n FROM cpu WHERE host = 'a'")
        .await;
    assert_eq!(
        lines[..7],
        [
            "EXPRESSION: max(v::float)",
            "AUXILIARY FIELDS: n::integer",
            "NUMBER OF SHARDS: 3",
            "NUMBER OF SERIES: 3",
            "CACHED VALUES: 20",
            "NUMBER OF FILES: 2",
            // Of the time and of two fields.
            "NUMBER OF BLOCKS: 6",
        ]
    );
    let bytes: u64 = lines[7]
        .strip_prefix("SIZE OF BLOCKS: ")
        .unwrap()
        .parse()
        .unwrap();
    assert!(bytes > 0);
    assert_eq!(lines.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_analyze_runs_the_statement_and_tells_what_it_touched() {
    let fixture = fixture().await;
    let text = "EXPLAIN ANALYZE SELECT mean(v) FROM cpu WHERE n > 2 AND time < 11d GROUP BY time(1w) fill(none)";
    let lines = fixture.rows("db", text).await;
    // The clock of a test stands still, and bytes are whatever they are.
    let figure = |name: &str| {
        let line = lines.iter().find(|line| line.contains(name)).expect(name);
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let (memory, decoded, bytes) = (
        figure("memory_bytes:"),
        figure("bytes_decoded:"),
        figure("── bytes:"),
    );
    assert!(memory > 0 && decoded > 0 && bytes > 0);
    let expected = format!(
        ".
└── select
    ├── execution_time: 0s
    ├── planning_time: 0s
    ├── total_time: 0s
    ├── output_series: 1
    ├── output_rows: 2
    ├── memory_bytes: {memory}
    ├── rows_read: 40
    ├── bytes_decoded: {decoded}
    ├── operators
    │   ├── select_series: 0s
    │   ├── scan: 0s
    │   ├── filter: 0s
    │   ├── aggregate: 0s
    │   ├── transform: 0s
    │   ├── fill: 0s
    │   └── rows: 0s
    └── access
        ├── expression: mean(v::float)
        ├── partitions: 2
        ├── series: 4
        ├── files: 2 of 2, 0 pruned
        ├── row_groups: 2 of 2, 0 pruned
        ├── column_chunks: 6
        ├── bytes: {bytes}
        ├── file_rows: 40
        └── memtable_rows: 0"
    );
    assert_eq!(lines.join("\n"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_rows_of_the_series_are_pruned() {
    let fixture = fixture().await;
    let of = |condition: &str| format!("EXPLAIN ANALYZE SELECT v FROM cpu WHERE {condition}");
    let files = |lines: Vec<String>| {
        let is_files = |line: &String| line.contains("files: ");
        lines.into_iter().find(is_files).unwrap()
    };
    let all = files(fixture.rows("db", &of("time < 14d")).await);
    assert!(all.ends_with("files: 2 of 2, 0 pruned"), "{all}");
    let none = files(fixture.rows("db", &of("time < 14d AND host = 'c'")).await);
    assert!(none.ends_with("files: 0 of 2, 2 pruned"), "{none}");
    // The rows of the first file end before, though its partition does not.
    let late = files(fixture.rows("db", &of("time > 1d AND time < 14d")).await);
    assert!(late.ends_with("files: 1 of 2, 1 pruned"), "{late}");
}
