//! `headwater write`: line protocol from files or standard input to a server.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::{
    client::Connection,
    send::{SendArgs, Sender, send_all},
    source::{Progress, Source},
    target::Target,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater write --database demo data.lp more.lp.gz
  headwater write --bucket sensors --precision s < data.lp
  echo 'cpu,host=a usage=0.64' | headwater write --database demo

Lines that the server refuses are reported on standard error with their number in the file; the
others are written. Exit code: 0 when all are written, 1 otherwise.")]
pub(crate) struct Args {
    /// Files of line protocol, plain or gzip; `-` or none: standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.target.is_none() {
        bail!("where to? give --database or --bucket");
    }
    let sources = Source::all(&args.files);
    let progress = Progress::of(&sources);
    let mut sender = Sender::new(args.connection.client(), &args.send, progress);
    sender.set_target(&args.target)?;
    send_all(&sources, &mut sender)
}
