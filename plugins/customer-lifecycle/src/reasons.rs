//! Why a relation is in its stage.

use trellis_sdk::{LocalizedText, Reason, format_money, localized, reason};

use crate::config::Config;
use crate::labels::{PATTERNS, STAGES};
use crate::rows::Customer;
use crate::stages::{Cause, Judgement, Stage};

/// At most four, the strongest first.
pub(crate) fn explain(
    config: &Config,
    customer: &Customer,
    judgement: &Judgement,
    currency: &str,
) -> Vec<Reason> {
    let mut reasons = vec![stage_reason(config, customer, judgement)];
    reasons.extend(judgement.benefit.zip(judgement.lost_a_year).map(|(benefit, lost)| {
        let money = |amount: f64| format_money(currency, amount.round() as i64);
        let (lost, benefit_text) = (money(lost), money(benefit));
        let (advice, advice_zh) = if benefit >= 0.0 { ("recover", "建议恢复") } else { ("let go", "建议终结") };
        let text = localized(
            format!("{lost} a year lost; an attempt to recover is expected to bring {benefit_text} after its cost: {advice}"),
            format!("每年流失 {lost}；扣除成本后挽回的预期收益为 {benefit_text}：{advice_zh}"),
        );
        reason("recover-or-let-go", text, 0.8)
    }));
    reasons.extend(judgement.pattern.and_then(|pattern| PATTERNS.get(pattern)).map(|label| {
        let days = i64::from(customer.last_order) - i64::from(customer.first_order);
        let text = localized(
            format!("pattern {}: {days} days from the first order to the last", label.en),
            format!("{}：首单至末单共 {days} 天", label.zh),
        );
        reason("pattern", text, 0.6)
    }));
    reasons.push(demand_reason(customer));
    reasons
}

fn stage_reason(config: &Config, customer: &Customer, judgement: &Judgement) -> Reason {
    let label = STAGES.get(judgement.stage as usize);
    let (name, name_zh) = label.map_or(("", ""), |label| (label.en, label.zh));
    let cause = cause_text(config, customer, judgement);
    reason("stage", localized(format!("{name}: {}", cause.en), format!("{name_zh}：{}", cause.zh_cn)), 1.0)
}

fn cause_text(config: &Config, customer: &Customer, judgement: &Judgement) -> LocalizedText {
    let (window, before) = (config.window_days, config.history_days - config.window_days);
    let orders = customer.orders;
    match judgement.cause {
        Cause::Silent { days, limit } => localized(
            format!("no order for {days} days, the limit for its rhythm is {limit}"),
            format!("{days} 天未下单，按其购买节奏上限为 {limit} 天"),
        ),
        Cause::FewOrders => localized(
            format!("{orders} orders; up to {} are trials", config.trial_orders),
            format!("{orders} 笔订单，不超过 {} 笔属尝试性订单", config.trial_orders),
        ),
        Cause::NewRelation { days } if judgement.stage == Stage::Exploration => localized(
            format!("customer for {days} days; up to {} are exploration", config.trial_days),
            format!("成为客户 {days} 天，不超过 {} 天属考察期", config.trial_days),
        ),
        Cause::NewRelation { days } => localized(
            format!("customer for {days} days; stable from {}", config.early_days),
            format!("成为客户 {days} 天，满 {} 天方为稳定", config.early_days),
        ),
        Cause::NoHistory => localized(
            format!("buys, and bought nothing in the {before} days before the last {window}"),
            format!("有购买，但最近 {window} 天之前的 {before} 天没有交易"),
        ),
        Cause::Dropped { percent, is_demand_known } => {
            let (demand, demand_zh) = if is_demand_known {
                ("its total demand did not fall", "客户总需求未降")
            } else {
                ("its total demand is not known and taken as unchanged", "客户总需求未知，按未变处理")
            };
            localized(
                format!("volume a day changed by {percent:.0} % in the last {window} days; {demand}"),
                format!("最近 {window} 天日均交易额变化 {percent:.0}%，{demand_zh}"),
            )
        }
        Cause::DemandDropped { percent, demand_percent } => localized(
            format!(
                "volume a day changed by {percent:.0} %, and its total demand by {demand_percent:.0} %: no decline of the relation"
            ),
            format!("日均交易额变化 {percent:.0}%，客户总需求变化 {demand_percent:.0}%：并非关系退化"),
        ),
        Cause::Grew { percent } => localized(
            format!("volume a day grew by {percent:.0} % in the last {window} days"),
            format!("最近 {window} 天日均交易额增长 {percent:.0}%"),
        ),
        Cause::Steady { percent } => localized(
            format!("volume a day changed by {percent:.0} % in the last {window} days: steady"),
            format!("最近 {window} 天日均交易额变化 {percent:.0}%：稳定"),
        ),
    }
}

/// How much of what it needs it buys here.
fn demand_reason(customer: &Customer) -> Reason {
    let text = match customer.demand.filter(|demand| *demand > 0) {
        None => localized(
            "total demand unknown: estimate it to tell decline from falling demand",
            "客户总需求未知：补充预计需求可区分关系退化与需求下降",
        ),
        Some(demand) => {
            let share = 100.0 * customer.spent.max(0) as f64 / demand as f64;
            localized(
                format!("all its orders so far are {share:.0} % of one year of its estimated demand"),
                format!("历史订单总额相当于其一年预计需求的 {share:.0}%"),
            )
        }
    };
    reason("demand", text, 0.2)
}
