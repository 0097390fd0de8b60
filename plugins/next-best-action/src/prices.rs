//! What `fit` learns: what the budget and full channels are worth, so that each customer can be decided about alone.
//!
//! By the theory of Lagrange multipliers, whoever takes for each customer the choice with the highest gain less price × cost less the price of its channel
//! keeps to the plan but for the customers just at its border.

use trellis_sdk::{
    LocalizedText, Metric, ModelReader, ModelWriter, PluginError, Result, RowStream, localized, metric,
};

use crate::allocation::{Candidate, Candidates, Limits, Plan, plan};
use crate::config::Config;
use crate::customers::{Choice, Customers};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;
/// Surpluses that differ by less than this share of the gain are equal.
const TOLERANCE: f64 = 1e-9;

/// A plan's prices, with the configuration that they hold for.
#[derive(Debug)]
pub(crate) struct Prices {
    pub(crate) config: Config,
    pub(crate) currency: String,
    pub(crate) budget: f64,
    pub(crate) channels: Vec<f64>,
    /// Where prices leave it open, customers with lower ordinals than these get the dearer choice: of the budget, and of each channel.
    border: u64,
    channel_borders: Vec<u64>,
    pub(crate) totals: Totals,
}

/// What the plan comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) customers: u64,
    pub(crate) gain: f64,
    pub(crate) cost: f64,
    pub(crate) upper_bound: f64,
    /// For each action how many customers it has.
    pub(crate) by_action: Vec<u64>,
}

/// All customers with their ordinals and choices: 16 bytes a customer and 32 a choice.
///
/// # Errors
/// A field that says no probability: see [`Customers::check_probabilities`].
pub(crate) fn candidates(rows: &mut RowStream<'_>, config: &Config) -> Result<(Vec<u64>, Candidates)> {
    let (mut ordinals, mut all) = (Vec::new(), Candidates::default());
    for batch in rows {
        let customers = Customers::read(&batch, config)?;
        customers.check_probabilities(batch.rows())?;
        for row in 0..batch.rows() {
            all.push(customers.gainful(row).map(|choice| candidate(&choice, config)));
        }
        ordinals.extend_from_slice(batch.ordinals());
    }
    Ok((ordinals, all))
}

pub(crate) fn candidate(choice: &Choice, config: &Config) -> Candidate {
    let channel = config.actions.get(choice.action).map_or(0, |action| action.channel.place());
    Candidate { action: choice.action, channel, gain: choice.expected(), cost: choice.cost }
}

/// What the settings allow.
pub(crate) fn limits(config: &Config) -> Limits {
    Limits { budget: config.budget, capacity: config.capacity.all().to_vec() }
}

impl Prices {
    /// Plans for all customers and keeps the prices.
    pub(crate) fn fit(rows: &mut RowStream<'_>, config: &Config, currency: &str) -> Result<Self> {
        let (ordinals, candidates) = candidates(rows, config)?;
        let plan = plan(&candidates, &limits(config));
        let ordinal =
            |place: Option<usize>| place.and_then(|place| ordinals.get(place)).copied().unwrap_or(u64::MAX);
        Ok(Self {
            config: config.clone(),
            currency: currency.to_owned(),
            budget: plan.shadow_price,
            border: ordinal(plan.border),
            channel_borders: plan.channel_borders.iter().map(|place| ordinal(*place)).collect(),
            totals: Totals::of(&plan, &candidates, config),
            channels: plan.channel_prices,
        })
    }

    /// The prices that a campaign has: those of its settings.
    pub(crate) fn of_settings(config: &Config, currency: &str) -> Self {
        Self {
            config: config.clone(),
            currency: currency.to_owned(),
            budget: config.shadow_price,
            border: u64::MAX,
            channel_borders: Vec::new(),
            channels: Vec::new(),
            totals: Totals::default(),
        }
    }

    /// What a choice gains beyond what it takes from others.
    pub(crate) fn surplus(&self, choice: &Choice) -> f64 {
        let channel = candidate(choice, &self.config).channel;
        choice.expected() - self.budget * choice.cost - self.channels.get(channel).copied().unwrap_or(0.0)
    }

    /// The choice of a row, if any is worth its price. Where several are worth the same beyond it (nothing at all is worth 0), customers before the
    /// border get the dearest, the others the cheapest: so the plan dealt out what there was.
    pub(crate) fn best(&self, customers: &Customers<'_>, row: usize, ordinal: u64) -> Option<Choice> {
        let most = customers.gainful(row).map(|choice| self.surplus(&choice)).fold(0.0, f64::max);
        let is_equal = |choice: &Choice| {
            self.surplus(choice) >= most - TOLERANCE * choice.expected().max(choice.gain.abs())
        };
        let equal = || customers.gainful(row).filter(is_equal);
        let dearest = equal()
            .max_by(|one, other| one.cost.total_cmp(&other.cost).then(other.action.cmp(&one.action)))?;
        let channel = candidate(&dearest, &self.config).channel;
        let border = self.channel_borders.get(channel).copied().unwrap_or(u64::MAX).min(self.border);
        if ordinal < border {
            return Some(dearest);
        }
        let nothing_is_equal = most <= TOLERANCE * dearest.expected();
        let cheapest =
            equal().min_by(|one, other| one.cost.total_cmp(&other.cost).then(one.action.cmp(&other.action)));
        cheapest.filter(|_| !nothing_is_equal)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let config = serde_json::to_string(&self.config).expect("settings are plain data");
        let Totals { customers, gain, cost, upper_bound, by_action } = &self.totals;
        ModelWriter::new(FORMAT)
            .text(&config)
            .text(&self.currency)
            .f64(self.budget)
            .f64s(&self.channels)
            .u64(self.border)
            .u64s(&self.channel_borders)
            .u64(*customers)
            .f64s(&[*gain, *cost, *upper_bound])
            .u64s(by_action)
            .finish()
    }

    /// Reads what [`Prices::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let unreadable = |message: String| PluginError::UnreadableModel(message.into());
        let config = serde_json::from_str(&reader.text()?).map_err(|error| unreadable(error.to_string()))?;
        let (currency, budget, channels) = (reader.text()?, reader.f64()?, reader.f64s()?);
        let (border, channel_borders, customers) = (reader.u64()?, reader.u64s()?, reader.u64()?);
        let [gain, cost, upper_bound] = <[f64; 3]>::try_from(reader.f64s()?)
            .map_err(|_| unreadable("the totals are not three".to_owned()))?;
        let totals = Totals { customers, gain, cost, upper_bound, by_action: reader.u64s()? };
        reader.finish()?;
        Ok(Self { config, currency, budget, channels, border, channel_borders, totals })
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let Totals { customers, gain, cost, .. } = &self.totals;
        let (currency, price) = (&self.currency, self.budget);
        localized(
            format!(
                "{customers} customers get an action; expected gain {gain:.2} {currency} at a cost of {cost:.2}. One more unit of budget would bring {price:.4}."
            ),
            format!(
                "{customers} 位客户有建议行动；期望收益 {gain:.2} {currency}，成本 {cost:.2}。预算每增加 1 个单位可多得 {price:.4}。"
            ),
        )
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        self.totals.metrics(self.budget)
    }
}

impl Totals {
    pub(crate) fn of(plan: &Plan, candidates: &Candidates, config: &Config) -> Self {
        let mut by_action = vec![0; config.actions.len()];
        for (chosen, of) in plan.chosen.iter().zip(candidates.iter()) {
            let taken = chosen.and_then(|place| of.get(place));
            if let Some(count) = taken.and_then(|taken| by_action.get_mut(taken.action)) {
                *count += 1;
            }
        }
        Self {
            customers: by_action.iter().sum(),
            gain: plan.gain,
            cost: plan.cost,
            upper_bound: plan.upper_bound,
            by_action,
        }
    }

    pub(crate) fn metrics(&self, price: f64) -> Vec<Metric> {
        vec![
            metric(
                "customers",
                localized("Customers with an action", "有建议行动的客户数"),
                self.customers as f64,
            ),
            metric("gain", localized("Expected gain, major units", "期望收益（主币单位）"), self.gain),
            metric("cost", localized("Cost, major units", "成本（主币单位）"), self.cost),
            metric("upper_bound", localized("No plan gains more than", "收益上界"), self.upper_bound),
            metric("shadow_price", localized("Gain of one more unit of budget", "预算的影子价格"), price),
        ]
    }
}
