//! The rows of `spec/seeds_checklist.md`, one test each, named by the row's number: what the 1.x
//! compatibility pages of InfluxDB promise, asked of the real binary over a socket. Each compares
//! whole answers.

mod auth;
mod dbrp;
mod fixture;
mod general;
mod influxql;
mod line_protocol;
mod query;
mod write;

/// How many rows the checklist has.
const ROWS: usize = 111;

#[test]
fn every_row_of_the_checklist_has_exactly_one_test() {
    let sources = [
        include_str!("seeds/auth.rs"),
        include_str!("seeds/dbrp.rs"),
        include_str!("seeds/general.rs"),
        include_str!("seeds/influxql.rs"),
        include_str!("seeds/line_protocol.rs"),
        include_str!("seeds/query.rs"),
        include_str!("seeds/write.rs"),
    ];
    let mut rows: Vec<usize> = sources
        .iter()
        .flat_map(|source| source.split("#[test]\nfn seed_").skip(1))
        .map(|rest| rest[..3].parse().expect("three digits after `seed_`"))
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, (1..=ROWS).collect::<Vec<_>>());
}
