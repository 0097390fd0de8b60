//! What goes with some products.

use serde::Deserialize;
use trellis_sdk::{
    Context, Panel, PluginError, Report, Result, RowStream, json, localized, metric, panel, report,
};

use super::Json;
use crate::baskets::Baskets;
use crate::config::{Config, min_count};
use crate::fpgrowth::{Limits, mine};
use crate::model::ITEMSETS_MAX;
use crate::rules::{Rule, Thresholds, generate};
use crate::similarity::{Likeness, neighbours, recommend};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    basket: Vec<String>,
    min_support: Option<f64>,
    min_confidence: Option<f64>,
    #[serde(default = "limit")]
    limit: usize,
}

fn limit() -> usize {
    20
}

pub(super) fn parameters() -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["basket"],
        "properties": {
            "basket": { "type": "array", "minItems": 1, "maxItems": 50, "items": { "type": "string", "minLength": 1, "maxLength": 500 },
                "title": { "en": "Products", "zh-CN": "商品" } },
            "min_support": { "type": "number", "exclusiveMinimum": 0, "maximum": 1,
                "title": { "en": "Support at least", "zh-CN": "最小支持度" },
                "description": { "en": "Without it that of the settings.", "zh-CN": "不填时用插件设置中的值。" } },
            "min_confidence": { "type": "number", "minimum": 0, "maximum": 1,
                "title": { "en": "Confidence at least", "zh-CN": "最小置信度" },
                "description": { "en": "Without it that of the settings.", "zh-CN": "不填时用插件设置中的值。" } },
            "limit": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 20,
                "title": { "en": "Rows in each table", "zh-CN": "每个表的行数" } },
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
    let find = |name: &String| {
        baskets.items.find(name).ok_or_else(|| {
            PluginError::InvalidParameters(
                (format!("no basket holds `{name}`"), format!("没有购物篮包含 `{name}`")).into(),
            )
        })
    };
    let mut basket: Vec<u32> = asked.basket.iter().map(find).collect::<Result<_>>()?;
    basket.sort_unstable();
    basket.dedup();
    let counts = baskets.counts();
    let by_rules = by_rules(&baskets, &basket, asked, config)?;
    let holding =
        baskets.iter().filter(|held| basket.iter().all(|item| held.binary_search(item).is_ok())).count();
    let text = localized(
        format!(
            "{} rules lead from these products to another; {holding} baskets hold all of them.",
            by_rules.len()
        ),
        format!("有 {} 种商品可由规则推出；{holding} 个购物篮同时包含所选商品。", by_rules.len()),
    );
    let mut answer = report(text)
        .metric(metric(
            "baskets_with_all",
            localized("Baskets with all of them", "同时包含的购物篮数"),
            holding as f64,
        ))
        .panel(rules_panel(&baskets, &by_rules, asked.limit))
        .panel(likeness_panel(&baskets, &recommend(&baskets, &counts, &basket), asked.limit));
    if let [item] = *basket {
        let all = neighbours(&baskets, &counts, item);
        answer = answer
            .panel(neighbours_panel(
                "cosine",
                ("Most alike by cosine", "余弦相似度最高"),
                &baskets,
                &all,
                |one| one.cosine,
                asked.limit,
            ))
            .panel(neighbours_panel(
                "jaccard",
                ("Most alike by Jaccard", "杰卡德相似度最高"),
                &baskets,
                &all,
                |one| one.jaccard,
                asked.limit,
            ));
    }
    Ok(answer)
}

/// For each product that rules lead to from part of the basket the most confident one, the most confident first.
fn by_rules(baskets: &Baskets, basket: &[u32], asked: &Parameters, config: &Config) -> Result<Vec<Rule>> {
    let limits = Limits {
        min_count: min_count(asked.min_support.unwrap_or(config.min_support), baskets.len()),
        length_max: config.max_length.min(basket.len() + 1),
        itemsets_max: ITEMSETS_MAX,
    };
    let min_confidence = asked.min_confidence.unwrap_or(config.min_confidence);
    let itemsets = mine(baskets, limits)?;
    let mut rules = generate(&itemsets, baskets.len(), Thresholds { min_confidence, min_lift: 0.0 });
    rules.retain(|rule| !basket.contains(&rule.rhs) && rule.lhs.iter().all(|item| basket.contains(item)));
    let n = baskets.len();
    rules.sort_by(|one, other| {
        let order = other.confidence().total_cmp(&one.confidence());
        order
            .then(other.lift(n).total_cmp(&one.lift(n)))
            .then_with(|| (one.rhs, one.lhs.len(), &one.lhs).cmp(&(other.rhs, other.lhs.len(), &other.lhs)))
    });
    let mut seen = Vec::new();
    rules.retain(|rule| {
        let is_first = !seen.contains(&rule.rhs);
        seen.push(rule.rhs);
        is_first
    });
    Ok(rules)
}

fn rules_panel(baskets: &Baskets, rules: &[Rule], limit: usize) -> Panel {
    let shown = || rules.iter().take(limit);
    let left = |rule: &Rule| {
        let mut names: Vec<&str> = rule.lhs.iter().map(|item| baskets.items.name(*item)).collect();
        names.sort_unstable();
        names.join(", ")
    };
    panel("by_rules", "By rules", "按规则推荐")
        .names("item", ("Product", "商品"), shown().map(|rule| Some(baskets.items.name(rule.rhs))))
        .float64("confidence", ("Confidence", "置信度"), "", shown().map(|rule| Some(rule.confidence())))
        .float64("lift", ("Lift", "提升度"), "", shown().map(|rule| Some(rule.lift(baskets.len()))))
        .names("lhs", ("Because of", "依据"), shown().map(|rule| Some(left(rule))))
        .bar("item", ["confidence"])
}

fn likeness_panel(baskets: &Baskets, ranked: &[(u32, f64)], limit: usize) -> Panel {
    let shown = || ranked.iter().take(limit);
    panel("by_likeness", "By likeness", "按相似度推荐")
        .about("The sum of the cosines to the products.", "与所选各商品余弦相似度之和。")
        .names("item", ("Product", "商品"), shown().map(|(item, _)| Some(baskets.items.name(*item))))
        .float64("score", ("Sum of cosines", "余弦相似度之和"), "", shown().map(|(_, score)| Some(*score)))
        .bar("item", ["score"])
}

fn neighbours_panel(
    name: &str,
    label: (&str, &str),
    baskets: &Baskets,
    all: &[Likeness],
    measure: fn(&Likeness) -> f64,
    limit: usize,
) -> Panel {
    let mut ranked: Vec<&Likeness> = all.iter().collect();
    ranked.sort_by(|one, other| measure(other).total_cmp(&measure(one)).then(one.item.cmp(&other.item)));
    ranked.truncate(limit);
    panel(name, label.0, label.1)
        .names("item", ("Product", "商品"), ranked.iter().map(|one| Some(baskets.items.name(one.item))))
        .float64(name, (label.0, label.1), "", ranked.iter().map(|one| Some(measure(one))))
        .int64(
            "together",
            ("Baskets with both", "共同出现的购物篮数"),
            "",
            ranked.iter().map(|one| Some(i64::from(one.together))),
        )
        .bar("item", [name])
}
