//! Names of people: given and family name in either order, Chinese ones also as pinyin.

use pinyin::ToPinyin;

use super::normalise;

/// Family names of two characters; all others have one.
const DOUBLE: [&str; 29] = [
    "欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐", "东方", "独孤",
    "南宫", "长孙", "宇文", "端木", "百里", "呼延", "轩辕", "公羊", "澹台", "濮阳", "淳于", "太叔", "申屠",
    "仲孙", "钟离", "司空",
];

/// Characters that are read otherwise as a family name.
const READ_OTHERWISE: [(char, &str); 9] = [
    ('单', "shan"),
    ('曾', "zeng"),
    ('解', "xie"),
    ('仇', "qiu"),
    ('查', "zha"),
    ('区', "ou"),
    ('朴', "piao"),
    ('盖', "ge"),
    ('翟', "zhai"),
];

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The words, in Latin letters where the name is Chinese: family name, then given name.
    words: Vec<String>,
    /// The Chinese characters, if it is written in them.
    characters: Option<String>,
}

impl Person {
    pub(crate) fn new(text: &str) -> Self {
        let words = normalise::words(text);
        let is_chinese = words.iter().any(|word| word.chars().any(is_han));
        if !is_chinese {
            return Self { words, characters: None };
        }
        let characters = words.concat();
        let family = DOUBLE
            .iter()
            .find_map(|double| characters.strip_prefix(double).filter(|given| !given.is_empty()))
            .map_or_else(
                || characters.chars().next().map_or(0, char::len_utf8),
                |given| characters.len() - given.len(),
            );
        let (family, given) = characters.split_at(family);
        let words =
            [latin(family, true), latin(given, false)].into_iter().filter(|word| !word.is_empty()).collect();
        Self { words, characters: Some(characters) }
    }

    /// The letters in alphabetical order: equal for names that [`Person::is`] takes for the same, whatever their order and spaces.
    pub(crate) fn letters(&self) -> String {
        let mut letters: Vec<char> = self.words.iter().flat_map(|word| word.chars()).collect();
        letters.sort_unstable();
        letters.into_iter().collect()
    }

    /// Whether two names may be the same person's. Two Chinese ones are compared by their characters.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.characters, &other.characters) {
            (Some(one), Some(other)) => one == other,
            _ => {
                !self.words.is_empty()
                    && (self.turns_into(other) || other.turns_into(self) || self.sorted() == other.sorted())
            }
        }
    }

    /// Whether the words, the first ones perhaps put last, are the letters of the other name in order.
    fn turns_into(&self, other: &Self) -> bool {
        let whole = other.words.concat();
        (0..self.words.len()).any(|first| {
            let (tail, head) = self.words.split_at(first);
            [head.concat(), tail.concat()].concat() == whole
        })
    }

    fn sorted(&self) -> Vec<&String> {
        let mut words: Vec<&String> = self.words.iter().collect();
        words.sort_unstable();
        words
    }
}

fn is_han(c: char) -> bool {
    c.to_pinyin().is_some()
}

fn latin(characters: &str, is_family: bool) -> String {
    let read = |c: char| {
        let otherwise = READ_OTHERWISE.iter().find(|(other, _)| is_family && *other == c);
        match otherwise.map(|(_, read)| *read).or_else(|| c.to_pinyin().map(|pinyin| pinyin.plain())) {
            // A passport writes lü as lyu, a keyboard as lv; most people write lu.
            Some(read) => read.replace('ü', "u"),
            None => c.to_string(),
        }
    };
    characters.chars().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_spaces_and_script_do_not_count() {
        let same = |a: &str, b: &str| {
            let (one, other) = (Person::new(a), Person::new(b));
            assert!(one.is(&other) && other.is(&one), "{a} {b}");
            assert_eq!(one.letters(), other.letters(), "{a} {b}");
        };
        let differ = |a: &str, b: &str| assert!(!Person::new(a).is(&Person::new(b)), "{a} {b}");
        same("张伟", "Zhang Wei");
        same("张伟", "Wei Zhang");
        same("张伟", "ZHANG, Wei");
        same("张 伟", "张伟");
        same("王小明", "Wang Xiaoming");
        same("王小明", "Xiao-Ming Wang");
        same("欧阳娜娜", "Nana Ouyang");
        same("单田芳", "Shan Tianfang");
        same("曾志伟", "zeng zhiwei");
        same("John Smith", "smith, john");
        same("Anna Maria Weiß", "Weiss Anna Maria");
        same("Ana María López", "Lopez, Ana Maria");
        same("吕布", "Lu Bu");
        differ("张伟", "章伟");
        differ("John Smith", "Joan Smith");
        differ("", "");
        differ("Wei Zhang", "Wang Zhei");
    }
}
