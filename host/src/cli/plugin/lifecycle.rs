//! Which version of a plugin serves, and how: review, enable, upgrade, roll back, disable, remove.

use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::super::{
    Connection, Failure, Result,
    client::{Client, number, text},
    output,
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

#[derive(Debug, Args)]
pub(crate) struct Review {
    /// The plugin's id.
    id: String,
    /// The version; the newest one where it is left out.
    version: Option<String>,
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
    /// Steps of the schema that take something out of use are meant.
    #[arg(long)]
    confirm: bool,
    /// Switch the rules on that it ships.
    #[arg(long)]
    enable_rules: bool,
    /// Use it although tests of its own fail.
    #[arg(long)]
    ignore_self_tests: bool,
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
        if let Some(reason) = &self.reason {
            body.insert("reason".into(), json!(reason));
        }
        let flags = [
            ("confirm", self.confirm),
            ("enable_rules", self.enable_rules),
            ("ignore_self_tests", self.ignore_self_tests),
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
        let plugin = Client::new(&self.connection)?.post(&path, &Json::Object(body))?;
        show_switched(&plugin, "enabled");
        Ok(())
    }
}

impl Upgrade {
    pub(super) fn run(&self) -> Result {
        let mut body = self.how.body()?;
        body.extend(self.version.iter().map(|version| ("version".to_owned(), json!(version))));
        let path = format!("/api/v1/plugins/{}/upgrade", self.id);
        let plugin = Client::new(&self.connection)?.post(&path, &Json::Object(body))?;
        show_switched(&plugin, "serves");
        Ok(())
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

impl Review {
    pub(super) fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let version = match &self.version {
            Some(version) => version.clone(),
            None => {
                let plugin = client.get(&format!("/api/v1/plugins/{}", self.id))?;
                let newest = list(&plugin, "versions").next().map(|version| text(version, "version"));
                newest.unwrap_or_default().to_owned()
            }
        };
        show_review(&client.get(&format!("/api/v1/plugins/{}/versions/{version}/review", self.id))?);
        Ok(())
    }
}

/// Prints a review in both languages.
pub(super) fn show_review(review: &Json) {
    output::line(&format!(
        "{} {}: {}",
        text(review, "plugin"),
        text(review, "version"),
        both(review, "name")
    ));
    let mib = number(review, "bytes").div_ceil(1024);
    let wasi = if review.get("wasi") == Some(&json!(true)) { ", WASI with nothing behind it" } else { "" };
    output::line(&format!(
        "  {mib} KiB, trellis:plugin {}, {}{wasi}",
        text(review, "wit"),
        some(text(review, "sdk"), "an SDK that does not name itself")
    ));
    output::line("asks for · 请求");
    for asked in list(review, "requests") {
        output::line(&format!("  {}", text(asked, "grant")));
        output::line(&format!("      {}", both(asked, "text")));
        for field in list(asked, "fields") {
            let personal = field.get("personal") == Some(&json!(true));
            let mark = if personal { "  personal data · 个人信息" } else { "" };
            let label = field.get("label").filter(|label| label.is_object());
            let label = label.map_or_else(|| "not on this server · 本服务器没有此字段".to_owned(), pair);
            output::line(&format!("      {}: {label}{mark}", text(field, "name")));
        }
    }
    show_limits(review);
    for output in list(review, "outputs") {
        output::line(&format!("puts out · 输出 {}: {}", text(output, "name"), both(output, "label")));
    }
    show_steps(review);
    for rule in list(review, "rules") {
        let id = text(rule, "external_id");
        output::line(&format!("rule · 规则 {id} ({}): {}", text(rule, "state"), both(rule, "name")));
    }
    if let Some(tests) = review.get("tests") {
        output::line(&format!("tests · 自测: {}", both(tests, "summary")));
        for case in list(tests, "cases").filter(|case| case.get("passed") != Some(&json!(true))) {
            let problems: Vec<String> = list(case, "problems").map(pair).collect();
            output::line(&format!("  ! {}: {}", text(case, "name"), problems.join("; ")));
        }
    }
    if let Some(diff) = review.get("diff").filter(|diff| diff.is_object()) {
        show_diff(diff);
    }
}

fn show_limits(review: &Json) {
    output::line("may use · 资源限制");
    for (class, limits) in review.get("limits").and_then(Json::as_object).into_iter().flatten() {
        output::line(&format!(
            "  {class}: {} MiB memory, {} ms + {} µs a row, {} rows, {} look-ups, {} actions a call",
            number(limits, "memory_bytes_max") >> 20,
            number(limits, "cpu_ms_max"),
            number(limits, "cpu_us_per_row"),
            number(limits, "rows_max"),
            number(limits, "lookups_max"),
            number(limits, "actions_per_call_max"),
        ));
    }
}

fn show_diff(diff: &Json) {
    output::line(&format!("different from · 与此版本不同 {}", text(diff, "from")));
    for part in ["requests", "settings", "outputs", "provides", "imports"] {
        let names = diff.get(part).unwrap_or(&Json::Null);
        for (sign, kind) in [("+", "added"), ("-", "removed")] {
            for name in list(names, kind) {
                output::line(&format!("  {sign} {part}: {}", name.as_str().unwrap_or_default()));
            }
        }
    }
    for (part, shown) in [
        ("settings_changed", "changed setting · 设置有变化"),
        ("config_problems", "configuration in use · 当前配置"),
        ("ungranted", "not granted yet · 尚未授予"),
    ] {
        for name in list(diff, part) {
            output::line(&format!("  ! {shown}: {}", name.as_str().unwrap_or_default()));
        }
    }
}

fn show_switched(plugin: &Json, what: &str) {
    output::line(&format!("{} {} {what}", text(plugin, "id"), text(plugin, "version")));
    show_steps(plugin);
    for rule in list(plugin, "rules") {
        output::line(&format!("  rule {}: {}", text(rule, "external_id"), text(rule, "state")));
    }
}

fn show_steps(answer: &Json) {
    let schema = answer.get("schema").unwrap_or(&Json::Null);
    for step in list(schema, "steps") {
        let sign = if step.get("destructive") == Some(&json!(true)) { "!" } else { " " };
        output::line(&format!("{sign} schema · 结构: {}", both(step, "text")));
    }
    for reason in list(schema, "refused") {
        output::line(&format!("! schema · 结构: {}", pair(reason)));
    }
}

fn list<'a>(json: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    json.get(name).and_then(Json::as_array).into_iter().flatten()
}

/// A text in both languages.
fn both(json: &Json, name: &str) -> String {
    pair(json.get(name).unwrap_or(&Json::Null))
}

fn pair(label: &Json) -> String {
    match (text(label, "en"), text(label, "zh-CN")) {
        (en, zh) if en == zh || zh.is_empty() => en.to_owned(),
        (en, zh) => format!("{en} · {zh}"),
    }
}

fn some<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}
