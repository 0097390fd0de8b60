//! Texts of a stranger on their way to people.
//!
//! What a guest writes ends up in logs, on terminals, in mails and on pages. Characters that do something there instead of being read are
//! replaced wherever such a text enters, and a text that says why something failed has an end.

/// Characters of a text that says why a call failed, or what is wrong with a row.
pub(crate) const REASON_CHARACTERS_MAX: usize = 2_000;

/// Whether a character does something instead of being read: it moves a cursor, ends a line, or turns the direction of what follows.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// The text on one line, with at most so many characters of it.
pub(crate) fn line(text: &str, characters_max: usize) -> String {
    let mut characters = text.chars();
    let line: String =
        characters.by_ref().take(characters_max).map(|c| if acts(c) { ' ' } else { c }).collect();
    if characters.next().is_some() { line + "…" } else { line }
}

/// Why something failed, on one line.
pub(crate) fn reason(text: &str) -> String {
    line(text, REASON_CHARACTERS_MAX)
}

/// A text of several lines: ends of lines and tabs stay.
pub(crate) fn lines(text: String) -> String {
    let acts = |c: char| acts(c) && c != '\n' && c != '\t';
    if text.contains(acts) { text.replace(acts, " ") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_replaced() {
        assert_eq!(line("a\u{1b}[2Jb\r\nc\u{202e}d\u{9b}e\u{2028}f 客户", 99), "a [2Jb  c d e f 客户");
        assert_eq!(lines("a\n\tb\u{1b}[2J\r\u{2066}c".to_owned()), "a\n\tb [2J  c");
        assert_eq!(lines("客户\n".to_owned()), "客户\n");
    }

    #[test]
    fn a_reason_has_an_end() {
        assert_eq!(line("客户客", 2), "客户…");
        assert_eq!(line("客户", 2), "客户");
        assert_eq!(reason(&"x".repeat(1 << 20)).chars().count(), REASON_CHARACTERS_MAX + 1);
    }
}
