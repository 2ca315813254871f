//! The `headwater` command: one binary that serves, and the commands beside it.

mod backup;
mod cli;
mod demo;
mod settings;
mod wire;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
