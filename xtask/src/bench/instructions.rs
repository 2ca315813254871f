//! Instructions of the hot paths, counted by callgrind in the real server: the same on every run
//! but for a few per cent, whatever else the machine does, and so a guard against regressions.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{
    Options,
    report::{Report, figure},
    side::{BATCH_ROWS, Product, Side, TOKEN, headwater_binary},
};
use crate::{
    process::check,
    server::Server,
    tools,
    workload::{Random, Scale, WORKLOADS},
};

/// Calls of a path that are counted together.
const CALLS: usize = 5;

pub(super) fn run(report: &mut Report, dir: &Path, options: &Options) -> Result<()> {
    tools::debian(&["valgrind"])?;
    let scale = Scale {
        hours: options.scale.hours.min(12),
        ..options.scale
    };
    let side = Side::fresh(Product::Headwater, dir)?;
    side.load(scale)?;
    let data = side.stop()?;
    let counted = Counted::start(&data)?;
    report.table(
        "Instructions",
        "Thousands of instructions per request in the whole server, counted by callgrind. A request whose last \
         line is malformed is parsed whole and then refused, so that the difference to a write is what storing costs.",
        &["", "thousand"],
    );
    let body = scale.bodies(BATCH_ROWS).next().context("no rows")?;
    let refused = format!("{body}not a line");
    let query = |name: &str| -> Result<String> {
        let workload = WORKLOADS
            .iter()
            .find(|workload| workload.name == name)
            .with_context(|| format!("no workload {name}"))?;
        Ok(workload.query(&mut Random::new(scale.seed), scale))
    };
    let paths = [
        ("SHOW DATABASES", Request::Query("SHOW DATABASES".into())),
        ("parse 5,000 rows", Request::Write(refused)),
        ("write 5,000 rows", Request::Write(body)),
        (
            "single-groupby-1-1-1",
            Request::Query(query("single-groupby-1-1-1")?),
        ),
        (
            "double-groupby-all",
            Request::Query(query("double-groupby-all")?),
        ),
    ];
    for (name, request) in paths {
        let count = counted.count(&request)?;
        report.row(&[name.to_owned(), figure(count / 1e3)]);
    }
    Ok(())
}

enum Request {
    Query(String),
    Write(String),
}

/// Our server under callgrind.
struct Counted {
    server: Server,
    out: std::path::PathBuf,
    agent: ureq::Agent,
}

impl Counted {
    fn start(data_dir: &Path) -> Result<Self> {
        let out = data_dir.with_extension("callgrind");
        let mut command = Command::new("valgrind");
        command
            .args(["--quiet", "--tool=callgrind"])
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(headwater_binary());
        Ok(Self {
            server: Server::headwater_by(command, data_dir, &[])?,
            out,
            // Requests take long under callgrind; every status is an answer here.
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .build()
                .into(),
        })
    }

    /// Instructions per call, after one call that fills the caches.
    fn count(&self, request: &Request) -> Result<f64> {
        self.send(request)?;
        self.control("--zero")?;
        for _ in 0..CALLS {
            self.send(request)?;
        }
        self.control("--dump")?;
        Ok(self.newest_total()? as f64 / CALLS as f64)
    }

    fn send(&self, request: &Request) -> Result<()> {
        let authorization = format!("Token {TOKEN}");
        let mut response = match request {
            Request::Query(query) => self
                .agent
                .get(format!("{}/query", self.server.url))
                .header("Authorization", authorization)
                .query("db", "bench")
                .query("q", query)
                .call()?,
            Request::Write(body) => self
                .agent
                .post(format!("{}/write?db=bench", self.server.url))
                .header("Authorization", authorization)
                .send(body)?,
        };
        response.body_mut().read_to_vec()?;
        Ok(())
    }

    fn control(&self, action: &str) -> Result<()> {
        check(
            Command::new("callgrind_control")
                .arg(action)
                .arg(self.server.pid().to_string())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
    }

    /// The total of the dump with the highest number.
    fn newest_total(&self) -> Result<u64> {
        let dir = self.out.parent().context("a file has a folder")?;
        let prefix = format!("{}.", self.out.file_name().context("a name")?.display());
        let newest = std::fs::read_dir(dir)?
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .filter_map(|name| name.strip_prefix(&prefix)?.parse::<u32>().ok())
            .max();
        let Some(number) = newest else {
            bail!("callgrind wrote no dump to {}", dir.display());
        };
        let text = std::fs::read_to_string(dir.join(format!("{prefix}{number}")))?;
        text.lines()
            .find_map(|line| {
                line.strip_prefix("totals: ")
                    .or(line.strip_prefix("summary: "))
            })
            .context("a dump without a total")?
            .trim()
            .parse()
            .context("a total that is no number")
    }
}
