//! Durability of the real process: what was answered 204 is there after `kill -9`, complete and
//! once, whatever moment the process died at.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::Value;

use crate::server::{NAME, Server};

const ROUNDS: u64 = 20;
const WRITERS: usize = 2;
const BATCH_POINTS: i64 = 200;

/// What one writer was promised, and how far it went.
#[derive(Default)]
struct Writer {
    acknowledged: BTreeSet<i64>,
    next: i64,
}

impl Writer {
    /// Batch `n` fills second `n` of the writer's series with points of value `n`.
    fn write_until(&mut self, id: usize, server: &Server, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let batch = self.next;
            self.next += 1;
            let mut lines = String::new();
            for point in 0..BATCH_POINTS {
                let time = batch * 1000 + point;
                writeln!(
                    lines,
                    "load,writer={id},part={} v={batch}i {time}",
                    point % 7
                )
                .expect("writes to a String");
            }
            let query = [("db", NAME), ("precision", "ms")];
            match server.try_request("POST", "/write", &query, &lines) {
                Some(answer) if answer.status == 204 => {
                    self.acknowledged.insert(batch);
                }
                Some(answer) => panic!("a write was refused: {answer:?}"),
                None => return,
            }
        }
    }

    /// Every acknowledged batch is complete; any other one is complete or absent.
    fn check(&self, id: usize, server: &Server, seed: u64) {
        let until = self.next + 1;
        let answer = server.query(&format!(
            "SELECT count(v), min(v), max(v) FROM load WHERE writer = '{id}' AND time >= 0 AND \
             time < {until}s GROUP BY time(1s) fill(none)"
        ));
        let rows = answer["results"][0]["series"][0]["values"]
            .as_array()
            .cloned();
        let mut found = BTreeSet::new();
        for row in rows.unwrap_or_default() {
            let batch = row[0].as_i64().expect("a time in seconds");
            let expected = [batch, BATCH_POINTS, batch, batch].map(Value::from);
            assert_eq!(
                row.as_array().expect("a row"),
                &expected,
                "batch {batch}, seed {seed}"
            );
            found.insert(batch);
        }
        let lost: Vec<_> = self.acknowledged.difference(&found).collect();
        assert!(
            lost.is_empty(),
            "writer {id} lost acknowledged batches {lost:?}, seed {seed}"
        );
    }
}

#[test]
fn every_acknowledged_batch_survives_kill_9_complete_and_once() {
    let seed = RandomState::new().hash_one(0);
    let dir = tempfile::tempdir().expect("a temporary directory");
    drop(Server::set_up(dir.path()));
    let mut writers: Vec<Writer> = (0..WRITERS).map(|_| Writer::default()).collect();
    for round in 0..ROUNDS {
        // A small memtable, so that rounds end within flushes and compactions too.
        let server = Server::start_with(dir.path(), &["--memtable-flush-bytes", "400000"], &[]);
        for (id, writer) in writers.iter().enumerate() {
            writer.check(id, &server, seed);
        }
        let stop = AtomicBool::new(false);
        let moment = Duration::from_millis(50 + (seed.rotate_left(3 * round as u32) ^ round) % 700);
        std::thread::scope(|scope| {
            let mut running = Vec::new();
            for (id, writer) in writers.iter_mut().enumerate() {
                let (server, stop) = (&server, &stop);
                running.push(scope.spawn(move || writer.write_until(id, server, stop)));
            }
            std::thread::sleep(moment);
            server.kill_running();
            for writer in running {
                writer.join().expect("writers end when the server does");
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
    let server = Server::start(dir.path());
    for (id, writer) in writers.iter().enumerate() {
        writer.check(id, &server, seed);
        assert!(
            !writer.acknowledged.is_empty(),
            "writer {id} never got through, seed {seed}"
        );
    }
}
