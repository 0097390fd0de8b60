use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::client::{Client, number, open, text};
use super::{Connection, Failure, Result, output};

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
    /// Check a .wasm file: manifest, interfaces, imports, size. Needs no server.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Upload a plugin to a server; with --enable also switch it on.
    Install(Install),
    /// List the plugins of a server.
    List(Connection),
    /// Run a plugin over all customers and wait for the result.
    Run(Run),
    /// List the runs of a plugin, the newest first.
    Runs {
        /// The plugin's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Compute a run again from its recorded inputs and say whether the same comes out.
    Replay {
        /// The plugin's id.
        id: String,
        /// The run's id; the newest run where it is left out.
        run: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// The .wasm file.
    file: PathBuf,
    /// Switch it on.
    #[arg(long)]
    enable: bool,
    /// The day up to which data counts (inclusive), or `now`.
    #[arg(long, value_name = "DATE", default_value = "now", requires = "enable")]
    as_of: String,
    /// Its configuration as JSON.
    #[arg(long, value_name = "JSON", default_value = "{}", requires = "enable")]
    config: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The plugin's id.
    id: String,
    /// Another day than the one it is configured with, or `now`; for this run only.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Plugin {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Build { folder, out } => build(folder, out.as_ref()),
            Self::Check { file } => check(file),
            Self::Install(install) => install.run(),
            Self::List(connection) => list(connection),
            Self::Run(run) => run.run(),
            Self::Runs { id, connection } => runs(id, connection),
            Self::Replay { id, run, connection } => replay(id, run.as_deref(), connection),
        }
    }
}

/// Entry of the process in which the server compiles a plugin.
pub(crate) fn compile_child() -> Result {
    trellis_plugin_host::compile_child(std::io::stdin().lock(), std::io::stdout().lock())
        .map_err(Failure::Message)
}

fn build(folder: &std::path::Path, out: Option<&PathBuf>) -> Result {
    let options = trellis_plugin_build::BuildOptions { out: out.cloned() };
    output::note(&format!(
        "building {}; the first build of a machine may take a minute or two",
        folder.display()
    ));
    let built =
        trellis_plugin_build::build(folder, &options).map_err(|error| Failure::Message(error.to_string()))?;
    output::line(&format!(
        "{} {}: {} ({} KiB)",
        built.id,
        built.version,
        built.path.display(),
        built.size_bytes.div_ceil(1024)
    ));
    Ok(())
}

fn check(file: &std::path::Path) -> Result {
    let read = |error| Failure::Message(format!("cannot read {}: {error}", file.display()));
    let wasm = std::fs::read(file).map_err(read)?;
    let inspection =
        trellis_plugin_host::inspect(&wasm).map_err(|error| Failure::Message(error.to_string()))?;
    let manifest = &inspection.manifest;
    output::line(&format!(
        "{} {}: {} ({})",
        manifest.id, manifest.version, manifest.name.en, manifest.name.zh_cn
    ));
    output::line(&format!("  exports  {}", inspection.exports.join(", ")));
    output::line(&format!("  imports  {}", inspection.imports.join(", ")));
    output::line(&format!(
        "  size     {} KiB in {} core modules",
        inspection.bytes.div_ceil(1024),
        inspection.core_modules
    ));
    output::line(&format!(
        "  built    {}",
        inspection.sdk.as_deref().unwrap_or("by an SDK that does not name itself")
    ));
    output::line(&format!("  digest   {}", inspection.digest));
    Ok(())
}

fn list(connection: &Connection) -> Result {
    let plugins = Client::new(connection)?.get("/api/v1/plugins")?;
    let rows = plugins.get("data").and_then(Json::as_array).into_iter().flatten();
    let rows: Vec<_> =
        rows.map(|plugin| ["id", "version", "state"].map(|name| text(plugin, name).to_owned())).collect();
    output::table(["PLUGIN", "VERSION", "STATE"], &rows);
    Ok(())
}

fn runs(id: &str, connection: &Connection) -> Result {
    let runs = Client::new(connection)?.get(&format!("/api/v1/plugins/{id}/runs"))?;
    let rows = runs.get("data").and_then(Json::as_array).into_iter().flatten().map(|run| {
        let kept = run.get("can_be_replayed").and_then(Json::as_bool).unwrap_or_default();
        let inputs = if kept { "kept" } else { "expired" };
        let columns = ["run", "version", "as_of"].map(|name| text(run, name).to_owned());
        let [run, version, as_of] = columns;
        [run, version, as_of, inputs.to_owned()]
    });
    output::table(["RUN", "VERSION", "AS OF", "INPUTS"], &rows.collect::<Vec<_>>());
    Ok(())
}

fn replay(id: &str, run: Option<&str>, connection: &Connection) -> Result {
    let client = Client::new(connection)?;
    let run = match run {
        Some(run) => run.to_owned(),
        None => {
            let runs = client.get(&format!("/api/v1/plugins/{id}/runs?limit=1"))?;
            let newest = runs.get("data").and_then(Json::as_array).and_then(|runs| runs.first());
            text(newest.ok_or_else(|| Failure::Message(format!("{id} was never run")))?, "run").to_owned()
        }
    };
    let job = client.post(&format!("/api/v1/plugins/{id}/runs/{run}/replay"), &json!({}))?;
    let job = succeeded(client.wait_for_job(&job)?, "the replay")?;
    let result = job.get("result").unwrap_or(&Json::Null);
    let rows = number(result, "rows");
    if result.get("same").and_then(Json::as_bool) == Some(true) {
        output::line(&format!("the same bytes for {rows} customers ({})", text(result, "outputs_digest")));
        return Ok(());
    }
    let shown = serde_json::to_string_pretty(result).map_err(|error| Failure::Message(error.to_string()))?;
    output::line(&shown);
    Err(Failure::Incomplete(format!("{} of {rows} customers differ", number(result, "differing"))))
}

/// The job, if it came to a good end.
fn succeeded(job: Json, what: &str) -> Result<Json> {
    if text(&job, "state") == "succeeded" {
        return Ok(job);
    }
    let error = job.get("error").unwrap_or(&Json::Null);
    Err(Failure::Message(format!("{what} {}: {}", text(&job, "state"), text(error, "message"))))
}

impl Install {
    fn run(&self) -> Result {
        let config: Json = serde_json::from_str(&self.config)
            .map_err(|error| Failure::Message(format!("--config is not JSON: {error}")))?;
        let client = Client::new(&self.connection)?;
        let plugin = client.post_stream("/api/v1/plugins", "application/wasm", open(&self.file)?)?;
        let id = text(&plugin, "id");
        output::line(&format!("{id} {} installed", text(&plugin, "version")));
        if self.enable {
            let settings = json!({ "as_of": self.as_of, "config": config });
            client.post(&format!("/api/v1/plugins/{id}/enable"), &settings)?;
            output::line(&format!("{id} enabled, as of {}", self.as_of));
        }
        Ok(())
    }
}

impl Run {
    fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let request = self.as_of.as_ref().map_or_else(|| json!({}), |as_of| json!({ "as_of": as_of }));
        let job = client.post(&format!("/api/v1/plugins/{}/run", self.id), &request)?;
        let job = succeeded(client.wait_for_job(&job)?, "the run")?;
        let customers = number(job.get("result").unwrap_or(&Json::Null), "customers");
        output::line(&format!("{} has decided for {customers} customers", self.id));
        self.show_counts(&client.get("/api/v1/segmentations")?, "values");
        self.show_counts(&client.get("/api/v1/scores")?, "bands");
        Ok(())
    }

    /// Prints how many customers have which value or are in which band, where there are few of them.
    fn show_counts(&self, outputs: &Json, parts: &str) {
        let prefix = format!("{}__", self.id.replace('-', "_"));
        for output in outputs.get("data").and_then(Json::as_array).into_iter().flatten() {
            let values: Vec<&Json> =
                output.get(parts).and_then(Json::as_array).into_iter().flatten().collect();
            if text(output, "name").starts_with(&prefix) && (1..=9).contains(&values.len()) {
                let counts =
                    values.iter().map(|value| format!("{} {}", text(value, "value"), number(value, "count")));
                output::line(&format!(
                    "  {}: {}",
                    text(output, "name"),
                    counts.collect::<Vec<_>>().join(", ")
                ));
            }
        }
    }
}
