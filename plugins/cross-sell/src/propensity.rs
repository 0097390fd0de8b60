//! How likely a customer buys one product, by what else it bought: a logistic regression (R125).
//!
//! The columns are whether each of the products that go with it most clearly (by chi-square) was bought. Customers with the same columns are one
//! row with a weight, so that a step costs as many rows as there are patterns. A ridge of 1 keeps the coefficients finite where a product
//! divides buyers from others without a rest; Newton's steps reach the one optimum that this leaves.

use std::collections::BTreeMap;

use trellis_sdk::{ModelReader, ModelWriter, PluginError, Result, RowStream, math};

use crate::model::Model;

/// The most products that are looked at: a pattern is one word of bits.
const COLUMNS_MAX: usize = 32;
/// A product that fewer customers bought says too little.
const CUSTOMERS_MIN: u64 = 5;
const RIDGE: f64 = 1.0;
const STEPS_MAX: usize = 50;

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
}

impl Propensity {
    /// Learns from all customers. The inner error says why nothing can be learned.
    pub(crate) fn fit(
        rows: &mut RowStream<'_>,
        model: &Model,
        product: &str,
    ) -> Result<Result<Self, String>> {
        let found = (0..).zip(&model.items).find(|(_, item)| item.name == product);
        let Some((product_item, _)) = found else {
            return Ok(Err(format!("no basket holds `{product}`")));
        };
        let counts = Counts::read(rows, model, product_item)?;
        if counts.buyers == 0 || counts.buyers == counts.customers {
            return Ok(Err(format!(
                "{} of {} customers bought `{product}`, so that there is nothing to tell apart",
                counts.buyers, counts.customers
            )));
        }
        let columns = counts.columns(product_item);
        rows.rewind();
        let patterns = patterns(rows, model, product_item, &columns)?;
        let (weights, log_likelihood) = newton(&patterns, columns.len(), counts.buyers, counts.customers);
        let (intercept, rest) = weights.split_first().expect("there is an intercept");
        Ok(Ok(Self {
            product: product_item,
            customers: counts.customers,
            buyers: counts.buyers,
            intercept: *intercept,
            coefficients: columns.into_iter().zip(rest.iter().copied()).collect(),
            log_likelihood,
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
        Ok(Self { product, customers, buyers, intercept, coefficients, log_likelihood: reader.f64()? })
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
    fn read(rows: &mut RowStream<'_>, model: &Model, product: u32) -> Result<Self> {
        let mut counts = Self { customers: 0, buyers: 0, items: vec![(0, 0); model.items.len()] };
        each_customer(rows, model, |owned| {
            let is_buyer = owned.contains(&product);
            counts.customers += 1;
            counts.buyers += u64::from(is_buyer);
            for item in owned {
                if let Some((all, buyers)) = counts.items.get_mut(*item as usize) {
                    *all += 1;
                    *buyers += u64::from(is_buyer);
                }
            }
        })?;
        Ok(counts)
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

/// Calls `see` with the items of each customer who bought anything: in any order, each once but where several products are of one category.
fn each_customer(rows: &mut RowStream<'_>, model: &Model, mut see: impl FnMut(&[u32])) -> Result<()> {
    let numbers = model.numbers();
    let mut owned = Vec::new();
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
                see(&owned);
            }
        }
    }
    Ok(())
}

/// How many customers have each pattern of columns, and how many of them are buyers.
fn patterns(
    rows: &mut RowStream<'_>,
    model: &Model,
    product: u32,
    columns: &[u32],
) -> Result<Vec<(u32, f64, f64)>> {
    let mut patterns: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    each_customer(rows, model, |owned| {
        let bits = owned.iter().filter_map(|item| columns.binary_search(item).ok());
        let pattern = bits.fold(0_u32, |pattern, column| pattern | 1 << column);
        let (all, buyers) = patterns.entry(pattern).or_default();
        *all += 1;
        *buyers += u64::from(owned.binary_search(&product).is_ok());
    })?;
    Ok(patterns.into_iter().map(|(pattern, (all, buyers))| (pattern, all as f64, buyers as f64)).collect())
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
