//! The model as tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, localized, panel, report};

use crate::history::History;
use crate::labels;
use crate::model::LifetimeModel;
use crate::purchases::Purchases;

/// Repeat purchases and shares of the median age that the matrix shows.
const MATRIX_REPEATS: [u32; 8] = [0, 1, 2, 3, 5, 8, 13, 21];
const MATRIX_TENTHS: [u32; 6] = [0, 2, 4, 6, 8, 10];

pub(crate) fn report_of(model: &LifetimeModel) -> Report {
    let mut panels = vec![parameters(model)];
    if let Some(found) = &model.purchases {
        panels.push(counts(model));
        panels.push(new_customer(model, &found.model));
        panels.push(alive(model, &found.model));
    }
    panels.extend(holdout(model));
    let figures = labels::metrics(model).into_iter().fold(report(labels::summary(model)), Report::metric);
    panels.into_iter().fold(figures, Report::panel)
}

/// One parameter of either model.
struct Parameter {
    model: &'static str,
    name: &'static str,
    value: f64,
    error: Option<f64>,
    meaning: LocalizedText,
}

fn parameters(model: &LifetimeModel) -> Panel {
    let mut all = Vec::new();
    if let Some(found) = &model.purchases {
        let figures = found.model.parameter_names().into_iter().zip(found.model.parameters());
        let figures = figures.zip(found.standard_errors).zip(found.model.parameter_meanings());
        all.extend(figures.map(|(((name, value), error), meaning)| Parameter {
            model: found.model.name(),
            name,
            value,
            error,
            meaning,
        }));
    }
    if let Some(found) = &model.spend {
        let meanings = [
            localized(
                "Shape of one customer's spend: the larger, the more alike",
                "单个客户消费的形状参数：越大，各次消费越接近",
            ),
            localized(
                "Shape between customers: the larger, the more alike",
                "客户之间的形状参数：越大，客户越接近",
            ),
            localized("Scale between customers, base currency", "客户之间的尺度参数（本位币）"),
        ];
        let values = [found.model.p, found.model.q, found.model.v];
        let figures = ["p", "q", "v"].into_iter().zip(values).zip(found.standard_errors).zip(meanings);
        all.extend(figures.map(|(((name, value), error), meaning)| Parameter {
            model: "Gamma-Gamma",
            name,
            value,
            error,
            meaning,
        }));
    }
    panel("parameters", "Parameters", "参数")
        .about(
            "Found by maximum likelihood. The standard error is that of the observed information; it is missing where the data do not determine the parameter.",
            "以最大似然法估计。标准误来自观测信息矩阵；数据无法确定该参数时为空。",
        )
        .names("model", ("Model", "模型"), all.iter().map(|parameter| Some(parameter.model)))
        .names("parameter", ("Parameter", "参数"), all.iter().map(|parameter| Some(parameter.name)))
        .float64("value", ("Value", "数值"), "", all.iter().map(|parameter| Some(parameter.value)))
        .float64("standard_error", ("Standard error", "标准误"), "", all.iter().map(|parameter| parameter.error))
        .words("meaning", ("Meaning", "含义"), all.into_iter().map(|parameter| parameter.meaning))
}

/// Names for 0, 1, … repeats, the last for so many and more.
fn repeat_names(count: usize) -> impl Iterator<Item = Option<String>> {
    (0..count).map(move |repeats| {
        Some(if repeats + 1 == count { format!("{repeats}+") } else { repeats.to_string() })
    })
}

fn counts(model: &LifetimeModel) -> Panel {
    let rows = &model.counts;
    panel("repeat_purchases", "Customers by repeat purchases", "按重复购买次数的客户数")
        .about(
            "How many customers made so many repeat purchases since their first, and how many the model expects.",
            "首次购买之后重复购买若干次的客户数，以及模型的预期。",
        )
        .names("repeats", ("Repeat purchases", "重复购买次数"), repeat_names(rows.len()))
        .int64("actual", ("Actual", "实际"), "", rows.iter().map(|row| i64::try_from(row.actual).ok()))
        .float64("expected", ("Expected", "预期"), "", rows.iter().map(|row| Some(row.expected)))
        .bar("repeats", ["actual", "expected"])
}

fn new_customer(model: &LifetimeModel, purchases: &Purchases) -> Panel {
    let horizon = model.config.horizon_weeks;
    let steps = horizon.min(26);
    let weeks: Vec<u32> =
        (1..=steps).map(|step| (u64::from(step) * u64::from(horizon) / u64::from(steps)) as u32).collect();
    panel("new_customer", "Purchases of a new customer", "新客户的购买次数")
        .about("Expected repeat purchases since the first purchase.", "首次购买之后的预期重复购买次数。")
        .int64("weeks", ("Weeks", "周"), ("weeks", "周"), weeks.iter().map(|week| Some(i64::from(*week))))
        .float64(
            "purchases",
            ("Expected purchases", "预期购买次数"),
            "",
            weeks.iter().map(|week| Some(purchases.expected(&History::NEW, f64::from(*week)))),
        )
        .line("weeks", ["purchases"])
}

fn alive(model: &LifetimeModel, purchases: &Purchases) -> Panel {
    let age_days = model.figures.median_age_days.max(1);
    let cells: Vec<(u32, u32, f64)> = MATRIX_REPEATS
        .into_iter()
        .filter(|repeats| *repeats <= age_days)
        .flat_map(|repeats| MATRIX_TENTHS.map(|tenths| (repeats, tenths)))
        .filter_map(|(repeats, tenths)| {
            let since = (u64::from(age_days) * u64::from(tenths) / 10) as u32;
            let last_days = age_days - since;
            // Without repeats the last purchase is the first; more repeats than days cannot be.
            let possible = if repeats == 0 { tenths == 10 } else { last_days >= repeats };
            let history = History { repeats, last_days: if repeats == 0 { 0 } else { last_days }, age_days };
            possible.then(|| (repeats, since, purchases.alive(&history)))
        })
        .collect();
    panel("alive", "Probability of being active", "活跃概率")
        .about(
            &format!(
                "For a customer of {age_days} days, the median: by repeat purchases and days since the last."
            ),
            &format!("以成为客户 {age_days} 天（中位数）的客户为例：按重复购买次数和距上次购买的天数。"),
        )
        .names(
            "repeats",
            ("Repeat purchases", "重复购买次数"),
            cells.iter().map(|cell| Some(cell.0.to_string())),
        )
        .names(
            "days_since",
            ("Days since the last", "距上次购买天数"),
            cells.iter().map(|cell| Some(cell.1.to_string())),
        )
        .float64("alive", ("Probability", "概率"), "", cells.iter().map(|cell| Some(cell.2)))
        .matrix("repeats", "days_since", "alive")
}

fn holdout(model: &LifetimeModel) -> Option<Panel> {
    let rows = &model.holdout.as_ref()?.by_repeats;
    let days = model.config.holdout_days;
    let shown = || rows.iter().map(|row| row.customers > 0);
    Some(
        panel("holdout", "Prediction of the hold-out window", "检验期预测")
            .about(
                &format!("Mean purchases per customer within the last {days} days, by repeat purchases before; the model knew only what lay before."),
                &format!("最近 {days} 天内每位客户的平均购买次数，按此前的重复购买次数分组；模型只使用此前的数据。"),
            )
            .names("repeats", ("Repeat purchases before", "此前重复购买次数"), repeat_names(rows.len()))
            .int64("customers", ("Customers", "客户数"), "", rows.iter().map(|row| i64::try_from(row.customers).ok()))
            .float64("actual", ("Actual", "实际"), "", rows.iter().zip(shown()).map(|(row, shown)| shown.then_some(row.actual)))
            .float64(
                "predicted",
                ("Predicted", "预测"),
                "",
                rows.iter().zip(shown()).map(|(row, shown)| shown.then_some(row.predicted)),
            )
            .line("repeats", ["actual", "predicted"]),
    )
}
