//! `cargo xtask package`: a Debian package of the release binary, by `dpkg-deb` alone. What goes
//! into it is in `packaging/`; data in `/var/lib/headwater` stays when it is removed.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::process::{cargo, check, output, root, target_dir};

/// Files of the package: from the repository, to where, with which permissions.
const FILES: [(&str, &str, u32); 9] = [
    (
        "headwater.sample.toml",
        "etc/headwater/headwater.toml",
        0o644,
    ),
    (
        "packaging/headwater.service",
        "lib/systemd/system/headwater.service",
        0o644,
    ),
    ("README.md", "usr/share/doc/headwater/README.md", 0o644),
    (
        "CHANGELOG.md",
        "usr/share/doc/headwater/CHANGELOG.md",
        0o644,
    ),
    ("LICENSE-MIT", "usr/share/doc/headwater/copyright", 0o644),
    (
        "LICENSE-APACHE",
        "usr/share/doc/headwater/LICENSE-APACHE",
        0o644,
    ),
    ("packaging/debian/conffiles", "DEBIAN/conffiles", 0o644),
    ("packaging/debian/postinst", "DEBIAN/postinst", 0o755),
    ("packaging/debian/prerm", "DEBIAN/prerm", 0o755),
];

pub(crate) fn run() -> Result<()> {
    check(cargo().args(["build", "--release", "--locked", "--package", "headwater"]))?;
    let version = env!("CARGO_PKG_VERSION");
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let name = format!("headwater_{version}_{architecture}");
    let stage = target_dir().join("package").join(&name);
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    for (from, to, mode) in FILES {
        put(&root().join(from), &stage.join(to), mode)?;
    }
    let binary = stage.join("usr/bin/headwater");
    put(&target_dir().join("release/headwater"), &binary, 0o755)?;
    check(Command::new("strip").arg(&binary))?;
    let control = fs::read_to_string(root().join("packaging/debian/control"))?;
    let control = control
        .replace("@VERSION@", version)
        .replace("@ARCHITECTURE@", architecture);
    fs::write(stage.join("DEBIAN/control"), control)?;
    let package = stage.with_file_name(name + ".deb");
    check(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .args([&stage, &package]),
    )
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let folder = to.parent().context("a path below the stage")?;
    fs::create_dir_all(folder)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}
