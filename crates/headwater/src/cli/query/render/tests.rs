//! What a person, or a program, gets to read.

use super::{super::answer::Reader, *};

/// An answer of two pieces of one series, and another series.
const ANSWER: &str = r#"{"results":[{"statement_id":0,"series":[{"name":"cpu","tags":{"host":"a","zone":"é"},"columns":["time","usage","note"],"values":[[1,0.5,"x,\"y\""]],"partial":true}],"partial":true}]}
{"results":[{"statement_id":0,"series":[{"name":"cpu","tags":{"host":"a","zone":"é"},"columns":["time","usage","note"],"values":[[10,-1e+300,null],[11,2,"two\nlines"]]}]}]}
{"results":[{"statement_id":1,"series":[{"columns":["name"],"values":[["數據"],["db"]]}]}]}
"#;

fn render(format: Format, answer: &str) -> String {
    let mut out = Vec::new();
    let mut renderer = Renderer::new(format);
    let mut reader = Reader::new(answer.as_bytes());
    while let Some(chunk) = reader.next().unwrap() {
        for series in chunk.results.iter().flat_map(|result| &result.series) {
            renderer.print(series, &mut out).unwrap();
        }
    }
    renderer.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_has_borders_and_numbers_to_the_right() {
    let expected = "\
name: cpu
tags: host=a, zone=é
+------+-------+-------+
| time | usage | note  |
+------+-------+-------+
|    1 |   0.5 | x,\"y\" |
|   10 | -1e+300 |       |
|   11 |     2 | two\\nlines |
+------+-------+-------+
+------+
| name |
+------+
| 數據 |
| db   |
+------+
";
    assert_eq!(render(Format::Table, ANSWER), expected);
}

#[test]
fn columns_are_what_the_influx_shell_prints() {
    let expected = "\
name: cpu
tags: host=a, zone=é
time usage note
---- ----- ----
1    0.5   x,\"y\"
10   -1e+300 
11   2     two\\nlines

name
----
數據
db

";
    assert_eq!(render(Format::Column, ANSWER), expected);
}

#[test]
fn csv_has_a_header_for_each_set_of_columns() {
    let expected = "\
name,tags,time,usage,note
cpu,\"host=a,zone=é\",1,0.5,\"x,\"\"y\"\"\"
cpu,\"host=a,zone=é\",10,-1e+300,
cpu,\"host=a,zone=é\",11,2,\"two
lines\"

name,tags,name
,,數據
,,db
";
    assert_eq!(render(Format::Csv, ANSWER), expected);
}
