//! Filters in a query string: `filter[stage]=won`, `filter[amount][gte]=1000`, `filter[account.name][contains]=mill`.

use serde_json::{Value as Json, json};
use trellis_model::{FieldType, Filter, ObjectDefinition, Op, Path, SystemField, Text, bilingual};
use trellis_records::Schema;

use crate::problem::{ApiResult, Problem};

/// The filter that all parameters together mean; they must all hold.
pub(super) fn filter_of(
    schema: &Schema,
    object: &ObjectDefinition,
    parameters: &[(String, String)],
) -> ApiResult<Filter> {
    let conditions = parameters.iter().map(|(name, value)| {
        condition(schema, object, name, value)
            .map_err(|message| Problem::bad_query(&name.chars().take(100).collect::<String>(), message))
    });
    let conditions = conditions.collect::<ApiResult<Vec<_>>>()?;
    // The tree goes through the parser, so that both ways of writing a filter have the same limits.
    let tree = Filter::And(conditions).to_json();
    Filter::parse(&tree).map_err(|error| Problem::bad_query("filter", error.text()))
}

fn condition(schema: &Schema, object: &ObjectDefinition, name: &str, value: &str) -> Result<Filter, Text> {
    let form = || {
        Text::new(
            "write `filter[field]=value` or `filter[field][operator]=value`",
            "请写成 `filter[字段]=值` 或 `filter[字段][运算符]=值`",
        )
    };
    let inner = name.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']')).ok_or_else(form)?;
    let (field, op) = inner.split_once("][").unwrap_or((inner, "eq"));
    let op = Op::of(op).ok_or_else(|| {
        let op: String = op.chars().take(30).collect();
        bilingual!("there is no operator `{op}`", "没有运算符 `{op}`")
    })?;
    let path = Path::parse(field).map_err(|error| error.text())?;
    let json = |text: &str| json_of(field_type(schema, object, &path), text);
    let value = match op {
        Op::Null => match value {
            "true" => json!(true),
            "false" => json!(false),
            _ => return Err(Text::new("`null` takes true or false", "`null` 只接受 true 或 false")),
        },
        Op::In | Op::Nin | Op::Any | Op::All | Op::Between => {
            value.split(',').map(str::trim).map(json).collect()
        }
        Op::Contains | Op::Starts | Op::Ends => json!(value),
        _ => json(value),
    };
    Ok(Filter::Compare { path, op, value })
}

/// What the path leads to, over references. Derived fields (`segment.rfm`) and what does not exist are `None`: records decides.
fn field_type<'a>(schema: &'a Schema, object: &'a ObjectDefinition, path: &Path) -> Option<&'a FieldType> {
    let (last, steps) = path.0.split_last()?;
    if matches!(steps, [first] if first.as_str() == "quality") {
        return Some(&FieldType::Integer);
    }
    let mut object = object;
    for step in steps {
        let FieldType::Reference { object: target } = &object.field(step.as_str())?.field_type else {
            return None;
        };
        object = schema.object(target.as_str())?;
    }
    match SystemField::of(last.as_str()) {
        Some(SystemField::Version) => Some(&FieldType::Integer),
        Some(_) => None,
        None => object.field(last.as_str()).map(|field| &field.field_type),
    }
}

/// A text of the query as the JSON that a filter tree would have. What does not fit stays a text, which records then refuses by name.
fn json_of(field_type: Option<&FieldType>, text: &str) -> Json {
    let item_type = match field_type {
        Some(FieldType::List { of }) => Some(&**of),
        other => other,
    };
    let number = || text.parse::<serde_json::Number>().map(Json::Number);
    match item_type {
        Some(FieldType::Number | FieldType::Integer | FieldType::Money) => {
            number().unwrap_or_else(|_| json!(text))
        }
        Some(FieldType::Bool) => text.parse::<bool>().map_or_else(|_| json!(text), Json::Bool),
        _ => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use trellis_model::{FieldDefinition, FieldId, FieldName, ObjectId, ObjectName};

    use super::*;

    fn object(id: u32, name: &str, fields: &[(&str, FieldType)]) -> ObjectDefinition {
        let field = |(place, (name, field_type)): (usize, &(&str, FieldType))| {
            let id = FieldId(u32::try_from(place).unwrap());
            FieldDefinition::new(id, FieldName::new(name).unwrap(), Text::default(), field_type.clone())
        };
        ObjectDefinition::new(
            ObjectId(id),
            ObjectName::new(name).unwrap(),
            ObjectName::new(&format!("{name}s")).unwrap(),
            FieldName::new("name").unwrap(),
            fields.iter().enumerate().map(field).collect(),
        )
    }

    fn schema() -> Schema {
        let text = FieldType::Text { characters_max: 9 };
        let account = object(1, "account", &[("name", text.clone()), ("vip", FieldType::Bool)]);
        let reference = FieldType::Reference { object: account.name.clone() };
        let order = object(
            2,
            "order",
            &[
                ("name", text),
                ("account", reference),
                ("amount", FieldType::Money),
                ("number", FieldType::Integer),
            ],
        );
        Schema::new(vec![account, order]).unwrap()
    }

    fn parse(name: &str, value: &str) -> ApiResult<Json> {
        let schema = schema();
        filter_of(&schema, schema.object("order").unwrap(), &[(name.into(), value.into())])
            .map(|filter| filter.to_json())
    }

    #[test]
    fn a_parameter_is_a_condition_of_the_tree() {
        let check = |name: &str, value: &str, op: &str, field: &str, expected: Json| {
            let expected = json!({ "and": [{ "field": field, "op": op, "value": expected }] });
            assert_eq!(parse(name, value).unwrap(), expected, "{name}={value}");
        };
        check("filter[number]", "42", "eq", "number", json!(42));
        check("filter[amount][gte]", "12.5", "gte", "amount", json!(12.5));
        check("filter[number][in]", "1, 2", "in", "number", json!([1, 2]));
        check("filter[account.name][contains]", "12", "contains", "account.name", json!("12"));
        check("filter[account.vip]", "true", "eq", "account.vip", json!(true));
        check("filter[segment.rfm]", "lost", "eq", "segment.rfm", json!("lost"));
        check(
            "filter[created_at][gte]",
            "2026-01-01T00:00:00Z",
            "gte",
            "created_at",
            json!("2026-01-01T00:00:00Z"),
        );
        check("filter[account][null]", "true", "null", "account", json!(true));
    }

    #[test]
    fn a_wrong_parameter_is_refused() {
        for (name, value) in [
            ("filter[", "x"),
            ("filter[a][b][c]", "x"),
            ("filter[number][like]", "1"),
            ("filter[number][null]", "x"),
            ("filter[No]", "x"),
        ] {
            assert!(parse(name, value).is_err(), "{name}={value}");
        }
    }
}
