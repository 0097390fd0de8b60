//! The command line. A command either works on a data folder (`serve`, `verify`), on files (`plugin build`, `plugin check`), or asks
//! a running server through the public API, as any other client would.

mod client;
mod export;
mod import;
mod output;
mod plugin;
mod rule;
mod schema;
mod serve;
mod token;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// What can go wrong in a command, ready to be printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The message says it all.
    #[error("{0}")]
    Message(String),
    /// The command did its work and reports that something in its input was bad.
    #[error("{0}")]
    Incomplete(String),
    /// The data folder cannot be used as it is; the message says what to do.
    #[error("{0}")]
    Data(String),
}

pub(crate) use serve::first_start;

pub(crate) type Result<T = (), E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// 1: failed; 2 is clap's (wrong use); 3: done, but some input was bad; 78: the data folder needs a person.
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Message(_) => 1,
            Self::Incomplete(_) => 3,
            Self::Data(_) => 78,
        })
    }
}

/// A customer-relationship server that companies shape without forking it.
#[derive(Debug, Parser)]
#[command(name = "trellis", version = version(), max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a data folder over HTTP.
    Serve(serve::Serve),
    /// Check a data folder: journal, snapshot, records, indexes, log and columns against each other.
    Verify(verify::Verify),
    /// Import a CSV or XLSX file into an object through a running server.
    Import(import::Import),
    /// Export records of an object into a file.
    Export(export::Export),
    /// Build, check, install and run plugins.
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Load, list, try and switch rules.
    #[command(subcommand)]
    Rule(rule::Rule),
    /// Export, compare and apply object definitions.
    #[command(subcommand)]
    Schema(schema::Schema),
    /// API tokens.
    #[command(subcommand)]
    Token(token::Token),
    /// Say whether the server answers.
    Status(Connection),
    /// Compiles one plugin for the server, in a process of its own.
    #[command(hide = true)]
    CompilePlugin,
}

/// How to reach a running server.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// The data folder of a server on this machine; its address and the admin's token are read from there.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// The address of a server elsewhere, for example https://crm.example.com.
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// An API token for it.
    #[arg(long, value_name = "TOKEN", requires = "server")]
    pub token: Option<String>,
}

/// What `--version` prints after the name: the server's version, the interfaces that its plugins may be built against, and the engine.
fn version() -> &'static str {
    let ranges = trellis_plugin_host::supported_wit();
    let wit = ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (server, engine) = (env!("CARGO_PKG_VERSION"), trellis_plugin_host::WASMTIME_VERSION);
    Box::leak(format!("{server}\nplugins: trellis:plugin {wit}\nwasmtime {engine}").into_boxed_str())
}

/// Parses the arguments and runs the command.
pub(crate) fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Plugin(command) => command.run(),
        Command::Rule(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Status(connection) => status(&connection),
        Command::CompilePlugin => plugin::compile_child(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::error(&failure.to_string());
            failure.exit_code()
        }
    }
}

fn status(connection: &Connection) -> Result {
    let client = client::Client::new(connection)?;
    let ready = client.get("/api/v1/ready")?;
    output::line(&format!(
        "{} {}",
        client.base_url(),
        ready.get("status").and_then(|s| s.as_str()).unwrap_or("ready")
    ));
    Ok(())
}
