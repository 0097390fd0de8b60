//! The rules of `segments/expected.json` over the tables of the reference data, and sums of `crm_pipeline/expected.json`: exact figures.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{FieldType, Fields, Filter, ObjectName, Path, RecordId, Scope, Value};
use trellis_storage::MemoryStore;

use super::{Aggregation, Function, GroupBy, Measure};
use crate::computed::tests::rhai;
use crate::{Caller, Config, Query, Records, SystemClock, SystemIds, Total, Write, schema};

/// The rules as filter trees, in the order of the file of expected figures.
const RULES: &str = include_str!("../../tests/data/segment-rules.json");

const NUMBERS: [&str; 3] = ["income", "customer_lifetime_value", "revenue"];
const WHOLE: [&str; 15] = [
    "tenure",
    "seniorcitizen",
    "recency",
    "kidhome",
    "teenhome",
    "mntwines",
    "mntfruits",
    "mntmeatproducts",
    "mntfishproducts",
    "mntsweetproducts",
    "mntgoldprods",
    "number_of_open_complaints",
    "employees",
    "close_value",
    "year_established",
];
const DATES: [&str; 3] = ["dt_customer", "engage_date", "close_date"];
const FORMULAS: [(&str, &str, &str); 2] = [
    ("visitor", "children", "record.kidhome + record.teenhome"),
    (
        "visitor",
        "spent",
        "record.mntwines + record.mntfruits + record.mntmeatproducts + record.mntfishproducts + record.mntsweetproducts + record.mntgoldprods",
    ),
];

/// The folder of the reference data; `None`, said loudly, where it is missing.
fn reference_data() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let places =
        [std::env::var_os("TRELLIS_REFERENCE_DATA").map(PathBuf::from), Some(root.join("../shared/data"))];
    let found = places.into_iter().flatten().find(|place| place.join("segments/expected.json").exists());
    if found.is_none() {
        let text = "SKIPPED: no reference data; set TRELLIS_REFERENCE_DATA";
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).unwrap();
    }
    found
}

/// A CSV file as columns by field name and rows.
fn table(path: PathBuf) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let field_name = |header: &str| match header.to_lowercase().replace([' ', '-'], "_") {
        name if name == "id" => "number".to_owned(),
        name => name,
    };
    let names = reader.headers().unwrap().iter().map(field_name).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(|cell| cell.trim().to_owned()).collect());
    (names, rows.collect())
}

fn definition(object: &str, names: &[String]) -> String {
    let label = "{ en = \"x\", zh-CN = \"x\" }";
    let mut toml = format!(
        "name = \"{object}\"\nplural = \"{object}s\"\nlabel = {label}\nplural_label = {label}\ntitle = \"{}\"\n",
        names[0]
    );
    for name in names {
        let kind = match (object, name.as_str()) {
            ("deal", "account") => "\"reference\"\nobject = \"firm\"",
            (_, "totalcharges" | "monthlycharges") => "\"number\"",
            (_, name) if NUMBERS.contains(&name) => "\"number\"",
            (_, name) if WHOLE.contains(&name) => "\"integer\"",
            (_, name) if DATES.contains(&name) => "\"date\"",
            _ => "\"text\"",
        };
        toml += &format!("[[fields]]\nname = \"{name}\"\nlabel = {label}\ntype = {kind}\n");
    }
    for (_, name, formula) in FORMULAS.iter().filter(|(of, ..)| *of == object) {
        toml += &format!(
            "[[fields]]\nname = \"{name}\"\nlabel = {label}\ntype = \"integer\"\nformula = {{ expression = \"{formula}\" }}\n"
        );
    }
    toml
}

/// Objects of the tables, each with its records in the order of the file.
async fn world(data: &std::path::Path, tables: &[(&'static str, &str)]) -> Arc<Records> {
    let tables: Vec<_> = tables.iter().map(|(object, file)| (*object, table(data.join(file)))).collect();
    let definitions: Vec<String> =
        tables.iter().map(|(object, (names, _))| definition(object, names)).collect();
    let definitions: Vec<&str> = definitions.iter().map(String::as_str).collect();
    let (store, ids) = (Arc::new(MemoryStore::new()), Arc::new(SystemIds::default()));
    schema::install(&*store, &SystemClock, &*ids, &definitions).await.unwrap();
    let records = Records::open(store, Arc::new(SystemClock), ids, Config::default()).await.unwrap();
    records.set_formulas(Arc::new(rhai()));
    let mut firms = BTreeMap::new();
    for (object, (names, rows)) in &tables {
        for batch in rows.chunks(200) {
            let writes: Vec<Write> =
                batch.iter().map(|row| create(&records, object, names, row, &firms)).collect();
            let written = records.write_batch(&Caller::system("test"), writes).await.unwrap();
            for (row, written) in batch.iter().zip(written) {
                firms.insert(row[0].clone(), written.unwrap().record().unwrap().id);
            }
        }
    }
    records
}

fn create(
    records: &Records,
    object: &str,
    names: &[String],
    row: &[String],
    firms: &BTreeMap<String, RecordId>,
) -> Write {
    let schema = records.schema();
    let definition = schema.object(object).unwrap();
    let mut fields = Fields::new();
    for (name, cell) in names.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
        let field = definition.field(name).unwrap();
        let value = match &field.field_type {
            FieldType::Reference { .. } => Value::Reference(firms[cell]),
            field_type => field_type.parse_text(cell).unwrap(),
        };
        fields.insert(field.id, value);
    }
    Write::Create { object: definition.name.clone(), fields, id: None }
}

/// How many records of a table match, and the first values of its first column.
async fn found(records: &Records, object: &str, filter: &Json) -> (u64, Vec<String>) {
    let object: ObjectName = object.parse().unwrap();
    let filter = Filter::parse(filter).unwrap();
    let query = Query { filter, limit: 3, total: Total::Exact, ..Query::new(object.clone()) };
    let page = records.list(&Scope::everything(), &query).await.unwrap();
    let first = records.schema().object(object.as_str()).unwrap().fields[0].id;
    let ids = page.records.iter().map(|record| record.fields[&first].canonical()).collect();
    (page.total.unwrap(), ids)
}

fn expected(data: &std::path::Path, file: &str) -> Json {
    serde_json::from_slice(&std::fs::read(data.join(file)).unwrap()).unwrap()
}

const TABLES: [(&str, &str); 5] = [
    ("telco", "telco/telco_churn.csv"),
    ("visitor", "marketing_campaign/marketing_campaign.csv"),
    ("value", "customer_value/customer_value.csv"),
    ("firm", "crm_pipeline/accounts.csv"),
    ("deal", "crm_pipeline/opportunities.csv"),
];

fn object_of(table: &str) -> &'static str {
    match table {
        "telco" => "telco",
        "campaign" => "visitor",
        "value" => "value",
        "opportunities" => "deal",
        "accounts" => "firm",
        other => panic!("no table {other}"),
    }
}

#[tokio::test]
async fn every_rule_finds_what_sql_finds() {
    let Some(data) = reference_data() else { return };
    let records = world(&data, &TABLES).await;
    let expected = expected(&data, "segments/expected.json");
    let rules: Vec<Json> = serde_json::from_str(RULES).unwrap();
    let expected_rules = expected["rules"].as_array().unwrap();
    assert_eq!(rules.len(), expected_rules.len());
    for (rule, expected) in rules.iter().zip(expected_rules) {
        let (count, ids) = found(&records, object_of(expected["table"].as_str().unwrap()), rule).await;
        let first: Vec<String> = expected["first_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.to_string().replace('"', ""))
            .collect();
        assert_eq!(
            (json!(count), &ids[..first.len().min(ids.len())]),
            (expected["count"].clone(), &first[..]),
            "{rule}"
        );
    }
    let (a, b) =
        (json!({"field": "churn", "value": "Yes"}), json!({"field": "contract", "value": "Month-to-month"}));
    let sets = &expected["set_operations"][0];
    for (name, filter) in [
        ("a_count", a.clone()),
        ("b_count", b.clone()),
        ("union", json!({"or": [a, b]})),
        ("intersect", json!({"and": [a, b]})),
        ("a_minus_b", json!({"and": [a, {"not": b}]})),
    ] {
        assert_eq!(json!(found(&records, "telco", &filter).await.0), sets[name], "{name}");
    }
}

#[tokio::test]
async fn the_pipeline_adds_up() {
    let Some(data) = reference_data() else { return };
    let records = world(&data, &TABLES[3..]).await;
    let expected = expected(&data, "crm_pipeline/expected.json");
    let path = |text: &str| Path::parse(text).unwrap();
    let won = Filter::parse(&json!({"field": "deal_stage", "value": "Won"})).unwrap();
    let measure = |function, path, filter| Measure { name: None, function, path, filter };
    let aggregation = Aggregation {
        object: "deal".parse().unwrap(),
        filter: Filter::everything(),
        group_by: vec![GroupBy { name: None, path: path("deal_stage"), bucket: None }],
        measures: Vec::new(),
        having: None,
        sort: Vec::new(),
        limit: 100,
    };
    let stages = records.aggregate(&Scope::everything(), &aggregation).await.unwrap();
    let counts: BTreeMap<String, u64> = stages
        .groups
        .iter()
        .map(|group| (group.keys[0].as_ref().unwrap().canonical(), group.count))
        .collect();
    assert_eq!(json!(counts), expected["stage_counts"]);
    let totals = Aggregation {
        filter: won,
        group_by: Vec::new(),
        measures: vec![
            measure(Function::Sum, Some(path("close_value")), None),
            measure(Function::Median, Some(path("close_value")), None),
            measure(Function::Avg, Some(path("close_value")), None),
        ],
        ..aggregation
    };
    let totals = records.aggregate(&Scope::everything(), &totals).await.unwrap();
    let values: Vec<f64> = totals.groups[0]
        .values
        .iter()
        .map(|value| value.as_ref().unwrap().to_json().as_f64().unwrap())
        .collect();
    assert_eq!(json!(values[0]), expected["overall"]["revenue"]);
    assert_eq!(json!(values[1]), expected["median_won_value"]);
    assert!(
        (values[2] - expected["overall"]["avg_won_value"].as_f64().unwrap()).abs() < 1e-6,
        "{}",
        values[2]
    );
}
