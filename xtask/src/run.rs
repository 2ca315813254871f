//! `cargo xtask run`: from a fresh machine to a server that answers.

use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, check, root, target_dir};

pub(crate) fn run(args: &[String]) -> Result<()> {
    check(cargo().args(["build", "--release", "--package", "headwater"]))?;
    let mut server = Command::new(target_dir().join("release/headwater"));
    check(
        server
            .current_dir(root())
            .args(["serve", "--demo"])
            .args(args),
    )
}
