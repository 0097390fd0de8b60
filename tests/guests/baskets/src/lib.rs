//! Learns from order lines beside the customers, and from fields of theirs that its configuration names. What it read of both stands in the
//! summary of its model.

use serde::Deserialize;
use trellis_sdk::{
    Batch, Context, Model, PluginError, Result, RowStream, ScoreDescription, Scores, Scoring, export_scoring,
    localized, scored,
};

/// The plugin.
#[derive(Debug)]
pub struct Baskets;

/// What an admin sets.
#[derive(Debug, Deserialize)]
pub struct Config {
    /// Fields of customers that it reads.
    pub features: Vec<String>,
    /// Another one.
    pub target: Option<String>,
    /// The dataset that it opens.
    pub dataset: String,
}

impl Scoring for Baskets {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<ScoreDescription>> {
        Ok(vec![scored("points", "Points", "得分")])
    }

    /// Reads the lines twice at the same time, and once more after both were dropped, between the customers.
    fn fit(rows: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        let mut parts = Vec::new();
        let mut lines = Vec::new();
        {
            let (mut one, mut other) = (rows.dataset(&config.dataset)?, rows.dataset(&config.dataset)?);
            loop {
                let (batch, same) = (one.next(), other.next());
                if batch != same {
                    return Err(PluginError::UnsuitableData("two passes differ".into()));
                }
                match batch {
                    Some(batch) => lines.extend(line_texts(&batch)?),
                    None => break,
                }
            }
        }
        let mut customers = 0;
        for batch in rows.by_ref() {
            customers += batch.rows();
            parts = columns(&batch);
        }
        let again = rows.dataset(&config.dataset)?;
        let count = again.rows();
        let text =
            format!("{customers} customers; {}; {count} lines: {}", parts.join(", "), lines.join(", "));
        let mean = count as f64 / customers.max(1) as f64;
        Ok(Model {
            bytes: mean.to_le_bytes().to_vec(),
            summary: localized(&text, &text),
            metrics: Vec::new(),
        })
    }

    fn score(model: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let mean = model.first_chunk().map_or(0.0, |bytes| f64::from_le_bytes(*bytes));
        let orders = rows.int64("orders")?;
        let mut scores = Scores::default();
        scores.push("points", orders.iter().map(|orders| Some(orders? as f64 + mean)));
        Ok(scores)
    }
}

/// The columns of customers that the configuration named, with their types.
fn columns(batch: &Batch) -> Vec<String> {
    let named = batch.column_names().filter(|name| *name != "orders");
    named.map(|name| format!("{name} {}", batch.type_of(name).unwrap_or("?"))).collect()
}

/// Each line: its place, the customer's ordinal, whether it has an order, the product, the day.
fn line_texts(batch: &Batch) -> Result<Vec<String>> {
    let (customers, orders) = (batch.reference("customer")?, batch.dictionary("order")?);
    let (products, days) = (batch.dictionary("product")?, batch.date("ordered_on")?);
    let line = |(row, place): (usize, &u64)| {
        let customer = customers.get(row).map_or("-".to_owned(), |ordinal| ordinal.to_string());
        let order = if orders.get(row).is_some() { "ordered" } else { "-" };
        let product = products.get(row).unwrap_or("-");
        let day = days.get(row).map_or("-".to_owned(), |day| day.to_string());
        format!("{place}:{customer}:{order}:{product}:{day}")
    };
    Ok(batch.ordinals().iter().enumerate().map(line).collect())
}

export_scoring!(Baskets);

#[cfg(test)]
mod tests {
    use super::*;
    use trellis_sdk::testing::{BatchBuilder, context};

    #[test]
    fn lines_are_read_beside_the_customers() {
        let customers =
            BatchBuilder::new([7]).int64("orders", [Some(3)]).float64("target", [Some(1.0)]).build();
        let lines = BatchBuilder::new([0, 1])
            .reference("customer", [Some(7), None])
            .dictionary("order", [Some("a"), None])
            .dictionary("product", [Some("Bread"), None])
            .date("ordered_on", [Some(5), None])
            .build();
        let mut rows = RowStream::of_batches([customers]).with_dataset("lines", [lines]);
        let config =
            |dataset: &str| Config { features: Vec::new(), target: None, dataset: dataset.to_owned() };
        let model = Baskets::fit(&mut rows, &config("lines"), &context()).unwrap();
        assert_eq!(model.summary.en, "1 customers; target float64; 2 lines: 0:7:ordered:Bread:5, 1:-:-:-:-");
        let error = Baskets::fit(&mut rows, &config("carts"), &context()).unwrap_err();
        assert!(error.to_string().contains("no dataset `carts`"), "{error}");
    }
}
