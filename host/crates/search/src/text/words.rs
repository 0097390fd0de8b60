/// Letters of a word at most; what follows is not looked at, in a record as in a query.
const WORD_CHARS_MAX: usize = 64;
/// Letters of a whole title at most.
const WHOLE_CHARS_MAX: usize = 200;
/// The first of the ends of a number that can be found by.
const NUMBER_END_DIGITS_MIN: usize = 4;
/// Digits of a telephone number: E.164 has 15, an extension some more.
const NUMBER_DIGITS_MAX: usize = 20;

/// What a run of letters is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// Letters and digits between spaces and punctuation.
    Word,
    /// Chinese, Japanese, Korean, which are written without spaces.
    Unspaced,
}

/// Takes a folded text apart into runs.
pub(super) fn runs(folded: &str) -> impl Iterator<Item = (Run, &str)> {
    let mut rest = folded;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|letter| run_of(letter).is_none());
        let run = run_of(rest.chars().next()?)?;
        let end = rest.find(|letter| run_of(letter) != Some(run)).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after;
        Some((run, text))
    })
}

fn run_of(letter: char) -> Option<Run> {
    if is_unspaced(letter) { Some(Run::Unspaced) } else { letter.is_alphanumeric().then_some(Run::Word) }
}

fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
        && letter != '\u{30fb}'
}

/// The word as far as it counts.
pub(super) fn cut(word: &str) -> &str {
    let end = word.char_indices().nth(WORD_CHARS_MAX).map(|(place, _)| place);
    word.get(..end.unwrap_or(word.len())).unwrap_or(word)
}

/// The pairs of neighbouring letters of a run.
pub(super) fn pairs(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices()
        .zip(run.char_indices().skip(1))
        .filter_map(move |((start, _), (second, letter))| run.get(start..second + letter.len_utf8()))
}

/// The letters of a run, each alone.
pub(super) fn singles(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices().filter_map(move |(start, letter)| run.get(start..start + letter.len_utf8()))
}

/// Yields the words of a folded text: runs of letters and digits; of Chinese, Japanese and Korean each letter and each two neighbours.
pub(crate) fn words(folded: &str, mut yields: impl FnMut(&str)) {
    for (run, text) in runs(folded) {
        match run {
            Run::Word => yields(cut(text)),
            Run::Unspaced => {
                singles(text).for_each(&mut yields);
                pairs(text).for_each(&mut yields);
            }
        }
    }
}

/// Yields what a telephone number is found by beside its words: its digits without separators, from each place on.
pub(crate) fn number(folded: &str, mut yields: impl FnMut(&str)) {
    let digits: String = folded.chars().filter(char::is_ascii_digit).take(NUMBER_DIGITS_MAX).collect();
    for start in 0..(digits.len() + 1).saturating_sub(NUMBER_END_DIGITS_MIN) {
        digits.get(start..).into_iter().for_each(&mut yields);
    }
}

/// One word that stands for a whole title: no word of a text is like it.
pub(crate) fn whole(folded: &str) -> String {
    let mut whole = String::new();
    for (_, text) in runs(folded) {
        whole.push('\u{1}');
        whole.push_str(text);
        if whole.len() > 4 * WHOLE_CHARS_MAX {
            break;
        }
    }
    let end = whole.char_indices().nth(WHOLE_CHARS_MAX).map(|(place, _)| place);
    whole.truncate(end.unwrap_or(whole.len()));
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut found = Vec::new();
        words(text, |word| found.push(word.to_owned()));
        assert_eq!(found.join(" "), expected, "{text}");
    }

    #[test]
    fn texts_fall_into_words_and_pairs_of_letters() {
        check("", "");
        check(" ,. ", "");
        check("acme ltd.", "acme ltd");
        check("li.wei@example.com", "li wei example com");
        check("公海", "公 海 公海");
        check("公", "公");
        check("华为5g手机", "华 为 华为 5g 手 机 手机");
        check("北京大学", "北 京 大 学 北京 京大 大学");
        check("제주도", "제 주 도 제주 주도");
        check("привет мир", "привет мир");
    }

    #[test]
    fn a_long_word_is_cut() {
        check(&"é".repeat(1_000), &"é".repeat(WORD_CHARS_MAX));
    }

    #[test]
    fn a_number_is_found_from_every_digit_on() {
        let mut found = Vec::new();
        number("+86 138-00", |end| found.push(end.to_owned()));
        assert_eq!(found, ["8613800", "613800", "13800", "3800"]);
        number("12-3", |end| panic!("{end} is too short"));
    }

    #[test]
    fn a_whole_title_is_one_word() {
        assert_eq!(whole("acme  ltd."), "\u{1}acme\u{1}ltd");
        assert_eq!(whole("华为5g"), "\u{1}华为\u{1}5g");
        assert_eq!(whole(&"a b ".repeat(10_000)).chars().count(), WHOLE_CHARS_MAX);
    }
}
