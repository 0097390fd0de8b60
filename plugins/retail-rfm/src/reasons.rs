//! Why a customer has the values it has.

use trellis_sdk::{LocalizedText, Reason, format_money, localized, reason};

use crate::config::Middle;
use crate::dimensions::Dimension;
use crate::model::RfmModel;
use crate::rows::Rows;

/// For each row what its recency, frequency, monetary value and average spend say, the most unusual first; for a customer
/// without orders that there is nothing to judge.
pub(crate) fn explain(model: &RfmModel, rows: &Rows<'_>) -> Vec<Vec<Reason>> {
    let figures = rows.recency.iter().zip(&rows.orders).zip(&rows.spent).enumerate();
    figures
        .map(|(row, ((recency, orders), spent))| {
            if rows.absent.binary_search(&row).is_ok() {
                return vec![reason("no-orders", localized("no order so far", "暂无订单"), 1.0)];
            }
            let mut reasons = vec![
                recency_reason(model, *recency, ordinal(rows, row)),
                frequency_reason(model, *orders, ordinal(rows, row)),
                monetary_reason(model, *spent, ordinal(rows, row)),
                average_spend_reason(model, *spent, *orders),
            ];
            if model.is_uniform() {
                let text = localized(
                    "all customers are equal in recency, frequency and monetary value: they cannot be told apart",
                    "所有客户的近度、频度、额度均相同，无法区分",
                );
                reasons.push(reason("not-distinguishable", text, 1.0));
            }
            reasons.sort_by(|one, other| other.weight.total_cmp(&one.weight));
            reasons
        })
        .collect()
}

fn ordinal(rows: &Rows<'_>, row: usize) -> u64 {
    rows.ordinals.get(row).copied().unwrap_or(0)
}

fn recency_reason(model: &RfmModel, days: i64, ordinal: u64) -> Reason {
    let fact = localized(
        format!("last order {days} days ago: recency"),
        format!("最近一次下单在 {days} 天前：近度"),
    );
    score_reason("recency", fact, model, &model.recency, (days, ordinal))
}

fn frequency_reason(model: &RfmModel, orders: i64, ordinal: u64) -> Reason {
    let noun = if orders == 1 { "order" } else { "orders" };
    let fact = localized(format!("{orders} {noun}: frequency"), format!("共 {orders} 笔订单：频度"));
    score_reason("frequency", fact, model, &model.frequency, (orders, ordinal))
}

fn monetary_reason(model: &RfmModel, spent: i64, ordinal: u64) -> Reason {
    let money = format_money(&model.currency, spent);
    let fact = localized(format!("{money} spent: monetary"), format!("累计消费 {money}：额度"));
    score_reason("monetary", fact, model, &model.monetary, (spent, ordinal))
}

/// Completes `fact` with the score. It weighs as much as the score differs from the mean, 1 at most.
fn score_reason(
    code: &str,
    fact: LocalizedText,
    model: &RfmModel,
    dimension: &Dimension,
    (value, ordinal): (i64, u64),
) -> Reason {
    let score = dimension.scores(model.graded_by, &[value], &[ordinal]).first().map_or(0, |score| score + 1);
    let (groups, mean) = (model.groups, dimension.class_mean);
    let (side_en, side_zh) = side(f64::from(score) > mean);
    let text = localized(
        format!("{} score {score} of {groups}, {side_en} the mean of {mean:.2}", fact.en),
        format!("{} {score} 分（满分 {groups} 分），{side_zh}平均 {mean:.2} 分", fact.zh_cn),
    );
    reason(code, text, (f64::from(score) - mean).abs() / (groups - 1) as f64)
}

fn average_spend_reason(model: &RfmModel, spent: i64, orders: i64) -> Reason {
    let [mean, _] = model.matrix_cuts;
    let average = spent as f64 / orders as f64;
    let (middle, middle_zh) = match model.matrix_by {
        Middle::Mean => ("mean", "平均"),
        Middle::Median => ("median", "中位数"),
    };
    let money = |minor_units: f64| format_money(&model.currency, minor_units.round() as i64);
    let (side_en, side_zh) = side(average > mean);
    let text = localized(
        format!("{} per order, {side_en} the {middle} of {}", money(average), money(mean)),
        format!("每笔 {}，{side_zh}{middle_zh} {}", money(average), money(mean)),
    );
    // A mean of nothing cannot be compared with; a difference of more than the mean weighs no more than one of a whole scale.
    let weight = if mean > 0.0 { ((average - mean).abs() / mean).min(1.0) } else { 0.0 };
    reason("average-spend", text, weight)
}

fn side(above: bool) -> (&'static str, &'static str) {
    if above { ("above", "高于") } else { ("not above", "不高于") }
}
