//! What of a record can be found: its texts, apart by who may read them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trellis_model::{FieldId, FieldType, Fields, ObjectDefinition, TextFormat, Value};

use crate::text::{Query, fold, number, pinyin, whole, words};

/// The parts of a record that are looked through apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Part {
    /// The field that stands for the record.
    Title,
    /// Other texts.
    Plain,
    /// Other texts that are personal data.
    Personal,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Title, Self::Plain, Self::Personal];
}

/// How a field is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldUse {
    pub(crate) part: Part,
    /// Whether its digits are found without separators.
    number: bool,
    /// Whether it is found by pinyin.
    name: bool,
}

/// The fields of an object that are found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct TextFields(pub(crate) BTreeMap<u32, FieldUse>);

/// The words of a record, those of each part in a row with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) plain: String,
    pub(crate) personal: String,
}

impl TextFields {
    /// The text fields of an object and its lists of texts, but those that are computed: their values are in no log entry.
    pub(crate) fn of(object: &ObjectDefinition) -> Self {
        let texts =
            object.fields.iter().filter(|field| field.computed.is_none() && is_text(&field.field_type));
        let uses = texts.map(|field| {
            let title = field.name == object.title;
            let part = match (title, field.personal_data) {
                (true, _) => Part::Title,
                (false, true) => Part::Personal,
                (false, false) => Part::Plain,
            };
            let number = field.format == Some(TextFormat::Phone);
            let name = title || field.format == Some(TextFormat::Name);
            (field.id.0, FieldUse { part, number, name })
        });
        Self(uses.collect())
    }

    /// Whether what was indexed by `earlier` is what these fields say: there may be more fields now, no record of then has a value in them.
    pub(crate) fn continues(&self, earlier: &Self) -> bool {
        earlier.0.iter().all(|(field, then)| self.0.get(field).is_none_or(|now| now == then))
    }

    /// Whether any of these fields is among the changed ones.
    pub(crate) fn concerns<'a>(&self, mut changed: impl Iterator<Item = &'a FieldId>) -> bool {
        changed.any(|field| self.0.contains_key(&field.0))
    }

    /// The words of a record's fields.
    pub(crate) fn words(&self, fields: &Fields) -> Words {
        let mut found = Words::default();
        for (field, usage) in &self.0 {
            let Some(value) = fields.get(&FieldId(*field)) else { continue };
            let part = found.part_mut(usage.part);
            match value {
                Value::Text(text) => usage.add(text, part),
                Value::List(values) => values.iter().for_each(|value| {
                    if let Value::Text(text) = value {
                        usage.add(text, part);
                    }
                }),
                _ => {}
            }
        }
        found
    }

    /// Whether a query finds a record of which no other fields are there.
    pub(crate) fn matches(&self, query: &Query, fields: &Fields) -> bool {
        let words = self.words(fields);
        let all = [&words.title, &words.plain, &words.personal];
        query.matches(&all.iter().flat_map(|part| part.split_ascii_whitespace()).collect::<BTreeSet<_>>())
    }

    /// The fields of a part.
    pub(crate) fn of_part(&self, part: Part) -> impl Iterator<Item = FieldId> {
        self.0.iter().filter(move |(_, usage)| usage.part == part).map(|(field, _)| FieldId(*field))
    }
}

fn is_text(field_type: &FieldType) -> bool {
    match field_type {
        FieldType::Text { .. } => true,
        FieldType::List { of } => is_text(of),
        _ => false,
    }
}

impl FieldUse {
    fn add(self, text: &str, part: &mut String) {
        let folded = fold(text);
        let mut add = |word: &str| {
            part.push_str(word);
            part.push(' ');
        };
        words(&folded, &mut add);
        if self.number {
            number(&folded, &mut add);
        }
        if self.name && !text.is_ascii() {
            pinyin(&folded, &mut add);
        }
        if self.part == Part::Title {
            add(&whole(&folded));
        }
    }
}

impl Words {
    fn part_mut(&mut self, part: Part) -> &mut String {
        match part {
            Part::Title => &mut self.title,
            Part::Plain => &mut self.plain,
            Part::Personal => &mut self.personal,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.title.is_empty() && self.plain.is_empty() && self.personal.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use trellis_model::{FieldDefinition, FieldName, ObjectId, ObjectName, Text};

    use super::*;

    fn text() -> FieldType {
        FieldType::Text { characters_max: 200 }
    }

    fn person() -> ObjectDefinition {
        let field = |number, name: &str, field_type| {
            FieldDefinition::new(FieldId(number), FieldName::new(name).unwrap(), Text::default(), field_type)
        };
        let list = FieldType::List { of: Box::new(text()) };
        let mut fields = vec![
            field(1, "name", text()),
            field(2, "phone", text()),
            field(3, "notes", list),
            field(4, "manager", text()),
            field(5, "age", FieldType::Integer),
        ];
        fields[1].format = Some(TextFormat::Phone);
        fields[1].personal_data = true;
        fields[3].format = Some(TextFormat::Name);
        let name = |name| ObjectName::new(name).unwrap();
        let title = FieldName::new("name").unwrap();
        ObjectDefinition::new(ObjectId(1), name("person"), name("people"), title, fields)
    }

    fn values(values: &[(u32, Value)]) -> Fields {
        values.iter().map(|(field, value)| (FieldId(*field), value.clone())).collect()
    }

    fn some_text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn texts_fall_apart_by_who_may_read_them() {
        let fields = values(&[
            (1, some_text("Li 伟")),
            (2, some_text("138-0013")),
            (3, Value::List(vec![some_text("Golf"), some_text("tea")])),
            (4, some_text("王五")),
            (5, Value::Integer(42)),
        ]);
        let words = TextFields::of(&person()).words(&fields);
        assert_eq!(words.title, "li 伟 wei w \u{1}li\u{1}伟 ");
        assert_eq!(words.personal, "138 0013 1380013 380013 80013 0013 ");
        assert_eq!(words.plain, "golf tea 王 五 王五 wangwu ww wang wu w ");
    }

    #[test]
    fn a_record_is_found_by_all_that_a_query_asks_for() {
        let fields = values(&[(1, some_text("Li Wei 李伟")), (2, some_text("+86 138-0013-8000"))]);
        let found = |query: &str| TextFields::of(&person()).matches(&Query::parse(query), &fields);
        for query in [
            "li",
            "LI wei",
            "we",
            "李伟",
            "李",
            "liw",
            "lw",
            "13800138000",
            "138 0013",
            "8000",
            "+86 138 0013 8000",
            "李 138",
        ] {
            assert!(found(query), "{query}");
        }
        for query in ["", "e", "weil", "伟李", "li wang", "13800138001", "139"] {
            assert!(!found(query), "{query}");
        }
    }

    #[test]
    fn a_changed_use_is_noticed() {
        let before = TextFields::of(&person());
        let mut grown = person();
        grown.fields.push(FieldDefinition::new(
            FieldId(9),
            FieldName::new("more").unwrap(),
            Text::default(),
            text(),
        ));
        assert!(TextFields::of(&grown).continues(&before));
        let mut private = person();
        private.fields[3].personal_data = true;
        assert!(!TextFields::of(&private).continues(&before));
    }
}
