//! Names of bands and cells, in both languages, with what to do about them.

use trellis_sdk::{ScoreDescription, SegmentationDescription, described, localized, scored};

use crate::config::Config;

/// The cells of the risk × value matrix: risk by risk, within it value by value, low first.
pub(crate) const CELLS: [&str; 9] = [
    "low_risk_low_value",
    "low_risk_medium_value",
    "low_risk_high_value",
    "medium_risk_low_value",
    "medium_risk_medium_value",
    "medium_risk_high_value",
    "high_risk_low_value",
    "high_risk_medium_value",
    "high_risk_high_value",
];

/// Low, medium and high.
pub(crate) const DEGREES: [(&str, &str); 3] = [("low", "低"), ("medium", "中"), ("high", "高")];

/// What to do about each cell.
const ADVICE: [(&str, &str); 9] = [
    ("Serve at standard cost.", "按标准成本服务。"),
    ("Keep satisfied, look for what they buy elsewhere.", "保持满意，挖掘其在别处的消费。"),
    ("Reward loyalty before anybody else does.", "主动回馈忠诚，先于竞争对手行动。"),
    ("No offer of their own; watch.", "不单独投入，持续观察。"),
    ("Ask what is missing, standard retention offer.", "了解不满原因，提供标准挽留方案。"),
    ("Call before they decide, a named contact.", "在其决定离开前主动联系，指定专人。"),
    ("Let go: keeping them costs more than they bring.", "任其离开：挽留成本高于其贡献。"),
    ("Retention offer within their margin.", "在利润范围内给予挽留优惠。"),
    ("Retain first: call today, find the cause, make an offer.", "优先挽留：当天联系，查明原因，给出方案。"),
];

pub(crate) fn scores(config: &Config) -> Vec<ScoreDescription> {
    let risk = scored("churn_risk", "Risk of leaving", "流失风险")
        .about(
            "How likely the customer leaves, in percent, by the customers who left before.",
            "根据以往流失客户估计该客户流失的可能性（百分比）。",
        )
        .unit("%")
        .range(0.0, 100.0)
        .band("low", 0.0, "Low risk", "低风险")
        .band_about(
            "medium",
            config.medium_percent,
            localized("Medium risk", "中风险"),
            localized("Watch, and ask what is missing.", "持续关注，了解需求。"),
        )
        .band_about(
            "high",
            config.high_percent,
            localized("High risk", "高风险"),
            localized(
                "Early warning: act now where the customer is worth it.",
                "流失预警：对有价值的客户立即采取行动。",
            ),
        );
    let at_risk = scored("value_at_risk", "Value at risk", "风险价值").about(
        "The customer's worth times the risk of leaving: what is expected to be lost.",
        "客户价值乘以流失风险，即预计损失。",
    );
    vec![risk, at_risk]
}

pub(crate) fn segmentation() -> SegmentationDescription {
    let matrix = described("risk_value", "Risk × value", "风险 × 价值矩阵").about(
        "How likely a customer leaves against what the customer is worth: who is worth retaining, and whom to let go.",
        "流失风险与客户价值交叉：谁值得挽留，谁可以放手。",
    );
    CELLS.iter().zip(ADVICE).enumerate().fold(matrix, |matrix, (place, (name, (advice, advice_zh)))| {
        let (risk, value) = (degree(place / 3), degree(place % 3));
        let label = localized(
            format!("{} risk, {} value", capital(risk.0), value.0),
            format!("{}风险{}价值", risk.1, value.1),
        );
        matrix.value_about(name, label, localized(advice, advice_zh))
    })
}

pub(crate) fn degree(place: usize) -> (&'static str, &'static str) {
    DEGREES.get(place).copied().unwrap_or(("", ""))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
