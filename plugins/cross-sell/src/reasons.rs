//! Why a product is offered: the rules that apply, the strongest by lift × margin first (R124).

use trellis_sdk::{LocalizedText, Reason, localized, reason};

use crate::model::Model;
use crate::offers::{Matcher, Offer, Owned};
use crate::rules::Rule;

/// How many reasons a row has.
const REASONS_MAX: usize = 5;

/// The best offer first, then the strongest other rules.
pub(crate) fn of_row(matcher: &Matcher<'_>, owned: &Owned) -> Vec<Reason> {
    let model = matcher.model;
    if owned.is_empty() {
        return vec![reason("nothing-bought", localized("bought nothing so far", "尚无购买记录"), 1.0)];
    }
    let mut ranked: Vec<(f64, &Rule)> =
        matcher.applicable(owned).map(|rule| (matcher.strength(rule), rule)).collect();
    ranked.sort_by(|(one, rule), (other, other_rule)| {
        other.total_cmp(one).then_with(|| {
            (rule.lhs.len(), &rule.lhs, rule.rhs).cmp(&(
                other_rule.lhs.len(),
                &other_rule.lhs,
                other_rule.rhs,
            ))
        })
    });
    let Some(best) = matcher.best(owned) else {
        let text = localized(
            "no rule leads from what was bought to something that is missing",
            "已购商品没有适用的规则，暂无可推荐的商品",
        );
        return vec![reason("no-rule", text, 1.0)];
    };
    // The offer stands first, so its weight is at least that of the strongest rule.
    let strongest = ranked.first().map_or(0.0, |(strength, _)| *strength);
    let mut reasons =
        vec![reason("offer", offer_text(model, &best), strongest.max(matcher.strength(best.rule)))];
    let others = ranked.into_iter().filter(|(_, rule)| *rule != best.rule).take(REASONS_MAX - 1);
    reasons.extend(others.map(|(strength, rule)| reason("rule", rule_text(model, rule), strength)));
    reasons
}

fn offer_text(model: &Model, offer: &Offer<'_>) -> LocalizedText {
    let rule = rule_text(model, offer.rule);
    let (mut en, mut zh) = (
        format!("offer {}: {}", model.name(offer.rule.rhs), rule.en),
        format!("推荐{}：{}", model.name(offer.rule.rhs), rule.zh_cn),
    );
    if let Some(gain) = offer.gain {
        en.push_str(&format!("; expected gain {gain:.2} {}", model.currency));
        zh.push_str(&format!("；期望收益 {gain:.2} {}", model.currency));
    }
    match offer.mode.and_then(|mode| model.modes.get(mode)) {
        Some(mode) => {
            en.push_str(&format!(", best by {}", mode.label_en));
            zh.push_str(&format!("，最佳方式：{}", mode.label_zh));
        }
        None if !model.modes.is_empty() && offer.gain.is_some() => {
            en.push_str(", no way to sell pays");
            zh.push_str("，各种销售方式均不划算");
        }
        None => {}
    }
    localized(en, zh)
}

/// `who bought A and B buys C in 57 % of cases, 2.2 times as often as others`.
pub(crate) fn rule_text(model: &Model, rule: &Rule) -> LocalizedText {
    let names: Vec<&str> = rule.lhs.iter().map(|item| model.name(*item)).collect();
    let (percent, lift) = (100.0 * rule.confidence(), rule.lift(model.baskets as usize));
    let right = model.name(rule.rhs);
    let (mut en, mut zh) = (
        format!(
            "who buys {} buys {right} in {percent:.0} % of cases, {lift:.1} times as often as in general",
            names.join(" and ")
        ),
        format!("购买{}的人有 {percent:.0}% 会购买{right}，是平均水平的 {lift:.1} 倍", names.join("和")),
    );
    if let Some(margin) = model.margin(rule.rhs) {
        en.push_str(&format!(" (margin {margin:.2} {})", model.currency));
        zh.push_str(&format!("（毛利 {margin:.2} {}）", model.currency));
    }
    localized(en, zh)
}
