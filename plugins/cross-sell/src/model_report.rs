//! What the model learned, as tables and pictures.

use trellis_sdk::{Panel, Report, localized, metric, panel, report};

use crate::model::Model;
use crate::propensity::Propensity;
use crate::tables::{NamedRule, by_length, rules_graph, rules_scatter, rules_table, top_items};

/// How many rules the table shows; the strongest come first.
const RULES_SHOWN: usize = 500;
const ITEMS_SHOWN: usize = 50;

pub(crate) fn of_model(model: &Model) -> Report {
    let baskets = model.baskets as usize;
    let rules: Vec<NamedRule<'_>> =
        model.rules.iter().take(RULES_SHOWN).map(|rule| named(model, rule)).collect();
    let items = model.items.iter().map(|item| (item.name.as_str(), item.count));
    let mut answer = model.metrics().into_iter().fold(report(model.summary()), Report::metric);
    if let Some(propensity) = &model.propensity {
        answer = propensity_metrics(propensity).into_iter().fold(answer, Report::metric);
    }
    answer = answer
        .panel(rules_table(&rules, baskets, &model.currency).about(
            "The strongest rules by lift × margin. Who buys all on the left also buys what is on the right.",
            "按“提升度 × 毛利”排列的最强规则：购买左侧全部商品的人也会购买右侧商品。",
        ))
        .panel(rules_graph(&rules, baskets))
        .panel(rules_scatter(&rules, baskets))
        .panel(top_items(items, baskets, ITEMS_SHOWN))
        .panel(by_length(
            "itemsets",
            ("Frequent itemsets by length", "各长度的频繁项集数"),
            ("Itemsets", "项集数"),
            &model.itemsets_by_length,
        ));
    match &model.propensity {
        Some(propensity) => answer.panel(coefficients(model, propensity)),
        None => answer,
    }
}

fn named<'a>(model: &'a Model, rule: &'a crate::rules::Rule) -> NamedRule<'a> {
    let mut lhs: Vec<&str> = rule.lhs.iter().map(|item| model.name(*item)).collect();
    lhs.sort_unstable();
    NamedRule { lhs, rhs: model.name(rule.rhs), rule, margin: model.margin(rule.rhs) }
}

fn propensity_metrics(propensity: &Propensity) -> Vec<trellis_sdk::Metric> {
    let held_out = propensity.held_out_auc.map(|auc| {
        let label = localized("AUC of the propensity among customers held out", "购买倾向在验证集上的 AUC");
        metric("propensity_auc", label, auc)
    });
    let figures = [
        metric(
            "customers",
            localized("Customers with a purchase", "有购买记录的客户数"),
            propensity.customers as f64,
        ),
        metric(
            "buyers",
            localized("Customers with the product", "已购目标商品的客户数"),
            propensity.buyers as f64,
        ),
        metric(
            "log_likelihood",
            localized("Log-likelihood of the propensity", "购买倾向模型的对数似然"),
            propensity.log_likelihood,
        ),
    ];
    figures.into_iter().chain(held_out).collect()
}

fn coefficients(model: &Model, propensity: &Propensity) -> Panel {
    let mut ranked = propensity.coefficients.clone();
    ranked.sort_by(|(item, one), (other_item, other)| {
        other.abs().total_cmp(&one.abs()).then(item.cmp(other_item))
    });
    let product = model.name(propensity.product);
    panel("propensity", &format!("Propensity to buy {product}"), &format!("购买{product}的倾向"))
        .about(
            "How much having bought each item raises (above 0) or lowers the log-odds of buying the product.",
            "购买过各商品使购买目标商品的对数几率提高（大于 0）或降低多少。",
        )
        .names("item", ("Item", "商品"), ranked.iter().map(|(item, _)| Some(model.name(*item))))
        .float64("coefficient", ("Coefficient", "系数"), "", ranked.iter().map(|(_, weight)| Some(*weight)))
        .bar("item", ["coefficient"])
}
