//! How the leads are spread, as tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, localized, panel, report as new_report};

use crate::labels::{self, CRITERIA};
use crate::model::LeadModel;

const LEADS: (&str, &str) = ("Leads", "线索数");

/// The whole report.
pub(crate) fn report(model: &LeadModel) -> Report {
    let mut report = new_report(model.summary());
    report.metrics = model.metrics();
    let [conversions, weights] = model.conversions.panels(&model.config);
    report
        .panel(grades(model))
        .panel(conversions)
        .panel(weights)
        .panel(spread(model))
        .panel(criteria(model))
        .panel(man(model))
        .panel(decay(model))
}

fn count(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

fn grades(model: &LeadModel) -> Panel {
    let places = || 0..model.grades.len();
    let part = |place: usize, from: usize| labels::grade(place).chars().nth(from).map(String::from);
    panel("grades", "Grade matrix", "等级矩阵")
        .about("Fit as a letter, engagement as a figure.", "字母表示匹配度，数字表示参与度。")
        .names("fit", ("Fit", "匹配度"), places().map(|place| part(place, 0)))
        .names("engagement", ("Engagement", "参与度"), places().map(|place| part(place, 1)))
        .int64("leads", LEADS, "", model.grades.iter().map(|leads| count(*leads)))
        .words("meaning", ("What to do", "处理建议"), places().map(labels::meaning))
        .matrix("fit", "engagement", "leads")
}

fn spread(model: &LeadModel) -> Panel {
    let [fit, engagement, man] = &model.spread;
    let column = |counts: &[u64; 10]| counts.map(count).into_iter();
    panel("spread", "Spread of the scores", "得分分布")
        .names(
            "points",
            ("Points", "分数段"),
            (0..10).map(|tenth| Some(format!("{}–{}", tenth * 10, tenth * 10 + 10))),
        )
        .int64("fit", ("Fit", "匹配度"), "", column(fit))
        .int64("engagement", ("Engagement", "参与度"), "", column(engagement))
        .int64("man", ("Money, authority, need", "购买能力、决定权、需求"), "", column(man))
        .bar("points", ["fit", "engagement", "man"])
}

fn table(
    name: &str,
    [en, zh]: [&str; 2],
    rows: &[(&str, &str)],
    words: [(&str, &str); 4],
    counts: &[[u64; 4]],
) -> Panel {
    let both = |(en, zh): (&str, &str)| -> LocalizedText { localized(en, zh) };
    let cells = || {
        rows.iter().zip(counts).flat_map(move |(row, counts)| {
            words.into_iter().zip(counts).map(move |(word, leads)| (both(*row), both(word), *leads))
        })
    };
    panel(name, en, zh)
        .words("row", ("Criterion", "条件"), cells().map(|cell| cell.0))
        .words("answer", ("Answer", "结果"), cells().map(|cell| cell.1))
        .int64("leads", LEADS, "", cells().map(|cell| count(cell.2)))
        .matrix("row", "answer", "leads")
}

fn criteria(model: &LeadModel) -> Panel {
    let words = [("Met", "满足"), ("Not met", "不满足"), ("Unknown", "未知"), ("Not asked for", "未设置")];
    table("criteria", ["Criteria of fit", "匹配条件"], &CRITERIA, words, &model.criteria)
}

fn man(model: &LeadModel) -> Panel {
    let rows = [("Money", "购买能力"), ("Authority", "购买决定权"), ("Need", "需求")];
    let words = [("Confirmed", "已确认"), ("Partly", "部分确认"), ("No", "不具备"), ("Unknown", "未知")];
    table("man", ["Money, authority, need", "购买能力、决定权、需求"], &rows, words, &model.man)
}

/// What is left of a contact as it ages.
fn decay(model: &LeadModel) -> Panel {
    let half = model.config.half_life_days;
    let days = || (0..=36).map(|step| f64::from(step) * 10.0);
    let left = |day: f64| 100.0 * trellis_sdk::math::exp2(-day / half);
    panel("decay", "How a contact fades", "互动的衰减")
        .about("What is left of a contact by its age.", "互动经过若干天后剩余的分量。")
        .float64("days", ("Age", "经过时间"), ("days", "天"), days().map(Some))
        .float64("left", ("Left of it", "剩余分量"), "%", days().map(|day| Some(left(day))))
        .line("days", ["left"])
}

/// The rules in words, as Markdown.
pub(crate) fn rules(model: &LeadModel) -> LocalizedText {
    let config = &model.config;
    let (a, b, c) = (config.grade_a, config.grade_b, config.grade_c);
    let mut en = format!(
        "Letter by fit, figure by engagement: A or 1 from {a} points, B or 2 from {b}, C or 3 from {c}.\n\n| criterion | weight | met by |\n|---|---|---|\n"
    );
    let mut zh = format!(
        "字母按匹配度、数字按参与度：A 或 1 从 {a} 分起，B 或 2 从 {b} 分起，C 或 3 从 {c} 分起。\n\n| 条件 | 权重 | 满足要求 |\n|---|---|---|\n"
    );
    let bound = |bound: Option<i64>| bound.map_or("…".to_owned(), |bound| bound.to_string());
    let size = format!("{} – {}", bound(config.employees_min), bound(config.employees_max));
    let wanted = [
        (config.industry_weight, config.industries.join(", ")),
        (config.country_weight, config.countries.join(", ")),
        (config.title_weight, config.titles.join(", ")),
        (config.size_weight, size),
        (config.source_weight, config.sources.join(", ")),
    ];
    for ((name, name_zh), (weight, words)) in CRITERIA.iter().zip(wanted) {
        let words: String = words.chars().take(2000).collect();
        let words = if words.is_empty() { "–".to_owned() } else { words };
        en += &format!("| {name} | {weight} | {words} |\n");
        zh += &format!("| {name_zh} | {weight} | {words} |\n");
    }
    localized(en, zh)
}
