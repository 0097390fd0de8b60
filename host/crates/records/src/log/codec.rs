//! How a log entry stands in the store: a header that stays and a payload that expires.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use trellis_model::{Actor, Cause, ChangeKind, FieldChange, FieldId, ObjectId, PluginId, RecordId, Via};

use super::{EntryBody, EventRef, LoggedChange, NewEntry};
use crate::codec::bytes::{Reader, Writer};
use crate::codec::value;
use crate::{Error, Result};

/// A header as it stands in the store.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Header {
    pub(crate) time_ms: i64,
    pub(crate) actor: Actor,
    pub(crate) cause: Cause,
    /// BLAKE3 of the payload's body, which begins with its salt.
    pub(crate) digest: [u8; 32],
    pub(crate) subject: Subject,
}

/// What an entry is about, without what its payload says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    Changes(Vec<LoggedChange>),
    Event(String),
}

/// The payload's body: salt, then for each change its fields, or an event's data.
pub(crate) fn payload(salt: [u8; 16], body: &EntryBody) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.raw(&salt);
    match body {
        EntryBody::Changes(changes) => {
            changes.iter().for_each(|change| write_fields(&mut writer, change.fields.as_ref()))
        }
        EntryBody::Event { data, .. } => writer.raw(data.to_string().as_bytes()),
    }
    writer.0
}

fn write_fields(writer: &mut Writer, fields: Option<&BTreeMap<FieldId, FieldChange>>) {
    writer.varint(fields.map_or(0, BTreeMap::len) as u64);
    for (id, change) in fields.into_iter().flatten() {
        writer.varint(u64::from(id.0));
        let there = u8::from(change.before.is_some()) | u8::from(change.after.is_some()) << 1;
        writer.u8(there);
        change.before.iter().chain(&change.after).for_each(|side| value::write(writer, side));
    }
}

/// Joins what header and payload say; without a payload the fields are `None` and an event's data is null.
pub(crate) fn body(subject: Subject, payload: Option<&[u8]>) -> Result<EntryBody> {
    let mut reader = payload.map(Reader);
    if let Some(reader) = &mut reader {
        reader.array::<16>()?;
    }
    match subject {
        Subject::Event(name) => {
            let data = reader.map(|reader| serde_json::from_slice(reader.0));
            let data = data.transpose().map_err(|_| Error::damaged("the data of a log entry is no JSON"))?;
            Ok(EntryBody::Event { name, data: data.unwrap_or(Json::Null) })
        }
        Subject::Changes(mut changes) => {
            for change in &mut changes {
                change.fields = reader.as_mut().map(read_fields).transpose()?;
            }
            Ok(EntryBody::Changes(changes))
        }
    }
}

fn read_fields(reader: &mut Reader<'_>) -> Result<BTreeMap<FieldId, FieldChange>> {
    let count = reader.varint()?;
    let mut fields = BTreeMap::new();
    for _ in 0..count {
        let id = FieldId(reader.varint_u32()?);
        let there = reader.u8()?;
        let mut side = |bit: u8| if there & bit != 0 { value::read(reader).map(Some) } else { Ok(None) };
        let change = FieldChange { before: side(1)?, after: side(2)? };
        fields.insert(id, change);
    }
    Ok(fields)
}

/// The header's body, without number and position, which the writer stamps.
pub(crate) fn header(entry: &NewEntry, time_ms: i64, digest: [u8; 32]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.signed(time_ms);
    write_actor(&mut writer, &entry.actor);
    write_cause(&mut writer, &entry.cause);
    writer.raw(&digest);
    match &entry.body {
        EntryBody::Changes(changes) => {
            writer.u8(1);
            writer.varint(changes.len() as u64);
            changes.iter().for_each(|change| write_change(&mut writer, change));
        }
        EntryBody::Event { name, .. } => {
            writer.u8(2);
            writer.text(name);
        }
    }
    writer.0
}

/// Reads what [`header`] wrote.
pub(crate) fn read_header(body: &[u8]) -> Result<Header> {
    let reader = &mut Reader(body);
    let time_ms = reader.signed()?;
    let (actor, cause) = (read_actor(reader)?, read_cause(reader)?);
    let digest = reader.array()?;
    let subject = match reader.u8()? {
        1 => {
            let count = reader.varint()?;
            Subject::Changes((0..count).map(|_| read_change(reader)).collect::<Result<_>>()?)
        }
        2 => Subject::Event(reader.text()?.to_owned()),
        tag => return Err(Error::damaged(format!("a log entry is of the unknown kind {tag}"))),
    };
    Ok(Header { time_ms, actor, cause, digest, subject })
}

fn write_change(writer: &mut Writer, change: &LoggedChange) {
    writer.varint(u64::from(change.object.0));
    writer.raw(change.id.as_bytes());
    writer.u8(match change.kind {
        ChangeKind::Created => 1,
        ChangeKind::Updated => 2,
        ChangeKind::Deleted => 3,
        ChangeKind::Restored => 4,
    });
    writer.varint(change.previous);
    writer.option(change.ordinal);
    write_event(writer, change.event);
    write_event(writer, change.event_before);
}

fn write_event(writer: &mut Writer, event: Option<EventRef>) {
    writer.u8(u8::from(event.is_some()));
    if let Some(event) = event {
        writer.varint(u64::from(event.target_object.0));
        writer.varint(event.target_ordinal);
        writer.signed(event.time);
    }
}

fn read_event(reader: &mut Reader<'_>) -> Result<Option<EventRef>> {
    if reader.u8()? == 0 {
        return Ok(None);
    }
    let target_object = ObjectId(reader.varint_u32()?);
    Ok(Some(EventRef { target_object, target_ordinal: reader.varint()?, time: reader.signed()? }))
}

fn read_change(reader: &mut Reader<'_>) -> Result<LoggedChange> {
    Ok(LoggedChange {
        object: ObjectId(reader.varint_u32()?),
        id: reader.id()?,
        kind: match reader.u8()? {
            1 => ChangeKind::Created,
            2 => ChangeKind::Updated,
            3 => ChangeKind::Deleted,
            4 => ChangeKind::Restored,
            tag => return Err(Error::damaged(format!("a change is of the unknown kind {tag}"))),
        },
        previous: reader.varint()?,
        ordinal: reader.option()?,
        event: read_event(reader)?,
        event_before: read_event(reader)?,
        fields: None,
    })
}

fn write_actor(writer: &mut Writer, actor: &Actor) {
    match actor {
        Actor::User { id, via } => {
            writer.u8(1);
            writer.raw(id.as_bytes());
            let (tag, public_id) = match via {
                Via::Token(id) => (1, id),
                Via::Session(id) => (2, id),
            };
            writer.u8(tag);
            writer.text(public_id);
        }
        Actor::Plugin { id, version, for_user } => {
            writer.u8(2);
            writer.text(id.as_str());
            writer.text(version);
            write_id(writer, *for_user);
        }
        Actor::Rule { id, version, for_user } => {
            writer.u8(3);
            writer.raw(id.as_bytes());
            writer.varint(*version);
            write_id(writer, *for_user);
        }
        Actor::System { component } => {
            writer.u8(4);
            writer.text(component);
        }
    }
}

fn read_actor(reader: &mut Reader<'_>) -> Result<Actor> {
    Ok(match reader.u8()? {
        1 => {
            let id = reader.id()?;
            let via = match reader.u8()? {
                1 => Via::Token(reader.text()?.to_owned()),
                2 => Via::Session(reader.text()?.to_owned()),
                tag => return Err(Error::damaged(format!("a sign-in is of the unknown kind {tag}"))),
            };
            Actor::User { id, via }
        }
        2 => Actor::Plugin {
            id: PluginId::new(reader.text()?).map_err(|error| Error::damaged(error.to_string()))?,
            version: reader.text()?.to_owned(),
            for_user: read_id(reader)?,
        },
        3 => Actor::Rule { id: reader.id()?, version: reader.varint()?, for_user: read_id(reader)? },
        4 => Actor::System { component: reader.text()?.to_owned() },
        tag => return Err(Error::damaged(format!("an actor is of the unknown kind {tag}"))),
    })
}

fn write_cause(writer: &mut Writer, cause: &Cause) {
    write_id(writer, cause.job);
    writer.option(cause.log);
    writer.u8(cause.depth);
    writer.u8(u8::from(cause.automations_off));
}

fn read_cause(reader: &mut Reader<'_>) -> Result<Cause> {
    Ok(Cause {
        job: read_id(reader)?,
        log: reader.option()?,
        depth: reader.u8()?,
        automations_off: reader.u8()? != 0,
    })
}

fn write_id(writer: &mut Writer, id: Option<RecordId>) {
    writer.u8(u8::from(id.is_some()));
    id.iter().for_each(|id| writer.raw(id.as_bytes()));
}

fn read_id(reader: &mut Reader<'_>) -> Result<Option<RecordId>> {
    if reader.u8()? == 0 { Ok(None) } else { reader.id().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> RecordId {
        RecordId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn entries_come_back_as_they_went_in() {
        let check = |actor: Actor, cause: Cause, entry_body: EntryBody| {
            let payload = payload([7; 16], &entry_body);
            let entry = NewEntry { actor, cause, body: entry_body.clone() };
            let read = read_header(&header(&entry, -5, [9; 32])).unwrap();
            assert_eq!((read.time_ms, read.digest), (-5, [9; 32]));
            assert_eq!((read.actor, read.cause), (entry.actor, entry.cause));
            assert_eq!(body(read.subject, Some(&payload)).unwrap(), entry_body);
        };
        let event =
            || EntryBody::Event { name: "run.flipped".into(), data: serde_json::json!({"a": [1, "名"]}) };
        let cause = Cause { job: Some(id(3)), log: Some(77), depth: 2, automations_off: true };
        check(Actor::System { component: "import".into() }, Cause::default(), event());
        check(Actor::User { id: id(1), via: Via::Token("t".into()) }, cause.clone(), event());
        check(Actor::User { id: id(1), via: Via::Session("s".into()) }, cause, event());
        let plugin = PluginId::new("retail-rfm").unwrap();
        check(
            Actor::Plugin { id: plugin, version: "1.0.0".into(), for_user: Some(id(2)) },
            Cause::default(),
            event(),
        );
        let change = |kind, event| LoggedChange {
            object: ObjectId(5),
            id: id(8),
            kind,
            previous: 12,
            ordinal: Some(4),
            event,
            event_before: event,
            fields: Some(BTreeMap::from([(
                FieldId(2),
                FieldChange { before: None, after: Some(trellis_model::Value::Bool(true)) },
            )])),
        };
        let at = EventRef { target_object: ObjectId(2), target_ordinal: 2356, time: -1 };
        let changes = [ChangeKind::Created, ChangeKind::Updated, ChangeKind::Deleted, ChangeKind::Restored];
        let changes =
            changes.map(|kind| change(kind, Some(at))).into_iter().chain([change(ChangeKind::Updated, None)]);
        check(
            Actor::Rule { id: id(4), version: 3, for_user: None },
            Cause::default(),
            EntryBody::Changes(changes.collect()),
        );
    }

    #[test]
    fn an_expired_payload_leaves_the_header() {
        assert_eq!(
            body(Subject::Event("x".into()), None).unwrap(),
            EntryBody::Event { name: "x".into(), data: Json::Null }
        );
    }
}
