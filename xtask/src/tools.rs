//! What the tests need beside the toolchain: a Python with the packages that read our files and
//! speak to our server, and Debian's InfluxDB 1.6.7 shell and server.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::process::{check, is_installed, target_dir};

/// Pinned, so that a new release never changes what a test says.
const PYTHON_PACKAGES: [&str; 2] = ["duckdb==1.5.4", "influxdb==5.3.2"];

/// A Python interpreter in an environment of its own that has [`PYTHON_PACKAGES`].
pub(crate) fn python() -> Result<PathBuf> {
    let dir = target_dir().join("xtask/python");
    let python = dir.join("bin/python");
    let stamp = dir.join("packages");
    let wanted = PYTHON_PACKAGES.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    if !is_installed("python3") {
        install_debian("python3")?;
    }
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&dir)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        install_debian("python3-venv")?;
        check(Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
    }
    check(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(PYTHON_PACKAGES),
    )?;
    std::fs::write(&stamp, wanted).context("cannot note the installed packages")?;
    Ok(python)
}

/// Debian's `influx` shell 1.6.7.
pub(crate) fn influx_shell() -> Result<()> {
    if is_installed("influx") {
        Ok(())
    } else {
        install_debian("influxdb-client")
    }
}

/// Debian's `influxd` 1.6.7; its service is not started.
pub(crate) fn influxd() -> Result<()> {
    if is_installed("influxd") {
        return Ok(());
    }
    install_debian("influxdb")?;
    // The package starts a service on the port that we use.
    let _ = Command::new("service").args(["influxdb", "stop"]).status();
    Ok(())
}

/// Debian's VictoriaMetrics; its service is not started.
pub(crate) fn victoria_metrics() -> Result<()> {
    if is_installed("victoria-metrics") {
        return Ok(());
    }
    install_debian("victoria-metrics")?;
    let _ = Command::new("service")
        .args(["victoria-metrics", "stop"])
        .status();
    Ok(())
}

/// Counts instructions and reads the counts.
pub(crate) fn valgrind() -> Result<()> {
    if is_installed("valgrind") {
        Ok(())
    } else {
        install_debian("valgrind")
    }
}

fn install_debian(package: &str) -> Result<()> {
    if !is_installed("apt-get") {
        bail!("install {package} of InfluxDB 1.x's age by hand: this machine has no apt-get");
    }
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        check(&mut command)
    };
    apt(&["update", "--quiet", "--quiet"])?;
    apt(&[
        "install",
        "--quiet",
        "--quiet",
        "--yes",
        "--no-install-recommends",
        package,
    ])
    .with_context(|| format!("cannot install Debian's {package}"))
}
