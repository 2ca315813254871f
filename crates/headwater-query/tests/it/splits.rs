//! How data is split across memory, files and partitions does not show in answers.
//!
//! The same points go into a bucket whose one partition stays in memory, and into one with other
//! partitions that is flushed, compacted and restarted between the writes.

use headwater_model::Precision;
use proptest::{collection::vec, prelude::*, sample::select};
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
/// decide which of two points of one time comes first; few series, times and fields, so that many overwrite others. Floats are such that sums
/// do not depend on the order of their addends.
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

/// The shapes that the executors tell apart: rows, folds over windows, everything else. Not
/// `stddev`, whose last bit depends on the order of its values.
fn query() -> impl Strategy<Value = String> {
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
        |(columns, condition, range, group, order, limit)| {
            format!("SELECT {columns} FROM m WHERE {range}{condition} {group} {order} {limit}")
        },
    )
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
            let one = whole.database("db", "rp", true, WEEK_SECONDS).await;
            let other = split.database("db", "rp", true, shard_seconds).await;
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
                match step {
                    Step::Nothing => {}
                    Step::Flush => split.flush().await,
                    Step::Compact { is_full } => split.compact(*is_full).await,
                    Step::Restart => split.restart().await,
                }
            }
            for query in &queries {
                let expected = whole.results("db", query).await;
                assert_eq!(split.results("db", query).await, expected, "{query}");
            }
        });
    }
}
