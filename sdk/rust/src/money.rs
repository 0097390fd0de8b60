//! Writing amounts for people.

/// Currencies whose minor unit is not a hundredth, by ISO 4217.
const EXPONENTS: [(u32, &[&str]); 2] = [
    (
        0,
        &[
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
            "XOF", "XPF",
        ],
    ),
    (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
];

/// How many decimal places an amount of `currency` (ISO 4217) has.
pub fn decimal_places(currency: &str) -> u32 {
    let exception = EXPONENTS.iter().find(|(_, currencies)| currencies.contains(&currency));
    exception.map_or(2, |(places, _)| *places)
}

/// Writes an amount of minor units with its currency, for example `-74.02 USD`.
pub fn format_money(currency: &str, minor_units: i64) -> String {
    let places = decimal_places(currency);
    let unit = 10_u64.pow(places);
    let sign = if minor_units < 0 { "-" } else { "" };
    let (whole, rest) = (minor_units.unsigned_abs() / unit, minor_units.unsigned_abs() % unit);
    if places == 0 {
        format!("{sign}{whole} {currency}")
    } else {
        format!("{sign}{whole}.{rest:0width$} {currency}", width = places as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::format_money;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (currency, minor_units, expected) in [
            ("USD", 7402, "74.02 USD"),
            ("CNY", -5, "-0.05 CNY"),
            ("JPY", 1200, "1200 JPY"),
            ("KWD", 1, "0.001 KWD"),
            ("USD", i64::MIN, "-92233720368547758.08 USD"),
        ] {
            assert_eq!(format_money(currency, minor_units), expected);
        }
    }
}
