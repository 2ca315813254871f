//! What the tests need beside the toolchain: Python and Node packages that read our files and speak
//! to our server, and Debian's packages.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::process::{check, is_installed, target_dir};

/// Pinned, so that a new release never changes what a test says.
const PYTHON_PACKAGES: [&str; 4] = [
    "aioinflux==0.9.0",
    "duckdb==1.5.4",
    "influxdb==5.3.2",
    "influxdb-client==1.50.0",
];
const NODE_PACKAGES: [&str; 5] = [
    "@influxdata/influxdb-client@1.35.0",
    "@influxdata/influxdb-client-apis@1.35.0",
    "influx@5.12.0",
    "node-red@4.1.8",
    "node-red-contrib-influxdb@0.7.0",
];

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
        install_debian(&["python3"])?;
    }
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&dir)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        install_debian(&["python3-venv"])?;
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

/// A folder with [`NODE_PACKAGES`] and what they need.
pub(crate) fn node_modules() -> Result<PathBuf> {
    let dir = target_dir().join("xtask/node");
    let stamp = dir.join("packages");
    let wanted = NODE_PACKAGES.join("\n");
    if !std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        if !is_installed("npm") {
            install_debian(&["nodejs", "npm"])?;
        }
        std::fs::create_dir_all(&dir)?;
        let mut npm = Command::new("npm");
        npm.current_dir(&dir)
            .args(["install", "--silent", "--no-audit", "--no-fund"]);
        check(npm.args(NODE_PACKAGES))?;
        std::fs::write(&stamp, wanted).context("cannot note the installed packages")?;
    }
    Ok(dir.join("node_modules"))
}

/// Installs those of Debian's `packages` that are not there. On another system they are the
/// developer's to install.
pub(crate) fn debian(packages: &[&str]) -> Result<()> {
    if !is_installed("dpkg-query") {
        return Ok(());
    }
    let is_missing = |package: &&&str| {
        let status = Command::new("dpkg-query")
            .args(["--show", "--showformat=${db:Status-Status}", package])
            .output();
        !status.is_ok_and(|output| output.stdout == b"installed")
    };
    let missing: Vec<&str> = packages.iter().filter(is_missing).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    install_debian(&missing)?;
    // Some packages start a service, which would be in the way.
    for service in ["icinga2", "influxdb", "victoria-metrics"] {
        let _ = Command::new("service").args([service, "stop"]).output();
    }
    Ok(())
}

fn install_debian(packages: &[&str]) -> Result<()> {
    let names = packages.join(", ");
    if !is_installed("apt-get") {
        bail!("install Debian's {names} by hand: this machine has no apt-get");
    }
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        check(&mut command)
    };
    apt(&["update", "--quiet", "--quiet"])?;
    let install = [
        "install",
        "--quiet",
        "--quiet",
        "--yes",
        "--no-install-recommends",
    ];
    apt(&[&install, packages].concat()).with_context(|| format!("cannot install Debian's {names}"))
}
