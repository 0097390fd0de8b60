//! One change of the schema: definitions, their marks, the version, its history and its log entry in one write set.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use trellis_model::{Actor, Cause, ObjectId, Phrase};
use trellis_storage::{Bound, Limits, Position, Row, ScanRange, StampPlace, StampSource, Store, WriteSet};

use super::diff::SchemaStep;
use super::stored::StoredObject;
use super::{Part, Schema};
use crate::codec::chunks;
use crate::keys::{self, Key, KeyKind};
use crate::log::{self, EntryBody, NewEntry};
use crate::records::counter;
use crate::{Clock, Error, IdSource, Result};

/// Rows of a page when definitions are read.
const PAGE_ROWS: usize = 200;
/// Bytes of definitions that a log entry repeats; beyond that it only names the objects, whose definitions the history has.
const LOGGED_BYTES_MAX: usize = 512 << 10;

/// All definitions as they are stored, with what a change of them relies on.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    pub(super) objects: Vec<StoredObject>,
    pub(super) version: u64,
    /// Where the version was last written.
    counter: Option<Position>,
}

/// What a change writes.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) actor: Actor,
    pub(super) cause: Cause,
    /// The name of the log entry.
    pub(super) event: &'static str,
    pub(super) steps: Vec<SchemaStep>,
    /// The objects that are new or other than stored.
    pub(super) objects: Vec<StoredObject>,
    /// Keys of builds that are done.
    pub(super) done: Vec<Vec<u8>>,
}

/// Reads all definitions.
pub(crate) async fn load(store: &dyn Store) -> Result<Schema> {
    Stored::load(store).await?.schema()
}

impl Stored {
    pub(super) async fn load(store: &dyn Store) -> Result<Self> {
        let (version, position) = match store.get(&keys::schema_counter()).await? {
            Some(found) => (counter(&found)?, Some(found.position)),
            None => (0, None),
        };
        let marks = marks(store).await?;
        let mut rows = scan(store, &Key::new(KeyKind::Object).done()).await?.into_iter();
        let mut objects = Vec::new();
        while let Some(row) = rows.next() {
            let (body, parts) = joined(&row, &mut rows)?;
            let mut object = StoredObject::from_bytes(&body)?;
            (object.parts, object.mark) = (parts, marks.get(&object.id()).copied());
            objects.push(object);
        }
        Ok(Self { objects, version, counter: position })
    }

    /// The schema as it is stored.
    pub(super) fn schema(&self) -> Result<Schema> {
        let parts: Vec<Part> = self.objects.iter().map(StoredObject::part).collect::<Result<_>>()?;
        Schema::of(parts, self.version)
    }

    pub(super) fn object(&self, name: &str) -> Option<&StoredObject> {
        self.objects.iter().find(|object| object.definition.name == name)
    }

    /// The number of the next new object.
    pub(super) fn next_id(&self) -> ObjectId {
        ObjectId(self.objects.iter().map(|object| object.id().0).max().unwrap_or_default() + 1)
    }

    /// What will be stored after a change.
    pub(super) fn with(&self, changed: &[StoredObject]) -> Self {
        let is_changed = |object: &&StoredObject| !changed.iter().any(|other| other.id() == object.id());
        let mut objects: Vec<StoredObject> =
            self.objects.iter().filter(is_changed).chain(changed).cloned().collect();
        objects.sort_by_key(StoredObject::id);
        Self { objects, ..*self }
    }

    /// Commits a change; returns what is stored then, with the number of the log entry.
    pub(super) async fn commit(
        &self,
        store: &dyn Store,
        clock: &dyn Clock,
        ids: &dyn IdSource,
        change: Change,
    ) -> Result<(Self, u64)> {
        let mut after = self.with(&change.objects);
        after.version = self.version + 1;
        let now_ms = clock.now_ms();
        let set = self.write_set(&change, after.version, now_ms, ids.salt())?;
        let (limits, bytes, keys) = (Limits::default(), set.bytes(), set.keys());
        if bytes > limits.write_set_bytes_max {
            let what = Phrase::new("bytes in a change of the schema", "一次结构变更的字节数");
            return Err(Error::TooMany { what, count: bytes, count_max: limits.write_set_bytes_max });
        }
        if keys > limits.write_set_keys_max {
            let what = Phrase::new("keys in a change of the schema", "一次结构变更的键数");
            return Err(Error::TooMany { what, count: keys, count_max: limits.write_set_keys_max });
        }
        let committed = store.commit(set).await?;
        let changed: BTreeSet<ObjectId> = change.objects.iter().map(StoredObject::id).collect();
        for object in after.objects.iter_mut().filter(|object| changed.contains(&object.id())) {
            object.mark = Some(committed.position);
            object.parts = further_parts(&object.to_bytes());
        }
        after.counter = Some(committed.position);
        let log = committed.counters.last().copied().unwrap_or_default();
        Ok((after, log))
    }

    fn write_set(&self, change: &Change, version: u64, now_ms: i64, salt: [u8; 16]) -> Result<WriteSet> {
        let mut set = WriteSet::new();
        match self.counter {
            Some(position) => set.expect_written_at(keys::schema_counter(), position),
            None => set.expect_absent(keys::schema_counter()),
        };
        set.put(keys::schema_counter(), version.to_be_bytes());
        let new = change.objects.iter().filter(|object| object.id() >= self.next_id()).count();
        if new > 0 {
            let last = self.next_id().0 - 1;
            set.expect_counter(keys::object_counter(), Bound::AtMost(u64::from(last)));
            set.add(keys::object_counter(), i64::try_from(new).unwrap_or(i64::MAX));
        }
        for object in &change.objects {
            self.put_object(&mut set, object, version);
        }
        for key in &change.done {
            set.delete(key.clone());
        }
        let entry = NewEntry {
            actor: change.actor.clone(),
            cause: change.cause.clone(),
            body: EntryBody::Event { name: change.event.into(), data: self.logged(change, version) },
        };
        let number = log::append(&mut set, &entry, now_ms, salt)?;
        let steps: Vec<Json> = change.steps.iter().map(SchemaStep::to_json).collect();
        let objects: Vec<&str> = names(change);
        let body = json!({ "format": 1, "event": change.event, "steps": steps, "objects": objects });
        let key = keys::schema_version(version, 0);
        let (first, further) = chunks::split(&key, body.to_string().as_bytes());
        let put = set.put(key, first);
        set.stamp(StampPlace::Value(put, chunks::STAMP_AT), StampSource::Counter(number));
        for (part, value) in (1_u16..).zip(further) {
            set.put(keys::schema_version(version, part), value);
        }
        Ok(set)
    }

    fn put_object(&self, set: &mut WriteSet, object: &StoredObject, version: u64) {
        let id = object.id();
        match object.mark {
            Some(position) => set.expect_written_at(keys::schema_mark(id), position),
            None => set.expect_absent(keys::schema_mark(id)),
        };
        set.put(keys::schema_mark(id), version.to_be_bytes());
        let parts = put_parts(set, &object.to_bytes(), |part| keys::object(id, part));
        for part in (1..=object.parts).skip(usize::from(parts)) {
            set.delete(keys::object(id, part));
        }
        for part in object.begun_since(self.object(&object.definition.name)) {
            set.delete(keys::build_cursor(id, part));
        }
        if object.defines_other_than(self.object(&object.definition.name)) {
            let definition = serde_json::to_vec(&object.definition).expect("a definition has only text keys");
            put_parts(set, &definition, |part| keys::schema_object(id, version, part));
        }
    }

    fn logged(&self, change: &Change, version: u64) -> Json {
        let definition =
            |object: &StoredObject| (object.definition.name.clone(), object.definition.to_json());
        let old = |object: &StoredObject| self.object(&object.definition.name);
        let other = |object: &&StoredObject| object.defines_other_than(old(object));
        let changed: Vec<&StoredObject> = change.objects.iter().filter(other).collect();
        let before: serde_json::Map<String, Json> =
            changed.iter().filter_map(|object| old(object)).map(definition).collect();
        let after: serde_json::Map<String, Json> = changed.into_iter().map(definition).collect();
        let steps: Vec<Json> = change.steps.iter().map(SchemaStep::to_json).collect();
        let mut data = json!({ "version": version, "objects": names(change), "steps": steps });
        let (before, after) = (Json::Object(before), Json::Object(after));
        let fits = before.to_string().len() + after.to_string().len() <= LOGGED_BYTES_MAX;
        if let (Some(data), true) = (data.as_object_mut(), fits) {
            data.insert("before".into(), before);
            data.insert("after".into(), after);
        }
        data
    }
}

fn names(change: &Change) -> Vec<&str> {
    change.objects.iter().map(|object| object.definition.name.as_str()).collect()
}

/// Puts a body in parts; returns how many further keys it takes.
fn put_parts(set: &mut WriteSet, body: &[u8], key: impl Fn(u16) -> Vec<u8>) -> u16 {
    let first_key = key(0);
    let (first, further) = chunks::split(&first_key, body);
    let parts = u16::try_from(further.len()).expect("a definition is at most 1 MiB");
    set.put(first_key, first);
    for (part, value) in (1_u16..).zip(further) {
        set.put(key(part), value);
    }
    parts
}

fn further_parts(body: &[u8]) -> u16 {
    u16::try_from(chunks::split(&[], body).1.len()).expect("a definition is at most 1 MiB")
}

async fn marks(store: &dyn Store) -> Result<BTreeMap<ObjectId, Position>> {
    let rows = scan(store, &Key::new(KeyKind::SchemaMark).done()).await?;
    let mark = |row: &Row| {
        let id =
            row.key.last_chunk::<4>().ok_or_else(|| Error::damaged("a schema mark's key is too short"))?;
        Ok((ObjectId(u32::from_be_bytes(*id)), row.position))
    };
    rows.iter().map(mark).collect()
}

/// All rows of a prefix.
pub(super) async fn scan(store: &dyn Store, prefix: &[u8]) -> Result<Vec<Row>> {
    let mut range = ScanRange::prefix(prefix);
    let mut rows = Vec::new();
    loop {
        let page = store.scan(range.clone(), PAGE_ROWS).await?;
        let more = page.more;
        rows.extend(page.rows);
        match rows.last() {
            Some(last) if more => range = range.after(&last.key),
            _ => return Ok(rows),
        }
    }
}

/// The body that begins with a row and goes on in those after it, with the number of further parts.
pub(super) fn joined(first: &Row, rows: &mut impl Iterator<Item = Row>) -> Result<(Vec<u8>, u16)> {
    let (prefix, beginning) = chunks::prefix(&first.value)?;
    let mut body = beginning.to_vec();
    for _ in 0..prefix.parts {
        let part = rows.next().ok_or_else(|| Error::damaged("an object definition ends too early"))?;
        body.extend_from_slice(&part.value);
    }
    prefix.verify(&first.key, &body)?;
    Ok((body, prefix.parts))
}
