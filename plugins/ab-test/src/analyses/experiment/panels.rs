//! The tables and pictures of an experiment.

use std::collections::BTreeMap;

use trellis_sdk::{Panel, panel};

use super::Line;
use super::data::{Data, counted};
use crate::analyses::counts::adjusted_columns;
use crate::config::Config;
use crate::groups::comparison_columns;
use crate::means::Sample;
use crate::proportions::Comparison;
use crate::tables::chi_square;

pub(super) fn overview(data: &Data, order: &[u32], config: &Config) -> Panel {
    let mut lines = Vec::new();
    for (outcome, field) in config.outcomes.iter().enumerate() {
        for group in order {
            let values = data.values(outcome, *group, |_| true);
            let name = data.groups.get(*group as usize).map_or("", String::as_str);
            let sum: f64 = values.iter().sum();
            lines.push((
                field.as_str(),
                name,
                values.len() as i64,
                sum,
                Sample::of(&values),
                sum / values.len() as f64,
            ));
        }
    }
    panel("outcomes", "Outcomes by group", "各组结果")
        .names("outcome", ("Outcome", "结果"), lines.iter().map(|line| Some(line.0)))
        .names("group", ("Group", "组"), lines.iter().map(|line| Some(line.1)))
        .int64("members", ("Members", "人数"), "", lines.iter().map(|line| Some(line.2)))
        .float64("sum", ("Sum", "合计"), "", lines.iter().map(|line| Some(line.3)))
        .float64("mean", ("Mean or rate", "均值或比率"), "", lines.iter().map(|line| Some(line.5)))
        .float64(
            "deviation",
            ("Standard deviation", "标准差"),
            "",
            lines.iter().map(|line| line.4.map(|sample| sample.deviation)),
        )
        .bar("outcome", ["mean"])
        .series("group")
}

/// The chi-square over all groups, one row an outcome that is yes or no.
pub(super) fn overall(data: &Data, order: &[u32], config: &Config) -> Panel {
    let mut lines = Vec::new();
    for (outcome, field) in
        config.outcomes.iter().enumerate().filter(|(outcome, _)| data.is_proportion(*outcome))
    {
        let row = |group: &u32| {
            let group = counted(&data.values(outcome, *group, |_| true));
            vec![group.responses, group.members - group.responses]
        };
        lines.push((field.as_str(), chi_square(&order.iter().map(row).collect::<Vec<_>>())));
    }
    panel("all_groups", "All groups at once", "全部组的整体检验")
        .names("outcome", ("Outcome", "结果"), lines.iter().map(|line| Some(line.0)))
        .float64(
            "chi_square",
            ("Chi-square", "卡方值"),
            "",
            lines.iter().map(|line| line.1.map(|test| test.chi_square)),
        )
        .int64(
            "freedom",
            ("Degrees of freedom", "自由度"),
            "",
            lines.iter().map(|line| line.1.map(|test| test.freedom as i64)),
        )
        .float64("p", ("p", "p 值"), "", lines.iter().map(|line| line.1.map(|test| test.p)))
        .float64(
            "cramers_v",
            ("Cramér's V", "克莱姆 V 系数"),
            "",
            lines.iter().map(|line| line.1.map(|test| test.cramers_v)),
        )
}

type Labels<'a> = (&'a str, &'a str, &'a str);

fn labelled<'a>(table: Panel, labels: impl Iterator<Item = Labels<'a>> + Clone) -> Panel {
    table
        .names("outcome", ("Outcome", "结果"), labels.clone().map(|labels| Some(labels.0)))
        .names("first", ("First group", "第一组"), labels.clone().map(|labels| Some(labels.1)))
        .names("second", ("Second group", "第二组"), labels.map(|labels| Some(labels.2)))
}

pub(super) fn rate_panel(rates: &[(Labels<'_>, Option<Comparison>)]) -> Panel {
    let table = labelled(panel("rates", "Rates compared", "比率比较"), rates.iter().map(|line| line.0));
    let comparisons: Vec<Option<Comparison>> = rates.iter().map(|line| line.1).collect();
    comparison_columns(table, &comparisons)
}

/// What is known of a pair of means: labels, the tests, U with its p.
type MeanLine<'a> = (Labels<'a>, Option<crate::means::MeanComparison>, Option<(f64, f64)>);

pub(super) fn mean_panel(means: &[MeanLine<'_>]) -> Panel {
    /// How a figure is read off a comparison.
    type Figure = fn(&crate::means::MeanComparison) -> f64;
    let figures: [(&str, &str, &str, Figure); 8] = [
        ("difference", "Difference", "差值", |c| c.difference),
        ("low", "Difference, low end", "差值下限", |c| c.welch_interval.0),
        ("high", "Difference, high end", "差值上限", |c| c.welch_interval.1),
        ("welch_t", "Welch's t", "Welch t 值", |c| c.welch_t),
        ("welch_freedom", "Degrees of freedom", "自由度", |c| c.welch_freedom),
        ("welch_p", "p by Welch", "Welch 检验 p 值", |c| c.welch_p),
        ("student_t", "Student's t", "Student t 值", |c| c.student_t),
        ("student_p", "p by Student", "Student 检验 p 值", |c| c.student_p),
    ];
    let table = labelled(panel("means", "Means compared", "均值比较"), means.iter().map(|line| line.0));
    let table = figures.into_iter().fold(table, |table, (name, en, zh, figure)| {
        table.float64(name, (en, zh), "", means.iter().map(|line| line.1.as_ref().map(figure)))
    });
    table
        .float64(
            "mann_whitney_u",
            ("U of the second", "第二组 U 值"),
            "",
            means.iter().map(|line| line.2.map(|found| found.0)),
        )
        .float64(
            "mann_whitney_p",
            ("p by Mann and Whitney", "Mann–Whitney 检验 p 值"),
            "",
            means.iter().map(|line| line.2.map(|found| found.1)),
        )
}

/// The tests against the control, corrected for their number.
pub(super) fn corrected(lines: &[Line<'_>]) -> Panel {
    let against = || lines.iter().filter(|line| line.is_against_control);
    let p: Vec<f64> = against().map(|line| line.p).collect();
    let table = panel("corrected", "Against the control, corrected", "与对照组比较（多重校正）").about(
        "p of the pooled z-test for rates, of Welch's test for means; what cannot be tested counts as 1.",
        "比率用合并方差 z 检验，均值用 Welch 检验；无法检验的按 1 计。",
    );
    adjusted_columns(labelled(table, against().map(|line| (line.outcome, line.first, line.second))), &p)
}

/// Every outcome by the values of the fields of subgroups, over all groups.
pub(super) fn by_subgroup(data: &Data, config: &Config) -> Panel {
    let mut lines = Vec::new();
    for (field, (names, places)) in config.subgroups.iter().zip(&data.subgroups) {
        for (value, place) in sorted(names) {
            let is_here = |row: usize| places.get(row) == Some(&place);
            for (outcome, name) in config.outcomes.iter().enumerate() {
                let groups = 0..data.groups.len() as u32;
                let values: Vec<f64> =
                    groups.flat_map(|group| data.values(outcome, group, is_here)).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                lines.push((field.as_str(), value, name.as_str(), values.len() as i64, mean));
            }
        }
    }
    panel("subgroups", "Outcomes by subgroup", "各细分群体的结果")
        .names("field", ("Field", "字段"), lines.iter().map(|line| Some(line.0)))
        .names("value", ("Value", "取值"), lines.iter().map(|line| Some(line.1)))
        .names("outcome", ("Outcome", "结果"), lines.iter().map(|line| Some(line.2)))
        .int64("members", ("Members", "人数"), "", lines.iter().map(|line| Some(line.3)))
        .float64("mean", ("Mean or rate", "均值或比率"), "", lines.iter().map(|line| Some(line.4)))
}

/// What each group gains over the control in each subgroup.
pub(super) fn uplift(data: &Data, order: &[u32], config: &Config) -> Panel {
    let mut lines = Vec::new();
    let Some((control, others)) = order.split_first() else { return panel("uplift", "", "") };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    for (field, (names, places)) in config.subgroups.iter().zip(&data.subgroups) {
        for (value, place) in sorted(names) {
            let is_here = |row: usize| places.get(row) == Some(&place);
            for (outcome, name) in config.outcomes.iter().enumerate() {
                let base = mean(&data.values(outcome, *control, is_here));
                for group in others {
                    let gained = mean(&data.values(outcome, *group, is_here)) - base;
                    let group = data.groups.get(*group as usize).map_or("", String::as_str);
                    lines.push((field.as_str(), value, name.as_str(), group, gained));
                }
            }
        }
    }
    panel("uplift", "Gain over the control by subgroup", "各细分群体相对对照组的提升")
        .names("field", ("Field", "字段"), lines.iter().map(|line| Some(line.0)))
        .names("value", ("Value", "取值"), lines.iter().map(|line| Some(line.1)))
        .names("outcome", ("Outcome", "结果"), lines.iter().map(|line| Some(line.2)))
        .names("group", ("Group", "组"), lines.iter().map(|line| Some(line.3)))
        .float64("uplift", ("Gain", "提升"), "", lines.iter().map(|line| Some(line.4)))
        .bar("value", ["uplift"])
        .series("group")
}

/// The values by name with their places.
fn sorted(names: &[String]) -> impl Iterator<Item = (&str, u32)> {
    let by_name: BTreeMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    by_name.into_iter()
}
