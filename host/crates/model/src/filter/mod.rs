//! One grammar for filters everywhere: API, saved views, segments, rules and manifests.

mod parse;
mod relative;

use serde_json::{Map, Value as Json, json};

pub use relative::{Bucket, Period, RelativeDate};

use crate::{FieldName, Result};

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

/// What paths to derived fields begin with.
const DERIVED: [&str; 4] = ["segment", "score", "band", "quality"];

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

    /// Whether it names what is derived of the record itself (`score.churn_risk__risk`) rather than a field or what lies beyond one, as far as
    /// names tell: an object may have a field of such a name.
    pub fn is_derived(&self) -> bool {
        matches!(self.0.as_slice(), [first, _] if DERIVED.contains(&first.as_str()))
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
        parse::Parser::new(limits).filter(json, "$", 1)
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
