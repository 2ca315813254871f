//! `cargo xtask test`: every test, on a machine that has only the toolchain.

use anyhow::Result;

use crate::{
    process::{cargo, check, is_installed},
    tools,
};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let python = tools::python()?;
    let mut command = cargo();
    if is_installed("cargo-nextest") {
        command.args(["nextest", "run"]);
    } else {
        command.args(["test"]);
    }
    check(
        command
            .arg("--workspace")
            .args(args)
            .env("HEADWATER_TEST_PYTHON", python),
    )
}
