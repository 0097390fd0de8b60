//! What was learned, as tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, localized, panel, report as new_report};

use crate::determinants::{INPUTS_OF_METRIC, basic_term, curve, latent_term};
use crate::labels::{
    BEHAVIOUR_LABELS, INPUT_LABELS, KIND_LABELS, Label, METRIC_LABELS, STAGE_LABELS, TRAP_LABELS, TYPE_LABELS,
};
use crate::model::LoyaltyModel;

const LABEL: &str = "label";
const CUSTOMERS: (&str, &str) = ("Customers", "客户数");

/// The whole report.
pub(crate) fn report(model: &LoyaltyModel) -> Report {
    let mix = &model.mix;
    let mut all = new_report(model.summary());
    all.metrics = model.metrics();
    all.panel(
        counts(
            "types",
            ["Attitudinal and behavioural loyalty", "精神忠诚与行为忠诚"],
            &TYPE_LABELS,
            &mix.types,
        )
        .about(
            "Attitude against behaviour, with what to do about each.",
            "精神忠诚与行为忠诚的组合及经营建议。",
        ),
    )
    .panel(counts("kinds", ["Kinds of loyalty", "忠诚种类构成"], &KIND_LABELS, &mix.kinds).about(
        "Each customer counts in the first kind whose evidence is there.",
        "每位客户计入首个有依据的种类。",
    ))
    .panel(means(
        "metrics",
        ["Four metrics of loyalty", "忠诚度的四项度量指标"],
        &METRIC_LABELS,
        &mix.metrics,
    ))
    .panel(means(
        "behaviours",
        ["Four behaviours of the loyal", "忠诚客户的四种行为"],
        &BEHAVIOUR_LABELS,
        &mix.behaviours,
    ))
    .panel(determinants(model))
    .panel(links(model))
    .panel(curves(model))
    .panel(counts("traps", ["Satisfaction trap", "满意度陷阱"], &TRAP_LABELS, &mix.traps))
    .panel(counts("stages", ["Stages of consumption", "消费阶段"], &STAGE_LABELS, &mix.stages))
}

fn counts(name: &str, [en, zh]: [&str; 2], labels: &[Label], counts: &[u64]) -> Panel {
    let whole: u64 = counts.iter().sum();
    let share = |count: &u64| (whole > 0).then(|| 100.0 * *count as f64 / whole as f64);
    panel(name, en, zh)
        .words(LABEL, ("Group", "分组"), labels.iter().map(|label| localized(label.en, label.zh)))
        .int64("customers", CUSTOMERS, "", counts.iter().map(|count| i64::try_from(*count).ok()))
        .float64("share", ("Share", "占比"), "%", counts.iter().map(share))
        .words(
            "advice",
            ("What to do", "经营建议"),
            labels.iter().map(|label| localized(label.advice_en, label.advice_zh)),
        )
        .bar(LABEL, ["customers"])
}

fn means(name: &str, [en, zh]: [&str; 2], labels: &[Label], means: &[(f64, u64)]) -> Panel {
    panel(name, en, zh)
        .words(LABEL, ("Measure", "指标"), labels.iter().map(|label| localized(label.en, label.zh)))
        .float64(
            "mean",
            ("Mean", "平均分"),
            "/ 100",
            means.iter().map(|(mean, count)| (*count > 0).then_some(*mean)),
        )
        .int64("customers", CUSTOMERS, "", means.iter().map(|(_, count)| i64::try_from(*count).ok()))
        .bar(LABEL, ["mean"])
}

/// One row for each of the sixteen links: the two that are zero by definition have the weight 0 and no error.
fn determinants(model: &LoyaltyModel) -> Panel {
    let mut rows = Vec::new();
    for ((metric, fit), inputs) in METRIC_LABELS.iter().zip(&model.found.metrics).zip(INPUTS_OF_METRIC) {
        for (place, input) in INPUT_LABELS.iter().enumerate() {
            let is_fixed = place >= inputs;
            let found = fit.as_ref().and_then(|fit| fit.coefficients.get(place).copied().flatten());
            rows.push((metric, input, is_fixed, found, fit.as_ref()));
        }
    }
    let note = |is_fixed: bool, is_found: bool| match (is_fixed, is_found) {
        (true, _) => localized("zero by definition", "按理论固定为零"),
        (false, true) => localized("estimated", "估计值"),
        (false, false) => localized("too few answers, or no variation of its own", "回答太少或无独立变化"),
    };
    panel("determinants", "Determinants of loyalty", "忠诚度的决定因素")
        .about(
            "Ordinary least squares on ratings of 1 to 10: how many points a metric rises with one point of the input. Switching cost acts on buying \
             again and price tolerance alone. A weight of more than about twice its standard error is hardly chance.",
            "对 1 至 10 分评分作普通最小二乘回归：决定因素每提高 1 分，指标提高多少分。转移成本只影响重复购买意向和价格忍耐力。系数超过标准误约两倍时不太可能是偶然。",
        )
        .words("metric", ("Metric", "度量指标"), rows.iter().map(|row| localized(row.0.en, row.0.zh)))
        .words("input", ("Determinant", "决定因素"), rows.iter().map(|row| localized(row.1.en, row.1.zh)))
        .float64("weight", ("Weight", "系数"), "", rows.iter().map(|row| {
            if row.2 { Some(0.0) } else { row.3.map(|found| found.value) }
        }))
        .float64("error", ("Standard error", "标准误"), "", rows.iter().map(|row| row.3.map(|found| found.error)))
        .float64("t", ("t", "t 值"), "", rows.iter().map(|row| row.3.map(|found| found.value / found.error)))
        .float64("r_squared", ("R² of the metric", "该指标的 R²"), "", rows.iter().map(|row| row.4.map(|fit| fit.r_squared)))
        .int64("answers", ("Customers", "客户数"), "", rows.iter().map(|row| {
            row.4.and_then(|fit| i64::try_from(fit.rows).ok())
        }))
        .words("note", ("Note", "说明"), rows.iter().map(|row| note(row.2, row.3.is_some())))
        .matrix("metric", "input", "weight")
}

/// The links that are not zero, as arrows.
fn links(model: &LoyaltyModel) -> Panel {
    let metrics = METRIC_LABELS.iter().zip(&model.found.metrics);
    let arrows: Vec<_> = metrics
        .flat_map(|(metric, fit)| {
            let coefficients = fit.iter().flat_map(|fit| fit.coefficients.iter());
            INPUT_LABELS
                .iter()
                .zip(coefficients)
                .filter_map(move |(input, found)| Some((input, metric, (*found)?)))
        })
        .collect();
    panel("links", "What drives what", "决定因素作用路径")
        .words(
            "input",
            ("Determinant", "决定因素"),
            arrows.iter().map(|arrow| localized(arrow.0.en, arrow.0.zh)),
        )
        .words("metric", ("Metric", "度量指标"), arrows.iter().map(|arrow| localized(arrow.1.en, arrow.1.zh)))
        .float64("weight", ("Weight", "系数"), "", arrows.iter().map(|arrow| Some(arrow.2.value)))
        .graph("input", "metric", Some("weight"))
}

/// Both curves over the scale, and what was seen at each rating.
fn curves(model: &LoyaltyModel) -> Panel {
    let found = &model.found;
    let ratings = || (1..=10).map(f64::from);
    let seen =
        |levels: &[(f64, u64); 10]| levels.map(|(mean, count)| (count > 0).then_some(mean)).into_iter();
    let [basic, latent] = &found.levels;
    let basic_curve = ratings().map(|rating| found.basic.as_ref().map(|fit| curve(fit, basic_term(rating))));
    let latent_curve =
        ratings().map(|rating| found.latent.as_ref().map(|fit| curve(fit, latent_term(rating))));
    panel("curves", "The two curves of satisfaction", "满意度与忠诚度的两条曲线")
        .about(
            "Attitudinal loyalty by how far expectations are met. Basic expectations: a + b ln(rating), each point brings less. Latent expectations: \
             a + b rating², each point brings more. Who is high on the first and low on the second is in the trap.",
            "期望满足程度与精神忠诚度的关系。基本期望：a + b ln(评分)，边际递减；潜在期望：a + b 评分²，边际递增。前者高而后者低的客户处于满意度陷阱。",
        )
        .float64("rating", ("Rating", "评分"), "", ratings().map(Some))
        .float64("basic_curve", ("Basic, fitted", "基本期望（拟合）"), "", basic_curve)
        .float64("latent_curve", ("Latent, fitted", "潜在期望（拟合）"), "", latent_curve)
        .float64("basic_mean", ("Basic, seen", "基本期望（实际）"), "", seen(basic))
        .float64("latent_mean", ("Latent, seen", "潜在期望（实际）"), "", seen(latent))
        .line("rating", ["basic_curve", "latent_curve", "basic_mean", "latent_mean"])
}

/// The rules in words, as Markdown.
pub(crate) fn rules(model: &LoyaltyModel) -> LocalizedText {
    let config = &model.config;
    let (attitude, behaviour, share) = (config.attitude_high, config.behaviour_high, config.share_high);
    let (basic, latent, days) = (config.trap_basic, config.trap_latent, config.window_days);
    let mut en = format!(
        "Loyal in attitude from {attitude} points of the four intents, in behaviour from {behaviour} points (orders of the last {days} days). \
         Price or incentive loyalty from {share} % of the purchases. Trap: basic expectations at least {basic}, latent ones at most {latent}.\n\n\
         | metric | determinant | weight | standard error |\n|---|---|---|---|\n"
    );
    let mut zh = format!(
        "四项意向达到 {attitude} 分为精神忠诚，行为得分（最近 {days} 天订单）达到 {behaviour} 分为行为忠诚。折扣或奖励购买达到 {share}% 为价格或激励忠诚。\
         满意度陷阱：基本期望不低于 {basic}，潜在期望不高于 {latent}。\n\n| 指标 | 决定因素 | 系数 | 标准误 |\n|---|---|---|---|\n"
    );
    for (metric, fit) in METRIC_LABELS.iter().zip(&model.found.metrics) {
        let coefficients = fit.iter().flat_map(|fit| &fit.coefficients);
        for (input, found) in INPUT_LABELS.iter().zip(coefficients) {
            let Some(found) = found else { continue };
            let figures = format!("{:.4} | {:.4}", found.value, found.error);
            en += &format!("| {} | {} | {figures} |\n", metric.en, input.en);
            zh += &format!("| {} | {} | {figures} |\n", metric.zh, input.zh);
        }
    }
    localized(en, zh)
}
