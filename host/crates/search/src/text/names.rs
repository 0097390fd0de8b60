use pinyin::ToPinyin;

use super::words::runs;

/// Chinese letters of a name whose pinyin is looked at.
const NAME_CHARS_MAX: usize = 32;

/// Yields what a name is found by in pinyin: each syllable, and from each letter on the syllables and their initials. So 公海 is found by `gh`,
/// `h`, `gonghai`, `hai`. A letter with several readings has its most common one.
pub(crate) fn pinyin(folded: &str, mut yields: impl FnMut(&str)) {
    for (_, text) in runs(folded) {
        let mut syllables = Vec::new();
        for read in text.to_pinyin().take(NAME_CHARS_MAX).chain([None]) {
            match read {
                Some(read) => syllables.push(read.plain()),
                None => {
                    of_syllables(&syllables, &mut yields);
                    syllables.clear();
                }
            }
        }
    }
}

fn of_syllables(syllables: &[&str], yields: &mut impl FnMut(&str)) {
    // `ü` is typed as `v`.
    let spelled: Vec<String> = syllables.iter().map(|syllable| syllable.replace('ü', "v")).collect();
    let (mut full, mut initials) = (spelled.concat(), String::new());
    initials.extend(spelled.iter().filter_map(|syllable| syllable.chars().next()));
    for syllable in &spelled {
        yields(&full);
        yields(&initials);
        if full != *syllable {
            yields(syllable);
        }
        full.drain(..syllable.len());
        initials.drain(..1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_syllables_and_initials() {
        let check = |text: &str, expected: &str| {
            let mut found = Vec::new();
            pinyin(text, |word| found.push(word.to_owned()));
            assert_eq!(found.join(" "), expected, "{text}");
        };
        check("公海", "gonghai gh gong hai h");
        check("李伟", "liwei lw li wei w");
        check("acme", "");
        check("吕 a", "lv l");
    }

    #[test]
    fn a_long_name_is_cut() {
        let mut count = 0;
        pinyin(&"公".repeat(10_000), |_| count += 1);
        assert_eq!(count, 3 * NAME_CHARS_MAX - 1);
    }
}
