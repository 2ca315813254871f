//! The command line: what may be written, and which file carries it out.

mod backup;
mod bucket;
mod check;
mod client;
mod completions;
mod config;
mod dbrp;
mod export;
mod import;
mod lines;
mod manage;
mod query;
mod send;
mod serve;
mod setup;
mod source;
mod target;
mod token;
mod write;

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
    /// Write line protocol from files or standard input
    Write(write::Args),
    /// Ask in InfluxQL, one text or in a shell
    Query(query::Args),
    /// Export the points of a bucket or database as line protocol
    Export(export::Args),
    /// Import an export, of this server or of InfluxDB 1.x
    Import(import::Args),
    /// List, make, change and delete buckets
    Bucket(bucket::Args),
    /// List, make and delete API tokens
    Token(token::TokenArgs),
    /// List, make and delete users that sign in as with InfluxDB 1.x
    V1User(token::UserArgs),
    /// Map databases and retention policies to buckets
    Dbrp(dbrp::Args),
    /// Print a script that completes these commands in a shell
    Completions(completions::Args),
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
        Command::Write(args) => write::run(&args),
        Command::Query(args) => query::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Bucket(args) => bucket::run(&args),
        Command::Token(args) => token::run_token(&args),
        Command::V1User(args) => token::run_user(&args),
        Command::Dbrp(args) => dbrp::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether our output has no reader any more; a connection that breaks is something else.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_of_connection = error.chain().any(|cause| cause.is::<ureq::Error>());
    let is_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    };
    !is_of_connection && error.chain().any(is_pipe)
}

/// Tells the user something that is not the command's result.
#[expect(clippy::print_stderr, reason = "for the person at the terminal")]
fn note(text: &str) {
    eprintln!("headwater: {text}");
}
