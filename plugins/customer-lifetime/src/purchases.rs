//! A model of purchases, whichever it is.

use trellis_sdk::{LocalizedText, localized};

use crate::bg_nbd::BgNbd;
use crate::config::Choice;
use crate::history::{Histories, History};
use crate::pareto_nbd::ParetoNbd;

/// Fewer customers who bought again say nothing about how such customers differ: four parameters are estimated.
const REPEATERS_MIN: u64 = 5;

/// A model and how it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate<M> {
    /// The model.
    pub model: M,
    /// The standard errors of its parameters, where the data determine them.
    pub standard_errors: [Option<f64>; 4],
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Whether the likelihood is flat there: otherwise a parameter runs to the end of its range.
    pub is_flat: bool,
}

/// A fitted model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Purchases {
    BgNbd(BgNbd),
    ParetoNbd(ParetoNbd),
}

impl<M> Estimate<M> {
    fn wrapped(self, wrap: fn(M) -> Purchases) -> Estimate<Purchases> {
        let Self { model, standard_errors, log_likelihood, is_flat } = self;
        Estimate { model: wrap(model), standard_errors, log_likelihood, is_flat }
    }
}

impl Purchases {
    /// Fits what is asked for; none where too few customers bought again.
    pub(crate) fn fit(histories: &Histories, choice: Choice) -> Option<Estimate<Self>> {
        if histories.repeaters < REPEATERS_MIN {
            return None;
        }
        let bg = || BgNbd::fit(histories).map(|found| found.wrapped(Self::BgNbd));
        let pareto = || ParetoNbd::fit(histories).map(|found| found.wrapped(Self::ParetoNbd));
        match choice {
            Choice::BgNbd => bg(),
            Choice::ParetoNbd => pareto(),
            Choice::Better => match (bg(), pareto()) {
                (Some(bg), Some(pareto)) if pareto.log_likelihood > bg.log_likelihood => Some(pareto),
                (bg, pareto) => bg.or(pareto),
            },
        }
    }

    pub(crate) fn of_parameters(code: u64, [one, two, three, four]: [f64; 4]) -> Option<Self> {
        match code {
            0 => Some(Self::BgNbd(BgNbd { r: one, alpha: two, a: three, b: four })),
            1 => Some(Self::ParetoNbd(ParetoNbd { r: one, alpha: two, s: three, beta: four })),
            _ => None,
        }
    }

    pub(crate) fn code(&self) -> u64 {
        match self {
            Self::BgNbd(_) => 0,
            Self::ParetoNbd(_) => 1,
        }
    }

    pub(crate) fn parameters(&self) -> [f64; 4] {
        match *self {
            Self::BgNbd(BgNbd { r, alpha, a, b }) => [r, alpha, a, b],
            Self::ParetoNbd(ParetoNbd { r, alpha, s, beta }) => [r, alpha, s, beta],
        }
    }

    pub(crate) fn parameter_names(&self) -> [&'static str; 4] {
        match self {
            Self::BgNbd(_) => ["r", "alpha", "a", "b"],
            Self::ParetoNbd(_) => ["r", "alpha", "s", "beta"],
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::BgNbd(_) => "BG/NBD",
            Self::ParetoNbd(_) => "Pareto/NBD",
        }
    }

    /// What the parameters say, one text for each.
    pub(crate) fn parameter_meanings(&self) -> [LocalizedText; 4] {
        let shape = localized(
            "Shape of the purchase rates: the smaller, the more customers differ",
            "购买速率分布的形状参数：越小，客户差异越大",
        );
        let rate = localized(
            "Scale of the distribution of purchase rates, weeks: r / alpha is the mean number of purchases a week",
            "购买速率分布的尺度参数（周）：r / alpha 为平均每周购买次数",
        );
        let stopping = match self {
            Self::BgNbd(_) => [
                localized(
                    "First shape of the probability to stop after a purchase: a / (a + b) is its mean",
                    "购买后流失概率的形状参数 a：a / (a + b) 为平均流失概率",
                ),
                localized("Second shape of the probability to stop", "流失概率的形状参数 b"),
            ],
            Self::ParetoNbd(_) => [
                localized("Shape of the rates of stopping", "流失速率分布的形状参数"),
                localized(
                    "Scale of the distribution of stopping rates, weeks: s / beta is the mean rate a week",
                    "流失速率分布的尺度参数（周）：s / beta 为平均每周流失速率",
                ),
            ],
        };
        let [third, fourth] = stopping;
        [shape, rate, third, fourth]
    }

    pub(crate) fn alive(&self, history: &History) -> f64 {
        match self {
            Self::BgNbd(model) => model.alive(history),
            Self::ParetoNbd(model) => model.alive(history),
        }
    }

    pub(crate) fn expected(&self, history: &History, weeks: f64) -> f64 {
        match self {
            Self::BgNbd(model) => model.expected(history, weeks),
            Self::ParetoNbd(model) => model.expected(history, weeks),
        }
    }

    pub(crate) fn counts(&self, weeks: f64, most: usize) -> Vec<f64> {
        match self {
            Self::BgNbd(model) => model.counts(weeks, most),
            Self::ParetoNbd(model) => model.counts(weeks, most),
        }
    }
}
