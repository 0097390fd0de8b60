//! What the questions of a questionnaire say: figures of each, how they hang together, and what drives the overall judgement.

use serde::Deserialize;
use trellis_sdk::{
    AnalysisDescription, Panel, PluginError, Report, Result, RowStream, analysis, json, localized, math,
    metric, panel, report,
};

use crate::least_squares::{Fit, LeastSquares};
use crate::words::Words;

/// The name of the analysis.
pub(crate) const NAME: &str = "questionnaire";
/// The columns `q1` to `q20`.
const QUESTIONS: usize = 20;
/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// Up to so many different marks a question keeps; a scale of 0 to 100 has 101.
const MARKS_MAX: usize = 1000;

/// What has to be said with the question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    questionnaire: Option<String>,
    outcome: usize,
    /// None: every other question that somebody answered.
    drivers: Vec<usize>,
    scale_min: f64,
    scale_max: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { questionnaire: None, outcome: 1, drivers: Vec::new(), scale_min: 1.0, scale_max: 10.0 }
    }
}

pub(crate) fn description() -> AnalysisDescription {
    let question = json!({ "type": "integer", "minimum": 1, "maximum": QUESTIONS });
    analysis(NAME, "Questionnaire: figures and drivers", "问卷统计与驱动因素")
        .about(
            "Figures of every question with its Net Promoter Score, reliability of the drivers (Cronbach's alpha), their correlation with the outcome, and a \
             linear regression of the outcome on them with standard errors.",
            "逐题统计均值、标准差、净推荐值等，计算驱动题目的信度（Cronbach α）、与结果题的相关系数，以及结果题对各驱动题的线性回归（含标准误）。",
        )
        .of("answers")
        .asking(&json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "questionnaire": {
                    "type": "string", "maxLength": 255, "title": { "en": "Questionnaire", "zh-CN": "问卷" },
                    "description": { "en": "Only answers to this one; without it all.", "zh-CN": "只统计该问卷；不填则统计全部。" }
                },
                "outcome": {
                    "type": "integer", "minimum": 1, "maximum": QUESTIONS, "default": 1,
                    "title": { "en": "Outcome", "zh-CN": "结果题" },
                    "description": { "en": "The number of the question about the overall judgement.", "zh-CN": "总体评价题的题号。" }
                },
                "drivers": {
                    "type": "array", "items": question, "minItems": 1, "maxItems": QUESTIONS - 1,
                    "title": { "en": "Drivers", "zh-CN": "驱动题" },
                    "description": {
                        "en": "The numbers of the questions that may explain it; left out, every other question that somebody answered.",
                        "zh-CN": "可能影响结果的题号；不填则取其他所有有人作答的题目。"
                    }
                },
                "scale_min": { "type": "number", "default": 1, "title": { "en": "Lowest mark", "zh-CN": "最低分" } },
                "scale_max": { "type": "number", "default": 10, "title": { "en": "Highest mark", "zh-CN": "最高分" } }
            }
        }))
}

/// A share or a score and its standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl Estimate {
    /// The 95 % interval, by the normal distribution.
    pub(crate) fn interval(self) -> (f64, f64) {
        (self.value - Z * self.error, self.value + Z * self.error)
    }
}

/// The marks that one question got. The scale is that of the last mark.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores {
    /// Marks that differ, ascending, and how often each was given.
    marks: Vec<(f64, u64)>,
    scale: (f64, f64),
    outside: u64,
}

impl Scores {
    /// Adds a mark; one outside of the scale is only counted as such.
    pub(crate) fn add(&mut self, mark: f64, scale: (f64, f64)) {
        self.scale = scale;
        if !(scale.0..=scale.1).contains(&mark) {
            self.outside += 1;
            return;
        }
        match self.marks.binary_search_by(|(other, _)| other.total_cmp(&mark)) {
            Ok(place) => {
                if let Some((_, count)) = self.marks.get_mut(place) {
                    *count += 1;
                }
            }
            Err(place) if self.marks.len() < MARKS_MAX => self.marks.insert(place, (mark, 1)),
            Err(_) => self.outside += 1,
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.marks.iter().map(|(_, count)| count).sum()
    }

    pub(crate) fn outside(&self) -> u64 {
        self.outside
    }

    fn count_where(&self, holds: impl Fn(f64) -> bool) -> u64 {
        self.marks.iter().filter(|(mark, _)| holds(*mark)).map(|(_, count)| count).sum()
    }

    fn share(&self, holds: impl Fn(f64) -> bool) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.count_where(holds) as f64 / count as f64)
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        let count = self.count();
        let sum: f64 = self.marks.iter().map(|(mark, count)| mark * *count as f64).sum();
        (count > 0).then(|| sum / count as f64)
    }

    /// The standard deviation with n − 1.
    fn deviation(&self) -> Option<f64> {
        let (count, mean) = (self.count(), self.mean()?);
        let squares: f64 =
            self.marks.iter().map(|(mark, count)| (mark - mean) * (mark - mean) * *count as f64).sum();
        (count > 1).then(|| (squares / (count - 1) as f64).sqrt())
    }

    fn median(&self) -> Option<f64> {
        let count = self.count();
        let at = |rank: u64| {
            let mut seen = 0;
            self.marks.iter().find(|(_, count)| {
                seen += count;
                seen > rank
            })
        };
        let (lower, upper) = (at(count.checked_sub(1)? / 2)?, at(count / 2)?);
        Some(f64::midpoint(lower.0, upper.0))
    }

    /// Promoters begin at nine tenths of the highest mark, detractors end at six tenths (F. Reichheld, "The One Number You Need to Grow", Harvard
    /// Business Review 2003, for 0 to 10).
    fn groups(&self) -> [u64; 3] {
        let highest = self.scale.1;
        let promoters = self.count_where(|mark| mark * 10.0 >= 9.0 * highest);
        let detractors = self.count_where(|mark| mark * 10.0 <= 6.0 * highest);
        [promoters, self.count() - promoters - detractors, detractors]
    }

    /// The Net Promoter Score, −100 to 100, with the standard error of a difference of two shares of one sample.
    pub(crate) fn promoter_score(&self) -> Option<Estimate> {
        let count = self.count() as f64;
        let [promoters, _, detractors] = self.groups().map(|group| group as f64 / count);
        let difference = promoters - detractors;
        let variance = (promoters + detractors - difference * difference) / count;
        (count > 0.0).then(|| Estimate { value: 100.0 * difference, error: 100.0 * variance.max(0.0).sqrt() })
    }

    /// The share of the `marks` highest whole marks of the scale.
    pub(crate) fn top_share(&self, marks: u32) -> Option<f64> {
        let highest = self.scale.1;
        self.share(|mark| mark > highest - f64::from(marks))
    }

    /// The share, and its 95 % interval by Wilson.
    pub(crate) fn top_interval(&self, marks: u32) -> Option<(f64, f64, f64)> {
        let (share, count) = (self.top_share(marks)?, self.count() as f64);
        let middle = share + Z * Z / (2.0 * count);
        let half = Z * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
        let whole = 1.0 + Z * Z / count;
        Some((share, (middle - half) / whole, (middle + half) / whole))
    }
}

/// All sums of one pass.
struct Sums {
    questions: Vec<Scores>,
    regression: LeastSquares,
    /// One regression on a single driver each, for its correlation with the outcome over all who answered both.
    pairs: Vec<LeastSquares>,
    /// For alpha: of the drivers alone, over complete answers; the last is their sum.
    reliability: Vec<Moments>,
    respondents: u64,
}

/// Mean and sum of squared deviations (Welford).
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let deviation = value - self.mean;
        self.mean += deviation / self.count;
        self.squares += deviation * (value - self.mean);
    }
}

pub(crate) fn analyse(rows: &mut RowStream<'_>, parameters: &Parameters) -> Result<Report> {
    parameters.check()?;
    let parameters = &match parameters.drivers.is_empty() {
        true => Parameters { drivers: parameters.answered_besides(rows)?, ..parameters.clone() },
        false => parameters.clone(),
    };
    let drivers = parameters.drivers.len();
    let mut sums = Sums {
        questions: vec![Scores::default(); QUESTIONS],
        regression: LeastSquares::new(drivers),
        pairs: vec![LeastSquares::new(1); drivers],
        reliability: vec![Moments::default(); drivers + 1],
        respondents: 0,
    };
    let scale = (parameters.scale_min, parameters.scale_max);
    let mut row_marks = [None; QUESTIONS];
    let mut complete = Vec::with_capacity(drivers);
    parameters.for_each(rows, |given| {
        for ((mark, given), question) in row_marks.iter_mut().zip(given).zip(&mut sums.questions) {
            given.iter().for_each(|given| question.add(*given, scale));
            *mark = given.filter(|given| (scale.0..=scale.1).contains(given));
        }
        sums.respondents += u64::from(row_marks.iter().any(Option::is_some));
        sums.add(parameters, &row_marks, &mut complete);
    })?;
    if sums.respondents == 0 {
        let message = ("no answer has a mark within the scale", "没有任何答卷的评分在量表范围内");
        return Err(PluginError::UnsuitableData(message.into()));
    }
    Ok(results(&sums, parameters))
}

impl Parameters {
    /// Hands over the marks that each respondent of the questionnaire gave, question by question.
    fn for_each(
        &self,
        rows: &mut RowStream<'_>,
        mut each: impl FnMut(&[Option<f64>; QUESTIONS]),
    ) -> Result<()> {
        let mut given = [None; QUESTIONS];
        for batch in rows {
            let names = Words::read(&batch, "questionnaire")?;
            let columns = (1..=QUESTIONS)
                .map(|number| batch.float64(&format!("q{number}")))
                .collect::<Result<Vec<_>>>()?;
            for row in 0..batch.rows() {
                if self.questionnaire.as_deref().is_some_and(|wanted| names.get(row) != Some(wanted)) {
                    continue;
                }
                for (mark, column) in given.iter_mut().zip(&columns) {
                    *mark = column.get(row);
                }
                each(&given);
            }
        }
        Ok(())
    }

    /// The questions besides the outcome that somebody answered.
    fn answered_besides(&self, rows: &mut RowStream<'_>) -> Result<Vec<usize>> {
        let mut is_answered = [false; QUESTIONS];
        self.for_each(rows, |given| {
            for (is_answered, mark) in is_answered.iter_mut().zip(given) {
                *is_answered |= mark.is_some();
            }
        })?;
        rows.rewind();
        let answered =
            (1..).zip(is_answered).filter(|(number, is_answered)| *is_answered && *number != self.outcome);
        Ok(answered.map(|(number, _)| number).collect())
    }

    fn check(&self) -> Result<()> {
        let invalid = |en: String, zh: String| Err(PluginError::InvalidParameters((en, zh).into()));
        if self.drivers.contains(&self.outcome) {
            return invalid(
                format!("`drivers` contains the outcome, question {}", self.outcome),
                format!("`drivers` 包含了结果题（第 {} 题）", self.outcome),
            );
        }
        if let Some(twice) = self
            .drivers
            .iter()
            .enumerate()
            .find(|(place, driver)| self.drivers.iter().take(*place).any(|earlier| earlier == *driver))
        {
            return invalid(
                format!("`drivers` has question {} twice", twice.1),
                format!("`drivers` 中第 {} 题重复", twice.1),
            );
        }
        if let Some(number) =
            self.drivers.iter().chain([&self.outcome]).find(|number| !(1..=QUESTIONS).contains(number))
        {
            return invalid(
                format!("there is no question {number}; there are 1 to {QUESTIONS}"),
                format!("没有第 {number} 题；题号为 1 到 {QUESTIONS}"),
            );
        }
        if self.scale_min.partial_cmp(&self.scale_max) != Some(std::cmp::Ordering::Less) {
            return invalid(
                format!("`scale_min` is {}, not below `scale_max`, {}", self.scale_min, self.scale_max),
                format!("`scale_min` 为 {}，须小于 `scale_max`（{}）", self.scale_min, self.scale_max),
            );
        }
        Ok(())
    }
}

impl Sums {
    fn add(&mut self, parameters: &Parameters, marks: &[Option<f64>; QUESTIONS], complete: &mut Vec<f64>) {
        let mark = |number: usize| marks.get(number - 1).copied().flatten();
        let outcome = mark(parameters.outcome);
        complete.clear();
        for (driver, pair) in parameters.drivers.iter().zip(&mut self.pairs) {
            let Some(driver) = mark(*driver) else { continue };
            complete.push(driver);
            if let Some(outcome) = outcome {
                pair.add(&[driver], outcome);
            }
        }
        if complete.len() < parameters.drivers.len() {
            return;
        }
        let whole: f64 = complete.iter().sum();
        for (moments, value) in self.reliability.iter_mut().zip(complete.iter().copied().chain([whole])) {
            moments.add(value);
        }
        if let Some(outcome) = outcome {
            self.regression.add(complete, outcome);
        }
    }

    /// Cronbach's alpha, k/(k − 1) (1 − Σ variances / variance of the sum); none for a single driver or without variation.
    fn alpha(&self) -> Option<f64> {
        let (whole, parts) = self.reliability.split_last()?;
        let count = parts.len() as f64;
        let of_parts: f64 = parts.iter().map(|part| part.squares).sum();
        (count > 1.0 && whole.squares > 0.0).then(|| count / (count - 1.0) * (1.0 - of_parts / whole.squares))
    }
}

fn results(sums: &Sums, parameters: &Parameters) -> Report {
    let fit = sums.regression.solve();
    let outcome = sums.questions.get(parameters.outcome - 1).cloned().unwrap_or_default();
    let number = parameters.outcome;
    let explained = fit.as_ref().map_or("–".to_owned(), |fit| format!("{:.1} %", 100.0 * fit.r_squared));
    let nps = outcome.promoter_score().map_or("–".to_owned(), |score| format!("{:.1}", score.value));
    let mut answer = report(localized(
        format!("{} respondents. Net Promoter Score of question {number}: {nps}. Its drivers explain {explained} of it.", sums.respondents),
        format!("{} 位答卷人。第 {number} 题的净推荐值为 {nps}，驱动题解释了 {explained} 的差异。", sums.respondents),
    ))
    .metric(metric("respondents", localized("Respondents", "答卷人数"), sums.respondents as f64));
    let [promoters, passives, detractors] = outcome.groups();
    let mut add = |name: &str, en: &str, zh: &str, value: Option<f64>| {
        if let Some(value) = value {
            answer.metrics.push(metric(name, localized(en, zh), value));
        }
    };
    let score = outcome.promoter_score();
    add("nps", "Net Promoter Score of the outcome", "结果题净推荐值", score.map(|score| score.value));
    add("nps_error", "Its standard error", "净推荐值标准误", score.map(|score| score.error));
    add(
        "nps_low",
        "Lower end of its 95 % interval",
        "净推荐值 95% 区间下限",
        score.map(|score| score.interval().0),
    );
    add(
        "nps_high",
        "Upper end of its 95 % interval",
        "净推荐值 95% 区间上限",
        score.map(|score| score.interval().1),
    );
    add("promoters", "Promoters", "推荐者", Some(promoters as f64));
    add("passives", "Passives", "被动者", Some(passives as f64));
    add("detractors", "Detractors", "贬损者", Some(detractors as f64));
    add("alpha", "Reliability of the drivers (Cronbach's alpha)", "驱动题信度（Cronbach α）", sums.alpha());
    add(
        "r_squared",
        "Share of the outcome that the drivers explain (R²)",
        "驱动题解释比例（R²）",
        fit.as_ref().map(|fit| fit.r_squared),
    );
    answer.panel(questions(sums)).panel(distribution(&outcome)).panel(drivers(sums, parameters, fit.as_ref()))
}

fn questions(sums: &Sums) -> Panel {
    let asked: Vec<(usize, &Scores)> =
        (1..).zip(&sums.questions).filter(|(_, scores)| scores.count() > 0).collect();
    let scores = || asked.iter().map(|(_, scores)| *scores);
    let group = |place: usize| {
        scores().map(move |scores| scores.groups().get(place).and_then(|count| i64::try_from(*count).ok()))
    };
    panel("questions", "Questions", "各题统计")
        .names("question", ("Question", "题目"), asked.iter().map(|(number, _)| Some(format!("q{number}"))))
        .int64(
            "answers",
            ("Answers", "答卷数"),
            "",
            scores().map(|scores| i64::try_from(scores.count()).ok()),
        )
        .float64("mean", ("Mean", "平均分"), "", scores().map(Scores::mean))
        .float64("deviation", ("Standard deviation", "标准差"), "", scores().map(Scores::deviation))
        .float64("median", ("Median", "中位数"), "", scores().map(Scores::median))
        .int64("promoters", ("Promoters", "推荐者"), "", group(0))
        .int64("passives", ("Passives", "被动者"), "", group(1))
        .int64("detractors", ("Detractors", "贬损者"), "", group(2))
        .float64("nps", ("NPS", "净推荐值"), "", scores().map(|scores| Some(scores.promoter_score()?.value)))
        .float64(
            "nps_error",
            ("NPS, standard error", "净推荐值标准误"),
            "",
            scores().map(|scores| Some(scores.promoter_score()?.error)),
        )
        .float64(
            "nps_low",
            ("NPS, lower end", "净推荐值下限"),
            "",
            scores().map(|scores| Some(scores.promoter_score()?.interval().0)),
        )
        .float64(
            "nps_high",
            ("NPS, upper end", "净推荐值上限"),
            "",
            scores().map(|scores| Some(scores.promoter_score()?.interval().1)),
        )
        .float64(
            "top2",
            ("Highest two marks", "最高两档占比"),
            "",
            scores().map(|scores| scores.top_share(2)),
        )
        .float64(
            "top3",
            ("Highest three marks", "最高三档占比"),
            "",
            scores().map(|scores| scores.top_share(3)),
        )
        .bar("question", ["mean"])
}

fn distribution(outcome: &Scores) -> Panel {
    panel("distribution", "Marks of the outcome", "结果题得分分布")
        .float64("mark", ("Mark", "分值"), "", outcome.marks.iter().map(|(mark, _)| Some(*mark)))
        .int64(
            "answers",
            ("Answers", "答卷数"),
            "",
            outcome.marks.iter().map(|(_, count)| i64::try_from(*count).ok()),
        )
        .bar("mark", ["answers"])
}

fn drivers(sums: &Sums, parameters: &Parameters, fit: Option<&Fit>) -> Panel {
    let names = parameters.drivers.iter().map(|number| format!("q{number}"));
    let names: Vec<String> = ["constant".to_owned()].into_iter().chain(names).collect();
    let coefficient = |place: usize| {
        let fit = fit?;
        let Some(driver) = place.checked_sub(1) else { return Some(fit.intercept) };
        fit.coefficients.get(driver).copied().flatten()
    };
    let places = || 0..names.len();
    let correlation = |place: usize| {
        let pair = place.checked_sub(1).and_then(|driver| sums.pairs.get(driver))?;
        pair.correlations().first().copied().flatten()
    };
    // The two-sided p of the normal distribution, which t approaches with the number of answers.
    let p = |found: crate::least_squares::Coefficient| {
        math::erfc((found.value / found.error).abs() / std::f64::consts::SQRT_2)
    };
    panel("drivers", "Drivers of the outcome", "结果题的驱动因素")
        .about(
            "Correlation with the outcome, and weight in a linear regression on all drivers over complete answers. p is that of the normal distribution.",
            "与结果题的相关系数，以及对完整答卷作多元线性回归的系数；p 值按正态近似。",
        )
        .names("driver", ("Driver", "驱动题"), names.iter().map(Some))
        .float64("correlation", ("Correlation", "相关系数"), "", places().map(correlation))
        .float64("weight", ("Weight", "回归系数"), "", places().map(|place| Some(coefficient(place)?.value)))
        .float64("error", ("Standard error", "标准误"), "", places().map(|place| Some(coefficient(place)?.error)))
        .float64("p", ("p", "p 值"), "", places().map(|place| coefficient(place).map(p)))
        .bar("driver", ["weight"])
}
