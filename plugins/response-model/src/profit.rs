//! How many customers to contact: cost and benefit.

use trellis_sdk::{ModelReader, ModelWriter, Panel, Result, panel};

/// So many steps the curve has.
const STEPS: usize = 100;

/// What contacting the customers with the highest probabilities brings, for more and more of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Profit {
    pub(crate) cost: f64,
    pub(crate) benefit: f64,
    pub(crate) currency: String,
    /// At each hundredth of the customers: the lowest probability contacted, how many are contacted, how many of them responded.
    pub(crate) steps: Vec<(f64, u64, u64)>,
}

impl Profit {
    /// By customers whose response is known.
    pub(crate) fn of(scores: &[f64], responded: &[bool], cost: f64, benefit: f64, currency: &str) -> Self {
        let mut order: Vec<(f64, bool)> = scores.iter().copied().zip(responded.iter().copied()).collect();
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
    pub(crate) fn best(&self) -> (usize, f64) {
        let profits = self.steps.iter().map(|step| self.profit(step)).enumerate();
        profits.fold((0, 0.0), |best, step| if step.1 > best.1 { step } else { best })
    }

    /// The lowest probability at the best step.
    pub(crate) fn best_threshold(&self) -> f64 {
        self.steps.get(self.best().0).map_or(1.0, |step| step.0)
    }

    /// From which probability on a contact pays in expectation.
    pub(crate) fn break_even(&self) -> f64 {
        if self.benefit > 0.0 { (self.cost / self.benefit).min(1.0) } else { 1.0 }
    }

    pub(crate) fn panel(&self) -> Panel {
        let unit = self.currency.as_str();
        let steps = &self.steps;
        panel("profit", "Profit by how many are contacted", "利润曲线")
            .about(
                "Customers held out, from the highest probability: what responses bring less what contacts cost. The peak is the best cut-off.",
                "留出客户按概率从高到低联系：响应收益减去联系成本。最高点即最佳截断点。",
            )
            .float64("contacted", ("Customers contacted", "联系比例"), "%", (0..steps.len()).map(|step| Some(step as f64)))
            .float64("profit", ("Profit", "利润"), unit, steps.iter().map(|step| Some(self.profit(step))))
            .int64("customers", ("Customers", "客户数"), "", steps.iter().map(|step| i64::try_from(step.1).ok()))
            .int64("responses", ("Responses", "响应数"), "", steps.iter().map(|step| i64::try_from(step.2).ok()))
            .float64("lowest", ("Lowest probability", "最低概率"), "%", steps.iter().map(|step| Some(100.0 * step.0)))
            .line("contacted", ["profit"])
    }

    pub(crate) fn write(&self, writer: ModelWriter) -> ModelWriter {
        let writer = writer.f64(self.cost).f64(self.benefit).text(&self.currency);
        let writer = writer.f64s(&self.steps.iter().map(|step| step.0).collect::<Vec<_>>());
        let writer = writer.u64s(&self.steps.iter().map(|step| step.1).collect::<Vec<_>>());
        writer.u64s(&self.steps.iter().map(|step| step.2).collect::<Vec<_>>())
    }

    pub(crate) fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let (cost, benefit, currency) = (reader.f64()?, reader.f64()?, reader.text()?);
        let (lowest, seen, hits) = (reader.f64s()?, reader.u64s()?, reader.u64s()?);
        let steps = lowest.into_iter().zip(seen).zip(hits).map(|((lowest, seen), hits)| (lowest, seen, hits));
        Ok(Self { cost, benefit, currency, steps: steps.collect() })
    }
}
