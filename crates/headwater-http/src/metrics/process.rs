//! What the operating system says about this process, as far as it says so in Linux's `/proc`.

use std::fs;

/// Ticks of processor time a second: what Linux shows to programs, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    pub(super) virtual_bytes: u64,
    pub(super) threads: u64,
    pub(super) open_files: u64,
    /// `None` when there is no limit.
    pub(super) open_files_max: Option<u64>,
}

impl Process {
    /// `None` where there is no `/proc`.
    pub(super) fn read() -> Option<Self> {
        let of = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).ok();
        let open_files = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        Self::parse(&of("stat")?, &of("status")?, &of("limits")?, open_files)
    }

    fn parse(stat: &str, status: &str, limits: &str, open_files: u64) -> Option<Self> {
        // The name of the program is in parentheses and may hold anything.
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut ticks = after_name
            .split_whitespace()
            .skip(11)
            .map(str::parse::<f64>);
        let (user, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
        let of_status = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let open_files_max = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))
            .and_then(|line| line.split_whitespace().next()?.parse().ok());
        Some(Self {
            cpu_seconds: (user + system) / TICKS_PER_SECOND,
            resident_bytes: of_status("VmRSS:")? * 1024,
            virtual_bytes: of_status("VmSize:")? * 1024,
            threads: of_status("Threads:")?,
            open_files,
            open_files_max,
        })
    }
}

#[cfg(test)]
mod tests;
