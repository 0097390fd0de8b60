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
        let job = client.wait_for_job(&job)?;
        if text(&job, "state") != "succeeded" {
            let error = job.get("error").unwrap_or(&Json::Null);
            return Err(Failure::Message(format!(
                "the run {}: {}",
                text(&job, "state"),
                text(error, "message")
            )));
        }
        self.show_segmentations(&client, job.get("result").unwrap_or(&Json::Null))
    }

    /// Prints how many customers have which value, for segmentations with few values.
    fn show_segmentations(&self, client: &Client, result: &Json) -> Result {
        output::line(&format!("{} customers segmented by {}", number(result, "customers"), self.id));
        let segmentations = client.get("/api/v1/segmentations")?;
        let prefix = format!("{}__", self.id.replace('-', "_"));
        for segmentation in segmentations.get("data").and_then(Json::as_array).into_iter().flatten() {
            let values: Vec<&Json> =
                segmentation.get("values").and_then(Json::as_array).into_iter().flatten().collect();
            if text(segmentation, "name").starts_with(&prefix) && values.len() <= 9 {
                let counts =
                    values.iter().map(|value| format!("{} {}", text(value, "value"), number(value, "count")));
                output::line(&format!(
                    "  {}: {}",
                    text(segmentation, "name"),
                    counts.collect::<Vec<_>>().join(", ")
                ));
            }
        }
        Ok(())
    }
}
