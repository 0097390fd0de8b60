use serde_json::{Map, Value as Json, json};
use trellis_model::{Fields, ObjectDefinition, Record, Scope, Value};
use trellis_records::{EntryBody, FieldChanges, LoggedChange};

use crate::problem::{ApiResult, Problem};
use crate::state::App;

/// Two changes of one record that both started from the same version.
#[derive(Debug)]
pub(super) struct Conflict<'a> {
    mine: &'a FieldChanges,
    current: &'a Record,
    /// The fields as they were in the version that the caller had read; `None` where the log no longer tells.
    base: Option<Fields>,
}

/// How many entries of the record's history are read to find the version that the caller had.
const ENTRIES_MAX: usize = 100;

impl<'a> Conflict<'a> {
    pub(super) async fn between(
        app: &App,
        object: &ObjectDefinition,
        mine: &'a FieldChanges,
        read_version: u64,
        current: &'a Record,
    ) -> ApiResult<Self> {
        let base = base(app, object, read_version, current).await?;
        Ok(Self { mine, current, base })
    }

    /// Whether nobody else touched the fields that the caller changes, or made the same of them.
    pub(super) fn is_mergeable(&self) -> bool {
        let Some(base) = &self.base else { return false };
        self.mine.iter().all(|(field, mine)| {
            let current = self.current.fields.get(field);
            base.get(field) == current || mine.as_ref() == current
        })
    }

    /// Says for each field that both changed what it was, what it is, and what the caller wanted.
    pub(super) fn into_problem(self, object: &ObjectDefinition, scope: &Scope) -> Problem {
        let readable = &scope.of(&object.name).readable;
        let json = |value: Option<&Value>| value.map_or(Json::Null, Value::to_json);
        let mut conflicts = Map::new();
        for (id, mine) in self.mine {
            let Some(field) = object.field_by_id(*id).filter(|field| readable.contains(&field.name)) else {
                continue;
            };
            let current = self.current.fields.get(id);
            let base = self.base.as_ref().map(|base| base.get(id));
            if base == Some(current) || mine.as_ref() == current {
                continue;
            }
            let mut sides = json!({ "current": json(current), "mine": json(mine.as_ref()) });
            if let (Some(base), Some(sides)) = (base, sides.as_object_mut()) {
                sides.insert("base".into(), json(base));
            }
            conflicts.insert(field.name.to_string(), sides);
        }
        Problem::version_conflict(self.current.version)
            .detail_in_both("the record was changed after you read it", "您读取之后该记录已被修改")
            .member("conflicts", conflicts)
    }
}

/// Takes back the record's changes one by one, newest first, until the version that was read.
async fn base(
    app: &App,
    object: &ObjectDefinition,
    read_version: u64,
    current: &Record,
) -> ApiResult<Option<Fields>> {
    let mut fields = current.fields.clone();
    let mut number = current.last_log;
    for _ in 0..ENTRIES_MAX {
        let Some(before) = number.checked_sub(1) else { return Ok(None) };
        let entry = app.records.log_after(before, 1).await?.pop();
        let Some(entry) = entry else { return Ok(None) };
        if entry.position == read_version {
            return Ok(Some(fields));
        }
        let EntryBody::Changes(changes) = entry.body else { return Ok(None) };
        let of_record = |change: &LoggedChange| change.object == object.id && change.id == current.id;
        // Within one entry a record may have changed more than once: the newest comes last.
        let mut previous = None;
        for change in changes.into_iter().rev().filter(of_record) {
            let Some(changed) = change.fields else { return Ok(None) };
            for (field, change) in changed {
                match change.before {
                    Some(value) => fields.insert(field, value),
                    None => fields.remove(&field),
                };
            }
            previous = Some(change.previous);
        }
        match previous {
            Some(previous) if entry.position > read_version => number = previous,
            _ => return Ok(None),
        }
    }
    Ok(None)
}
