//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A customer is lost when the last order is at least so many days ago. Default 180.
    pub inactive_days: i32,
    /// Who bought less often was never a regular customer. Default 2.
    pub min_orders: i64,
    /// So many days after the campaign's start those who did not respond are followed up. Default 14.
    pub follow_up_days: i32,
    /// So many days after the campaign's start who was contacted and did not come back is lost. Default 60.
    pub deadline_days: i32,
    /// A task to settle a severe complaint is due in so many days. Default 1.
    pub contain_days: u16,
    /// How customers are divided.
    pub weights: Weights,
    /// What variant `a` is sent.
    pub offer: Offer,
}

/// How customers are divided: parts of a whole.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Variant `a`, an offer. Default 45.
    pub a: u32,
    /// Variant `b`, a call. Default 45.
    pub b: u32,
    /// Nobody contacts them. Default 10.
    pub hold_out: u32,
}

/// A message in two languages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Offer {
    /// English.
    pub subject_en: String,
    /// Simplified Chinese.
    pub subject_zh: String,
    /// English.
    pub body_en: String,
    /// Simplified Chinese.
    pub body_zh: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            inactive_days: 180,
            min_orders: 2,
            follow_up_days: 14,
            deadline_days: 60,
            contain_days: 1,
            weights: Weights::default(),
            offer: Offer::default(),
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self { a: 45, b: 45, hold_out: 10 }
    }
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            subject_en: "We would like to see you again".to_owned(),
            subject_zh: "期待您再次光临".to_owned(),
            body_en: "It has been a while since your last order. Reply to this message and we will make you an offer \
                      that fits what you bought before."
                .to_owned(),
            body_zh: "您已有一段时间没有下单。回复本消息，我们将根据您以往的购买为您准备专属优惠。".to_owned(),
        }
    }
}

impl Weights {
    /// The groups in the order in which they are dealt.
    pub(crate) fn groups(&self) -> Result<[(Option<&'static str>, u32); 3]> {
        if self.a == 0 && self.b == 0 {
            let problem = (
                "`weights` leave nobody to contact: one of `a` and `b` must be above 0",
                "`weights` 使所有客户都不会被联系：`a` 和 `b` 至少有一项须大于 0",
            );
            return Err(PluginError::InvalidConfig(problem.into()));
        }
        Ok([(Some("a"), self.a), (Some("b"), self.b), (None, self.hold_out)])
    }
}
