//! The project's own commands: `cargo xtask <command>`. Everything a developer or CI runs goes
//! through here, so that it is the same everywhere and needs nothing installed first.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "measures wall time and starts processes"
)]

mod bench;
mod cardinality;
mod clients;
mod compat;
mod conformance;
mod fuzz;
mod golden;
mod lint;
mod package;
mod process;
mod run;
mod server;
mod test;
mod tools;
mod workload;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  run [ARGS]          build the release binary and start it on port 8086 with its data under
                      ./data; an empty data directory gets a demo organization and token.
                      ARGS go to `headwater serve`
  test [ARGS]         every test, after installing what they need. ARGS go to the test runner
  lint                rustfmt, clippy with warnings denied, tidy
  package             a Debian package of the release binary, in target/package
  clients [NAME...]   existing clients against the built server, after installing them: those whose
                      names contain a NAME, or all
  golden [--update]   the golden cases in tests/golden; --update writes the answers anew
  conformance         the recorded cases in ../shared/conformance, where that folder is present
  compat [OPTIONS]    random data and queries to our server and to InfluxDB 1.6.7, which must
                      agree (compat --help)
  fuzz [TARGET]       libFuzzer on the parsers, the planner and the readers of stored bytes
                      (fuzz --help)
  bench [OPTIONS]     load and query speed as ratios to InfluxDB 1.6.7 in one run (bench --help)
  bench --cardinality the cost of two million series (bench --cardinality --help)
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let result = match command.as_str() {
        _ if std::env::var_os(fuzz::COMPILE).is_some() => fuzz::compile(&command, &rest),
        "run" => run::run(&rest),
        "test" => test::run(&rest),
        "lint" => lint::run(),
        "fuzz" => fuzz::run(&rest),
        "package" => package::run(),
        "golden" => golden::run(&rest),
        "conformance" => conformance::run(&rest),
        "bench" if rest.iter().any(|arg| arg == "--cardinality") => cardinality::run(&rest),
        "bench" => bench::run(&rest),
        "clients" => clients::run(&rest),
        "compat" => compat::run(&rest),
        "" | "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(anyhow::anyhow!("unknown command `{other}`\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
