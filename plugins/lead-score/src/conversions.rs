//! How often leads of each grade, and leads that meet a criterion or do not, became customers: what shows whether the weights are right.

use trellis_sdk::{Metric, Panel, localized, metric, panel};

use crate::config::Config;
use crate::judgement::{GRADES, Judgement, Met};
use crate::labels::{self, CRITERIA};

/// Leads whose end is known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Decided {
    pub(crate) leads: u64,
    pub(crate) converted: u64,
}

impl Decided {
    fn add(&mut self, is_converted: bool) {
        self.leads += 1;
        self.converted += u64::from(is_converted);
    }

    /// In percent; none where nothing is decided.
    fn rate(&self) -> Option<f64> {
        (self.leads > 0).then(|| 100.0 * self.converted as f64 / self.leads as f64)
    }
}

/// What became of leads. Those that are neither converted nor disqualified do not count.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Conversions {
    pub(crate) all: Decided,
    pub(crate) by_grade: [Decided; GRADES.len()],
    /// Of each criterion: who meets it, and who does not.
    pub(crate) by_criterion: [[Decided; 2]; CRITERIA.len()],
}

impl Conversions {
    pub(crate) fn add(&mut self, status: Option<&str>, judgement: &Judgement) {
        let is_converted = match status {
            Some("converted") => true,
            Some("disqualified") => false,
            _ => return,
        };
        self.all.add(is_converted);
        if let Some(decided) = judgement.grade.and_then(|grade| self.by_grade.get_mut(grade)) {
            decided.add(is_converted);
        }
        for ([met, not_met], is_met) in self.by_criterion.iter_mut().zip(judgement.criteria) {
            match is_met {
                Met::Yes => met.add(is_converted),
                Met::No => not_met.add(is_converted),
                Met::Unknown | Met::Unasked => {}
            }
        }
    }

    /// None while nothing is decided.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let Some(rate) = self.all.rate() else { return Vec::new() };
        vec![
            metric(
                "decided",
                localized("Converted or disqualified", "已转化或不合格的线索数"),
                self.all.leads as f64,
            ),
            metric("conversion_rate", localized("Converted of these, %", "其中已转化（%）"), rate),
        ]
    }

    pub(crate) fn panels(&self, config: &Config) -> [Panel; 2] {
        [self.grades(), self.criteria(config)]
    }

    fn grades(&self) -> Panel {
        let count = |value: fn(&Decided) -> u64| {
            self.by_grade.iter().map(move |decided| i64::try_from(value(decided)).ok())
        };
        panel("conversions", "Conversion by grade", "各等级的转化率")
            .about(
                "Of the leads that were converted or disqualified, by the grade that they have now. Where a better grade does not convert better, look at the weights below.",
                "统计已转化或不合格的线索，按当前等级划分。若等级越高转化率并未越高，请检查下方各条件的权重。",
            )
            .names("grade", ("Grade", "等级"), (0..GRADES.len()).map(|place| Some(labels::grade(place))))
            .int64("decided", ("Converted or disqualified", "已转化或不合格"), "", count(|decided| decided.leads))
            .int64("converted", ("Converted", "已转化"), "", count(|decided| decided.converted))
            .float64("rate", ("Conversion rate", "转化率"), "%", self.by_grade.iter().map(Decided::rate))
            .bar("grade", ["rate"])
    }

    fn criteria(&self, config: &Config) -> Panel {
        let weights = [
            config.industry_weight,
            config.country_weight,
            config.title_weight,
            config.size_weight,
            config.source_weight,
        ];
        let rows = || self.by_criterion.iter();
        let leads = |decided: &Decided| i64::try_from(decided.leads).ok();
        let gain = |[met, not_met]: &[Decided; 2]| Some(met.rate()? - not_met.rate()?);
        panel("weights", "Weights and conversion", "权重与转化率")
            .about(
                "Whether leads that meet a criterion are converted more often than those that do not. A criterion that makes no difference deserves little weight.",
                "对比满足与不满足各条件的线索的转化率。差异不大的条件不宜赋予高权重。",
            )
            .words("criterion", ("Criterion", "条件"), CRITERIA.iter().map(|(en, zh)| localized(*en, *zh)))
            .float64("weight", ("Weight", "权重"), "", weights.into_iter().map(Some))
            .int64("met", ("Decided, met", "已有结果（满足）"), "", rows().map(|[met, _]| leads(met)))
            .float64("met_rate", ("Conversion rate, met", "转化率（满足）"), "%", rows().map(|[met, _]| met.rate()))
            .int64("not_met", ("Decided, not met", "已有结果（不满足）"), "", rows().map(|[_, other]| leads(other)))
            .float64(
                "not_met_rate",
                ("Conversion rate, not met", "转化率（不满足）"),
                "%",
                rows().map(|[_, other]| other.rate()),
            )
            .float64(
                "difference",
                ("Difference", "差异"),
                ("percentage points", "个百分点"),
                rows().map(gain),
            )
            .bar("criterion", ["met_rate", "not_met_rate"])
    }

    /// As numbers in a fixed order.
    pub(crate) fn to_numbers(&self) -> Vec<u64> {
        let decided =
            std::iter::once(&self.all).chain(&self.by_grade).chain(self.by_criterion.iter().flatten());
        decided.flat_map(|decided| [decided.leads, decided.converted]).collect()
    }

    /// Reads what [`Conversions::to_numbers`] wrote; none for another count of numbers.
    pub(crate) fn of_numbers(numbers: &[u64]) -> Option<Self> {
        let mut found = Self::default();
        let places = 1 + found.by_grade.len() + found.by_criterion.as_flattened().len();
        if numbers.len() != 2 * places {
            return None;
        }
        let slots = std::iter::once(&mut found.all)
            .chain(&mut found.by_grade)
            .chain(found.by_criterion.as_flattened_mut());
        for (slot, pair) in slots.zip(numbers.as_chunks::<2>().0) {
            let [leads, converted] = *pair;
            *slot = Decided { leads, converted };
        }
        Some(found)
    }
}
