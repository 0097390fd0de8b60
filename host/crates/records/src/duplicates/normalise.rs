//! Texts in the form in which they are compared: without case, width, accents, punctuation and spaces.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// Sound marks of kana: without them another letter would stand there, so they stay.
const SOUND_MARKS: [char; 2] = ['\u{3099}', '\u{309a}'];

/// The letters and digits of a text, in lower case, in their plain form.
pub(crate) fn letters(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    }
    let mut letters = String::with_capacity(text.len());
    for c in plain(text) {
        push_letter(&mut letters, c);
    }
    letters
}

/// The words of a text as [`letters`] makes them: whatever is no letter or digit stands between two words.
pub(crate) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in plain(text) {
        if is_part_of_a_word(c) {
            push_letter(&mut word, c);
        } else if !is_mark(c) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The words with one space between them: what similarity is measured on, where the place of a letter counts.
pub(crate) fn spaced(text: &str) -> String {
    words(text).join(" ")
}

/// Compatibility forms taken apart, so that an accent is a character of its own.
fn plain(text: &str) -> impl Iterator<Item = char> {
    DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars())
}

fn is_part_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || SOUND_MARKS.contains(&c)
}

/// Whether it only changes the letter before it, or joins two.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200b}'..='\u{200d}' | '\'' | '’')
}

fn push_letter(out: &mut String, c: char) {
    match c {
        // Letters that Unicode does not take apart.
        'ß' | 'ẞ' => out.push_str("ss"),
        'æ' | 'Æ' => out.push_str("ae"),
        'œ' | 'Œ' => out.push_str("oe"),
        'ø' | 'Ø' => out.push('o'),
        'ł' | 'Ł' => out.push('l'),
        'đ' | 'Đ' | 'ð' | 'Ð' => out.push('d'),
        'þ' | 'Þ' => out.push_str("th"),
        'ı' => out.push('i'),
        c if is_part_of_a_word(c) => out.extend(c.to_lowercase().filter(|c| !is_mark(*c))),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_width_accents_punctuation_and_spaces_do_not_count() {
        let same = |a: &str, b: &str| assert_eq!(letters(a), letters(b), "{a} {b}");
        same("Müller-Lüdenscheidt", "MULLER LUDENSCHEIDT");
        same("ＡＢＣ　１２３", "abc123");
        same("北京 科技·有限", "北京科技有限");
        same("Straße", "strasse");
        same("O’Neill", "oneill");
        same("ｶﾞ", "ガ");
        same("e\u{301}", "é");
        assert_ne!(letters("か"), letters("が"));
        assert_eq!(letters("--- ."), "");
        assert_eq!(words("Zhāng,  Wei"), ["zhang", "wei"]);
        assert_eq!(spaced("12/4  Herschell-Circuit"), "12 4 herschell circuit");
        assert_eq!(words("O'Neill"), ["oneill"]);
    }
}
