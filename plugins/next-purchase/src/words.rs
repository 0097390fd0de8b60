//! Scores, reasons and reports in two languages.

use trellis_likelihood::{Fitted, GammaGamma};
use trellis_sdk::{
    LocalizedText, Metric, Panel, Reason, Report, ScoreDescription, localized, metric, panel, reason, report,
    scored,
};

use crate::config::Config;
use crate::gap::{DAYS_MAX, Gap};
use crate::model::{QUANTILES, Rhythm};
use crate::rows::Customer;

pub(crate) const DAYS: &str = "days_to_purchase";
pub(crate) const PROBABILITY: &str = "purchase_probability";
pub(crate) const CYCLE: &str = "cycle_days";
pub(crate) const LATENESS: &str = "lateness";

/// The bands of lateness: name, label and advice.
const BANDS: [[&str; 5]; 4] = [
    [
        "in_cycle",
        "In the cycle",
        "周期内",
        "Bought not long ago. Leave in peace, or sell something that goes with it.",
        "刚购买不久。不必打扰，可推荐配套商品。",
    ],
    [
        "due",
        "Due",
        "到期",
        "Half of such customers would have bought again. The best time for an offer.",
        "同类客户已有一半再次购买，是推送优惠的最佳时机。",
    ],
    [
        "overdue",
        "Overdue",
        "逾期",
        "Most would have bought again. Ask why not.",
        "同类客户大多已再次购买。应主动了解原因。",
    ],
    [
        "dormant",
        "Dormant",
        "沉睡",
        "Nearly all would have bought again: probably gone. Win back or let go.",
        "同类客户几乎都已再次购买，可能已流失。设法唤回或放弃。",
    ],
];

pub(crate) fn describe(config: &Config) -> Vec<ScoreDescription> {
    let window = config.window_days;
    let lateness = scored(LATENESS, "Lateness", "逾期程度")
        .about(
            "How many percent of customers with this history would have bought again by now.",
            "购买历史相同的客户中，到今天本应已再次购买的百分比。",
        )
        .unit("%")
        .range(0.0, 100.0);
    let lowest = [0.0, 50.0, config.overdue_percent, config.dormant_percent];
    let lateness = BANDS.into_iter().zip(lowest).fold(
        lateness,
        |score, ([name, en, zh, advice_en, advice_zh], lowest)| {
            score.band_about(name, lowest, localized(en, zh), localized(advice_en, advice_zh))
        },
    );
    vec![
        scored(DAYS, "Days until the next purchase", "距下次购买天数")
            .about(
                "After how many days half of such customers have bought, if the customer buys again at all.",
                "若客户还会购买，同类客户有一半在多少天后再次购买。",
            )
            .range(0.0, DAYS_MAX),
        scored(
            PROBABILITY,
            &format!("Purchase within {window} days"),
            &format!("未来 {window} 天内购买的概率"),
        )
        .about("The probability, if the customer buys again at all.", "若客户还会购买，在该期间内购买的概率。")
        .range(0.0, 1.0),
        scored(CYCLE, "Purchase cycle in days", "购买周期（天）")
            .about(
                "Expected days from one purchase to the next: the customer's own, drawn towards that of all while little is known.",
                "两次购买之间的预期天数：以客户自身为主，已知次数较少时向总体靠拢。",
            )
            .range(0.0, DAYS_MAX),
        lateness,
    ]
}

/// For a customer the predicted date, the rhythm, the lateness and the window.
pub(crate) fn explain(rhythm: &Rhythm, customer: Option<&Customer>) -> Vec<Reason> {
    let Some(customer) = customer else {
        return vec![reason("no-orders", localized("no order so far", "暂无订单"), 1.0)];
    };
    let Some((outlook, model)) = rhythm.outlook(customer).zip(rhythm.fitted.map(|fitted| fitted.model))
    else {
        return vec![reason("no-rhythm", too_few(rhythm), 1.0)];
    };
    let day = i64::from(customer.last) + customer.since as i64 + outlook.days.round() as i64;
    let (date, days) = (date(day), outlook.days);
    let when = if days >= DAYS_MAX {
        localized("no further purchase is expected", "预期不会再次购买")
    } else {
        localized(
            format!("next purchase about {date}, in {days:.0} days, if there is one"),
            format!("若再次购买，预计在 {date} 前后（{days:.0} 天后）"),
        )
    };
    let (probability, window) = (100.0 * outlook.probability, rhythm.config.window_days);
    let within = localized(
        format!("buys within {window} days with a probability of {probability:.0} %"),
        format!("未来 {window} 天内购买的概率为 {probability:.0}%"),
    );
    vec![
        reason("next-purchase", when, 1.0),
        reason("lateness", lateness_text(customer, outlook.lateness), 0.8),
        reason("cycle", cycle_text(&model, customer, outlook.cycle), 0.6),
        reason("window", within, 0.4),
    ]
}

fn lateness_text(customer: &Customer, lateness: f64) -> LocalizedText {
    let since = customer.since;
    localized(
        format!(
            "last purchase {since:.0} days ago: {lateness:.0} % of such customers would have bought again by now"
        ),
        format!("最近一次购买在 {since:.0} 天前：同类客户中 {lateness:.0}% 本应已再次购买"),
    )
}

fn cycle_text(model: &GammaGamma, customer: &Customer, cycle: f64) -> LocalizedText {
    if customer.gaps < 1.0 {
        return localized(
            format!("bought on one day only; customers buy every {cycle:.0} days on the mean"),
            format!("只在一天购买过；客户平均每 {cycle:.0} 天购买一次"),
        );
    }
    let (own, gaps) = (customer.days / customer.gaps, customer.gaps);
    let percent = 100.0 * model.own_weight(gaps);
    let noun = if gaps > 1.0 { "times" } else { "time" };
    localized(
        format!(
            "came back {gaps:.0} {noun}, every {own:.0} days; that counts {percent:.0} %, everybody's rhythm the rest: {cycle:.0} days"
        ),
        format!("复购 {gaps:.0} 次，平均间隔 {own:.0} 天，占 {percent:.0}%，其余取总体节奏：{cycle:.0} 天"),
    )
}

/// Why nothing is predicted.
fn too_few(rhythm: &Rhythm) -> LocalizedText {
    let (customers, repeaters) = (rhythm.customers, rhythm.repeaters);
    localized(
        format!("{repeaters} of {customers} customers bought on two days or more: too few to tell a rhythm"),
        format!("{customers} 位客户中有 {repeaters} 位在两天及以上购买过，数据太少，无法判断购买节奏"),
    )
}

pub(crate) fn summary(rhythm: &Rhythm) -> LocalizedText {
    let Some(fitted) = &rhythm.fitted else {
        let text = too_few(rhythm);
        return localized(format!("{}.", text.en), format!("{}。", text.zh_cn));
    };
    let (customers, repeaters) = (rhythm.customers, rhythm.repeaters);
    let median = rhythm.quantiles.get(QUANTILES / 2).copied().unwrap_or(0.0);
    let [in_cycle, due, overdue, dormant] = rhythm.bands;
    let (mut en, mut zh) = (
        format!(
            "{customers} customers, {repeaters} came back, the median every {median:.0} days. In the cycle {in_cycle}, due {due}, overdue \
             {overdue}, dormant {dormant}."
        ),
        format!(
            "{customers} 位客户，{repeaters} 位有复购，间隔中位数 {median:.0} 天。周期内 {in_cycle}，到期 {due}，逾期 {overdue}，沉睡 {dormant}。"
        ),
    );
    if !fitted.is_flat {
        en += " A parameter runs to the end of its range: predictions hold, single parameters mean little.";
        zh += "有参数达到取值边界：预测仍可用，但单个参数意义不大。";
    }
    localized(en, zh)
}

pub(crate) fn metrics(rhythm: &Rhythm) -> Vec<Metric> {
    let mut metrics = vec![
        metric(
            "customers",
            localized("Customers with a purchase", "有购买的客户数"),
            rhythm.customers as f64,
        ),
        metric("repeaters", localized("Customers who came back", "有复购的客户数"), rhythm.repeaters as f64),
    ];
    let Some(fitted) = &rhythm.fitted else { return metrics };
    let model = &fitted.model;
    metrics.extend([
        metric("p", localized("Regularity of one customer, p", "单个客户的规律性 p"), model.p),
        metric("q", localized("Similarity of customers, q", "客户之间的相似性 q"), model.q),
        metric("v", localized("Scale, v, days", "尺度 v（天）"), model.v),
        metric("log_likelihood", localized("Log-likelihood", "对数似然"), fitted.log_likelihood),
    ]);
    for ([name, en, zh, ..], count) in BANDS.into_iter().zip(rhythm.bands) {
        metrics.push(metric(
            name,
            localized(format!("{en}: customers"), format!("{zh}：客户数")),
            count as f64,
        ));
    }
    metrics
}

pub(crate) fn rules(rhythm: &Rhythm) -> LocalizedText {
    let Some(GammaGamma { p, q, v }) = rhythm.fitted.map(|fitted| fitted.model) else {
        return too_few(rhythm);
    };
    localized(
        format!(
            "Times between purchase days are gamma distributed with shape p = {p:.4}; the rates differ between customers as a gamma distribution \
             with shape q = {q:.4} and rate v = {v:.4} days. After n times that add up to S days, the next is beta prime with p, q + p·n and scale \
             v + S. p above 1 says that customers buy more regularly than by chance."
        ),
        format!(
            "购买间隔服从形状为 p = {p:.4} 的伽马分布；各客户的速率服从形状 q = {q:.4}、尺度 v = {v:.4} 天的伽马分布。已知 n 个间隔共 S 天时，下一个间隔\
             服从参数为 p、q + p·n、尺度 v + S 的 Beta prime 分布。p 大于 1 表示购买比随机更有规律。"
        ),
    )
}

pub(crate) fn report_of(rhythm: &Rhythm) -> Report {
    let figures = metrics(rhythm).into_iter().fold(report(summary(rhythm)), Report::metric);
    let Some(fitted) = &rhythm.fitted else { return figures };
    [bands(rhythm), cycles(rhythm), return_curve(rhythm, &fitted.model), parameters(fitted)]
        .into_iter()
        .fold(figures, Report::panel)
}

fn bands(rhythm: &Rhythm) -> Panel {
    panel("bands", "Customers by lateness", "按逾期程度的客户数")
        .about("As of the day of the fit.", "截至建模当日。")
        .words("band", ("Band", "档次"), BANDS.into_iter().map(|[_, en, zh, ..]| localized(en, zh)))
        .int64(
            "customers",
            ("Customers", "客户数"),
            "",
            rhythm.bands.iter().map(|count| i64::try_from(*count).ok()),
        )
        .float64("from", ("From lateness", "逾期程度起点"), "%", rhythm.lowest().map(Some))
        .bar("band", ["customers"])
}

fn cycles(rhythm: &Rhythm) -> Panel {
    panel("cycles", "Own cycles of those who came back", "复购客户的自身周期")
        .about(
            "So many percent of them have a mean time between purchases of at most so many days.",
            "该百分比的复购客户，其平均购买间隔不超过相应天数。",
        )
        .int64(
            "percent",
            ("Customers", "客户占比"),
            "%",
            (1..=QUANTILES as i64).map(|tenth| Some(10 * tenth)),
        )
        .float64("days", ("Days", "天数"), ("days", "天"), rhythm.quantiles.iter().map(|days| Some(*days)))
        .line("percent", ["days"])
}

/// When customers with one, two, four and nine purchases of the mean rhythm come back.
fn return_curve(rhythm: &Rhythm, model: &GammaGamma) -> Panel {
    let cycle = rhythm.quantiles.get(QUANTILES / 2).copied().unwrap_or(30.0).max(1.0);
    let steps = 24;
    let days: Vec<f64> =
        (1..=steps).map(|step| (f64::from(step) * cycle / 6.0).round().max(f64::from(step))).collect();
    let back = |gaps: f64| {
        let gap = Gap::new(model, gaps, gaps * cycle);
        days.iter().map(move |days| Some(100.0 * (1.0 - gap.survival(*days)))).collect::<Vec<_>>()
    };
    panel("return", "Who has come back", "回购曲线")
        .about(
            &format!("Percent of customers who have bought again after so many days, by what is known of them, with an own cycle of {cycle:.0} days, the median."),
            &format!("按已知购买次数，若干天后已再次购买的客户百分比（自身周期取中位数 {cycle:.0} 天）。"),
        )
        .float64("days", ("Days since the last purchase", "距上次购买天数"), ("days", "天"), days.iter().map(|days| Some(*days)))
        .float64("once", ("Bought once", "购买一次"), "%", back(0.0))
        .float64("twice", ("Bought twice", "购买两次"), "%", back(1.0))
        .float64("five_times", ("Bought five times", "购买五次"), "%", back(4.0))
        .float64("ten_times", ("Bought ten times", "购买十次"), "%", back(9.0))
        .line("days", ["once", "twice", "five_times", "ten_times"])
}

fn parameters(fitted: &Fitted) -> Panel {
    let model = &fitted.model;
    let meanings = [
        localized(
            "Shape of one customer's times: above 1 more regular than by chance",
            "单个客户间隔的形状参数：大于 1 表示比随机更有规律",
        ),
        localized(
            "Shape of the rates between customers: the larger, the more alike",
            "客户之间速率的形状参数：越大，客户越接近",
        ),
        localized("Scale of the rate distribution, days", "速率分布的尺度参数（天）"),
    ];
    panel("parameters", "Parameters", "参数")
        .about("Found by maximum likelihood, with standard errors.", "以最大似然法估计，附标准误。")
        .names("parameter", ("Parameter", "参数"), ["p", "q", "v"].map(Some))
        .float64("value", ("Value", "数值"), "", [model.p, model.q, model.v].map(Some))
        .float64("standard_error", ("Standard error", "标准误"), "", fitted.standard_errors)
        .words("meaning", ("Meaning", "含义"), meanings)
}

/// A day since 1970-01-01 as `YYYY-MM-DD` (H. Hinnant, *chrono-Compatible Low-Level Date Algorithms*).
fn date(day: i64) -> String {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_dates() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (10_134, "1997-09-30"),
            (11_016, "2000-02-29"),
            (-1, "1969-12-31"),
            (20_453, "2025-12-31"),
        ] {
            assert_eq!(date(day), expected);
        }
    }
}
