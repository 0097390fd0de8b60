//! An experiment whose groups and outcomes are fields of customers.

mod data;
mod panels;

use serde::Deserialize;
use trellis_sdk::{Report, Result, RowStream, json, localized, metric, report};

use super::{Json, alpha_default, alpha_schema};
use crate::config::Config;
use crate::means::{Sample, compare_means, mann_whitney};
use crate::proportions::compare;

use data::{Data, counted};
use panels::{by_subgroup, corrected, mean_panel, overall, overview, rate_panel, uplift};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    control: Option<String>,
    #[serde(default = "alpha_default")]
    alpha: f64,
}

pub(super) fn parameters() -> Json {
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "control": { "type": "string", "minLength": 1, "maxLength": 200, "title": { "en": "Control group", "zh-CN": "对照组" },
                "description": { "en": "A value of the field with the groups; without it the first in alphabetical order.", "zh-CN": "分组字段的取值；不填时按字母顺序取第一组。" } },
            "alpha": alpha_schema(),
        },
    })
}

/// A pair of groups: the control against each other one first, then the others.
fn pairs(order: &[u32]) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    for (place, first) in order.iter().enumerate() {
        pairs.extend(order.iter().skip(place + 1).map(|second| (*first, *second)));
    }
    pairs
}

/// What is known of one pair and outcome.
struct Line<'a> {
    outcome: &'a str,
    first: &'a str,
    second: &'a str,
    p: f64,
    is_against_control: bool,
}

pub(super) fn answer(rows: &mut RowStream<'_>, asked: &Parameters, config: &Config) -> Result<Report> {
    let data = Data::read(rows, config)?;
    let order = data.order(asked.control.as_deref())?;
    let (mut rates, mut means) = (Vec::new(), Vec::new());
    let mut lines: Vec<Line<'_>> = Vec::new();
    let name = |place: u32| data.groups.get(place as usize).map_or("", String::as_str);
    for (first, second) in pairs(&order) {
        for (outcome, field) in config.outcomes.iter().enumerate() {
            let (a, b) = (data.values(outcome, first, |_| true), data.values(outcome, second, |_| true));
            let labels = (field.as_str(), name(first), name(second));
            let p = if data.is_proportion(outcome) {
                let found = compare(counted(&a), counted(&b), asked.alpha);
                rates.push((labels, found));
                found.map(|found| found.z_pooled.p)
            } else {
                let found =
                    Sample::of(&a).zip(Sample::of(&b)).and_then(|(a, b)| compare_means(a, b, asked.alpha));
                means.push((labels, found, mann_whitney(&a, &b)));
                found.map(|found| found.welch_p)
            };
            let is_against_control = order.first() == Some(&first);
            lines.push(Line {
                outcome: field,
                first: name(first),
                second: name(second),
                p: p.unwrap_or(1.0),
                is_against_control,
            });
        }
    }
    let significant = lines.iter().filter(|line| line.is_against_control && line.p < asked.alpha).count();
    let text = localized(
        format!(
            "{} customers in {} groups; {significant} differences to the control lie below p = {}.",
            data.of_group.len(),
            data.groups.len(),
            asked.alpha
        ),
        format!(
            "{} 位客户分为 {} 组；与对照组相比有 {significant} 项差异的 p 值低于 {}。",
            data.of_group.len(),
            data.groups.len(),
            asked.alpha
        ),
    );
    let mut answer = report(text).metric(metric(
        "customers",
        localized("Customers in a group", "已分组客户数"),
        data.of_group.len() as f64,
    ));
    answer = answer.panel(overview(&data, &order, config));
    if !rates.is_empty() {
        answer = answer.panel(overall(&data, &order, config)).panel(rate_panel(&rates));
    }
    if !means.is_empty() {
        answer = answer.panel(mean_panel(&means));
    }
    answer = answer.panel(corrected(&lines));
    if !config.subgroups.is_empty() {
        answer = answer.panel(by_subgroup(&data, config)).panel(uplift(&data, &order, config));
    }
    Ok(answer)
}
