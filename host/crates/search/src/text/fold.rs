use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The text without case, accents and width: `Ｓociété` becomes `societe`.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        return if lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_ascii_lowercase()) };
    }
    let apart = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut folded = String::with_capacity(apart.len());
    for letter in apart.chars().filter(|letter| !is_accent(*letter)).flat_map(char::to_lowercase) {
        match plain(letter) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(letter),
        }
    }
    // Korean syllables and Japanese voicing marks were taken apart too.
    match ComposingNormalizerBorrowed::new_nfc().normalize(&folded) {
        Cow::Borrowed(_) => Cow::Owned(folded),
        Cow::Owned(composed) => Cow::Owned(composed),
    }
}

/// Marks over and under Latin, Greek and Cyrillic letters; those of other scripts make other letters.
fn is_accent(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// Letters that people without such a keyboard write otherwise, and that Unicode does not take apart.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' => "d",
        'ł' => "l",
        'ı' => "i",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_width_do_not_count() {
        let check = |text: &str, expected: &str| assert_eq!(fold(text), expected, "{text}");
        check("acme", "acme");
        check("ACME Ltd.", "acme ltd.");
        check("Société Générale", "societe generale");
        check("ＡＣＭＥ　１２３", "acme 123");
        check("Straße Øresund Łódź", "strasse oresund lodz");
        check("公海", "公海");
        check("한국", "한국");
        check("ガイド", "ガイド");
        check("ｶﾞｲﾄﾞ", "ガイド");
    }
}
