//! Why a customer gets an action, or none.

use trellis_sdk::{LocalizedText, Reason, localized, reason};

use crate::config::ActionSetting;
use crate::customers::{Choice, Customers, Quiet, Refused};
use crate::prices::Prices;

/// How many reasons a row has.
const REASONS_MAX: usize = 5;

pub(crate) fn of_row(prices: &Prices, customers: &Customers<'_>, row: usize, ordinal: u64) -> Vec<Reason> {
    if let Some(quiet) = customers.quiet(row) {
        return vec![match quiet {
            Quiet::OpenComplaint => reason(
                "open-complaint",
                localized("an open complaint comes first", "有未结投诉，应先处理投诉"),
                1.0,
            ),
            Quiet::RecentMessage => {
                let days = prices.config.quiet_days;
                let text = localized(
                    format!("had a message within the last {days} days"),
                    format!("最近 {days} 天内已收到过消息"),
                );
                reason("quiet-time", text, 1.0)
            }
        }];
    }
    let best = prices.best(customers, row, ordinal);
    let mut reasons: Vec<Reason> = best
        .iter()
        .map(|best| reason("best-action", text(prices, best, ("do", "建议")), weight(best)))
        .collect();
    let mut others: Vec<Reason> = Vec::new();
    for (action, option) in prices.config.actions.iter().zip(customers.options(row)) {
        match option {
            Ok(choice) if Some(choice) == best => {}
            Ok(choice) if prices.surplus(&choice) < 0.0 && best.is_none() => {
                others.push(reason("below-price", below_price(prices, &choice), weight(&choice)));
            }
            Ok(choice) => others.push(reason(
                "next-best",
                text(prices, &choice, ("rather than", "优于")),
                weight(&choice),
            )),
            Err(refused) => others.push(refusal(action, refused)),
        }
    }
    // The best comes first whatever the others gain: they take more from others.
    others.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    let most = reasons.first().map_or(f64::MAX, |best| best.weight);
    others.iter_mut().for_each(|other| other.weight = other.weight.min(most));
    reasons.extend(others);
    reasons.truncate(REASONS_MAX);
    if reasons.is_empty() {
        reasons.push(reason(
            "no-actions",
            localized("the settings name no actions", "设置中没有任何行动"),
            0.0,
        ));
    }
    reasons
}

fn weight(choice: &Choice) -> f64 {
    choice.expected()
}

fn action<'a>(prices: &'a Prices, choice: &Choice) -> Option<&'a ActionSetting> {
    prices.config.actions.get(choice.action)
}

/// `do Call: 12 % × 80.00 − 3.00 = 6.60 CNY`.
fn text(prices: &Prices, choice: &Choice, (en, zh): (&str, &str)) -> LocalizedText {
    let Some(action) = action(prices, choice) else { return localized("", "") };
    let (percent, gain, cost, expected) =
        (100.0 * choice.probability, choice.gain, choice.cost, choice.expected());
    let currency = &prices.currency;
    localized(
        format!(
            "{en} {}: {percent:.1} % × {gain:.2} − {cost:.2} = {expected:.2} {currency}",
            action.label_en
        ),
        format!(
            "{zh}“{}”：{percent:.1}% × {gain:.2} − {cost:.2} = {expected:.2} {currency}",
            action.label_zh
        ),
    )
}

fn below_price(prices: &Prices, choice: &Choice) -> LocalizedText {
    let found = text(prices, choice, ("others gain more by the budget than", "其他客户更值得投入，未选"));
    let price = prices.budget;
    localized(
        format!("{} (price of the budget {price:.2} per unit)", found.en),
        format!("{}（预算影子价格 {price:.2}）", found.zh_cn),
    )
}

fn refusal(action: &ActionSetting, refused: Refused) -> Reason {
    let (code, en, zh) = match refused {
        Refused::NotEligible => ("not-eligible", "may not be taken for this customer", "不适用于该客户"),
        Refused::Capped => ("frequency-cap", "has reached the limit of messages", "已达消息频次上限"),
        Refused::Unknown => ("unknown-value", "lacks a value to judge it by", "缺少判断所需的数值"),
        Refused::NoProbability => {
            ("no-probability", "has a probability outside of its range", "的成功概率超出取值范围")
        }
        Refused::NoGain => ("no-gain", "would cost as much as it brings", "收益不抵成本"),
    };
    reason(code, localized(format!("{} {en}", action.label_en), format!("“{}”{zh}", action.label_zh)), 0.0)
}
