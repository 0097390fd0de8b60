//! What there is to know about a plugin: a version before it is enabled, and how the plugin stands.

use clap::Args;
use serde_json::{Value as Json, json};

use super::super::{
    Connection, Result,
    client::{Client, number, text},
    output,
};

#[derive(Debug, Args)]
pub(crate) struct Show {
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

impl Show {
    /// Prints how a plugin stands and is used.
    pub(super) fn run(&self) -> Result {
        let plugin = Client::new(&self.connection)?.get(&format!("/api/v1/plugins/{}", self.id))?;
        let (id, version) = (text(&plugin, "id"), text(&plugin, "version"));
        output::line(&format!("{id} {version} ({}): {}", text(&plugin, "state"), both(&plugin, "name")));
        if let Some(reason) = plugin.get("broken").and_then(Json::as_str) {
            output::line(&format!("  ! {reason}"));
        }
        let settings = plugin.get("settings").filter(|settings| settings.is_object());
        if let Some(settings) = settings {
            let config = settings.get("config").unwrap_or(&Json::Null);
            output::line(&format!("as of · 数据截至 {}, config · 配置 {config}", text(settings, "as_of")));
            let on_quarantine = text(settings, "on_quarantine");
            output::line(&format!("when quarantined · 被隔离时: {on_quarantine}"));
        }
        let health = plugin.get("health").unwrap_or(&Json::Null);
        output::line(&format!("health · 状态: {}", some(text(health, "state"), "-")));
        output::line(&format!("rolls back to · 可回退到: {}", some(text(&plugin, "previous"), "-")));
        if let Some(schedule) = plugin.get("schedule").filter(|schedule| schedule.is_object()) {
            let next = some(text(schedule, "next_run_at"), "-");
            let when = schedule.get("text").filter(|text| text.is_object());
            let when = when.map_or_else(|| "off · 已停用".to_owned(), pair);
            output::line(&format!("runs by itself · 定时运行: {when}; next · 下次 {next}"));
        }
        show_absent(&plugin);
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
        let personal = asked.get("personal") == Some(&json!(true));
        let mark = if personal {
            "  ! personal data, granted by name only · 个人信息，需单独授权"
        } else {
            ""
        };
        output::line(&format!("      {}{mark}", both(asked, "text")));
        for field in list(asked, "fields") {
            let personal = field.get("personal") == Some(&json!(true));
            let mark = if personal { "  personal data · 个人信息" } else { "" };
            let label = field.get("label").filter(|label| label.is_object());
            let label = label.map_or_else(|| "not on this server · 本服务器没有此字段".to_owned(), pair);
            output::line(&format!("      {}: {label}{mark}", text(field, "name")));
        }
    }
    show_limits(review);
    if let Some(schedule) = review.get("schedule").filter(|schedule| schedule.is_object()) {
        let next: Vec<_> = list(schedule, "next_run_at").filter_map(Json::as_str).collect();
        output::line(&format!("would run by itself · 定时运行: {}", both(schedule, "text")));
        output::line(&format!("  next · 接下来: {}", next.join(", ")));
    }
    show_absent(review);
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
        let of = |name| number(limits, name);
        let (memory, rows) = (of("memory_bytes_max") >> 20, of("rows_max"));
        let (ms, us) = (of("cpu_ms_max"), of("cpu_us_per_row"));
        let (lookups, actions) = (of("lookups_max"), of("actions_per_call_max"));
        output::line(&format!(
            "  {class}: {memory} MiB memory, {ms} ms + {us} µs a row, {rows} rows, {lookups} look-ups, {actions} actions a call"
        ));
        output::line(&format!(
            "      每次调用：内存 {memory} MiB，处理器时间 {ms} 毫秒 + 每行 {us} 微秒，{rows} 行，查询 {lookups} 次，动作 {actions} 个"
        ));
    }
}

fn show_diff(diff: &Json) {
    output::line(&format!("different from · 与此版本不同 {}", text(diff, "from")));
    for (part, shown) in [
        ("requests", "request · 请求"),
        ("settings", "setting · 设置项"),
        ("outputs", "output · 输出"),
        ("provides", "interface · 接口"),
        ("imports", "import · 导入"),
    ] {
        let names = diff.get(part).unwrap_or(&Json::Null);
        for (sign, kind) in [("+", "added"), ("-", "removed")] {
            for name in list(names, kind) {
                output::line(&format!("  {sign} {shown}: {}", name.as_str().unwrap_or_default()));
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

/// Prints what happens while a plugin cannot be called.
fn show_absent(plugin: &Json) {
    output::line("while it cannot be called · 无法调用时");
    for absence in list(plugin, "absent") {
        let object = absence.get("object").and_then(Json::as_str);
        let of = object.map_or(String::new(), |object| format!(" ({object})"));
        let by = match text(absence, "from") {
            "settings" => format!("; an admin says so instead of {} · 管理员已改", text(absence, "declared")),
            _ => String::new(),
        };
        let (what, policy) = (text(absence, "for"), text(absence, "policy"));
        output::line(&format!("  {what}{of}: {policy} ({}){by}", both(absence, "text")));
    }
}

pub(super) fn show_steps(answer: &Json) {
    let schema = answer.get("schema").unwrap_or(&Json::Null);
    for step in list(schema, "steps") {
        let sign = if step.get("destructive") == Some(&json!(true)) { "!" } else { " " };
        output::line(&format!("{sign} schema · 结构: {}", both(step, "text")));
    }
    for reason in list(schema, "refused") {
        output::line(&format!("! schema · 结构: {}", pair(reason)));
    }
}

pub(super) fn list<'a>(json: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    json.get(name).and_then(Json::as_array).into_iter().flatten()
}

/// A text in both languages.
pub(super) fn both(json: &Json, name: &str) -> String {
    pair(json.get(name).unwrap_or(&Json::Null))
}

pub(super) fn pair(label: &Json) -> String {
    match (text(label, "en"), text(label, "zh-CN")) {
        (en, zh) if en == zh || zh.is_empty() => en.to_owned(),
        (en, zh) => format!("{en} · {zh}"),
    }
}

pub(super) fn some<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}
