//! What is learned from: seeded, so that every run has the same, and written for the public tools, so that they have the same too.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use trellis_sdk::Rng;

use super::learning::TODAY;
use super::tables::{Datasets, NONE, Table, Values};

/// Days within which everybody bought.
const DAYS: u64 = 720;
/// Purchases a customer.
const PURCHASES: usize = 10;
/// Figures of a customer.
pub(crate) const FIGURES: usize = 8;
/// Groups of customers that are planted.
pub(crate) const GROUPS: usize = 5;

/// What customers bought, purchase by purchase.
pub(crate) struct Purchases {
    customers: usize,
    all: Vec<(u32, i32, i64)>,
}

/// Figures of customers, in overlapping groups, and a yes or no that depends on some of them.
pub(crate) struct Figures {
    customers: usize,
    values: Vec<f64>,
    labels: Vec<bool>,
}

impl Purchases {
    pub(crate) fn new(customers: usize) -> Self {
        let mut random = Rng::from_seed(20_261_122);
        let all = (0..customers * PURCHASES).map(|purchase| {
            let any = random.below(customers as u64) as usize;
            let customer = if purchase < customers { purchase } else { any };
            let (day, cents) = (random.below(DAYS) as i32, 100 + random.below(19_900) as i64);
            (customer as u32, day, cents)
        });
        Self { customers, all: all.collect() }
    }

    pub(crate) fn write(&self, folder: &Path) {
        write(folder, "customers.u32", self.all.iter().map(|(customer, ..)| customer.to_le_bytes()));
        write(folder, "days.i32", self.all.iter().map(|(_, day, _)| day.to_le_bytes()));
        write(folder, "cents.i64", self.all.iter().map(|(.., cents)| cents.to_le_bytes()));
        let shape = json!({ "today": DAYS, "figures": FIGURES });
        std::fs::write(folder.join("shape.json"), shape.to_string()).expect("a file");
    }

    /// What the store keeps of them: the last day, the number and the sum of each customer.
    pub(crate) fn warm(&self) -> Datasets {
        let first = TODAY - DAYS as i32;
        let (mut last, mut orders, mut spent) =
            (vec![0; self.customers], vec![0; self.customers], vec![0; self.customers]);
        for (customer, day, cents) in &self.all {
            let customer = *customer as usize;
            last[customer] = last[customer].max(first + day);
            orders[customer] += 1;
            spent[customer] += cents;
        }
        let table = Table::new(self.customers)
            .with("last_order", Values::Days(last))
            .with("orders", Values::Counts(orders))
            .with("spent", Values::Cents(spent));
        Datasets::of(table)
    }
}

impl Figures {
    pub(crate) fn new(customers: usize) -> Self {
        let mut random = Rng::from_seed(20_261_123);
        let mut values = Vec::with_capacity(customers * FIGURES);
        let mut labels = Vec::with_capacity(customers);
        for customer in 0..customers {
            let mut figures = [0.0; FIGURES];
            for (place, figure) in figures.iter_mut().enumerate() {
                let centre = (customer % GROUPS * (place + 1) % GROUPS) as f64;
                // What single precision holds, since scikit-learn grows trees of that.
                *figure = f64::from((0.9 * centre + normal(&mut random)) as f32);
            }
            let [one, two, three, four, ..] = figures;
            let odds = 0.8 * (one - 2.0) - 0.6 * (two - 2.0) + 0.5 * (three - 2.0) * (four - 2.0) - 1.0;
            labels.push(random.unit() < 1.0 / (1.0 + (-odds).exp()));
            values.extend(figures);
        }
        Self { customers, values, labels }
    }

    pub(crate) fn write(&self, folder: &Path) {
        write(folder, "features.f64", self.values.iter().map(|value| value.to_le_bytes()));
        write(folder, "labels.u8", self.labels.iter().map(|label| [u8::from(*label)]));
        write(folder, "starts.u64", Self::starts().map(u64::to_le_bytes));
    }

    /// Customers around whom clusters begin: one of each group.
    pub(crate) fn starts() -> impl Iterator<Item = u64> {
        0..GROUPS as u64
    }

    /// What the customers around whom clusters begin are called; the others have no name.
    fn numbers(&self) -> Vec<u32> {
        (0..self.customers as u32)
            .map(|customer| if customer < GROUPS as u32 { customer } else { NONE })
            .collect()
    }

    pub(crate) fn names() -> Vec<String> {
        (0..FIGURES).map(|place| format!("figure_{place}")).collect()
    }

    pub(crate) fn datasets(&self) -> Datasets {
        let column = |place: usize| self.values.iter().skip(place).step_by(FIGURES).copied().collect();
        let table = Table::new(self.customers)
            .with("spent", Values::Cents(vec![0; self.customers]))
            .with("target", Values::Flags(self.labels.clone()))
            .with(
                "start",
                Values::Texts(
                    self.numbers(),
                    Arc::new(Self::starts().map(|start| start.to_string()).collect()),
                ),
            );
        let columns = Self::names().into_iter().enumerate();
        Datasets::of(columns.fold(table, |table, (place, name)| {
            table.with(&format!("features.{name}"), Values::Numbers(column(place)))
        }))
    }
}

/// A draw of the standard normal distribution (Box and Muller 1958).
fn normal(random: &mut Rng) -> f64 {
    let (one, two) = (1.0 - random.unit(), random.unit());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos()
}

fn write<const N: usize>(folder: &Path, name: &str, values: impl Iterator<Item = [u8; N]>) {
    let mut file = BufWriter::new(std::fs::File::create(folder.join(name)).expect("a file"));
    values.for_each(|bytes| file.write_all(&bytes).expect("a value that is written"));
    file.flush().expect("a whole file");
}
