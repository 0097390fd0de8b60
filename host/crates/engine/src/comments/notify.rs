//! Who hears of a comment.

use std::collections::BTreeMap;

use serde_json::json;
use trellis_model::{
    Actor, Cause, ChangeKind, Filter, Language, NamedRecord, ObjectName, Op, Path, RecordId, Scope, Value,
};
use trellis_records::{Caller, EntryBody, Error as RecordsError, LogEntry, LoggedChange, Query, Write};
use uuid::Uuid;

use super::COMMENT;
use crate::{Error, Result, core::Core, react::may_help_to_retry};

/// Characters of a notification's subject.
const SUBJECT_CHARACTERS_MAX: usize = 500;
/// The highest bits of a UUIDv7's second half, and its version.
const VARIANT: u64 = 0x8000_0000_0000_0000;
const VERSION: u64 = 0x7000;

/// Notifies those whom the comments of a page of the log concern. Each notification has an id that follows from the log entry, the comment
/// and the user: however often a page is looked at, nobody hears of a comment twice.
///
/// # Errors
/// Only what may go well when the page is looked at again.
pub(crate) async fn react(core: &Core, entries: &[LogEntry]) -> Result<()> {
    let schema = core.records.schema();
    let Some(object) = schema.object(COMMENT) else { return Ok(()) };
    let mentions = object.field("mentions").map(|field| field.id);
    for entry in entries.iter().filter(|entry| !entry.cause.automations_off) {
        let EntryBody::Changes(changes) = &entry.body else { continue };
        for change in changes.iter().filter(|change| change.object == object.id) {
            let mentioned = mentions.map(|field| newly(change, field)).unwrap_or_default();
            if change.kind != ChangeKind::Created && mentioned.is_empty() {
                continue;
            }
            match notify(core, entry, change, &mentioned).await {
                Err(error) if may_help_to_retry(&error) => return Err(error),
                Err(error) => {
                    tracing::error!(entry = entry.number, comment = %change.id, code = error.code(), "nobody was notified of a comment: {error}");
                }
                Ok(()) => {}
            }
        }
    }
    Ok(())
}

/// Whom a change mentions that was not mentioned before.
fn newly(change: &LoggedChange, field: trellis_model::FieldId) -> Vec<RecordId> {
    let ids = |value: Option<&Value>| match value {
        Some(Value::List(values)) => values
            .iter()
            .filter_map(|value| if let Value::Reference(id) = value { Some(*id) } else { None })
            .collect(),
        _ => Vec::new(),
    };
    let Some(changed) = change.fields.as_ref().and_then(|fields| fields.get(&field)) else {
        return Vec::new();
    };
    let before: Vec<RecordId> = ids(changed.before.as_ref());
    ids(changed.after.as_ref()).into_iter().filter(|id| !before.contains(id)).collect()
}

async fn notify(core: &Core, entry: &LogEntry, change: &LoggedChange, mentioned: &[RecordId]) -> Result<()> {
    let comment = ObjectName::new(COMMENT).map_err(RecordsError::from)?;
    let found = core.records.get(&Scope::everything(), &comment, change.id).await?;
    let Some(comment) = found.and_then(|record| core.records.schema().named(&record)) else { return Ok(()) };
    let about = About::of(core, &comment).await?;
    let mut recipients: BTreeMap<RecordId, &str> = BTreeMap::new();
    if change.kind == ChangeKind::Created {
        recipients.extend(followers(core, &comment).await?.into_iter().map(|user| (user, "comment")));
    }
    recipients.extend(mentioned.iter().map(|user| (*user, "mention")));
    if let Some(author) = about.author {
        recipients.remove(&author);
    }
    let recipients: Vec<(RecordId, &str)> = recipients.into_iter().collect();
    for page in recipients.chunks(core.records.config().limits.batch_rows_max.max(1)) {
        let writes = page.iter().map(|(user, kind)| about.notification(core, entry, &comment, *user, kind));
        let writes = writes.collect::<Result<Vec<Write>>>()?;
        for result in core.records.write_batch(&caller(entry), writes).await? {
            match result {
                Ok(_) | Err(RecordsError::Duplicate { .. }) => {}
                Err(error) => tracing::warn!(
                    comment = %comment.id, code = error.code(), "somebody was not notified of a comment: {error}"
                ),
            }
        }
    }
    Ok(())
}

/// What a comment is about.
struct About {
    author: Option<RecordId>,
    /// What people call the author and the record.
    names: [Option<String>; 2],
}

impl About {
    async fn of(core: &Core, comment: &NamedRecord) -> Result<Self> {
        let author = match comment.fields.get("author") {
            Some(Value::Reference(author)) => Some(*author),
            _ => None,
        };
        let parent = text(comment, "parent_object").zip(text(comment, "parent_id"));
        let names = [
            match author {
                Some(author) => title(core, "user", author).await?,
                None => None,
            },
            match parent.and_then(|(object, id)| Some((object, RecordId::parse(id).ok()?))) {
                Some((object, id)) => title(core, object, id).await?,
                None => None,
            },
        ];
        Ok(Self { author, names })
    }

    fn subject(&self, kind: &str, language: Language) -> String {
        let [author, record] = &self.names;
        let subject = match language {
            Language::En => {
                let author = author.as_deref().unwrap_or("Somebody");
                let record = record.as_deref().unwrap_or("a record");
                match kind {
                    "mention" => format!("{author} mentioned you in a comment on {record}"),
                    _ => format!("{author} commented on {record}"),
                }
            }
            Language::ZhCn => {
                let author = author.as_deref().unwrap_or("有人");
                let record = record.as_deref().unwrap_or("一条记录");
                match kind {
                    "mention" => format!("{author} 在“{record}”的评论中提到了您"),
                    _ => format!("{author} 评论了“{record}”"),
                }
            }
        };
        subject.chars().take(SUBJECT_CHARACTERS_MAX).collect()
    }

    fn notification(
        &self,
        core: &Core,
        entry: &LogEntry,
        comment: &NamedRecord,
        user: RecordId,
        kind: &str,
    ) -> Result<Write> {
        let object = ObjectName::new("notification").map_err(RecordsError::from)?;
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let named = [
            ("subject", text(&self.subject(kind, core.config.language))),
            ("user", Some(Value::Reference(user))),
            ("kind", text(kind)),
            ("parent_object", comment.fields.get("parent_object").cloned()),
            ("parent_id", comment.fields.get("parent_id").cloned()),
            ("comment", Some(Value::Reference(comment.id))),
            ("read", Some(Value::Bool(false))),
        ];
        let named = named.map(|(name, value)| (name.parse().expect("a field of notifications"), value));
        let changes = core.records.schema().fields(&object, BTreeMap::from(named))?;
        let fields = changes.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
        Ok(Write::Create { object, fields, id: Some(notification_id(entry, comment.id, user)) })
    }
}

/// Those who follow the record that a comment is about, as many as a page takes.
async fn followers(core: &Core, comment: &NamedRecord) -> Result<Vec<RecordId>> {
    let object = ObjectName::new("follower").map_err(RecordsError::from)?;
    let equals = |field: &str| {
        let path = Path::parse(field).map_err(RecordsError::from)?;
        Ok::<_, Error>(Filter::Compare { path, op: Op::Eq, value: json!(text(comment, field)) })
    };
    let query = Query {
        filter: Filter::And(vec![equals("parent_object")?, equals("parent_id")?]),
        limit: core.records.config().limits.page_rows_max,
        ..Query::new(object)
    };
    let page = core.records.list(&Scope::everything(), &query).await?;
    let schema = core.records.schema();
    let user = |record| match schema.named(record)?.fields.get("user") {
        Some(Value::Reference(user)) => Some(*user),
        _ => None,
    };
    Ok(page.records.iter().filter_map(user).collect())
}

/// What people call a record.
async fn title(core: &Core, object: &str, id: RecordId) -> Result<Option<String>> {
    let schema = core.records.schema();
    let Some(object) = schema.object(object) else { return Ok(None) };
    let record = core.records.get_deleted_too(&Scope::everything(), &object.name, id).await?;
    let record = record.and_then(|record| schema.named(&record));
    Ok(record.and_then(|record| text(&record, object.title.as_str()).map(str::to_owned)))
}

fn text<'a>(record: &'a NamedRecord, field: &str) -> Option<&'a str> {
    match record.fields.get(field) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn caller(entry: &LogEntry) -> Caller {
    let cause = Cause {
        job: entry.cause.job,
        log: Some(entry.number),
        depth: entry.cause.depth.saturating_add(1),
        automations_off: false,
    };
    Caller {
        actor: Actor::System { component: "notifications".into() },
        cause,
        ..Caller::system("notifications")
    }
}

fn notification_id(entry: &LogEntry, comment: RecordId, user: RecordId) -> RecordId {
    let mut hash = blake3::Hasher::new_derive_key("trellis engine notification v1");
    hash.update(&entry.number.to_be_bytes());
    hash.update(comment.as_bytes());
    hash.update(user.as_bytes());
    let random = hash.finalize().as_bytes().first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
    let time = u64::try_from(entry.time_ms).unwrap_or_default();
    let high = time << 16 | VERSION | entry.number & 0xfff;
    RecordId(Uuid::from_u64_pair(high, VARIANT | random >> 2))
}
