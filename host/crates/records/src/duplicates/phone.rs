//! Telephone numbers: E.164 for comparing, the last digits for finding.

use phonenumber::Mode;
use phonenumber::country::Id;

/// Digits at the end of a number that two ways of writing it have in common, whatever stands before them.
const DIGITS_AT_END: usize = 8;
/// Fewer digits are no telephone number that can be compared across records.
const DIGITS_MIN: usize = 5;
/// Longer texts are no telephone number, and not worth taking apart.
const BYTES_MAX: usize = 100;

/// A country, for what a telephone number without prefix means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country(Id);

impl Country {
    /// The country of an ISO 3166 code of two letters, in either case.
    pub fn new(code: &str) -> Option<Self> {
        code.trim().to_ascii_uppercase().parse().ok().map(Self)
    }

    /// The country that a record names: a code, or a common name in English or Chinese.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let letters = super::normalise::letters(name);
        let known = NAMES.iter().find(|(names, _)| names.contains(&letters.as_str()));
        known.map(|(_, code)| *code).and_then(Self::new).or_else(|| Self::new(name))
    }
}

/// Names of countries as `normalise::letters` writes them; others are given by code.
const NAMES: [(&[&str], &str); 24] = [
    (&["china", "中国", "prc", "中华人民共和国", "chinamainland", "mainlandchina"], "CN"),
    (&["unitedstates", "unitedstatesofamerica", "usa", "美国"], "US"),
    (&["unitedkingdom", "greatbritain", "england", "uk", "英国"], "GB"),
    (&["germany", "deutschland", "德国"], "DE"),
    (&["france", "法国"], "FR"),
    (&["japan", "日本"], "JP"),
    (&["southkorea", "korea", "韩国"], "KR"),
    (&["india", "印度"], "IN"),
    (&["singapore", "新加坡"], "SG"),
    (&["malaysia", "马来西亚"], "MY"),
    (&["thailand", "泰国"], "TH"),
    (&["vietnam", "越南"], "VN"),
    (&["indonesia", "印度尼西亚", "印尼"], "ID"),
    (&["australia", "澳大利亚"], "AU"),
    (&["canada", "加拿大"], "CA"),
    (&["hongkong", "中国香港", "香港"], "HK"),
    (&["macau", "macao", "中国澳门", "澳门"], "MO"),
    (&["taiwan", "中国台湾", "台湾"], "TW"),
    (&["spain", "espana", "西班牙"], "ES"),
    (&["italy", "italia", "意大利"], "IT"),
    (&["netherlands", "荷兰"], "NL"),
    (&["switzerland", "schweiz", "瑞士"], "CH"),
    (&["russia", "俄罗斯"], "RU"),
    (&["brazil", "brasil", "巴西"], "BR"),
];

/// A number as E.164, its extension apart; `None` for what is no number of the country.
pub(crate) fn e164(text: &str, country: Country) -> Option<String> {
    let plain = main_number(text)?;
    let plain = match plain.strip_prefix("00") {
        Some(abroad) => format!("+{abroad}"),
        None => plain,
    };
    let number = phonenumber::parse(Some(country.0), &plain).ok()?;
    Some(number.format().mode(Mode::E164).to_string())
}

/// What a number is found by. Needs no country, so it stays true when the country that is assumed changes.
pub(crate) fn last_digits(text: &str) -> Option<String> {
    let plain = main_number(text)?;
    let digits = plain.trim_start_matches('+');
    (digits.len() >= DIGITS_MIN)
        .then(|| digits.get(digits.len().saturating_sub(DIGITS_AT_END)..).unwrap_or(digits).to_owned())
}

/// Digits, perhaps after a plus, up to where an extension or another number begins.
fn main_number(text: &str) -> Option<String> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match wide_digit(c) {
            c @ '0'..='9' => plain.push(c),
            '+' | '＋' if plain.is_empty() => plain.push('+'),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '（' | '）' | '－' | '–' | '·' | '　' => {}
            // `tel:`, `电话` and the like come before a number; after it begins what is not part of it.
            _ if plain.is_empty() => {}
            _ => break,
        }
    }
    // `+44 (0)20 …`: the zero is written for callers at home.
    if text.contains("(0)") && plain.starts_with('+') {
        plain = main_number(&text.replace("(0)", " "))?;
    }
    (plain.len() >= DIGITS_MIN).then_some(plain)
}

fn wide_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        let china = Country::new("cn").unwrap();
        for text in [
            "13800138000",
            "+86 138 0013 8000",
            "0086-138-0013-8000",
            "138-0013-8000",
            "１３８００１３８０００",
            "tel: 138 0013 8000 转 12",
        ] {
            assert_eq!(e164(text, china).as_deref(), Some("+8613800138000"), "{text}");
            assert_eq!(last_digits(text).as_deref(), Some("00138000"), "{text}");
        }
        assert_eq!(e164("010-8888 9999", china), e164("+86 10 88889999", china));
        let britain = Country::of_name("United Kingdom").unwrap();
        assert_eq!(e164("020 7946 0958", britain).as_deref(), Some("+442079460958"));
        assert_eq!(e164("+44 (0)20 7946 0958", china).as_deref(), Some("+442079460958"));
        assert_ne!(e164("020 7946 0958", britain), e164("020 7946 0958", china));
        for text in ["", "n/a", "12", "call me"] {
            assert_eq!((e164(text, china), last_digits(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn a_country_has_a_code_and_names() {
        assert_eq!(Country::of_name("中国"), Country::new("CN"));
        assert_eq!(Country::of_name(" de "), Country::new("DE"));
        assert_eq!(Country::of_name("Atlantis"), None);
        assert_eq!(Country::new(""), None);
    }
}
