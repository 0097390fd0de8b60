//! Attachments: files that belong to records. The record of an attachment says what it is called and whose it is; the content lies in a
//! file under its digest, durable before the record is committed. A file that no record names, deleted ones included, goes a day later.

mod files;
mod names;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::json;
use trellis_model::{
    Actor, FieldName, Filter, NamedRecord, ObjectName, Op, Path as FieldPath, Phrase, Record, RecordId,
    Scope, Value,
};
use trellis_records::{Caller, Deleted, Error as RecordsError, Query};

use crate::{Engine, Error, Result, background::Background, blocking::blocking, core::Core, import};
pub(crate) use files::Files;

/// How long a file that no record names is kept: an upload may still be under way.
const UNUSED_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How often it is looked for such files.
const SWEEP_EVERY: Duration = Duration::from_secs(6 * 3_600);
/// Attachments of a page while all are read.
const PAGE_ROWS: usize = 200;

/// A file that was received.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Where it lies: a [`Engine::upload_path`], durable.
    pub file: PathBuf,
    /// What it is called by whoever sends it.
    pub name: String,
    /// What it is, according to whoever sends it.
    pub media_type: Option<String>,
    /// What it is about.
    pub description: Option<String>,
}

/// The content of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentContent {
    /// Where the content lies.
    pub path: PathBuf,
    /// What the file is called.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of the content, in hex.
    pub digest: String,
}

impl Engine {
    /// A new path for a file that is being received. Files that were left there are removed when the server starts.
    pub fn upload_path(&self) -> PathBuf {
        self.core.spool_dir.join(format!("{}.upload", self.new_id()))
    }

    /// Adds a file to a record that the caller may see. The file belongs to the engine from now on, whatever becomes of it.
    ///
    /// # Errors
    /// [`RecordsError::NotFound`] where there is no such record, [`RecordsError::TooMany`] beyond `attachments_per_record_max`, and as
    /// [`trellis_records::Records::create`].
    pub async fn attachment_add(
        &self,
        caller: &Caller,
        object: &ObjectName,
        id: RecordId,
        upload: Upload,
    ) -> Result<Record> {
        let file = upload.file.clone();
        let added = add(&self.core, caller, object, id, upload).await;
        if added.is_err() {
            blocking("removing an upload", move || import::remove_spooled(&file)).await?;
        }
        added
    }

    /// Where the content of an attachment lies. Whoever sees an attachment but not what it belongs to does not get it.
    ///
    /// # Errors
    /// [`RecordsError::NotFound`], [`Error::Damaged`] where the file is missing.
    pub async fn attachment_content(&self, scope: &Scope, id: RecordId) -> Result<AttachmentContent> {
        let core = &self.core;
        let object = attachment()?;
        let missing = || RecordsError::NotFound { object: object.clone(), id };
        let record = core.records.get(scope, &object, id).await?.ok_or_else(missing)?;
        let record = core.records.schema().named(&record).ok_or_else(missing)?;
        let (parent_object, parent_id) = (text(&record, "parent_object"), text(&record, "parent_id"));
        let parent = parent_object.parse().ok().zip(RecordId::parse(parent_id).ok());
        let (parent_object, parent_id): (ObjectName, _) = parent.ok_or_else(missing)?;
        if core.records.get_deleted_too(scope, &parent_object, parent_id).await?.is_none() {
            return Err(missing().into());
        }
        let digest = text(&record, "digest").to_owned();
        let damaged = || Error::Damaged {
            what: format!("the file of attachment {id} (digest `{digest}`) is not there"),
        };
        let path = core.files.path(&blake3::Hash::from_hex(&digest).map_err(|_| damaged())?);
        let found = path.clone();
        let bytes =
            blocking("looking at a file", move || std::fs::metadata(&found).map(|found| found.len())).await?;
        Ok(AttachmentContent {
            path,
            name: text(&record, "name").to_owned(),
            media_type: text(&record, "media_type").to_owned(),
            bytes: bytes.map_err(|_| damaged())?,
            digest,
        })
    }

    /// Removes the files that were taken in before a moment and that no attachment names, not even a deleted one. Returns how many.
    ///
    /// # Errors
    /// [`Error::File`], and those of the store.
    pub async fn sweep_files(&self, before: SystemTime) -> Result<usize> {
        sweep(&self.core, before).await
    }
}

async fn add(
    core: &Arc<Core>,
    caller: &Caller,
    object: &ObjectName,
    id: RecordId,
    upload: Upload,
) -> Result<Record> {
    let Upload { file, name, media_type, description } = upload;
    if file.parent() != Some(&*core.spool_dir) {
        let reason = format!("file `{}` is not in the spool folder", file.display());
        return Err(Error::InvalidRequest { reason });
    }
    if core.records.get(&caller.scope, object, id).await?.is_none() {
        return Err(RecordsError::NotFound { object: object.clone(), id }.into());
    }
    let count_max = core.config.attachments_per_record_max;
    let there = core.records.count(&Scope::everything(), &attachment()?, &of_record(object, id)?).await?;
    let count = usize::try_from(there).unwrap_or(usize::MAX).saturating_add(1);
    if count > count_max {
        let what = Phrase::new("attachments of a record", "单条记录的附件数");
        return Err(RecordsError::TooMany { what, count, count_max }.into());
    }
    let content = take_in(core, file).await?;
    let user = match &caller.actor {
        Actor::User { id, .. } => Some(Value::Reference(*id)),
        _ => None,
    };
    let text = |text: String| Some(Value::Text(text));
    let named = [
        ("name", text(names::clean(&name))),
        ("media_type", text(names::media_type(&content.head, media_type.as_deref()))),
        ("bytes", i64::try_from(content.bytes).ok().map(Value::Integer)),
        ("digest", text(content.digest.to_hex().to_string())),
        ("parent_object", text(object.to_string())),
        ("parent_id", text(id.to_string())),
        ("uploaded_by", user),
        ("description", description.and_then(text)),
    ];
    let named = named.map(|(name, value)| (FieldName::new(name).expect("a field of attachments"), value));
    let changes = core.records.schema().fields(&attachment()?, BTreeMap::from(named))?;
    let fields = changes.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
    Ok(core.records.create(caller, &attachment()?, fields).await?)
}

/// Moves a file to where its digest says.
async fn take_in(core: &Arc<Core>, file: PathBuf) -> Result<files::Content> {
    let core = Arc::clone(core);
    blocking("taking in a file", move || {
        let content = files::read(Path::new(&file))?;
        core.files.take_in(&file, &content.digest)?;
        Ok(content)
    })
    .await?
}

async fn sweep(core: &Arc<Core>, before: SystemTime) -> Result<usize> {
    let mut used = digests(core, Deleted::Hide).await?;
    used.append(&mut digests(core, Deleted::Only).await?);
    let core = Arc::clone(core);
    blocking("sweeping files", move || core.files.sweep(before, |digest| used.contains(digest.as_bytes())))
        .await?
}

/// The digests that attachments name.
async fn digests(core: &Core, deleted: Deleted) -> Result<BTreeSet<[u8; 32]>> {
    let mut query = Query {
        deleted,
        limit: PAGE_ROWS.min(core.records.config().limits.page_rows_max),
        ..Query::new(attachment()?)
    };
    let mut digests = BTreeSet::new();
    loop {
        let page = core.records.list(&Scope::everything(), &query).await?;
        let schema = core.records.schema();
        for record in page.records.iter().filter_map(|record| schema.named(record)) {
            digests.extend(blake3::Hash::from_hex(text(&record, "digest")).map(|digest| *digest.as_bytes()));
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(digests),
        }
    }
}

/// Starts the thread that removes files which nobody uses.
pub(crate) fn start(core: Arc<Core>) -> Result<Background> {
    Background::start("attachments", move |mut stopped| async move {
        loop {
            let before = SystemTime::now().checked_sub(UNUSED_KEPT).unwrap_or(SystemTime::UNIX_EPOCH);
            match sweep(&core, before).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "files that no attachment names were removed"),
                Err(error) => tracing::error!(code = error.code(), "files cannot be swept: {error}"),
            }
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    })
}

fn attachment() -> Result<ObjectName> {
    Ok(ObjectName::new("attachment").map_err(RecordsError::from)?)
}

/// The attachments of a record.
fn of_record(object: &ObjectName, id: RecordId) -> Result<Filter> {
    let equals = |field: &str, value: String| {
        let path = FieldPath::parse(field).map_err(RecordsError::from)?;
        Ok::<_, Error>(Filter::Compare { path, op: Op::Eq, value: json!(value) })
    };
    Ok(Filter::And(vec![equals("parent_object", object.to_string())?, equals("parent_id", id.to_string())?]))
}

fn text<'a>(record: &'a NamedRecord, field: &str) -> &'a str {
    match record.fields.get(field) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}
