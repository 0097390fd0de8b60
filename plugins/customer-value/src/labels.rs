//! What quadrants, scores and parts are called, and what to do about each.

use trellis_sdk::{ScoreDescription, SegmentationDescription, described, localized, scored};

use crate::config::Config;

/// A word with a name.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) name: &'static str,
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
    pub(crate) advice_en: &'static str,
    pub(crate) advice_zh: &'static str,
}

/// In the order of [`crate::judgement::QUADRANTS`].
pub(crate) const QUADRANTS: [Label; 4] = [
    Label {
        name: "synergy",
        en: "Synergy: both gain",
        zh: "协同增值：双方受益",
        advice_en: "Gets much and brings much. Keep; create new value together.",
        advice_zh: "客户所得多，企业收获也多。保持关系，共同创造新价值。",
    },
    Label {
        name: "generous",
        en: "Created, not captured",
        zh: "已创造、未获取",
        advice_en: "Gets much and brings little. Capture: sell more, charge for what is worth it, ask for referrals.",
        advice_zh: "客户所得多，企业收获少。提升获取：扩大销售、合理收费、邀请推荐。",
    },
    Label {
        name: "harvested",
        en: "Captured, not created",
        zh: "已获取、未创造",
        advice_en: "Brings much and gets little: about to leave. Create: better service, lower its time and effort.",
        advice_zh: "企业收获多，客户所得少，易流失。创造价值：改进服务，减少客户的时间与精力付出。",
    },
    Label {
        name: "weak",
        en: "Neither",
        zh: "双方均弱",
        advice_en: "Gets little and brings little. Find a cheaper way to serve it, or what it would really need.",
        advice_zh: "双方所得均少。降低服务成本，或找出客户真正的需求。",
    },
];

/// The four parts of the value: English and Chinese.
pub(crate) const PARTS: [(&str, &str); 4] =
    [("history", "历史交易"), ("potential", "潜力"), ("satisfaction", "满意度"), ("influence", "影响力")];

/// The three contributions.
pub(crate) const CONTRIBUTIONS: [(&str, &str); 3] =
    [("economic", "经营效益"), ("development", "业务发展"), ("image", "社会形象")];

/// Bands of the share of wallet.
pub(crate) const WALLETS: [(&str, &str); 3] = [("Low", "低份额"), ("Medium", "中份额"), ("High", "高份额")];

pub(crate) fn segmentations() -> Vec<SegmentationDescription> {
    let quadrant = described("quadrant", "Value created and captured", "价值创造与获取").about(
        "What the customer gets for what it gives, by what it brings; both against the middle of all customers.",
        "客户让渡价值与企业获取价值的组合，均与全体客户的中位数比较。",
    );
    vec![QUADRANTS.iter().fold(quadrant, |quadrant, label| {
        let advice = localized(label.advice_en, label.advice_zh);
        quadrant.value_about(label.name, localized(label.en, label.zh), advice)
    })]
}

pub(crate) fn scores(config: &Config) -> Vec<ScoreDescription> {
    let points = |name: &str, en: &str, zh: &str| scored(name, en, zh).range(0.0, 100.0);
    let [high, medium] = [config.wallet_high, config.wallet_medium];
    vec![
        points("value", "Customer value", "客户价值").about(
            "The weighted mean of history, potential, satisfaction and influence; parts that are not known have no weight.",
            "历史交易、潜力、满意度、影响力的加权平均；未知部分不计权重。",
        ),
        points("history", "Value: history", "价值：历史交易").about(
            "The mean of the ranks by amount and by number of orders.",
            "累计金额位次与订单数位次的平均值。",
        ),
        points("potential", "Value: potential", "价值：潜力").about(
            "As rated; else the rank of what the customer is thought to spend elsewhere.",
            "取评分；未评分时取预计在他处支出的位次。",
        ),
        points("composite", "Contribution", "综合贡献").about(
            "The weighted mean of the economic contribution, the development, and the contribution to our image.",
            "经营效益、业务发展、社会形象的加权平均。",
        ),
        scored("delivered_value", "Delivered value", "客户让渡价值").range(-36.0, 36.0).about(
            "Total value (product, service, people, image) less total cost (time, mind, effort, money), each the sum of four ratings of 1 to 10.",
            "客户总价值（产品、服务、人员、形象）减客户总成本（时间、精神、体力、资金），各为四项 1 至 10 分之和。",
        ),
        scored("total_value", "Total customer value", "客户总价值").range(4.0, 40.0),
        scored("total_cost", "Total customer cost", "客户总成本").range(4.0, 40.0),
        points("share_of_wallet", "Share of wallet", "钱包份额")
            .unit("%")
            .about(
                "Own sales of the period as a share of the estimated spend with all suppliers; at most 100.",
                "期间内本企业销售额占客户预计总支出的百分比，最高 100。",
            )
            .band("low", 0.0, "Low", "低份额")
            .band("medium", medium, "Medium", "中份额")
            .band("high", high, "High", "高份额"),
        scored("share_of_wallet_change", "Change of the share of wallet", "钱包份额变化")
            .range(-100.0, 100.0)
            .unit(("percentage points", "百分点"))
            .about(
                "The share of the period less that of as many days before, at the same estimate.",
                "本期钱包份额减上一同长期间的份额，采用同一估算值。",
            ),
    ]
}
