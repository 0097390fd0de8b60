//! What the industry packs learn: in a component, natively, and by the tools that are public for Python.
//!
//! The three see the same numbers and have to find the same: the component the same bytes as its code natively, the tool the same figures. The
//! component's time contains reading the rows out of the host; the tool's frames are in memory before its clock starts. Processor time counts,
//! since it stays the same on a busy machine; a tool that uses several cores is ahead by the clock only.

mod learning;
pub(crate) mod million;
mod python;
mod samples;
mod tables;
mod working;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cross_sell::CrossSell;
use customer_clusters::CustomerClusters;
use customer_lifetime::CustomerLifetime;
use retail_rfm::RetailRfm;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use trees::Trees;
use trellis_plugin_host::{Compiler, PluginHost};
use trellis_sdk::{Scoring, Segmentation};

use crate::company::customers;
use learning::{Interface, TODAY, agree, in_component, native, print_beside, print_tool};
use python::{Python, Told};
use samples::{Figures, GROUPS, Purchases};
use tables::{Datasets, NONE, Table, Values};

/// What all parts need.
struct Bench {
    host: Arc<PluginHost>,
    python: Option<Python>,
    folder: tempfile::TempDir,
    customers: usize,
}

pub(crate) fn measure() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let python = Python::prepare(folder.path());
    let bench = Bench { host: host(), python, folder, customers: customers() as usize };
    println!(
        "  processor seconds, the least of some runs; {} customers where no data set is named",
        bench.customers
    );
    bench.rfm();
    let figures = Figures::new(bench.customers);
    figures.write(bench.folder.path());
    let datasets = figures.datasets();
    drop(figures);
    bench.clusters(&datasets);
    bench.tree(&datasets, "exact", "aim below 9.1 s of scikit-learn", 0.000_1);
    bench.tree(&datasets, "histogram", "aim below 0.45 s of scikit-learn", 0.005);
    bench.rules();
    bench.lifetimes();
}

fn host() -> Arc<PluginHost> {
    let config = trellis_plugin_host::Config { compiler: Compiler::InProcess, ..Default::default() };
    PluginHost::new(config).expect("a plugin host")
}

fn settings<T: DeserializeOwned>(config: &Json) -> T {
    serde_json::from_value(config.clone()).expect("a configuration")
}

impl Bench {
    fn ask(&self, measure: &str, source: Option<&Path>) -> Option<Told> {
        Some(self.python.as_ref()?.ask(measure, source))
    }

    /// Grades by recency, frequency and monetary value. The tool adds up purchases as well; what the store keeps is added up already.
    fn rfm(&self) {
        let purchases = Purchases::new(self.customers);
        purchases.write(self.folder.path());
        let datasets = purchases.warm();
        drop(purchases);
        let rows = datasets.host();
        let mut component =
            in_component(&self.host, "retail-rfm", Interface::Segmentation, (&rows, "{}", TODAY), 3);
        let config = settings(&json!({}));
        let mut natively = native(&datasets, TODAY, 3, |rows, at| RetailRfm::fit(rows, &config, at));
        let (took, counts) = self.assigned(&rows, &component.model);
        component.took.wall += took.wall;
        component.took.cpu += took.cpu;
        let started = cpu_time::ThreadTime::now();
        let wall = Instant::now();
        let at = trellis_sdk::Context { as_of: TODAY, ..trellis_sdk::testing::context() };
        for batch in datasets.sdk() {
            std::hint::black_box(RetailRfm::assign(&natively.model, &batch, &at).expect("classes"));
        }
        natively.took.cpu += started.elapsed();
        natively.took.wall += wall.elapsed();
        let told = self.ask("rfm", None);
        for (name, count) in told.iter().flat_map(|told| &told.figures) {
            agree(name, counts.get(name), Some(count), 0.0);
        }
        let tool = told.as_ref().map(|told| ("pandas, from 10 purchases a customer", told));
        let aim = "learning and assigning all; aim below 0.66 s of DuckDB, 0.59 s of Polars, 1.5 s of pandas";
        print_beside("RFM", &component, &natively, tool, aim);
    }

    /// How many customers got each value.
    fn assigned(&self, rows: &tables::Stream, model: &[u8]) -> (learning::Took, BTreeMap<String, f64>) {
        let plugin = self.host.load(&crate::setup::guest("retail-rfm")).expect("a plugin that loads");
        let segmentation = plugin.segmentation().expect("a plugin that segments");
        let described = segmentation.describe("{}").expect("a description");
        let mut counts = BTreeMap::new();
        let mut took = learning::Took { wall: Duration::ZERO, cpu: Duration::ZERO };
        for batch in rows.batches() {
            let at = learning::context(TODAY);
            let assigned = segmentation.assign(&described, model, batch.clone(), &at).expect("classes");
            took.wall += assigned.stats.wall;
            took.cpu += assigned.stats.cpu;
            for column in &assigned.columns {
                for code in &column.codes {
                    let value = column.values.get(*code as usize).unwrap_or_default();
                    *counts.entry(format!("{}_{value}", column.name)).or_insert(0.0) += 1.0;
                }
            }
        }
        (took, counts)
    }

    fn clusters(&self, datasets: &Datasets) {
        let config = json!({
            "purchases": [],
            "features": Figures::names(),
            "start_customers": Figures::starts().map(|start| start.to_string()).collect::<Vec<_>>(),
            "start_field": "start",
        });
        let text = config.to_string();
        let rows = datasets.host();
        let component =
            in_component(&self.host, "customer-clusters", Interface::Segmentation, (&rows, &text, TODAY), 3);
        let config = settings(&config);
        let natively = native(datasets, TODAY, 3, |rows, at| CustomerClusters::fit(rows, &config, at));
        let told = self.ask("clusters", None);
        if let Some(told) = &told {
            agree("inertia", component.figures.get("inertia"), told.figures.get("inertia"), 1e-9);
            agree("iterations", component.figures.get("iterations"), told.figures.get("iterations"), 0.0);
        }
        let iterations = component.figures.get("iterations").copied().unwrap_or(0.0);
        let name =
            format!("k-means, {GROUPS} clusters, {} figures, {iterations} iterations", samples::FIGURES);
        let tool = told.as_ref().map(|told| ("scikit-learn, Lloyd", told));
        let aim = "reading, standardising and judging too; aim below 0.35 s of scikit-learn for 5 iterations";
        print_beside(&name, &component, &natively, tool, aim);
        if let Some(told) = self.ask("clusters_judged", None) {
            for (name, figure) in &told.figures {
                agree(name, component.figures.get(name), Some(figure), 1e-6);
            }
            print_tool("scikit-learn, standardising and judging too", &told, &component);
        }
    }

    fn tree(&self, datasets: &Datasets, splits: &str, aim: &str, apart: f64) {
        let config = json!({ "features": Figures::names(), "target": "buys", "splits": splits });
        let text = config.to_string();
        let rows = datasets.host();
        let component = in_component(&self.host, "trees", Interface::Scoring, (&rows, &text, TODAY), 2);
        let config = settings(&config);
        let natively = native(datasets, TODAY, 2, |rows, at| Trees::fit(rows, &config, at));
        let told = self.ask(&format!("tree_{splits}"), None);
        if let Some(told) = &told {
            agree("AUC", component.figures.get("auc"), told.figures.get("auc"), apart);
            agree("leaves", component.figures.get("leaves"), told.figures.get("leaves"), apart);
        }
        let leaves = component.figures.get("leaves").copied().unwrap_or(0.0);
        let tool = told.as_ref().map(|told| ("scikit-learn", told));
        print_beside(&format!("tree, {splits}, {leaves} leaves"), &component, &natively, tool, aim);
    }

    fn rules(&self) {
        let Some(folder) = reference("groceries") else {
            println!(
                "  rules: not measured, the reference data `groceries` is not there (TRELLIS_REFERENCE_DATA)"
            );
            return;
        };
        let datasets = groceries(&folder.join("groceries_baskets.csv"));
        let config = json!({
            "min_support": 0.001, "min_confidence": 0.5, "min_lift": 0.0, "max_length": 12, "rules_max": 50_000,
        });
        let text = config.to_string();
        let rows = datasets.host();
        let component = in_component(&self.host, "cross-sell", Interface::Scoring, (&rows, &text, TODAY), 5);
        let config = settings(&config);
        let natively = native(&datasets, TODAY, 5, |rows, at| <CrossSell as Scoring>::fit(rows, &config, at));
        let told = self.ask("rules", Some(&folder.join("groceries_baskets.csv")));
        if let Some(told) = &told {
            agree("itemsets", component.figures.get("itemsets"), told.figures.get("itemsets"), 0.0);
            agree("rules", component.figures.get("rules"), told.figures.get("rules"), 0.0);
        }
        let itemsets = component.figures.get("itemsets").copied().unwrap_or(0.0);
        let tool = told.as_ref().map(|told| ("mlxtend", told));
        let name = format!("FP-growth and rules, groceries, {itemsets} itemsets");
        print_beside(&name, &component, &natively, tool, "aim below 0.8 s of mlxtend");
    }

    fn lifetimes(&self) {
        let (datasets, today) = cdnow();
        let rows = datasets.host();
        let component =
            in_component(&self.host, "customer-lifetime", Interface::Scoring, (&rows, "{}", today), 5);
        let config = settings(&json!({}));
        let natively = native(&datasets, today, 5, |rows, at| CustomerLifetime::fit(rows, &config, at));
        let told = self.ask("lifetimes", Some(&cdnow_file()));
        for (name, value) in told.iter().flat_map(|told| &told.figures) {
            agree(name, component.figures.get(name), Some(value), 0.005);
        }
        let tool = told.as_ref().map(|told| ("lifetimes", told));
        let aim = "Gamma-Gamma and standard errors too; aim below 0.08 s of lifetimes";
        print_beside("BG/NBD, CDNOW", &component, &natively, tool, aim);
    }
}

/// A folder of the reference data: of `TRELLIS_REFERENCE_DATA`, or of `shared/data` beside the project.
fn reference(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("TRELLIS_REFERENCE_DATA").map_or_else(beside, PathBuf::from).join(name);
    folder.is_dir().then_some(folder)
}

/// Lines of orders from a file with a basket a line; every customer has one.
fn groceries(path: &Path) -> Datasets {
    let text = std::fs::read_to_string(path).expect("baskets");
    let baskets: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let mut products: Vec<String> = baskets.iter().flatten().map(|product| (*product).to_owned()).collect();
    products.sort_unstable();
    products.dedup();
    let place = |product: &&str| products.partition_point(|known| known.as_str() < *product) as u32;
    let mut lists: Vec<Vec<u32>> = baskets.iter().map(|basket| basket.iter().map(place).collect()).collect();
    lists.iter_mut().for_each(|list| list.sort_unstable());
    let orders: Vec<u32> =
        (0..).zip(&baskets).flat_map(|(order, basket)| basket.iter().map(move |_| order)).collect();
    let lines = orders.len();
    let names = Arc::new(products.clone());
    let numbers = (0..baskets.len()).map(|order| format!("order-{order:05}")).collect();
    let table = Table::new(lines)
        .with("account", Values::Ordinals(orders.iter().map(|order| u64::from(*order)).collect()))
        .with("ordered_on", Values::Days(vec![TODAY; lines]))
        .with("product", Values::Texts(baskets.iter().flatten().map(place).collect(), Arc::clone(&names)))
        .with("category", Values::Texts(vec![NONE; lines], Arc::clone(&names)))
        .with("order", Values::Texts(orders, Arc::new(numbers)));
    let customers = Table::new(lists.len()).with("products", Values::Lists(lists, names));
    Datasets::of(customers).with("lines", table).with("products", Table::new(0))
}

fn cdnow_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cdnow/cdnow_sample_transactions.csv")
}

/// What the store keeps of the purchases up to 1997-09-30, and that day.
fn cdnow() -> (Datasets, i32) {
    let today = trellis_sdk::testing::day("1997-09-30");
    let text = std::fs::read_to_string(cdnow_file()).expect("purchases");
    let mut days: BTreeMap<u32, BTreeMap<i32, i64>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [customer, _, day, _, amount] = cells[..] else { panic!("`{line}` has other columns") };
        let (customer, day) = (customer.parse().expect("a number"), trellis_sdk::testing::day(day));
        let cents = (amount.parse::<f64>().expect("an amount") * 100.0).round() as i64;
        if day <= today {
            *days.entry(customer).or_default().entry(day).or_default() += cents;
        }
    }
    let all = || days.values();
    let first = |days: &BTreeMap<i32, i64>| *days.keys().next().expect("a purchase");
    let last = |days: &BTreeMap<i32, i64>| *days.keys().next_back().expect("a purchase");
    let counts = || Values::Counts(all().map(|days| days.len() as i64).collect());
    let table = Table::new(days.len())
        .with("first_order", Values::Days(all().map(first).collect()))
        .with("last_order", Values::Days(all().map(last).collect()))
        .with("purchase_days", counts())
        .with("spent", Values::Cents(all().map(|days| days.values().sum()).collect()))
        .with("repeat_spent", Values::Cents(all().map(|days| days.values().skip(1).sum()).collect()))
        .with("earlier_last_order", Values::Days(all().map(last).collect()))
        .with("earlier_purchase_days", counts());
    (Datasets::of(table), today)
}
