//! What can be done for each customer of a batch, and what it would gain.

use trellis_sdk::values::{Booleans, Money, Values};
use trellis_sdk::{Batch, PluginError, Result, decimal_places, localized};

use crate::config::{ActionSetting, CHANNELS, Channel, Config};

/// A batch with the columns that decide.
#[derive(Debug)]
pub(crate) struct Customers<'a> {
    config: &'a Config,
    fields: Vec<Field<'a>>,
    open_complaints: Values<'a, i64>,
    recent_messages: Values<'a, i64>,
    messages: Values<'a, i64>,
    /// In the order of [`CHANNELS`], without tasks.
    by_channel: Vec<Values<'a, i64>>,
}

#[derive(Debug)]
enum Field<'a> {
    Numbers(Values<'a, f64>),
    Integers(Values<'a, i64>),
    Money(Money<'a>),
    Booleans(Booleans<'a>),
}

/// An action that may be taken for a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Choice {
    /// Its place among the settings' actions.
    pub(crate) action: usize,
    pub(crate) probability: f64,
    /// What a success earns, in major units.
    pub(crate) gain: f64,
    pub(crate) cost: f64,
}

impl Choice {
    /// What it gains in the mean.
    pub(crate) fn expected(&self) -> f64 {
        self.probability * self.gain - self.cost
    }
}

/// Why nothing is done for a customer, whatever would be gained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quiet {
    OpenComplaint,
    RecentMessage,
}

/// Why one action is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A field that has to be yes is not, or one that must not be is.
    NotEligible,
    /// The customer has had enough messages of the channel, or in all.
    Capped,
    /// A field that it needs has no value.
    Unknown,
    /// The field of its probability says what is none.
    NoProbability,
    /// It would cost at least what it brings.
    NoGain,
}

impl<'a> Customers<'a> {
    pub(crate) fn read(batch: &'a Batch, config: &'a Config) -> Result<Self> {
        let fields = config.fields.iter().map(|field| Field::read(batch, field)).collect::<Result<_>>()?;
        let messages = CHANNELS.iter().filter(|(channel, ..)| *channel != Channel::Task);
        Ok(Self {
            config,
            fields,
            open_complaints: batch.int64("open_complaints")?,
            recent_messages: batch.int64("recent_messages")?,
            messages: batch.int64("messages")?,
            by_channel: messages
                .map(|(_, name, ..)| batch.int64(&format!("messages_{name}")))
                .collect::<Result<_>>()?,
        })
    }

    /// Why nothing at all is done for the customer of `row`.
    pub(crate) fn quiet(&self, row: usize) -> Option<Quiet> {
        if self.config.skip_open_complaints && self.open_complaints.get(row).unwrap_or(0) > 0 {
            return Some(Quiet::OpenComplaint);
        }
        (self.recent_messages.get(row).unwrap_or(0) > 0).then_some(Quiet::RecentMessage)
    }

    /// Each action in the order of the settings: what it would gain, or why it is not taken.
    pub(crate) fn options(&self, row: usize) -> impl Iterator<Item = Result<Choice, Refused>> {
        self.config.actions.iter().enumerate().map(move |(place, action)| self.option(row, place, action))
    }

    /// The actions that gain something, none where the customer is left alone.
    pub(crate) fn gainful(&self, row: usize) -> impl Iterator<Item = Choice> {
        let is_open = self.quiet(row).is_none();
        self.options(row).filter_map(Result::ok).filter(move |_| is_open)
    }

    fn option(&self, row: usize, place: usize, action: &ActionSetting) -> Result<Choice, Refused> {
        let says_yes =
            |field: &Option<String>| field.as_deref().map(|field| self.number(field, row) == Some(1.0));
        if says_yes(&action.require_field) == Some(false) || says_yes(&action.exclude_field) == Some(true) {
            return Err(Refused::NotEligible);
        }
        if self.is_capped(row, action.channel) {
            return Err(Refused::Capped);
        }
        let probability = self.probability(row, action).or(action.probability).ok_or(Refused::Unknown)?;
        if !(0.0..=1.0).contains(&probability) {
            return Err(Refused::NoProbability);
        }
        let own = action.gain_field.as_deref().and_then(|field| self.number(field, row));
        let gain = own.or(action.gain).ok_or(Refused::Unknown)?;
        let option = Choice { action: place, probability, gain, cost: action.cost };
        if option.expected() > 0.0 { Ok(option) } else { Err(Refused::NoGain) }
    }

    /// What the action's field says, as a share of 1.
    fn probability(&self, row: usize, action: &ActionSetting) -> Option<f64> {
        Some(self.number(action.probability_field.as_deref()?, row)? / action.probability_unit.whole())
    }

    /// Refuses a field that says no probability: percent that are taken as shares would make everything certain.
    pub(crate) fn check_probabilities(&self, rows: usize) -> Result<()> {
        for action in &self.config.actions {
            let found = (0..rows).filter_map(|row| self.probability(row, action));
            let Some(wrong) = found.into_iter().find(|share| !(0.0..=1.0).contains(share)) else { continue };
            let whole = action.probability_unit.whole();
            let (name, value) = (&action.name, wrong * whole);
            let field = action.probability_field.as_deref().unwrap_or_default();
            return Err(PluginError::UnsuitableData(localized(
                format!(
                    "`{field}` is {value} for a customer, but the probability of action `{name}` lies between 0 and {whole}: set its `probability_unit` to what the field holds"
                ),
                format!(
                    "有客户的 `{field}` 为 {value}，而行动 `{name}` 的成功概率应在 0 到 {whole} 之间：请将 `probability_unit` 设为该字段所用的单位"
                ),
            )));
        }
        Ok(())
    }

    fn is_capped(&self, row: usize, channel: Channel) -> bool {
        if channel == Channel::Task {
            return false;
        }
        let sent = self.by_channel.get(channel.place()).and_then(|counts| counts.get(row)).unwrap_or(0);
        let most = self.config.channel_max.all().get(channel.place()).copied().unwrap_or(0);
        sent >= most || self.messages.get(row).unwrap_or(0) >= self.config.messages_max
    }

    /// The value of a listed field; yes is 1.
    fn number(&self, name: &str, row: usize) -> Option<f64> {
        let place = self.config.fields.iter().position(|field| field == name)?;
        match self.fields.get(place)? {
            Field::Numbers(values) => values.get(row),
            Field::Integers(values) => values.get(row).map(|value| value as f64),
            Field::Booleans(values) => values.get(row).map(|value| f64::from(u8::from(value))),
            Field::Money(money) => {
                let unit = 10_f64.powi(decimal_places(money.currency()) as i32);
                money.minor_units().get(row).map(|amount| amount as f64 / unit)
            }
        }
    }
}

impl<'a> Field<'a> {
    fn read(batch: &'a Batch, field: &str) -> Result<Self> {
        let name = format!("fields.{field}");
        match batch.type_of(&name) {
            Some("float64") => Ok(Self::Numbers(batch.float64(&name)?)),
            Some("int64") => Ok(Self::Integers(batch.int64(&name)?)),
            Some("money") => Ok(Self::Money(batch.money(&name)?)),
            Some("boolean") => Ok(Self::Booleans(batch.boolean(&name)?)),
            found => {
                let found = found.unwrap_or("none");
                Err(PluginError::InvalidConfig(localized(
                    format!(
                        "`fields` names `{field}`, which is of type {found}; it must be a number, an amount, or yes or no"
                    ),
                    format!("`fields` 中的 `{field}` 类型为 {found}，应为数值、金额或是/否"),
                )))
            }
        }
    }
}
