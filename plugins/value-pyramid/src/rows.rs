//! The figures of each customer in a batch.

use trellis_sdk::{Batch, Result, decimal_places};

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
        let customer = |(row, ordinal): (usize, &u64)| {
            let orders = orders.get(row).filter(|orders| *orders > 0)?;
            Some(Customer {
                ordinal: *ordinal,
                // The sum is null where no order has an amount: then nothing was spent.
                spent: spent.get(row).unwrap_or(0),
                orders,
                first_order: first.get(row),
                last_order: last.get(row),
            })
        };
        let customers = batch.ordinals().iter().enumerate().map(customer).collect();
        Ok(Self { currency: money.currency(), customers })
    }
}

/// An amount of minor units as a number of whole ones: 7402 cents are 74.02.
pub(crate) fn major_units(currency: &str, minor_units: i64) -> f64 {
    minor_units as f64 / 10_u64.pow(decimal_places(currency)) as f64
}
