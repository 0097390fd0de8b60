//! Which types there are, how they are chosen, and how often to be in touch.

use trellis_sdk::{SegmentationDescription, described, localized};

/// A type of relationship.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) name: &'static str,
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
    pub(crate) advice_en: &'static str,
    pub(crate) advice_zh: &'static str,
    /// Days between two contacts.
    pub(crate) days: u32,
}

/// The five types, from the loosest to the closest, named as the options of the account's field `relationship_type`.
pub(crate) const RELATIONSHIPS: [Type; 5] = [
    Type {
        name: "basic",
        en: "Basic",
        zh: "基本型",
        advice_en: "Sell, and leave it at that; self-service and mass communication.",
        advice_zh: "销售后不再主动联系；自助服务与大众传播。",
        days: 365,
    },
    Type {
        name: "reactive",
        en: "Reactive",
        zh: "被动型",
        advice_en: "Invite questions and complaints, answer each of them fast.",
        advice_zh: "鼓励客户提问和投诉，迅速逐一答复。",
        days: 180,
    },
    Type {
        name: "accountable",
        en: "Accountable",
        zh: "负责型",
        advice_en: "Call after the sale: does the product keep its promise? Ask for suggestions.",
        advice_zh: "售后主动回访，了解产品是否符合预期，征询改进建议。",
        days: 90,
    },
    Type {
        name: "proactive",
        en: "Proactive",
        zh: "能动型",
        advice_en: "Be in touch regularly with better uses and new products.",
        advice_zh: "定期主动联系，提供改进用法和新产品信息。",
        days: 30,
    },
    Type {
        name: "partnership",
        en: "Partnership",
        zh: "伙伴型",
        advice_en: "Work together without end on what makes the customer successful; a named team, joint plans.",
        advice_zh: "持续合作，帮助客户取得更好成效；专属团队，共同规划。",
        days: 7,
    },
];

/// By number of customers (many, some, few) and margin (low, medium, high), a place in [`RELATIONSHIPS`]: P. Kotler, "Marketing Management",
/// levels of relationship marketing.
const LEVELS: [[usize; 3]; 3] = [[0, 1, 2], [1, 2, 3], [2, 3, 4]];

/// The words for the rows of [`LEVELS`].
pub(crate) const CROWDS: [(&str, &str); 3] = [("many", "多"), ("some", "中等"), ("few", "少")];
/// The words for the columns of [`LEVELS`].
pub(crate) const MARGINS: [(&str, &str); 3] = [("low", "低"), ("medium", "中"), ("high", "高")];

/// A place in [`RELATIONSHIPS`].
pub(crate) fn relationship(crowd: usize, margin: usize) -> Option<usize> {
    LEVELS.get(crowd)?.get(margin).copied()
}

/// The four one-to-one types.
pub(crate) const ONE_TO_ONE: [Type; 4] = [
    Type {
        name: "collaborative",
        en: "Collaborative",
        zh: "合作型",
        advice_en: "Takes part, in something complex: develop the solution together in a dialogue.",
        advice_zh: "参与度高、产品复杂：通过对话共同设计方案。",
        days: 14,
    },
    Type {
        name: "adaptive",
        en: "Adaptive",
        zh: "适应型",
        advice_en: "Does not take part, in something complex: a product that adapts itself, settings and standards that suit many uses.",
        advice_zh: "参与度低、产品复杂：提供可自行调整、适应多种用途的标准产品。",
        days: 60,
    },
    Type {
        name: "selective",
        en: "Selective",
        zh: "选择型",
        advice_en: "Takes part, in something simple: offer variants to choose from, remember the choice.",
        advice_zh: "参与度高、产品简单：提供多种选择并记住其偏好。",
        days: 30,
    },
    Type {
        name: "passive",
        en: "Passive",
        zh: "消极型",
        advice_en: "Does not take part, in something simple: learn from its behaviour and send little, well chosen.",
        advice_zh: "参与度低、产品简单：从行为中学习，少量精准推送。",
        days: 90,
    },
];

/// A place in [`ONE_TO_ONE`].
pub(crate) fn one_to_one(participates: bool, is_complex: bool) -> usize {
    match (participates, is_complex) {
        (true, true) => 0,
        (false, true) => 1,
        (true, false) => 2,
        (false, false) => 3,
    }
}

pub(crate) fn segmentations() -> Vec<SegmentationDescription> {
    let fill = |description: SegmentationDescription, types: &[Type]| {
        types.iter().fold(description, |description, one| {
            let advice = localized(
                format!("{} In touch every {} days.", one.advice_en, one.days),
                format!("{}每 {} 天联系一次。", one.advice_zh, one.days),
            );
            description.value_about(one.name, localized(one.en, one.zh), advice)
        })
    };
    vec![
        fill(described("relationship_type", "Recommended relationship", "推荐关系类型"), &RELATIONSHIPS).about(
            "From how many customers there are and what this one brings: few and much is a partnership, many and little a basic relation.",
            "依据客户数量和单个客户的边际利润：客户少、利润高宜为伙伴型；客户多、利润低宜为基本型。",
        ),
        fill(described("one_to_one_type", "One-to-one type", "一对一类型"), &ONE_TO_ONE)
            .about("Participation of the customer by complexity of the products.", "客户参与程度与产品复杂程度的组合。"),
    ]
}
