//! Why a type is recommended.

use trellis_sdk::{Reason, format_money, localized, reason};

use crate::model::{Judgement, Relationships};
use crate::rows::Customer;
use crate::types::{CROWDS, MARGINS, ONE_TO_ONE, RELATIONSHIPS};

/// Why there is no recommendation.
pub(crate) fn nothing_known() -> Reason {
    let text = localized(
        "no margin, no order in the period and not both ratings: no type can be recommended",
        "期间内没有订单，也没有边际利润和两项评分：无法推荐关系类型",
    );
    reason("no-margin", text, 1.0)
}

/// At most four, the strongest first.
pub(crate) fn explain(model: &Relationships, customer: &Customer<'_>, judgement: &Judgement) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let recommended = judgement.relationship.and_then(|place| RELATIONSHIPS.get(place));
    if let Some((one, margin)) = recommended.zip(customer.margin) {
        let amount = format_money(&model.currency, margin.round() as i64);
        let (crowd, crowd_zh) = CROWDS.get(judgement.crowd).copied().unwrap_or_default();
        let (margin, margin_zh) = MARGINS.get(judgement.margin).copied().unwrap_or_default();
        let count = judgement.in_group;
        let text = localized(
            format!("{}: {crowd} customers ({count} in its group), {margin} margin ({amount})", one.en),
            format!("{}：客户数量{crowd_zh}（同组 {count} 位），边际利润{margin_zh}（{amount}）", one.zh),
        );
        reasons.push(reason("relationship", text, 1.0));
    }
    if let Some(one) = ONE_TO_ONE.get(judgement.one_to_one) {
        let (level, level_zh) = if judgement.participates { ("high", "高") } else { ("low", "低") };
        let (complexity, complexity_zh) = if judgement.is_complex { ("high", "高") } else { ("low", "低") };
        let source = |rating: Option<f64>, en: &str, zh: &str| match rating {
            Some(rating) => (format!("rated {rating} of 10"), format!("评分 {rating}/10")),
            None => (en.to_owned(), zh.to_owned()),
        };
        let (contacts, products) = (customer.contacts, customer.products);
        let (from, from_zh) = source(
            customer.participation,
            &format!("{contacts} contacts by the customer"),
            &format!("客户主动联系 {contacts} 次"),
        );
        let (of, of_zh) = source(
            customer.complexity,
            &format!("{products} different products"),
            &format!("购买 {products} 种产品"),
        );
        let text = localized(
            format!("{}: participation {level} ({from}), complexity {complexity} ({of})", one.en),
            format!("{}：参与程度{level_zh}（{from_zh}），复杂程度{complexity_zh}（{of_zh}）", one.zh),
        );
        reasons.push(reason("one-to-one", text, 0.8));
    }
    if let Some((one, present)) = recommended.zip(customer.present) {
        let present = RELATIONSHIPS.iter().find(|other| other.name == present);
        if let Some(present) = present.filter(|present| present.name != one.name) {
            let text = localized(
                format!(
                    "kept as {} now, {} is recommended",
                    present.en.to_lowercase(),
                    one.en.to_lowercase()
                ),
                format!("目前按{}维护，建议改为{}", present.zh, one.zh),
            );
            reasons.push(reason("change-of-relationship", text, 0.6));
        }
    }
    if let Some(one) = recommended {
        let text = localized(
            format!("be in touch every {} days: {}", one.days, one.advice_en),
            format!("每 {} 天联系一次：{}", one.days, one.advice_zh),
        );
        reasons.push(reason("cadence", text, 0.4));
    }
    reasons
}
