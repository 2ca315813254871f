//! The tree of a statement with its measurements opened, and the output groups in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use headwater_influxql::ast::Fill;
use headwater_model::{MAX_TIME, TimeRange};

use super::{leaf::Leaf, point::Tags, source::Source, types, window::Windows};
use crate::{
    error::Error,
    guard::{Guard, Held},
    plan::{ColumnKind, ColumnRef, SelectPlan, SourcePlan, Window},
};

/// One SELECT with its sources.
pub(super) struct Opened<'a> {
    pub(super) plan: &'a SelectPlan,
    pub(super) sources: Vec<OpenedSource<'a>>,
}

pub(super) enum OpenedSource<'a> {
    Leaf(Leaf),
    Subquery(Opened<'a>),
}

/// One output series, and all that is below it: a measurement and values of `dims`.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) name: Arc<str>,
    pub(super) dims: Tags,
    /// There is another group after this one.
    pub(super) is_followed: bool,
}

/// How one level of a statement runs: the options that stages change on the way down (§2).
#[derive(Clone)]
pub(super) struct Level<'a> {
    pub(super) opened: &'a Opened<'a>,
    pub(super) plan: &'a SelectPlan,
    pub(super) windows: Windows,
    pub(super) fill: Fill,
    /// Whether the consumer needs the order of time.
    pub(super) is_ordered: bool,
    /// `keep()`: the tags that points carry.
    pub(super) keep: Arc<[Arc<str>]>,
    /// The stages below are those of an enclosing transformation's wider range.
    pub(super) is_widened: bool,
}

impl<'a> Opened<'a> {
    /// Opens all measurements below.
    pub(super) fn open(
        source: &dyn Source,
        plan: &'a SelectPlan,
        guard: &Rc<Guard>,
    ) -> Result<Self, Error> {
        let sources = plan
            .sources
            .iter()
            .map(|part| {
                Ok(match part {
                    SourcePlan::Measurement { bucket, name } => {
                        OpenedSource::Leaf(Leaf::open(source, plan, *bucket, name, guard)?)
                    }
                    SourcePlan::Subquery(inner) => {
                        OpenedSource::Subquery(Opened::open(source, inner, guard)?)
                    }
                })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { plan, sources })
    }

    /// The groups of all measurements below, ascending.
    pub(super) fn groups(
        &self,
        held: &mut Held,
    ) -> Result<BTreeMap<Arc<str>, BTreeSet<Tags>>, Error> {
        let mut groups = BTreeMap::new();
        self.add_groups(&mut groups, held)?;
        Ok(groups)
    }

    fn add_groups(
        &self,
        groups: &mut BTreeMap<Arc<str>, BTreeSet<Tags>>,
        held: &mut Held,
    ) -> Result<(), Error> {
        for source in &self.sources {
            match source {
                OpenedSource::Leaf(leaf) => {
                    let of_name = groups.entry(Arc::clone(&leaf.name)).or_default();
                    for shard in &leaf.shards {
                        for dims in shard.groups.keys() {
                            held.guard().work(1)?;
                            if of_name.insert(Rc::clone(dims)) {
                                held.grow(2 * size_of::<Group>())?;
                            }
                        }
                    }
                }
                OpenedSource::Subquery(inner) => inner.add_groups(groups, held)?,
            }
        }
        Ok(())
    }

    /// Fails when a call cannot take the type of its input, in the order in which the reference
    /// builds its iterators.
    pub(super) fn check_types(&self) -> Result<(), Error> {
        for call in &self.plan.calls {
            let input = types::input_column(call);
            if self.has_stream(input) {
                self.check_subqueries(&|source| gives(source, input))?;
                types::check_call(call)?;
            }
        }
        // A subquery that gives none of the columns is not run.
        let is_read = self.plan.aux.iter().any(|column| self.has_stream(column));
        if self.plan.calls.is_empty() && is_read {
            self.check_subqueries(&|_| true)
        } else {
            Ok(())
        }
    }

    fn check_subqueries(&self, is_run: &dyn Fn(&OpenedSource<'_>) -> bool) -> Result<(), Error> {
        for source in self.sources.iter().filter(|source| is_run(source)) {
            if let OpenedSource::Subquery(inner) = source {
                inner.check_types()?;
            }
        }
        Ok(())
    }

    /// Whether a column gives a stream at all.
    fn has_stream(&self, column: &ColumnRef) -> bool {
        self.sources.iter().any(|source| gives(source, column))
    }

    /// The level at which the outermost statement runs.
    pub(super) fn level(&'a self) -> Level<'a> {
        let plan = self.plan;
        Level {
            opened: self,
            plan,
            windows: Windows::new(plan.window, plan.timezone, plan.range),
            fill: plan.fill,
            is_ordered: true,
            keep: Arc::clone(&plan.grouping),
            is_widened: false,
        }
    }
}

/// Whether a source has a column.
fn gives(source: &OpenedSource<'_>, column: &ColumnRef) -> bool {
    match source {
        OpenedSource::Leaf(leaf) => leaf.has_column(column),
        OpenedSource::Subquery(inner) => {
            column.kind != ColumnKind::Unknown
                && (inner.plan.columns.iter().any(|c| c.lookup == column.name)
                    || inner.plan.own_tags.contains(&column.name))
        }
    }
}

impl<'a> Level<'a> {
    /// The level at which a subquery runs (`spec/influxql/subqueries.md` §2).
    pub(super) fn nested(&self, inner: &'a Opened<'a>) -> Self {
        let plan = inner.plan;
        let range = nested_range(plan, self.windows.range, self.is_widened);
        let window = if plan.window.every == 0 {
            Window {
                every: self.windows.every,
                offset: self.windows.offset,
            }
        } else {
            plan.window
        };
        let fill = match plan.fill {
            Fill::Null if !plan.calls.is_empty() => Fill::None,
            fill => fill,
        };
        Self {
            opened: inner,
            plan,
            windows: Windows::new(window, plan.timezone, range),
            fill,
            is_ordered: self.is_ordered,
            keep: Arc::clone(&plan.grouping),
            is_widened: self.is_widened,
        }
    }

    /// The level below a transformation: one window more (fill_and_windows.md §6).
    pub(super) fn widened(&self) -> Self {
        let mut wider = self.clone();
        let range = &mut wider.windows.range;
        if self.plan.ascending {
            range.start = range.start.wrapping_sub(self.windows.every);
        } else {
            range.end = range.end.wrapping_add(self.windows.every);
        }
        wider.is_widened = true;
        wider
    }

    /// Whether points carry no tags but those of the group.
    pub(super) fn is_one_run(&self) -> bool {
        self.keep.len() == self.plan.dims.len()
    }
}

/// What a subquery reads when the enclosing statement reads `outer`.
fn nested_range(plan: &SelectPlan, outer: TimeRange, is_widened: bool) -> TimeRange {
    if !is_widened {
        return plan.range;
    }
    let mut range = outer.intersect(plan.own_range);
    if range.end == MAX_TIME {
        // `now()`, where the statement has windows and nothing else bounds it.
        range.end = plan.range.end;
    }
    range
}

/// Shared by the streams of a group.
pub(super) type SharedGroup = Rc<Group>;
