//! What is known of each customer in a batch.

use trellis_sdk::{Batch, PluginError, Result, decimal_places};

/// A customer with an order. Amounts are minor units, days are since 1970-01-01.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer {
    pub(crate) orders: i64,
    pub(crate) first_order: i32,
    pub(crate) last_order: i32,
    pub(crate) spent: i64,
    /// In the recent period.
    pub(crate) recent: i64,
    /// In the period before it.
    pub(crate) earlier: i64,
    /// Of all suppliers, a year: now and before.
    pub(crate) demand: Option<i64>,
    pub(crate) demand_before: Option<i64>,
    pub(crate) cost: Option<i64>,
    /// A place in [`CAUSES`].
    pub(crate) cause: Option<usize>,
}

/// The options of the cause of exit; one that this version does not know is another cause.
pub(crate) const CAUSES: [&str; 11] = [
    "expectations_missed",
    "no_value",
    "trial_failed",
    "rising_expectations",
    "service_failure",
    "no_innovation",
    "unequal_gain",
    "better_competitor",
    "switching_got_cheap",
    "demand_ended",
    "other",
];

/// The customers of a batch, in its order; none where there is no order yet.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// The ISO 4217 code of all amounts.
    pub(crate) currency: &'a str,
    pub(crate) customers: Vec<Option<Customer>>,
}

impl<'a> Rows<'a> {
    pub(crate) fn read(batch: &'a Batch) -> Result<Self> {
        let money = batch.money("spent")?;
        let currency = money.currency();
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
        let (orders, first, last) =
            (batch.int64("orders")?, batch.date("first_order")?, batch.date("last_order")?);
        let (recent, history) = (amounts("spent_recent")?, amounts("spent_history")?);
        let (demand, before) = (amounts("estimated_demand")?, amounts("estimated_demand_before")?);
        let cost = if batch.has_column("cost") { Some(amounts("cost")?) } else { None };
        let causes = batch.dictionary("exit_cause")?;
        let spent = money.minor_units();
        let customer = |row: usize| {
            let orders = orders.get(row).filter(|orders| *orders > 0)?;
            let recent = recent.get(row).unwrap_or(0);
            let other = CAUSES.len() - 1;
            let cause = |cause: &str| CAUSES.iter().position(|known| *known == cause).unwrap_or(other);
            Some(Customer {
                orders,
                first_order: first.get(row)?,
                last_order: last.get(row)?,
                spent: spent.get(row).unwrap_or(0),
                recent,
                earlier: history.get(row).unwrap_or(0).saturating_sub(recent),
                demand: demand.get(row).filter(|demand| *demand >= 0),
                demand_before: before.get(row).filter(|demand| *demand > 0),
                cost: cost.as_ref().and_then(|cost| cost.get(row)),
                cause: causes.get(row).map(cause),
            })
        };
        Ok(Self { currency, customers: (0..batch.rows()).map(customer).collect() })
    }
}

/// An amount of minor units as a number of whole ones: 7402 cents are 74.02.
pub(crate) fn major_units(currency: &str, minor_units: f64) -> f64 {
    minor_units / 10_u64.pow(decimal_places(currency)) as f64
}
