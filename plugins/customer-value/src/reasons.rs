//! Why a customer has its value.

use trellis_sdk::{Context, Reason, format_money, localized, reason};

use crate::judgement::Judgement;
use crate::labels::{CONTRIBUTIONS, PARTS, QUADRANTS};
use crate::model::ValueModel;
use crate::rows::{COSTS, Customer, VALUES};

/// At most five, the strongest first.
pub(crate) fn explain(model: &ValueModel, customer: &Customer<'_>, at: &Context) -> Vec<Reason> {
    let judgement = model.judge(customer);
    let value = parts(
        ("value", "价值"),
        judgement.value,
        judgement
            .parts
            .iter()
            .zip(PARTS)
            .zip(model.config.value_weights())
            .map(|((part, name), weight)| (name, *part, weight)),
    );
    let contributions =
        judgement.contributions.iter().zip(CONTRIBUTIONS).zip(model.config.composite_weights());
    let composite = parts(
        ("contribution", "综合贡献"),
        judgement.composite,
        contributions.map(|((part, name), weight)| (name, *part, weight)),
    );
    let mut reasons = vec![reason("value", value, 1.0)];
    if customer.orders == 0 {
        let text = localized(
            "no order so far: judged by ratings and estimates alone",
            "暂无订单：仅根据评分和估算判断",
        );
        reasons.push(reason("prospect", text, 0.9));
    }
    reasons.extend(delivered_reason(customer, &judgement));
    reasons.extend(wallet_reason(model, customer, &judgement, at));
    // Ratings that do not count have to be said, and there is room for five.
    if reasons.len() < 4 || customer.out_of_scale == 0 {
        reasons.push(reason("contribution", composite, 0.4));
    }
    if customer.out_of_scale > 0 {
        let count = customer.out_of_scale;
        let text = localized(
            format!("{count} ratings outside of 1 to 10 are not counted"),
            format!("{count} 项评分不在 1 至 10 之间，未计入"),
        );
        reasons.push(reason("out-of-scale", text, 0.1));
    }
    reasons
}

/// A mean and its parts with the weights that they have here; what is not known is said.
fn parts<'a>(
    (en, zh): (&str, &str),
    mean: Option<f64>,
    parts: impl Iterator<Item = ((&'a str, &'a str), Option<f64>, f64)> + Clone,
) -> trellis_sdk::LocalizedText {
    let Some(mean) = mean else {
        return localized(
            format!("{en} unknown: none of its parts is known"),
            format!("{zh}未知：各部分均无数据"),
        );
    };
    let whole: f64 = parts.clone().filter(|(_, part, _)| part.is_some()).map(|(.., weight)| weight).sum();
    let (mut known, mut known_zh, mut missing, mut missing_zh) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((name, name_zh), part, weight) in parts {
        match part {
            Some(points) => {
                let share = 100.0 * weight / whole;
                known.push(format!("{name} {points:.0} ({share:.0} %)"));
                known_zh.push(format!("{name_zh} {points:.0}（{share:.0}%）"));
            }
            None => {
                missing.push(name);
                missing_zh.push(name_zh);
            }
        }
    }
    let (mut text, mut text_zh) = (
        format!("{en} {mean:.0} of 100: {}", known.join(", ")),
        format!("{zh} {mean:.0} 分：{}", known_zh.join("、")),
    );
    if !missing.is_empty() {
        text += &format!("; not known and without weight: {}", missing.join(", "));
        text_zh += &format!("；未知且不计权重：{}", missing_zh.join("、"));
    }
    localized(text, text_zh)
}

fn delivered_reason(customer: &Customer<'_>, judgement: &Judgement) -> Option<Reason> {
    let (delivered, value, cost) = (judgement.delivered?, judgement.total_value?, judgement.total_cost?);
    let label = QUADRANTS.get(judgement.quadrant?)?;
    let rated = customer.rated(VALUES) + customer.rated(COSTS);
    let (part, part_zh) = if rated < 8 {
        (
            format!("; {rated} of 8 rated, the others taken as their mean"),
            format!("；8 项中评了 {rated} 项，其余按均值计"),
        )
    } else {
        (String::new(), String::new())
    };
    let text = localized(
        format!("{}: gets {value:.1} of 40 for {cost:.1} of 40, {delivered:+.1}{part}", label.en),
        format!("{}：总价值 {value:.1}，总成本 {cost:.1}，让渡价值 {delivered:+.1}{part_zh}", label.zh),
    );
    Some(reason("delivered-value", text, 0.8))
}

fn wallet_reason(
    model: &ValueModel,
    customer: &Customer<'_>,
    judgement: &Judgement,
    at: &Context,
) -> Option<Reason> {
    let (share, estimated) = (judgement.wallet?, customer.estimated_spend?);
    let money = |amount| format_money(&model.currency, amount);
    let (source, source_zh) = match customer.spend_source {
        Some("customer") => ("told by the customer", "客户告知"),
        Some("survey") => ("survey", "调查"),
        Some("public") => ("public figures", "公开数据"),
        Some("industry") => ("industry average", "行业平均"),
        Some("guess") => ("guess", "推测"),
        _ => ("source not noted", "来源未注明"),
    };
    let (age, age_zh) = match customer.spend_estimated_on {
        Some(day) => {
            let days = (i64::from(at.as_of) - i64::from(day)).max(0);
            (format!("{days} days ago"), format!("{days} 天前"))
        }
        None => ("without a date".to_owned(), "日期未注明".to_owned()),
    };
    let (end, end_zh) = if judgement.exceeds_estimate {
        ("; sales exceed the estimate: estimate anew", "；销售额超过估算，请重新估算")
    } else {
        ("", "")
    };
    let change = judgement.wallet_change.unwrap_or_default();
    let (own, all, days) = (money(customer.spent_window), money(estimated), model.config.window_days);
    let text = localized(
        format!(
            "share of wallet {share:.0} %, {change:+.0} points against the {days} days before: {own} in {days} days of {all} a year ({source}, {age}){end}"
        ),
        format!(
            "钱包份额 {share:.0}%，较之前 {days} 天 {change:+.0} 个百分点：{days} 天内 {own}，预计年支出 {all}（{source_zh}，{age_zh}）{end_zh}"
        ),
    );
    Some(reason("share-of-wallet", text, 0.6))
}
