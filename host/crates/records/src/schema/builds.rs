//! Indexes that come to be, or go, while records are read and written.
//!
//! From the commit of the definition on, every save maintains a new index, since it demands that the definition has not changed. What
//! was there before is added page by page: first what an earlier index of the same number left is deleted, then each record gets its
//! entry, on condition that it has not changed meanwhile. Reads use the index once all of that is done.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use trellis_model::{FieldId, ObjectId, ObjectName, RecordId, Text, Value, bilingual};
use trellis_storage::{Position, Row, ScanRange, WriteSet};

use super::change::{Change, Stored};
use super::install::from_json;
use super::{Object, SchemaStep, SchemaStepKind};
use crate::index::{IndexPart, IndexState, Kept, encode, entries};
use crate::keys::{self, KeyKind};
use crate::ordinals::id_of;
use crate::{Caller, Error, Records, Result};

/// Records of a page.
const PAGE_ROWS: usize = 200;
/// Keys that are deleted at once.
const DELETE_ROWS: usize = 1_000;
/// Shared values that are named where a field cannot be unique.
const DUPLICATES_MAX: usize = 20;

/// An index that is to be built or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingBuild {
    /// Of which object.
    pub object: ObjectName,
    /// Its name: a field, or several as `account, ordered_on`.
    pub name: String,
    /// Whether it is built; otherwise it is deleted.
    pub building: bool,
    id: ObjectId,
    part: IndexPart,
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildEnd {
    /// It is ready, or gone.
    Finished,
    /// It was told to stop; the next one goes on from there.
    Stopped,
    /// There was nothing to do: somebody else did it.
    Nothing,
}

/// How far a build is, as its key has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    /// What is left of an earlier index is being deleted.
    Deleting,
    /// Records up to this one have their entries.
    Adding(Option<RecordId>),
}

/// What a step of a build came to.
enum Step {
    /// So many records were looked at; there may be more.
    Next(u64),
    Done,
    /// Somebody changed something meanwhile.
    Again,
    Duplicates(Vec<(Value, RecordId, RecordId)>),
}

impl Records {
    /// What is to be built or deleted.
    pub fn pending_builds(&self) -> Vec<PendingBuild> {
        let schema = self.schema();
        let of_object = |object: &std::sync::Arc<trellis_model::ObjectDefinition>| {
            let pending = schema.kept(object.id).map(|kept| kept.pending.clone()).unwrap_or_default();
            let (object, schema) = (std::sync::Arc::clone(object), &schema);
            let build = move |(part, state): (IndexPart, IndexState)| PendingBuild {
                object: object.name.clone(),
                name: schema.name_of(object.id, part),
                building: state == IndexState::Building,
                id: object.id,
                part,
            };
            pending.into_iter().map(build).collect::<Vec<_>>()
        };
        schema.objects().flat_map(of_object).collect()
    }

    /// Builds or deletes an index, however far an earlier build got. One is built after the other. `progress` hears how many records
    /// were looked at since it was last called, and says whether to go on.
    ///
    /// # Errors
    /// [`Error::NotUnique`] where records share a value: the field is no longer unique then. Failures of the store.
    pub async fn build_index(
        &self,
        caller: &Caller,
        build: &PendingBuild,
        progress: &(dyn Fn(u64) -> ControlFlow<()> + Send + Sync),
    ) -> Result<BuildEnd> {
        let _building = self.index_building.lock().await;
        let mut rows_max = PAGE_ROWS;
        loop {
            let schema = self.schema();
            let Some(object) = schema.full(build.id) else { return Ok(BuildEnd::Nothing) };
            let Some(state) = schema.kept(build.id).and_then(|kept| kept.pending.get(&build.part)).copied()
            else {
                return Ok(BuildEnd::Nothing);
            };
            let cursor = self.cursor(build).await?;
            let step = match cursor {
                Cursor::Deleting => self.delete_page(&object, build.part, state).await,
                Cursor::Adding(after) => self.add_page(&object, build.part, after, rows_max).await,
            };
            match step {
                Ok(Step::Next(rows)) => {
                    rows_max = (rows_max * 2).min(PAGE_ROWS);
                    if progress(rows).is_break() {
                        return Ok(BuildEnd::Stopped);
                    }
                }
                Ok(Step::Done) => {
                    if self.finish(caller, build).await? {
                        return Ok(BuildEnd::Finished);
                    }
                }
                Ok(Step::Duplicates(duplicates)) => return self.not_unique(caller, build, duplicates).await,
                Ok(Step::Again) => rows_max = (rows_max / 2).max(1),
                Err(Error::Storage(trellis_storage::Error::PreconditionFailed { key, .. })) => {
                    rows_max = (rows_max / 2).max(1);
                    if key.first() == Some(&(KeyKind::SchemaMark as u8)) {
                        self.refresh_schema().await?;
                    }
                }
                Err(error) => return Err(error),
            }
            tokio::task::yield_now().await;
        }
    }

    async fn cursor(&self, build: &PendingBuild) -> Result<Cursor> {
        let Some(found) = self.store().get(&keys::build_cursor(build.id, build.part)).await? else {
            return Ok(Cursor::Deleting);
        };
        if found.value.is_empty() {
            Ok(Cursor::Adding(None))
        } else {
            Ok(Cursor::Adding(Some(id_of(&found.value)?)))
        }
    }

    /// Deletes a page of what is there. While an index is built saves may delete and add entries too: records are looked at only once
    /// nothing is left, so that none of theirs is missing in the end.
    async fn delete_page(&self, object: &Object, part: IndexPart, state: IndexState) -> Result<Step> {
        let page = self.store().scan(ScanRange::prefix(&part.prefix(object.id)), DELETE_ROWS).await?;
        let mut set = on_condition(object);
        for row in &page.rows {
            // A save may have written it since: then the page is looked at again.
            set.expect_written_at(row.key.to_vec(), row.position);
            set.delete(row.key.to_vec());
        }
        let is_last = !page.more;
        if is_last && state == IndexState::Building {
            set.put(keys::build_cursor(object.id, part), Vec::new());
        }
        self.store().commit(set).await?;
        Ok(if is_last && state == IndexState::Dropping { Step::Done } else { Step::Next(0) })
    }

    /// Adds the entries of the records after one.
    async fn add_page(
        &self,
        object: &Object,
        part: IndexPart,
        after: Option<RecordId>,
        rows_max: usize,
    ) -> Result<Step> {
        let mut range = ScanRange::prefix(&keys::records_of(object.id).done());
        if let Some(after) = after {
            range = range.after(&keys::record(object.id, after));
        }
        let page = self.store().scan(range, rows_max).await?;
        let Some(last) = page.rows.last().and_then(|row| keys::id_at_end(&row.key)) else {
            return Ok(Step::Done);
        };
        let mut set = on_condition(object);
        let mut claimed: BTreeMap<Vec<u8>, RecordId> = BTreeMap::new();
        let mut duplicates = Vec::new();
        for row in &page.rows {
            if !self.add_row(object, part, row, &mut set, &mut claimed, &mut duplicates).await? {
                return Ok(Step::Again);
            }
        }
        if !duplicates.is_empty() {
            return Ok(Step::Duplicates(duplicates));
        }
        set.put(keys::build_cursor(object.id, part), last.as_bytes());
        self.store().commit(set).await?;
        Ok(Step::Next(page.rows.len() as u64))
    }

    /// Adds the entry of one record; returns whether it could be read as it was found.
    async fn add_row(
        &self,
        object: &Object,
        part: IndexPart,
        row: &Row,
        set: &mut WriteSet,
        claimed: &mut BTreeMap<Vec<u8>, RecordId>,
        duplicates: &mut Vec<(Value, RecordId, RecordId)>,
    ) -> Result<bool> {
        let id = keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("a record's key is too short"))?;
        let Some(loaded) = self.load(object.id, id).await? else { return Ok(true) };
        if Position(loaded.record.version) != row.position {
            return Ok(false);
        }
        if loaded.record.is_deleted() {
            return Ok(true);
        }
        match part {
            IndexPart::Index(number) => {
                let index = object.indexes.indexes.iter().find(|index| index.number == number);
                if let Some(key) = index.and_then(|index| entries::key(index, &loaded.record)) {
                    set.put(key, Vec::new());
                    set.expect_written_at(row.key.to_vec(), row.position);
                }
            }
            IndexPart::Match(..) => {
                let key = object.indexes.match_keys.iter().find(|key| key.part() == part);
                if let Some(key) = key.and_then(|key| key.entry(&loaded.record)) {
                    set.put(key, Vec::new());
                    set.expect_written_at(row.key.to_vec(), row.position);
                }
            }
            IndexPart::Unique(field) => {
                let Some(value) = loaded.record.fields.get(&FieldId(field)) else { return Ok(true) };
                let key = keys::unique(object.id, FieldId(field), &encode::exact(value));
                let holder = match claimed.get(&key) {
                    Some(holder) => Some(*holder),
                    None => self.store().get(&key).await?.map(|found| id_of(&found.value)).transpose()?,
                };
                match holder {
                    Some(holder) if holder == id => {}
                    Some(holder) => duplicates.push((value.clone(), holder, id)),
                    None => {
                        claimed.insert(key.clone(), id);
                        set.expect_absent(key.clone());
                        set.expect_written_at(row.key.to_vec(), row.position);
                        set.put(key, id.as_bytes());
                    }
                }
            }
        }
        Ok(true)
    }

    /// Notes that an index is ready or gone; returns false where the schema changed meanwhile, so that it has to be looked at again.
    async fn finish(&self, caller: &Caller, build: &PendingBuild) -> Result<bool> {
        let _changing = self.schema_changing.lock().await;
        let stored = Stored::load(&**self.store()).await?;
        let Some(object) = stored.objects.iter().find(|object| object.id() == build.id) else {
            return Ok(true);
        };
        let kept: Kept = object.kept(&object.object()?);
        let state = if build.building { IndexState::Building } else { IndexState::Dropping };
        if kept.pending.get(&build.part) != Some(&state) {
            return Ok(false);
        }
        let (name, of) = (&build.name, &build.object);
        let text = if build.building {
            bilingual!("the index of `{of}` over {name} is ready", "`{of}` 的 {name} 索引已就绪")
        } else {
            bilingual!("the index of `{of}` over {name} is deleted", "`{of}` 的 {name} 索引已删除")
        };
        let change = change(caller, build, text, object.finished(build.part));
        self.schema_commit(&stored, change).await?;
        Ok(true)
    }

    /// Takes back that a field shall be unique.
    async fn not_unique(
        &self,
        caller: &Caller,
        build: &PendingBuild,
        mut duplicates: Vec<(Value, RecordId, RecordId)>,
    ) -> Result<BuildEnd> {
        duplicates.truncate(DUPLICATES_MAX);
        let _changing = self.schema_changing.lock().await;
        let stored = Stored::load(&**self.store()).await?;
        let Some(object) = stored.objects.iter().find(|object| object.id() == build.id) else {
            return Ok(BuildEnd::Nothing);
        };
        let mut json = object.definition.to_json();
        let fields = json.get_mut("fields").and_then(serde_json::Value::as_array_mut).into_iter().flatten();
        for field in fields.filter(|field| super::merge::name_of(field) == Some(&build.name)) {
            field["unique"] = false.into();
        }
        let after = object.with(from_json(&object.definition.name, json)?)?;
        let (name, of) = (&build.name, &build.object);
        let text = bilingual!(
            "`{name}` of `{of}` cannot be unique: records share values of it",
            "`{of}` 的 `{name}` 不能设为唯一：有记录的值相同"
        );
        let change = Change { event: "schema.build-failed", ..change(caller, build, text, after) };
        self.schema_commit(&stored, change).await?;
        let field = trellis_model::FieldName::new(name)?;
        let duplicates =
            duplicates.into_iter().map(|(value, first, second)| (value.canonical(), first, second));
        Err(Error::NotUnique { object: of.clone(), field, duplicates: duplicates.collect() })
    }
}

fn change(caller: &Caller, build: &PendingBuild, text: Text, object: super::stored::StoredObject) -> Change {
    let step = SchemaStep {
        kind: SchemaStepKind::FinishIndex,
        object: build.object.to_string(),
        part: Some(build.name.clone()),
        destructive: false,
        text,
    };
    Change {
        actor: caller.actor.clone(),
        cause: caller.cause.clone(),
        event: "schema.changed",
        steps: vec![step],
        objects: vec![object],
        done: vec![keys::build_cursor(build.id, build.part)],
    }
}

/// A write set that fails where the object's definition has changed.
fn on_condition(object: &Object) -> WriteSet {
    let mut set = WriteSet::new();
    object.expect_unchanged(&mut set);
    set
}

impl Object {
    /// Demands that the definition has not changed.
    pub(crate) fn expect_unchanged(&self, set: &mut WriteSet) {
        match self.mark {
            Some(position) => set.expect_written_at(keys::schema_mark(self.id), position),
            None => set.expect_absent(keys::schema_mark(self.id)),
        };
    }
}
