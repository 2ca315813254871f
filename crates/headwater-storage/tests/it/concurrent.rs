//! Readers beside writers, flushes and compactions.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use headwater_storage::{Engine, Snapshot, WriteTarget};

use crate::fixture::{self, Fixture, HOUR};

const BATCHES: i64 = 300;

/// Each batch has one point of `m` and one of `n`, in different partitions. Answers the numbers of
/// the batches, and fails if one is there in part.
fn batches(snapshot: &Snapshot) -> Vec<i64> {
    let (mut m, mut n) = (Vec::new(), Vec::new());
    for ((series, time, _), value) in fixture::content(snapshot) {
        if series == "m" {
            assert_eq!(value, format!("{time}i"));
            m.push(time);
        } else {
            n.push(time - HOUR);
        }
    }
    assert_eq!(m, n, "a batch is visible in part");
    m
}

async fn write_all(engine: Engine, target: WriteTarget, acknowledged: Arc<AtomicI64>) {
    for i in 1..=BATCHES {
        let lines = format!("m v={i}i {i}\nn v={i}i {}", HOUR + i);
        fixture::write(&engine, target, &lines).await.unwrap();
        acknowledged.store(i, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_each_acknowledged_batch_whole_and_once() {
    let mut fixture = Fixture::new().await;
    let (engine, bucket) = (fixture.engine.clone(), fixture.bucket);
    let acknowledged = Arc::new(AtomicI64::new(0));
    let target = WriteTarget {
        bucket,
        shard_group: HOUR,
        oldest: None,
    };
    let writer = tokio::spawn(write_all(engine.clone(), target, acknowledged.clone()));
    let maintainer = tokio::spawn({
        let (engine, acknowledged) = (engine.clone(), acknowledged.clone());
        async move {
            while acknowledged.load(Ordering::SeqCst) < BATCHES {
                engine.flush().await.unwrap();
                engine.compact_all(false).await.unwrap();
            }
        }
    });
    let readers = (0..2).map(|_| {
        let (engine, acknowledged) = (engine.clone(), acknowledged.clone());
        tokio::task::spawn_blocking(move || {
            let mut last = 0;
            while last < BATCHES {
                let at_least = acknowledged.load(Ordering::SeqCst);
                let seen = batches(&engine.snapshot(bucket));
                last = seen.last().copied().unwrap_or(0);
                assert_eq!(seen, (1..=last).collect::<Vec<_>>());
                assert!(
                    last >= at_least,
                    "{last} of {at_least} acknowledged batches"
                );
            }
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap();
    }
    writer.await.unwrap();
    maintainer.await.unwrap();
    fixture.crash().await;
    assert_eq!(batches(&fixture.snapshot()).len() as i64, BATCHES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_delete_beside_a_flush_removes_what_was_written_before_it() {
    for round in 0..20 {
        let mut fixture = Fixture::new().await;
        for i in 0..20 {
            fixture
                .write(&format!("m,t=a v={i}i {i}\nm,t=b v={i}i {i}"))
                .await;
        }
        let engine = fixture.engine.clone();
        let flush = tokio::spawn(async move { engine.flush().await });
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let predicate = Some(fixture::tag("t", "a"));
        fixture
            .delete(headwater_storage::DeleteRequest {
                predicate,
                ..fixture::everything()
            })
            .await;
        fixture.write("m,t=a v=100i 100").await;
        flush.await.unwrap().unwrap();
        assert_eq!(fixture.content().len(), 21);
        fixture.crash().await;
        assert_eq!(fixture.content().len(), 21);
        fixture.engine.flush().await.unwrap();
        fixture.engine.compact_all(true).await.unwrap();
        assert_eq!(fixture.content().len(), 21);
        assert_eq!(fixture.engine.statistics().tombstones, 0);
    }
}
