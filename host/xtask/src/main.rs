//! Developer commands. Depends on no crate of ours, so that it starts at once and never waits for a build that it is about to do.
//!
//! It builds the `trellis` binary and then uses it as a person would: plugins are built, installed and run by the command line
//! that ships, so that what works here works for everybody.

mod bench;
mod command;
mod guests;
mod languages;
mod run;
mod test;
mod toolchain;
mod web;
mod wit;

use std::process::ExitCode;

pub(crate) type Result<T = (), E = String> = std::result::Result<T, E>;

const HELP: &str = "\
cargo xtask COMMAND

  run [SERVE OPTIONS]   build everything, load the sample data on the first start, serve; prints address and sign-in
  test [NEXTEST ARGS]   formatting, lints, plugins, the workbench, every test
  web                   build the workbench, for the server that is compiled next
  bench [NAME...]       figures and ratios, built in release mode
  plugins               build the plugins and the test guests into target/plugins
  soak [ROUNDS]         the crash tests with 100 rounds (or ROUNDS), 10,000 operations on a plugin
  wit check             whether plugins of every released version still run with the interfaces of today
  wit freeze VERSION    release the interfaces of today: copy them to wit/released/VERSION
  ci                    test, then the documentation and cargo-deny where it is installed
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_str() {
        "run" => run::run(&rest),
        "test" => test::test(&rest),
        "bench" => bench::bench(&rest),
        "plugins" => guests::build_all(),
        "web" => web::build(),
        "wit" => wit::wit(&rest),
        "soak" => test::soak(&rest),
        "ci" => test::ci(),
        "" | "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("unknown command `{other}`\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
