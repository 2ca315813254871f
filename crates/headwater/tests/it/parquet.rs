//! The data directory is open: other programs read its Parquet files as they are.

use std::{fmt::Write as _, process::Command};

use crate::{python::python, server::Server};

const SCRIPT: &str = "\
import duckdb, sys
files = sys.argv[1] + '/**/*.parquet'
row = duckdb.sql(f'''select count(*), count(distinct host), avg(usage), sum(busy), min(epoch_ms(time)), max(epoch_ms(time))
    from read_parquet('{files}', union_by_name = true) where state is not null''').fetchone()
print(*row)
";

#[test]
fn duckdb_reads_the_data_directory_with_the_right_count_and_mean() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::set_up(dir.path());
    let (hosts, points) = (5i64, 4_000i64);
    let mut lines = String::new();
    let (mut mean, mut sum) = (0.0, 0i64);
    for point in 0..points {
        for host in 0..hosts {
            let usage = (point * 7 + host) % 1000;
            mean += usage as f64 / 8.0;
            sum += point;
            let usage = usage as f64 / 8.0;
            writeln!(
                lines,
                "cpu,host=h{host} usage={usage},busy={point}i,state=\"s{host}\",on=true {point}"
            )
            .expect("writes to a String");
        }
    }
    server.write("s", &lines);
    assert!(
        server.terminate().success(),
        "a clean stop flushes everything to files"
    );
    let output = Command::new(python())
        .args(["-c", SCRIPT])
        .arg(dir.path())
        .output()
        .expect("Python starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect();
    let count = (hosts * points) as f64;
    assert_eq!(numbers[..2], [count, hosts as f64], "{text}");
    assert!((numbers[2] - mean / count).abs() < 1e-9, "{text}");
    assert_eq!(
        numbers[3..],
        [sum as f64, 0.0, (points - 1) as f64 * 1000.0],
        "{text}"
    );
}
