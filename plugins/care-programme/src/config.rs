//! What an admin can set.

use serde::Deserialize;

/// What an admin can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is done on which occasion; the first entry that is due counts.
    pub plan: Vec<Entry>,
    /// Days between two care contacts at least.
    pub gap_days: i32,
    /// Care contacts within a year at most.
    pub cares_in_year: i64,
    /// The field of the customer whose values entries may name; read by the host.
    pub segment_field: Option<String>,
}

/// An entry of the care plan.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When.
    pub occasion: Occasion,
    /// Days before or after, as the occasion says.
    pub days: i32,
    /// How many days it stays due.
    #[serde(default = "window_days")]
    pub window_days: i32,
    /// An option of the field `channel` of messages; `phone` makes a task.
    pub channel: String,
    /// Whether the customer is asked for an opinion.
    #[serde(default)]
    pub asks_opinion: bool,
    /// Only for these values of the segment field; empty is for all.
    #[serde(default)]
    pub segments: Vec<String>,
    /// What the message or call is about; the usual words of the occasion where it is missing, as below.
    #[serde(default)]
    pub subject_en: Option<String>,
    /// In Chinese.
    #[serde(default)]
    pub subject_zh: Option<String>,
    /// What the message says, or the caller is to say.
    #[serde(default)]
    pub body_en: Option<String>,
    /// In Chinese.
    #[serde(default)]
    pub body_zh: Option<String>,
}

impl Entry {
    /// An entry for all customers with the usual words of its occasion.
    pub fn new(occasion: Occasion, days: i32, window_days: i32, channel: &str) -> Self {
        Self {
            occasion,
            days,
            window_days,
            channel: channel.to_owned(),
            asks_opinion: false,
            segments: Vec::new(),
            subject_en: None,
            subject_zh: None,
            body_en: None,
            body_zh: None,
        }
    }
}

/// What gives occasion to care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Days before the birthday.
    Birthday,
    /// Days before the last running contract ends.
    Renewal,
    /// Days after the last delivery.
    Delivery,
    /// Days after the last order, until it is delivered.
    OrderPlaced,
    /// Days after the last order.
    Inactivity,
    /// Days after the last order, or always without one, while a deal is open.
    OpenDeal,
}

impl Occasion {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Birthday => "birthday",
            Self::Renewal => "renewal",
            Self::Delivery => "delivery",
            Self::OrderPlaced => "order-placed",
            Self::Inactivity => "inactivity",
            Self::OpenDeal => "open-deal",
        }
    }
}

fn window_days() -> i32 {
    7
}

impl Default for Config {
    fn default() -> Self {
        use Occasion::{Birthday, Delivery, Inactivity, OpenDeal, OrderPlaced, Renewal};
        let entry = |occasion, days, window_days, channel: &str, asks_opinion| Entry {
            asks_opinion,
            ..Entry::new(occasion, days, window_days, channel)
        };
        Self {
            plan: vec![
                entry(Birthday, 3, 7, "wechat", false),
                entry(Renewal, 30, 14, "phone", true),
                entry(Delivery, 7, 7, "email", true),
                entry(OrderPlaced, 1, 3, "sms", false),
                entry(Inactivity, 90, 30, "phone", true),
                entry(OpenDeal, 0, 30, "email", false),
            ],
            gap_days: 14,
            cares_in_year: 8,
            segment_field: None,
        }
    }
}
