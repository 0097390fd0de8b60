//! Which version of a plugin serves, and how: review, enable, upgrade, roll back, disable, remove.

use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::{
    super::{
        Connection, Failure, Result,
        client::{Client, number, text},
        output,
    },
    review::{list, show_steps},
    succeeded,
};

/// Characters of a digest that are shown.
const DIGEST_CHARS: usize = 12;

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The plugin's id.
    id: String,
    #[command(flatten)]
    connection: Connection,
}

/// How a switch is meant.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// Its configuration as JSON.
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
    /// One thing that it is granted, as `trellis plugin review` names it; may be given several times.
    #[arg(long = "grant", value_name = "GRANT")]
    grants: Vec<String>,
    /// What happens while it cannot be called, such as record-hook=accept; may be given several times.
    #[arg(long, value_name = "FOR=POLICY", value_parser = assignment)]
    absent: Vec<(String, String)>,
    /// What happens when the version is quarantined: stay, or roll-back.
    #[arg(long, value_name = "POLICY")]
    on_quarantine: Option<String>,
    /// Steps of the schema that take something out of use are meant.
    #[arg(long)]
    confirm: bool,
    /// Switch the rules on that it ships.
    #[arg(long)]
    enable_rules: bool,
    /// Use it although tests of its own fail.
    #[arg(long)]
    ignore_self_tests: bool,
    /// Run it at once over all customers, and wait for the result: until then its results are those of the last run.
    #[arg(long)]
    run: bool,
    /// Why, for the history.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Enable {
    /// The plugin's id.
    id: String,
    /// The version; the newest one that is not broken where it is left out.
    #[arg(long)]
    version: Option<String>,
    /// The day up to which data counts (inclusive), or `now`.
    #[arg(long, value_name = "DATE", default_value = "now")]
    as_of: String,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// The plugin's id.
    id: String,
    /// The version; the newest one that is not broken where it is left out.
    version: Option<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct RollBack {
    /// The plugin's id.
    id: String,
    /// The number of a switch in `trellis plugin history`; the one before where it is left out.
    #[arg(long, value_name = "NUMBER")]
    switch: Option<u64>,
    /// Why, for the history.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The plugin's id.
    id: String,
    /// Only this version.
    #[arg(long)]
    version: Option<String>,
    /// Remove it although it is enabled.
    #[arg(long, conflicts_with = "version")]
    force: bool,
    #[command(flatten)]
    connection: Connection,
}

impl How {
    fn body(&self) -> Result<Map<String, Json>> {
        let mut body = Map::new();
        if let Some(config) = &self.config {
            let config: Json = serde_json::from_str(config)
                .map_err(|error| Failure::Message(format!("--config is not JSON: {error}")))?;
            body.insert("config".into(), config);
        }
        if !self.grants.is_empty() {
            body.insert("grants".into(), json!(self.grants));
        }
        if !self.absent.is_empty() {
            let named = self.absent.iter().map(|(of, policy)| (of.clone(), json!(policy)));
            body.insert("absent".into(), Json::Object(named.collect()));
        }
        if let Some(policy) = &self.on_quarantine {
            body.insert("on_quarantine".into(), json!(policy));
        }
        if let Some(reason) = &self.reason {
            body.insert("reason".into(), json!(reason));
        }
        let flags = [
            ("confirm", self.confirm),
            ("enable_rules", self.enable_rules),
            ("ignore_self_tests", self.ignore_self_tests),
            ("run", self.run),
        ];
        body.extend(flags.into_iter().filter(|(_, on)| *on).map(|(name, on)| (name.to_owned(), json!(on))));
        Ok(body)
    }
}

impl Enable {
    pub(super) fn run(&self) -> Result {
        let mut body = self.how.body()?;
        body.insert("as_of".into(), json!(self.as_of));
        body.extend(self.version.iter().map(|version| ("version".to_owned(), json!(version))));
        let path = format!("/api/v1/plugins/{}/enable", self.id);
        let client = Client::new(&self.connection)?;
        let plugin = client.post(&path, &Json::Object(body))?;
        show_switched(&plugin, "enabled");
        show_run(&client, &plugin)
    }
}

impl Upgrade {
    pub(super) fn run(&self) -> Result {
        let mut body = self.how.body()?;
        body.extend(self.version.iter().map(|version| ("version".to_owned(), json!(version))));
        let path = format!("/api/v1/plugins/{}/upgrade", self.id);
        let client = Client::new(&self.connection)?;
        let plugin = client.post(&path, &Json::Object(body))?;
        show_switched(&plugin, "serves");
        show_run(&client, &plugin)
    }
}

impl RollBack {
    pub(super) fn run(&self) -> Result {
        let path = format!("/api/v1/plugins/{}/roll-back", self.id);
        let body = json!({ "switch": self.switch, "reason": self.reason });
        let plugin = Client::new(&self.connection)?.post(&path, &body)?;
        show_switched(&plugin, "serves again");
        match text(&plugin, "serving_run") {
            "" => output::note("no results of it are kept: run it"),
            run => output::line(&format!("the results of run {run} count again")),
        }
        Ok(())
    }
}

impl Chosen {
    pub(super) fn disable(&self) -> Result {
        let path = format!("/api/v1/plugins/{}/disable", self.id);
        Client::new(&self.connection)?.post(&path, &json!({}))?;
        output::line(&format!("{} disabled; its results stay readable", self.id));
        Ok(())
    }

    pub(super) fn versions(&self) -> Result {
        let plugin = Client::new(&self.connection)?.get(&format!("/api/v1/plugins/{}", self.id))?;
        let in_use = plugin.get("settings").map(|settings| text(settings, "version")).unwrap_or_default();
        let rows = list(&plugin, "versions").map(|version| {
            let name = text(version, "version");
            let place = match name {
                name if name == in_use => text(&plugin, "state"),
                name if name == text(&plugin, "previous") => "previous",
                _ => "installed",
            };
            let digest: String = text(version, "digest").chars().take(DIGEST_CHARS).collect();
            let kib = number(version, "bytes").div_ceil(1024).to_string();
            [name.to_owned(), place.to_owned(), kib, digest, text(version, "installed_at").to_owned()]
        });
        output::table(["VERSION", "STATE", "KIB", "DIGEST", "INSTALLED"], &rows.collect::<Vec<_>>());
        Ok(())
    }

    pub(super) fn history(&self) -> Result {
        let switches =
            Client::new(&self.connection)?.get(&format!("/api/v1/plugins/{}/switches", self.id))?;
        let rows = list(&switches, "data").map(|switch| {
            let is = |name: &str| switch.get(name).and_then(Json::as_bool).unwrap_or_default();
            let place = match (is("current"), is("previous")) {
                (true, _) => "in use",
                (_, true) => "previous",
                _ => "",
            };
            [
                number(switch, "switch").to_string(),
                text(switch, "kind").to_owned(),
                text(switch, "version").to_owned(),
                place.to_owned(),
                text(switch, "timestamp").to_owned(),
                text(switch, "reason").to_owned(),
            ]
        });
        output::table(["SWITCH", "KIND", "VERSION", "STATE", "WHEN", "WHY"], &rows.collect::<Vec<_>>());
        Ok(())
    }
}

impl Remove {
    pub(super) fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        if let Some(version) = &self.version {
            client.delete(&format!("/api/v1/plugins/{}/versions/{version}", self.id))?;
            output::line(&format!("{} {version} removed", self.id));
            return Ok(());
        }
        let removed = client.delete(&format!("/api/v1/plugins/{}?force={}", self.id, self.force))?;
        output::line(&format!("{} removed; what it put out stays readable", self.id));
        show_steps(&removed);
        Ok(())
    }
}

fn show_switched(plugin: &Json, what: &str) {
    output::line(&format!("{} {} {what}", text(plugin, "id"), text(plugin, "version")));
    show_steps(plugin);
    for rule in list(plugin, "rules") {
        output::line(&format!("  rule {}: {}", text(rule, "external_id"), text(rule, "state")));
    }
}

/// `FOR=POLICY`.
fn assignment(text: &str) -> std::result::Result<(String, String), String> {
    let (of, policy) =
        text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form FOR=POLICY"))?;
    Ok((of.to_owned(), policy.to_owned()))
}

/// Waits for the run that was asked for with a switch.
fn show_run(client: &Client, plugin: &Json) -> Result {
    if let Some(problem) = plugin.get("run_problem").filter(|problem| problem.is_object()) {
        return Err(Failure::Incomplete(format!("it was not run: {}", text(problem, "message"))));
    }
    let run = text(plugin, "run");
    if run.is_empty() {
        return Ok(());
    }
    let job = client.get(&format!("/api/v1/jobs/{run}"))?;
    let job = succeeded(client.wait_for_job(&job)?, "the run")?;
    let customers = number(job.get("result").unwrap_or(&Json::Null), "customers");
    output::line(&format!("{} has decided for {customers} customers", text(plugin, "id")));
    Ok(())
}
