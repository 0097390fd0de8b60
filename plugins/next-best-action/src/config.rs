//! What an admin can set.

use serde::{Deserialize, Serialize};
use trellis_sdk::{PluginError, Result, localized};

/// What an admin can set. The manifest states the ranges.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The fields of the customer that actions refer to: probabilities, amounts, consents.
    pub fields: Vec<String>,
    /// What can be done for a customer.
    pub actions: Vec<ActionSetting>,
    /// What all actions together may cost, in major units of the base currency; none: as much as pays.
    pub budget: Option<f64>,
    /// How many actions each channel can carry out; none: any number.
    pub capacity: PerChannel<Option<u64>>,
    /// How many messages each channel may send to one customer within the window. Default 2.
    pub channel_max: PerChannel<i64>,
    /// How many messages a customer gets within the window over all channels. Default 3.
    pub messages_max: i64,
    /// How many days the window has. Default 30.
    pub window_days: i64,
    /// So many days after a message there is no other one. Default 3.
    pub quiet_days: i64,
    /// Whether customers with an open complaint are left alone. Default yes.
    pub skip_open_complaints: bool,
    /// What the last unit of the budget brings, for campaigns, which see one customer at a time: an action has to gain more than this for each unit
    /// of its cost. The plan states it. Default 0.
    pub shadow_price: f64,
}

/// Something that can be done for a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionSetting {
    /// A name of the form `[a-z0-9][a-z0-9_]*`.
    pub name: String,
    /// What people call it.
    pub label_en: String,
    /// The same in Chinese.
    pub label_zh: String,
    /// How it reaches the customer.
    pub channel: Channel,
    /// How likely it succeeds, where no field says it.
    #[serde(default)]
    pub probability: Option<f64>,
    /// The field that says how likely it succeeds.
    #[serde(default)]
    pub probability_field: Option<String>,
    /// What that field's numbers are. Default shares of 1.
    #[serde(default)]
    pub probability_unit: ProbabilityUnit,
    /// What a success earns, in major units, where no field says it.
    #[serde(default)]
    pub gain: Option<f64>,
    /// The field that says what a success earns: an amount, or a number of major units.
    #[serde(default)]
    pub gain_field: Option<String>,
    /// What one attempt costs, in major units.
    #[serde(default)]
    pub cost: f64,
    /// A yes-or-no field that has to be yes.
    #[serde(default)]
    pub require_field: Option<String>,
    /// A yes-or-no field that must not be yes.
    #[serde(default)]
    pub exclude_field: Option<String>,
    /// What is said: the subject of the message or task. Without it, the name.
    #[serde(default)]
    pub subject_en: Option<String>,
    /// In Chinese.
    #[serde(default)]
    pub subject_zh: Option<String>,
    /// The text.
    #[serde(default)]
    pub body_en: Option<String>,
    /// In Chinese.
    #[serde(default)]
    pub body_zh: Option<String>,
}

/// How a field states a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbabilityUnit {
    /// From 0 to 1.
    #[default]
    Share,
    /// From 0 to 100.
    Percent,
}

impl ProbabilityUnit {
    /// What certainty is.
    pub(crate) fn whole(self) -> f64 {
        match self {
            Self::Share => 1.0,
            Self::Percent => 100.0,
        }
    }
}

/// How an action reaches the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A message.
    Email,
    /// A message.
    Sms,
    /// A message.
    Wechat,
    /// A message of the channel `phone`.
    Phone,
    /// A letter.
    Post,
    /// A task for the customer's owner, who is no channel that tires anybody: no frequency cap holds.
    Task,
}

/// The channels in the order of [`PerChannel`].
pub(crate) const CHANNELS: [(Channel, &str, &str, &str); 6] = [
    (Channel::Email, "email", "E-mail", "邮件"),
    (Channel::Sms, "sms", "SMS", "短信"),
    (Channel::Wechat, "wechat", "WeChat", "微信"),
    (Channel::Phone, "phone", "Phone", "电话"),
    (Channel::Post, "post", "Post", "信函"),
    (Channel::Task, "task", "Task", "任务"),
];

impl Channel {
    /// Its place in [`CHANNELS`].
    pub(crate) fn place(self) -> usize {
        CHANNELS.iter().position(|(channel, ..)| *channel == self).unwrap_or(0)
    }

    pub(crate) fn name(self) -> &'static str {
        CHANNELS.iter().find(|(channel, ..)| *channel == self).map_or("", |(_, name, ..)| name)
    }
}

/// Something for each channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PerChannel<T: Default> {
    /// E-mail.
    pub email: T,
    /// SMS.
    pub sms: T,
    /// WeChat.
    pub wechat: T,
    /// Phone.
    pub phone: T,
    /// Post.
    pub post: T,
    /// Tasks.
    pub task: T,
}

impl<T: Default + Copy> PerChannel<T> {
    /// In the order of [`CHANNELS`].
    pub(crate) fn all(&self) -> [T; 6] {
        [self.email, self.sms, self.wechat, self.phone, self.post, self.task]
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fields: Vec::new(),
            actions: Vec::new(),
            budget: None,
            capacity: PerChannel::default(),
            channel_max: PerChannel { email: 2, sms: 2, wechat: 2, phone: 2, post: 2, task: 2 },
            messages_max: 3,
            window_days: 30,
            quiet_days: 3,
            skip_open_complaints: true,
            shadow_price: 0.0,
        }
    }
}

/// The name of the value for customers for whom nothing is to be done.
pub(crate) const NO_ACTION: &str = "none";

impl Config {
    /// Checks what the schema cannot say.
    pub(crate) fn checked(&self) -> Result<&Self> {
        for (place, action) in self.actions.iter().enumerate() {
            let name = &action.name;
            let fits = name.bytes().enumerate().all(|(at, byte)| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || (at > 0 && byte == b'_')
            });
            if name.is_empty() || name.len() > 40 || !fits || name == NO_ACTION {
                return invalid(
                    format!(
                        "`actions` has the name `{name}`; a name is of lower-case letters, digits and `_`, at most 40, and not `{NO_ACTION}`"
                    ),
                    format!(
                        "`actions` 中的名称 `{name}` 无效：只能使用小写字母、数字和 `_`，最多 40 个字符，且不得为 `{NO_ACTION}`"
                    ),
                );
            }
            if self.actions.iter().take(place).any(|other| other.name == *name) {
                return invalid(
                    format!("`actions` names `{name}` twice"),
                    format!("`actions` 中的名称 `{name}` 重复"),
                );
            }
            if action.probability.is_none() && action.probability_field.is_none() {
                return invalid(
                    format!("action `{name}` has neither `probability` nor `probability_field`"),
                    format!("行动 `{name}` 既没有 `probability` 也没有 `probability_field`"),
                );
            }
            if action.gain.is_none() && action.gain_field.is_none() {
                return invalid(
                    format!("action `{name}` has neither `gain` nor `gain_field`"),
                    format!("行动 `{name}` 既没有 `gain` 也没有 `gain_field`"),
                );
            }
            if let Some(field) =
                action.named_fields().find(|field| !self.fields.iter().any(|known| known == field))
            {
                return invalid(
                    format!("action `{name}` refers to the field `{field}`, which `fields` does not list"),
                    format!("行动 `{name}` 引用了字段 `{field}`，但 `fields` 未列出该字段"),
                );
            }
        }
        Ok(self)
    }
}

impl ActionSetting {
    fn named_fields(&self) -> impl Iterator<Item = &str> {
        let fields = [&self.probability_field, &self.gain_field, &self.require_field, &self.exclude_field];
        fields.into_iter().flatten().map(String::as_str)
    }
}

fn invalid<T>(en: String, zh: String) -> Result<T> {
    Err(PluginError::InvalidConfig(localized(en, zh)))
}
