//! What products earn, and which category they are of.

use std::collections::HashMap;

use trellis_sdk::{Batch, PluginError, Result, RowStream, decimal_places};

use crate::baskets::Items;
use crate::config::{Config, ItemKind};

/// The category of each product that has one, by the product's name.
pub(crate) fn categories(products: RowStream<'_>) -> Result<HashMap<String, String>> {
    let mut categories = HashMap::new();
    for batch in products {
        let (name, category) = (batch.dictionary("name")?, batch.dictionary("category")?);
        for (name, category) in name.iter().zip(category.iter()) {
            if let (Some(name), Some(category)) = (name, category) {
                categories.entry(name.to_owned()).or_insert_with(|| category.to_owned());
            }
        }
    }
    Ok(categories)
}

/// What is earned by one piece of each item, in major units; none where the item has no price.
#[derive(Debug, Clone, Default)]
pub(crate) struct Margins {
    pub(crate) currency: String,
    pub(crate) by_item: Vec<Option<f64>>,
}

impl Margins {
    /// List price less cost; `margin_percent` of the price where there is no cost. A category, and a name that several products
    /// have, earn the mean of their products.
    pub(crate) fn read(products: RowStream<'_>, items: &Items, config: &Config) -> Result<Self> {
        let mut sums = vec![(0.0, 0_u32); items.len()];
        let mut currency = String::new();
        for batch in products {
            add(&batch, items, config, &mut sums, &mut currency)?;
        }
        let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
        Ok(Self { currency, by_item: sums.into_iter().map(mean).collect() })
    }

    /// The mean of the margins that are known; none where none is.
    pub(crate) fn mean(&self) -> Option<f64> {
        let known = || self.by_item.iter().flatten();
        let count = known().count();
        (count > 0).then(|| known().sum::<f64>() / count as f64)
    }
}

fn add(
    batch: &Batch,
    items: &Items,
    config: &Config,
    sums: &mut [(f64, u32)],
    currency: &mut String,
) -> Result<()> {
    let item = match config.item {
        ItemKind::Product => batch.dictionary("name")?,
        ItemKind::Category => batch.dictionary("category")?,
    };
    let (price, cost) = (batch.money("list_price")?, batch.money("cost")?);
    if currency.is_empty() {
        price.currency().clone_into(currency);
    }
    for of_batch in [price.currency(), cost.currency()] {
        if of_batch != currency {
            let message = (
                format!("products have amounts in {currency} and in {of_batch}"),
                format!("商品金额的币种既有 {currency} 又有 {of_batch}"),
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
    }
    let unit = 10_f64.powi(decimal_places(currency) as i32);
    let (price, cost) = (price.minor_units(), cost.minor_units());
    for (row, name) in item.iter().enumerate() {
        let (Some(number), Some(price)) = (name.and_then(|name| items.find(name)), price.get(row)) else {
            continue;
        };
        let price = price as f64 / unit;
        let margin =
            cost.get(row).map_or(price * config.margin_percent / 100.0, |cost| price - cost as f64 / unit);
        if let Some((sum, count)) = sums.get_mut(number as usize) {
            *sum += margin;
            *count += 1;
        }
    }
    Ok(())
}
