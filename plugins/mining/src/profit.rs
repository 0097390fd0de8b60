//! How many customers to contact: cost and benefit.

use trellis_sdk::{Metric, ModelReader, ModelWriter, Panel, Result, localized, metric, panel};

/// So many steps the curve has.
const STEPS: usize = 100;

/// What contacting the customers with the highest probabilities brings, for more and more of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Profit {
    /// What it costs to contact a customer, in whole units.
    pub cost: f64,
    /// What it brings where the customer has the outcome.
    pub benefit: f64,
    /// In which currency.
    pub currency: String,
    /// At each hundredth of the customers: the lowest probability contacted, how many are contacted, how many of them had the outcome.
    pub steps: Vec<(f64, u64, u64)>,
}

/// What the picture of the curve calls things, each in English and Chinese.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurveWords {
    /// The title.
    pub title: (&'static str, &'static str),
    /// What it shows.
    pub about: (&'static str, &'static str),
    /// Those among the contacted who bring something.
    pub hits: (&'static str, &'static str),
    /// The lowest probability that is contacted.
    pub lowest: (&'static str, &'static str),
}

impl Profit {
    /// By customers whose outcome is known; costs and benefits in whole units of `currency`.
    pub fn of(scores: &[f64], outcomes: &[bool], cost: f64, benefit: f64, currency: &str) -> Self {
        let mut order: Vec<(f64, bool)> = scores.iter().copied().zip(outcomes.iter().copied()).collect();
        // The sort is stable: of equal probabilities the earlier customer is contacted first.
        order.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut steps = vec![(1.0, 0, 0)];
        let (mut seen, mut hits) = (0, 0);
        let mut lowest = 1.0;
        for step in 1..=STEPS {
            let until = step * order.len() / STEPS;
            for (score, hit) in order.get(seen..until).unwrap_or_default() {
                hits += u64::from(*hit);
                lowest = *score;
            }
            seen = until;
            steps.push((lowest, seen as u64, hits));
        }
        Self { cost, benefit, currency: currency.to_owned(), steps }
    }

    fn profit(&self, step: &(f64, u64, u64)) -> f64 {
        step.2 as f64 * self.benefit - step.1 as f64 * self.cost
    }

    /// The step that brings most; the first of equal ones.
    pub fn best(&self) -> (usize, f64) {
        let profits = self.steps.iter().map(|step| self.profit(step)).enumerate();
        profits.fold((0, 0.0), |best, step| if step.1 > best.1 { step } else { best })
    }

    /// The lowest probability at the best step.
    pub fn best_threshold(&self) -> f64 {
        self.steps.get(self.best().0).map_or(1.0, |step| step.0)
    }

    /// From which probability on a contact pays in expectation.
    pub fn break_even(&self) -> f64 {
        if self.benefit > 0.0 { (self.cost / self.benefit).min(1.0) } else { 1.0 }
    }

    /// The best cut-off in figures.
    pub fn metrics(&self) -> Vec<Metric> {
        let (percent, profit) = self.best();
        let all = self.steps.last().map_or(0.0, |step| self.profit(step));
        let number = |name, en: &str, zh: &str, value| metric(name, localized(en, zh), value);
        vec![
            number(
                "best_contacted_percent",
                "Customers to contact, in percent",
                "最佳联系比例（%）",
                percent as f64,
            ),
            number(
                "best_threshold",
                "Probability to contact from, in percent",
                "最佳联系概率起点（%）",
                100.0 * self.best_threshold(),
            ),
            number("best_profit", "Profit of contacting them", "最佳利润", profit),
            number("profit_of_all", "Profit of contacting everybody", "联系全部客户的利润", all),
            number(
                "break_even",
                "Probability from which a contact pays, in percent",
                "盈亏平衡概率（%）",
                100.0 * self.break_even(),
            ),
        ]
    }

    /// The curve.
    pub fn panel(&self, words: &CurveWords) -> Panel {
        let unit = self.currency.as_str();
        let steps = &self.steps;
        panel("profit", words.title.0, words.title.1)
            .about(words.about.0, words.about.1)
            .float64(
                "contacted",
                ("Customers contacted", "联系比例"),
                "%",
                (0..steps.len()).map(|step| Some(step as f64)),
            )
            .float64("profit", ("Profit", "利润"), unit, steps.iter().map(|step| Some(self.profit(step))))
            .int64(
                "customers",
                ("Customers", "客户数"),
                "",
                steps.iter().map(|step| i64::try_from(step.1).ok()),
            )
            .int64("hits", words.hits, "", steps.iter().map(|step| i64::try_from(step.2).ok()))
            .float64("lowest", words.lowest, "%", steps.iter().map(|step| Some(100.0 * step.0)))
            .line("contacted", ["profit"])
    }

    /// Writes the curve.
    pub fn write(&self, writer: ModelWriter) -> ModelWriter {
        let writer = writer.f64(self.cost).f64(self.benefit).text(&self.currency);
        let writer = writer.f64s(&self.steps.iter().map(|step| step.0).collect::<Vec<_>>());
        let writer = writer.u64s(&self.steps.iter().map(|step| step.1).collect::<Vec<_>>());
        writer.u64s(&self.steps.iter().map(|step| step.2).collect::<Vec<_>>())
    }

    /// Reads what [`Profit::write`] wrote.
    ///
    /// # Errors
    /// [`trellis_sdk::PluginError::UnreadableModel`] for anything else.
    pub fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let (cost, benefit, currency) = (reader.f64()?, reader.f64()?, reader.text()?);
        let (lowest, seen, hits) = (reader.f64s()?, reader.u64s()?, reader.u64s()?);
        let steps = lowest.into_iter().zip(seen).zip(hits).map(|((lowest, seen), hits)| (lowest, seen, hits));
        Ok(Self { cost, benefit, currency, steps: steps.collect() })
    }
}
