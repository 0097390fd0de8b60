//! How likely a customer buys one product, by what else it bought: a logistic regression (R125).
//!
//! The columns are whether each of the products that go with it most clearly (by chi-square) was bought. Customers with the same columns are one
//! row with a weight, so that a step costs as many rows as there are patterns. A ridge of 1 keeps the coefficients finite where a product
//! divides buyers from others without a rest; Newton's steps reach the one optimum that this leaves.
//!
//! How well it tells buyers is measured on customers that it did not see: every fifth one is held out of a first fit, with columns chosen without
//! them. The regression that is kept then learns from all.

use std::collections::BTreeMap;

use trellis_sdk::{LocalizedText, ModelReader, ModelWriter, PluginError, Result, RowStream, localized, math};

use crate::model::Model;

/// The most products that are looked at: a pattern is one word of bits.
const COLUMNS_MAX: usize = 32;
/// A product that fewer customers bought says too little.
const CUSTOMERS_MIN: u64 = 5;
const RIDGE: f64 = 1.0;
const STEPS_MAX: usize = 50;
/// One customer of so many is held out.
const HELD_OUT_EACH: u64 = 5;

/// A fitted regression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Propensity {
    /// The item whose purchase it tells.
    pub(crate) product: u32,
    pub(crate) customers: u64,
    pub(crate) buyers: u64,
    pub(crate) intercept: f64,
    /// Items with their coefficients, by item.
    pub(crate) coefficients: Vec<(u32, f64)>,
    pub(crate) log_likelihood: f64,
    /// How often a buyer who was held out ranks before another customer who was, ties by half; none where one of the two is missing.
    pub(crate) held_out_auc: Option<f64>,
}

impl Propensity {
    /// Learns from all customers. The inner error says why nothing can be learned.
    pub(crate) fn fit(
        rows: &mut RowStream<'_>,
        model: &Model,
        product: &str,
    ) -> Result<Result<Self, LocalizedText>> {
        let found = (0..).zip(&model.items).find(|(_, item)| item.name == product);
        let Some((product_item, _)) = found else {
            return Ok(Err(localized(
                format!("no basket holds `{product}`"),
                format!("没有购物篮包含“{product}”"),
            )));
        };
        let (counts, learned) = Counts::read(rows, model, product_item)?;
        if !counts.can_be_told_apart() {
            let (buyers, customers) = (counts.buyers, counts.customers);
            return Ok(Err(localized(
                format!(
                    "{buyers} of {customers} customers bought `{product}`, so that there is nothing to tell apart"
                ),
                format!("{customers} 位客户中有 {buyers} 位购买过“{product}”，无法区分"),
            )));
        }
        let (columns, first_columns) = (counts.columns(product_item), learned.columns(product_item));
        let mut patterns = [&columns, &first_columns, &first_columns].map(|columns| Patterns::of(columns));
        let [all, first, held_out] = &mut patterns;
        rows.rewind();
        each_customer(rows, model, |number, owned| {
            all.add(product_item, owned);
            (if is_held_out(number) { &mut *held_out } else { &mut *first }).add(product_item, owned);
        })?;
        let [all, first, held_out] = patterns.map(Patterns::finish);
        let (weights, log_likelihood) = newton(&all, columns.len(), counts.buyers, counts.customers);
        let held_out_auc = learned.can_be_told_apart().then(|| {
            let (weights, _) = newton(&first, first_columns.len(), learned.buyers, learned.customers);
            auc(&held_out, &weights)
        });
        let (intercept, rest) = weights.split_first().expect("there is an intercept");
        Ok(Ok(Self {
            product: product_item,
            customers: counts.customers,
            buyers: counts.buyers,
            intercept: *intercept,
            coefficients: columns.into_iter().zip(rest.iter().copied()).collect(),
            log_likelihood,
            held_out_auc: held_out_auc.flatten(),
        }))
    }

    /// How likely somebody who owns what `owns` says buys the product.
    pub(crate) fn probability(&self, owns: impl Fn(u32) -> bool) -> f64 {
        let owned = self.coefficients.iter().filter(|(item, _)| owns(*item));
        logistic(self.intercept + owned.map(|(_, weight)| weight).sum::<f64>())
    }

    pub(crate) fn write(&self, writer: ModelWriter) -> ModelWriter {
        let items: Vec<u64> = self.coefficients.iter().map(|(item, _)| u64::from(*item)).collect();
        let weights: Vec<f64> = self.coefficients.iter().map(|(_, weight)| *weight).collect();
        writer
            .u64(u64::from(self.product))
            .u64(self.customers)
            .u64(self.buyers)
            .f64(self.intercept)
            .u64s(&items)
            .f64s(&weights)
            .f64(self.log_likelihood)
            .f64(self.held_out_auc.unwrap_or(f64::NAN))
    }

    pub(crate) fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let item = |value: u64| {
            u32::try_from(value)
                .map_err(|_| PluginError::UnreadableModel("an item has no such number".into()))
        };
        let (product, customers, buyers, intercept) =
            (item(reader.u64()?)?, reader.u64()?, reader.u64()?, reader.f64()?);
        let items = reader.u64s()?.into_iter().map(item).collect::<Result<Vec<_>>>()?;
        let coefficients = items.into_iter().zip(reader.f64s()?).collect();
        let (log_likelihood, auc) = (reader.f64()?, reader.f64()?);
        let held_out_auc = auc.is_finite().then_some(auc);
        Ok(Self { product, customers, buyers, intercept, coefficients, log_likelihood, held_out_auc })
    }
}

/// How many customers bought what.
struct Counts {
    customers: u64,
    buyers: u64,
    /// For each item how many bought it, and how many of them the product too.
    items: Vec<(u64, u64)>,
}

impl Counts {
    /// Of all customers, and of those that are not held out.
    fn read(rows: &mut RowStream<'_>, model: &Model, product: u32) -> Result<(Self, Self)> {
        let none = || Self { customers: 0, buyers: 0, items: vec![(0, 0); model.items.len()] };
        let (mut counts, mut learned) = (none(), none());
        each_customer(rows, model, |number, owned| {
            counts.add(product, owned);
            if !is_held_out(number) {
                learned.add(product, owned);
            }
        })?;
        Ok((counts, learned))
    }

    fn add(&mut self, product: u32, owned: &[u32]) {
        let is_buyer = owned.contains(&product);
        self.customers += 1;
        self.buyers += u64::from(is_buyer);
        for item in owned {
            if let Some((all, buyers)) = self.items.get_mut(*item as usize) {
                *all += 1;
                *buyers += u64::from(is_buyer);
            }
        }
    }

    /// Whether there are buyers and others.
    fn can_be_told_apart(&self) -> bool {
        self.buyers > 0 && self.buyers < self.customers
    }

    /// The items that go with the product most clearly, ascending by number.
    fn columns(&self, product: u32) -> Vec<u32> {
        let (n, positives) = (self.customers as f64, self.buyers as f64);
        let mut ranked: Vec<(f64, u32)> = Vec::new();
        for (item, (all, buyers)) in (0..).zip(&self.items) {
            let others = self.customers - all;
            if item == product || *all < CUSTOMERS_MIN || others < CUSTOMERS_MIN {
                continue;
            }
            let (all, buyers) = (*all as f64, *buyers as f64);
            let cross = buyers * n - all * positives;
            ranked.push((cross * cross / (all * (n - all)), item));
        }
        ranked.sort_by(|(one, item), (other, other_item)| other.total_cmp(one).then(item.cmp(other_item)));
        let mut columns: Vec<u32> = ranked.into_iter().take(COLUMNS_MAX).map(|(_, item)| item).collect();
        columns.sort_unstable();
        columns
    }
}

/// Whether a customer takes no part in the first fit; customers are numbered in the order in which they are read.
fn is_held_out(number: u64) -> bool {
    number % HELD_OUT_EACH == HELD_OUT_EACH - 1
}

/// How often a buyer ranks before another customer, ties by half; none without pairs.
fn auc(patterns: &[(u32, f64, f64)], weights: &[f64]) -> Option<f64> {
    let mut ranked: Vec<(f64, f64, f64)> = patterns
        .iter()
        .map(|(pattern, all, buyers)| (linear(*pattern, weights), *buyers, all - buyers))
        .collect();
    ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut won, mut others_below) = (0.0, 0.0);
    for ties in ranked.chunk_by(|one, other| one.0 == other.0) {
        let buyers: f64 = ties.iter().map(|(_, buyers, _)| buyers).sum();
        let others: f64 = ties.iter().map(|(_, _, others)| others).sum();
        won += buyers * (others_below + others / 2.0);
        others_below += others;
    }
    let pairs = ranked.iter().map(|(_, buyers, _)| buyers).sum::<f64>() * others_below;
    (pairs > 0.0).then(|| won / pairs)
}

/// Calls `see` with a number and the items of each customer who bought anything: in any order, each once but where several products are of one category.
fn each_customer(rows: &mut RowStream<'_>, model: &Model, mut see: impl FnMut(u64, &[u32])) -> Result<()> {
    let numbers = model.numbers();
    let (mut owned, mut number) = (Vec::new(), 0);
    for batch in rows {
        let bought = batch.lists("products")?;
        let of_text: Vec<Option<u32>> =
            bought.texts().iter().map(|text| numbers.get(text?).copied()).collect();
        for row in 0..bought.rows() {
            owned.clear();
            let codes = bought.codes(row).unwrap_or_default().iter();
            owned.extend(codes.filter_map(|code| of_text.get(*code as usize).copied().flatten()));
            owned.sort_unstable();
            owned.dedup();
            if !owned.is_empty() {
                see(number, &owned);
                number += 1;
            }
        }
    }
    Ok(())
}

/// How many customers have each pattern of columns, and how many of them are buyers.
struct Patterns<'a> {
    columns: &'a [u32],
    counts: BTreeMap<u32, (u64, u64)>,
}

impl<'a> Patterns<'a> {
    fn of(columns: &'a [u32]) -> Self {
        Self { columns, counts: BTreeMap::new() }
    }

    fn add(&mut self, product: u32, owned: &[u32]) {
        let bits = owned.iter().filter_map(|item| self.columns.binary_search(item).ok());
        let pattern = bits.fold(0_u32, |pattern, column| pattern | 1 << column);
        let (all, buyers) = self.counts.entry(pattern).or_default();
        *all += 1;
        *buyers += u64::from(owned.binary_search(&product).is_ok());
    }

    fn finish(self) -> Vec<(u32, f64, f64)> {
        self.counts.into_iter().map(|(pattern, (all, buyers))| (pattern, all as f64, buyers as f64)).collect()
    }
}

/// The weights (the intercept first) and the log-likelihood.
fn newton(patterns: &[(u32, f64, f64)], columns: usize, buyers: u64, customers: u64) -> (Vec<f64>, f64) {
    let size = columns + 1;
    let mut weights = vec![0.0; size];
    if let Some(intercept) = weights.first_mut() {
        *intercept = math::log(buyers as f64 / (customers - buyers) as f64);
    }
    for _ in 0..STEPS_MAX {
        let (mut gradient, mut hessian) = derivatives(patterns, &weights);
        let Some(step) = solve(&mut hessian, &mut gradient, size) else { break };
        let largest = step.iter().fold(0.0_f64, |largest, part| largest.max(part.abs()));
        // A long step may overshoot; half of it does not.
        let scale = if largest > 5.0 { 5.0 / largest } else { 1.0 };
        weights.iter_mut().zip(&step).for_each(|(weight, part)| *weight += scale * part);
        if largest < 1e-10 {
            break;
        }
    }
    let likelihood = |(pattern, all, buyers): &(u32, f64, f64)| {
        let linear = linear(*pattern, &weights);
        let log_yes = -math::log1p(math::exp(-linear.abs())) + linear.min(0.0);
        buyers * log_yes + (all - buyers) * (log_yes - linear)
    };
    let log_likelihood = patterns.iter().map(likelihood).sum();
    (weights, log_likelihood)
}

fn linear(pattern: u32, weights: &[f64]) -> f64 {
    let columns = weights.iter().skip(1).enumerate().filter(|(column, _)| pattern >> column & 1 == 1);
    weights.first().copied().unwrap_or(0.0) + columns.map(|(_, weight)| weight).sum::<f64>()
}

#[expect(clippy::indexing_slicing, reason = "all indices are below `weights.len()`, the side of both arrays")]
fn derivatives(patterns: &[(u32, f64, f64)], weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let size = weights.len();
    let (mut gradient, mut hessian) = (vec![0.0; size], vec![0.0; size * size]);
    for row in 1..size {
        gradient[row] = -RIDGE * weights[row];
        hessian[row * size + row] = RIDGE;
    }
    let mut present = Vec::with_capacity(size);
    for (pattern, all, buyers) in patterns {
        let p = logistic(linear(*pattern, weights));
        let (slope, curve) = (buyers - all * p, all * p * (1.0 - p));
        present.clear();
        present.push(0);
        present.extend((1..size).filter(|column| pattern >> (column - 1) & 1 == 1));
        for row in &present {
            gradient[*row] += slope;
            for column in &present {
                hessian[row * size + column] += curve;
            }
        }
    }
    (gradient, hessian)
}

/// Solves a positive definite system by Cholesky; none where it is not.
#[expect(clippy::indexing_slicing, reason = "all indices are below `size`, the side of both arrays")]
fn solve(matrix: &mut [f64], right: &mut [f64], size: usize) -> Option<Vec<f64>> {
    for column in 0..size {
        for row in column..size {
            let dot: f64 = (0..column).map(|k| matrix[row * size + k] * matrix[column * size + k]).sum();
            let rest = matrix[row * size + column] - dot;
            if row == column {
                if rest <= 0.0 {
                    return None;
                }
                matrix[row * size + column] = rest.sqrt();
            } else {
                matrix[row * size + column] = rest / matrix[column * size + column];
            }
        }
    }
    for row in 0..size {
        let dot: f64 = (0..row).map(|k| matrix[row * size + k] * right[k]).sum();
        right[row] = (right[row] - dot) / matrix[row * size + row];
    }
    for row in (0..size).rev() {
        let dot: f64 = (row + 1..size).map(|k| matrix[k * size + row] * right[k]).sum();
        right[row] = (right[row] - dot) / matrix[row * size + row];
    }
    Some(right.to_vec())
}

fn logistic(linear: f64) -> f64 {
    1.0 / (1.0 + math::exp(-linear))
}
