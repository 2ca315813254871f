//! Runs resolved plans: what comes out is `spec/influxql/00_execution_model.md`; section numbers
//! in this module's files are that page's.
//!
//! Output groups (a measurement and the values of the outermost GROUP BY tags) run one after the
//! other, each through its own pipeline over all sources, so that memory is bounded by a group
//! and answers stream. Two kinds of pipeline exist: a general one of points, stage by stage as
//! the model describes it, and, for the shapes that most queries have, one over whole columns.

use std::{rc::Rc, sync::Arc};

use chrono_tz::Tz;
use headwater_env::SharedRandom;
use headwater_model::TimeRange;

use crate::{
    error::Error,
    guard::{Guard, Held},
    plan::{SelectPlan, Window},
    series::Series,
};

mod call;
mod cells;
mod cursor;
mod dense;
mod expression;
mod feed;
mod filter;
mod heap;
mod leaf;
#[cfg(test)]
mod memory;
mod merge;
mod opened;
mod output;
mod point;
mod raw;
mod reduce;
mod sort;
mod source;
mod stage;
mod subquery;
#[cfg(test)]
mod tests;
mod transform;
mod types;
mod window;

pub(crate) use source::{Source, StoredSource};
pub(crate) use types::{call_type, input_column};

use call::Builder;
use cursor::Cursor;
use dense::DenseRunner;
use opened::{Group, Opened};
use output::SeriesBuilder;
use raw::RawRunner;
use reduce::Pause;
use window::Windows;

/// The receiver of an answer wants no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop;

/// Takes a piece of the answer: rows of one series, with `partial` set when more of the same
/// series follow.
pub(crate) type Emit<'a> = dyn FnMut(Series) -> Result<(), Stop> + 'a;

/// What execution needs besides the plan.
pub(crate) struct ExecuteContext<'a> {
    pub(crate) source: &'a dyn Source,
    /// For `sample()`.
    pub(crate) random: SharedRandom,
    pub(crate) guard: Rc<Guard>,
    /// Rows a piece.
    pub(crate) chunk_size: usize,
}

impl ExecuteContext<'_> {
    /// Fails when the statement is to end.
    fn check(&self) -> Result<(), Error> {
        self.guard.check()
    }
}

/// Runs a statement and hands its series to `emit` in the order of the answer.
///
/// # Errors
///
/// The statement's error text, a failure of storage, or `Interrupted` when `emit` asked to stop
/// or the statement was cancelled.
pub(crate) fn run_select(
    plan: &SelectPlan,
    context: &ExecuteContext<'_>,
    emit: &mut Emit<'_>,
) -> Result<(), Error> {
    let mut held = Held::new(&context.guard);
    let opened = Opened::open(context.source, plan, &context.guard)?;
    opened.check_types()?;
    let columns = output::column_names(plan);
    let mut groups: Vec<Group> = opened
        .groups(&mut held)?
        .into_iter()
        .flat_map(|(name, dims)| {
            dims.into_iter().map(move |dims| Group {
                name: Arc::clone(&name),
                dims,
                is_followed: true,
            })
        })
        .collect();
    if !plan.ascending {
        groups.reverse();
    }
    if let Some(last) = groups.last_mut() {
        last.is_followed = false;
    }
    let mut rest = &groups[..];
    let mut answer = Answer {
        opened: &opened,
        columns,
        context,
        has_rows: false,
    };
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take_while(|group| group.name == first.name)
            .count();
        let (of_name, others) = rest.split_at(count);
        if !answer.measurement(of_name, emit)? {
            break;
        }
        rest = others;
    }
    Ok(())
}

/// The groups of a statement under way.
struct Answer<'a> {
    opened: &'a Opened<'a>,
    columns: Arc<[Arc<str>]>,
    context: &'a ExecuteContext<'a>,
    /// Rows came since the last pause of the general pipeline, from whichever executor. The reference asks once more after
    /// a pause if, and only if, there is a row that it has to give away.
    has_rows: bool,
}

impl Answer<'_> {
    /// The groups of one measurement; false when the statement is over.
    fn measurement(&mut self, groups: &[Group], emit: &mut Emit<'_>) -> Result<bool, Error> {
        let plan = self.opened.plan;
        let Some(first) = groups.first() else {
            return Ok(true);
        };
        let mut raw = RawRunner::new(self.opened, &first.name, groups, self.context);
        let mut dense = DenseRunner::new(self.opened, &first.name, groups, self.context);
        for (at, group) in groups.iter().enumerate() {
            self.context.check()?;
            let columns = Arc::clone(&self.columns);
            let mut series = SeriesBuilder::new(plan, group, columns, self.context);
            let mut is_over = false;
            let mut is_given = false;
            let mut emit = |piece| {
                is_given = true;
                emit(piece)
            };
            let is_done = match (&mut raw, &mut dense) {
                (Some(raw), _) => raw.group(at, &mut series, &mut emit)?,
                (None, Some(dense)) => dense.group(at, &mut series, &mut emit)?,
                (None, None) => false,
            };
            if !is_done {
                is_over = self.points(group, &mut series, &mut emit)?;
            }
            series.finish(&mut emit)?;
            self.has_rows |= is_done && is_given;
            if is_over {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A group through the general pipeline; true when the statement is over.
    fn points(
        &mut self,
        group: &Group,
        series: &mut SeriesBuilder<'_>,
        emit: &mut Emit<'_>,
    ) -> Result<bool, Error> {
        let builder = Builder::new(self.context, Rc::new(group.clone()));
        let mut cursor = Cursor::open(&builder, &self.opened.level())?;
        loop {
            let Some(row) = cursor.next()? else {
                if builder.gap.get() == Pause::No {
                    return Ok(false);
                }
                if !std::mem::take(&mut self.has_rows) {
                    return Ok(true);
                }
                continue;
            };
            self.has_rows = true;
            self.context.guard.work(1)?;
            series.push(row, emit)?;
        }
    }
}

/// The start of the window of `GROUP BY time(…)` that `time` is in.
pub(crate) fn window_start(window: Window, timezone: Option<Tz>, time: i64) -> i64 {
    Windows::new(window, timezone, TimeRange::ALL).start(time)
}
