//! What segmentations, scores and their values are called, and what to do about each.

use trellis_sdk::{ScoreDescription, SegmentationDescription, described, localized, scored};

use crate::judgement::Judgement;

/// A word with a name.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) name: &'static str,
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
    /// What to do about it.
    pub(crate) advice_en: &'static str,
    pub(crate) advice_zh: &'static str,
}

const fn label(
    name: &'static str,
    [en, zh]: [&'static str; 2],
    [advice_en, advice_zh]: [&'static str; 2],
) -> Label {
    Label { name, en, zh, advice_en, advice_zh }
}

/// In the order of [`crate::judgement::TYPES`].
pub(crate) const TYPE_LABELS: [Label; 4] = [
    label(
        "true",
        ["True loyalty", "真正忠诚"],
        [
            "Wants to stay and does. Protect: recognise it, ask for advice and referrals, never treat a newcomer better.",
            "既愿意留下，也确实持续购买。重点保护：给予认可，邀请建议和推荐，不让新客户享有更好的待遇。",
        ],
    ),
    label(
        "latent",
        ["Latent loyalty", "潜在忠诚"],
        [
            "Wants to buy and hardly does. Find what is in the way (supply, distance, rules, price) and remove it.",
            "愿意购买但实际购买少。找出障碍（供货、距离、制度、价格）并消除。",
        ],
    ),
    label(
        "spurious",
        ["Spurious loyalty", "虚假忠诚"],
        [
            "Buys without conviction (habit, no choice, price). Give reasons to want it before a competitor does.",
            "持续购买但内心不认同（习惯、别无选择、价格）。要在竞争者行动之前建立认同。",
        ],
    ),
    label(
        "none",
        ["No loyalty", "不忠诚"],
        [
            "Neither wants to nor does. Spend effort only where value or potential justify it.",
            "既不认同，也少购买。仅在价值或潜力足够时投入。",
        ],
    ),
];

/// In the order of [`crate::judgement::KINDS`].
pub(crate) const KIND_LABELS: [Label; 8] = [
    label(
        "monopoly",
        ["Monopoly", "垄断忠诚"],
        [
            "Has no other supplier. Low attachment, leaves with the monopoly: earn goodwill now.",
            "没有其他供应商可选。依恋低，垄断消失即流失，应尽早赢得好感。",
        ],
    ),
    label(
        "kinship",
        ["Kinship", "亲缘忠诚"],
        [
            "Buys as a relative or an employee. Firm, but says little about the offer.",
            "因亲属或员工身份购买。关系稳固，但不代表产品有吸引力。",
        ],
    ),
    label(
        "latent",
        ["Latent", "潜在忠诚"],
        [
            "Wants to buy, but circumstances prevent it. Offer another way to buy.",
            "愿意购买但受条件限制。提供其他购买方式。",
        ],
    ),
    label(
        "price",
        ["Price", "价格忠诚"],
        [
            "Loyal to the lowest price. Do not buy this loyalty with more discounts; sell value or let go.",
            "忠于最低价。不宜继续用折扣维系，应传递价值或放弃。",
        ],
    ),
    label(
        "incentive",
        ["Incentive", "激励忠诚"],
        [
            "Buys for points and rewards. Tie rewards to behaviour that lasts when they end.",
            "为积分和奖励而购买。奖励应引导停止激励后仍能持续的行为。",
        ],
    ),
    label(
        "premium",
        ["Premium (trust)", "超值（信赖）忠诚"],
        [
            "Pays the full price, comes back and recommends. The loyalty to work for: keep every promise, exceed some.",
            "全价购买、重复购买并主动推荐。最值得追求的忠诚：信守承诺，并时有惊喜。",
        ],
    ),
    label(
        "inertia",
        ["Inertia (convenience)", "惰性（方便）忠诚"],
        [
            "Buys here since it is the least effort. Keep it easy, and make the offer differ from others.",
            "因方便省力而购买。保持便利，同时突出差异。",
        ],
    ),
    label(
        "none",
        ["No kind", "无明显种类"],
        ["Nothing that is known explains why it buys. Ask.", "现有信息不足以说明其购买原因，建议询问客户。"],
    ),
];

/// In the order of [`crate::judgement::TRAPS`].
pub(crate) const TRAP_LABELS: [Label; 2] = [
    label(
        "trapped",
        ["In the satisfaction trap", "陷入满意度陷阱"],
        [
            "What it takes for granted is met, and it is no more loyal for it. Invest in its unspoken wishes, not in more of the same.",
            "基本期望已满足，但忠诚度并不高。应投入于满足潜在期望，而不是继续加强基本服务。",
        ],
    ),
    label("free", ["Not in the trap", "未陷入陷阱"], ["", ""]),
];

/// In the order of [`crate::judgement::STAGES`].
pub(crate) const STAGE_LABELS: [Label; 3] = [
    label(
        "rational",
        ["Rational stage: good or bad", "理性消费阶段：好与差"],
        [
            "Price and quality decide. Messages: facts, tests, comparisons, guarantees.",
            "看重价格与质量。沟通重点：事实、检测、对比、保证。",
        ],
    ),
    label(
        "perceptual",
        ["Perceptual stage: like or dislike", "感性消费阶段：喜欢与不喜欢"],
        [
            "Brand, design and convenience decide. Messages: style, ease, what others choose.",
            "看重品牌、设计与便利。沟通重点：风格、便捷、他人的选择。",
        ],
    ),
    label(
        "emotional",
        ["Emotional stage: satisfied or not", "情感消费阶段：满意与不满意"],
        [
            "Satisfaction, service and trust decide. Messages: personal, from a known person, about what was promised and kept.",
            "看重满意感、服务与信任。沟通重点：由熟悉的人给出个性化关怀，信守承诺。",
        ],
    ),
];

/// The four metrics, in the order of [`crate::rows::METRICS`].
pub(crate) const METRIC_LABELS: [Label; 4] = [
    label("repurchase", ["Repurchase intent", "重复购买意向"], ["", ""]),
    label("cross_buy", ["Cross-buying intent", "交叉购买意向"], ["", ""]),
    label("referral", ["Intent to recommend", "推荐意向"], ["", ""]),
    label("price_tolerance", ["Price tolerance", "价格忍耐力"], ["", ""]),
];

/// The four behaviours of the loyal.
pub(crate) const BEHAVIOUR_LABELS: [Label; 4] = [
    label("buys_again", ["Buys again", "再次或大量购买"], ["", ""]),
    label("recommends", ["Recommends", "向他人推荐"], ["", ""]),
    label("resists", ["Resists competitors", "抵制竞争品"], ["", ""]),
    label("forgives", ["Forgives mistakes", "谅解失误"], ["", ""]),
];

/// The inputs of the model of determinants.
pub(crate) const INPUT_LABELS: [Label; 4] = [
    label("perceived_value", ["Perceived value", "客户认知价值"], ["", ""]),
    label("satisfaction", ["Satisfaction", "客户满意"], ["", ""]),
    label("trust", ["Trust", "客户信任"], ["", ""]),
    label("switching_cost", ["Switching cost", "转移成本"], ["", ""]),
];

/// The segmentations, in the order in which they are filled.
pub(crate) fn segmentations() -> Vec<SegmentationDescription> {
    let fill = |description: SegmentationDescription, labels: &[Label]| {
        labels.iter().fold(description, |description, label| {
            let advice = localized(label.advice_en, label.advice_zh);
            description.value_about(label.name, localized(label.en, label.zh), advice)
        })
    };
    vec![
        fill(
            described("loyalty_type", "Attitudinal and behavioural loyalty", "精神忠诚与行为忠诚"),
            &TYPE_LABELS,
        )
        .about(
            "Attitude (four intents) against behaviour (orders, breadth, full price, referrals).",
            "精神忠诚（四项意向）与行为忠诚（购买、品类、全价购买、推荐）的组合。",
        ),
        fill(described("loyalty_kind", "Kind of loyalty", "忠诚种类"), &KIND_LABELS).about(
            "Why the customer stays: the first kind whose evidence is there.",
            "客户留下的原因：按顺序取首个有依据的种类。",
        ),
        fill(described("satisfaction_trap", "Satisfaction trap", "满意度陷阱"), &TRAP_LABELS).about(
            "High satisfaction with the basics, unmet latent wishes, and no more loyalty than others.",
            "基本期望满意度高、潜在期望未满足、忠诚度一般。",
        ),
        fill(described("consumption_stage", "Stage of consumption", "消费阶段"), &STAGE_LABELS)
            .about("What appeals to the customer most.", "客户最看重的诉求。"),
    ]
}

type ScoreValue = (&'static str, fn(&Judgement) -> Option<f64>);

/// The scores and where they come from, in the order of [`scores`].
pub(crate) const SCORE_VALUES: [ScoreValue; 12] = [
    ("attitudinal", |one| one.attitudinal),
    ("behavioural", |one| one.behavioural),
    ("trust", |one| one.trust),
    ("switching_cost", |one| one.switching_cost),
    ("repurchase", |one| metric(one, 0)),
    ("cross_buy", |one| metric(one, 1)),
    ("referral", |one| metric(one, 2)),
    ("price_tolerance", |one| metric(one, 3)),
    ("buys_again", |one| behaviour(one, 0)),
    ("recommends", |one| behaviour(one, 1)),
    ("resists", |one| behaviour(one, 2)),
    ("forgives", |one| behaviour(one, 3)),
];

fn metric(one: &Judgement, place: usize) -> Option<f64> {
    one.metrics.get(place).copied().flatten()
}

fn behaviour(one: &Judgement, place: usize) -> Option<f64> {
    one.behaviours.get(place).copied().flatten()
}

/// The scores, all of them points of 100.
pub(crate) fn scores() -> Vec<ScoreDescription> {
    let points = |name: &str, en: &str, zh: &str| scored(name, en, zh).range(0.0, 100.0);
    let mut scores = vec![
        points("attitudinal", "Attitudinal loyalty", "精神忠诚度").about(
            "The mean of the four intents: to buy again, to buy other products, to recommend, to accept higher prices.",
            "重复购买、交叉购买、推荐、价格忍耐力四项意向的平均值。",
        ),
        points("behavioural", "Behavioural loyalty", "行为忠诚度").about(
            "The mean of what is known: rank by orders, by breadth, share at full price, rank by referrals.",
            "购买频次位次、品类广度位次、全价购买占比、推荐位次中已知各项的平均值。",
        ),
        points("trust", "Trust", "客户信任").about(
            "The mean of credibility and benevolence.",
            "可信性与友善性的平均值。",
        ),
        points("switching_cost", "Switching-cost index", "转移成本指数").about(
            "The mean of six costs: investment, risk, contract, learning, search, relations.",
            "专有投资、风险、契约、学习、搜索、人际关系损失六项成本的平均值。",
        ),
    ];
    scores.extend(METRIC_LABELS.iter().map(|label| {
        points(label.name, label.en, label.zh).about(
            "What the customer answered; else what its behaviour shows.",
            "取客户的回答；未回答时取行为指标。",
        )
    }));
    scores.extend(BEHAVIOUR_LABELS.iter().map(|label| {
        points(label.name, label.en, label.zh)
            .about("One of the four behaviours of loyal customers.", "忠诚客户的四种行为之一。")
    }));
    scores
}
