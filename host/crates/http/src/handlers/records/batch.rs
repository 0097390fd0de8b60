use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use trellis_model::{Cause, ObjectDefinition, RecordId, Text, bilingual};
use trellis_records::{Caller, DuplicateMatch, Error, Write, Written};

use crate::extract::{JsonBody, ObjectPath, Parameters, Requester};
use crate::handlers::duplicates::{check_of, duplicate_warning};
use crate::idempotency::Once;
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{FieldMap, json, parse_changes, parse_fields};

/// Many changes of one object in one request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchBody {
    operations: Vec<Operation>,
    /// Whether nothing is done where one operation is refused.
    #[serde(default)]
    atomic: bool,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Operation {
    Create { data: FieldMap },
    Update { id: String, data: FieldMap, version: Option<u64> },
    Delete { id: String, version: Option<u64> },
    Restore { id: String },
    Upsert { by: String, data: FieldMap },
}

/// Does up to `batch_rows_max` operations in their order. Each has its own answer, in the same place; the whole is one undoable change.
pub(crate) async fn batch_records(
    State(app): State<App>,
    requester: Requester,
    path: ObjectPath,
    parameters: Parameters,
    once: Once,
    headers: HeaderMap,
    JsonBody(body): JsonBody<BatchBody>,
) -> ApiResult<Response> {
    parameters.finish()?;
    let check = check_of(&headers)?;
    check_count(&app, &body)?;
    let batch = app.records.ids().record_id(app.records.clock().now_ms());
    let ids = ids(&app, &once, body.operations.len());
    let mut answers = Answers::new(body.operations.len());
    let mut writes = Vec::new();
    for ((place, operation), id) in body.operations.into_iter().enumerate().zip(&ids) {
        match operation.write(&path.object, *id) {
            Ok(write) => writes.push((place, write)),
            Err(problem) => answers.refuse(place, &problem, &requester),
        }
    }
    let caller = with_job(&requester.caller, batch);
    let also = |_: usize| once.0.as_ref().map(|claim| claim.mark(&ids)).into_iter().collect::<Vec<_>>();
    let (places, writes): (Vec<usize>, Vec<Write>) = writes.into_iter().unzip();
    let written = if body.atomic && answers.refused > 0 {
        let because_of = answers.first_refused();
        places.iter().map(|_| Err(Error::NotDone { because_of })).collect()
    } else if body.atomic {
        app.records.write_whole_batch(&caller, writes, &also, &check).await?
    } else {
        app.records.write_batch_checked(&caller, writes, &also, &check).await?
    };
    let found = check.found();
    for ((number, place), result) in places.into_iter().enumerate().zip(written) {
        let given = ids.get(place).copied();
        match result {
            Ok(written) => {
                let duplicates = found.get(&number).map(Vec::as_slice).unwrap_or_default();
                answers.done(place, &written, duplicates, &requester);
            }
            // An earlier attempt at the same request created it and was cut off before it could answer.
            Err(Error::Duplicate { field, holder, .. })
                if field.as_str() == "id" && Some(holder) == given =>
            {
                answers.created_before(place, holder);
            }
            Err(error) => answers.refuse(place, &Problem::from(error), &requester),
        }
    }
    answers.into_response(body.atomic, batch)
}

fn check_count(app: &App, body: &BatchBody) -> ApiResult<()> {
    let (count, count_max) = (body.operations.len(), app.records.config().limits.batch_rows_max);
    if count <= count_max {
        return Ok(());
    }
    let message =
        bilingual!("{count} operations, at most {count_max}", "共 {count} 项操作，最多 {count_max} 项");
    Err(Problem::new(Code::ValidationError).field("operations", "too_many", message))
}

/// An id for each operation that creates something: those that an earlier attempt gave, then new ones.
fn ids(app: &App, once: &Once, count: usize) -> Vec<RecordId> {
    let given = once.0.as_ref().map(|claim| claim.ids()).unwrap_or_default();
    let new = || app.records.ids().record_id(app.records.clock().now_ms());
    given.iter().copied().chain(std::iter::repeat_with(new)).take(count).collect()
}

/// The caller with the batch as the cause, so that all of it can be undone together.
fn with_job(caller: &Caller, batch: RecordId) -> Caller {
    Caller { cause: Cause { job: Some(batch), ..caller.cause.clone() }, ..caller.clone() }
}

impl Operation {
    fn write(self, object: &ObjectDefinition, new_id: RecordId) -> ApiResult<Write> {
        let name = object.name.clone();
        let record = |id: &str| {
            RecordId::parse(id)
                .map_err(|_| Problem::not_found(name.as_str(), id.chars().take(100).collect::<String>()))
        };
        Ok(match self {
            Self::Create { data } => {
                Write::Create { object: name, fields: parse_fields(object, data)?, id: Some(new_id) }
            }
            Self::Update { id, data, version } => Write::Update {
                id: record(&id)?,
                changes: parse_changes(object, data)?,
                expected_version: version,
                object: name,
            },
            Self::Delete { id, version } => {
                Write::Delete { id: record(&id)?, expected_version: version, object: name }
            }
            Self::Restore { id } => Write::Restore { id: record(&id)?, object: name },
            Self::Upsert { by, data } => Write::Upsert {
                key_field: super::upsert::unique_field(object, &by)?,
                fields: parse_fields(object, data)?,
                object: name,
            },
        })
    }
}

/// What became of each operation.
#[derive(Debug)]
struct Answers {
    data: Vec<Json>,
    refused: usize,
}

impl Answers {
    fn new(count: usize) -> Self {
        Self { data: vec![Json::Null; count], refused: 0 }
    }

    fn put(&mut self, place: usize, answer: Json) {
        if let Some(slot) = self.data.get_mut(place) {
            *slot = answer;
        }
    }

    fn done(
        &mut self,
        place: usize,
        written: &Written,
        duplicates: &[DuplicateMatch],
        requester: &Requester,
    ) {
        let (status, what) = match written {
            Written::Created(_) => (StatusCode::CREATED, "created"),
            Written::Updated(_) => (StatusCode::OK, "updated"),
            Written::Unchanged(_) => (StatusCode::OK, "unchanged"),
            Written::Restored(_) => (StatusCode::OK, "restored"),
            Written::Deleted => (StatusCode::NO_CONTENT, "deleted"),
        };
        let mut answer = json!({ "index": place, "status": status.as_u16(), "result": what });
        if let (Some(record), Some(answer)) = (written.record(), answer.as_object_mut()) {
            answer.insert("id".into(), record.id.to_string().into());
            answer.insert("version".into(), record.version.into());
            if !duplicates.is_empty() {
                answer
                    .insert("warnings".into(), json!([duplicate_warning(duplicates, requester.language())]));
            }
        }
        self.put(place, answer);
    }

    fn created_before(&mut self, place: usize, id: RecordId) {
        let status = StatusCode::CREATED.as_u16();
        self.put(
            place,
            json!({ "index": place, "status": status, "result": "created", "id": id.to_string() }),
        );
    }

    fn refuse(&mut self, place: usize, problem: &Problem, requester: &Requester) {
        self.refused += 1;
        let mut error = problem.to_json(requester.language(), "");
        let status = error.get("status").cloned();
        if let Some(error) = error.as_object_mut() {
            error.remove("correlation_id");
        }
        self.put(place, json!({ "index": place, "status": status, "error": error }));
    }

    /// The first operation that was refused before any was tried.
    fn first_refused(&self) -> usize {
        self.data.iter().position(|answer| !answer.is_null()).unwrap_or_default()
    }

    fn into_response(self, atomic: bool, batch: RecordId) -> ApiResult<Response> {
        if atomic && self.refused > 0 {
            let count = self.refused;
            let detail = Text::new(
                "all or nothing was asked for, and not all could be done",
                "要求全部执行或全部不执行，而其中有操作无法执行",
            );
            let problem = Problem::new(Code::BatchRefused).detail_text(detail);
            return Err(problem.member("refused", count).member("data", self.data));
        }
        let body = Map::from_iter([
            ("data".to_owned(), Json::Array(self.data)),
            ("refused".to_owned(), self.refused.into()),
            ("job".to_owned(), batch.to_string().into()),
        ]);
        json(StatusCode::OK, &body)
    }
}
