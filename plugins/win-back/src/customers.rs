//! The figures of each customer in a batch, and what they say about taking part.

use trellis_sdk::{Batch, Context, Reason, Result, format_money, localized, reason};

use crate::config::Config;

/// The causes for which a customer does not take part.
pub(crate) const NO_ORDERS: &str = "no-orders";
pub(crate) const OPEN_SEVERE_COMPLAINT: &str = "open-severe-complaint";
pub(crate) const TOO_FEW_ORDERS: &str = "too-few-orders";
pub(crate) const TOO_RECENT: &str = "too-recent";

/// What is known of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    /// Days since the last order; none where there is no order. Below 0 for one that is dated ahead.
    pub(crate) inactive_days: Option<i64>,
    pub(crate) last_order: Option<i32>,
    pub(crate) orders: i64,
    /// With its currency.
    pub(crate) spent: String,
    pub(crate) open_severe_complaints: i64,
    /// Open or settled.
    pub(crate) severe_complaints: i64,
    pub(crate) open_tasks: i64,
}

/// The customers of a batch, in its order.
pub(crate) fn read(batch: &Batch, at: &Context) -> Result<Vec<Customer>> {
    let (last_order, orders, spent) =
        (batch.date("last_order")?, batch.int64("orders")?, batch.money("spent")?);
    let (complaints, tasks) = (batch.int64("open_severe_complaints")?, batch.int64("open_tasks")?);
    // A campaign that began under an earlier version has no such column.
    let all =
        if batch.has_column("severe_complaints") { Some(batch.int64("severe_complaints")?) } else { None };
    let customer = |row| Customer {
        inactive_days: last_order.get(row).map(|day| i64::from(at.as_of) - i64::from(day)),
        last_order: last_order.get(row),
        orders: orders.get(row).unwrap_or(0),
        spent: format_money(spent.currency(), spent.minor_units().get(row).unwrap_or(0)),
        open_severe_complaints: complaints.get(row).unwrap_or(0),
        severe_complaints: all.as_ref().and_then(|all| all.get(row)).unwrap_or(0),
        open_tasks: tasks.get(row).unwrap_or(0),
    };
    Ok((0..batch.rows()).map(customer).collect())
}

impl Customer {
    /// Whether the customer takes part; if not, the first cause that applies.
    pub(crate) fn judge(&self, config: &Config) -> Result<(), &'static str> {
        match self.inactive_days {
            _ if self.orders < 1 => Err(NO_ORDERS),
            None => Err(NO_ORDERS),
            Some(_) if self.open_severe_complaints > 0 => Err(OPEN_SEVERE_COMPLAINT),
            Some(_) if self.orders < config.min_orders => Err(TOO_FEW_ORDERS),
            Some(days) if days < i64::from(config.inactive_days) => Err(TOO_RECENT),
            Some(_) => Ok(()),
        }
    }

    /// What speaks for and against taking part, what decides first.
    pub(crate) fn reasons(&self, config: &Config) -> Vec<Reason> {
        let Some(days) = self.inactive_days.filter(|_| self.orders > 0) else {
            return vec![reason(NO_ORDERS, localized("no order so far", "暂无订单"), 1.0)];
        };
        let mut reasons = vec![self.inactivity(days, config), self.regularity(config)];
        if self.open_severe_complaints > 0 {
            reasons.push(self.complaints());
        }
        reasons.sort_by(|one, other| other.weight.total_cmp(&one.weight));
        reasons
    }

    fn complaints(&self) -> Reason {
        let count = self.open_severe_complaints;
        let noun = if count == 1 { "complaint" } else { "complaints" };
        let text = localized(
            format!("{count} open severe {noun}: settle that before any offer"),
            format!("有 {count} 件未结的严重投诉：先解决投诉，再谈优惠"),
        );
        reason(OPEN_SEVERE_COMPLAINT, text, 1.0)
    }

    /// A criterion that is not met weighs more than one that is.
    fn inactivity(&self, days: i64, config: &Config) -> Reason {
        let limit = config.inactive_days;
        if days < i64::from(limit) {
            let text = localized(
                format!("last order {days} days ago, less than {limit}: still a customer"),
                format!("最近一次下单在 {days} 天前，不足 {limit} 天：仍是活跃客户"),
            );
            return reason(TOO_RECENT, text, 0.8);
        }
        let text = localized(
            format!("last order {days} days ago, {limit} or more: lost"),
            format!("最近一次下单在 {days} 天前，已满 {limit} 天：视为流失"),
        );
        reason("inactive", text, 0.6)
    }

    fn regularity(&self, config: &Config) -> Reason {
        let (orders, spent, limit) = (self.orders, &self.spent, config.min_orders);
        let noun = if orders == 1 { "order" } else { "orders" };
        if orders < limit {
            let text = localized(
                format!("{orders} {noun} in all, fewer than {limit}: never a regular customer"),
                format!("共 {orders} 笔订单，少于 {limit} 笔：不算老客户"),
            );
            return reason(TOO_FEW_ORDERS, text, 0.9);
        }
        let text = localized(
            format!("{orders} {noun} worth {spent}: worth winning back"),
            format!("共 {orders} 笔订单，合计 {spent}：值得唤回"),
        );
        reason("regular", text, 0.5)
    }
}
