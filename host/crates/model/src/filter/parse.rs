//! From JSON to a filter tree.

use serde_json::{Map, Value as Json, json};

use super::{CountBound, Filter, FilterLimits, Op, Path, Related};
use crate::{Error, FieldName, Result, Text, bilingual, error::shorten};

/// Reads a filter within limits; every error names its place in the tree.
pub(super) struct Parser<'a> {
    limits: &'a FilterLimits,
    nodes: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(limits: &'a FilterLimits) -> Self {
        Self { limits, nodes: 0 }
    }

    pub(super) fn filter(&mut self, json: &Json, place: &str, depth: usize) -> Result<Filter> {
        self.nodes += 1;
        let limits = self.limits;
        if depth > limits.depth_max {
            let max = limits.depth_max;
            return Err(wrong(place, bilingual!("deeper than {max} levels", "嵌套超过 {max} 层")));
        }
        if self.nodes > limits.nodes_max {
            let max = limits.nodes_max;
            return Err(wrong(place, bilingual!("more than {max} nodes", "超过 {max} 个节点")));
        }
        let object =
            json.as_object().ok_or_else(|| wrong(place, Text::new("expected an object", "应为对象")))?;
        let only = |keys: &[&str]| match object.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) => {
                let key = shorten(key);
                Err(wrong(place, bilingual!("unknown key `{key}`", "未知的键 `{key}`")))
            }
            None => Ok(()),
        };
        if let Some(items) = object.get("and") {
            only(&["and"])?;
            return self.filters(items, &format!("{place}.and"), depth).map(Filter::And);
        }
        if let Some(items) = object.get("or") {
            only(&["or"])?;
            return self.filters(items, &format!("{place}.or"), depth).map(Filter::Or);
        }
        if let Some(item) = object.get("not") {
            only(&["not"])?;
            return Ok(Filter::Not(Box::new(self.filter(item, &format!("{place}.not"), depth + 1)?)));
        }
        if object.contains_key("related") {
            only(&["related", "where", "count", "sum"])?;
            return self.related(object, place, depth).map(Filter::Related);
        }
        only(&["field", "op", "value"])?;
        self.compare(object, place)
    }

    fn filters(&mut self, json: &Json, place: &str, depth: usize) -> Result<Vec<Filter>> {
        let items = json.as_array().ok_or_else(|| wrong(place, Text::new("expected a list", "应为列表")))?;
        items
            .iter()
            .enumerate()
            .map(|(i, item)| self.filter(item, &format!("{place}[{i}]"), depth + 1))
            .collect()
    }

    fn compare(&self, object: &Map<String, Json>, place: &str) -> Result<Filter> {
        let field = object.get("field").and_then(Json::as_str);
        let no_field = || {
            let en = "expected `field`, `and`, `or`, `not` or `related`";
            wrong(place, Text::new(en, "应有 `field`、`and`、`or`、`not` 或 `related`"))
        };
        let path = Path::parse(field.ok_or_else(no_field)?).map_err(|error| wrong(place, error.text()))?;
        if path.0.len() > self.limits.path_steps_max {
            let max = self.limits.path_steps_max;
            let reason = bilingual!("path `{path}` has more than {max} steps", "路径 `{path}` 超过 {max} 级");
            return Err(wrong(place, reason));
        }
        let op = object.get("op").map_or(Some("eq"), Json::as_str).and_then(Op::of);
        let op = op.ok_or_else(|| {
            let known = Op::ALL.map(Op::name).join(", ");
            let op = shorten(&object.get("op").unwrap_or(&Json::Null).to_string());
            wrong(
                place,
                bilingual!("unknown operator {op}; known are {known}", "未知的运算符 {op}，可用的有 {known}"),
            )
        })?;
        let no_value = || wrong(place, Text::new("expected `value`", "缺少 `value`"));
        let value = object.get("value").ok_or_else(no_value)?.clone();
        self.check_value(op, &value).map_err(|reason| wrong(place, reason))?;
        Ok(Filter::Compare { path, op, value })
    }

    fn check_value(&self, op: Op, value: &Json) -> Result<(), Text> {
        let (list, name) = (value.as_array(), op.name());
        match op {
            Op::In | Op::Nin | Op::Any | Op::All => match list {
                Some(list) if list.len() <= self.limits.values_max => Ok(()),
                Some(_) => {
                    let max = self.limits.values_max;
                    Err(bilingual!("more than {max} values", "超过 {max} 个值"))
                }
                None => Err(bilingual!("`{name}` expects a list", "`{name}` 需要列表")),
            },
            Op::Between if list.is_none_or(|list| list.len() != 2) => {
                Err(Text::new("`between` expects a list of two", "`between` 需要两个值的列表"))
            }
            Op::Null if !value.is_boolean() => {
                Err(Text::new("`null` expects true or false", "`null` 只接受 true 或 false"))
            }
            Op::Contains | Op::Starts | Op::Ends if !value.is_string() => {
                Err(bilingual!("`{name}` expects a text", "`{name}` 需要文本"))
            }
            Op::Gt | Op::Gte | Op::Lt | Op::Lte if value.is_null() => {
                Err(bilingual!("`{name}` cannot compare with null", "`{name}` 不能与空值比较"))
            }
            _ => Ok(()),
        }
    }

    fn related(&mut self, object: &Map<String, Json>, place: &str, depth: usize) -> Result<Related> {
        let name = |json: Option<&Json>, what: &str| {
            let text = json
                .and_then(Json::as_str)
                .ok_or_else(|| wrong(place, bilingual!("`{what}` expects a name", "`{what}` 需要名称")))?;
            FieldName::new(text).map_err(|error| wrong(place, error.text()))
        };
        let related = name(object.get("related"), "related")?;
        let filter = object.get("where").map(|json| self.filter(json, &format!("{place}.where"), depth + 1));
        let (sum, bounds) = match (object.get("count"), object.get("sum")) {
            (Some(bounds), None) => (None, bounds),
            (None, Some(bounds)) => (Some(name(bounds.get("field"), "sum.field")?), bounds),
            (None, None) => (None, &json!({ "gte": 1 })),
            (Some(_), Some(_)) => {
                let reason =
                    Text::new("`count` and `sum` cannot stand together", "`count` 与 `sum` 不能同时使用");
                return Err(wrong(place, reason));
            }
        };
        let no_bounds = || {
            wrong(place, Text::new("expected a bound such as {\"gte\": 1}", "应有界限，例如 {\"gte\": 1}"))
        };
        let bounds = bounds.as_object().ok_or_else(no_bounds)?;
        let bounds =
            bounds.iter().filter(|(key, _)| sum.is_none() || *key != "field").map(|(key, number)| {
                let op = Op::of(key)
                    .filter(|op| matches!(op, Op::Eq | Op::Ne | Op::Gt | Op::Gte | Op::Lt | Op::Lte));
                let shown = shorten(key);
                let op = op.ok_or_else(|| {
                    wrong(place, bilingual!("unknown bound `{shown}`", "未知的界限 `{shown}`"))
                })?;
                let number = number.as_f64().ok_or_else(|| {
                    wrong(place, bilingual!("bound `{shown}` expects a number", "界限 `{shown}` 需要数字"))
                })?;
                Ok(CountBound { op, number })
            });
        let bounds = bounds.collect::<Result<Vec<_>>>()?;
        if bounds.is_empty() {
            return Err(no_bounds());
        }
        Ok(Related { related, filter: filter.transpose()?.map(Box::new), sum, bounds })
    }
}

fn wrong(place: &str, reason: Text) -> Error {
    Error::InvalidFilter { place: place.to_owned(), reason }
}
