use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use trellis_model::{
    Bucket, FieldType, Filter, Language, Money, ObjectName, Path, RecordId, Scope, Sort, Text, Value,
    bilingual,
};
use trellis_records::{Aggregated, Aggregation, Function, Group, GroupBy, Measure, ResultColumn};

use super::search::SortBody;
use crate::extract::{JsonBody, ObjectPath, Parameters, Requester};
use crate::problem::{ApiResult, Problem};
use crate::state::App;
use crate::wire::{ValueView, json as answer};

/// Groups that an answer has where the caller does not say.
const GROUPS_DEFAULT: usize = 1_000;

/// Groups the records that a filter matches, and reckons over each group.
pub(crate) async fn aggregate_records(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    JsonBody(body): JsonBody<Aggregate>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let limits = app.records.config().limits;
    let labels = body.labels;
    let filter = |json: Option<Json>, name: &str| {
        let filter = json.map(|json| Filter::parse_within(&json, &limits.filter)).transpose();
        filter.map_err(|error| Problem::bad_query(name, error.text()))
    };
    let sort = body.sort.map(SortBody::text).unwrap_or_default();
    let limit = body.limit.unwrap_or(GROUPS_DEFAULT.min(limits.groups_max));
    if !(1..=limits.groups_max).contains(&limit) {
        return Err(Problem::bad_limit(limits.groups_max));
    }
    let measure = |measure: MeasureBody| {
        let filter = filter(measure.filter.clone(), "aggregates.filter")?;
        measure.parse(filter)
    };
    let aggregation = Aggregation {
        object: path.object.name.clone(),
        filter: filter(body.filter, "filter")?.unwrap_or_else(Filter::everything),
        group_by: body.group_by.into_iter().map(GroupBody::parse).collect::<ApiResult<_>>()?,
        measures: body.aggregates.into_iter().map(measure).collect::<ApiResult<_>>()?,
        having: filter(body.having, "having")?,
        sort: Sort::parse_list(&sort).map_err(|error| Problem::bad_query("sort", error.text()))?,
        limit,
    };
    let scope = &requester.caller.scope;
    let result = app.records.aggregate(scope, &aggregation).await?;
    let labels = match labels {
        true => Some(Labels::read(&app, scope, &result, requester.language()).await?),
        false => None,
    };
    let data: Vec<Json> =
        result.groups.iter().map(|group| group_json(&result, group, labels.as_ref())).collect();
    let truncated = result.groups.len() < result.total_groups;
    answer(
        StatusCode::OK,
        &json!({ "data": data, "total_groups": result.total_groups, "truncated": truncated }),
    )
}

/// The body of an aggregate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Aggregate {
    filter: Option<Json>,
    #[serde(default)]
    group_by: Vec<GroupBody>,
    #[serde(default)]
    aggregates: Vec<MeasureBody>,
    having: Option<Json>,
    sort: Option<SortBody>,
    limit: Option<usize>,
    #[serde(default)]
    labels: bool,
}

/// `{"field": "closed_on", "bucket": "month", "as": "month"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupBody {
    field: String,
    bucket: Option<String>,
    #[serde(rename = "as")]
    name: Option<String>,
}

/// `{"function": "percentile", "field": "amount", "p": 0.9, "as": "p90", "filter": {…}}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureBody {
    function: String,
    field: Option<String>,
    p: Option<f64>,
    #[serde(rename = "as")]
    name: Option<String>,
    filter: Option<Json>,
}

fn field_path(field: &str, parameter: &str) -> ApiResult<Path> {
    Path::parse(field).map_err(|error| Problem::bad_query(parameter, error.text()))
}

impl GroupBody {
    fn parse(self) -> ApiResult<GroupBy> {
        let bucket = |name: String| {
            let known = Bucket::ALL.map(Bucket::name).join(", ");
            let name: String = name.chars().take(60).collect();
            let unknown = || {
                bilingual!(
                    "there is no bucket `{name}`; there are {known}",
                    "没有时段 `{name}`；可用的有 {known}"
                )
            };
            Bucket::of(&name).ok_or_else(|| Problem::bad_query("group_by.bucket", unknown()))
        };
        let bucket = self.bucket.map(bucket).transpose()?;
        Ok(GroupBy { name: self.name, path: field_path(&self.field, "group_by.field")?, bucket })
    }
}

impl MeasureBody {
    fn parse(self, filter: Option<Filter>) -> ApiResult<Measure> {
        let name: String = self.function.chars().take(60).collect();
        let unknown = || {
            let known = "count, count_distinct, sum, avg, min, max, median, percentile";
            bilingual!(
                "there is no function `{name}`; there are {known}",
                "没有函数 `{name}`；可用的有 {known}"
            )
        };
        let function = Function::of(&name, self.p.unwrap_or(f64::NAN));
        let function = function.ok_or_else(|| Problem::bad_query("aggregates.function", unknown()))?;
        if self.p.is_some() != matches!(function, Function::Percentile(_)) {
            let message = Text::new(
                "`p` belongs to `percentile`, which needs it: a share from 0 to 1, such as 0.9",
                "`p` 只用于 `percentile` 且必填：0 到 1 之间的比例，例如 0.9",
            );
            return Err(Problem::bad_query("aggregates.p", message));
        }
        let path = self.field.map(|field| field_path(&field, "aggregates.field")).transpose()?;
        Ok(Measure { name: self.name, function, path, filter })
    }
}

/// What people call the records and options of a result.
struct Labels {
    language: Language,
    titles: HashMap<RecordId, String>,
}

impl Labels {
    async fn read(app: &App, scope: &Scope, result: &Aggregated, language: Language) -> ApiResult<Self> {
        let mut titles = HashMap::new();
        for (place, column) in result.keys.iter().enumerate() {
            let Some(FieldType::Reference { object }) = &column.field_type else { continue };
            let ids = result.groups.iter().filter_map(|group| match group.keys.get(place) {
                Some(Some(Value::Reference(id))) => Some(*id),
                _ => None,
            });
            titles.extend(app.records.titles(scope, &ObjectName::clone(object), ids).await?);
        }
        Ok(Self { language, titles })
    }
}

fn group_json(result: &Aggregated, group: &Group, labels: Option<&Labels>) -> Json {
    let named =
        |columns: &[ResultColumn], values: &[Option<Value>], labels: Option<&Labels>| -> Map<String, Json> {
            let pair = |(column, value): (&ResultColumn, &Option<Value>)| {
                let value = value.as_ref().map_or(Json::Null, |value| value_json(column, value, labels));
                (column.name.clone(), value)
            };
            columns.iter().zip(values).map(pair).collect()
        };
    json!({
        "keys": named(&result.keys, &group.keys, labels),
        "values": named(&result.values, &group.values, None),
        "count": group.count,
    })
}

fn value_json(column: &ResultColumn, value: &Value, labels: Option<&Labels>) -> Json {
    match (value, labels) {
        (Value::Money(money), _) => money_json(money),
        (Value::Reference(id), Some(labels)) => {
            json!({ "value": id.to_string(), "label": labels.titles.get(id) })
        }
        (value, labels) => match &column.field_type {
            Some(field_type) => {
                let view = ValueView { value, field_type, labels: labels.map(|labels| labels.language) };
                serde_json::to_value(view).unwrap_or_default()
            }
            None => value.to_json(),
        },
    }
}

/// A mean of amounts may have more decimals than its currency; it never has fewer.
fn money_json(money: &Money) -> Json {
    let mut amount = money.amount.normalize();
    if amount.scale() < money.currency.decimals() {
        amount.rescale(money.currency.decimals());
    }
    json!({ "amount": amount.to_string(), "currency": money.currency.as_str() })
}
