//! Rankings and traits as tables and pictures.

use trellis_sdk::{Panel, Report, panel, report};

use crate::model::{CURVE_PARTS, KeyModel};
use crate::rankings::Ranking;
use crate::traits::{Trait, TraitValue};
use crate::words;

/// How many values of traits are shown.
const TRAITS_SHOWN_MAX: usize = 100;

pub(crate) fn report_of(model: &KeyModel) -> Report {
    let figures = words::metrics(model).into_iter().fold(report(words::summary(model)), Report::metric);
    let mut panels = vec![curve(model), rankings(model), overlap(model)];
    if !model.traits.is_empty() {
        panels.push(traits(model));
    }
    panels.into_iter().fold(figures, Report::panel)
}

fn curve(model: &KeyModel) -> Panel {
    let percents = (1..=CURVE_PARTS).map(|part| 100.0 * part as f64 / CURVE_PARTS as f64);
    panel("pareto", "Pareto curve", "帕累托曲线")
        .about(
            "Which share of the revenue the best so many percent of the customers bring.",
            "收入最高的若干百分比客户所贡献的收入占比。",
        )
        .float64("customers", ("Best customers", "最优客户占比"), "%", percents.map(Some))
        .float64(
            "revenue",
            ("Share of the revenue", "收入占比"),
            "%",
            model.curve.shares.iter().map(|share| Some(100.0 * share)),
        )
        .line("customers", ["revenue"])
}

/// The rankings that somebody has a value in.
fn used(model: &KeyModel) -> Vec<Ranking> {
    Ranking::ALL
        .into_iter()
        .zip(&model.tops)
        .filter(|(_, top)| top.is_some())
        .map(|(ranking, _)| ranking)
        .collect()
}

fn rankings(model: &KeyModel) -> Panel {
    let tops: Vec<_> = model.tops.iter().flatten().collect();
    let (percent, days) = (model.top_percent, model.growth_days);
    panel("rankings", "Rankings", "各项排名")
        .about(
            &format!("The best {percent} % of each ranking and the figure at which they begin. Recency is in days, negative; growth is spend a day within the last {days} days less that before."),
            &format!("每项排名的前 {percent}% 及其起点。最近购买以负的天数表示；增长为最近 {days} 天日均消费减去此前日均消费。"),
        )
        .words("ranking", ("Ranking", "排名"), used(model).into_iter().map(Ranking::label))
        .int64("customers", ("Best customers", "前列客户数"), "", tops.iter().map(|top| i64::try_from(top.customers).ok()))
        .float64("from", ("From", "起点"), "", tops.iter().map(|top| Some(top.cut.value)))
}

fn overlap(model: &KeyModel) -> Panel {
    let used = used(model);
    let pairs: Vec<(Ranking, Ranking)> =
        used.iter().flat_map(|one| used.iter().map(move |other| (*one, *other))).collect();
    let count = |one: Ranking, other: Ranking| {
        model.overlap.get(one as usize * Ranking::ALL.len() + other as usize).copied().unwrap_or(0)
    };
    let share = |(one, other): &(Ranking, Ranking)| {
        let all = count(*one, *one);
        (all > 0).then(|| 100.0 * count(*one, *other) as f64 / all as f64)
    };
    panel("overlap", "Overlap of the rankings", "排名重叠")
        .about(
            "How many percent of the best of one ranking (row) are among the best of another (column).",
            "某项排名（行）的前列客户中，同时位居另一项排名（列）前列的百分比。",
        )
        .words("ranking", ("Best of", "排名"), pairs.iter().map(|pair| pair.0.label()))
        .words("other", ("Also best of", "同时位居"), pairs.iter().map(|pair| pair.1.label()))
        .float64("share", ("Share", "占比"), "%", pairs.iter().map(share))
        .int64(
            "customers",
            ("Customers", "客户数"),
            "",
            pairs.iter().map(|pair| i64::try_from(count(pair.0, pair.1)).ok()),
        )
        .matrix("ranking", "other", "share")
}

fn traits(model: &KeyModel) -> Panel {
    let mut rows: Vec<(&Trait, &TraitValue)> = model
        .traits
        .iter()
        .flat_map(|of| of.values.iter().map(move |value| (of, value)))
        .filter(|row| row.1.customers > 0)
        .collect();
    let strength = |row: &(&Trait, &TraitValue)| row.0.evidence(row.1);
    rows.sort_by(|one, other| strength(other).abs().total_cmp(&strength(one).abs()));
    rows.truncate(TRAITS_SHOWN_MAX);
    rows.sort_by(|one, other| strength(other).total_cmp(&strength(one)));
    let percent = |share: f64| Some(100.0 * share);
    panel("traits", "What key customers share", "关键客户的共同特征")
        .about(
            "Percent of key customers among those who have a trait, with Wilson's interval of 95 %. Lift: that share over the share among all of whom the field is known.",
            "具有某特征的客户中关键客户的百分比及 95% Wilson 区间。提升度：该比例与字段已知客户总体比例之比。",
        )
        .names("value", ("Trait", "特征"), rows.iter().map(|row| Some(format!("{} = {}", row.0.name, row.1.text))))
        .float64("rate", ("Key customers", "关键客户占比"), "%", rows.iter().map(|row| percent(row.1.rate())))
        .float64("lower", ("Lower end", "区间下限"), "%", rows.iter().map(|row| percent(row.1.interval().0)))
        .float64("upper", ("Upper end", "区间上限"), "%", rows.iter().map(|row| percent(row.1.interval().1)))
        .float64("lift", ("Lift", "提升度"), "", rows.iter().map(|row| (row.0.rate() > 0.0).then(|| row.1.rate() / row.0.rate())))
        .int64("customers", ("Customers", "客户数"), "", rows.iter().map(|row| i64::try_from(row.1.customers).ok()))
        .int64("key", ("Of these key", "其中关键客户"), "", rows.iter().map(|row| i64::try_from(row.1.key).ok()))
        .bar("value", ["rate"])
        .interval("lower", "upper")
}
