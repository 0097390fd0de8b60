//! Questions about figures that somebody enters.

use serde::Deserialize;
use trellis_sdk::{Panel, PluginError, Report, Result, json, localized, metric, panel, report};

use super::{Json, alpha_default, alpha_schema};
use crate::config::{Config, Winner};
use crate::groups::{Circumstances, Named, compared, split_panel};
use crate::means::{self, MeanComparison, Sample};
use crate::multiple::{benjamini_hochberg, bonferroni, holm};
use crate::proportions::Group;
use crate::tables;
use crate::verdict::SPLIT_ALARM;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compare {
    groups: Vec<Counted>,
    #[serde(default = "alpha_default")]
    alpha: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    name: String,
    n: u64,
    x: u64,
}

fn count_schema(en: &str, zh: &str) -> Json {
    json!({ "type": "integer", "minimum": 0, "maximum": 1_000_000_000_000_i64, "title": { "en": en, "zh-CN": zh } })
}

fn name_schema() -> Json {
    json!({ "type": "string", "minLength": 1, "maxLength": 100, "title": { "en": "Name", "zh-CN": "名称" } })
}

pub(super) fn compare_parameters() -> Json {
    json!({
        "type": "object", "additionalProperties": false, "required": ["groups"],
        "properties": {
            "groups": { "type": "array", "minItems": 2, "maxItems": 20,
                "title": { "en": "Groups, the control first", "zh-CN": "各组（对照组在前）" },
                "items": { "type": "object", "additionalProperties": false, "required": ["name", "n", "x"], "properties": {
                    "name": name_schema(), "n": count_schema("Members", "人数"), "x": count_schema("Responses", "响应数") } } },
            "alpha": alpha_schema(),
        },
    })
}

pub(super) fn compare(asked: &Compare, config: &Config) -> Result<Report> {
    let named = |counted: &Counted| {
        if counted.x > counted.n {
            let message = (
                format!("group `{}` has {} responses of {} members", counted.name, counted.x, counted.n),
                format!("`{}` 组的响应数 {} 多于人数 {}", counted.name, counted.x, counted.n),
            );
            return Err(PluginError::InvalidParameters(message.into()));
        }
        let group = Group { members: counted.n, responses: counted.x };
        Ok(Named { label: localized(&counted.name, &counted.name), group })
    };
    let groups: Vec<Named> = asked.groups.iter().map(named).collect::<Result<_>>()?;
    let rule = Winner { alpha: asked.alpha, ..config.winner };
    Ok(compared(&groups, rule, Circumstances::default()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Means {
    first: Measured,
    second: Measured,
    #[serde(default = "alpha_default")]
    alpha: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    values: Option<Vec<f64>>,
    n: Option<u64>,
    mean: Option<f64>,
    deviation: Option<f64>,
}

impl Measured {
    fn sample(&self, name: &str) -> Result<Sample> {
        let sample = match (&self.values, self.n, self.mean, self.deviation) {
            (Some(values), None, None, None) => Sample::of(values),
            (None, Some(count), Some(mean), Some(deviation)) => {
                (count > 1).then_some(Sample { count, mean, deviation })
            }
            _ => None,
        };
        sample.ok_or_else(|| {
            let message = (
                format!(
                    "`{name}` needs two `values` or more, or else `n` of 2 or more, `mean` and `deviation`"
                ),
                format!("`{name}` 须有至少两个 `values`，或不小于 2 的 `n` 以及 `mean` 和 `deviation`"),
            );
            PluginError::InvalidParameters(message.into())
        })
    }
}

pub(super) fn means_parameters() -> Json {
    let sample = |en: &str, zh: &str| {
        json!({ "type": "object", "additionalProperties": false, "title": { "en": en, "zh-CN": zh },
            "properties": {
                "values": { "type": "array", "minItems": 2, "maxItems": 10000, "items": { "type": "number" }, "title": { "en": "Values", "zh-CN": "数值" } },
                "n": count_schema("or their number", "或数量"),
                "mean": { "type": "number", "title": { "en": "with their mean", "zh-CN": "均值" } },
                "deviation": { "type": "number", "minimum": 0, "title": { "en": "and standard deviation", "zh-CN": "标准差" } },
            } })
    };
    json!({
        "type": "object", "additionalProperties": false, "required": ["first", "second"],
        "properties": { "first": sample("First group", "第一组"), "second": sample("Second group", "第二组"), "alpha": alpha_schema() },
    })
}

pub(super) fn compare_means(asked: &Means) -> Result<Report> {
    let (first, second) = (asked.first.sample("first")?, asked.second.sample("second")?);
    let found = means::compare_means(first, second, asked.alpha).ok_or_else(|| {
        PluginError::InvalidParameters(
            ("neither group varies: there is nothing to test", "两组数值均无差异，无法检验").into(),
        )
    })?;
    let differs = found.welch_p < asked.alpha;
    let text = localized(
        format!(
            "The means differ by {:.4} (Welch: p {:.4}): {}.",
            found.difference,
            found.welch_p,
            if differs { "more than chance explains" } else { "chance may explain it" }
        ),
        format!(
            "均值相差 {:.4}（Welch 检验 p 值 {:.4}）：{}。",
            found.difference,
            found.welch_p,
            if differs { "超出随机波动" } else { "可能只是随机波动" }
        ),
    );
    let mut answer = mean_figures(&found).into_iter().fold(report(text), Report::metric);
    if let (Some(first), Some(second)) = (&asked.first.values, &asked.second.values)
        && let Some((u, p)) = means::mann_whitney(first, second)
    {
        answer = answer
            .metric(metric(
                "mann_whitney_u",
                localized("Mann and Whitney's U of the second group", "第二组的 Mann–Whitney U 值"),
                u,
            ))
            .metric(metric(
                "mann_whitney_p",
                localized("p by Mann and Whitney", "Mann–Whitney 检验 p 值"),
                p,
            ));
    }
    Ok(answer)
}

fn mean_figures(found: &MeanComparison) -> [trellis_sdk::Metric; 8] {
    [
        metric("difference", localized("Difference of the means", "均值差"), found.difference),
        metric("welch_t", localized("Welch's t", "Welch t 值"), found.welch_t),
        metric("welch_freedom", localized("Degrees of freedom", "自由度"), found.welch_freedom),
        metric("welch_p", localized("p by Welch", "Welch 检验 p 值"), found.welch_p),
        metric("welch_low", localized("Difference, low end", "差值下限"), found.welch_interval.0),
        metric("welch_high", localized("Difference, high end", "差值上限"), found.welch_interval.1),
        metric("student_t", localized("Student's t", "Student t 值"), found.student_t),
        metric("student_p", localized("p by Student", "Student 检验 p 值"), found.student_p),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    table: Vec<Vec<u64>>,
}

pub(super) fn table_parameters() -> Json {
    json!({
        "type": "object", "additionalProperties": false, "required": ["table"],
        "properties": { "table": { "type": "array", "minItems": 2, "maxItems": 100, "title": { "en": "Rows of counts", "zh-CN": "计数表的各行" },
            "items": { "type": "array", "minItems": 2, "maxItems": 100, "items": count_schema("Count", "计数") } } },
    })
}

pub(super) fn table(asked: &Table) -> Result<Report> {
    let test = tables::chi_square(&asked.table).ok_or_else(|| {
        PluginError::InvalidParameters(
            (
                "`table` needs rows of one length, two of them and two columns with a count above 0",
                "`table` 各行长度须一致，且至少两行、两列的计数大于 0",
            )
                .into(),
        )
    })?;
    let text = localized(
        format!(
            "Chi-square {:.4} with {} degrees of freedom, p {:.6}.",
            test.chi_square, test.freedom, test.p
        ),
        format!("卡方值 {:.4}，自由度 {}，p 值 {:.6}。", test.chi_square, test.freedom, test.p),
    );
    Ok(report(text)
        .metric(metric("chi_square", localized("Chi-square", "卡方值"), test.chi_square))
        .metric(metric("freedom", localized("Degrees of freedom", "自由度"), test.freedom as f64))
        .metric(metric("p", localized("p", "p 值"), test.p))
        .metric(metric("cramers_v", localized("Cramér's V", "克莱姆 V 系数"), test.cramers_v))
        .metric(metric(
            "reliable",
            localized("All expected counts are 5 or more (1) or not (0)", "期望计数均不小于 5（1 是，0 否）"),
            f64::from(u8::from(test.is_reliable)),
        )))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Split {
    groups: Vec<Weighted>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weighted {
    name: String,
    n: u64,
    weight: f64,
}

pub(super) fn split_parameters() -> Json {
    json!({
        "type": "object", "additionalProperties": false, "required": ["groups"],
        "properties": { "groups": { "type": "array", "minItems": 2, "maxItems": 20, "title": { "en": "Groups", "zh-CN": "各组" },
            "items": { "type": "object", "additionalProperties": false, "required": ["name", "n", "weight"], "properties": {
                "name": name_schema(), "n": count_schema("Members", "人数"),
                "weight": { "type": "number", "minimum": 0, "title": { "en": "Weight", "zh-CN": "权重" } } } } } },
    })
}

pub(super) fn split_check(asked: &Split) -> Result<Report> {
    let observed: Vec<u64> = asked.groups.iter().map(|group| group.n).collect();
    let weights: Vec<f64> = asked.groups.iter().map(|group| group.weight).collect();
    let split = tables::check_split(&observed, &weights).ok_or_else(|| {
        PluginError::InvalidParameters(
            (
                "`groups` need two weights above 0 and a member",
                "`groups` 至少须有两个大于 0 的权重和一名成员",
            )
                .into(),
        )
    })?;
    let text = if split.p < SPLIT_ALARM {
        localized(
            "The groups differ in size from what was asked for, more than chance explains.",
            "各组人数与设定比例的偏差超出随机波动。",
        )
    } else {
        localized("The groups came out as asked for.", "各组人数符合设定比例。")
    };
    let labels = asked.groups.iter().map(|group| localized(&group.name, &group.name));
    Ok(report(text)
        .metric(metric("chi_square", localized("Chi-square", "卡方值"), split.chi_square))
        .metric(metric("p", localized("p", "p 值"), split.p))
        .panel(split_panel(labels, &observed, &split)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Adjust {
    p: Vec<f64>,
}

pub(super) fn adjust_parameters() -> Json {
    json!({
        "type": "object", "additionalProperties": false, "required": ["p"],
        "properties": { "p": { "type": "array", "minItems": 1, "maxItems": 1000, "title": { "en": "p-values", "zh-CN": "p 值" },
            "items": { "type": "number", "minimum": 0, "maximum": 1 } } },
    })
}

pub(super) fn adjust(asked: &Adjust) -> Result<Report> {
    let text = localized(
        format!("{} p-values, corrected for their number.", asked.p.len()),
        format!("{} 个 p 值，已按检验次数校正。", asked.p.len()),
    );
    let places = || (1_i64..).take(asked.p.len()).map(Some);
    let table =
        panel("p", "Corrected p-values", "校正后的 p 值").int64("test", ("Test", "检验"), "", places());
    Ok(report(text).panel(adjusted_columns(table, &asked.p)))
}

/// The p-values with their three corrections.
pub(crate) fn adjusted_columns(table: Panel, p: &[f64]) -> Panel {
    table
        .float64("p", ("p", "p 值"), "", p.iter().map(|p| Some(*p)))
        .float64("bonferroni", ("Bonferroni", "Bonferroni 校正"), "", bonferroni(p).into_iter().map(Some))
        .float64("holm", ("Holm", "Holm 校正"), "", holm(p).into_iter().map(Some))
        .float64(
            "benjamini_hochberg",
            ("Benjamini and Hochberg", "Benjamini–Hochberg 校正"),
            "",
            benjamini_hochberg(p).into_iter().map(Some),
        )
}
