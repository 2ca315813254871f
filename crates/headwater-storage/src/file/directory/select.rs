//! Tag predicates on a directory. Whatever part of a predicate concerns one tag key is evaluated
//! once on the values of that key; for each series there remains a look-up by its code.

use super::Directory;
use crate::{error::Result, predicate::TagPredicate, watch::Watch};

/// A predicate in terms of codes.
enum Condition {
    Constant(bool),
    /// For one tag key: what holds for each code, 0 (absent) included.
    Table {
        tag: usize,
        holds: Vec<bool>,
    },
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
}

impl Directory {
    /// The series that satisfy `predicate`, ascending; `watch` counts values and series.
    pub(crate) fn select(
        &self,
        predicate: &TagPredicate,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<u32>> {
        let all = 0..self.series_count() as u32;
        Ok(match self.condition(predicate, watch)? {
            Condition::Constant(true) => all.collect(),
            Condition::Constant(false) => Vec::new(),
            Condition::Table { tag, holds } => {
                let codes = &self.tags[tag].codes;
                all.filter(|&series| holds[codes.get(series as usize) as usize])
                    .collect()
            }
            condition => {
                let mut selected = Vec::new();
                for series in all {
                    watch.step()?;
                    if self.holds(&condition, series) {
                        selected.push(series);
                    }
                }
                selected
            }
        })
    }

    fn holds(&self, condition: &Condition, series: u32) -> bool {
        match condition {
            Condition::Constant(value) => *value,
            Condition::Table { tag, holds } => holds[self.tag_code(*tag, series) as usize],
            Condition::And(parts) => parts.iter().all(|part| self.holds(part, series)),
            Condition::Or(parts) => parts.iter().any(|part| self.holds(part, series)),
            Condition::Not(part) => !self.holds(part, series),
        }
    }

    fn condition(&self, predicate: &TagPredicate, watch: &mut Watch<'_>) -> Result<Condition> {
        Ok(match self.keys_of(predicate) {
            Keys::None => Condition::Constant(predicate.matches(&|_| "")),
            Keys::One(tag) => self.table(predicate, tag, watch)?,
            Keys::Several => match predicate {
                TagPredicate::And(parts) => self.and(parts, watch)?,
                TagPredicate::Or(parts) => self.or(parts, watch)?,
                TagPredicate::Not(part) => match self.condition(part, watch)? {
                    Condition::Constant(value) => Condition::Constant(!value),
                    condition => Condition::Not(Box::new(condition)),
                },
                TagPredicate::Constant(_)
                | TagPredicate::Equals { .. }
                | TagPredicate::Matches { .. }
                | TagPredicate::Has { .. } => {
                    unreachable!("a leaf names at most one tag key")
                }
            },
        })
    }

    fn and(&self, parts: &[TagPredicate], watch: &mut Watch<'_>) -> Result<Condition> {
        let mut conditions = Vec::with_capacity(parts.len());
        for part in parts {
            match self.condition(part, watch)? {
                Condition::Constant(true) => {}
                Condition::Constant(false) => return Ok(Condition::Constant(false)),
                condition => conditions.push(condition),
            }
        }
        Ok(Condition::And(conditions))
    }

    fn or(&self, parts: &[TagPredicate], watch: &mut Watch<'_>) -> Result<Condition> {
        let mut conditions = Vec::with_capacity(parts.len());
        for part in parts {
            match self.condition(part, watch)? {
                Condition::Constant(false) => {}
                Condition::Constant(true) => return Ok(Condition::Constant(true)),
                condition => conditions.push(condition),
            }
        }
        Ok(Condition::Or(conditions))
    }

    fn table(
        &self,
        predicate: &TagPredicate,
        tag: usize,
        watch: &mut Watch<'_>,
    ) -> Result<Condition> {
        let holds = self.truth(predicate, tag, watch)?;
        Ok(if holds.iter().all(|&value| value == holds[0]) {
            Condition::Constant(holds[0])
        } else {
            Condition::Table { tag, holds }
        })
    }

    /// Whether `predicate`, which names no other tag key of this file than `tag`, holds for each
    /// code of it.
    fn truth(
        &self,
        predicate: &TagPredicate,
        tag: usize,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<bool>> {
        let tag_key = &*self.schema.tag_keys[tag];
        let values = &self.tags[tag].values;
        let length = values.len() + 1;
        Ok(match predicate {
            TagPredicate::And(parts) => {
                let mut holds = vec![true; length];
                for part in parts {
                    let part = self.truth(part, tag, watch)?;
                    holds
                        .iter_mut()
                        .zip(part)
                        .for_each(|(all, one)| *all &= one);
                }
                holds
            }
            TagPredicate::Or(parts) => {
                let mut holds = vec![false; length];
                for part in parts {
                    match part {
                        // A long list of values is the usual case.
                        TagPredicate::Equals { key, value } if key == tag_key => {
                            if let Some(code) = self.code_of(tag, value) {
                                holds[code] = true;
                            }
                        }
                        _ => {
                            let part = self.truth(part, tag, watch)?;
                            holds
                                .iter_mut()
                                .zip(part)
                                .for_each(|(any, one)| *any |= one);
                        }
                    }
                }
                holds
            }
            TagPredicate::Not(part) => {
                let mut holds = self.truth(part, tag, watch)?;
                holds.iter_mut().for_each(|value| *value = !*value);
                holds
            }
            TagPredicate::Equals { key, value } if key == tag_key => {
                let mut holds = vec![false; length];
                if let Some(code) = self.code_of(tag, value) {
                    holds[code] = true;
                }
                holds
            }
            TagPredicate::Matches { key, pattern } if key == tag_key => {
                let mut holds = vec![pattern.is_match("")];
                for value in values {
                    watch.step()?;
                    holds.push(pattern.is_match(value));
                }
                holds
            }
            TagPredicate::Has { key } if key == tag_key => {
                let mut holds = vec![true; length];
                holds[0] = false;
                holds
            }
            // A constant, or a leaf on a key that the whole file lacks.
            TagPredicate::Constant(_)
            | TagPredicate::Equals { .. }
            | TagPredicate::Matches { .. }
            | TagPredicate::Has { .. } => vec![predicate.matches(&|_| ""); length],
        })
    }

    /// The code of a value, 0 for `""`; `None` when no series has it.
    fn code_of(&self, tag: usize, value: &str) -> Option<usize> {
        if value.is_empty() {
            return Some(0);
        }
        let index = self.tags[tag]
            .values
            .binary_search_by(|v| (**v).cmp(value))
            .ok()?;
        Some(index + 1)
    }

    fn keys_of(&self, predicate: &TagPredicate) -> Keys {
        let mut keys = Keys::None;
        predicate.for_each_key(&mut |key| {
            let Ok(tag) = self.schema.tag_keys.binary_search_by(|k| (**k).cmp(key)) else {
                return;
            };
            keys = match keys {
                Keys::None => Keys::One(tag),
                Keys::One(known) if known == tag => Keys::One(tag),
                Keys::One(_) | Keys::Several => Keys::Several,
            };
        });
        keys
    }
}

/// Which tag keys of the file a predicate names.
enum Keys {
    None,
    One(usize),
    Several,
}
