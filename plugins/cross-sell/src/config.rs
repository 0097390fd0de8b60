//! What an admin can set.

use serde::Deserialize;
use trellis_sdk::{PluginError, Result};

/// The most products that can be named as offers: what a segmentation has room for.
const OFFERS_MAX: usize = 1_000;

/// What an admin can set. The manifest states the ranges.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What a basket is. Default: an order.
    pub basket: BasketKind,
    /// What an item is. Default: a product.
    pub item: ItemKind,
    /// Only order lines of so many days up to the day as of which it runs make baskets; 0 takes all. Default 0.
    pub lookback_days: i32,
    /// The share of baskets that an itemset is at least in. Default 0.005.
    pub min_support: f64,
    /// Default 0.2.
    pub min_confidence: f64,
    /// Default 1.
    pub min_lift: f64,
    /// The most items of a rule, both sides together. Default 5.
    pub max_length: usize,
    /// How many rules the model keeps, the strongest by lift × margin. Default 5,000.
    pub rules_max: usize,
    /// What is earned of the price of a product without a cost, in percent. Default 30.
    pub margin_percent: f64,
    /// The products that may be offered; empty: all.
    pub offers: Vec<String>,
    /// Ways to sell, of which each customer gets the one that pays best.
    pub modes: Vec<Mode>,
    /// The product whose propensity is learned.
    pub product: Option<String>,
}

/// What a basket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BasketKind {
    /// What one order holds.
    Order,
    /// What one customer ever bought.
    Customer,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// A product, by its name.
    Product,
    /// A category of products.
    Category,
}

/// A way to sell (R126).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// A name of the form `[a-z0-9][a-z0-9_]*`.
    pub name: String,
    /// What people call it.
    pub label_en: String,
    /// The same in Chinese.
    pub label_zh: String,
    /// What one attempt costs, in major units of the base currency.
    pub cost: f64,
    /// Which share of those who would buy by the rule's confidence buys when asked in this way.
    pub response: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            basket: BasketKind::Order,
            item: ItemKind::Product,
            lookback_days: 0,
            min_support: 0.005,
            min_confidence: 0.2,
            min_lift: 1.0,
            max_length: 5,
            rules_max: 5_000,
            margin_percent: 30.0,
            offers: Vec::new(),
            modes: Vec::new(),
            product: None,
        }
    }
}

/// The name of the value for customers for whom no way to sell pays.
pub(crate) const NO_MODE: &str = "none";
/// The name of the value for customers with an offer, where the config names no products.
pub(crate) const ANY_OFFER: &str = "any";

impl Config {
    /// Checks what the schema cannot say.
    pub(crate) fn checked(&self) -> Result<&Self> {
        let invalid = |en: &str, zh: &str| Err(PluginError::InvalidConfig((en, zh).into()));
        if self.offers.len() > OFFERS_MAX {
            let found = self.offers.len();
            return invalid(
                &format!("`offers` has {found} products; at most {OFFERS_MAX}"),
                &format!("`offers` 有 {found} 种商品；最多 {OFFERS_MAX} 种"),
            );
        }
        for (place, offer) in self.offers.iter().enumerate() {
            if self.offers.iter().take(place).any(|other| other == offer) {
                return invalid(
                    &format!("`offers` names `{offer}` twice"),
                    &format!("`offers` 中 `{offer}` 重复"),
                );
            }
        }
        for (place, mode) in self.modes.iter().enumerate() {
            let fits = mode.name.bytes().enumerate().all(|(at, byte)| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || (at > 0 && byte == b'_')
            });
            if !fits || mode.name.is_empty() || mode.name.len() > 40 || mode.name == NO_MODE {
                let name = &mode.name;
                return invalid(
                    &format!(
                        "`modes` has the name `{name}`; a name is of lower-case letters, digits and `_`, at most 40, and not `{NO_MODE}`"
                    ),
                    &format!(
                        "`modes` 中的名称 `{name}` 无效；名称由小写字母、数字和 `_` 组成，最多 40 个字符，且不能为 `{NO_MODE}`"
                    ),
                );
            }
            if self.modes.iter().take(place).any(|other| other.name == mode.name) {
                return invalid(
                    &format!("`modes` names `{}` twice", mode.name),
                    &format!("`modes` 中 `{}` 重复", mode.name),
                );
            }
        }
        let in_unit = |value: f64| (0.0..=1.0).contains(&value);
        if !(self.min_support > 0.0 && in_unit(self.min_support) && in_unit(self.min_confidence)) {
            return invalid(
                "`min_support` lies above 0 and up to 1, `min_confidence` from 0 to 1",
                "`min_support` 须大于 0 且不超过 1，`min_confidence` 须在 0 到 1 之间",
            );
        }
        Ok(self)
    }

    /// The first day whose order lines count.
    pub(crate) fn first_day(&self, as_of: i32) -> Option<i32> {
        (self.lookback_days > 0).then(|| as_of.saturating_sub(self.lookback_days - 1))
    }

    /// The names of the values of the segmentation `offer`, in the order of `offers`: the product's name in lower-case ASCII, or `offer_1` …
    /// where nothing is left of it or another product has the same.
    pub(crate) fn offer_values(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.offers.len());
        for (place, offer) in self.offers.iter().enumerate() {
            let slug = slug(offer);
            let is_usable = !slug.is_empty() && !slug.starts_with("offer_") && !names.contains(&slug);
            names.push(if is_usable { slug } else { format!("offer_{}", place + 1) });
        }
        if names.is_empty() {
            names.push(ANY_OFFER.to_owned());
        }
        names
    }
}

/// `Whole milk 3.5%` is `whole_milk_3_5`. A name that is not of ASCII letters gives nothing.
fn slug(name: &str) -> String {
    if !name.is_ascii() {
        return String::new();
    }
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
    if joined.len() > 40 { String::new() } else { joined }
}

/// In how many of `baskets` an itemset has to be: `min_support` of them, rounded up, at least one. A product that rounding puts a hair above a
/// whole number counts as that number.
pub(crate) fn min_count(min_support: f64, baskets: usize) -> u32 {
    let exact = min_support * baskets as f64;
    (exact - exact * 1e-12).ceil().max(1.0) as u32
}
