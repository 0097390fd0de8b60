//! Why a customer stands where it does, and what the pyramid looks like.

use trellis_sdk::{Context, LocalizedText, Reason, format_money, localized, reason};

use crate::config::By;
use crate::model::{Place, Pyramid};
use crate::rows::{Customer, Rows};
use crate::tiers::{TIERS, tier_at};

/// For each row its rank, its value, the way to the next tier and how long it has been a customer.
pub(crate) fn explain(pyramid: &Pyramid, rows: &Rows<'_>, at: &Context) -> Vec<Vec<Reason>> {
    rows.customers
        .iter()
        .map(|customer| match customer {
            None => vec![reason("no-orders", localized("no order so far", "暂无订单"), 1.0)],
            Some(customer) => explain_customer(pyramid, customer, at),
        })
        .collect()
}

fn explain_customer(pyramid: &Pyramid, customer: &Customer, at: &Context) -> Vec<Reason> {
    let place = pyramid.place(customer.spent, customer.ordinal);
    let tier = pyramid.shares.tier(place.standing);
    let mut reasons = vec![
        standing_reason(pyramid, place, tier),
        value_reason(pyramid, customer),
        step_reason(pyramid, customer, tier),
    ];
    let profit = pyramid.averages.and_then(|averages| averages.reason(customer, &pyramid.currency));
    reasons.extend(profit);
    reasons.extend(history_reason(customer, at));
    reasons.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    reasons
}

fn standing_reason(pyramid: &Pyramid, place: Place, tier: usize) -> Reason {
    let tier = tier_at(tier);
    let (about, about_zh) = if place.is_exact { ("", "") } else { ("about ", "约") };
    let Place { standing, position, .. } = place;
    let customers = pyramid.customers;
    let (share, share_zh) = match pyramid.shares.by {
        By::Customers => (
            format!("{standing:.1} % of the other customers rank lower"),
            format!("高于其他客户中的 {standing:.1}%"),
        ),
        By::Revenue => (
            format!("{standing:.1} % of the other customers' revenue come from lower ranks"),
            format!("其他客户的销售额有 {standing:.1}% 来自排名较低者"),
        ),
    };
    let text = localized(
        format!("ranks {about}{position} of {customers}; {share}: {} tier", tier.en.to_lowercase()),
        format!("在 {customers} 位客户中排名{about_zh}第 {position}，{share_zh}：{}", tier.zh),
    );
    reason("standing", text, 1.0)
}

fn value_reason(pyramid: &Pyramid, customer: &Customer) -> Reason {
    let money = |minor_units| format_money(&pyramid.currency, minor_units);
    let Customer { spent, orders, .. } = *customer;
    let noun = if orders == 1 { "order" } else { "orders" };
    let each = money((spent as f64 / orders as f64).round() as i64);
    let spent = money(spent);
    let text = localized(
        format!("lifetime value {spent} from {orders} {noun}, {each} per order"),
        format!("终身价值 {spent}，共 {orders} 笔订单，平均每笔 {each}"),
    );
    reason("value", text, 0.8)
}

/// How far it is to the next tier; in the highest, how far above the one below.
fn step_reason(pyramid: &Pyramid, customer: &Customer, tier: usize) -> Reason {
    let money = |minor_units: i64| format_money(&pyramid.currency, minor_units);
    let higher = (0..tier).rev().find_map(|tier| Some((tier_at(tier), pyramid.tiers.get(tier)?.cut?)));
    let text = match higher {
        Some((next, cut)) if cut > customer.spent => {
            let (missing, cut) = (money(cut.saturating_sub(customer.spent)), money(cut));
            localized(
                format!("{missing} more reach the {} tier, which begins at {cut}", next.en.to_lowercase()),
                format!("再消费 {missing} 即可升入{}（起点 {cut}）", next.zh),
            )
        }
        Some((next, _)) => localized(
            format!(
                "spent as much as the lowest of the {} tier; of equal customers the newer records rank higher",
                next.en.to_lowercase()
            ),
            format!("与{}最低者消费相同；金额相同时，较新的客户记录排名靠前", next.zh),
        ),
        None => {
            let cut = pyramid.tiers.get(tier).and_then(|tier| tier.cut).unwrap_or(customer.spent);
            let (above, cut) = (money(customer.spent.saturating_sub(cut).max(0)), money(cut));
            localized(
                format!("{above} above the {cut} at which the highest tier begins"),
                format!("比最高层起点 {cut} 高出 {above}"),
            )
        }
    };
    reason("next-tier", text, 0.6)
}

fn history_reason(customer: &Customer, at: &Context) -> Option<Reason> {
    let days = |day: i32| (i64::from(at.as_of) - i64::from(day)).max(0);
    let (since, last) = (days(customer.first_order?), days(customer.last_order?));
    let text = localized(
        format!("customer for {since} days, last order {last} days ago"),
        format!("成为客户 {since} 天，最近一次下单在 {last} 天前"),
    );
    Some(reason("history", text, 0.2))
}

/// The pyramid as Markdown: how it was cut, and what each tier brings.
pub(crate) fn rules(pyramid: &Pyramid) -> LocalizedText {
    let (of, of_zh) = match pyramid.shares.by {
        By::Customers => ("of the customers", "客户数"),
        By::Revenue => ("of the revenue", "销售额"),
    };
    let mut en = format!(
        "{} customers with orders are ranked by lifetime value, the sum of their orders; of equal ones the newer record ranks higher. \
         A tier is a share {of}, from the top.\n\n\
         | tier | share {of} | from lifetime value | customers | revenue | of the revenue |\n|---|---|---|---|---|---|\n",
        pyramid.customers
    );
    let mut zh = format!(
        "{} 位有订单的客户按终身价值（订单累计金额）排名，金额相同时较新的记录靠前。各层按{of_zh}的比例自上而下划分。\n\n\
         | 层级 | {of_zh}比例 | 终身价值起点 | 客户数 | 销售额 | 销售额占比 |\n|---|---|---|---|---|---|\n",
        pyramid.customers
    );
    let figures = pyramid.tiers.iter().zip(pyramid.shares.percents()).zip(pyramid.revenue_percents());
    for (tier, ((figures, share), percent)) in TIERS.iter().zip(figures) {
        let money = |minor_units| format_money(&pyramid.currency, minor_units);
        let cut = figures.cut.map_or("–".to_owned(), money);
        let rest = format!(
            "{share} % | {cut} | {} | {} | {percent:.1} %",
            figures.customers,
            money(figures.revenue)
        );
        en += &format!("| {} | {rest} |\n", tier.en);
        zh += &format!("| {} | {rest} |\n", tier.zh);
    }
    localized(en, zh)
}
