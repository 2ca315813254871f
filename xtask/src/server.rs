//! Starting the servers that commands talk to, each on a free port with data in a directory of
//! its own, and stopping them however the command ends.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    time::clock_getcpuclockid,
    unistd::Pid,
};

/// A child process that is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Our own server, as cargo built it at `binary`.
    pub(crate) fn headwater(binary: &Path, data_dir: &Path, args: &[&str]) -> Result<Self> {
        Self::headwater_by(Command::new(binary), data_dir, args)
    }

    /// The same, started by a command that ends with the path of our binary.
    pub(crate) fn headwater_by(
        mut command: Command,
        data_dir: &Path,
        args: &[&str],
    ) -> Result<Self> {
        let mut child = command
            .args(["serve", "--bind", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(args)
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stderr = child.stderr.take().expect("stderr is piped");
        let mut lines = BufReader::new(stderr).lines();
        let mut said = String::new();
        for line in lines.by_ref() {
            let line = line.context("cannot read the server's log")?;
            if let Some((_, url)) = line.split_once("listening on ") {
                let url = url.trim().to_owned();
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { child, url });
            }
            said.push_str(&line);
            said.push('\n');
        }
        let _ = child.kill();
        bail!("the server stopped before it listened:\n{said}")
    }

    /// Debian's InfluxDB 1.6.7 with the TSI index, without authentication, with the environment
    /// variables `env`.
    pub(crate) fn influxdb(dir: &Path, env: &[(&str, &str)]) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let (http, rpc) = (free_port()?, free_port()?);
        let config = dir.join("influxdb.conf");
        let dir_text = dir.display();
        std::fs::write(
            &config,
            format!(
                "reporting-disabled = true\nbind-address = \"127.0.0.1:{rpc}\"\n\
                 [meta]\ndir = \"{dir_text}/meta\"\n\
                 [data]\ndir = \"{dir_text}/data\"\nwal-dir = \"{dir_text}/wal\"\n\
                 index-version = \"tsi1\"\nquery-log-enabled = false\n\
                 [http]\nbind-address = \"127.0.0.1:{http}\"\nlog-enabled = false\n\
                 [monitor]\nstore-enabled = false\n"
            ),
        )?;
        let child = Command::new("influxd")
            .arg("-config")
            .arg(&config)
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start influxd")?;
        let server = Self {
            child,
            url: format!("http://127.0.0.1:{http}"),
        };
        server.wait_for(http)?;
        Ok(server)
    }

    /// Debian's VictoriaMetrics, which takes writes of the 1.x API.
    pub(crate) fn victoria_metrics(dir: &Path) -> Result<Self> {
        let http = free_port()?;
        let child = Command::new("victoria-metrics")
            .arg(format!("-storageDataPath={}", dir.display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{http}"))
            .arg("-retentionPeriod=100y")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start victoria-metrics")?;
        let server = Self {
            child,
            url: format!("http://127.0.0.1:{http}"),
        };
        server.wait_for(http)?;
        Ok(server)
    }

    fn wait_for(&self, port: u16) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                bail!("no server on port {port} after 30 s");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// User and system CPU seconds the process has used, its ended threads included, from its CPU
    /// clock of nanoseconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        let time = clock_getcpuclockid(pid)?.now()?;
        Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the process to stop as a service manager does, and waits for its end.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, Signal::SIGTERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// The largest resident set so far, in MiB.
    pub(crate) fn peak_memory_mib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find(|l| l.starts_with("VmHWM"))
            .context("no VmHWM")?;
        let kib: u64 = line
            .split_whitespace()
            .nth(1)
            .context("odd VmHWM")?
            .parse()?;
        Ok(kib / 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
