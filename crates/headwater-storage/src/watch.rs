//! Long work that asks from time to time whether to go on.

use crate::error::{Error, Result};

/// Things between two questions whether to go on.
const WATCH_STEPS: usize = 4096;

/// Counts what is looked at, and asks from time to time whether to go on.
pub(crate) struct Watch<'a> {
    goes_on: &'a dyn Fn(usize) -> bool,
    count: usize,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(goes_on: &'a dyn Fn(usize) -> bool) -> Self {
        Self { goes_on, count: 0 }
    }

    /// One more.
    pub(crate) fn step(&mut self) -> Result<()> {
        self.count += 1;
        if self.count < WATCH_STEPS {
            return Ok(());
        }
        let count = std::mem::take(&mut self.count);
        if (self.goes_on)(count) {
            Ok(())
        } else {
            Err(Error::Interrupted)
        }
    }
}

#[cfg(test)]
mod tests;
