//! What is known of each customer in a batch.

use trellis_sdk::values::{Dictionary, Values};
use trellis_sdk::{Batch, PluginError, Result};

/// Something that is rated 1 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    ProductValue,
    ServiceValue,
    PeopleValue,
    ImageValue,
    TimeCost,
    MentalCost,
    PhysicalCost,
    MoneyCost,
    Potential,
    Satisfaction,
    Influence,
    SocialImage,
}

/// The columns of the items, in their order.
const ITEMS: [&str; 12] = [
    "product_value",
    "service_value",
    "people_value",
    "image_value",
    "time_cost",
    "mental_cost",
    "physical_cost",
    "money_cost",
    "potential",
    "satisfaction",
    "influence",
    "social_image",
];

/// The four parts of what a customer gets.
pub(crate) const VALUES: [Item; 4] =
    [Item::ProductValue, Item::ServiceValue, Item::PeopleValue, Item::ImageValue];
/// The four parts of what it gives.
pub(crate) const COSTS: [Item; 4] = [Item::TimeCost, Item::MentalCost, Item::PhysicalCost, Item::MoneyCost];

/// What is known of one customer. Amounts are minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Customer<'a> {
    ratings: [Option<f64>; ITEMS.len()],
    /// How many ratings lie outside of 1 to 10; they do not count.
    pub(crate) out_of_scale: usize,
    pub(crate) orders: i64,
    pub(crate) spent: i64,
    pub(crate) spent_window: i64,
    /// In as many days before the window.
    pub(crate) spent_before: i64,
    /// When values and costs were rated: days since 1970-01-01.
    pub(crate) rated_on: Option<i32>,
    /// Of all suppliers, a year; above 0.
    pub(crate) estimated_spend: Option<i64>,
    pub(crate) spend_source: Option<&'a str>,
    /// Days since 1970-01-01.
    pub(crate) spend_estimated_on: Option<i32>,
}

impl Customer<'_> {
    /// The rating, 1 to 10.
    pub(crate) fn rating(&self, item: Item) -> Option<f64> {
        self.ratings.get(item as usize).copied().flatten()
    }

    /// The rating in points of 100: 1 is 0, 10 is 100.
    pub(crate) fn points(&self, item: Item) -> Option<f64> {
        self.rating(item).map(|rating| (rating - 1.0) / 9.0 * 100.0)
    }

    /// The mean of those of `items` that are rated; none where none is.
    pub(crate) fn mean(&self, items: [Item; 4]) -> Option<f64> {
        let rated = items.iter().filter_map(|item| self.rating(*item));
        let count = rated.clone().count();
        (count > 0).then(|| rated.sum::<f64>() / count as f64)
    }

    pub(crate) fn rated(&self, items: [Item; 4]) -> usize {
        items.iter().filter(|item| self.rating(**item).is_some()).count()
    }

    /// Whether anything is known.
    pub(crate) fn is_known(&self) -> bool {
        self.orders > 0 || self.estimated_spend.is_some() || self.ratings.iter().any(Option::is_some)
    }
}

/// The columns of a batch.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// The ISO 4217 code of all amounts.
    pub(crate) currency: &'a str,
    orders: Values<'a, i64>,
    /// Spent, spent in the window, before it, estimated.
    amounts: [Values<'a, i64>; 4],
    sources: Dictionary<'a>,
    /// Of the estimate, of the ratings.
    dates: [Values<'a, i32>; 2],
    items: Vec<Values<'a, f64>>,
    rows: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn read(batch: &'a Batch) -> Result<Self> {
        let currency = batch.money("spent")?.currency();
        let amounts = |name: &str| {
            let amounts = batch.money(name)?;
            if amounts.currency() == currency {
                return Ok(amounts.minor_units());
            }
            let message = (
                format!("`{name}` is in {}, `spent` in {currency}", amounts.currency()),
                format!("`{name}` 的币种为 {}，而 `spent` 的币种为 {currency}", amounts.currency()),
            );
            Err(PluginError::UnsuitableData(message.into()))
        };
        Ok(Self {
            currency,
            orders: batch.int64("orders")?,
            amounts: [
                amounts("spent")?,
                amounts("spent_window")?,
                amounts("spent_before")?,
                amounts("estimated_spend")?,
            ],
            sources: batch.dictionary("spend_source")?,
            dates: [batch.date("spend_estimated_on")?, batch.date("rated_on")?],
            items: ITEMS.into_iter().map(|item| batch.float64(item)).collect::<Result<_>>()?,
            rows: batch.rows(),
        })
    }

    pub(crate) fn customers(&self) -> impl Iterator<Item = Customer<'a>> + '_ {
        (0..self.rows).map(|row| self.customer(row))
    }

    fn customer(&self, row: usize) -> Customer<'a> {
        let ([spent, spent_window, spent_before, estimated], [estimated_on, rated_on]) =
            (&self.amounts, &self.dates);
        let mut customer = Customer {
            orders: self.orders.get(row).unwrap_or(0).max(0),
            spent: spent.get(row).unwrap_or(0),
            spent_window: spent_window.get(row).unwrap_or(0),
            spent_before: spent_before.get(row).unwrap_or(0),
            rated_on: rated_on.get(row),
            estimated_spend: estimated.get(row).filter(|amount| *amount > 0),
            spend_source: self.sources.get(row),
            spend_estimated_on: estimated_on.get(row),
            ..Customer::default()
        };
        for (values, rating) in self.items.iter().zip(&mut customer.ratings) {
            let given = values.get(row);
            *rating = given.filter(|rating| (1.0..=10.0).contains(rating));
            customer.out_of_scale += usize::from(given.is_some() && rating.is_none());
        }
        customer
    }
}
