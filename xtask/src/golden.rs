//! `cargo xtask golden`: runs or rewrites the answers in `tests/golden`.

use anyhow::{Result, bail};

use crate::process::{cargo, check};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--package", "headwater", "--test", "it", "golden"]);
    match args {
        [] => {}
        [flag] if flag == "--update" => {
            command.env("HEADWATER_GOLDEN_UPDATE", "1");
        }
        _ => bail!("usage: cargo xtask golden [--update]"),
    }
    check(&mut command)
}
