//! Which figures of customers are compared, and what they are called.

use trellis_sdk::{LocalizedText, localized};

use crate::config::Figure;

/// One compared figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared<'a> {
    Purchases(Figure),
    Field(&'a str),
}

/// How many decimal places a figure is shown with: enough for three digits.
pub(crate) fn shown(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 || size == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 0.1 {
        format!("{value:.2}")
    } else {
        format!("{value:.2e}")
    }
}

impl<'a> Compared<'a> {
    /// Reads the name under which it is in a model.
    pub(crate) fn of_name(name: &'a str) -> Self {
        let all = [Figure::Recency, Figure::Frequency, Figure::Monetary, Figure::AverageOrder];
        match name.strip_prefix("features.") {
            Some(field) => Self::Field(field),
            None => all
                .into_iter()
                .find(|figure| figure.name() == name)
                .map_or(Self::Field(name), Self::Purchases),
        }
    }

    /// What people call it; a field by its name.
    pub(crate) fn label(self, currency: &str) -> LocalizedText {
        match self {
            Self::Purchases(Figure::Recency) => localized("days since the last order", "距上次下单天数"),
            Self::Purchases(Figure::Frequency) => localized("number of orders", "订单数"),
            Self::Purchases(Figure::Monetary) => {
                localized(format!("sum of the orders in {currency}"), format!("累计消费（{currency}）"))
            }
            Self::Purchases(Figure::AverageOrder) => {
                localized(format!("average order in {currency}"), format!("平均每单金额（{currency}）"))
            }
            Self::Field(name) => localized(name, name),
        }
    }

    /// The code of its reasons: kebab-case, at most 60 characters.
    pub(crate) fn code(self) -> String {
        let name = match self {
            Self::Purchases(figure) => figure.name(),
            Self::Field(name) => name,
        };
        let parts: Vec<&str> =
            name.split(|mark: char| !mark.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
        parts
            .join("-")
            .to_ascii_lowercase()
            .chars()
            .take(60)
            .collect::<String>()
            .trim_end_matches('-')
            .to_owned()
    }
}

/// Says how far a standardised value lies from the mean; none where it lies close.
pub(crate) fn word(deviations: f64) -> Option<LocalizedText> {
    let words = [
        (1.5, "very high", "很高"),
        (0.75, "high", "较高"),
        (0.25, "rather high", "略高"),
        (-0.25, "", ""),
        (-0.75, "rather low", "略低"),
        (-1.5, "low", "较低"),
        (f64::NEG_INFINITY, "very low", "很低"),
    ];
    let (_, en, zh) = words.into_iter().find(|(from, _, _)| deviations >= *from)?;
    (!en.is_empty()).then(|| localized(en, zh))
}
