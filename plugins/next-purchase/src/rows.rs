//! The rhythm of each customer in a batch.

use trellis_sdk::{Batch, Context, LocalizedText, Result, localized};

/// A batch as rhythms.
#[derive(Debug)]
pub(crate) struct Rows {
    /// None for a customer without a purchase, and where the row failed.
    pub(crate) customers: Vec<Option<Customer>>,
    pub(crate) failures: Vec<Failure>,
}

/// One customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Customer {
    /// Times from one purchase day to the next.
    pub(crate) gaps: f64,
    /// Days from the first purchase to the last.
    pub(crate) days: f64,
    /// Days since the last.
    pub(crate) since: f64,
    /// The day of the last, since 1970-01-01.
    pub(crate) last: i32,
}

/// A row whose figures contradict each other.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) row: usize,
    pub(crate) code: &'static str,
    pub(crate) message: LocalizedText,
}

impl Rows {
    /// Reads the columns of the manifest.
    pub(crate) fn read(batch: &Batch, at: &Context) -> Result<Self> {
        let (first, last) = (batch.date("first_order")?, batch.date("last_order")?);
        let days = batch.int64("purchase_days")?;
        let mut rows = Self { customers: Vec::with_capacity(batch.rows()), failures: Vec::new() };
        for (row, ((first, last), days)) in first.iter().zip(last.iter()).zip(days.iter()).enumerate() {
            let customer = first.zip(last).map(|(first, last)| customer(first, last, days, at.as_of));
            match customer {
                Some(Err((code, message))) => {
                    rows.failures.push(Failure { row, code, message });
                    rows.customers.push(None);
                }
                other => rows.customers.push(other.and_then(Result::ok)),
            }
        }
        Ok(rows)
    }
}

fn customer(
    first: i32,
    last: i32,
    days: Option<i64>,
    as_of: i32,
) -> Result<Customer, (&'static str, LocalizedText)> {
    let since = i64::from(as_of) - i64::from(last);
    if since < 0 {
        let text = localized(
            format!("the last order lies {} days after the day that counts as today", -since),
            format!("最近一次下单在计算日之后 {} 天", -since),
        );
        return Err(("order-after-as-of", text));
    }
    let between = i64::from(last) - i64::from(first);
    let gaps =
        days.map(|days| days - 1).filter(|gaps| (0..=between).contains(gaps) && (*gaps > 0 || between == 0));
    let Some(gaps) = gaps else {
        let text = localized(
            "the number of days with an order does not fit the first and the last order",
            "下单天数与首次、最近一次下单日期不符",
        );
        return Err(("purchase-days-contradict", text));
    };
    Ok(Customer { gaps: gaps as f64, days: between as f64, since: since as f64, last })
}
