use super::fold;
use super::words::{Run, cut, pairs, runs, whole};

/// Letters from which on a query of one word may go on in what it finds: very much begins with any one letter.
const PREFIX_CHARS_MIN: usize = 2;
/// Digits from which on a query that has nothing else may be a telephone number.
const NUMBER_DIGITS_MIN: usize = 5;
/// Digits that are left where a country code was taken away.
const NATIONAL_DIGITS_MIN: usize = 7;
/// Digits of a country code.
const COUNTRY_DIGITS_MAX: usize = 3;

/// What somebody looks for: all terms of one of the ways to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// The ways to read it; none is empty.
    pub(crate) any_of: Vec<Vec<Term>>,
    /// The title that is the query and nothing more.
    pub(crate) whole: String,
}

/// A word that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) text: String,
    /// Whether a word that begins so will do.
    pub(crate) prefix: bool,
}

impl Query {
    /// Reads what somebody typed. It may ask for nothing at all: then it finds nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let folded = fold(text);
        let mut terms: Vec<Term> = Vec::new();
        let mut add = |text: &str, prefix| match terms.iter_mut().find(|term| term.text == text) {
            Some(known) => known.prefix &= prefix,
            None => terms.push(Term { text: text.to_owned(), prefix }),
        };
        let (mut all, mut further) = (runs(&folded).peekable(), false);
        while let Some((run, text)) = all.next() {
            match run {
                Run::Word => {
                    let long = further || text.chars().nth(PREFIX_CHARS_MIN - 1).is_some();
                    add(cut(text), long && all.peek().is_none());
                }
                Run::Unspaced if text.chars().nth(1).is_none() => add(text, false),
                Run::Unspaced => pairs(text).for_each(|pair| add(pair, false)),
            }
            further = true;
        }
        let mut any_of = numbers(&folded);
        if !terms.is_empty() && !any_of.contains(&terms) {
            any_of.insert(0, terms);
        }
        Self { any_of, whole: whole(&folded) }
    }

    /// Whether it asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.any_of.is_empty()
    }

    /// Whether it finds a record with these words.
    pub(crate) fn matches(&self, words: &std::collections::BTreeSet<&str>) -> bool {
        self.any_of.iter().any(|terms| terms.iter().all(|term| term.is_among(words)))
    }
}

impl Term {
    fn is_among(&self, words: &std::collections::BTreeSet<&str>) -> bool {
        let mut from = words.range(&*self.text..);
        from.next().is_some_and(|word| *word == self.text || (self.prefix && word.starts_with(&self.text)))
    }
}

/// The telephone numbers that digits and separators may mean, the country code with them and without.
fn numbers(folded: &str) -> Vec<Vec<Term>> {
    let is_separator = |letter: char| matches!(letter, ' ' | '-' | '.' | '(' | ')' | '+' | '/');
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    let other = folded.chars().any(|letter| !letter.is_ascii_digit() && !is_separator(letter));
    if other || digits.len() < NUMBER_DIGITS_MIN {
        return Vec::new();
    }
    let country_max = if folded.trim_start().starts_with('+') { COUNTRY_DIGITS_MAX } else { 0 };
    let national = (1..=country_max).filter_map(|country| digits.get(country..));
    let national = national.filter(|national| national.len() >= NATIONAL_DIGITS_MIN);
    let all = std::iter::once(&*digits).chain(national);
    all.map(|digits| vec![Term { text: cut(digits).to_owned(), prefix: true }]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_be_there_and_the_last_may_go_on() {
        let check = |text: &str, expected: &str| {
            let term = |term: &Term| format!("{}{}", term.text, if term.prefix { "*" } else { "" });
            let way = |terms: &Vec<Term>| terms.iter().map(term).collect::<Vec<_>>().join(" ");
            let read = Query::parse(text).any_of.iter().map(way).collect::<Vec<_>>().join(" | ");
            assert_eq!(read, expected, "{text}");
        };
        check("", "");
        check("!?", "");
        check("Acme", "acme*");
        check("a", "a");
        check("acme l", "acme l*");
        check("Acme Ltd.", "acme ltd*");
        check("ltd ltd", "ltd");
        check("公", "公");
        check("北京大学", "北京 京大 大学");
        check("华为 5G", "华为 5g*");
        check("li.wei@example.com", "li wei example com*");
        check("12345", "12345*");
        check("1234", "1234*");
        check("138-0013-8000", "138 0013 8000* | 13800138000*");
        check(
            "+86 138 0013 8000",
            "86 138 0013 8000* | 8613800138000* | 613800138000* | 13800138000* | 3800138000*",
        );
        check("room 138-0013", "room 138 0013*");
    }
}
