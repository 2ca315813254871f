//! SHOW statements.

use super::{Generator, Names};
use crate::compat::data::MEASUREMENTS;

impl Generator<'_> {
    pub(super) fn show(&mut self) -> Vec<String> {
        let from = format!("FROM \"{}\"", self.random.pick(&MEASUREMENTS));
        let names = Names::stored();
        let condition = format!("WHERE {}", self.tag_condition_of_literal(&names));
        let limit = format!("LIMIT {}", 1 + self.random.below(3));
        let offset = format!("OFFSET {}", self.random.below(3));
        let with = self.random.pick(&[
            "WITH KEY = host",
            "WITH KEY != host",
            "WITH KEY IN (host, dc)",
            "WITH KEY =~ /host|rack/",
            "WITH KEY !~ /host/",
        ]);
        let (head, mut tail) = match self.random.below(11) {
            0 => (
                "SHOW MEASUREMENTS".to_owned(),
                vec![condition, limit, offset],
            ),
            1 => {
                let filter = self.random.pick(&["= cpu", "=~ /e/", "=~ /nothing/"]);
                (
                    format!("SHOW MEASUREMENTS WITH MEASUREMENT {filter}"),
                    vec![condition, limit],
                )
            }
            2 => (
                "SHOW SERIES".to_owned(),
                vec![from, condition, limit, offset],
            ),
            3 => (
                "SHOW TAG KEYS".to_owned(),
                vec![from, condition, limit, offset],
            ),
            4 | 5 => {
                let mut head = "SHOW TAG VALUES".to_owned();
                if self.chance(50) {
                    head = format!("{head} {from}");
                }
                (format!("{head} {with}"), vec![condition, limit, offset])
            }
            6 => ("SHOW FIELD KEYS".to_owned(), vec![from, limit, offset]),
            7 => {
                let what = self
                    .random
                    .pick(&["MEASUREMENT EXACT", "TAG KEY", "TAG KEY EXACT"]);
                (format!("SHOW {what} CARDINALITY"), vec![from, condition])
            }
            8 => ("SHOW FIELD KEY CARDINALITY".to_owned(), vec![from]),
            9 => {
                let head = format!("SHOW TAG VALUES CARDINALITY {with}");
                (head, vec![condition])
            }
            _ => {
                let head = format!("SHOW TAG VALUES EXACT CARDINALITY {from} {with}");
                (head, vec![condition])
            }
        };
        let kept: Vec<bool> = tail.iter().map(|_| self.chance(40)).collect();
        let mut kept = kept.into_iter();
        tail.retain(|_| kept.next().unwrap_or(false));
        tail.insert(0, head);
        tail
    }
}
