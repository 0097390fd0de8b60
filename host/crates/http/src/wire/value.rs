use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use trellis_model::{ChoiceOption, FieldType, Language, Money, RecordId, Value};
use uuid::fmt::Hyphenated;

/// A value as the API writes it, straight from the record: no tree in between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueView<'a> {
    pub(crate) value: &'a Value,
    pub(crate) field_type: &'a FieldType,
    /// Options become `{value, label}` in this language.
    pub(crate) labels: Option<Language>,
}

impl Serialize for ValueView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Money(money) => money_view(money, serializer),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Date(date) => serializer.collect_str(date),
            Value::Time(time) => serializer.collect_str(time),
            Value::Choice(option) => self.option(option).serialize(serializer),
            Value::MultiChoice(options) => {
                serializer.collect_seq(options.iter().map(|option| self.option(option)))
            }
            Value::Reference(id) => id_view(*id, serializer),
            Value::List(values) => {
                let item_type = match self.field_type {
                    FieldType::List { of } => of,
                    other => other,
                };
                let mut seq = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    seq.serialize_element(&ValueView { value, field_type: item_type, labels: self.labels })?;
                }
                seq.end()
            }
            Value::Json(json) => json.serialize(serializer),
        }
    }
}

impl<'a> ValueView<'a> {
    fn option(&self, value: &'a str) -> OptionView<'a> {
        let (FieldType::Choice { options } | FieldType::MultiChoice { options }) = self.field_type else {
            return OptionView { value, label: None };
        };
        let known = |options: &'a [ChoiceOption]| options.iter().find(|option| option.value == value);
        // An option that the definition no longer has is its own label.
        let label =
            self.labels.map(|language| known(options).map_or(value, |option| option.label.get(language)));
        OptionView { value, label }
    }
}

struct OptionView<'a> {
    value: &'a str,
    label: Option<&'a str>,
}

impl Serialize for OptionView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(label) = self.label else { return serializer.serialize_str(self.value) };
        let mut object = serializer.serialize_struct("Option", 2)?;
        object.serialize_field("value", self.value)?;
        object.serialize_field("label", label)?;
        object.end()
    }
}

fn money_view<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_struct("Money", 2)?;
    object.serialize_field("amount", &money.amount_text())?;
    object.serialize_field("currency", money.currency.as_str())?;
    object.end()
}

/// Writes an id without going through `Display`.
pub(crate) fn id_view<S: Serializer>(id: RecordId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.0.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use trellis_model::Text;

    use super::*;

    fn options() -> Vec<ChoiceOption> {
        vec![ChoiceOption { value: "won".into(), label: Text::new("Won", "赢单"), retired: false }]
    }

    fn check(field_type: &FieldType, labels: Option<Language>, json: Json, expected: Json) {
        let value = field_type.parse_json(&json).unwrap().unwrap();
        let written = serde_json::to_value(ValueView { value: &value, field_type, labels }).unwrap();
        assert_eq!(written, expected);
        if labels.is_none() {
            assert_eq!(written, value.to_json());
        }
    }

    #[test]
    fn values_are_written_as_the_model_writes_them() {
        let same = |field_type: FieldType, json: Json| check(&field_type, None, json.clone(), json);
        same(FieldType::Text { characters_max: 9 }, json!("名 \"字\""));
        same(FieldType::Number, json!(-0.25));
        same(FieldType::Integer, json!(9_007_199_254_740_993_i64));
        same(FieldType::Money, json!({"amount": "12.30", "currency": "CNY"}));
        same(FieldType::Bool, json!(false));
        same(FieldType::Date, json!("1997-09-30"));
        same(FieldType::Time, json!("2026-11-21T20:48:00.125Z"));
        same(FieldType::Choice { options: options() }, json!("won"));
        same(FieldType::MultiChoice { options: options() }, json!(["won"]));
        same(
            FieldType::Reference { object: "account".parse().unwrap() },
            json!("01939d4c-7c3a-7b6e-8000-000000000001"),
        );
        same(FieldType::List { of: Box::new(FieldType::Date) }, json!(["1997-09-30"]));
        same(FieldType::Json, json!({"a": [1, null]}));
    }

    #[test]
    fn options_carry_their_label_where_asked() {
        let choice = FieldType::Choice { options: options() };
        check(&choice, Some(Language::ZhCn), json!("won"), json!({"value": "won", "label": "赢单"}));
        let several = FieldType::MultiChoice { options: options() };
        check(&several, Some(Language::En), json!(["won"]), json!([{"value": "won", "label": "Won"}]));
    }
}
