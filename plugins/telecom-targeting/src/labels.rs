//! Scores and segments, in both languages.

use trellis_sdk::{LocalizedText, ScoreDescription, SegmentationDescription, described, localized, scored};

use crate::config::Config;

pub(crate) fn scores() -> Vec<ScoreDescription> {
    vec![
        scored("adoption", "Probability to use the service", "使用该业务的概率")
            .about(
                "The share of users among the customers of the same leaf of the tree, in percent.",
                "决策树同一叶节点客户中使用者的比例（百分比）。",
            )
            .unit("%")
            .range(0.0, 100.0),
        scored("usage", "Expected usage", "预计使用量").about(
            "The mean usage of the customers of the same leaf of the second tree, in the unit of its field.",
            "第二棵树同一叶节点客户的平均使用量，单位同该字段。",
        ),
    ]
}

pub(crate) fn segmentations(config: &Config) -> Vec<SegmentationDescription> {
    let groups = described("probability_group", "Who could be won for the service", "业务推广潜在客户")
        .about(
            "Customers who do not use the service, by how likely they would; those who use it have no value.",
            "尚未使用该业务的客户按使用概率分组；已使用者不分组。",
        );
    let groups = self::groups(&config.groups).into_iter().fold(groups, |groups, (lowest, label)| {
        let advice = match lowest {
            Some(50.0..) => localized("Take into the campaign.", "纳入营销活动。"),
            Some(_) => {
                localized("Leave out unless a contact costs little.", "除非联系成本很低，否则不纳入。")
            }
            None => localized("Leave out.", "不纳入。"),
        };
        groups.value_about(&group_name(lowest), label, advice)
    });
    let leaves = described("leaf", "Leaf of the tree", "决策树叶节点").about(
        "Which leaf of the tree a customer is in; leaf 1 has the highest share of users. The report has the rule of each.",
        "客户所在的叶节点，按使用概率从高到低编号，各叶节点的规则见报告。",
    );
    let leaves = (0..config.leaves_max()).fold(leaves, |leaves, leaf| {
        let (en, zh) = if leaf == 0 { (", the likeliest", "（概率最高）") } else { ("", "") };
        let number = leaf + 1;
        leaves.value(&leaf_name(leaf), &format!("Leaf {number}{en}"), &format!("叶节点 {number}{zh}"))
    });
    vec![groups, leaves]
}

/// The groups from the highest on with what people call them: from so many percent on, and at last below all where the last does not begin at 0.
pub(crate) fn groups(lowest: &[f64]) -> Vec<(Option<f64>, LocalizedText)> {
    let mut above: Option<f64> = None;
    let mut groups = Vec::with_capacity(lowest.len() + 1);
    for &lowest in lowest {
        let label = match above.replace(lowest) {
            None => localized(format!("{lowest} % and above"), format!("{lowest}% 及以上")),
            Some(above) => localized(format!("{lowest} % to {above} %"), format!("{lowest}% 至 {above}%")),
        };
        groups.push((Some(lowest), label));
    }
    match above {
        Some(0.0) => {}
        Some(lowest) => {
            groups.push((None, localized(format!("Below {lowest} %"), format!("低于 {lowest}%"))))
        }
        None => groups.push((None, localized("All", "全部"))),
    }
    groups
}

/// The name of the group from so many percent on, or of that below all.
pub(crate) fn group_name(lowest: Option<f64>) -> String {
    lowest.map_or_else(|| "below".to_owned(), |lowest| format!("from_{lowest}"))
}

/// The name of a leaf, counted from 0.
pub(crate) fn leaf_name(leaf: usize) -> String {
    format!("leaf_{:03}", leaf + 1)
}
