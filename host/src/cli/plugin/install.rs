//! Bringing a plugin to a server, and what is there.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value as Json, json};

use super::super::{
    Connection, Failure, Result,
    client::{Client, open, text},
    output,
};

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

pub(super) fn list(connection: &Connection) -> Result {
    let plugins = Client::new(connection)?.get("/api/v1/plugins")?;
    let rows = plugins.get("data").and_then(Json::as_array).into_iter().flatten();
    let row = |plugin: &Json| {
        let [id, version, state] = ["id", "version", "state"].map(|name| text(plugin, name).to_owned());
        let health = plugin.get("health").map_or("", |health| text(health, "state")).to_owned();
        [id, version, state, health]
    };
    output::table(["PLUGIN", "VERSION", "STATE", "HEALTH"], &rows.map(row).collect::<Vec<_>>());
    Ok(())
}

impl Install {
    pub(super) fn run(&self) -> Result {
        let config: Json = serde_json::from_str(&self.config)
            .map_err(|error| Failure::Message(format!("--config is not JSON: {error}")))?;
        let client = Client::new(&self.connection)?;
        let plugin = client.post_stream("/api/v1/plugins", "application/wasm", open(&self.file)?)?;
        let id = text(&plugin, "id");
        // The version that was uploaded; another one may be in use.
        let version = plugin.pointer("/review/version").and_then(Json::as_str).unwrap_or_default();
        output::line(&format!("{id} {version} installed"));
        if self.enable {
            let settings = json!({ "as_of": self.as_of, "config": config });
            client.post(&format!("/api/v1/plugins/{id}/enable"), &settings)?;
            output::line(&format!("{id} enabled, as of {}", self.as_of));
        }
        Ok(())
    }
}
