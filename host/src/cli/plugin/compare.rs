//! Comparing versions of a plugin: dry runs, replays by another version, checks of upgrades, shadows, promotion.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value as Json, json};

use super::{
    super::{
        Connection, Failure, Result,
        client::{Client, number, open, text},
        output,
    },
    succeeded,
};

/// Differing rows that are printed.
const ROWS_SHOWN: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct DryRun {
    /// The plugin's id.
    id: String,
    /// The version to evaluate; the one in use where it is left out.
    #[arg(long)]
    version: Option<String>,
    /// A file with the configuration to evaluate with, as JSON.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Another day than the one the plugin is configured with, or `now`.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Records and customers to evaluate at most.
    #[arg(long, value_name = "N")]
    records_max: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct CheckUpgrade {
    /// The plugin's id.
    id: String,
    /// The installed version to check.
    version: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Shadow {
    /// Evaluate a version beside the one in use from now on.
    Start {
        /// The plugin's id.
        id: String,
        /// The installed version.
        version: String,
        /// A file with its configuration, as JSON; that of the use where it is left out.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Say how the shadow does.
    Status {
        /// The plugin's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Say what the shadow came to for one record in the last run, beside the version in use.
    Row {
        /// The plugin's id.
        id: String,
        /// The record's id.
        record: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// End the shadow.
    Stop {
        /// The plugin's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// The plugin's id.
    id: String,
    /// Promote whatever the comparison says.
    #[arg(long)]
    ignore_thresholds: bool,
    #[command(flatten)]
    connection: Connection,
}

impl DryRun {
    pub(super) fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let mut request = Map::new();
        request.extend(self.version.as_ref().map(|version| ("version".to_owned(), json!(version))));
        request.extend(self.as_of.as_ref().map(|as_of| ("as_of".to_owned(), json!(as_of))));
        request.extend(self.records_max.map(|max| ("records_max".to_owned(), json!(max))));
        if let Some(file) = &self.config {
            request.insert("config".to_owned(), read_json(file)?);
        }
        let job = client.post(&format!("/api/v1/plugins/{}/dry-run", self.id), &Json::Object(request))?;
        let job = succeeded(client.wait_for_job(&job)?, "the dry run")?;
        let result = job.get("result").unwrap_or(&Json::Null);
        output::line(&format!("{} {}: nothing was applied", self.id, text(result, "version")));
        if let Some(results) = result.get("results").filter(|results| results.is_object()) {
            show_rows(results, "now", "with this version");
        }
        for hook in items(result, "record_hooks") {
            output::line(&format!(
                "{}: {} records judged, {} would be changed, {} refused, {} failed",
                text(hook, "object"),
                number(hook, "records"),
                number(hook, "patched"),
                number(hook, "vetoed"),
                number(hook, "failed")
            ));
        }
        if let Some(workflow) = result.get("service_workflow").filter(|workflow| workflow.is_object()) {
            let (object, records) = (text(workflow, "object"), number(workflow, "records"));
            output::line(&format!("{object}: {records} records, actions {}", counts(workflow, "actions")));
            show_refused(workflow);
        }
        for campaign in result.get("campaigns").map(|of| items(of, "campaigns")).unwrap_or_default() {
            output::line(&format!(
                "campaign {}: {} of {} customers take part, members {}, actions {}",
                text(campaign, "name"),
                number(campaign, "eligible"),
                number(campaign, "customers"),
                counts(campaign, "members"),
                counts(campaign, "actions")
            ));
            show_refused(campaign);
        }
        Ok(())
    }
}

impl CheckUpgrade {
    pub(super) fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let path = format!("/api/v1/plugins/{}/versions/{}/check", self.id, self.version);
        let job = succeeded(client.wait_for_job(&client.post(&path, &json!({}))?)?, "the check")?;
        let result = job.get("result").unwrap_or(&Json::Null);
        for run in items(result, "runs") {
            match run.get("error") {
                Some(error) => output::line(&format!("run {}: {}", text(run, "run"), text(error, "message"))),
                None => output::line(&format!(
                    "run {}: {} of {} rows differ",
                    text(run, "run"),
                    number(run, "changed"),
                    number(run, "rows")
                )),
            }
        }
        show_verdict(result, &format!("{} {}", self.id, self.version))
    }
}

impl Shadow {
    pub(super) fn run(&self) -> Result {
        match self {
            Self::Start { id, version, config, connection } => {
                let mut request = json!({ "version": version });
                if let (Some(file), Some(request)) = (config, request.as_object_mut()) {
                    request.insert("config".to_owned(), read_json(file)?);
                }
                Client::new(connection)?.post(&format!("/api/v1/plugins/{id}/shadow"), &request)?;
                output::line(&format!("{id} {version} is evaluated beside the version in use"));
                Ok(())
            }
            Self::Status { id, connection } => {
                let shadow = Client::new(connection)?.get(&format!("/api/v1/plugins/{id}/shadow"))?;
                let figures = shadow.get("figures").unwrap_or(&Json::Null);
                for (name, figure) in figures.as_object().into_iter().flatten() {
                    output::line(&format!("  {name}: {figure}"));
                }
                show_verdict(&shadow, &format!("{id} {}", text(&shadow, "version")))
            }
            Self::Row { id, record, connection } => {
                let row =
                    Client::new(connection)?.get(&format!("/api/v1/plugins/{id}/shadow/rows/{record}"))?;
                let shown = |name: &str| row.get(name).map(results).unwrap_or_default();
                output::line(&format!("run {}", text(&row, "run")));
                output::line(&format!("  recorded: {}", shown("before")));
                output::line(&format!("  shadow:   {}", shown("after")));
                Ok(())
            }
            Self::Stop { id, connection } => {
                Client::new(connection)?.delete(&format!("/api/v1/plugins/{id}/shadow"))?;
                output::line(&format!("{id} has no shadow any more"));
                Ok(())
            }
        }
    }
}

impl Promote {
    pub(super) fn run(&self) -> Result {
        let request = json!({ "ignore_thresholds": self.ignore_thresholds });
        let client = Client::new(&self.connection)?;
        let plugin = client.post(&format!("/api/v1/plugins/{}/promote", self.id), &request)?;
        output::line(&format!("{} {} is in use", self.id, text(&plugin, "version")));
        Ok(())
    }
}

/// Does a run again with a component, and prints how it differs.
pub(super) fn replay_with(client: &Client, id: &str, run: &str, component: &Path) -> Result {
    let path = format!("/api/v1/plugins/{id}/runs/{run}/replay");
    let job = client.post_stream(&path, "application/wasm", open(component)?)?;
    let job = succeeded(client.wait_for_job(&job)?, "the replay")?;
    let replay = job.pointer("/result/replay").unwrap_or(&Json::Null);
    let (changed, rows) = (number(replay, "changed"), number(replay, "rows"));
    if changed == 0 {
        output::line(&format!("the same results for {rows} rows"));
        return Ok(());
    }
    show_rows(replay, "recorded", "replayed");
    Err(Failure::Incomplete(format!("{changed} of {rows} rows differ")))
}

fn show_rows(diff: &Json, before: &str, after: &str) {
    output::line(&format!("{} of {} rows differ", number(diff, "changed"), number(diff, "rows")));
    for (name, output) in diff.get("outputs").and_then(Json::as_object).into_iter().flatten() {
        let counts =
            ["same", "gained", "lost", "changed"].map(|what| format!("{what} {}", number(output, what)));
        output::line(&format!("  {name}: {}", counts.join(", ")));
        if let Some(change) = output.get("change").filter(|_| number(output, "changed") > 0) {
            let figure = |name: &str| change.get(name).and_then(Json::as_f64).unwrap_or_default();
            output::line(&format!(
                "    mean |change| {:.4}, median {:.4}, greatest {:.4}",
                figure("mean_size"),
                figure("median_size"),
                figure("max_size")
            ));
        }
        for cell in items(output, "matrix").iter().filter(|cell| cell.get("from") != cell.get("to")) {
            let value = |name: &str| cell.get(name).and_then(Json::as_str).unwrap_or("-").to_owned();
            output::line(&format!("    {} → {}: {}", value("from"), value("to"), number(cell, "count")));
        }
    }
    let rows: Vec<[String; 4]> = items(diff, "first_rows")
        .iter()
        .take(ROWS_SHOWN)
        .map(|row| {
            let shown = |name: &str| row.get(name).map(results).unwrap_or_default();
            [text(row, "id").to_owned(), text(row, "name").to_owned(), shown("before"), shown("after")]
        })
        .collect();
    if !rows.is_empty() {
        output::table(["RECORD", "NAME", &before.to_uppercase(), &after.to_uppercase()], &rows);
    }
}

/// The results of a row, by output.
fn results(row: &Json) -> String {
    let results = row.as_object().into_iter().flatten().map(|(output, result)| match result {
        Json::Null => format!("{output} -"),
        Json::String(value) => format!("{output} {value}"),
        Json::Number(value) if value.is_f64() => {
            format!("{output} {:.4}", value.as_f64().unwrap_or_default())
        }
        other => format!("{output} {other}"),
    });
    results.collect::<Vec<_>>().join(", ")
}

fn show_refused(of: &Json) {
    for (kind, message) in of.get("refused").and_then(Json::as_object).into_iter().flatten() {
        output::line(&format!(
            "  {kind} would be refused · 将被拒绝: {} · {}",
            text(message, "en"),
            text(message, "zh-CN")
        ));
    }
}

/// Prints what a comparison means for a promotion; says so in the exit status too.
fn show_verdict(of: &Json, what: &str) -> Result {
    let verdict = of.get("verdict").unwrap_or(&Json::Null);
    output::line(&format!(
        "{} of {} rows and {} of {} decisions differ, {} faults",
        number(verdict, "rows_changed"),
        number(verdict, "rows"),
        number(verdict, "decisions_changed"),
        number(verdict, "decisions"),
        number(verdict, "faults")
    ));
    if verdict.get("may_be_promoted").and_then(Json::as_bool) == Some(true) {
        output::line(&format!("{what} may be promoted"));
        return Ok(());
    }
    for reason in items(verdict, "against") {
        output::line(&format!("  {} · {}", text(reason, "en"), text(reason, "zh-CN")));
    }
    Err(Failure::Incomplete(format!("{what} is not ready to be promoted")))
}

fn items<'a>(of: &'a Json, name: &str) -> &'a [Json] {
    of.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn counts(of: &Json, name: &str) -> String {
    let counts = of.get(name).and_then(Json::as_object).into_iter().flatten();
    let counts: Vec<_> = counts.map(|(kind, count)| format!("{kind} {count}")).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

fn read_json(file: &Path) -> Result<Json> {
    serde_json::from_reader(open(file)?)
        .map_err(|error| Failure::Message(format!("{}: {error}", file.display())))
}
