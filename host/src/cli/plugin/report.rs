//! What plugins show: models, and answers to questions about a whole population.

use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::{
    super::{
        Connection, Failure, Result,
        client::{Client, number, segment, text},
        output,
    },
    review::{both, list, pair},
    succeeded,
};

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The plugin's id.
    id: String,
    /// The number of a model; the one in use where it is left out.
    #[arg(long)]
    model: Option<u32>,
    /// Whose part of the model, of a plugin that learns with both.
    #[arg(long, value_name = "INTERFACE", value_parser = ["segmentation", "scoring"])]
    learned_by: Option<String>,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Analyse {
    /// The plugin's id.
    id: String,
    /// The question; lists the questions where it is left out.
    analysis: Option<String>,
    /// What is said with the question: a parameter's name and its value, as JSON or as text. May be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter, requires = "analysis")]
    parameters: Vec<(String, Json)>,
    /// Another day than the one that the plugin is configured with, or `now`.
    #[arg(long, value_name = "DATE", requires = "analysis")]
    as_of: Option<String>,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    connection: Connection,
}

/// How a report is printed.
#[derive(Debug, Args)]
pub(super) struct Shown {
    /// Rows of each table that are printed.
    #[arg(long, default_value_t = 30)]
    rows: usize,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Reads `name=value`. What is no JSON is a text.
fn parameter(said: &str) -> Result<(String, Json), String> {
    let (name, value) =
        said.split_once('=').ok_or_else(|| format!("`{said}` is not of the form NAME=VALUE"))?;
    if name.is_empty() {
        return Err(format!("`{said}` names no parameter"));
    }
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value))))
}

impl Report {
    pub(super) fn run(&self) -> Result {
        let model = self.model.map_or_else(String::new, |model| format!("/models/{model}"));
        let learned_by = self.learned_by.as_ref().map_or_else(String::new, |by| format!("?learned_by={by}"));
        let path = format!("/api/v1/plugins/{}{model}/report{learned_by}", segment(&self.id));
        let report = Client::new(&self.connection)?.get(&path)?;
        if self.shown.json {
            return print_json(&report);
        }
        let number = report.get("model").and_then(Json::as_u64);
        let number = number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let (version, by) = (text(&report, "version"), text(&report, "learned_by"));
        output::line(&format!("{} {version}: model · 模型 {number}, {by}", self.id));
        self.shown.print(&report);
        Ok(())
    }
}

impl Analyse {
    pub(super) fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let path = format!("/api/v1/plugins/{}/analyses", segment(&self.id));
        let Some(analysis) = &self.analysis else { return self.list(&client.get(&path)?) };
        let parameters: Map<String, Json> = self.parameters.iter().cloned().collect();
        let mut question = json!({ "parameters": parameters });
        if let (Some(question), Some(as_of)) = (question.as_object_mut(), &self.as_of) {
            question.insert("as_of".to_owned(), json!(as_of));
        }
        let path = format!("{path}/{}", segment(analysis));
        let job = client.post(&path, &question)?;
        let job = succeeded(client.wait_for_job(&job)?, "the analysis")?;
        let result = text(job.get("result").unwrap_or(&Json::Null), "result").to_owned();
        let answer = client.get(&format!("{path}/results/{result}"))?;
        self.shown.print_answer(&self.id, &answer)
    }

    fn list(&self, analyses: &Json) -> Result {
        if self.shown.json {
            return print_json(analyses);
        }
        for analysis in list(analyses, "data") {
            output::line(&format!("{}: {}", text(analysis, "name"), both(analysis, "label")));
            let description = both(analysis, "description");
            if !description.is_empty() {
                output::line(&format!("  {description}"));
            }
            let schema = analysis.get("parameters").unwrap_or(&Json::Null);
            for (name, of) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
                let default = of.get("default").map_or(String::new(), |default| format!(" = {default}"));
                let title = of.get("title").map_or(String::new(), |title| match title.as_str() {
                    Some(title) => format!(": {title}"),
                    None => format!(": {}", pair(title)),
                });
                output::line(&format!("  --set {name} ({}){default}{title}", text(of, "type")));
            }
        }
        Ok(())
    }
}

pub(super) fn print_json(json: &Json) -> Result {
    let shown = serde_json::to_string_pretty(json).map_err(|error| Failure::Message(error.to_string()))?;
    output::line(&shown);
    Ok(())
}

impl Shown {
    /// Prints an answer: what it was made of, and the report.
    pub(super) fn print_answer(&self, plugin: &str, answer: &Json) -> Result {
        if self.json {
            return print_json(answer);
        }
        output::line(&format!("{plugin} {}: {}", text(answer, "version"), both(answer, "label")));
        output::line(&format!(
            "as of · 数据截至 {}, rows · 行数 {}, {} ms",
            text(answer, "as_of"),
            number(answer, "rows"),
            number(answer, "took_ms")
        ));
        output::line(&format!("answer · 答案 {} (trellis plugin answers)", text(answer, "id")));
        self.print(answer.get("report").unwrap_or(&Json::Null));
        Ok(())
    }

    /// Prints a report in both languages.
    fn print(&self, report: &Json) {
        output::line(&both(report, "summary"));
        for metric in list(report, "metrics") {
            let value = metric.get("value").and_then(Json::as_f64).unwrap_or_default();
            let unit = both(metric, "unit");
            let gap = if unit.is_empty() { "" } else { " " };
            output::line(&format!(
                "  {} = {value}{gap}{unit}  {}",
                text(metric, "name"),
                both(metric, "label")
            ));
        }
        for panel in list(report, "panels") {
            output::line("");
            output::line(&format!("{}: {}", text(panel, "name"), both(panel, "label")));
            let description = both(panel, "description");
            if !description.is_empty() {
                output::line(&description);
            }
            self.table(panel);
        }
    }

    fn table(&self, panel: &Json) {
        let columns: Vec<&Json> = list(panel, "columns").collect();
        let heads: Vec<String> = columns.iter().map(|column| head(column)).collect();
        let rows = usize::try_from(number(panel, "rows")).unwrap_or(usize::MAX);
        let cells = |row: usize| columns.iter().map(|column| cell(column, row)).collect();
        let shown: Vec<Vec<String>> = (0..rows.min(self.rows)).map(cells).collect();
        if !heads.is_empty() {
            output::grid(&heads, &shown);
        }
        if rows > self.rows {
            let more = rows - self.rows;
            output::line(&format!("… {more} more rows · 另有 {more} 行 (--rows)"));
        }
    }
}

/// What stands above a column: its label, and its unit or currency.
fn head(column: &Json) -> String {
    let label = both(column, "label");
    let label = if label.is_empty() { text(column, "name").to_owned() } else { label };
    match [both(column, "unit"), text(column, "currency").to_owned()]
        .into_iter()
        .find(|unit| !unit.is_empty())
    {
        Some(unit) => format!("{label} ({unit})"),
        None => label,
    }
}

fn cell(column: &Json, row: usize) -> String {
    let at = |name: &str| column.get(name).and_then(|values| values.get(row)).cloned().unwrap_or_default();
    let one_line = |text: &str| text.replace(['\n', '\t'], " ");
    match (at("values"), at("zh-CN")) {
        (Json::Null, _) => "-".to_owned(),
        (Json::String(en), Json::String(zh)) if en != zh && !zh.is_empty() => {
            format!("{} · {}", one_line(&en), one_line(&zh))
        }
        (Json::String(text), _) => one_line(&text),
        (Json::Object(money), _) => money.get("amount").and_then(Json::as_str).unwrap_or_default().to_owned(),
        (Json::Number(value), _) if value.is_f64() => short(value.as_f64().unwrap_or_default()),
        (value, _) => value.to_string(),
    }
}

/// A number in at most six digits that matter: a table is for reading, `--json` for counting on.
fn short(value: f64) -> String {
    let digits = value.abs().log10().floor();
    if value == 0.0 || !(-4.0..15.0).contains(&digits) {
        return format!("{value:e}").replace("0e0", "0");
    }
    let decimals = (5.0 - digits).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_json_or_text() {
        assert_eq!(parameter("weeks=8"), Ok(("weeks".to_owned(), json!(8))));
        assert_eq!(parameter("of=[1,2]"), Ok(("of".to_owned(), json!([1, 2]))));
        assert_eq!(parameter("tier=gold=plus"), Ok(("tier".to_owned(), json!("gold=plus"))));
        assert!(parameter("weeks").is_err() && parameter("=8").is_err());
    }

    #[test]
    fn cells_are_short_and_in_both_languages() {
        let column = json!({
            "values": ["Loyal", "same", null, 0.123_456_789, 12_345.678_9, { "amount": "10.50", "currency": "USD" }, 7, true],
            "zh-CN": ["忠诚", "same"],
        });
        let cells: Vec<String> = (0..8).map(|row| cell(&column, row)).collect();
        assert_eq!(cells, ["Loyal · 忠诚", "same", "-", "0.123457", "12345.7", "10.50", "7", "true"]);
        assert_eq!([0.0, 1e-9, 1_234_567.8, -2.5, 1e20].map(short), ["0", "1e-9", "1234568", "-2.5", "1e20"]);
    }

    #[test]
    fn heads_have_units() {
        let head = |column: Json| super::head(&column);
        let share = json!({ "name": "share", "label": { "en": "Share", "zh-CN": "占比" }, "unit": { "en": "%", "zh-CN": "" } });
        assert_eq!(head(share), "Share · 占比 (%)");
        assert_eq!(
            head(json!({ "name": "wait", "unit": { "en": "weeks", "zh-CN": "周" } })),
            "wait (weeks · 周)"
        );
        assert_eq!(
            head(json!({ "name": "spent", "unit": { "en": "", "zh-CN": "" }, "currency": "USD" })),
            "spent (USD)"
        );
    }
}
