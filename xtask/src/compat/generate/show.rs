//! SHOW statements.

use super::{Generator, Names};
use crate::compat::data::{MEASUREMENTS, quoted};

impl Generator<'_> {
    pub(super) fn show(&mut self) -> Vec<String> {
        let from = self.from();
        let names = Names::stored();
        let condition = format!("WHERE {}", self.tag_condition_of_literal(&names));
        let limit = format!("LIMIT {}", self.random.below(4));
        let offset = format!("OFFSET {}", self.random.below(3));
        let group = self
            .random
            .pick(&["GROUP BY host", "GROUP BY dc, host", "GROUP BY *"]);
        // The neighbour may have another policy, which 1.6.7 lists, too.
        let on = if self.place.is_neighbour_simple {
            format!("ON {}", self.place.neighbour)
        } else {
            String::new()
        };
        let with = self.random.pick(&[
            "WITH KEY = host",
            "WITH KEY != host",
            "WITH KEY IN (host, dc)",
            "WITH KEY =~ /host|rack/",
            "WITH KEY !~ /host/",
            "WITH KEY = \"the zone\"",
            "WITH KEY = nosuch",
            "WITH KEY IN (rack)",
        ]);
        // The part that stays and those that may go, in the order of the grammar.
        let (head, tail): (&[&str], &[&str]) = match self.random.below(12) {
            0 => (&["SHOW MEASUREMENTS"], &[&on, &condition, &limit, &offset]),
            1 => {
                let filter = self.random.pick(&[
                    "WITH MEASUREMENT = cpu",
                    "WITH MEASUREMENT =~ /e/",
                    "WITH MEASUREMENT =~ /nothing/",
                    "WITH MEASUREMENT = \"disk io\"",
                ]);
                (
                    &["SHOW MEASUREMENTS", filter],
                    &[&condition, &limit, &offset],
                )
            }
            2 | 3 => (&["SHOW SERIES"], &[&on, &from, &condition, &limit, &offset]),
            4 => (
                &["SHOW TAG KEYS"],
                &[&on, &from, &condition, "ORDER BY ASC", &limit, &offset],
            ),
            5 | 6 if self.chance(50) => (
                &["SHOW TAG VALUES", &from, with],
                &[&condition, &limit, &offset],
            ),
            5 | 6 => (&["SHOW TAG VALUES", with], &[&condition, &limit, &offset]),
            7 => (&["SHOW FIELD KEYS"], &[&on, &from, &limit, &offset]),
            8 => {
                let what = self.random.pick(&[
                    "SHOW MEASUREMENT EXACT CARDINALITY",
                    "SHOW TAG KEY CARDINALITY",
                    "SHOW TAG KEY EXACT CARDINALITY",
                ]);
                (&[what], &[&on, &from, &condition, group, &limit])
            }
            9 => (&["SHOW FIELD KEY CARDINALITY"], &[&from]),
            10 => (
                &["SHOW TAG VALUES CARDINALITY", with],
                &[&condition, group, &limit],
            ),
            _ => (
                &["SHOW TAG VALUES EXACT CARDINALITY", &from, with],
                &[&condition, group, &offset],
            ),
        };
        let mut parts = vec![head.join(" ")];
        for part in tail {
            if self.chance(40) {
                parts.push((*part).to_owned());
            }
        }
        parts
    }

    fn from(&mut self) -> String {
        let name = quoted(self.random.pick(&MEASUREMENTS));
        match self.random.below(8) {
            0 => format!("FROM {name}, cpu"),
            1 => "FROM /e|i/".to_owned(),
            2 => format!("FROM /^c/, {name}"),
            3 => "FROM nosuch".to_owned(),
            _ => format!("FROM {name}"),
        }
    }
}
