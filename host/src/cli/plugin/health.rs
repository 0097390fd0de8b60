//! How plugins do, and letting one go that was quarantined.

use clap::Args;
use serde_json::Value as Json;

use super::super::{
    Connection, Result,
    client::{Client, number, text},
    output,
};

#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The plugin's id.
    id: String,
    /// The version; the one in use where it is left out.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Of {
    fn get(&self, what: &str) -> Result<Json> {
        let version = self.version.as_ref().map_or(String::new(), |version| format!("?version={version}"));
        Client::new(&self.connection)?.get(&format!("/api/v1/plugins/{}/{what}{version}", self.id))
    }

    /// Prints the figures of each function.
    pub(super) fn metrics(&self) -> Result {
        let metrics = self.get("metrics")?;
        let health = metrics.get("health").unwrap_or(&Json::Null);
        output::line(&format!(
            "{} {}: {}, {} strikes, {} poison rows, {} calls refused",
            self.id,
            text(&metrics, "version"),
            text(health, "state"),
            number(health, "strikes"),
            number(&metrics, "poison_rows"),
            number(&metrics, "calls_refused"),
        ));
        let functions = metrics.get("functions").and_then(Json::as_object).into_iter().flatten();
        let rows: Vec<_> = functions.map(|(name, figures)| function(name, figures)).collect();
        output::table(["FUNCTION", "CALLS", "FAULTS", "ROWS", "P50 ms", "P95 ms", "P99 ms"], &rows);
        Ok(())
    }

    /// Prints the last lines that it wrote.
    pub(super) fn logs(&self) -> Result {
        let lines = self.get("logs")?;
        for line in lines.get("data").and_then(Json::as_array).into_iter().flatten() {
            let [at, level, function, message] =
                ["at", "level", "function", "message"].map(|name| text(line, name));
            output::line(&format!("{at} {level} {function}: {message}"));
        }
        Ok(())
    }
}

fn function(name: &str, figures: &Json) -> [String; 7] {
    let faults = figures.get("faults").and_then(Json::as_object).into_iter().flatten();
    let faults: u64 = faults.filter_map(|(_, count)| count.as_u64()).sum();
    let ms = |name: &str| format!("{:.3}", number(figures, name) as f64 / 1_000.0);
    [
        name.to_owned(),
        number(figures, "calls").to_string(),
        faults.to_string(),
        number(figures, "rows").to_string(),
        ms("p50_us"),
        ms("p95_us"),
        ms("p99_us"),
    ]
}

/// Has a plugin called again.
pub(super) fn release(id: &str, connection: &Connection) -> Result {
    let path = format!("/api/v1/plugins/{id}/release");
    let plugin = Client::new(connection)?.post(&path, &Json::Object(Default::default()))?;
    let state = plugin.get("health").map_or("healthy", |health| text(health, "state"));
    output::line(&format!("{id} {} is {state}", text(&plugin, "version")));
    Ok(())
}
