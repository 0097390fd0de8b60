//! Running a plugin, and what its runs were.

use clap::Args;
use serde_json::{Value as Json, json};

use super::{
    super::{
        Connection, Failure, Result,
        client::{Client, number, text},
        output,
    },
    succeeded,
};

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

pub(super) fn runs(id: &str, connection: &Connection) -> Result {
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

pub(super) fn replay(
    id: &str,
    run: Option<&str>,
    with: Option<&std::path::Path>,
    connection: &Connection,
) -> Result {
    let client = Client::new(connection)?;
    let run = match run {
        Some(run) => run.to_owned(),
        None => {
            let runs = client.get(&format!("/api/v1/plugins/{id}/runs?limit=1"))?;
            let newest = runs.get("data").and_then(Json::as_array).and_then(|runs| runs.first());
            text(newest.ok_or_else(|| Failure::Message(format!("{id} was never run")))?, "run").to_owned()
        }
    };
    if let Some(component) = with {
        return super::compare::replay_with(&client, id, &run, component);
    }
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

impl Run {
    pub(super) fn run(&self) -> Result {
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
