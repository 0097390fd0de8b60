//! Whether a customer pays, and why not.

use trellis_sdk::{Reason, format_money, localized, reason};

use crate::rows::Customer;

/// Why a customer costs more than it brings: the code, what to call it, and what to do.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) code: &'static str,
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

/// In the order in which they are tried.
pub(crate) const CAUSES: [Cause; 5] = [
    Cause { code: "returns", en: "returns exceed purchases", zh: "退货多于购买" },
    Cause {
        code: "high-cost", en: "costs twice the average or more", zh: "服务成本达到平均值两倍以上"
    },
    Cause { code: "few-orders", en: "fewer orders than the average", zh: "订单数低于平均值" },
    Cause { code: "small-orders", en: "smaller orders than the average", zh: "单笔金额低于平均值" },
    Cause {
        code: "thin-margin",
        en: "average orders and costs; the costs exceed the orders all the same",
        zh: "订单与成本均属平均水平，但成本仍超过销售额",
    },
];

/// What customers are measured by: means of those whose cost is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Averages {
    /// Minor units.
    pub(crate) cost: f64,
    pub(crate) orders: f64,
    /// Minor units an order.
    pub(crate) order_value: f64,
}

impl Averages {
    pub(crate) fn of(customers: &[Customer]) -> Self {
        let (mut count, mut cost, mut orders, mut spent) = (0_u64, 0_i128, 0_i128, 0_i128);
        for customer in customers {
            let Some(one) = customer.cost else { continue };
            count += 1;
            cost += i128::from(one);
            orders += i128::from(customer.orders);
            spent += i128::from(customer.spent);
        }
        let mean = |sum: i128, count: f64| if count > 0.0 { sum as f64 / count } else { 0.0 };
        Self {
            cost: mean(cost, count as f64),
            orders: mean(orders, count as f64),
            order_value: mean(spent, orders as f64),
        }
    }

    /// Why it costs more than it brings, as a place in [`CAUSES`]; none where it does not, or nobody knows the cost.
    pub(crate) fn unprofitable(&self, customer: &Customer) -> Option<usize> {
        let cost = customer.cost.filter(|cost| *cost > customer.spent)?;
        let each = customer.spent as f64 / customer.orders as f64;
        let causes = [
            customer.spent <= 0,
            cost as f64 >= 2.0 * self.cost,
            (customer.orders as f64) < self.orders,
            each < self.order_value,
            true,
        ];
        causes.iter().position(|holds| *holds)
    }

    /// What the customer brings after its cost, with the cause where that is a loss.
    pub(crate) fn reason(&self, customer: &Customer, currency: &str) -> Option<Reason> {
        let cost = customer.cost?;
        let money = |minor_units| format_money(currency, minor_units);
        let (profit, cost) = (money(customer.spent.saturating_sub(cost)), money(cost));
        let Some(cause) = self.unprofitable(customer).and_then(|cause| CAUSES.get(cause)) else {
            let text = localized(
                format!("brings {profit} after costs of {cost}"),
                format!("扣除成本 {cost} 后贡献 {profit}"),
            );
            return Some(reason("profitable", text, 0.5));
        };
        let text = localized(
            format!("brings {profit} after costs of {cost}: {}", cause.en),
            format!("扣除成本 {cost} 后贡献 {profit}：{}", cause.zh),
        );
        Some(reason(cause.code, text, 0.9))
    }
}
