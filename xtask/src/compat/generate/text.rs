//! Requests of several statements, and valid statements broken in one place.

use super::{Category, Generator};

impl Generator<'_> {
    pub(super) fn several(&mut self) -> String {
        let count = 2 + self.random.below(2);
        let mut statements = Vec::new();
        for _ in 0..count {
            let category = [Category::Raw, Category::Aggregate, Category::Window];
            let chosen = category[self.random.below(3) as usize];
            statements.push(self.select(chosen).to_string());
        }
        if self.chance(20) {
            statements.insert(1, "SELECT nofunc(v) FROM cpu".to_owned());
        }
        statements.join("; ")
    }

    /// A valid statement with one token dropped, doubled, exchanged or replaced.
    pub(super) fn invalid(&mut self) -> String {
        let all = Category::ALL;
        let category = all[self.random.below(all.len() as i64 - 6) as usize];
        let text = self.statement(category).to_string();
        let mut words = words(&text);
        let index = self.random.below(words.len() as i64) as usize;
        match self.random.below(5) {
            0 => drop(words.remove(index)),
            1 => words.insert(index, words[index].clone()),
            2 => {
                let next = (index + 1) % words.len();
                words.swap(index, next);
            }
            3 => {
                words[index] = self
                    .random
                    .pick(&[
                        "SELECT",
                        "FROM",
                        "WHERE",
                        "GROUP",
                        "BY",
                        "LIMIT",
                        "(",
                        ")",
                        ",",
                        "=",
                        "=~",
                        "'q'",
                        "\"q\"",
                        "5",
                        "1.5",
                        "3x",
                        "/re/",
                        "*",
                        "time",
                        "fill",
                        "AND",
                        "'open",
                        "$p",
                        "mean(",
                        "top(v, 0)",
                        "percentile(v, 'a')",
                        "derivative(v, 0s)",
                        "-",
                        "::tag",
                    ])
                    .to_owned();
            }
            _ => words.truncate(index.max(1)),
        }
        let mutated = words.concat();
        // Without its bounds a query would have millions of windows.
        let is_bounded = mutated.contains(" time >") && mutated.contains(" AND time <");
        if mutated.contains("time(") && !is_bounded {
            return "SELECT mean(v, x) FROM cpu GROUP BY host".to_owned();
        }
        mutated
    }
}

/// Runs of letters and digits, single other characters; together they are the text.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() || c == '_';
        match words.last_mut() {
            Some(last) if is_word && in_word => last.push(c),
            _ => words.push(c.to_string()),
        }
        in_word = is_word;
    }
    words
}
