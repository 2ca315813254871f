//! `headwater config`: looking at settings without starting a server.

use anyhow::Result;

use crate::settings::{Flags, Layers, SAMPLE};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print the settings in effect and where each is from; fails when one is wrong
    Check(Flags),
    /// Print a file with every setting, its default and what it does
    Sample,
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Check(flags) => print!("{}", Layers::load(&flags, std::env::vars())?),
        Command::Sample => print!("{SAMPLE}"),
    }
    Ok(())
}
