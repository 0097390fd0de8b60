//! `trellis plugin`: one file a group of commands.

mod answers;
mod author;
mod brought;
mod compare;
mod folder;
mod health;
mod install;
mod lifecycle;
mod model;
mod report;
mod review;
mod run;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value as Json;

use super::{Connection, Failure, Result, client::text};

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Build a plugin's folder into one .wasm file that carries its manifest.
    Build {
        /// The folder with Cargo.toml and plugin.toml.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// The file to write; by default plugins/<id>.wasm in cargo's target folder.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make the folder of a new plugin: a small one that works, with the SDK in it. Needs no server.
    New(author::New),
    /// Check a plugin: manifest, interfaces, imports and what they mean, size, what its author may have forgotten. Needs no server.
    Check(author::Check),
    /// Run a plugin's golden cases, and try the laws that every plugin has to keep to. Needs no server.
    Test(author::Test),
    /// Measure what a plugin's calls cost: time, fuel and memory, beside what they may cost. Needs no server.
    Bench(author::Bench),
    /// Upload a plugin to a server; with --enable also switch it on.
    Install(install::Install),
    /// List the plugins of a server.
    List(Connection),
    /// Say what a version reads and may do, its limits, what it brings, and what is different from the version in use.
    Review(review::Review),
    /// Show how a plugin stands and is used: settings, health, schedule, what happens while it cannot be called.
    Show(review::Show),
    /// Switch a plugin on, or change how it is used.
    Enable(lifecycle::Enable),
    /// Have another version take over, with the settings in use where nothing else is said.
    Upgrade(lifecycle::Upgrade),
    /// Bring back how a plugin was used before: version, configuration, grants, results.
    RollBack(lifecycle::RollBack),
    /// Switch a plugin off. Its results stay readable.
    Disable(lifecycle::Chosen),
    /// Remove a plugin, or one version of it. What it put out stays readable.
    Remove(lifecycle::Remove),
    /// List the installed versions of a plugin.
    Versions(lifecycle::Chosen),
    /// List how a plugin was used, the newest first.
    History(lifecycle::Chosen),
    /// Run a plugin over all customers and wait for the result.
    Run(run::Run),
    /// Models: fit one, list them, pin one, go back to one.
    #[command(subcommand)]
    Model(model::Model),
    /// Show what a plugin learned: figures and tables of the model in use, or of another one.
    Report(report::Report),
    /// Have a plugin answer a question about all customers, wait for it and print the answer; without a question, list them.
    Analyse(report::Analyse),
    /// Answers that were given before: list those to a question, print one, delete one or all of them.
    Answers(answers::Answers),
    /// List the runs of a plugin, the newest first.
    Runs {
        /// The plugin's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Have a plugin called again that was quarantined or is left alone after faults.
    Release {
        /// The plugin's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show what a plugin did since the start of the server: calls, faults, times.
    Metrics(health::Of),
    /// Show the last lines that a plugin wrote.
    Logs(health::Of),
    /// Compute a run again from its recorded inputs and say whether the same comes out.
    Replay {
        /// The plugin's id.
        id: String,
        /// The run's id; the newest run where it is left out.
        run: Option<String>,
        /// A component to compute it with instead, which need not be installed; prints every difference.
        #[arg(long, value_name = "FILE")]
        with: Option<PathBuf>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Evaluate a version over the real data and say what would change; applies nothing.
    DryRun(compare::DryRun),
    /// Do the last runs and decisions again with another version and say whether it may be promoted.
    CheckUpgrade(compare::CheckUpgrade),
    /// Evaluate a version beside the one in use.
    #[command(subcommand)]
    Shadow(compare::Shadow),
    /// Use the version of a plugin's shadow from now on.
    Promote(compare::Promote),
}

impl Plugin {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Build { folder, out } => folder::build(folder, out.as_ref()),
            Self::New(new) => new.run(),
            Self::Check(check) => check.run(),
            Self::Test(test) => test.run(),
            Self::Bench(bench) => bench.run(),
            Self::Install(install) => install.run(),
            Self::List(connection) => install::list(connection),
            Self::Review(review) => review.run(),
            Self::Show(show) => show.run(),
            Self::Enable(enable) => enable.run(),
            Self::Upgrade(upgrade) => upgrade.run(),
            Self::RollBack(roll_back) => roll_back.run(),
            Self::Disable(chosen) => chosen.disable(),
            Self::Remove(remove) => remove.run(),
            Self::Versions(chosen) => chosen.versions(),
            Self::History(chosen) => chosen.history(),
            Self::Run(run) => run.run(),
            Self::Model(model) => model.run(),
            Self::Report(report) => report.run(),
            Self::Analyse(analyse) => analyse.run(),
            Self::Answers(answers) => answers.run(),
            Self::Runs { id, connection } => run::runs(id, connection),
            Self::Release { id, connection } => health::release(id, connection),
            Self::Metrics(of) => of.metrics(),
            Self::Logs(of) => of.logs(),
            Self::Replay { id, run, with, connection } => {
                run::replay(id, run.as_deref(), with.as_deref(), connection)
            }
            Self::DryRun(dry_run) => dry_run.run(),
            Self::CheckUpgrade(check) => check.run(),
            Self::Shadow(shadow) => shadow.run(),
            Self::Promote(promote) => promote.run(),
        }
    }
}

/// Entry of the process in which the server compiles a plugin.
pub(crate) fn compile_child() -> Result {
    trellis_plugin_host::compile_child(std::io::stdin().lock(), std::io::stdout().lock())
        .map_err(Failure::Message)
}

/// The job, if it came to a good end.
fn succeeded(job: Json, what: &str) -> Result<Json> {
    if text(&job, "state") == "succeeded" {
        return Ok(job);
    }
    let error = job.get("error").unwrap_or(&Json::Null);
    Err(Failure::Message(format!("{what} {}: {}", text(&job, "state"), text(error, "message"))))
}
