//! A server with reference data as customers, and what plugins say about them.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use serde_json::{Map, Value as Json, json};
use trellis_e2e::{Api, Server, reference};

/// A running server with a folder of its own.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) api: Api,
    folder: tempfile::TempDir,
}

/// A table of the reference data: its header and its rows as text.
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// What `expected.json` of a set says; `None` where the reference data is missing, which has been said then.
pub(crate) fn expected(set: &str) -> Option<Json> {
    let file = reference(&format!("{set}/expected.json"))?;
    Some(serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
}

/// A table of the reference data; `None` where it is missing, which has been said then. `delimiter` is a comma but for some sets.
pub(crate) fn table(file: &str, delimiter: u8) -> Option<Table> {
    let file = reference(file)?;
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(file).unwrap();
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    Some(Table { header, rows })
}

/// Equal within a part of the expected value, and never further apart than `absolute` where that is larger.
#[track_caller]
pub(crate) fn close(actual: f64, expected: f64, relative: f64, absolute: f64, what: &str) {
    let allowed = (expected.abs() * relative).max(absolute);
    assert!((actual - expected).abs() <= allowed, "{what}: {actual}, expected {expected} ± {allowed}");
}

/// Days since 1970-01-01 of a date written `2026-06-30`.
pub(crate) fn day(date: &str) -> i64 {
    let since = date.parse::<Date>().unwrap() - Date::constant(1970, 1, 1);
    i64::from(since.get_days())
}

/// An amount of the base currency.
pub(crate) fn money(amount: f64) -> Json {
    json!({ "amount": format!("{amount:.2}"), "currency": "USD" })
}

/// The date so many days before another one, written `2026-06-30`.
pub(crate) fn days_before(date: &str, days: i64) -> String {
    (date.parse::<Date>().unwrap() - jiff::Span::new().days(days)).to_string()
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&folder.path().join("data"));
        let api = server.api();
        Self { server, api, folder }
    }

    /// Makes a record and returns its id.
    #[track_caller]
    pub(crate) fn make(&self, objects: &str, body: &Json) -> String {
        let made = self.api.post(&format!("/api/v1/{objects}"), body).ok();
        made["id"].as_str().expect("a record has an id").to_owned()
    }

    /// Adds a field to an object, whose label is its name.
    #[track_caller]
    pub(crate) fn add_field(&self, object: &str, name: &str, field_type: &str) {
        let label = json!({ "en": name, "zh-CN": name });
        let field = json!({ "name": name, "label": label, "type": field_type });
        self.api.post(&format!("/api/v1/metadata/objects/{object}/fields"), &field).ok();
    }

    /// Makes a customer of this name, which is its external id too, with orders of these amounts so many days before a date.
    #[track_caller]
    pub(crate) fn customer(&self, name: &str, fields: &Json, as_of: &str, orders: &[(i64, f64)]) -> String {
        let mut account = json!({ "name": name, "external_id": name });
        account.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let account = self.make("accounts", &account);
        for (days, amount) in orders {
            self.order(&account, &days_before(as_of, *days), *amount);
        }
        account
    }

    #[track_caller]
    pub(crate) fn order(&self, account: &str, on: &str, amount: f64) {
        self.make("orders", &json!({ "account": account, "ordered_on": on, "amount": money(amount) }));
    }

    /// The reasons of a score or segment of a record, in a language; `kind` is `scores` or `segmentations`.
    #[track_caller]
    pub(crate) fn reasons(&self, language: &'static str, kind: &str, name: &str, record: &str) -> String {
        let path = format!("/api/v1/{kind}/{name}/explanations/{record}");
        let why = self.api.in_language(language).get(&path).ok();
        let texts = why["reasons"].as_array().expect("reasons are listed").iter();
        texts.filter_map(|reason| reason["text"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Makes each row of a table an account: its number is the external id, its columns become fields `<prefix>_<column>`, of whole
    /// numbers or numbers where all values are such, else of texts; an empty cell is null. Returns the field of each column.
    pub(crate) fn import_accounts(&self, table: &Table, prefix: &str) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        for (place, column) in table.header.iter().enumerate() {
            let name = field_name(prefix, column);
            let values = || table.rows.iter().map(|row| row[place].trim()).filter(|value| !value.is_empty());
            let field_type = if values().all(|value| value.parse::<i64>().is_ok()) {
                "integer"
            } else if values().all(|value| value.parse::<f64>().is_ok()) {
                "number"
            } else {
                "text"
            };
            let label = json!({ "en": column, "zh-CN": column });
            let field = json!({ "name": name, "label": label, "type": field_type });
            self.api.post("/api/v1/metadata/objects/account/fields", &field).ok();
            fields.insert(column.clone(), name);
        }
        let columns = table.header.iter().map(|column| fields[column].as_str());
        let header: Vec<&str> = ["external_id", "name"].into_iter().chain(columns).collect();
        let rows = table.rows.iter().enumerate().map(|(number, row)| {
            let number = number.to_string();
            let mut cells = vec![number.clone(), number];
            cells.extend(row.iter().map(|cell| cell.trim().to_owned()));
            cells
        });
        self.import("account", &header, rows, &[]);
        fields
    }

    /// Imports rows whose columns are called like the fields. `references` are columns that name other records by a field of theirs.
    pub(crate) fn import(
        &self,
        object: &str,
        columns: &[&str],
        rows: impl Iterator<Item = Vec<String>>,
        references: &[(&str, &str)],
    ) {
        let csv = self.folder.path().join(format!("{object}.csv"));
        let mut writer = csv::Writer::from_path(&csv).unwrap();
        writer.write_record(columns).unwrap();
        rows.for_each(|row| writer.write_record(row).unwrap());
        writer.flush().unwrap();
        let mut mapping = format!("object = \"{object}\"\n");
        // Objects of packs have names of two parts, and tell their records apart by a field of their own: the first.
        if object.contains("__") {
            mapping += &format!("match = \"{}\"\n", columns[0]);
        }
        for column in columns {
            mapping += &format!("[[columns]]\ncolumn = \"{column}\"\nfield = \"{column}\"\n");
            if let Some((_, by)) = references.iter().find(|(name, _)| name == column) {
                mapping += &format!("reference = {{ match = \"{by}\" }}\n");
            }
        }
        let map = self.folder.path().join(format!("{object}.toml"));
        std::fs::write(&map, mapping).unwrap();
        self.import_mapped(object, &csv, &map);
    }

    /// Imports a file by a mapping and refuses that a row fails.
    pub(crate) fn import_mapped(&self, object: &str, csv: &Path, map: &Path) {
        self.server.cli(&["import", object, &csv.to_string_lossy(), "--map", &map.to_string_lossy()]).ok();
    }

    /// Installs a plugin, grants what it asks for, switches it on, and has it judge everybody where it judges customers.
    #[track_caller]
    pub(crate) fn enable(&self, plugin: &str, as_of: &str, config: &Json) {
        self.server.install(plugin, as_of, &config.to_string());
        let about = self.api.get(&format!("/api/v1/plugins/{plugin}")).ok();
        let provides = about["provides"].as_array().cloned().unwrap_or_default();
        if provides.iter().any(|interface| interface == "segmentation" || interface == "scoring") {
            let job = self.api.run_plugin(plugin);
            assert_eq!(job["state"], "succeeded", "{plugin}: {job}");
        }
    }

    /// Has a plugin learn anew and judge everybody as of another day or under other settings than those it is switched on with; returns the
    /// report on what it learned.
    #[track_caller]
    pub(crate) fn judge(&self, plugin: &str, as_of: &str, config: &Json) -> Json {
        let body = json!({ "as_of": as_of, "config": config, "model": "fit" });
        let job = self.api.wait_for_job(self.api.post(&format!("/api/v1/plugins/{plugin}/run"), &body));
        assert_eq!(job["state"], "succeeded", "{plugin}: {job}");
        self.report(plugin)
    }

    /// The groups of an aggregate over accounts: by the key of the only field that they are grouped by.
    #[track_caller]
    pub(crate) fn aggregate(&self, objects: &str, body: &Json) -> BTreeMap<String, Json> {
        let groups = self.api.post(&format!("/api/v1/{objects}/aggregate"), body).ok()["data"].clone();
        let key = |group: &Json| {
            let keys = group["keys"].as_object().and_then(|keys| keys.values().next().cloned());
            keys.and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default()
        };
        groups.as_array().expect("groups").iter().map(|group| (key(group), group.clone())).collect()
    }

    /// What every account has in these columns (fields, `score.…`, `segment.…`), by external id.
    pub(crate) fn results(&self, columns: &[&str]) -> BTreeMap<String, Map<String, Json>> {
        let mut found = BTreeMap::new();
        let fields: Vec<&str> = ["external_id"].iter().chain(columns).copied().collect();
        let first = format!("/api/v1/accounts?limit=200&sort=external_id&fields={}", fields.join(","));
        let mut next = first.clone();
        loop {
            let page = self.api.get(&next).ok();
            for row in page["data"].as_array().unwrap() {
                let row = row.as_object().unwrap().clone();
                found.insert(row["external_id"].as_str().unwrap_or_default().to_owned(), row);
            }
            let Some(after) = page["page"]["next"].as_str() else { return found };
            next = format!("{first}&after={after}");
        }
    }

    /// One column of numbers in the order of the rows that were imported; NaN where there is none.
    pub(crate) fn numbers(&self, column: &str, rows: usize) -> Vec<f64> {
        let found = self.results(&[column]);
        let number = |row: usize| found.get(&row.to_string()).and_then(|row| row[column].as_f64());
        (0..rows).map(|row| number(row).unwrap_or(f64::NAN)).collect()
    }

    /// One column of texts in the order of the rows that were imported; empty where there is none.
    pub(crate) fn texts(&self, column: &str, rows: usize) -> Vec<String> {
        let found = self.results(&[column]);
        let text = |row: usize| found.get(&row.to_string()).and_then(|row| row[column].as_str());
        (0..rows).map(|row| text(row).unwrap_or_default().to_owned()).collect()
    }

    /// The report of the model in use.
    pub(crate) fn report(&self, plugin: &str) -> Json {
        self.api.get(&format!("/api/v1/plugins/{plugin}/report")).ok()
    }

    /// The report that answers a question.
    #[track_caller]
    pub(crate) fn analyse(&self, plugin: &str, name: &str, parameters: &Json) -> Json {
        self.answer(plugin, name, &json!({ "parameters": parameters }))
    }

    /// The report that answers a question as of another day than that of the plugin's settings.
    #[track_caller]
    pub(crate) fn analyse_as_of(&self, as_of: &str, plugin: &str, name: &str, parameters: &Json) -> Json {
        self.answer(plugin, name, &json!({ "parameters": parameters, "as_of": as_of }))
    }

    #[track_caller]
    fn answer(&self, plugin: &str, name: &str, question: &Json) -> Json {
        let path = format!("/api/v1/plugins/{plugin}/analyses/{name}");
        let job = self.api.wait_for_job(self.api.post(&path, question));
        assert_eq!(job["state"], "succeeded", "{job}");
        let results = self.api.get(&format!("{path}/results")).ok();
        let newest = results["data"][0]["id"].as_str().expect("a result has an id").to_owned();
        self.api.get(&format!("{path}/results/{newest}")).ok()["report"].clone()
    }
}

/// A figure of a report.
#[track_caller]
pub(crate) fn metric(report: &Json, name: &str) -> f64 {
    let metrics = report["metrics"].as_array().expect("a report has metrics");
    let found = metrics.iter().find(|metric| metric["name"] == name);
    found
        .and_then(|metric| metric["value"].as_f64())
        .unwrap_or_else(|| panic!("no metric {name} in {metrics:?}"))
}

/// The values of a column of a panel.
#[track_caller]
pub(crate) fn column(report: &Json, panel: &str, column: &str) -> Vec<Json> {
    let named = |list: &Json, name: &str| {
        let found = list.as_array().and_then(|list| list.iter().find(|one| one["name"] == name).cloned());
        found.unwrap_or_else(|| panic!("no `{name}` in {list}"))
    };
    let panel = named(&report["panels"], panel);
    named(&panel["columns"], column)["values"].as_array().expect("a column has values").clone()
}

/// A column of numbers of a panel; amounts as numbers too.
#[track_caller]
pub(crate) fn figures(report: &Json, panel: &str, name: &str) -> Vec<f64> {
    column(report, panel, name).iter().map(number).collect()
}

/// A number, or the number that an amount is.
#[track_caller]
pub(crate) fn number(value: &Json) -> f64 {
    let value = if value.is_object() { &value["amount"] } else { value };
    let parsed = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    parsed.unwrap_or_else(|| panic!("{value} is no number"))
}

/// The columns of a panel as numbers, by the text of each row in the column `key`: a name, or words, of which the English counts. Amounts are
/// numbers too; what has no value is not there.
#[track_caller]
pub(crate) fn rows_by(report: &Json, panel: &str, key: &str) -> BTreeMap<String, BTreeMap<String, f64>> {
    let panels = report["panels"].as_array().expect("a report has panels");
    let panel = panels.iter().find(|one| one["name"] == panel).expect("the panel is there");
    let columns = panel["columns"].as_array().expect("a panel has columns");
    let keys = columns.iter().find(|one| one["name"] == key).expect("the column is there");
    let mut rows = BTreeMap::new();
    for (row, key) in keys["values"].as_array().expect("a column has values").iter().enumerate() {
        let key = key.as_str().or(key["en"].as_str()).expect("a row has a name").to_owned();
        let number = |value: &Json| match value.get("amount").unwrap_or(value) {
            Json::String(text) => text.parse().ok(),
            value => value.as_f64(),
        };
        let of_row = columns
            .iter()
            .filter_map(|one| Some((one["name"].as_str()?.to_owned(), number(&one["values"][row])?)));
        let before = rows.insert(key.clone(), of_row.collect());
        assert!(before.is_none(), "{key} is there twice");
    }
    rows
}

/// `<prefix>_<column>` in the form that names of fields have.
fn field_name(prefix: &str, column: &str) -> String {
    let mut name = format!("{prefix}_");
    let mut lower_before = false;
    for character in column.chars() {
        if character.is_ascii_alphanumeric() {
            if character.is_ascii_uppercase() && lower_before {
                name.push('_');
            }
            name.push(character.to_ascii_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
        lower_before = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    name.trim_end_matches('_').to_owned()
}
