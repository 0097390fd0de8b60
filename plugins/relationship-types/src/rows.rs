//! What is known of each customer in a batch.

use trellis_sdk::values::{Dictionary, Texts, Values};
use trellis_sdk::{Batch, PluginError, Result, decimal_places};

/// A customer with an order in the period, with a margin of its own, or with both ratings, which are enough for its one-to-one type. Amounts are
/// minor units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Customer<'a> {
    pub(crate) margin: Option<f64>,
    pub(crate) group: Option<&'a str>,
    /// Contacts by the customer in the period.
    pub(crate) contacts: i64,
    /// Different products that it ever bought.
    pub(crate) products: usize,
    /// Ratings, 1 to 10.
    pub(crate) participation: Option<f64>,
    pub(crate) complexity: Option<f64>,
    /// The relationship that is kept now.
    pub(crate) present: Option<&'a str>,
}

/// The customers of a batch, in its order.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// The ISO 4217 code of all amounts.
    pub(crate) currency: &'a str,
    pub(crate) customers: Vec<Option<Customer<'a>>>,
}

/// A column of texts, however the host sends it.
#[derive(Debug, Clone, Copy)]
enum Words<'a> {
    Dictionary(Dictionary<'a>),
    Texts(Texts<'a>),
}

impl<'a> Words<'a> {
    fn read(batch: &'a Batch, name: &str) -> Result<Self> {
        if batch.type_of(name) == Some("text") {
            return Ok(Self::Texts(batch.text(name)?));
        }
        Ok(Self::Dictionary(batch.dictionary(name)?))
    }

    fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Dictionary(dictionary) => dictionary.get(row),
            Self::Texts(texts) => texts.get(row),
        }
    }
}

impl<'a> Rows<'a> {
    /// `margin_percent` makes margins of sales where there is no column of them.
    pub(crate) fn read(batch: &'a Batch, margin_percent: f64) -> Result<Self> {
        let money = batch.money("spent")?;
        let (currency, spent) = (money.currency(), money.minor_units());
        let (orders, contacts) = (batch.int64("orders")?, batch.int64("contacts")?);
        let products = batch.lists("products")?;
        let margins = margins(batch, currency)?;
        let group = if batch.has_column("group") { Some(Words::read(batch, "group")?) } else { None };
        let present = Words::read(batch, "present_type")?;
        let (participation, complexity) = (batch.float64("participation")?, batch.float64("complexity")?);
        let rating = |values: &Values<'_, f64>, row: usize| {
            values.get(row).filter(|rating| (1.0..=10.0).contains(rating))
        };
        let customer = |row: usize| {
            let of_sales = || {
                orders.get(row).filter(|orders| *orders > 0)?;
                Some(spent.get(row).unwrap_or(0) as f64 * margin_percent / 100.0)
            };
            let margin = match &margins {
                Some(margins) => margins.get(row).copied().flatten(),
                None => of_sales(),
            };
            let (participation, complexity) = (rating(&participation, row), rating(&complexity, row));
            let is_known = margin.is_some() || participation.is_some() && complexity.is_some();
            is_known.then(|| Customer {
                margin,
                group: group.as_ref().and_then(|group| group.get(row)),
                contacts: contacts.get(row).unwrap_or(0).max(0),
                products: products.codes(row).map_or(0, <[u32]>::len),
                participation,
                complexity,
                present: present.get(row),
            })
        };
        Ok(Self { currency, customers: (0..batch.rows()).map(customer).collect() })
    }
}

/// The margins in minor units; none without such a column. Plain numbers are whole units of the currency.
fn margins(batch: &Batch, currency: &str) -> Result<Option<Vec<Option<f64>>>> {
    let scale = 10_u64.pow(decimal_places(currency)) as f64;
    match batch.type_of("margin") {
        None => Ok(None),
        Some("money") => {
            let money = batch.money("margin")?;
            if money.currency() != currency {
                let message = (
                    format!("`margin` is in {}, `spent` in {currency}", money.currency()),
                    format!("`margin` 的币种为 {}，而 `spent` 的币种为 {currency}", money.currency()),
                );
                return Err(PluginError::UnsuitableData(message.into()));
            }
            Ok(Some(money.minor_units().iter().map(|margin| Some(margin? as f64)).collect()))
        }
        Some("float64") => {
            let margin =
                |margin: Option<f64>| margin.map(|margin| margin * scale).filter(|margin| margin.is_finite());
            Ok(Some(batch.float64("margin")?.iter().map(margin).collect()))
        }
        Some("int64") => {
            Ok(Some(batch.int64("margin")?.iter().map(|margin| Some(margin? as f64 * scale)).collect()))
        }
        Some(other) => {
            let message = (
                format!("`margin` is of type {other}; it must be an amount or a number"),
                format!("`margin` 的类型为 {other}；须为金额或数字"),
            );
            Err(PluginError::UnsuitableData(message.into()))
        }
    }
}
