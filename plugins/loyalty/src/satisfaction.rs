//! What the answers to surveys say: Net Promoter Score, satisfaction, effort.

use serde::Deserialize;
use std::collections::BTreeMap;
use trellis_sdk::{
    AnalysisDescription, Panel, PluginError, Report, Result, RowStream, analysis, json, localized, metric,
    panel, report,
};

use crate::questionnaire::Scores;
use crate::words::Words;

/// The name of the analysis.
pub(crate) const NAME: &str = "satisfaction";
const DAY_MS: i64 = 86_400_000;

/// What has to be said with the question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// Only surveys of this name.
    survey: Option<String>,
    /// How many of the highest marks count as satisfied.
    satisfied_marks: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { survey: None, satisfied_marks: 2 }
    }
}

pub(crate) fn description() -> AnalysisDescription {
    analysis(NAME, "Survey results", "调查结果")
        .about(
            "Of every survey: answers, mean, Net Promoter Score and share of satisfied customers, each with a 95 % interval, and how they went by month.",
            "逐份调查统计答卷数、平均分、净推荐值（NPS）和满意率（CSAT）及其 95% 置信区间，并按月展示走势。",
        )
        .of("responses")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "survey": {
                    "type": "string", "maxLength": 255,
                    "title": { "en": "Survey", "zh-CN": "调查名称" },
                    "description": { "en": "The name of one survey; without it all of them.", "zh-CN": "只统计该名称的调查；不填则统计全部。" }
                },
                "satisfied_marks": {
                    "type": "integer", "minimum": 1, "maximum": 5, "default": 2,
                    "title": { "en": "Satisfied marks", "zh-CN": "满意档数" },
                    "description": { "en": "How many of the highest marks of the scale count as satisfied.", "zh-CN": "量表最高的若干档计为满意。" }
                }
            }
        }))
}

#[derive(Debug, Default)]
struct Survey {
    kind: String,
    marks: Scores,
    months: BTreeMap<(i32, u32), Scores>,
}

pub(crate) fn analyse(rows: &mut RowStream<'_>, parameters: &Parameters) -> Result<Report> {
    let mut surveys = BTreeMap::<String, Survey>::new();
    for batch in rows {
        let (scores, times) = (batch.float64("score")?, batch.time("answered_at")?);
        let (kinds, names) = (Words::read(&batch, "kind")?, Words::read(&batch, "survey")?);
        let (lowest, highest) = (batch.int64("score_min")?, batch.int64("score_max")?);
        for row in 0..batch.rows() {
            let (Some(score), Some(name)) = (scores.get(row), names.get(row)) else { continue };
            if parameters.survey.as_deref().is_some_and(|wanted| wanted != name) {
                continue;
            }
            let kind = kinds.get(row).unwrap_or("csat");
            let usual = if kind == "nps" { (0.0, 10.0) } else { (1.0, 5.0) };
            let scale = (
                lowest.get(row).map_or(usual.0, |lowest| lowest as f64),
                highest.get(row).map_or(usual.1, |highest| highest as f64),
            );
            let survey = surveys
                .entry(name.to_owned())
                .or_insert_with(|| Survey { kind: kind.to_owned(), ..Survey::default() });
            survey.marks.add(score, scale);
            if let Some(time) = times.get(row) {
                let month = month_of(time.div_euclid(DAY_MS));
                survey.months.entry(month).or_default().add(score, scale);
            }
        }
    }
    if surveys.values().all(|survey| survey.marks.count() == 0) {
        let message = match &parameters.survey {
            Some(name) => (
                format!("no survey called `{name}` has an answer within its scale"),
                format!("名为 `{name}` 的调查没有在量表范围内的答卷"),
            ),
            None => (
                "no survey has an answer within its scale".to_owned(),
                "没有任何调查有在量表范围内的答卷".to_owned(),
            ),
        };
        return Err(PluginError::UnsuitableData(message.into()));
    }
    Ok(results(&surveys, parameters.satisfied_marks))
}

fn results(surveys: &BTreeMap<String, Survey>, satisfied_marks: u32) -> Report {
    let answers: u64 = surveys.values().map(|survey| survey.marks.count()).sum();
    let outside: u64 = surveys.values().map(|survey| survey.marks.outside()).sum();
    let summary = localized(
        format!(
            "{answers} answers to {} surveys; {outside} outside of their scale are not counted.",
            surveys.len()
        ),
        format!("{} 份调查共 {answers} 份有效答卷；{outside} 份超出量表范围，未计入。", surveys.len()),
    );
    let mut answer =
        report(summary).metric(metric("answers", localized("Answers", "答卷数"), answers as f64)).metric(
            metric("outside", localized("Answers outside of the scale", "超出量表的答卷数"), outside as f64),
        );
    if let [survey] = surveys.values().collect::<Vec<_>>().as_slice() {
        if let Some(score) = survey.marks.promoter_score() {
            answer = answer
                .metric(metric("nps", localized("Net Promoter Score", "净推荐值"), score.value))
                .metric(metric("nps_error", localized("Its standard error", "净推荐值标准误"), score.error));
        }
        if let Some(share) = survey.marks.top_share(satisfied_marks) {
            answer = answer.metric(metric("csat", localized("Satisfied, %", "满意率（%）"), 100.0 * share));
        }
    }
    answer.panel(table(surveys, satisfied_marks)).panel(trend(surveys, satisfied_marks))
}

fn table(surveys: &BTreeMap<String, Survey>, satisfied_marks: u32) -> Panel {
    let marks = || surveys.values().map(|survey| &survey.marks);
    let nps = || marks().map(Scores::promoter_score);
    let satisfied = || marks().map(|marks| marks.top_interval(satisfied_marks));
    panel("surveys", "Surveys", "各份调查")
        .about(
            "NPS: percent of promoters (9, 10 of 10) minus percent of detractors (up to 6), on other scales the same parts of it; its interval is normal. \
             Satisfied: percent of the highest marks, with Wilson's interval.",
            "净推荐值：推荐者（9、10 分）百分比减贬损者（6 分及以下）百分比，其他量表按相同比例；区间按正态近似。满意率：最高档百分比，区间为 Wilson 区间。",
        )
        .names("survey", ("Survey", "调查"), surveys.keys().map(Some))
        .names("kind", ("Kind", "类型"), surveys.values().map(|survey| Some(survey.kind.as_str())))
        .int64("answers", ("Answers", "答卷数"), "", marks().map(|marks| i64::try_from(marks.count()).ok()))
        .float64("mean", ("Mean", "平均分"), "", marks().map(Scores::mean))
        .float64("nps", ("NPS", "净推荐值"), "", nps().map(|score| Some(score?.value)))
        .float64("nps_low", ("NPS, lower end", "净推荐值下限"), "", nps().map(|score| Some(score?.interval().0)))
        .float64("nps_high", ("NPS, upper end", "净推荐值上限"), "", nps().map(|score| Some(score?.interval().1)))
        .float64("csat", ("Satisfied", "满意率"), "%", satisfied().map(|found| Some(100.0 * found?.0)))
        .float64("csat_low", ("Satisfied, lower end", "满意率下限"), "%", satisfied().map(|found| Some(100.0 * found?.1)))
        .float64("csat_high", ("Satisfied, upper end", "满意率上限"), "%", satisfied().map(|found| Some(100.0 * found?.2)))
        .bar("survey", ["nps", "csat"])
}

/// The last months of every survey, as many as a panel holds.
fn trend(surveys: &BTreeMap<String, Survey>, satisfied_marks: u32) -> Panel {
    let months =
        surveys.iter().flat_map(|(name, survey)| survey.months.iter().map(move |month| (name, month)));
    let mut months: Vec<_> = months.collect();
    months.sort_by_key(|(_, (month, _))| **month);
    let surplus = months.len().saturating_sub(10_000);
    months.drain(..surplus);
    let name = |(year, month): &(i32, u32)| format!("{year}-{month:02}");
    panel("months", "By month", "按月走势")
        .names("month", ("Month", "月份"), months.iter().map(|(_, (month, _))| Some(name(month))))
        .names("survey", ("Survey", "调查"), months.iter().map(|(survey, _)| Some(survey.as_str())))
        .float64(
            "nps",
            ("NPS", "净推荐值"),
            "",
            months.iter().map(|(_, (_, marks))| Some(marks.promoter_score()?.value)),
        )
        .float64(
            "csat",
            ("Satisfied", "满意率"),
            "%",
            months.iter().map(|(_, (_, marks))| Some(100.0 * marks.top_share(satisfied_marks)?)),
        )
        .int64(
            "answers",
            ("Answers", "答卷数"),
            "",
            months.iter().map(|(_, (_, marks))| i64::try_from(marks.count()).ok()),
        )
        .line("month", ["nps", "csat"])
        .series("survey")
}

/// Year and month of a day since 1970-01-01 in the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
fn month_of(day: i64) -> (i32, u32) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (i32::try_from(year).unwrap_or_default(), u32::try_from(month).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::month_of;

    #[test]
    fn days_fall_into_their_months() {
        for (day, month) in
            [(0, (1970, 1)), (-1, (1969, 12)), (59, (1970, 3)), (11_016, (2000, 2)), (20_633, (2026, 6))]
        {
            assert_eq!(month_of(day), month, "{day}");
        }
    }
}
