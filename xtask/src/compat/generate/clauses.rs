//! What follows the sources: bounds of time, predicates, grouping, fill, limits, zones.

use super::{Category, Generator, Names};
use crate::compat::{data::Span, query::Select};

impl Generator<'_> {
    pub(super) fn clauses(&mut self, category: Category, select: &mut Select, names: &Names) {
        let is_call = select.fields.iter().any(|field| field.contains('('));
        let windowed = match category {
            Category::Window | Category::Fill | Category::Zone => true,
            Category::Transform | Category::Technical => select.window.is_some(),
            Category::Raw | Category::Arithmetic | Category::Cast => false,
            Category::Wildcard | Category::Top => is_call && self.chance(25),
            _ => is_call && self.chance(20),
        };
        if windowed && select.window.is_none() {
            select.window = Some(self.window(category != Category::Zone));
        }
        if select.window.is_some() || self.chance(if names.is_derived { 10 } else { 35 }) {
            self.bound(select);
            if select.window.is_none() && self.chance(40) {
                let index = self.random.below(2) as usize;
                select.bounds.remove(index);
            }
        }
        let conditions = match category {
            Category::Condition => 1 + self.random.below(3),
            _ => i64::from(self.chance(if names.is_derived { 10 } else { 20 })),
        };
        for _ in 0..conditions {
            let condition = self.condition(names, 2);
            select.conditions.push(condition);
        }
        if self.chance(4) {
            let now = self.now(select.bounds.len() == 2);
            select.conditions.push(now);
        }
        let is_integral = select.fields.iter().any(|f| f.contains("integral("));
        if self.chance(45) && !is_integral {
            for _ in 0..1 + self.random.below(5) / 3 {
                let dimension = match self.random.below(12) {
                    0 => "*".to_owned(),
                    1 => "/host|dc/".to_owned(),
                    2 => "nosuch".to_owned(),
                    3 if self.chance(20) => self.random.pick(&["v", "host::field"]).to_owned(),
                    _ => self.one_of(&names.tags),
                };
                if dimension.contains(['*', '/']) {
                    select.dimensions = vec![dimension];
                    break;
                }
                if !select.dimensions.contains(&dimension) {
                    select.dimensions.push(dimension);
                }
            }
        }
        self.tail(category, select, windowed);
    }

    fn tail(&mut self, category: Category, select: &mut Select, windowed: bool) {
        let fill_percent = match category {
            Category::Fill => 100,
            _ if windowed => 40,
            _ => 3,
        };
        if self.chance(fill_percent) {
            let option = self.random.pick(&[
                "null",
                "none",
                "previous",
                "linear",
                "0",
                "-1.5",
                "7",
                "previous",
                "linear",
                "2.7",
                "-9223372036854775808",
            ]);
            select.tail.push(format!("fill({option})"));
        }
        let percent = if category == Category::Limit { 60 } else { 12 };
        if self.chance(percent / 2) {
            let order = self
                .random
                .pick(&["time DESC", "time DESC", "DESC", "time ASC", "ASC"]);
            select.tail.push(format!("ORDER BY {order}"));
        }
        for word in ["LIMIT", "OFFSET"] {
            if self.chance(percent) {
                let count = match self.random.below(20) {
                    0 => "99999999999999999999".to_owned(),
                    1 => "1000".to_owned(),
                    _ => self.random.below(6).to_string(),
                };
                select.tail.push(format!("{word} {count}"));
            }
        }
        if self.chance(percent / 4) {
            let limit = self.random.below(4);
            select.tail.push(format!("SLIMIT {limit}"));
            if self.chance(50) {
                let offset = self.random.below(3);
                select.tail.push(format!("SOFFSET {offset}"));
            }
        }
        if category == Category::Zone {
            let zone = self.random.pick(&[
                "America/Los_Angeles",
                "America/Los_Angeles",
                "Asia/Kolkata",
                "Europe/Berlin",
                "UTC",
                "",
                "Australia/Lord_Howe",
                "America/St_Johns",
                "Pacific/Apia",
                "Etc/GMT+9",
                "EST5EDT",
                "No/Where",
            ]);
            select.tail.push(format!("tz('{zone}')"));
        }
    }

    /// A window length that gives a small number of windows over the data.
    pub(super) fn window(&mut self, may_shift: bool) -> String {
        let step = self.place.span.step;
        let every = step * [1, 2, 3, 5, 7, 30, 60][self.random.below(7) as usize];
        if self.chance(10) {
            return self
                .random
                .pick(&[
                    "time(1d)",
                    "time(1w)",
                    "time(2h30m)",
                    "time(7d)",
                    "time(3600000ms)",
                ])
                .to_owned();
        }
        if !may_shift || self.chance(70) {
            return format!("time({every}s)");
        }
        let offset = self.random.below(3 * every) - every;
        format!("time({every}s, {offset}s)")
    }

    pub(super) fn moment(&mut self) -> i64 {
        let Span { start, step, steps } = self.place.span;
        let jitter = if self.chance(30) {
            self.random.below(step)
        } else {
            0
        };
        start + (self.random.below(steps + 6) - 3) * step + jitter
    }

    pub(super) fn bound(&mut self, select: &mut Select) {
        let (mut a, mut b) = (self.moment(), self.moment());
        if self.chance(50) {
            let Span { start, step, steps } = self.place.span;
            (a, b) = (start - step, start + steps * step);
        }
        let lower = self.random.pick(&[">", ">="]);
        let upper = self.random.pick(&["<", "<="]);
        let (low, high) = (self.time(a.min(b)), self.time(a.max(b)));
        select.bounds = vec![
            format!("time {lower} {low}"),
            format!("time {upper} {high}"),
        ];
    }

    /// That time as one of the many forms that a bound of time may have.
    pub(super) fn time(&mut self, seconds: i64) -> String {
        let (day, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let date = date(day);
        let clock = |of_day: i64| {
            let (hours, minutes) = (of_day / 3_600, of_day / 60 % 60);
            format!("{hours:02}:{minutes:02}:{:02}", of_day % 60)
        };
        match self.random.below(20) {
            0..4 => format!("{}", seconds * 1_000_000_000),
            4..7 => format!("'{date}T{}Z'", clock(rest)),
            7 if rest < 60_000 => format!("'{date}T{}.000+05:30'", clock(rest + 19_800)),
            // In a zone that is hours away, which must not be many windows.
            8 if self.place.span.step >= 60 => format!("'{date} {}'", clock(rest)),
            9 if self.place.span.step >= 60 => format!("'{date}' + {rest}s"),
            10 => format!("{}.5", seconds * 1_000_000_000),
            11 if seconds >= 0 => {
                format!("{}h{}m{}s", seconds / 3_600, seconds / 60 % 60, rest % 60)
            }
            12 => format!("{}ms", seconds * 1_000),
            13 => format!("{}u - 1ns", seconds * 1_000_000),
            14 => format!("{}m + {}s", seconds.div_euclid(60), seconds.rem_euclid(60)),
            15 => format!("({seconds}s * 2) / 2"),
            _ => format!("{seconds}s"),
        }
    }

    /// A bound that excludes nothing, whenever the query runs.
    fn now(&mut self, may_be_lower: bool) -> String {
        if may_be_lower && self.chance(50) {
            return "time > now() - 30000d".to_owned();
        }
        let form = self
            .random
            .pick(&["time < now()", "now() + 1w3d > time", "time <= now() - 1m"]);
        form.to_owned()
    }
}

/// The calendar date of a day since 1970-01-01.
fn date(day: i64) -> String {
    // Years that begin in March, in eras of 400 years.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{of_month:02}", era * 400 + year + later)
}
