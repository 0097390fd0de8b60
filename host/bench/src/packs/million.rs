//! Whether every plugin that works on all customers does so for a million of them within the limits of a server, and what that takes.
//!
//! Rows are made from the manifest: what a plugin declares is what it gets, with purchases that do not contradict each other, fields with
//! gaps, and choices.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{ChoiceOption, FieldName, FieldType};
use trellis_plugin_host::Manifest;
use trellis_plugin_host::manifest::{
    Aggregate, ColumnSource, Dataset, DatasetColumn, DatasetKind, Days, Figure, Related,
};
use trellis_records::{Records, Schema, SystemClock, SystemIds};
use trellis_sdk::Rng;
use trellis_storage::MemoryStore;

use super::learning::TODAY;
use super::tables::{Datasets, NO_DAY, NONE, Table, Values};
use super::working::Subject;
use crate::company::customers;

/// Days from the first purchase of anybody to today.
const DAYS: u64 = 720;
const DAY_MS: i64 = 86_400_000;
/// Different texts of a choice.
const CHOICES: u64 = 12;
/// Products that are sold.
const PRODUCTS: u64 = 500;
/// Fields that plugins learn from: numbers, and choices where the name says so.
const FIELDS: [&str; 8] =
    ["number_a", "number_b", "number_c", "number_d", "number_e", "number_f", "choice_a", "choice_b"];

pub(crate) fn measure() {
    let (host, customers) = (super::host(), customers() as usize);
    println!("  {customers} customers; processor seconds, the most memory of a component");
    let wanted = std::env::var("TRELLIS_BENCH_PLUGIN").ok();
    let schema = standard_schema();
    let mut faults = Vec::new();
    for (name, config) in
        plugins().into_iter().filter(|(name, _)| wanted.as_ref().is_none_or(|one| one == name))
    {
        let plugin = host.load(&crate::setup::guest(name)).expect("a plugin that loads");
        let manifest = plugin.manifest();
        let config = manifest.config.with_defaults(changed(config));
        let population = Population::new(customers, Arc::clone(&schema), contributed(name));
        let rows = population.datasets(manifest, &config).host();
        let subject = Subject { plugin: &plugin, rows: &rows, config: &config.to_string() };
        faults.extend(subject.work().into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A configuration with what `TRELLIS_BENCH_CONFIG`, a JSON object, says of it.
fn changed(mut config: Json) -> Json {
    let text = std::env::var("TRELLIS_BENCH_CONFIG").unwrap_or_else(|_| "{}".to_owned());
    let changes: serde_json::Map<_, _> =
        serde_json::from_str(&text).expect("TRELLIS_BENCH_CONFIG is a JSON object");
    config.as_object_mut().expect("an object").extend(changes);
    config
}

/// What fields a new company has.
fn standard_schema() -> Arc<Schema> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
        let opened = Records::open(Arc::new(MemoryStore::new()), clock, ids, Default::default());
        opened.await.expect("records").schema()
    })
}

/// The plugins that learn from customers or answer questions about them, each with a configuration under which it reads all that it may.
fn plugins() -> Vec<(&'static str, Json)> {
    let learning = json!({ "features": FIELDS, "target": "yes_no" });
    let action = |name: &str, channel: &str, probability: f64| {
        json!({
            "name": name, "label_en": name, "label_zh": name, "channel": channel, "probability": probability,
            "gain_field": "number_a", "cost": 2,
        })
    };
    let actions = [action("call", "phone", 0.3), action("letter", "post", 0.2), action("mail", "email", 0.1)];
    vec![
        ("retail-rfm", json!({})),
        (
            "customer-clusters",
            json!({ "features": ["number_a", "number_b", "number_c", "number_d", "number_e"] }),
        ),
        ("key-customers", json!({ "traits": ["choice_a", "choice_b", "number_a"] })),
        ("value-pyramid", json!({})),
        ("customer-lifetime", json!({ "model": "better", "holdout_days": 180 })),
        ("next-purchase", json!({})),
        ("customer-lifecycle", json!({})),
        ("customer-value", json!({})),
        ("relationship-types", json!({})),
        ("loyalty", json!({})),
        ("lead-score", json!({})),
        ("cross-sell", json!({ "min_support": 0.001, "product": "product 7" })),
        ("churn-risk", json!({ "features": FIELDS, "definition": "window", "group": "choice_a" })),
        ("response-model", learning.clone()),
        ("telecom-targeting", json!({ "features": FIELDS, "target": "yes_no", "usage": "number_of_calls" })),
        (
            "ab-test",
            json!({ "group": "choice_a", "outcomes": ["yes_no", "number_a"], "subgroups": ["choice_b"] }),
        ),
        ("sales-forecast", json!({})),
        ("complaint-desk", json!({})),
        (
            "next-best-action",
            json!({ "fields": ["number_a"], "actions": actions, "budget": 100_000, "capacity": { "phone": 20_000 } }),
        ),
    ]
}

/// Purchases of customers: how many, on which days, for how much.
struct Population {
    schema: Arc<Schema>,
    /// The types of the fields that the plugin brings along.
    contributed: BTreeMap<String, FieldType>,
    orders: Vec<i64>,
    first: Vec<i32>,
    last: Vec<i32>,
    cents: Vec<i64>,
}

impl Population {
    fn new(customers: usize, schema: Arc<Schema>, contributed: BTreeMap<String, FieldType>) -> Self {
        let mut random = Rng::from_seed(20_261_124);
        let (orders, first, last, cents) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut population = Self { schema, contributed, orders, first, last, cents };
        for _ in 0..customers {
            let since = random.below(DAYS) as i32;
            let orders = 1 + random.below(10) as i64;
            let span = if orders == 1 { 0 } else { random.below(since as u64 + 1) as i32 };
            // More orders than days there are: the rest came on the same days.
            population.orders.push(orders);
            population.first.push(TODAY - since);
            population.last.push(TODAY - since + span);
            population.cents.push(orders * (500 + random.below(20_000) as i64));
        }
        population
    }

    /// The datasets of a manifest under a configuration.
    fn datasets(&self, manifest: &Manifest, config: &Json) -> Datasets {
        let mut datasets = None;
        for dataset in &manifest.configured(config).datasets {
            let table = self.table(dataset);
            datasets = Some(match datasets {
                None => Datasets::called(&dataset.name, table),
                Some(all) => Datasets::with(all, &dataset.name, table),
            });
        }
        datasets.expect("a plugin that learns reads something")
    }

    fn table(&self, dataset: &Dataset) -> Table {
        let customers = self.orders.len();
        let rows = match dataset.kind {
            DatasetKind::PerCustomer => customers,
            DatasetKind::Rows if dataset.object.as_str() == "product" => PRODUCTS as usize,
            // Two lines a customer.
            DatasetKind::Rows => 2 * customers,
        };
        let add = |table: Table, column: &DatasetColumn| {
            let values = match dataset.kind {
                DatasetKind::PerCustomer => self.of_customers(dataset.object.as_str(), column),
                DatasetKind::Rows => self.of_rows(dataset.object.as_str(), column, rows),
            };
            table.with(&column.name, values)
        };
        dataset.columns.iter().fold(Table::new(rows), add)
    }

    fn of_customers(&self, object: &str, column: &DatasetColumn) -> Values {
        match &column.source {
            ColumnSource::Aggregate { aggregate, .. } => match aggregate {
                Aggregate::Count => Values::Counts(self.orders.clone()),
                Aggregate::Sum(field) if field.as_str() == "quantity" => {
                    Values::Numbers(self.orders.iter().map(|orders| *orders as f64).collect())
                }
                Aggregate::Sum(_) => Values::Cents(self.cents.clone()),
                Aggregate::First => Values::Days(self.first.clone()),
                Aggregate::Last => Values::Days(self.last.clone()),
            },
            ColumnSource::Related(related) => self.related(related),
            ColumnSource::Field(_) | ColumnSource::Chosen(_) | ColumnSource::Through { .. } => {
                match self.of_field(object, &column.source, self.orders.len()) {
                    Values::Texts(codes, texts) if column.name == "name" => Values::Plain(codes, texts),
                    values => values,
                }
            }
            ColumnSource::Configured(_) | ColumnSource::Published(_) => {
                panic!("`{}` is chosen by the configuration", column.name)
            }
        }
    }

    fn related(&self, related: &Related) -> Values {
        match &related.figure {
            Figure::Count => Values::Counts(self.within(related, |orders| orders.len() as i64)),
            Figure::CountDays => {
                let different = |mut days: Vec<i32>| {
                    days.dedup();
                    days.len() as i64
                };
                Values::Counts(self.within(related, different))
            }
            Figure::First => {
                Values::Days(self.within(related, |orders| orders.first().copied().unwrap_or(NO_DAY)))
            }
            Figure::Last => {
                Values::Days(self.within(related, |orders| orders.last().copied().unwrap_or(NO_DAY)))
            }
            Figure::Sum(field) => {
                let counts = self.within(related, |orders| orders.len() as i64);
                match field.as_str() {
                    "quantity" => Values::Numbers(counts.into_iter().map(|count| count as f64).collect()),
                    // Every order of a customer is as large.
                    _ => {
                        let all = self.cents.iter().zip(&self.orders).zip(counts);
                        Values::Cents(all.map(|((cents, orders), count)| cents / orders * count).collect())
                    }
                }
            }
            Figure::Min(_) | Figure::Max(_) | Figure::Mean(_) => Values::Cents(self.cents.clone()),
            Figure::Values(_) => {
                let mut random = Rng::from_seed(5);
                let mut list = |orders: &i64| {
                    let mut list: Vec<u32> = (0..*orders).map(|_| random.below(PRODUCTS) as u32).collect();
                    list.sort_unstable();
                    list.dedup();
                    list
                };
                Values::Lists(self.orders.iter().map(&mut list).collect(), products())
            }
        }
    }

    /// What `figure` makes of the days of each customer's orders that count, ascending. They lie as far from each other as they can.
    fn within<T>(&self, related: &Related, figure: impl Fn(Vec<i32>) -> T) -> Vec<T> {
        let days = |days: &Option<Days>| match days {
            Some(Days::Of(days)) => Some(*days as i32),
            Some(Days::Setting(name)) => panic!("`{name}` was filled in by the configuration"),
            None => None,
        };
        let until = TODAY - days(&related.until_days_ago).unwrap_or(0);
        let since = days(&related.within_days).map_or(i32::MIN, |days| until - days);
        let of_customer = |((orders, first), last): ((&i64, &i32), &i32)| {
            let (steps, span) = ((*orders - 1).max(1), i64::from(last - first));
            let day = |order: i64| first + (order * span / steps) as i32;
            figure((0..*orders).map(day).filter(|day| *day > since && *day <= until).collect())
        };
        self.orders.iter().zip(&self.first).zip(&self.last).map(of_customer).collect()
    }

    /// A column of records: two of each customer, with any product.
    fn of_rows(&self, object: &str, column: &DatasetColumn, rows: usize) -> Values {
        let mut random = Rng::from_seed(11);
        match column.name.as_str() {
            "account" if object == "order_line" => {
                Values::Ordinals((0..rows).map(|row| row as u64 / 2).collect())
            }
            "order" => numbered("order", (0..rows).map(|row| row as u32 / 2).collect()),
            "product" => {
                Values::Texts((0..rows).map(|_| random.below(PRODUCTS) as u32).collect(), products())
            }
            "name" if object == "product" => Values::Texts((0..rows as u32).collect(), products()),
            "category" => numbered("category", (0..rows).map(|row| row as u32 % 20).collect()),
            _ => self.of_field(object, &column.source, rows),
        }
    }

    /// Values of the type that the field has; those of no standard field are numbers, or choices where the name says so.
    fn of_field(&self, object: &str, source: &ColumnSource, rows: usize) -> Values {
        let (field, object) = match source {
            ColumnSource::Field(field) | ColumnSource::Chosen(field) => (field, object.to_owned()),
            ColumnSource::Through { references, field } => {
                let step = |object: String, reference: &FieldName| match &self
                    .schema
                    .object(&object)
                    .and_then(|object| object.field(reference.as_str()))?
                    .field_type
                {
                    FieldType::Reference { object } => Some(object.to_string()),
                    _ => None,
                };
                let end = references.iter().try_fold(object.to_owned(), step);
                (field, end.expect("references lead to objects"))
            }
            _ => panic!("a figure over other records is made elsewhere"),
        };
        let standard = self.schema.object(&object).and_then(|object| object.field(field.as_str()));
        let known = standard.map(|field| &field.field_type).or_else(|| self.contributed.get(field.as_str()));
        known.map_or_else(|| chosen(field.as_str(), rows), |known| of_type(known, field.as_str(), rows))
    }
}

/// What fields a plugin brings along.
fn contributed(plugin: &str) -> BTreeMap<String, FieldType> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(plugin).join("schema.toml");
    let Ok(text) = std::fs::read_to_string(path) else { return BTreeMap::new() };
    let schema: Json = toml::from_str(&text).expect("a schema");
    let list = |json: &Json, key: &str| json.get(key).and_then(Json::as_array).cloned().unwrap_or_default();
    let text = |json: &Json, key: &str| json.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let option = |json: &Json| ChoiceOption {
        value: text(json, "value"),
        label: trellis_model::Text::default(),
        retired: false,
    };
    let field_type = |field: &Json| match text(field, "type").as_str() {
        "bool" => FieldType::Bool,
        "choice" => FieldType::Choice { options: list(field, "options").iter().map(option).collect() },
        "date" => FieldType::Date,
        "integer" => FieldType::Integer,
        "money" => FieldType::Money,
        "multi_choice" => {
            FieldType::MultiChoice { options: list(field, "options").iter().map(option).collect() }
        }
        "text" => FieldType::Text { characters_max: 100 },
        "time" => FieldType::Time,
        _ => FieldType::Number,
    };
    let objects = list(&schema, "objects");
    let fields = objects.iter().flat_map(|object| list(object, "fields"));
    fields.map(|field| (text(&field, "name"), field_type(&field))).collect()
}

/// Values of a field whose type is known.
fn of_type(field_type: &FieldType, name: &str, rows: usize) -> Values {
    let mut random = Rng::for_part(13, name.bytes().map(u64::from).sum());
    match field_type {
        FieldType::Integer => Values::Counts((0..rows).map(|_| random.below(1_000) as i64).collect()),
        FieldType::Money => Values::Cents((0..rows).map(|_| 500 + random.below(20_000) as i64).collect()),
        FieldType::Bool => Values::Flags((0..rows).map(|_| random.below(10) == 0).collect()),
        FieldType::Date => Values::Days((0..rows).map(|_| TODAY - random.below(DAYS) as i32).collect()),
        FieldType::Time => {
            let day = |random: &mut Rng| i64::from(TODAY) - random.below(DAYS) as i64;
            Values::Times(
                (0..rows).map(|_| day(&mut random) * DAY_MS + random.below(DAY_MS as u64) as i64).collect(),
            )
        }
        FieldType::MultiChoice { options } => {
            let texts = options.iter().map(|option| option.value.clone()).collect();
            let mut some = || (0..options.len() as u32).filter(|_| random.below(2) == 0).collect();
            Values::Lists((0..rows).map(|_| some()).collect(), Arc::new(texts))
        }
        FieldType::Reference { .. } => Values::Ordinals((0..rows).map(|_| random.below(PRODUCTS)).collect()),
        FieldType::Choice { options } => {
            let texts = options.iter().map(|option| option.value.clone()).collect();
            let count = options.len().max(1) as u64;
            Values::Texts((0..rows).map(|_| random.below(count) as u32).collect(), Arc::new(texts))
        }
        FieldType::Text { .. } => numbered(name, (0..rows).map(|_| random.below(PRODUCTS) as u32).collect()),
        _ => chosen(name, rows),
    }
}

/// A field of customers: a tenth of the numbers and of the choices is missing.
fn chosen(field: &str, rows: usize) -> Values {
    let mut random = Rng::for_part(3, field.bytes().map(u64::from).sum());
    if field == "yes_no" {
        return Values::Flags((0..rows).map(|row| row % 7 < 2 || random.below(10) == 0).collect());
    }
    if field.starts_with("choice") {
        let texts = (0..CHOICES).map(|place| format!("{field} {place}")).collect();
        let mut code = || if random.below(10) == 0 { NONE } else { random.below(CHOICES) as u32 };
        return Values::Texts((0..rows).map(|_| code()).collect(), Arc::new(texts));
    }
    let mut number = |row: usize| match random.below(10) {
        0 => f64::NAN,
        _ => random.unit() * 100.0 + (row % 7) as f64,
    };
    Values::Numbers((0..rows).map(&mut number).collect())
}

/// Texts with a number each.
fn numbered(prefix: &str, codes: Vec<u32>) -> Values {
    let count = codes.iter().max().map_or(0, |most| most + 1);
    Values::Texts(codes, Arc::new((0..count).map(|number| format!("{prefix}-{number:07}")).collect()))
}

fn products() -> Arc<Vec<String>> {
    Arc::new((0..PRODUCTS).map(|number| format!("product {number}")).collect())
}
