//! The figures of each customer in a batch.

use trellis_sdk::values::Values;
use trellis_sdk::{Batch, PluginError, Result, decimal_places};

/// A customer with an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    pub(crate) ordinal: u64,
    /// Minor units; below 0 where more was returned than bought.
    pub(crate) spent: i64,
    pub(crate) orders: i64,
    /// Days since 1970-01-01.
    pub(crate) first_order: Option<i32>,
    pub(crate) last_order: Option<i32>,
    /// What it had spent at the beginning of the window, in minor units; none where it had no order then.
    pub(crate) spent_before: Option<i64>,
    /// What it has cost so far, in minor units; none where nobody knows.
    pub(crate) cost: Option<i64>,
}

/// The customers of a batch, in its order; none where there is no order yet.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// The ISO 4217 code of all amounts.
    pub(crate) currency: &'a str,
    pub(crate) customers: Vec<Option<Customer>>,
}

impl<'a> Rows<'a> {
    pub(crate) fn read(batch: &'a Batch) -> Result<Self> {
        let (money, orders) = (batch.money("spent")?, batch.int64("orders")?);
        let (first, last) = (batch.date("first_order")?, batch.date("last_order")?);
        let spent = money.minor_units();
        let earlier = Earlier::read(batch)?;
        let costs = costs(batch, money.currency())?;
        let customer = |(row, ordinal): (usize, &u64)| {
            let orders = orders.get(row).filter(|orders| *orders > 0)?;
            Some(Customer {
                ordinal: *ordinal,
                // The sum is null where no order has an amount: then nothing was spent.
                spent: spent.get(row).unwrap_or(0),
                orders,
                first_order: first.get(row),
                last_order: last.get(row),
                spent_before: earlier.as_ref().and_then(|earlier| earlier.spent(row)),
                cost: costs.as_ref().and_then(|costs| costs.get(row).copied().flatten()),
            })
        };
        let customers = batch.ordinals().iter().enumerate().map(customer).collect();
        Ok(Self { currency: money.currency(), customers })
    }
}

/// What customers had ordered at the beginning of the window.
struct Earlier<'a> {
    spent: Values<'a, i64>,
    orders: Values<'a, i64>,
}

impl<'a> Earlier<'a> {
    /// None where the columns are not there.
    fn read(batch: &'a Batch) -> Result<Option<Self>> {
        if !batch.has_column("spent_before") || !batch.has_column("orders_before") {
            return Ok(None);
        }
        let (spent, orders) = (batch.money("spent_before")?.minor_units(), batch.int64("orders_before")?);
        Ok(Some(Self { spent, orders }))
    }

    fn spent(&self, row: usize) -> Option<i64> {
        self.orders.get(row).filter(|orders| *orders > 0)?;
        Some(self.spent.get(row).unwrap_or(0))
    }
}

/// The costs in minor units; none without such a column. Plain numbers are whole units of the currency.
fn costs(batch: &Batch, currency: &str) -> Result<Option<Vec<Option<i64>>>> {
    let scale = 10_f64.powi(decimal_places(currency) as i32);
    let of_number = |cost: f64| (cost * scale).round() as i64;
    match batch.type_of("cost") {
        None => Ok(None),
        Some("money") => {
            let costs = batch.money("cost")?;
            if costs.currency() != currency {
                let message = (
                    format!("`cost` is in {}, `spent` in {currency}", costs.currency()),
                    format!("`cost` 的币种为 {}，而 `spent` 的币种为 {currency}", costs.currency()),
                );
                return Err(PluginError::UnsuitableData(message.into()));
            }
            Ok(Some(costs.minor_units().iter().collect()))
        }
        Some("float64") => {
            Ok(Some(batch.float64("cost")?.iter().map(|cost| Some(of_number(cost?))).collect()))
        }
        Some("int64") => {
            Ok(Some(batch.int64("cost")?.iter().map(|cost| Some(of_number(cost? as f64))).collect()))
        }
        Some(other) => {
            let message = (
                format!("`cost` is of type {other}; it must be an amount or a number"),
                format!("`cost` 的类型为 {other}；须为金额或数字"),
            );
            Err(PluginError::UnsuitableData(message.into()))
        }
    }
}

/// An amount of minor units as a number of whole ones: 7402 cents are 74.02.
pub(crate) fn major_units(currency: &str, minor_units: i64) -> f64 {
    minor_units as f64 / 10_u64.pow(decimal_places(currency)) as f64
}
