use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::client::{Client, number, text};
use super::{Connection, Failure, Result, output};

#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    /// Put rules into a server: each a .toml with the fields of its record beside a .rhai with its script.
    Load {
        /// The folder with the files, or one .toml file.
        path: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// List the rules of a server in the order in which they run.
    List(Connection),
    /// Say what a rule would do to a record. Nothing is changed.
    Test(Test),
    /// Switch a rule on.
    On(Chosen),
    /// Switch a rule off.
    Off(Chosen),
}

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The rule's id or external id.
    rule: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The rule's id or external id.
    rule: String,
    /// The id of a record to try it on; without it, a record that would be created.
    #[arg(long, value_name = "ID")]
    record: Option<String>,
    /// Changes to the record, or the fields of the new one, as JSON.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    fields: String,
    #[command(flatten)]
    connection: Connection,
}

impl Rule {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Load { path, connection } => load(path, &Client::new(connection)?),
            Self::List(connection) => list(&Client::new(connection)?),
            Self::Test(test) => test.run(),
            Self::On(chosen) => chosen.switch(true),
            Self::Off(chosen) => chosen.switch(false),
        }
    }
}

fn load(path: &Path, client: &Client) -> Result {
    let mut files = if path.is_dir() { toml_files(path)? } else { vec![path.to_owned()] };
    files.sort();
    if files.is_empty() {
        return Err(Failure::Message(format!("there are no .toml files in {}", path.display())));
    }
    for file in files {
        let (key, fields) = read(&file)?;
        match find(client, &key)? {
            Some(rule) => {
                client.patch(&format!("/api/v1/rules/{}", text(&rule, "id")), &fields)?;
                output::line(&format!("{key} changed"));
            }
            None => {
                client.post("/api/v1/rules", &fields)?;
                output::line(&format!("{key} added"));
            }
        }
    }
    Ok(())
}

fn toml_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Failure::Message(format!("cannot read {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(files)
}

/// The external id and the fields of a rule's record.
fn read(file: &Path) -> Result<(String, Json)> {
    let open = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| Failure::Message(format!("cannot read {}: {error}", path.display())))
    };
    let wrong = |reason: String| Failure::Message(format!("{}: {reason}", file.display()));
    let mut fields: Json = toml::from_str(&open(file)?).map_err(|error| wrong(error.to_string()))?;
    let key = text(&fields, "external_id").to_owned();
    if key.is_empty() {
        return Err(wrong("`external_id` is missing: it tells whether the rule is there already".into()));
    }
    let script = open(&file.with_extension("rhai"))?;
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("source".into(), json!(script));
    }
    Ok((key, fields))
}

fn list(client: &Client) -> Result {
    let rules = client.get("/api/v1/rules?sort=position&limit=200")?;
    let rows = rules.get("data").and_then(Json::as_array).into_iter().flatten().map(|rule| {
        let on = rule.get("enabled").and_then(Json::as_bool).unwrap_or_default();
        let state = if on { "on" } else { "off" };
        [
            number(rule, "position").to_string(),
            state.to_owned(),
            text(rule, "object").to_owned(),
            text(rule, "trigger").to_owned(),
            text(rule, "name").to_owned(),
            [text(rule, "external_id"), text(rule, "id")]
                .into_iter()
                .find(|id| !id.is_empty())
                .unwrap_or_default()
                .to_owned(),
        ]
    });
    output::table(["ORDER", "STATE", "OBJECT", "TRIGGER", "NAME", "RULE"], &rows.collect::<Vec<_>>());
    Ok(())
}

impl Test {
    fn run(&self) -> Result {
        let fields: Json = serde_json::from_str(&self.fields)
            .map_err(|error| Failure::Message(format!("--fields is not JSON: {error}")))?;
        let client = Client::new(&self.connection)?;
        let rule = find_existing(&client, &self.rule)?;
        let on = json!({ "id": self.record, "fields": fields });
        let test = client.post(&format!("/api/v1/rules/{}/test", text(&rule, "id")), &on)?;
        let shown =
            serde_json::to_string_pretty(&test).map_err(|error| Failure::Message(error.to_string()))?;
        output::line(&shown);
        if test.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Failure::Message("the rule failed on this record".into()));
        }
        Ok(())
    }
}

impl Chosen {
    fn switch(&self, on: bool) -> Result {
        let client = Client::new(&self.connection)?;
        let rule = find_existing(&client, &self.rule)?;
        client.patch(&format!("/api/v1/rules/{}", text(&rule, "id")), &json!({ "enabled": on }))?;
        output::line(&format!("{} is {}", text(&rule, "name"), if on { "on" } else { "off" }));
        Ok(())
    }
}

fn find_existing(client: &Client, key: &str) -> Result<Json> {
    find(client, key)?.ok_or_else(|| Failure::Message(format!("there is no rule `{key}`")))
}

/// A rule by its external id or its id.
fn find(client: &Client, key: &str) -> Result<Option<Json>> {
    let of = |field: &str| json!({ "filter": { "field": field, "op": "eq", "value": key }, "limit": 1 });
    let mut by = vec![of("external_id")];
    if key.len() == 36 && key.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        by.push(of("id"));
    }
    for search in by {
        let found = client.post("/api/v1/rules/search", &search)?;
        let first = found.get("data").and_then(Json::as_array).and_then(|data| data.first()).cloned();
        if first.is_some() {
            return Ok(first);
        }
    }
    Ok(None)
}
