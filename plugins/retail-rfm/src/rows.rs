//! The three figures of each customer in a batch.

use trellis_sdk::{Batch, Context, LocalizedText, Result, localized};

/// A batch as recency, frequency and monetary value.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) ordinals: &'a [u64],
    /// The ISO 4217 code of all amounts.
    pub(crate) currency: &'a str,
    /// Days from the last order to the day as of which the call is made.
    pub(crate) recency: Vec<i64>,
    /// How many orders; at least 1.
    pub(crate) orders: Vec<i64>,
    /// Minor units.
    pub(crate) spent: Vec<i64>,
    /// Rows without figures, ascending: the customer has no order yet, or the row failed. Their places above mean nothing.
    pub(crate) absent: Vec<usize>,
    pub(crate) failures: Vec<Failure>,
}

/// A row whose figures contradict each other.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) row: usize,
    pub(crate) code: &'static str,
    pub(crate) message: LocalizedText,
}

impl<'a> Rows<'a> {
    /// Reads the columns `last_order`, `orders` and `spent`.
    pub(crate) fn read(batch: &'a Batch, at: &Context) -> Result<Self> {
        let (last_order, orders, money) =
            (batch.date("last_order")?, batch.int64("orders")?, batch.money("spent")?);
        let mut rows = Self {
            ordinals: batch.ordinals(),
            currency: money.currency(),
            recency: Vec::with_capacity(batch.rows()),
            orders: Vec::with_capacity(batch.rows()),
            spent: Vec::with_capacity(batch.rows()),
            absent: Vec::new(),
            failures: Vec::new(),
        };
        // The sum is null where no order has an amount: then nothing was spent.
        let spent = money.minor_units();
        let figures = last_order.iter().zip(orders.iter()).zip(spent.iter());
        for (row, ((last_order, orders), spent)) in figures.enumerate() {
            let recency = last_order.map(|day| i64::from(at.as_of) - i64::from(day));
            match (recency, orders) {
                (Some(recency @ 0..), Some(orders @ 1..)) => rows.push(recency, orders, spent.unwrap_or(0)),
                (None, _) => rows.push_absent(row),
                (Some(recency), _) => rows.push_failure(row, recency),
            }
        }
        Ok(rows)
    }

    /// The rows that have figures.
    pub(crate) fn present(&self) -> impl Iterator<Item = Figures> {
        let figures = self.recency.iter().zip(&self.orders).zip(&self.spent).zip(self.ordinals).enumerate();
        let mut absent = self.absent.iter().peekable();
        figures.filter_map(move |(row, (((recency, orders), spent), ordinal))| {
            if absent.next_if_eq(&&row).is_some() {
                return None;
            }
            Some(Figures { recency: *recency, orders: *orders, spent: *spent, ordinal: *ordinal })
        })
    }

    fn push(&mut self, recency: i64, orders: i64, spent: i64) {
        self.recency.push(recency);
        self.orders.push(orders);
        self.spent.push(spent);
    }

    fn push_absent(&mut self, row: usize) {
        self.push(0, 1, 0);
        self.absent.push(row);
    }

    fn push_failure(&mut self, row: usize, recency: i64) {
        self.push_absent(row);
        let (code, message) = if recency < 0 {
            let days = -recency;
            let en = format!("the last order lies {days} days after the day that counts as today");
            ("order-after-as-of", localized(en, format!("最近一次下单在计算日之后 {days} 天")))
        } else {
            (
                "no-order-count",
                localized("there is a last order, but no number of orders", "有最近下单日期，但没有订单数"),
            )
        };
        self.failures.push(Failure { row, code, message });
    }
}

/// One customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) recency: i64,
    pub(crate) orders: i64,
    pub(crate) spent: i64,
    pub(crate) ordinal: u64,
}
