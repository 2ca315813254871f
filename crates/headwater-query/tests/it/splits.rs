//! How data is split across memory, files and partitions does not show in answers.
//!
//! The same points go into a bucket whose one partition stays in memory, and into one with other
//! partitions that is flushed, compacted and restarted between the writes. Where partitions are the
//! reference's shards and do show, one that stays in memory and has them is what it is compared to.

use headwater_model::Precision;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value as Json, json};
use tokio::runtime::Builder;

use crate::fixture::Fixture;

/// All points are within a week, so that a shard group of a week is one piece.
const WEEK_SECONDS: i64 = 7 * 24 * 3600;

const SERIES: [&str; 5] = [
    "m,host=a,region=eu",
    "m,host=b,region=us",
    "m,host=b",
    "m,host=c",
    "m",
];

/// What is done with the split bucket after a write.
#[derive(Debug, Clone, Copy)]
enum Step {
    Nothing,
    Flush,
    Compact { is_full: bool },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Nothing),
        4 => Just(Step::Flush),
        2 => any::<bool>().prop_map(|is_full| Step::Compact { is_full }),
        1 => Just(Step::Restart),
    ]
}

/// A line, of which no two series have the same time, because in the reference it is the shards that
/// decide which of two points of one time comes first; few series, times and fields, so that many
/// overwrite others. Floats are such that sums do not depend on the order of their addends.
fn line() -> impl Strategy<Value = String> {
    let field = (0u8..4, -8i64..8).prop_map(|(field, value)| match field {
        0 => format!("f={}", value as f64 / 2.0),
        1 => format!("i={value}i"),
        2 => format!("s=\"x{value}\""),
        _ => format!("b={}", value % 2 == 0),
    });
    (0..SERIES.len(), vec(field, 1..4), 0i64..4, 0i64..10).prop_map(
        |(series, fields, hour, step)| {
            let time = hour * 3600 + step * 301 + series as i64;
            format!("{} {} {time}", SERIES[series], fields.join(","))
        },
    )
}

fn text(choices: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    select(choices.to_vec())
}

/// A query, and whether its answer may depend on the partitions: `top` and `bottom` with LIMIT or
/// OFFSET choose among the first so many points of each (`spec/influxql/functions.md`).
#[derive(Debug, Clone)]
struct Query {
    text: String,
    is_cut_by_partition: bool,
}

/// The shapes that the executors tell apart: rows, folds over windows, everything else. Not
/// `stddev`, whose last bit depends on the order of its values.
fn query() -> impl Strategy<Value = Query> {
    let columns = text(&[
        "f",
        "f, i",
        "*",
        "s, host",
        "f + i",
        "f, b, s",
        "count(f), sum(i)",
        "mean(f)",
        "max(i)",
        "min(f), host",
        "first(s)",
        "last(b)",
        "last(f), i",
        "count(*)",
        "first(*)",
        "spread(i)",
        "median(f)",
        "percentile(f, 50)",
        "mode(i)",
        "distinct(i)",
        "derivative(f, 1m)",
        "difference(mean(f))",
        "cumulative_sum(sum(i))",
        "integral(f)",
        "elapsed(i, 1s)",
        "moving_average(f, 2)",
        "count(distinct(s))",
        "top(i, 2)",
        "bottom(i, 2)",
        "top(f, host, 2)",
    ]);
    let condition = text(&[
        "",
        " AND host = 'a'",
        " AND f > 1",
        " AND region = ''",
        " AND i < 5 AND host != 'b'",
        " AND s = 'x2' OR f <= 1",
        " AND host =~ /a|c/",
        " AND b = true",
    ]);
    let range = text(&[
        "time >= 0 AND time < 4h",
        "time > 30m AND time <= 90m",
        "time >= 1h AND time < 3h",
        "time >= 301s AND time < 302s",
    ]);
    let group = text(&[
        "",
        "GROUP BY host",
        "GROUP BY *",
        "GROUP BY time(10m)",
        "GROUP BY time(7m), host",
        "GROUP BY time(1h, 13m), region",
        "GROUP BY time(10m), host fill(none)",
        "GROUP BY time(20m) fill(previous)",
        "GROUP BY time(20m), host fill(linear)",
        "GROUP BY time(1h) fill(0)",
    ]);
    let order = text(&["", "ORDER BY time DESC"]);
    let limit = text(&[
        "",
        "LIMIT 3",
        "LIMIT 2 OFFSET 1",
        "SLIMIT 1 SOFFSET 1",
        "LIMIT 1 SLIMIT 2",
    ]);
    (columns, condition, range, group, order, limit).prop_map(
        |(columns, condition, range, group, order, limit)| Query {
            text: format!(
                "SELECT {columns} FROM m WHERE {range}{condition} {group} {order} {limit}"
            ),
            is_cut_by_partition: ["top(i, 2)", "bottom(i, 2)"].contains(&columns)
                && limit.starts_with("LIMIT"),
        },
    )
}

/// The times of `top` and `bottom` where all values are equal, so that the earliest of the points
/// that they see win.
async fn times_of_ties(shard_seconds: i64, query: &str) -> Vec<Json> {
    let fixture = Fixture::new().await;
    let bucket = fixture.database("db", "rp", true, shard_seconds).await;
    let times = (0..4).flat_map(|hour| (0..5).map(move |step| hour * 3600 + step * 301 + 4));
    let lines: Vec<_> = times.map(|time| format!("m i=0i {time}")).collect();
    let lines = lines.join("\n");
    fixture.write(bucket, Precision::Second, &lines).await;
    let results = fixture.results("db", query).await;
    let rows = results[0]["series"][0]["values"].as_array().unwrap();
    rows.iter().map(|row| row[0].clone()).collect()
}

#[tokio::test]
async fn the_limit_of_a_top_cuts_the_points_of_each_partition() {
    let time = "WHERE time >= 0 AND time < 4h";
    let cut_back = format!("SELECT top(i, 2) FROM m {time} ORDER BY time DESC LIMIT 2 OFFSET 1");
    let cut_front = format!("SELECT bottom(i, 2) FROM m {time} LIMIT 2");
    let uncut = format!("SELECT top(i, 2) FROM m {time} ORDER BY time DESC");
    for (query, shard_seconds, expected) in [
        (&cut_back, WEEK_SECONDS, json!([11105])),
        (&cut_back, 3600, json!([305])),
        (&cut_front, WEEK_SECONDS, json!([4, 305])),
        (&cut_front, 3600, json!([4, 305])),
        (&uncut, WEEK_SECONDS, json!([305, 4])),
        (&uncut, 3600, json!([305, 4])),
    ] {
        let times = times_of_ties(shard_seconds, query).await;
        assert_eq!(json!(times), expected, "{shard_seconds}: {query}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 30, ..ProptestConfig::default() })]

    #[test]
    fn a_split_does_not_show_in_answers(
        batches in vec((vec(line(), 1..25), step()), 1..8),
        shard_seconds in select(vec![3600, 2 * 3600, 24 * 3600]),
        queries in vec(query(), 40),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (whole, mut split) = (Fixture::new().await, Fixture::new().await);
            let in_memory = Fixture::new().await;
            let one = whole.database("db", "rp", true, WEEK_SECONDS).await;
            let other = split.database("db", "rp", true, shard_seconds).await;
            let like_other = in_memory.database("db", "rp", true, shard_seconds).await;
            // Wildcards and SLIMIT count the columns and the series of the partitions that a query
            // meets: all have all.
            let all = (0..4).flat_map(|hour| {
                let lines = SERIES.iter().enumerate();
                lines.map(move |(at, series)| {
                    let time = hour * 3600 + at as i64;
                    format!("{series} f=0,i=0i,s=\"x\",b=true {time}")
                })
            });
            let first = (all.collect(), Step::Flush);
            for (lines, step) in std::iter::once(&first).chain(&batches) {
                let lines = lines.join("\n");
                whole.write(one, Precision::Second, &lines).await;
                split.write(other, Precision::Second, &lines).await;
                in_memory.write(like_other, Precision::Second, &lines).await;
                match step {
                    Step::Nothing => {}
                    Step::Flush => split.flush().await,
                    Step::Compact { is_full } => split.compact(*is_full).await,
                    Step::Restart => split.restart().await,
                }
            }
            for Query { text, is_cut_by_partition } in &queries {
                let model = if *is_cut_by_partition { &in_memory } else { &whole };
                let expected = model.results("db", text).await;
                assert_eq!(split.results("db", text).await, expected, "{text}");
            }
        });
    }
}
