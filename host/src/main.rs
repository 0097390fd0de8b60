//! The Trellis server and its command line, one binary.
//!
//! `boot` is the one place that knows every concrete type; `cli` holds one module a command; `config` is read once and passed down.

mod boot;
mod cli;
mod config;
mod watchdog;
mod workbench;

fn main() -> std::process::ExitCode {
    cli::main()
}
