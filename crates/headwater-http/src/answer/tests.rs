use std::io::Read;

use flate2::read::GzDecoder;
use headwater_query::series::{Column, Series};
use tokio::sync::mpsc;

use super::*;
use crate::encode::Format;

fn options(chunked: bool) -> Options {
    Options {
        format: Format::Json,
        chunked,
        pretty: false,
        epoch: Some(headwater_model::Precision::Nanosecond),
        gathered_cells_max: 1000,
    }
}

fn rows(from: i64, count: i64, last: bool) -> ResultPiece {
    let times: Vec<i64> = (from..from + count).collect();
    let series = Series {
        name: Some("m".into()),
        columns: ["time", "v"].map(Into::into).into_iter().collect(),
        values: vec![
            Column::Time(times.clone()),
            Column::Integer {
                values: times,
                valid: None,
            },
        ],
        partial: !last,
        ..Series::default()
    };
    ResultPiece {
        series: vec![series],
        partial: !last,
        ..ResultPiece::default()
    }
}

async fn answer(pieces: Vec<ResultPiece>, options: Options, gzip: bool) -> (Response, usize) {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for piece in pieces {
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    let response = respond(receiver, options, gzip, 1000).await;
    (response, 1 << 24)
}

async fn text(answer: (Response, usize)) -> String {
    let (response, limit) = answer;
    let packed = response.headers().get("content-encoding").is_some();
    let bytes = axum::body::to_bytes(response.into_body(), limit)
        .await
        .unwrap();
    if !packed {
        return String::from_utf8(bytes.to_vec()).unwrap();
    }
    let mut text = String::new();
    GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn pieces() -> Vec<ResultPiece> {
    (0..40).map(|at| rows(at * 1000, 1000, at == 39)).collect()
}

#[tokio::test]
async fn a_streamed_answer_equals_a_gathered_one() {
    let whole = text(answer(vec![rows(0, 40_000, true)], options(false), false).await).await;
    assert!(whole.len() > 4 * FRAME_BYTES);
    for gzip in [false, true] {
        assert_eq!(
            text(answer(pieces(), options(false), gzip).await).await,
            whole
        );
    }
}

#[tokio::test]
async fn chunks_are_lines_packed_or_not() {
    let plain = text(answer(pieces(), options(true), false).await).await;
    assert_eq!(plain.lines().count(), 40);
    assert_eq!(
        text(answer(pieces(), options(true), true).await).await,
        plain
    );
}

#[tokio::test]
async fn small_answers_are_packed_and_empty_ones_are_not() {
    let (response, _) = answer(vec![rows(0, 1, true)], options(false), true).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["content-type"], "application/json");
    let (response, _) = answer(vec![], options(true), true).await;
    assert!(response.headers().get("content-encoding").is_none());
}

#[tokio::test]
async fn dropping_the_answer_drops_the_receiver() {
    let (sender, receiver) = mpsc::channel(1);
    sender.send(rows(0, 1000, false)).await.unwrap();
    let response = respond(receiver, options(false), false, 10).await;
    drop(response);
    assert!(sender.send(rows(0, 1, true)).await.is_err());
}

#[test]
fn gzip_is_taken_from_the_list_of_codings() {
    let accepts = |value: &str| {
        accepts_gzip(&HeaderMap::from_iter([(
            header::ACCEPT_ENCODING,
            value.parse().unwrap(),
        )]))
    };
    assert!(accepts("gzip, deflate"));
    assert!(accepts("br;q=1.0, GZIP;q=0.5"));
    assert!(accepts("*"));
    assert!(!accepts("gzip;q=0"));
    assert!(!accepts("deflate, identity"));
    assert!(!accepts_gzip(&HeaderMap::new()));
}
