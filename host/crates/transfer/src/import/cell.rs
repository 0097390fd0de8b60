use trellis_model::{Currency, Error, FieldType, Value};

/// Reads a trimmed cell that is not empty. An amount without a currency of its own is one of `currency`.
pub(super) fn parse(field_type: &FieldType, currency: Option<Currency>, text: &str) -> Result<Value, Error> {
    match currency {
        Some(currency) if *field_type == FieldType::Money && !text.contains(' ') => {
            // The error quotes the cell, not what was made of it.
            let parsed = field_type.parse_text(&format!("{text} {currency}"));
            parsed.map_err(|error| match error {
                Error::WrongType { expected, .. } => Error::WrongType { input: shorten(text), expected },
                other => other,
            })
        }
        _ => field_type.parse_text(text),
    }
}

/// Cuts a cell for a message.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_take_the_currency_of_their_column() {
        let usd = Currency::new("USD").ok();
        let check = |text: &str, expected: &str| {
            let parsed = parse(&FieldType::Money, usd, text);
            assert_eq!(parsed.map_or_else(|error| error.to_string(), |value| value.canonical()), expected);
        };
        check("29.30", "29.3 USD");
        check("29.3 EUR", "29.3 EUR");
        check("29.333", "`29.333` is not an amount of USD with at most 2 decimals and 15 digits");
        check("much", "`much` is not an amount");
        assert_eq!(parse(&FieldType::Integer, usd, "7").unwrap(), Value::Integer(7));
    }
}
