use std::sync::Arc;

use headwater_model::{Precision, Value};
use headwater_query::series::{Column, Message, Series};

use super::*;

fn options(format: Format) -> Options {
    Options {
        format,
        chunked: false,
        pretty: false,
        epoch: None,
        gathered_cells_max: 1000,
    }
}

fn names(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn rows(name: &str, tags: &[(&str, &str)], values: Vec<Column>, columns: &[&str]) -> Series {
    Series {
        name: Some(name.into()),
        tags: (!tags.is_empty()).then(|| {
            tags.iter()
                .map(|(key, value)| ((*key).into(), (*value).into()))
                .collect()
        }),
        columns: names(columns),
        values,
        partial: false,
        timezone: None,
    }
}

fn floats(times: &[i64], values: &[f64]) -> Vec<Column> {
    vec![
        Column::Time(times.to_vec()),
        Column::Float {
            values: values.to_vec(),
            valid: None,
        },
    ]
}

fn cpu(times: &[i64], values: &[f64]) -> Series {
    rows(
        "cpu",
        &[("host", "a")],
        floats(times, values),
        &["time", "v"],
    )
}

fn piece(statement_id: i64, series: Vec<Series>) -> ResultPiece {
    ResultPiece {
        statement_id,
        series,
        ..ResultPiece::default()
    }
}

fn failed(statement_id: i64, error: &str) -> ResultPiece {
    ResultPiece {
        statement_id,
        error: Some(error.to_owned()),
        ..ResultPiece::default()
    }
}

/// Encodes with a flush after the pieces whose number is in `flush_after`.
fn encode(options: Options, pieces: Vec<ResultPiece>, flush_after: &[usize]) -> Vec<u8> {
    let mut encoder = Encoder::new(options);
    let mut sent = Vec::new();
    let mut out = Vec::new();
    for (at, piece) in pieces.into_iter().enumerate() {
        if encoder.write(piece, &mut out) == Next::Nothing {
            break;
        }
        if flush_after.contains(&at) {
            encoder.flush(&mut out);
            sent.append(&mut out);
        }
    }
    encoder.finish(&mut out);
    sent.append(&mut out);
    sent
}

#[track_caller]
fn check(options: Options, pieces: Vec<ResultPiece>, expected: &str) {
    let whole = encode(options, pieces, &[]);
    assert_eq!(String::from_utf8(whole).unwrap(), expected);
}

fn every_type() -> Series {
    let valid = Some(vec![true, false]);
    rows(
        "m",
        &[],
        vec![
            Column::Time(vec![0, -1_500_000_000]),
            Column::Float {
                values: vec![1.5, 0.0],
                valid: valid.clone(),
            },
            Column::Integer {
                values: vec![-2, 0],
                valid: valid.clone(),
            },
            Column::Unsigned {
                values: vec![u64::MAX, 0],
                valid: valid.clone(),
            },
            Column::Boolean {
                values: vec![true, false],
                valid,
            },
            Column::String(vec![Some("a,\"<".into()), None]),
            Column::Constant {
                value: Some(Value::String("c".into())),
                len: 2,
            },
            Column::Mixed(vec![Some(Value::Integer(7)), Some(Value::Float(1e21))]),
        ],
        &["time", "f", "i", "u", "b", "s", "c", "m"],
    )
}

#[test]
fn json_prints_every_type_and_null() {
    let columns = r#""columns":["time","f","i","u","b","s","c","m"]"#;
    check(
        options(Format::Json),
        vec![piece(0, vec![every_type()])],
        &format!(
            r#"{{"results":[{{"statement_id":0,"series":[{{"name":"m",{columns},"values":[["1970-01-01T00:00:00Z",1.5,-2,18446744073709551615,true,"a,\"\u003c","c",7],["1969-12-31T23:59:58.5Z",null,null,null,null,null,"c",1e+21]]}}]}}]}}
"#
        ),
    );
    let seconds = Options {
        epoch: Some(Precision::Second),
        ..options(Format::Json)
    };
    check(
        seconds,
        vec![piece(0, vec![cpu(&[-1_500_000_000], &[1.0])])],
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"cpu\",\"tags\":{\"host\":\"a\"},\
         \"columns\":[\"time\",\"v\"],\"values\":[[-1,1]]}]}]}\n",
    );
}

#[test]
fn json_omits_what_is_empty() {
    check(options(Format::Json), vec![], "{}\n");
    check(
        options(Format::Json),
        vec![piece(0, vec![])],
        "{\"results\":[{\"statement_id\":0}]}\n",
    );
    let nameless = Series {
        columns: names(&["name"]),
        ..Series::default()
    };
    check(
        options(Format::Json),
        vec![piece(2, vec![nameless])],
        "{\"results\":[{\"statement_id\":2,\"series\":[{\"columns\":[\"name\"]}]}]}\n",
    );
}

#[test]
fn consecutive_pieces_of_a_series_are_merged() {
    let partial = |series: Series| ResultPiece {
        partial: true,
        ..piece(
            0,
            vec![Series {
                partial: true,
                ..series
            }],
        )
    };
    let pieces = || {
        vec![
            partial(cpu(&[0], &[1.0])),
            partial(cpu(&[1], &[2.0])),
            piece(
                0,
                vec![
                    cpu(&[2], &[3.0]),
                    rows("disk", &[], floats(&[0], &[9.0]), &["time", "v"]),
                ],
            ),
            piece(1, vec![cpu(&[0], &[4.0])]),
        ]
    };
    let expected = concat!(
        r#"{"results":[{"statement_id":0,"series":[{"name":"cpu","tags":{"host":"a"},"#,
        r#""columns":["time","v"],"values":[["1970-01-01T00:00:00Z",1],"#,
        r#"["1970-01-01T00:00:00.000000001Z",2],["1970-01-01T00:00:00.000000002Z",3]]},"#,
        r#"{"name":"disk","columns":["time","v"],"values":[["1970-01-01T00:00:00Z",9]]}]},"#,
        r#"{"statement_id":1,"series":[{"name":"cpu","tags":{"host":"a"},"#,
        r#""columns":["time","v"],"values":[["1970-01-01T00:00:00Z",4]]}]}]}"#,
        "\n"
    );
    check(options(Format::Json), pieces(), expected);
    for flush_after in [vec![0], vec![0, 1, 2, 3], vec![2]] {
        let flushed = encode(options(Format::Json), pieces(), &flush_after);
        assert_eq!(String::from_utf8(flushed).unwrap(), expected);
    }
}

#[test]
fn an_error_voids_what_its_statement_gave() {
    let pieces = || {
        vec![
            piece(0, vec![cpu(&[0], &[1.0])]),
            ResultPiece {
                partial: true,
                ..piece(1, vec![cpu(&[0], &[2.0])])
            },
            failed(1, "gone"),
            failed(2, "not executed"),
        ]
    };
    let first = concat!(
        r#"{"statement_id":0,"series":[{"name":"cpu","tags":{"host":"a"},"#,
        r#""columns":["time","v"],"values":[["1970-01-01T00:00:00Z",1]]}]}"#
    );
    check(
        options(Format::Json),
        pieces(),
        &format!(
            "{{\"results\":[{first},{{\"statement_id\":1,\"error\":\"gone\"}},\
             {{\"statement_id\":2,\"error\":\"not executed\"}}]}}\n"
        ),
    );
    let flushed = String::from_utf8(encode(options(Format::Json), pieces(), &[1])).unwrap();
    assert_eq!(
        flushed,
        format!(
            "{{\"results\":[{first},{{\"statement_id\":1,\"series\":[{{\"name\":\"cpu\",\"tags\":\
             {{\"host\":\"a\"}},\"columns\":[\"time\",\"v\"],\"values\":\
             [[\"1970-01-01T00:00:00Z\",2]]}}],\"error\":\"gone\"}},\
             {{\"statement_id\":2,\"error\":\"not executed\"}}]}}\n"
        )
    );
    check(
        options(Format::TextCsv),
        pieces(),
        "name,tags,time,v\ncpu,host=a,0,1\n",
    );
}

#[test]
fn an_infinity_replaces_the_whole_json_answer() {
    let pieces = || {
        vec![
            piece(0, vec![cpu(&[0], &[1.0])]),
            piece(1, vec![cpu(&[0], &[f64::NEG_INFINITY])]),
        ]
    };
    let expected =
        "{\"results\":[{\"statement_id\":0,\"error\":\"json: unsupported value: -Inf\"}]}\n";
    check(options(Format::Json), pieces(), expected);
    let flushed = String::from_utf8(encode(options(Format::Json), pieces(), &[0])).unwrap();
    assert!(
        flushed.ends_with("\"error\":\"json: unsupported value: -Inf\"}]}\n"),
        "{flushed}"
    );
    assert!(serde_json::from_str::<serde_json::Value>(&flushed).is_ok());
    let chunked = Options {
        chunked: true,
        ..options(Format::Json)
    };
    check(
        chunked,
        vec![piece(0, vec![cpu(&[0], &[f64::INFINITY])])],
        &expected.replace('-', "+"),
    );
    check(
        options(Format::TextCsv),
        pieces().split_off(1),
        "name,tags,time,v\ncpu,host=a,0,-Inf\n",
    );
    check(
        options(Format::Json),
        vec![piece(0, vec![cpu(&[0], &[f64::NAN])])],
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"cpu\",\"tags\":{\"host\":\"a\"},\
         \"columns\":[\"time\",\"v\"],\"values\":[[\"1970-01-01T00:00:00Z\",null]]}]}]}\n",
    );
}

#[test]
fn a_chunk_is_a_document_with_its_partial_flags() {
    let chunked = Options {
        chunked: true,
        epoch: Some(Precision::Nanosecond),
        ..options(Format::Json)
    };
    check(
        chunked,
        vec![
            ResultPiece {
                partial: true,
                ..piece(
                    0,
                    vec![Series {
                        partial: true,
                        ..cpu(&[1], &[1.0])
                    }],
                )
            },
            piece(0, vec![cpu(&[2], &[2.0])]),
            failed(1, "database not found: nope"),
        ],
        concat!(
            r#"{"results":[{"statement_id":0,"series":[{"name":"cpu","tags":{"host":"a"},"#,
            r#""columns":["time","v"],"values":[[1,1]],"partial":true}],"partial":true}]}"#,
            "\n",
            r#"{"results":[{"statement_id":0,"series":[{"name":"cpu","tags":{"host":"a"},"#,
            r#""columns":["time","v"],"values":[[2,2]]}]}]}"#,
            "\n",
            r#"{"results":[{"statement_id":1,"error":"database not found: nope"}]}"#,
            "\n"
        ),
    );
    check(chunked, vec![], "");
}

#[test]
fn pretty_json_is_indented_by_four_spaces() {
    let pretty = Options {
        pretty: true,
        ..options(Format::Json)
    };
    let message = Message {
        level: "warning",
        text: "old".to_owned(),
    };
    check(
        pretty,
        vec![ResultPiece {
            messages: vec![message],
            ..piece(0, vec![])
        }],
        "{\n    \"results\": [\n        {\n            \"statement_id\": 0,\n            \
         \"messages\": [\n                {\n                    \"level\": \"warning\",\n        \
         \x20           \"text\": \"old\"\n                }\n            ]\n        }\n    ]\n}\n",
    );
}

#[test]
fn csv_prints_a_header_where_statement_or_columns_change() {
    check(
        options(Format::TextCsv),
        vec![
            piece(
                0,
                vec![
                    cpu(&[1], &[1.0]),
                    rows(
                        "x",
                        &[("a", "1"), ("b", "2")],
                        floats(&[2], &[1e21]),
                        &["time", "v"],
                    ),
                ],
            ),
            piece(1, vec![]),
            piece(2, vec![cpu(&[3], &[0.00001]), every_type()]),
        ],
        "name,tags,time,v\ncpu,host=a,1,1\nx,\"a=1,b=2\",2,1000000000000000000000\n\n\
         name,tags,time,v\ncpu,host=a,3,0.00001\n\nname,tags,time,f,i,u,b,s,c,m\n\
         m,,0,1.5,-2,18446744073709551615,true,\"a,\"\"<\",c,7\n\
         m,,-1500000000,,,,,,c,1000000000000000000000\n",
    );
    check(options(Format::TextCsv), vec![failed(0, "no")], "");
}

#[test]
fn csv_escapes_tags_and_leaves_absent_ones_out() {
    let of = |tags| rows("x", tags, floats(&[1], &[1.0]), &["time", "v"]);
    check(
        options(Format::TextCsv),
        vec![piece(
            0,
            vec![
                of(&[("a", ""), ("b", "")]),
                of(&[("a", ""), ("b c", "d,e=f\\")]),
            ],
        )],
        "name,tags,time,v\nx,,1,1\nx,\"b\\ c=d\\,e\\=f\\\",1,1\n",
    );
}

#[test]
fn msgpack_states_counts_and_smallest_forms() {
    let bytes = encode(
        options(Format::MessagePack),
        vec![piece(0, vec![every_type()])],
        &[],
    );
    let mut expected =
        b"\x81\xa7results\x91\x82\xacstatement_id\x00\xa6series\x91\x83\xa4name\xa1m\
        \xa7columns\x98\xa4time\xa1f\xa1i\xa1u\xa1b\xa1s\xa1c\xa1m\xa6values\x92\x98"
            .to_vec();
    expected.extend_from_slice(b"\xc7\x0c\x05\0\0\0\0\0\0\0\0\0\0\0\0");
    expected.extend_from_slice(b"\xcb\x3f\xf8\0\0\0\0\0\0\xfe\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    expected.extend_from_slice(b"\xc3\xa4a,\"<\xa1c\x07\x98");
    expected.extend_from_slice(b"\xc7\x0c\x05\xff\xff\xff\xff\xff\xff\xff\xfe\x1d\xcd\x65\x00");
    expected.extend_from_slice(b"\xc0\xc0\xc0\xc0\xc0\xa1c\xcb\x44\x4b\x1a\xe4\xd6\xe2\xef\x50");
    assert_eq!(bytes, expected);
}

#[test]
fn msgpack_merges_parts_and_names_errors_without_an_id() {
    let epoch = Options {
        epoch: Some(Precision::Nanosecond),
        ..options(Format::MessagePack)
    };
    let pieces = vec![
        ResultPiece {
            partial: true,
            ..piece(
                0,
                vec![Series {
                    partial: true,
                    ..cpu(&[200], &[1.0])
                }],
            )
        },
        piece(0, vec![cpu(&[-200], &[2.0])]),
        failed(1, "no"),
    ];
    let bytes = encode(epoch, pieces, &[]);
    let mut expected =
        b"\x81\xa7results\x92\x82\xacstatement_id\x00\xa6series\x91\x84\xa4name\xa3cpu\
        \xa4tags\x81\xa4host\xa1a\xa7columns\x92\xa4time\xa1v\xa6values\x92"
            .to_vec();
    expected.extend_from_slice(b"\x92\xd1\x00\xc8\xcb\x3f\xf0\0\0\0\0\0\0");
    expected.extend_from_slice(b"\x92\xd1\xff\x38\xcb\x40\x00\0\0\0\0\0\0");
    expected.extend_from_slice(b"\x81\xa5error\xa2no");
    assert_eq!(bytes, expected);
}

#[test]
fn msgpack_refuses_to_gather_without_bound() {
    let small = Options {
        gathered_cells_max: 3,
        ..options(Format::MessagePack)
    };
    let bytes = encode(small, vec![piece(0, vec![cpu(&[1, 2], &[1.0, 2.0])])], &[]);
    assert!(bytes.starts_with(b"\x81\xa7results\x91\x81\xa5error"));
}

#[test]
fn repeated_texts_print_as_strings_do() {
    let numbers = [1, Column::NO_TEXT, 0, 1];
    let texts: Vec<Arc<str>> = vec!["a,\"b".into(), "c".into()];
    let text = |number: &u32| texts.get(*number as usize).cloned();
    let answer = |format, column| {
        let values = vec![Column::Time(vec![0, 1, 2, 3]), column];
        let series = rows("cpu", &[], values, &["time", "t"]);
        encode(options(format), vec![piece(0, vec![series])], &[])
    };
    for format in [Format::Json, Format::TextCsv, Format::MessagePack] {
        let repeated = Column::Repeated {
            texts: texts.clone(),
            numbers: numbers.to_vec(),
        };
        let strings = Column::String(numbers.iter().map(text).collect());
        assert_eq!(
            answer(format, repeated),
            answer(format, strings),
            "{format:?}"
        );
    }
}
