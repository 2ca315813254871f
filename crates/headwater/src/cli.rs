//! The command line: what may be written, and which file carries it out.

mod backup;
mod check;
mod config;
mod serve;
mod setup;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An open time series server that speaks the InfluxDB 1.x compatibility API.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server
    Serve(serve::Args),
    /// Copy the data of a running or stopped server
    Backup(backup::BackupArgs),
    /// Bring a backup, or one bucket of it, into an empty data directory
    Restore(backup::RestoreArgs),
    /// Look over the data of a stopped server, and repair what can be repaired
    Check(check::Args),
    /// Check settings, or print a sample of them
    #[command(subcommand)]
    Config(config::Command),
    /// Set up a running server: the first user, organization, bucket and token
    Setup(setup::Args),
}

/// Parses the arguments, runs the command and reports its failure on standard error.
pub(crate) fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Backup(args) => backup::back_up(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Check(args) => check::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::Config(command) => config::run(command),
        Command::Setup(args) => setup::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word of a command that failed"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("headwater: {error:#}");
}
