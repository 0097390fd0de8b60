//! One grammar for filters everywhere: API, saved views, segments, rules and manifests.

use serde_json::{Map, Value as Json, json};

use crate::{Error, FieldName, Result, Text, bilingual, error::shorten};

/// A filter tree, checked for its grammar. Whether its fields exist and its values fit is checked where it meets a schema.
///
/// A comparison with null is neither true nor false, as in SQL; `null` asks for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of them hold; an empty one always does.
    And(Vec<Filter>),
    /// At least one holds; an empty one never does.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A field compared with a value.
    Compare {
        /// Which field, perhaps of a referenced record.
        path: Path,
        /// How.
        op: Op,
        /// With what; what `op` expects.
        value: Json,
    },
    /// Records of another object that refer to this one.
    Related(Related),
}

/// A field, reached over references: `account.owner.team`; or a derived one: `segment.rfm`, `score.churn`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path(pub Vec<FieldName>);

/// A condition on the records that refer to the one in question.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// The plural of the other object: `orders`.
    pub related: FieldName,
    /// Which of them count.
    pub filter: Option<Box<Filter>>,
    /// What is summed; `None` counts them.
    pub sum: Option<FieldName>,
    /// What the count or sum must be: each operator with its number.
    pub bounds: Vec<CountBound>,
}

/// A bound on a count or sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountBound {
    /// One of eq, ne, gt, gte, lt, lte.
    pub op: Op,
    /// The bound.
    pub number: f64,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// One of a list.
    In,
    /// None of a list.
    Nin,
    /// A text contains the value, upper and lower case alike.
    Contains,
    /// A text starts with the value, upper and lower case alike.
    Starts,
    /// A text ends with the value, upper and lower case alike.
    Ends,
    /// `true`: the field is null; `false`: it is not.
    Null,
    /// A list of two: from the first to the second, both included.
    Between,
    /// A multi-choice or list has at least one of a list.
    Any,
    /// A multi-choice or list has all of a list.
    All,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::In,
        Self::Nin,
        Self::Contains,
        Self::Starts,
        Self::Ends,
        Self::Null,
        Self::Between,
        Self::Any,
        Self::All,
    ];

    /// Its name in JSON and in query strings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::In => "in",
            Self::Nin => "nin",
            Self::Contains => "contains",
            Self::Starts => "starts",
            Self::Ends => "ends",
            Self::Null => "null",
            Self::Between => "between",
            Self::Any => "any",
            Self::All => "all",
        }
    }

    /// The operator of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.name() == name)
    }
}

/// A field to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Which field.
    pub path: Path,
    /// Greatest first.
    pub descending: bool,
}

/// The limits on a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterLimits {
    /// Levels of the tree (default 10).
    pub depth_max: usize,
    /// Nodes of the tree (default 100).
    pub nodes_max: usize,
    /// Values of a list (default 1,000).
    pub values_max: usize,
    /// Steps of a path (default 4).
    pub path_steps_max: usize,
}

impl Default for FilterLimits {
    fn default() -> Self {
        Self { depth_max: 10, nodes_max: 100, values_max: 1_000, path_steps_max: 4 }
    }
}

impl Path {
    /// Parses `account.owner.team`.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for a step that is no field name.
    pub fn parse(text: &str) -> Result<Self> {
        text.split('.').map(FieldName::new).collect::<Result<Vec<_>>>().map(Self)
    }

    /// The single field, where the path has one step.
    pub fn single(&self) -> Option<&FieldName> {
        match self.0.as_slice() {
            [field] => Some(field),
            _ => None,
        }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            write!(f, "{}{step}", if place == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl Sort {
    /// Parses `-created_at,name`.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for what is no field name.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let parse = |part: &str| {
            let (descending, name) = part.strip_prefix('-').map_or((false, part), |name| (true, name));
            Ok(Self { path: Path::parse(name)?, descending })
        };
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(parse).collect()
    }
}

impl Filter {
    /// Matches everything.
    pub fn everything() -> Self {
        Self::And(Vec::new())
    }

    /// A comparison with one field.
    ///
    /// # Errors
    /// [`Error::InvalidName`].
    pub fn compare(field: &str, op: Op, value: impl Into<Json>) -> Result<Self> {
        Ok(Self::Compare { path: Path::parse(field)?, op, value: value.into() })
    }

    /// Both filters.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), one) | (one, Self::And(mut all)) => {
                all.push(one);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// Parses the JSON form with the default limits.
    ///
    /// # Errors
    /// [`Error::InvalidFilter`] with the place in the tree.
    pub fn parse(json: &Json) -> Result<Self> {
        Self::parse_within(json, &FilterLimits::default())
    }

    /// Parses the JSON form.
    ///
    /// # Errors
    /// [`Error::InvalidFilter`] with the place in the tree.
    pub fn parse_within(json: &Json, limits: &FilterLimits) -> Result<Self> {
        Parser { limits, nodes: 0 }.filter(json, "$", 1)
    }

    /// The JSON form.
    pub fn to_json(&self) -> Json {
        let all = |filters: &[Self]| Json::Array(filters.iter().map(Self::to_json).collect());
        match self {
            Self::And(filters) => json!({ "and": all(filters) }),
            Self::Or(filters) => json!({ "or": all(filters) }),
            Self::Not(filter) => json!({ "not": filter.to_json() }),
            Self::Compare { path, op, value } => {
                json!({ "field": path.to_string(), "op": op.name(), "value": value })
            }
            Self::Related(related) => related.to_json(),
        }
    }
}

impl Related {
    fn to_json(&self) -> Json {
        let mut bounds: Map<String, Json> =
            self.bounds.iter().map(|b| (b.op.name().to_owned(), json!(b.number))).collect();
        let mut json = Map::from_iter([("related".to_owned(), json!(self.related.as_str()))]);
        if let Some(filter) = &self.filter {
            json.insert("where".into(), filter.to_json());
        }
        if let Some(field) = &self.sum {
            bounds.insert("field".into(), json!(field.as_str()));
        }
        json.insert(if self.sum.is_some() { "sum" } else { "count" }.into(), Json::Object(bounds));
        Json::Object(json)
    }
}

struct Parser<'a> {
    limits: &'a FilterLimits,
    nodes: usize,
}

impl Parser<'_> {
    fn filter(&mut self, json: &Json, place: &str, depth: usize) -> Result<Filter> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_come_back_as_they_went_in() {
        let check = |json: Json| assert_eq!(Filter::parse(&json).unwrap().to_json(), json);
        check(json!({"field": "stage", "op": "eq", "value": "won"}));
        check(
            json!({"and": [{"or": []}, {"not": {"field": "account.owner.team", "op": "null", "value": true}}]}),
        );
        check(json!({"field": "amount", "op": "between", "value": [1, 2]}));
        check(json!({"related": "orders", "where": {"and": []}, "count": {"gte": 3.0}}));
        check(json!({"related": "orders", "sum": {"field": "amount", "gte": 1000.0, "lt": 2000.0}}));
    }

    #[test]
    fn wrong_filters_are_named_with_their_place() {
        let check =
            |json: Json, message: &str| assert_eq!(Filter::parse(&json).unwrap_err().to_string(), message);
        check(json!([]), "filter at $: expected an object");
        let chinese = Filter::parse(&json!({"not": {"field": "stage", "op": "in", "value": 1}})).unwrap_err();
        assert_eq!(chinese.text().zh_cn, "筛选条件 $.not 处：`in` 需要列表");
        check(
            json!({"and": [{"field": "a b", "value": 1}]}),
            "filter at $.and[0]: `a b` is not a valid field name: 2 to 60 of a-z, 0-9 and _, a letter first",
        );
        check(json!({"field": "stage", "op": "in", "value": 1}), "filter at $: `in` expects a list");
        check(json!({"field": "stage", "value": 1, "x": 1}), "filter at $: unknown key `x`");
        check(
            json!({"related": "orders", "count": {}}),
            "filter at $: expected a bound such as {\"gte\": 1}",
        );
        let deep = (0..20).fold(json!({"and": []}), |inner, _| json!({ "not": inner }));
        assert!(Filter::parse(&deep).unwrap_err().to_string().ends_with("deeper than 10 levels"));
        let wide: Vec<Json> = (0..200).map(|_| json!({"and": []})).collect();
        assert!(
            Filter::parse(&json!({ "or": wide })).unwrap_err().to_string().ends_with("more than 100 nodes")
        );
    }
}
