//! Tables and pictures that reports share.

use trellis_sdk::{Panel, panel};

use crate::rules::Rule;

/// How many arrows a picture can show and still be read.
const ARROWS_MAX: usize = 60;

/// How rules are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SortBy {
    Lift,
    Confidence,
    Support,
}

/// A rule by names.
#[derive(Debug)]
pub(crate) struct NamedRule<'a> {
    /// Ascending.
    pub(crate) lhs: Vec<&'a str>,
    pub(crate) rhs: &'a str,
    pub(crate) rule: &'a Rule,
    pub(crate) margin: Option<f64>,
}

/// Puts rules in order: by the measure, then by how many baskets hold them, then by name.
pub(crate) fn sort(rules: &mut [NamedRule<'_>], by: SortBy, baskets: usize) {
    let measure = |rule: &Rule| match by {
        SortBy::Lift => rule.lift(baskets),
        SortBy::Confidence => rule.confidence(),
        SortBy::Support => f64::from(rule.count),
    };
    rules.sort_by(|one, other| {
        measure(other.rule)
            .total_cmp(&measure(one.rule))
            .then(other.rule.count.cmp(&one.rule.count))
            .then_with(|| (&one.lhs, one.rhs).cmp(&(&other.lhs, other.rhs)))
    });
}

/// The rules with all their measures.
pub(crate) fn rules_table(rules: &[NamedRule<'_>], baskets: usize, currency: &str) -> Panel {
    let measures: Vec<_> = rules.iter().map(|named| named.rule.measures(baskets)).collect();
    let number = |value: fn(&crate::rules::Measures) -> f64| {
        measures.iter().map(move |m| Some(value(m))).collect::<Vec<_>>()
    };
    let counts = |value: fn(&Rule) -> u32| {
        rules.iter().map(move |named| Some(i64::from(value(named.rule)))).collect::<Vec<_>>()
    };
    let mut table = panel("rules", "Association rules", "关联规则")
        .about(
            "Who buys all on the left also buys what is on the right. Support: share of baskets with both sides. Confidence: share of \
             baskets with the left side that hold the right one. Lift: how many times as often as in general.",
            "购买左侧全部商品的人也会购买右侧商品。支持度：同时含两侧的购物篮占比；置信度：含左侧的购物篮中含右侧的占比；提升度：相对总体水平的倍数。",
        )
        .names("lhs", ("Who buys", "已购商品"), rules.iter().map(|named| Some(named.lhs.join(", "))))
        .names("rhs", ("also buys", "还会购买"), rules.iter().map(|named| Some(named.rhs)))
        .int64("count", ("Baskets", "购物篮数"), "", counts(|rule| rule.count))
        .int64("lhs_count", ("Baskets with the left side", "含左侧的购物篮数"), "", counts(|rule| rule.lhs_count))
        .int64("rhs_count", ("Baskets with the right side", "含右侧的购物篮数"), "", counts(|rule| rule.rhs_count))
        .float64("support", ("Support", "支持度"), "", number(|m| m.support))
        .float64("confidence", ("Confidence", "置信度"), "", number(|m| m.confidence))
        .float64("lift", ("Lift", "提升度"), "", number(|m| m.lift))
        .float64("leverage", ("Leverage", "杠杆率"), "", number(|m| m.leverage))
        .float64("conviction", ("Conviction", "确信度"), "", measures.iter().map(|m| m.conviction))
        .float64("zhang", ("Zhang's metric", "张氏指标"), "", measures.iter().map(|m| m.zhang));
    if rules.iter().any(|named| named.margin.is_some()) {
        table = table.float64("margin", ("Margin", "毛利"), currency, rules.iter().map(|named| named.margin));
    }
    table
}

/// The first rules as arrows.
pub(crate) fn rules_graph(rules: &[NamedRule<'_>], baskets: usize) -> Panel {
    let shown = || rules.iter().take(ARROWS_MAX);
    panel("rules_graph", "What leads to what", "商品关联图")
        .about(
            "The first rules as arrows, the thicker the higher the lift.",
            "排在最前的规则用箭头表示，提升度越高箭头越粗。",
        )
        .names("source", ("Who buys", "已购商品"), shown().map(|named| Some(named.lhs.join(", "))))
        .names("target", ("also buys", "还会购买"), shown().map(|named| Some(named.rhs)))
        .float64("lift", ("Lift", "提升度"), "", shown().map(|named| Some(named.rule.lift(baskets))))
        .graph("source", "target", Some("lift"))
}

/// The rules as points.
pub(crate) fn rules_scatter(rules: &[NamedRule<'_>], baskets: usize) -> Panel {
    panel("rules_scatter", "Support and confidence", "支持度与置信度")
        .about(
            "Each point is a rule: to the right the more frequent, upwards the more reliable.",
            "每个点是一条规则：越靠右越常见，越靠上越可靠。",
        )
        .float64(
            "support",
            ("Support", "支持度"),
            "",
            rules.iter().map(|named| Some(named.rule.measures(baskets).support)),
        )
        .float64(
            "confidence",
            ("Confidence", "置信度"),
            "",
            rules.iter().map(|named| Some(named.rule.confidence())),
        )
        .float64("lift", ("Lift", "提升度"), "", rules.iter().map(|named| Some(named.rule.lift(baskets))))
        .scatter("support", ["confidence"])
}

/// How many of something have length 1, 2, 3 …; those of none are left out.
pub(crate) fn by_length(name: &str, label: (&str, &str), what: (&str, &str), counts: &[u64]) -> Panel {
    let present = || (1_i64..).zip(counts).filter(|(_, count)| **count > 0);
    panel(name, label.0, label.1)
        .int64("length", ("Number of items", "商品数"), "", present().map(|(length, _)| Some(length)))
        .int64("count", what, "", present().map(|(_, count)| i64::try_from(*count).ok()))
        .bar("length", ["count"])
}

/// The items that most baskets hold.
pub(crate) fn top_items<'a>(
    items: impl Iterator<Item = (&'a str, u32)>,
    baskets: usize,
    shown: usize,
) -> Panel {
    let mut ranked: Vec<(&str, u32)> = items.collect();
    ranked.sort_by(|(name, one), (other_name, other)| other.cmp(one).then(name.cmp(other_name)));
    ranked.truncate(shown);
    panel("items", "Most frequent items", "最常购买的商品")
        .names("item", ("Item", "商品"), ranked.iter().map(|(name, _)| Some(*name)))
        .int64("count", ("Baskets", "购物篮数"), "", ranked.iter().map(|(_, count)| Some(i64::from(*count))))
        .float64(
            "support",
            ("Support", "支持度"),
            "",
            ranked.iter().map(|(_, count)| Some(f64::from(*count) / baskets as f64)),
        )
        .bar("item", ["count"])
}
