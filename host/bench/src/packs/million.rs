//! Whether every plugin that learns from customers learns from a million of them within the limits of a server, and what that takes.
//!
//! Rows are made from the manifest: what a plugin declares is what it gets, with purchases that do not contradict each other, fields with
//! gaps, and choices.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_plugin_host::Manifest;
use trellis_plugin_host::manifest::{
    Aggregate, ColumnSource, Dataset, DatasetColumn, DatasetKind, Figure, Interface as Offered, Related,
};
use trellis_sdk::Rng;

use super::learning::{Interface, TODAY, fit};
use super::tables::{Datasets, NONE, Table, Values};
use crate::company::customers;
use crate::figures::print;

/// Days from the first purchase of anybody to today.
const DAYS: u64 = 720;
/// Different texts of a choice.
const CHOICES: u64 = 12;
/// Products that are sold.
const PRODUCTS: u64 = 500;
/// Fields that plugins learn from: numbers, and choices where the name says so.
const FIELDS: [&str; 8] =
    ["number_a", "number_b", "number_c", "number_d", "number_e", "number_f", "choice_a", "choice_b"];

pub(crate) fn measure() {
    let (host, customers) = (super::host(), customers() as usize);
    println!("  learning from {customers} customers; processor seconds");
    let wanted = std::env::var("TRELLIS_BENCH_PLUGIN").ok();
    for (name, config) in
        plugins().into_iter().filter(|(name, _)| wanted.as_ref().is_none_or(|one| one == name))
    {
        let plugin = host.load(&crate::setup::guest(name)).expect("a plugin that loads");
        let manifest = plugin.manifest();
        let interface = match manifest.provides.contains(&Offered::Scoring) {
            true => Interface::Scoring,
            false => Interface::Segmentation,
        };
        let config = manifest.config.with_defaults(config);
        let rows = Population::new(customers).datasets(manifest, &config).host();
        match fit(&host, name, interface, &rows, &config.to_string(), TODAY) {
            Ok(fitted) => {
                let memory = fitted.stats.memory_bytes_peak as f64 / 1_048_576.0;
                let beside = format!("{memory:.0} MiB, a model of {} bytes", fitted.model.bytes.len());
                print(name, fitted.stats.cpu.as_secs_f64(), "s", &beside);
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

/// The plugins that learn, each with a configuration under which it reads all that it may.
fn plugins() -> Vec<(&'static str, Json)> {
    let learning = json!({ "features": FIELDS, "target": "yes_no" });
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
        ("cross-sell", json!({ "min_support": 0.001, "product": "product 7" })),
        ("churn-risk", json!({ "features": FIELDS, "definition": "window", "group": "choice_a" })),
        ("response-model", learning.clone()),
        ("telecom-targeting", json!({ "features": FIELDS, "target": "yes_no", "usage": "number_a" })),
    ]
}

/// Purchases of customers: how many, on which days, for how much.
struct Population {
    orders: Vec<i64>,
    first: Vec<i32>,
    last: Vec<i32>,
    cents: Vec<i64>,
}

impl Population {
    fn new(customers: usize) -> Self {
        let mut random = Rng::from_seed(20_261_124);
        let mut population =
            Self { orders: Vec::new(), first: Vec::new(), last: Vec::new(), cents: Vec::new() };
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
                None => Datasets::of(table),
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
                DatasetKind::PerCustomer => self.of_customers(column),
                DatasetKind::Rows => of_rows(column, rows),
            };
            table.with(&column.name, values)
        };
        dataset.columns.iter().fold(Table::new(rows), add)
    }

    fn of_customers(&self, column: &DatasetColumn) -> Values {
        match &column.source {
            ColumnSource::Aggregate { aggregate, .. } => match aggregate {
                Aggregate::Count => Values::Counts(self.orders.clone()),
                Aggregate::Sum(field) => self.sum(field.as_str(), 1),
                Aggregate::First => Values::Days(self.first.clone()),
                Aggregate::Last => Values::Days(self.last.clone()),
            },
            ColumnSource::Related(related) => self.related(related),
            ColumnSource::Field(field)
            | ColumnSource::Chosen(field)
            | ColumnSource::Through { field, .. } => chosen(field.as_str(), self.orders.len()),
            ColumnSource::Configured(_) => panic!("`{}` is known with the configuration", column.name),
        }
    }

    /// Of a part of the time about half of everything.
    fn related(&self, related: &Related) -> Values {
        let part = if related.within_days.is_some() || related.until_days_ago.is_some() { 2 } else { 1 };
        let halved = |orders: &i64| (orders + part - 1) / part;
        match &related.figure {
            Figure::Count => Values::Counts(self.orders.iter().map(halved).collect()),
            // As many days as fit between the first purchase and the last.
            Figure::CountDays => {
                let spans =
                    self.first.iter().zip(&self.last).map(|(first, last)| i64::from(last - first) + 1);
                let days = self.orders.iter().zip(spans).map(|(orders, span)| halved(orders).min(span));
                Values::Counts(days.collect())
            }
            Figure::First => Values::Days(self.first.clone()),
            Figure::Last => Values::Days(self.last.clone()),
            Figure::Sum(field) => self.sum(field.as_str(), part),
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

    fn sum(&self, field: &str, part: i64) -> Values {
        match field {
            "quantity" => Values::Numbers(self.orders.iter().map(|orders| *orders as f64).collect()),
            _ => Values::Cents(self.cents.iter().map(|cents| cents / part).collect()),
        }
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

/// A column of records: two of each customer, with any product.
fn of_rows(column: &DatasetColumn, rows: usize) -> Values {
    let mut random = Rng::from_seed(11);
    let numbered = |prefix: &str, codes: Vec<u32>| {
        let count = codes.iter().max().map_or(0, |most| most + 1);
        Values::Texts(codes, Arc::new((0..count).map(|number| format!("{prefix}-{number:07}")).collect()))
    };
    match column.name.as_str() {
        "account" => Values::Ordinals((0..rows).map(|row| row as u64 / 2).collect()),
        "ordered_on" => Values::Days((0..rows).map(|_| TODAY - random.below(DAYS) as i32).collect()),
        "amount" | "list_price" | "cost" => {
            Values::Cents((0..rows).map(|_| 500 + random.below(20_000) as i64).collect())
        }
        "order" => numbered("order", (0..rows).map(|row| row as u32 / 2).collect()),
        "product" => Values::Texts((0..rows).map(|_| random.below(PRODUCTS) as u32).collect(), products()),
        "name" => Values::Texts((0..rows as u32).collect(), products()),
        "category" => numbered("category", (0..rows).map(|row| row as u32 % 20).collect()),
        other => chosen(other, rows),
    }
}

fn products() -> Arc<Vec<String>> {
    Arc::new((0..PRODUCTS).map(|number| format!("product {number}")).collect())
}
