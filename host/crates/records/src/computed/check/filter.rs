//! The filters of roll-ups: they look at nothing but the child, so that its log tells of every change.

use serde_json::Value as Json;
use trellis_model::{Computed, FieldType, Filter, ObjectDefinition, Op, Path, SystemField, Text, bilingual};

/// Checks that a filter compares stored fields of `child` with values that they can have.
pub(super) fn check(child: &ObjectDefinition, filter: &Filter) -> Result<(), Text> {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter().try_for_each(|filter| check(child, filter))
        }
        Filter::Not(filter) => check(child, filter),
        Filter::Related(_) => {
            let object = &child.name;
            Err(bilingual!(
                "the filter of a roll-up compares only fields of `{object}` itself",
                "汇总的筛选条件只能比较 `{object}` 自身的字段"
            ))
        }
        Filter::Compare { path, op, value } => compare(child, path, *op, value),
    }
}

fn compare(child: &ObjectDefinition, path: &Path, op: Op, value: &Json) -> Result<(), Text> {
    let object = &child.name;
    let own = match path.0.as_slice() {
        [name] => {
            child.field(name.as_str()).filter(|field| !matches!(field.computed, Some(Computed::RollUp(_))))
        }
        _ => None,
    };
    let system = path.0.len() == 1 && SystemField::of(&path.to_string()).is_some();
    let Some(field) = own else {
        if system && is_fixed(value) {
            return Ok(());
        }
        return Err(bilingual!(
            "the filter of a roll-up compares only fields of `{object}` itself, which `{path}` is not",
            "汇总的筛选条件只能比较 `{object}` 自身的字段，而 `{path}` 不是"
        ));
    };
    let wrong = |reason: &Text| bilingual!("filter on `{path}`: ", "筛选字段 `{path}`：").then(reason);
    let values = match (op, value) {
        (Op::In | Op::Nin | Op::Between | Op::Any | Op::All, Json::Array(values)) => values.as_slice(),
        (Op::Null | Op::Contains | Op::Starts | Op::Ends, _) => return Ok(()),
        (_, value) => std::slice::from_ref(value),
    };
    for value in values {
        let fits = match (&field.field_type, value) {
            (
                FieldType::Choice { .. } | FieldType::Bool | FieldType::Date | FieldType::Reference { .. },
                value,
            ) => field.field_type.parse_json(value).map(drop),
            (FieldType::Time, Json::String(text)) if text.len() == 10 => {
                FieldType::Date.parse_json(value).map(drop)
            }
            (FieldType::Time, value) => FieldType::Time.parse_json(value).map(drop),
            _ => Ok(()),
        };
        fits.map_err(|error| wrong(&error.text()))?;
    }
    Ok(())
}

/// Whether a value stands for itself, and not for a day relative to today.
fn is_fixed(value: &Json) -> bool {
    match value {
        Json::String(text) => text.starts_with(|first: char| first.is_ascii_digit()),
        Json::Array(values) => values.iter().all(is_fixed),
        _ => true,
    }
}
