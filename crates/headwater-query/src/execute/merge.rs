//! Merging of streams: by time where order matters, by window below aggregates
//! (`spec/influxql/00_execution_model.md` §3.2 and §3.3).

use std::cmp::Ordering;

use super::{
    Error, heap,
    point::{Peekable, Point, PointStream, Points, compare_aux},
    window::Windows,
};

/// SortedMerge: by time, then by the leading string columns; equal points in heap order.
pub(super) struct SortedMerge<'a> {
    items: Vec<SortedItem<'a>>,
    /// Positions in `items`, those with a next point.
    heap: Vec<usize>,
    ascending: bool,
    is_started: bool,
}

struct SortedItem<'a> {
    input: Points<'a>,
    point: Option<Point>,
}

impl<'a> SortedMerge<'a> {
    /// `inputs` in series-key order; descending merges want it reversed.
    pub(super) fn new(inputs: Vec<Points<'a>>, ascending: bool) -> Self {
        let items = inputs
            .into_iter()
            .map(|input| SortedItem { input, point: None })
            .collect();
        Self {
            items,
            heap: Vec::new(),
            ascending,
            is_started: false,
        }
    }

    fn start(&mut self) -> Result<(), Error> {
        self.is_started = true;
        for (at, item) in self.items.iter_mut().enumerate() {
            item.point = item.input.next()?;
            if item.point.is_some() {
                self.heap.push(at);
            }
        }
        heap::heapify(&mut self.heap, sorted_less(&self.items, self.ascending));
        Ok(())
    }
}

fn sorted_less<'b>(
    items: &'b [SortedItem<'_>],
    ascending: bool,
) -> impl Fn(&usize, &usize) -> bool + 'b {
    let order = if ascending {
        Ordering::Less
    } else {
        Ordering::Greater
    };
    move |left, right| {
        let (Some(left), Some(right)) = (&items[*left].point, &items[*right].point) else {
            return false;
        };
        let by_time = left.time.cmp(&right.time);
        by_time.then_with(|| compare_aux(&left.aux, &right.aux)) == order
    }
}

impl PointStream for SortedMerge<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        if !self.is_started {
            self.start()?;
        }
        let first = heap::pop(&mut self.heap, sorted_less(&self.items, self.ascending));
        let Some(at) = first else { return Ok(None) };
        let item = &mut self.items[at];
        let point = item.point.take();
        item.point = item.input.next()?;
        if item.point.is_some() {
            heap::push(&mut self.heap, at, sorted_less(&self.items, self.ascending));
        }
        Ok(point)
    }
}

/// WindowMerge: all points of a window adjacent, input after input inside a window.
pub(super) struct WindowMerge<'a> {
    items: Vec<WindowItem<'a>>,
    current: Option<WindowItem<'a>>,
    /// Of the points that `current` is giving.
    window: (i64, i64),
    windows: Windows,
    ascending: bool,
    is_started: bool,
}

struct WindowItem<'a> {
    input: Peekable<'a>,
    /// The start of the window of the next point.
    start: i64,
}

impl<'a> WindowMerge<'a> {
    pub(super) fn new(inputs: Vec<Points<'a>>, windows: Windows, ascending: bool) -> Self {
        let items = inputs
            .into_iter()
            .map(|input| WindowItem {
                input: Peekable::new(input),
                start: 0,
            })
            .collect();
        Self {
            items,
            current: None,
            window: (0, 0),
            windows,
            ascending,
            is_started: false,
        }
    }

    fn start(&mut self) -> Result<(), Error> {
        self.is_started = true;
        let mut items = Vec::with_capacity(self.items.len());
        for mut item in self.items.drain(..) {
            if let Some(point) = item.input.peek()? {
                item.start = self.windows.start(point.time);
                items.push(item);
            }
        }
        self.items = items;
        heap::heapify(&mut self.items, window_less(self.ascending));
        Ok(())
    }
}

fn window_less(ascending: bool) -> impl Fn(&WindowItem<'_>, &WindowItem<'_>) -> bool {
    move |left, right| {
        if ascending {
            left.start < right.start
        } else {
            left.start > right.start
        }
    }
}

impl PointStream for WindowMerge<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        if !self.is_started {
            self.start()?;
        }
        loop {
            let Some(mut item) = self.current.take() else {
                let Some(mut item) = heap::pop(&mut self.items, window_less(self.ascending)) else {
                    return Ok(None);
                };
                let Some(point) = item.input.next()? else {
                    continue;
                };
                self.window = self.windows.of(point.time);
                self.current = Some(item);
                return Ok(Some(point));
            };
            let Some(point) = item.input.next()? else {
                continue;
            };
            let leaves = if self.ascending {
                point.time >= self.window.1
            } else {
                point.time < self.window.0
            };
            if !leaves {
                self.current = Some(item);
                return Ok(Some(point));
            }
            item.start = self.windows.start(point.time);
            item.input.unread(point);
            heap::push(&mut self.items, item, window_less(self.ascending));
        }
    }
}

/// Input after input.
pub(super) struct Chain<'a> {
    /// Opens the next input; `None` when there is none.
    open: Box<dyn FnMut() -> Result<Option<Points<'a>>, Error> + 'a>,
    current: Option<Points<'a>>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(open: impl FnMut() -> Result<Option<Points<'a>>, Error> + 'a) -> Self {
        Self {
            open: Box::new(open),
            current: None,
        }
    }
}

impl PointStream for Chain<'_> {
    fn next(&mut self) -> Result<Option<Point>, Error> {
        loop {
            if let Some(current) = &mut self.current
                && let Some(point) = current.next()?
            {
                return Ok(Some(point));
            }
            self.current = (self.open)()?;
            if self.current.is_none() {
                return Ok(None);
            }
        }
    }
}
