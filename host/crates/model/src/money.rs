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

    /// The amount that sums and features use, in minor units of the base currency; `None` where it is not known in that currency
    /// yet, has more decimals than it, or does not fit.
    pub fn minor_units_in(&self, base: Currency) -> Option<i64> {
        if self.base_amount.is_none() && self.currency != base {
            return None;
        }
        crate::minor_units(&Self { amount: self.comparable(), currency: base, base_amount: None })
    }

    /// The amount that sums, sorts and features use: in base currency where it is fixed, as given before that.
    pub fn comparable(&self) -> Decimal {
        self.base_amount.unwrap_or(self.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_in_minor_units_of_the_base_currency() {
        let currency = |code| Currency::new(code).unwrap();
        let check = |amount: &str, code, in_base: Option<&str>, base, expected: Option<i64>| {
            let decimal = |text: &str| text.parse::<Decimal>().unwrap();
            let money = Money {
                base_amount: in_base.map(decimal),
                ..Money::new(decimal(amount), currency(code)).unwrap()
            };
            assert_eq!(money.minor_units_in(currency(base)), expected, "{amount} {code} in {base}");
        };
        check("29.30", "USD", None, "USD", Some(2930));
        check("-0.01", "USD", Some("-0.01"), "USD", Some(-1));
        check("1500", "JPY", Some("9.87"), "USD", Some(987));
        check("9.87", "USD", Some("1500"), "JPY", Some(1500));
        check("9.87", "USD", Some("1500.5"), "JPY", None);
        check("9.87", "USD", None, "JPY", None);
        check("999999999999999.99", "USD", None, "USD", Some(99_999_999_999_999_999));
    }
}
