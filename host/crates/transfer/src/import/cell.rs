//! From the text of a cell to a value of a field's type.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use trellis_model::{ChoiceOption, Currency, Error, FieldType, Language, Value};

/// How the texts of a column are written; by default as the API writes values.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CellFormat {
    /// Of an amount that has no currency of its own.
    pub(super) currency: Option<Currency>,
    /// Forms of days and moments beside ISO 8601, as `strptime` has them: `%d.%m.%Y`.
    pub(super) dates: Vec<String>,
    /// Whether the comma parts whole numbers from decimals, and the point groups digits.
    pub(super) decimal_comma: bool,
    /// Whether numbers are hundredths, with or without a `%` behind them.
    pub(super) percent: bool,
}

/// Days beside ISO 8601 that mean the same everywhere: the year comes first.
const YEAR_FIRST: [&str; 3] = ["%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"];

/// Reads a trimmed cell that is not empty. A moment without a zone is one of `zone`.
pub(super) fn parse(
    field_type: &FieldType,
    format: &CellFormat,
    zone: &TimeZone,
    text: &str,
) -> Result<Value, Error> {
    match field_type {
        FieldType::Money => money(format, text),
        FieldType::Number | FieldType::Integer => {
            let plain = number(format, text);
            let plain = plain.as_deref().unwrap_or(text);
            field_type.parse_text(plain).map_err(|error| quoting(error, text))
        }
        FieldType::Date => match field_type.parse_text(text) {
            Err(error) => day(format, text).map(Value::Date).ok_or(error),
            read => read,
        },
        FieldType::Time => match field_type.parse_text(text) {
            Err(error) => {
                let time = moment(format, text).and_then(|time| time.to_zoned(zone.clone()).ok());
                time.map(|time| Value::Time(time.timestamp())).ok_or(error)
            }
            read => read,
        },
        FieldType::Choice { options } => field_type.parse_text(option(options, text)),
        FieldType::MultiChoice { options } => {
            let chosen: Vec<&str> =
                text.split([',', ';', '；', '，']).map(|text| option(options, text.trim())).collect();
            field_type.parse_text(&chosen.join(","))
        }
        _ => field_type.parse_text(text),
    }
}

fn money(format: &CellFormat, text: &str) -> Result<Value, Error> {
    let (amount, currency) = match (text.rsplit_once(' '), format.currency) {
        (Some((amount, currency)), _) => (amount.trim(), currency.to_owned()),
        (None, Some(currency)) => (text, currency.to_string()),
        (None, None) => return FieldType::Money.parse_text(text),
    };
    let plain = number(format, amount);
    let amount = plain.as_deref().unwrap_or(amount);
    // The error quotes the cell, not what was made of it.
    FieldType::Money.parse_text(&format!("{amount} {currency}")).map_err(|error| quoting(error, text))
}

fn quoting(error: Error, text: &str) -> Error {
    match error {
        Error::WrongType { expected, .. } => Error::WrongType { input: shorten(text), expected },
        other => other,
    }
}

/// A number as the API writes it, where the cell writes it otherwise: digits in groups of three, a comma before decimals, hundredths.
fn number(format: &CellFormat, text: &str) -> Option<String> {
    let (group, point) = if format.decimal_comma { ('.', ',') } else { (',', '.') };
    let (digits, percent) = match text.strip_suffix(['%', '％']) {
        Some(digits) if format.percent => (digits.trim_end(), true),
        _ => (text, format.percent),
    };
    let mut plain = ungrouped(digits, group, point)?;
    if percent {
        let hundredths: rust_decimal::Decimal = plain.parse().ok()?;
        plain = (hundredths / rust_decimal::Decimal::ONE_HUNDRED).normalize().to_string();
    }
    Some(plain)
}

/// Takes the signs between groups out; `None` where they do not stand where groups end.
fn ungrouped(text: &str, group: char, point: char) -> Option<String> {
    let (whole, decimals) = match text.split_once(point) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let mut groups = whole.split(group);
    let first = groups.next()?;
    let mut plain = first.to_owned();
    for three in groups {
        if three.len() != 3 || first.trim_start_matches('-').len() > 3 || first.is_empty() {
            return None;
        }
        plain.push_str(three);
    }
    if let Some(decimals) = decimals {
        plain.push('.');
        plain.push_str(decimals);
    }
    Some(plain)
}

fn day(format: &CellFormat, text: &str) -> Option<Date> {
    moment(format, text).map(|moment| moment.date()).filter(|day| day.year() >= 0)
}

/// A day, or a day with a time; a day alone begins at midnight.
fn moment(format: &CellFormat, text: &str) -> Option<DateTime> {
    for pattern in &format.dates {
        if let Ok(moment) = DateTime::strptime(pattern, text) {
            return Some(moment);
        }
        if let Ok(day) = Date::strptime(pattern, text) {
            return Some(day.to_datetime(jiff::civil::Time::midnight()));
        }
    }
    if let Some(Ok(moment)) =
        text.as_bytes().first().filter(|byte| byte.is_ascii_digit()).map(|_| text.parse())
    {
        return Some(moment);
    }
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let day = YEAR_FIRST.iter().find_map(|pattern| Date::strptime(pattern, day).ok())?;
    let time: jiff::civil::Time = time.trim().parse().ok()?;
    Some(day.to_datetime(time))
}

/// The API value of an option that is named by its label in either language; the text itself where none or several are.
fn option<'a>(options: &'a [ChoiceOption], text: &'a str) -> &'a str {
    if options.iter().any(|option| option.value == text) {
        return text;
    }
    let wanted = text.to_lowercase();
    let is_meant = |option: &&ChoiceOption| {
        let label = |language| option.label.get(language).to_lowercase();
        option.value == wanted
            || [Language::En, Language::ZhCn].into_iter().any(|language| label(language) == wanted)
    };
    let mut meant = options.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(option), None) => &option.value,
        _ => text,
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
    use trellis_model::Text;

    use super::*;

    fn read(field_type: &FieldType, format: &CellFormat, text: &str) -> String {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let parsed = parse(field_type, format, &zone, text);
        parsed.map_or_else(|error| error.to_string(), |value| value.canonical())
    }

    #[test]
    fn amounts_take_the_currency_of_their_column() {
        let usd = CellFormat { currency: Currency::new("USD").ok(), ..CellFormat::default() };
        let check = |text: &str, expected: &str| assert_eq!(read(&FieldType::Money, &usd, text), expected);
        check("29.30", "29.3 USD");
        check("29.3 EUR", "29.3 EUR");
        check("1,029.30", "1029.3 USD");
        check("29.333", "`29.333` is not an amount of USD with at most 2 decimals and 15 digits");
        check("much", "`much` is not an amount");
        assert_eq!(read(&FieldType::Integer, &usd, "7"), "7");
    }

    #[test]
    fn numbers_come_in_groups_with_commas_and_as_hundredths() {
        let plain = CellFormat::default();
        let comma = CellFormat { decimal_comma: true, ..CellFormat::default() };
        let percent = CellFormat { percent: true, ..CellFormat::default() };
        assert_eq!(read(&FieldType::Number, &plain, "-1,234,567.5"), "-1234567.5");
        assert_eq!(read(&FieldType::Number, &comma, "1.234,5"), "1234.5");
        assert_eq!(read(&FieldType::Number, &percent, "12.5%"), "0.125");
        assert_eq!(read(&FieldType::Number, &percent, "50"), "0.5");
        assert_eq!(read(&FieldType::Integer, &plain, "12,34"), "`12,34` is not a whole number");
        assert_eq!(read(&FieldType::Number, &plain, "1e3"), "1000.0");
    }

    #[test]
    fn days_and_moments_come_in_other_forms() {
        let plain = CellFormat::default();
        let german = CellFormat { dates: vec!["%d.%m.%Y".into()], ..CellFormat::default() };
        for text in
            ["2024-03-05", "2024/3/5", "2024.03.05", "2024年3月5日", "2024-03-05 10:20:30", "2024/3/5 10:20"]
        {
            assert_eq!(read(&FieldType::Date, &plain, text), "2024-03-05", "{text}");
        }
        assert_eq!(read(&FieldType::Date, &german, "5.3.2024"), "2024-03-05");
        assert_eq!(read(&FieldType::Date, &plain, "5.3.2024"), "`5.3.2024` is not a date (YYYY-MM-DD)");
        assert_eq!(read(&FieldType::Time, &plain, "2024-03-05 10:20"), "2024-03-05T02:20:00Z");
        assert_eq!(read(&FieldType::Time, &plain, "2024-03-05T10:20:00Z"), "2024-03-05T10:20:00Z");
        assert_eq!(read(&FieldType::Date, &plain, "1997-02-30"), "`1997-02-30` is not a date (YYYY-MM-DD)");
    }

    #[test]
    fn options_are_known_by_their_labels() {
        let option = |value: &str, en: &str, zh: &str| ChoiceOption {
            value: value.into(),
            label: Text::new(en, zh),
            retired: false,
        };
        let options = vec![option("won", "Closed won", "赢单"), option("lost", "Closed lost", "输单")];
        let one = FieldType::Choice { options: options.clone() };
        let plain = CellFormat::default();
        for text in ["won", "Won", "closed won", "赢单"] {
            assert_eq!(read(&one, &plain, text), "won");
        }
        assert_eq!(read(&FieldType::MultiChoice { options }, &plain, "赢单；lost"), "lost\u{1f}won");
        assert_eq!(read(&one, &plain, "open"), "`open` is not one of the options won, lost");
    }
}
