use rust_decimal::Decimal;

use crate::{Error, Expected, Phrase, Result};

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not a hundredth (ISO 4217, list one).
const OTHER_DECIMALS: [(&str, u32); 24] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

impl Currency {
    /// Checks that the code is three capital letters.
    ///
    /// # Errors
    /// [`Error::InvalidName`].
    pub fn new(code: &str) -> Result<Self> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(Error::InvalidName {
                kind: Phrase::new("currency", "币种"),
                name: crate::error::shorten(code),
                rule: Phrase::new("three capital letters (ISO 4217)", "三个大写字母（ISO 4217）"),
            }),
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked to be ASCII letters")
    }

    /// How many decimals its minor unit has.
    pub fn decimals(self) -> u32 {
        OTHER_DECIMALS.iter().find(|(code, _)| *code == self.as_str()).map_or(2, |&(_, decimals)| decimals)
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount as it was given.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
    /// The amount in the organisation's base currency, fixed when it was committed; `None` before.
    pub base_amount: Option<Decimal>,
}

impl Money {
    /// An amount that is not committed yet.
    ///
    /// # Errors
    /// [`Error::WrongType`] when it has more decimals than the currency's minor unit or over 15 digits before the point.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self> {
        let fits = amount.normalize().scale() <= currency.decimals()
            && amount.abs() < Decimal::from(1_000_000_000_000_000_i64);
        if fits {
            Ok(Self { amount: amount.normalize(), currency, base_amount: None })
        } else {
            Err(Error::WrongType { input: amount.to_string(), expected: Expected::AmountOf(currency) })
        }
    }

    /// The amount that sums, sorts and features use: in base currency where it is fixed, as given before that.
    pub fn comparable(&self) -> Decimal {
        self.base_amount.unwrap_or(self.amount)
    }
}
