//! The benchmark's data and queries: a fleet of hosts that report ten CPU fields every ten
//! seconds, and what its dashboards ask. Everything follows from a seed.

use std::fmt::Write as _;

/// 2016-01-01T00:00:00Z, in seconds.
const START: i64 = 1_451_606_400;
const STEP_SECONDS: i64 = 10;
const FIELDS: [&str; 10] = [
    "usage_user",
    "usage_system",
    "usage_idle",
    "usage_nice",
    "usage_iowait",
    "usage_irq",
    "usage_softirq",
    "usage_steal",
    "usage_guest",
    "usage_guest_nice",
];
const REGIONS: [&str; 9] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
];

/// splitmix64: small, seeded, good enough for test data.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, which is small against 2^64.
    pub(crate) fn below(&mut self, bound: i64) -> i64 {
        (self.next() % bound.unsigned_abs().max(1)) as i64
    }

    /// In [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Roughly normal with mean 0 and deviation 1: a sum of uniform variables.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    pub(crate) fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as i64) as usize]
    }
}

/// What data to make and with what seed.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) hosts: usize,
    pub(crate) hours: i64,
    pub(crate) seed: u64,
    /// Fields of a row, at most ten.
    pub(crate) fields: usize,
    /// Fields with four decimals in place of integers.
    pub(crate) floats: bool,
    /// Rows at which the data ends, though the hours do not.
    pub(crate) rows_max: usize,
}

impl Scale {
    pub(crate) fn rows(self) -> usize {
        (self.hosts * (self.hours * 3600 / STEP_SECONDS) as usize).min(self.rows_max)
    }

    pub(crate) fn values(self) -> usize {
        self.rows() * self.fields
    }

    /// Request bodies of `batch` lines, each field a bounded random walk, made as they are asked for.
    pub(crate) fn bodies(self, batch: usize) -> Bodies {
        let mut random = Random::new(self.seed);
        let prefixes = (0..self.hosts)
            .map(|host| prefix(host, &mut random))
            .collect();
        let state = (0..self.hosts * self.fields)
            .map(|_| random.unit() * 100.0)
            .collect();
        Bodies {
            scale: self,
            batch,
            random,
            prefixes,
            state,
            row: 0,
        }
    }
}

/// See [`Scale::bodies`].
pub(crate) struct Bodies {
    scale: Scale,
    batch: usize,
    random: Random,
    prefixes: Vec<String>,
    /// The last value of each field of each host.
    state: Vec<f64>,
    row: usize,
}

impl Iterator for Bodies {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let end = self.scale.rows().min(self.row + self.batch);
        let mut body = String::new();
        for row in self.row..end {
            self.write_row(&mut body, row);
        }
        self.row = end;
        (!body.is_empty()).then_some(body)
    }
}

impl Bodies {
    fn write_row(&mut self, body: &mut String, row: usize) {
        let (step, host) = (row / self.scale.hosts, row % self.scale.hosts);
        body.push_str(&self.prefixes[host]);
        for (i, field) in FIELDS[..self.scale.fields].iter().enumerate() {
            let value = &mut self.state[host * self.scale.fields + i];
            *value = (*value + self.random.normal()).clamp(0.0, 100.0);
            let comma = if i == 0 { "" } else { "," };
            let written = if self.scale.floats {
                write!(body, "{comma}{field}={value:.4}")
            } else {
                write!(body, "{comma}{field}={}i", *value as i64)
            };
            written.expect("writes to a String");
        }
        let time = (START + step as i64 * STEP_SECONDS) * 1_000_000_000;
        writeln!(body, " {time}").expect("writes to a String");
    }
}

fn prefix(host: usize, random: &mut Random) -> String {
    let region = random.pick(&REGIONS);
    format!(
        "cpu,hostname=host_{host},region={region},datacenter={region}{},rack={},os={},arch={},team={},service={},service_version={},service_environment={} ",
        random.pick(&["a", "b", "c"]),
        random.below(100),
        random.pick(&["Ubuntu15.10", "Ubuntu16.10", "Ubuntu16.04LTS"]),
        random.pick(&["x64", "x86"]),
        random.pick(&["SF", "NYC", "LON", "CHI"]),
        random.below(20),
        random.below(2),
        random.pick(&["production", "staging", "test"]),
    )
}

/// How a workload's goal is stated: small dashboard queries, scans, or metadata.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Small,
    Scan,
    LastPoint,
    Metadata,
}

impl Kind {
    pub(crate) const ALL: [(Self, &'static str); 4] = [
        (Self::Small, "small"),
        (Self::Scan, "scan"),
        (Self::LastPoint, "lastpoint"),
        (Self::Metadata, "metadata"),
    ];
}

/// A named query with its random parts drawn anew for each call.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    make: fn(&mut Random, Scale) -> String,
}

impl Workload {
    pub(crate) fn query(&self, random: &mut Random, scale: Scale) -> String {
        (self.make)(random, scale)
    }
}

fn rfc3339(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date from days since 1970, proleptic Gregorian.
    let z = days + 719_468;
    let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (
        doy - (153 * mp + 2) / 5 + 1,
        if mp < 10 { mp + 3 } else { mp - 9 },
    );
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

fn window(random: &mut Random, scale: Scale, hours: i64) -> String {
    let hours = hours.min(scale.hours);
    let start = START + random.below((scale.hours - hours) * 3600 + 1);
    format!(
        "time >= '{}' and time < '{}'",
        rfc3339(start),
        rfc3339(start + hours * 3600)
    )
}

fn hosts(random: &mut Random, scale: Scale, count: usize) -> String {
    let mut all: Vec<usize> = (0..scale.hosts).collect();
    let count = count.min(all.len());
    for i in 0..count {
        let other = i + random.below((all.len() - i) as i64) as usize;
        all.swap(i, other);
    }
    let terms: Vec<String> = all[..count]
        .iter()
        .map(|h| format!("hostname = 'host_{h}'"))
        .collect();
    format!("({})", terms.join(" or "))
}

fn calls(function: &str, count: usize) -> String {
    let calls: Vec<String> = FIELDS[..count]
        .iter()
        .map(|f| format!("{function}({f})"))
        .collect();
    calls.join(", ")
}

fn single(
    random: &mut Random,
    scale: Scale,
    fields: usize,
    host_count: usize,
    hours: i64,
) -> String {
    format!(
        "SELECT {} FROM cpu WHERE {} and {} GROUP BY time(1m)",
        calls("max", fields),
        hosts(random, scale, host_count),
        window(random, scale, hours)
    )
}

fn max_all(random: &mut Random, scale: Scale, host_count: usize) -> String {
    format!(
        "SELECT {} FROM cpu WHERE {} and {} GROUP BY time(1h)",
        calls("max", 10),
        hosts(random, scale, host_count),
        window(random, scale, 8)
    )
}

fn double(random: &mut Random, scale: Scale, fields: usize) -> String {
    format!(
        "SELECT {} FROM cpu WHERE {} GROUP BY time(1h), hostname",
        calls("mean", fields),
        window(random, scale, 12)
    )
}

/// Every workload, in the order of the table.
pub(crate) const WORKLOADS: [Workload; 23] = [
    Workload {
        name: "single-groupby-1-1-1",
        kind: Kind::Small,
        make: |r, s| single(r, s, 1, 1, 1),
    },
    Workload {
        name: "single-groupby-1-1-12",
        kind: Kind::Small,
        make: |r, s| single(r, s, 1, 1, 12),
    },
    Workload {
        name: "single-groupby-1-8-1",
        kind: Kind::Small,
        make: |r, s| single(r, s, 1, 8, 1),
    },
    Workload {
        name: "single-groupby-5-1-1",
        kind: Kind::Small,
        make: |r, s| single(r, s, 5, 1, 1),
    },
    Workload {
        name: "single-groupby-5-1-12",
        kind: Kind::Small,
        make: |r, s| single(r, s, 5, 1, 12),
    },
    Workload {
        name: "single-groupby-5-8-1",
        kind: Kind::Small,
        make: |r, s| single(r, s, 5, 8, 1),
    },
    Workload {
        name: "cpu-max-all-1",
        kind: Kind::Small,
        make: |r, s| max_all(r, s, 1),
    },
    Workload {
        name: "cpu-max-all-8",
        kind: Kind::Small,
        make: |r, s| max_all(r, s, 8),
    },
    Workload {
        name: "high-cpu-1",
        kind: Kind::Small,
        make: |r, s| {
            let host = hosts(r, s, 1);
            format!(
                "SELECT * FROM cpu WHERE usage_user > 90 and {host} and {}",
                window(r, s, 12)
            )
        },
    },
    Workload {
        name: "derivative",
        kind: Kind::Small,
        make: |r, s| {
            let host = hosts(r, s, 1);
            format!(
                "SELECT non_negative_derivative(max(usage_user), 1s) FROM cpu WHERE {host} and {} \
                 GROUP BY time(1m) fill(none)",
                window(r, s, 6)
            )
        },
    },
    Workload {
        name: "raw-1h",
        kind: Kind::Small,
        make: |r, s| {
            let host = hosts(r, s, 1);
            format!(
                "SELECT usage_user FROM cpu WHERE {host} and {}",
                window(r, s, 1)
            )
        },
    },
    Workload {
        name: "double-groupby-1",
        kind: Kind::Scan,
        make: |r, s| double(r, s, 1),
    },
    Workload {
        name: "double-groupby-5",
        kind: Kind::Scan,
        make: |r, s| double(r, s, 5),
    },
    Workload {
        name: "double-groupby-all",
        kind: Kind::Scan,
        make: |r, s| double(r, s, 10),
    },
    Workload {
        name: "high-cpu-all",
        kind: Kind::Scan,
        make: |r, s| {
            format!(
                "SELECT * FROM cpu WHERE usage_user > 90 and {}",
                window(r, s, 12)
            )
        },
    },
    Workload {
        name: "groupby-orderby-limit",
        kind: Kind::Scan,
        make: |r, s| {
            let end = START + s.hours * 3600 - r.below(3600);
            format!(
                "SELECT max(usage_user) FROM cpu WHERE time < '{}' GROUP BY time(1m) \
                 ORDER BY time DESC LIMIT 5",
                rfc3339(end)
            )
        },
    },
    Workload {
        name: "full-mean",
        kind: Kind::Scan,
        make: |_, _| "SELECT mean(usage_user) FROM cpu GROUP BY hostname".into(),
    },
    Workload {
        name: "percentile-day",
        kind: Kind::Scan,
        make: |r, s| {
            let window = window(r, s, 24);
            format!("SELECT percentile(usage_user, 95) FROM cpu WHERE {window} GROUP BY time(1h)")
        },
    },
    Workload {
        name: "lastpoint",
        kind: Kind::LastPoint,
        make: |_, _| "SELECT * FROM cpu GROUP BY hostname ORDER BY time DESC LIMIT 1".into(),
    },
    Workload {
        name: "show-tag-values",
        kind: Kind::Metadata,
        make: |_, _| "SHOW TAG VALUES FROM cpu WITH KEY = hostname".into(),
    },
    Workload {
        name: "show-tag-values-cond",
        kind: Kind::Metadata,
        make: |_, _| "SHOW TAG VALUES FROM cpu WITH KEY = rack WHERE region = 'eu-west-1'".into(),
    },
    Workload {
        name: "show-field-keys",
        kind: Kind::Metadata,
        make: |_, _| "SHOW FIELD KEYS FROM cpu".into(),
    },
    Workload {
        name: "show-measurements",
        kind: Kind::Metadata,
        make: |_, _| "SHOW MEASUREMENTS".into(),
    },
];
