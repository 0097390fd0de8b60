//! Names, reasons and summaries in two languages.

use trellis_sdk::math::exp;
use trellis_sdk::{
    LocalizedText, Metric, Reason, ScoreDescription, SegmentationDescription, described, localized, metric,
    reason, scored,
};

use crate::config::{Config, KeyBy};
use crate::model::KeyModel;
use crate::rankings::{Figures, Ranking};
use crate::traits::Trait;

pub(crate) const STANDING: &str = "standing";
pub(crate) const STANDINGS: [&str; 2] = ["key", "other"];
pub(crate) const ABC: &str = "abc";
pub(crate) const CLASSES: [&str; 3] = ["a", "b", "c"];
pub(crate) const LOOK_ALIKE: &str = "look_alike";

pub(crate) fn segmentations(config: &Config) -> Vec<SegmentationDescription> {
    let (a, b) = (config.class_a_percent, config.class_b_percent);
    vec![
        described(STANDING, "Key customers", "关键客户")
            .about("The few customers who matter most.", "最重要的少数客户。")
            .value_about(
                "key",
                localized("Key customer", "关键客户"),
                localized(
                    "A named contact, the best service, and a plan for each.",
                    "专人负责，优先服务，逐户制定维护计划。",
                ),
            )
            .value_about(
                "other",
                localized("Other customer", "其他客户"),
                localized(
                    "Serve well and cheaply; look for those who are like key customers.",
                    "以合理成本服务，从中发现与关键客户相似者。",
                ),
            ),
        described(ABC, "ABC class", "ABC 分类")
            .about(
                &format!(
                    "By revenue, from the highest: A up to {a} % of the sum, B up to {b} %, C the rest."
                ),
                &format!("按收入从高到低：累计 {a}% 以内为 A 类，{b}% 以内为 B 类，其余为 C 类。"),
            )
            .value("a", "A", "A 类")
            .value("b", "B", "B 类")
            .value("c", "C", "C 类"),
    ]
}

pub(crate) fn scores() -> Vec<ScoreDescription> {
    let score = scored(LOOK_ALIKE, "Similarity to key customers", "与关键客户的相似度")
        .about(
            "The probability of being a key customer, judged by traits alone. For prospects and customers with little history. None where no trait is known.",
            "仅凭客户特征判断其为关键客户的概率，适用于潜在客户和历史较短的客户。特征全部未知时无数值。",
        )
        .unit("%")
        .range(0.0, 100.0);
    vec![score]
}

/// Who the key customers are, as a clause.
fn definition(model: &KeyModel) -> LocalizedText {
    match model.key_by {
        KeyBy::Share => {
            let percent = model.share_percent;
            localized(
                format!("the fewest who bring {percent} % of the revenue"),
                format!("贡献 {percent}% 收入的最少客户"),
            )
        }
        KeyBy::Rankings => {
            let (percent, fewest) = (model.top_percent, model.rankings_min);
            localized(
                format!("among the best {percent} % of at least {fewest} rankings"),
                format!("至少 {fewest} 项排名位居前 {percent}%"),
            )
        }
    }
}

pub(crate) fn summary(model: &KeyModel) -> LocalizedText {
    let (key, customers, clause) = (model.key, model.customers, definition(model));
    let share = 100.0 * key as f64 / customers.max(1) as f64;
    let top = 100.0 * model.curve.top_20;
    let (mut en, mut zh) = (
        format!(
            "{key} of {customers} customers ({share:.1} %) are key customers: {}. The best 20 % bring {top:.1} %.",
            clause.en
        ),
        format!(
            "{customers} 位客户中有 {key} 位关键客户（{share:.1}%）：{}。前 20% 的客户贡献 {top:.1}%。",
            clause.zh_cn
        ),
    );
    if let Some((of, value)) = strongest(model) {
        let lift = of.0.values.get(of.1).map_or(0.0, |found| found.rate()) / of.0.rate();
        en += &format!(
            " The strongest trait: {} = {value}, {lift:.1} times as many key customers as on the whole.",
            of.0.name
        );
        zh += &format!("最突出的特征：{} = {value}，关键客户比例为总体的 {lift:.1} 倍。", of.0.name);
    }
    localized(en, zh)
}

/// The trait whose lower end of the interval lies highest above the share of all.
fn strongest(model: &KeyModel) -> Option<((&Trait, usize), &str)> {
    let all = model
        .traits
        .iter()
        .flat_map(|of| of.values.iter().enumerate().map(move |(place, value)| (of, place, value)));
    let above = all.filter(|(of, _, value)| of.rate() > 0.0 && value.interval().0 > of.rate());
    let ratio =
        |of: &Trait, place: usize| of.values.get(place).map_or(0.0, |value| value.interval().0 / of.rate());
    let best = above.max_by(|one, other| ratio(one.0, one.1).total_cmp(&ratio(other.0, other.1)));
    best.map(|(of, place, value)| ((of, place), value.text.as_str()))
}

pub(crate) fn metrics(model: &KeyModel) -> Vec<Metric> {
    let curve = &model.curve;
    let [a, b] = model.abc.map(|top| top.customers as f64);
    let share = model.share_percent;
    vec![
        metric("customers", localized("Ranked customers", "参与排名的客户数"), model.customers as f64),
        metric("key_customers", localized("Key customers", "关键客户数"), model.key as f64),
        metric("revenue", localized("Revenue, base currency", "收入（本位币）"), curve.revenue),
        metric(
            "customers_for_share",
            localized(
                format!("Customers who bring {share} % of the revenue"),
                format!("贡献 {share}% 收入的客户数"),
            ),
            model.share.customers as f64,
        ),
        metric("share_top_10", localized("Share of the best 10 %", "前 10% 客户的收入占比"), curve.top_10),
        metric("share_top_20", localized("Share of the best 20 %", "前 20% 客户的收入占比"), curve.top_20),
        metric("gini", localized("Gini coefficient", "基尼系数"), curve.gini),
        metric("class_a", localized("Customers in class A", "A 类客户数"), a),
        metric("class_b", localized("Customers in class B", "B 类客户数"), b - a),
        metric(
            "class_c",
            localized("Customers in class C", "C 类客户数"),
            model.revenue_customers as f64 - b,
        ),
    ]
}

/// Why a customer is a key customer or is not: its place in each ranking.
pub(crate) fn explain_standing(model: &KeyModel, figures: &Figures<'_>, row: usize) -> Vec<Reason> {
    let Some(is_key) = model.is_key(figures, row) else {
        return vec![reason("no-figures", localized("no order and no value so far", "暂无订单和收入"), 1.0)];
    };
    let bests = model.bests(figures, row);
    let clause = definition(model);
    let text = if is_key {
        localized(format!("key customer: {}", clause.en), format!("关键客户：{}", clause.zh_cn))
    } else {
        localized(format!("not {}", clause.en), format!("不属于{}", clause.zh_cn))
    };
    let mut reasons = vec![reason("standing", text, 1.0)];
    for (ranking, top) in Ranking::ALL.into_iter().zip(&model.tops) {
        let Some((top, value)) = top.zip(figures.value(ranking, row)) else { continue };
        let is_best = bests >> ranking as usize & 1 == 1;
        let shown = |value: f64| match ranking {
            Ranking::Recency => localized(
                format!("{:.0} days since the last order", -value),
                format!("距上次下单 {:.0} 天", -value),
            ),
            Ranking::Frequency => localized(format!("{value:.0} orders"), format!("{value:.0} 笔订单")),
            _ => {
                let label = ranking.label();
                localized(
                    format!("{} {value:.2}", label.en.to_lowercase()),
                    format!("{} {value:.2}", label.zh_cn),
                )
            }
        };
        let (own, cut) = (shown(value), shown(top.cut.value));
        let percent = model.top_percent;
        let (side, side_zh) = if is_best { ("among", "位居") } else { ("not among", "未进入") };
        let text = localized(
            format!("{}, {side} the best {percent} %, who begin at {}", own.en, cut.en),
            format!("{}，{side_zh}前 {percent}%（起点：{}）", own.zh_cn, cut.zh_cn),
        );
        let base = if ranking == Ranking::Revenue { 0.9 } else { 0.5 };
        reasons.push(reason(ranking.code(), text, if is_best { base } else { base / 2.0 }));
    }
    reasons.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    reasons.truncate(5);
    reasons
}

/// Which traits a row has, as places of values, one list for each trait.
pub(crate) fn look_alike(model: &KeyModel, places: &[&[usize]]) -> Option<f64> {
    let prior = model.prior();
    let mut odds = trellis_sdk::math::log(prior / (1.0 - prior));
    let mut is_known = false;
    for (of, places) in model.traits.iter().zip(places) {
        for value in places.iter().filter_map(|place| of.values.get(*place)) {
            odds += of.evidence(value);
            is_known = true;
        }
    }
    is_known.then(|| 100.0 / (1.0 + exp(-odds)))
}

/// The traits that speak for or against a row, the strongest first.
pub(crate) fn explain_likeness(model: &KeyModel, places: &[&[usize]]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (of, places) in model.traits.iter().zip(places) {
        for value in places.iter().filter_map(|place| of.values.get(*place)) {
            let (rate, all) = (100.0 * value.rate(), 100.0 * of.rate());
            let (name, text) = (&of.name, &value.text);
            let text = localized(
                format!(
                    "{name} = {text}: {rate:.1} % of such customers are key customers, {all:.1} % of all"
                ),
                format!("{name} = {text}：此类客户中 {rate:.1}% 为关键客户，总体为 {all:.1}%"),
            );
            reasons.push(reason(&code(name), text, of.evidence(value)));
        }
    }
    reasons.sort_by(|one, other| other.weight.abs().total_cmp(&one.weight.abs()));
    reasons.truncate(5);
    if reasons.is_empty() {
        reasons.push(reason(
            "no-traits",
            localized("no trait of the customer is known", "客户特征未知"),
            0.0,
        ));
    }
    reasons
}

/// A field's name in kebab-case, at most 60 characters.
fn code(name: &str) -> String {
    let parts: Vec<&str> =
        name.split(|mark: char| !mark.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let code: String = parts.join("-").to_ascii_lowercase().chars().take(60).collect();
    code.trim_end_matches('-').to_owned()
}

/// The traits as Markdown.
pub(crate) fn rules(model: &KeyModel) -> LocalizedText {
    let clause = definition(model);
    let prior = 100.0 * model.prior();
    let mut en = format!(
        "Key customers: {}. {prior:.1} % of all are. Each known trait multiplies these odds:\n\n| trait | value | odds × |\n|---|---|---|\n",
        clause.en
    );
    let mut zh = format!(
        "关键客户：{}，占总体 {prior:.1}%。每个已知特征按倍数调整该几率：\n\n| 特征 | 取值 | 几率倍数 |\n|---|---|---|\n",
        clause.zh_cn
    );
    // 64 KiB at most.
    for (of, value) in
        model.traits.iter().flat_map(|of| of.values.iter().map(move |value| (of, value))).take(400)
    {
        let line = format!("| {} | {} | {:.2} |\n", of.name, value.text, exp(of.evidence(value)));
        if en.len() + line.len() > 60_000 {
            break;
        }
        en += &line;
        zh += &line;
    }
    localized(en, zh)
}
