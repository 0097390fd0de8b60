//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// What an admin can set. The manifest states the ranges.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The variants, at least one. Default: `a` and `b` of one size, without messages.
    pub variants: Vec<Variant>,
    /// The weight of the group that nobody contacts. Default 10.
    pub hold_out: u32,
    /// Who ordered less often does not take part. Default 0.
    pub min_orders: i64,
    /// Whether customers with an open complaint are left out. Default yes.
    pub skip_open_complaints: bool,
    /// A yes-or-no field that has to be yes: consent.
    pub require: Option<String>,
    /// A yes-or-no field that must not be yes.
    pub exclude: Option<String>,
    /// When a variant has won.
    pub winner: Winner,
    /// For the question `experiment`: the field with the group of each customer.
    pub group: Option<String>,
    /// For the question `experiment`: the fields with what is compared.
    pub outcomes: Vec<String>,
    /// For the question `experiment`: the fields by which customers are divided further.
    pub subgroups: Vec<String>,
}

/// One variant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// A name of the form `[a-z0-9][a-z0-9_]*`.
    pub name: String,
    /// How many parts of the customers get it.
    pub weight: u32,
    /// The message; without a subject none is sent.
    #[serde(default)]
    pub subject_en: String,
    /// In Chinese.
    #[serde(default)]
    pub subject_zh: String,
    /// The text.
    #[serde(default)]
    pub body_en: String,
    /// In Chinese.
    #[serde(default)]
    pub body_zh: String,
}

/// When a variant has won.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Winner {
    /// By which statistics.
    pub method: Method,
    /// How often chance may pass for a difference. Default 0.05.
    pub alpha: f64,
    /// How likely the best variant has to be the best, for Bayes. Default 0.95.
    pub probability: f64,
    /// Before each group has so many members nothing is decided. Default 100.
    pub min_members: u64,
    /// Before so many days since the campaign's start nothing is decided. Default 7.
    pub min_days: i64,
}

/// The statistics that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The z-test against the control, with Holm's correction.
    Frequentist,
    /// The probability of being best.
    Bayesian,
}

impl Default for Winner {
    fn default() -> Self {
        Self { method: Method::Frequentist, alpha: 0.05, probability: 0.95, min_members: 100, min_days: 7 }
    }
}

impl Default for Config {
    fn default() -> Self {
        let plain = |name: &str| Variant {
            name: name.to_owned(),
            weight: 45,
            subject_en: String::new(),
            subject_zh: String::new(),
            body_en: String::new(),
            body_zh: String::new(),
        };
        Self {
            variants: vec![plain("a"), plain("b")],
            hold_out: 10,
            min_orders: 0,
            skip_open_complaints: true,
            require: None,
            exclude: None,
            winner: Winner::default(),
            group: None,
            outcomes: Vec::new(),
            subgroups: Vec::new(),
        }
    }
}

impl Config {
    /// The groups in the order in which customers are dealt, the hold-out group last.
    ///
    /// # Errors
    /// Where names are unfit or double, or nobody gets a variant.
    pub(crate) fn weights(&self) -> Result<Vec<(Option<&str>, u32)>> {
        let invalid = |en: &str, zh: &str| Err(PluginError::InvalidConfig((en, zh).into()));
        for (place, variant) in self.variants.iter().enumerate() {
            let name = &variant.name;
            let fits = name.bytes().enumerate().all(|(at, byte)| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || (at > 0 && byte == b'_')
            });
            if name.is_empty() || name.len() > 40 || !fits {
                return invalid(
                    &format!(
                        "`variants` has the name `{name}`; a name is of lower-case letters, digits and `_`, at most 40"
                    ),
                    &format!(
                        "`variants` 中的名称 `{name}` 无效；名称由小写字母、数字和 `_` 组成，最多 40 个字符"
                    ),
                );
            }
            if self.variants.iter().take(place).any(|other| other.name == *name) {
                return invalid(
                    &format!("`variants` names `{name}` twice"),
                    &format!("`variants` 中 `{name}` 重复"),
                );
            }
        }
        if self.variants.len() > 20 || self.variants.iter().all(|variant| variant.weight == 0) {
            return invalid(
                "`variants` need one to 20 entries, one of them with a weight above 0",
                "`variants` 须有 1 到 20 项，且至少一项的权重大于 0",
            );
        }
        let variants = self.variants.iter().map(|variant| (Some(variant.name.as_str()), variant.weight));
        Ok(variants.chain([(None, self.hold_out)]).collect())
    }
}
