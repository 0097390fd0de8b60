//! All rules above thresholds, with figures over them.

use serde::Deserialize;
use trellis_sdk::{Context, Report, Result, RowStream, json, localized, metric, report};

use super::Json;
use crate::baskets::Baskets;
use crate::config::{Config, min_count};
use crate::fpgrowth::{Limits, mine};
use crate::itemsets::Itemsets;
use crate::model::ITEMSETS_MAX;
use crate::products::Margins;
use crate::rules::{Rule, Thresholds, count_with_any_right_side, generate};
use crate::tables::{NamedRule, SortBy, by_length, rules_graph, rules_scatter, rules_table, sort, top_items};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    min_support: f64,
    min_confidence: f64,
    #[serde(default)]
    min_lift: f64,
    #[serde(default = "max_length")]
    max_length: usize,
    item: Option<String>,
    #[serde(default = "sort_by")]
    sort: SortBy,
    #[serde(default = "limit")]
    limit: usize,
}

fn max_length() -> usize {
    8
}

fn sort_by() -> SortBy {
    SortBy::Lift
}

fn limit() -> usize {
    200
}

pub(super) fn parameters() -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["min_support", "min_confidence"],
        "properties": {
            "min_support": { "type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.005,
                "title": { "en": "Support at least", "zh-CN": "最小支持度" },
                "description": { "en": "The share of baskets that hold both sides, 0 to 1.", "zh-CN": "同时含两侧商品的购物篮占比，0 到 1。" } },
            "min_confidence": { "type": "number", "minimum": 0, "maximum": 1, "default": 0.2,
                "title": { "en": "Confidence at least", "zh-CN": "最小置信度" } },
            "min_lift": { "type": "number", "minimum": 0, "default": 0,
                "title": { "en": "Lift at least", "zh-CN": "最小提升度" } },
            "max_length": { "type": "integer", "minimum": 2, "maximum": 12, "default": 8,
                "title": { "en": "Items of a rule at most", "zh-CN": "规则中商品数上限" } },
            "item": { "type": "string", "minLength": 1, "maxLength": 500,
                "title": { "en": "Only rules with this item", "zh-CN": "只看包含该商品的规则" } },
            "sort": { "type": "string", "enum": ["lift", "confidence", "support"], "default": "lift",
                "title": { "en": "Order by", "zh-CN": "排序方式" } },
            "limit": { "type": "integer", "minimum": 1, "maximum": 10000, "default": 200,
                "title": { "en": "Rules in the table", "zh-CN": "表中规则数" } },
        },
    })
}

pub(super) fn answer(
    rows: &mut RowStream<'_>,
    asked: &Parameters,
    config: &Config,
    at: &Context,
) -> Result<Report> {
    let baskets = Baskets::read(rows, config, at.as_of)?;
    let margins = Margins::read(rows.dataset("products")?, &baskets.items, config)?;
    let limits = Limits {
        min_count: min_count(asked.min_support, baskets.len()),
        length_max: asked.max_length,
        itemsets_max: ITEMSETS_MAX,
    };
    let itemsets = mine(&baskets, limits)?;
    let thresholds = Thresholds { min_confidence: asked.min_confidence, min_lift: asked.min_lift };
    let mut rules = generate(&itemsets, baskets.len(), thresholds);
    if let Some(item) = &asked.item {
        let wanted = baskets.items.find(item);
        rules.retain(|rule| wanted.is_some_and(|item| rule.rhs == item || rule.lhs.contains(&item)));
    }
    let mut named: Vec<NamedRule<'_>> = rules.iter().map(|rule| name(rule, &baskets, &margins)).collect();
    sort(&mut named, asked.sort, baskets.len());
    let shown = named.get(..asked.limit).unwrap_or(&named);

    let (found, n) = (rules.len(), baskets.len());
    let text = localized(
        format!(
            "{found} rules in {n} baskets, {} itemsets; the table shows {}.",
            itemsets.len(),
            shown.len()
        ),
        format!(
            "{n} 个购物篮中发现 {found} 条规则、{} 个频繁项集；表中列出 {} 条。",
            itemsets.len(),
            shown.len()
        ),
    );
    let mut answer = basket_figures(report(text), &baskets);
    answer = itemset_figures(answer, &itemsets, asked.min_confidence, limits.min_count);
    answer = rule_figures(answer, &rules, n);
    let counts = baskets.counts();
    let items = (0..).zip(&counts).map(|(item, count)| (baskets.items.name(item), *count));
    Ok(answer
        .panel(rules_table(shown, n, &margins.currency))
        .panel(rules_graph(shown, n))
        .panel(rules_scatter(shown, n))
        .panel(by_length(
            "rules_by_length",
            ("Rules by number of items", "各长度的规则数"),
            ("Rules", "规则数"),
            &lengths(&rules),
        ))
        .panel(by_length(
            "itemsets",
            ("Frequent itemsets by length", "各长度的频繁项集数"),
            ("Itemsets", "项集数"),
            &itemsets.by_length(),
        ))
        .panel(by_length(
            "basket_sizes",
            ("Baskets by number of items", "购物篮大小分布"),
            ("Baskets", "购物篮数"),
            &sizes(&baskets),
        ))
        .panel(top_items(items, n, 50)))
}

fn name<'a>(rule: &'a Rule, baskets: &'a Baskets, margins: &Margins) -> NamedRule<'a> {
    let mut lhs: Vec<&str> = rule.lhs.iter().map(|item| baskets.items.name(*item)).collect();
    lhs.sort_unstable();
    let margin = margins.by_item.get(rule.rhs as usize).copied().flatten();
    NamedRule { lhs, rhs: baskets.items.name(rule.rhs), rule, margin }
}

fn basket_figures(answer: Report, baskets: &Baskets) -> Report {
    let (n, items, ones) = (baskets.len() as f64, baskets.items.len() as f64, baskets.ones() as f64);
    let mut sizes: Vec<f64> = baskets.iter().map(|basket| basket.len() as f64).collect();
    let sizes = Spread::of(&mut sizes);
    answer
        .metric(metric("baskets", localized("Baskets", "购物篮数"), n))
        .metric(metric("items", localized("Different items", "商品种类数"), items))
        .metric(metric("ones", localized("Items in all baskets", "购物篮商品总数"), ones))
        .metric(metric(
            "density",
            localized("Share of all possible items that baskets hold", "数据密度"),
            ones / (n * items),
        ))
        .metric(metric("basket_size_mean", localized("Items per basket, mean", "平均购物篮大小"), sizes.mean))
        .metric(metric(
            "basket_size_median",
            localized("Items per basket, median", "购物篮大小中位数"),
            sizes.median,
        ))
        .metric(metric("basket_size_max", localized("Items per basket, most", "最大购物篮大小"), sizes.max))
}

fn itemset_figures(answer: Report, itemsets: &Itemsets, min_confidence: f64, min_count: u32) -> Report {
    let any = count_with_any_right_side(itemsets, min_confidence) as f64;
    answer
        .metric(metric(
            "min_count",
            localized("Baskets that an itemset has at least", "项集的最少购物篮数"),
            f64::from(min_count),
        ))
        .metric(metric("itemsets", localized("Frequent itemsets", "频繁项集数"), itemsets.len() as f64))
        .metric(metric(
            "rules_any_right_side",
            localized("Rules with any number of items on the right", "右侧任意商品数的规则数"),
            any,
        ))
}

/// How a measure is read off a rule among so many baskets.
type OfRule = fn(&Rule, usize) -> f64;

fn rule_figures(answer: Report, rules: &[Rule], baskets: usize) -> Report {
    let mut answer = answer.metric(metric("rules", localized("Rules", "规则数"), rules.len() as f64));
    if rules.is_empty() {
        return answer;
    }
    let total: f64 = rules.iter().map(|rule| rule.lift(baskets)).sum();
    answer = answer.metric(metric("lift_sum", localized("Sum of lifts", "提升度之和"), total));
    let measures: [(&str, &str, &str, OfRule); 3] = [
        ("support", "Support", "支持度", |rule, n| f64::from(rule.count) / n as f64),
        ("confidence", "Confidence", "置信度", |rule, _| rule.confidence()),
        ("lift", "Lift", "提升度", Rule::lift),
    ];
    for (name, en, zh, of_rule) in measures {
        let mut values: Vec<f64> = rules.iter().map(|rule| of_rule(rule, baskets)).collect();
        let spread = Spread::of(&mut values);
        for (part, en_part, zh_part, value) in [
            ("min", "least", "最小值", spread.min),
            ("median", "median", "中位数", spread.median),
            ("mean", "mean", "平均值", spread.mean),
            ("max", "greatest", "最大值", spread.max),
        ] {
            let label = localized(format!("{en} of rules, {en_part}"), format!("规则{zh}{zh_part}"));
            answer = answer.metric(metric(&format!("{name}_{part}"), label, value));
        }
    }
    answer
}

/// Least, middle, mean and greatest of values that there are.
struct Spread {
    min: f64,
    median: f64,
    mean: f64,
    max: f64,
}

impl Spread {
    fn of(values: &mut [f64]) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(0.0);
        let last = values.len().saturating_sub(1);
        Self {
            min: at(0),
            median: f64::midpoint(at(last / 2), at(last.div_ceil(2))),
            mean: values.iter().sum::<f64>() / values.len().max(1) as f64,
            max: at(last),
        }
    }
}

fn lengths(rules: &[Rule]) -> Vec<u64> {
    tally(rules.iter().map(|rule| rule.lhs.len() + 1))
}

fn sizes(baskets: &Baskets) -> Vec<u64> {
    tally(baskets.iter().map(<[u32]>::len))
}

/// How many are 1, 2, 3 …
fn tally(lengths: impl Iterator<Item = usize>) -> Vec<u64> {
    let mut counts = Vec::new();
    for length in lengths {
        if counts.len() < length {
            counts.resize(length, 0);
        }
        if let Some(count) = counts.get_mut(length - 1) {
            *count += 1;
        }
    }
    counts
}
