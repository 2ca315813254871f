//! A bucket as line protocol.

use std::ops::ControlFlow;

use headwater_model::TimeRange;
use headwater_storage::Snapshot;

use crate::fixture::{Fixture, HOUR, everything, tag};

fn export(snapshot: &Snapshot, measurement: Option<&str>, range: TimeRange) -> String {
    let mut text = Vec::new();
    let mut sink = |piece: Vec<u8>| {
        text.extend_from_slice(&piece);
        ControlFlow::Continue(())
    };
    snapshot.export(measurement, range, &mut sink).unwrap();
    String::from_utf8(text).unwrap()
}

/// Every type, two partitions that disagree about one, names to escape, and a row that two writes
/// made.
fn lines() -> Vec<String> {
    vec![
        "m,a=1 f=1.5,s=\"x\\\"y\\\\\" 10".to_owned(),
        "m,a=1 i=-3i 10".to_owned(),
        "m\\ n,a\\ b=c\\,d,e=\\=f v\\ w=7u -5".to_owned(),
        "m b=true,f=-0 20".to_owned(),
        format!("m,a=1 f=2i,b=f {HOUR}"),
    ]
}

fn expected() -> String {
    format!(
        "m b=true,f=-0.0 20\n\
         m,a=1 f=1.5,i=-3i,s=\"x\\\"y\\\\\" 10\n\
         m,a=1 b=false,f=2i {HOUR}\n\
         m\\ n,a\\ b=c\\,d,e=\\=f v\\ w=7u -5\n"
    )
}

#[tokio::test]
async fn every_point_comes_with_its_types_from_wherever_it_is() {
    for flush_after in 0..=lines().len() {
        let fixture = Fixture::new().await;
        for (at, line) in lines().iter().enumerate() {
            if at == flush_after {
                fixture.engine.flush().await.unwrap();
            }
            fixture.write(line).await;
        }
        let text = export(&fixture.snapshot(), None, TimeRange::ALL);
        assert_eq!(text, expected(), "flushed after {flush_after}");
        let before = fixture.content();
        fixture.delete(everything()).await;
        assert_eq!(export(&fixture.snapshot(), None, TimeRange::ALL), "");
        fixture.write(&text).await;
        assert_eq!(fixture.content(), before);
    }
}

#[tokio::test]
async fn a_measurement_and_a_time_range_narrow_it_and_deleted_points_are_gone() {
    let fixture = Fixture::new().await;
    fixture.write(&lines().join("\n")).await;
    fixture.engine.flush().await.unwrap();
    let snapshot = fixture.snapshot();
    assert_eq!(
        export(&snapshot, Some("m n"), TimeRange::ALL),
        "m\\ n,a\\ b=c\\,d,e=\\=f v\\ w=7u -5\n"
    );
    assert_eq!(
        export(&snapshot, None, TimeRange::new(11, HOUR - 1)),
        "m b=true,f=-0.0 20\n"
    );
    assert_eq!(export(&snapshot, Some("none"), TimeRange::ALL), "");
    let mut delete = everything();
    delete.predicate = Some(tag("a", "1"));
    fixture.delete(delete).await;
    assert_eq!(
        export(&fixture.snapshot(), Some("m"), TimeRange::ALL),
        "m b=true,f=-0.0 20\n"
    );
}

#[tokio::test]
async fn a_long_series_comes_in_pieces_until_the_sink_has_enough() {
    let fixture = Fixture::new().await;
    let line = |i: i64| format!("m v={i}i {}\n", i * 1000);
    let text: String = (0..400_000).map(line).collect();
    fixture.write(&text).await;
    fixture.engine.flush().await.unwrap();
    let exported = export(&fixture.snapshot(), None, TimeRange::ALL);
    assert!(exported == text, "{} bytes", exported.len());
    let mut pieces = 0;
    let mut sink = |piece: Vec<u8>| {
        assert!(piece.len() < 8 << 20, "{} bytes at once", piece.len());
        pieces += 1;
        ControlFlow::Break(())
    };
    fixture
        .snapshot()
        .export(None, TimeRange::ALL, &mut sink)
        .unwrap();
    assert_eq!(pieces, 1);
}
