//! What stages, patterns and causes are called, and what to do about each.

use trellis_sdk::{ScoreDescription, SegmentationDescription, described, localized, scored};

/// A word with a name.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) name: &'static str,
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
    pub(crate) advice_en: &'static str,
    pub(crate) advice_zh: &'static str,
}

/// In the order of [`crate::stages::STAGES`].
pub(crate) const STAGES: [Label; 5] = [
    Label {
        name: "exploration",
        en: "Exploration",
        zh: "考察期",
        advice_en: "Trial orders; more is invested than earned. Acquire: make the first orders flawless, show references, lower the risk of trying, ask what was expected.",
        advice_zh: "尝试性订单，投入大于产出。新客户开发：确保首批订单无误，提供案例，降低试用风险，了解期望。",
    },
    Label {
        name: "build_up",
        en: "Build-up",
        zh: "形成期",
        advice_en: "Growing volume. Develop: raise the service level with the volume, sell up, name a contact, agree on next steps together.",
        advice_zh: "交易额不断扩大。关系提高：随交易额提升服务水平，向上销售，指定联系人，共同规划。",
    },
    Label {
        name: "stability",
        en: "Stability",
        zh: "稳定期",
        advice_en: "The largest share of its demand, with cross-selling and referrals. Keep: community programme, rewards for suggestions, joint innovation, a fair share of the gain.",
        advice_zh: "客户份额最大，带来交叉销售与推荐收益。关系保持：客户共同体计划、建议奖励、共同创新、利益共享。",
    },
    Label {
        name: "decline",
        en: "Decline",
        zh: "退化期",
        advice_en: "Buys less here while its demand has not fallen: it tries others. Decide: recover or let go, by what recovering is worth.",
        advice_zh: "在本企业的交易量下降而总需求未降，正在物色其他伙伴。依据收益测算决定恢复或终结。",
    },
    Label {
        name: "ended",
        en: "Ended",
        zh: "已终止",
        advice_en: "Has not bought for far longer than it used to. Note the cause of exit; win back where it pays.",
        advice_zh: "远超以往购买间隔未下单。记录退出原因，划算时挽回。",
    },
];

/// In the order of [`crate::stages::PATTERNS`].
pub(crate) const PATTERNS: [Label; 4] = [
    Label {
        name: "early_abort",
        en: "I: early abort",
        zh: "模式Ⅰ：初期流产型",
        advice_en: "Ended in exploration. Usual causes: expectations were missed, no value for one of the two sides.",
        advice_zh: "在考察期退出。常见原因：预期不符、一方认为没有价值。",
    },
    Label {
        name: "midway_death",
        en: "II: midway death",
        zh: "模式Ⅱ：半途夭折型",
        advice_en: "Ended in build-up. Usual cause: expectations rose and were not met.",
        advice_zh: "在形成期退出。常见原因：不能满足客户不断提高的预期。",
    },
    Label {
        name: "early_exit",
        en: "III: early exit",
        zh: "模式Ⅲ：提前退出型",
        advice_en: "Ended early in stability. Usual causes: too little innovation of value, gains shared unequally.",
        advice_zh: "在稳定期前期退出。常见原因：持续增值创新不足、利益不对等。",
    },
    Label {
        name: "long_term",
        en: "IV: long-term hold",
        zh: "模式Ⅳ：长期保持型",
        advice_en: "Long in stability, still or until the end. What holds it: more value than elsewhere, both sides win, leaving is costly.",
        advice_zh: "长期处于稳定期。保持的原因：价值高于竞争者、双赢、转移成本高。",
    },
];

/// In the order of [`crate::rows::CAUSES`]: English and Chinese.
pub(crate) const CAUSES: [(&str, &str); 11] = [
    ("Expectations were not met", "预期不符"),
    ("No value for either side", "双方无价值"),
    ("A trial order failed", "试用订单失败"),
    ("Rising expectations were not met", "不能满足提高的预期"),
    ("Service or quality failed", "服务或质量失误"),
    ("Too little innovation of value", "增值创新不足"),
    ("Gains were shared unequally", "利益分配不对等"),
    ("A competitor gave more value", "竞争者提供更高价值"),
    ("Switching became cheap", "转移成本降低"),
    ("The demand itself ended", "需求消失"),
    ("Other", "其他"),
];

pub(crate) fn segmentations() -> Vec<SegmentationDescription> {
    let fill = |description: SegmentationDescription, labels: &[Label]| {
        labels.iter().fold(description, |description, label| {
            let advice = localized(label.advice_en, label.advice_zh);
            description.value_about(label.name, localized(label.en, label.zh), advice)
        })
    };
    vec![
        fill(described("stage", "Lifecycle stage", "生命周期阶段"), &STAGES).about(
            "Where the relation stands, by orders, their growth, silence, and the customer's total demand.",
            "依据订单数、交易额变化、沉默时间和客户总需求判断关系所处阶段。",
        ),
        fill(described("pattern", "Lifecycle pattern", "生命周期模式"), &PATTERNS).about(
            "In which stage an ended relation ended, or that one has lasted long.",
            "已终止关系的退出阶段，或长期保持的关系。",
        ),
    ]
}

pub(crate) fn scores() -> Vec<ScoreDescription> {
    vec![
        scored("revenue_lost", "Revenue lost a year", "每年流失收入").range(0.0, 1e17).about(
            "What a relation in decline or ended has stopped bringing a year, in the base currency.",
            "退化或终止的关系每年减少的收入，以本位币计。",
        ),
        scored("recovery_benefit", "Benefit of recovering", "恢复收益").about(
            "Revenue lost × margin × years × chance of success, less the cost of an attempt, in the base currency.",
            "流失收入 × 毛利率 × 年限 × 成功率 − 挽回成本，以本位币计。",
        )
        .band_about(
            "let_go",
            -1e12,
            localized("Let go", "终结"),
            localized("An attempt costs more than it is expected to bring: end it well, keep the door open.", "挽回成本高于预期收益：妥善终结，保留余地。"),
        )
        .band_about(
            "recover",
            0.0,
            localized("Recover", "恢复"),
            localized("Worth an attempt: learn the cause, make it good, and note the decision on the account.", "值得挽回：了解原因并改进，将决定记录在客户资料中。"),
        ),
    ]
}
