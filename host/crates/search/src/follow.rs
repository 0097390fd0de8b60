//! The reader of the log: one thread that keeps the index up with it.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use trellis_model::{ChangeKind, Fields, ObjectId, RecordId, Scope};
use trellis_records::{LogEntry, LoggedChange, Records, Schema};

use crate::build::{build, build_again, epoch};
use crate::document::TextFields;
use crate::folders;
use crate::search::Shared;
use crate::{Error, Generation, Result};

/// What others want of the thread.
#[derive(Debug)]
pub(crate) enum Command {
    /// What is in the log now shall be found as soon as possible.
    Show,
    /// A new generation takes the place of the old one; it says so when it has.
    Adopt(Box<Generation>, oneshot::Sender<()>),
    /// The generation in this folder was found damaged by a reader: another one is built.
    Discard(PathBuf),
    /// The end.
    Stop,
}

#[derive(Debug)]
pub(crate) struct Follower {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedReceiver<Command>,
    log: watch::Receiver<u64>,
    generation: Option<Generation>,
    /// When what is pending is shown at the latest.
    show_at: Option<Instant>,
    /// Up to where it is shown as soon as it is in.
    show_to: Option<u64>,
    /// The schema that the generation's fields were compared with.
    compared: Option<Arc<Schema>>,
}

/// What became of a record: its fields, or that it has to be read.
enum News {
    Created(Fields),
    Changed,
}

impl Follower {
    pub(crate) fn new(
        shared: Arc<Shared>,
        commands: mpsc::UnboundedReceiver<Command>,
        log: watch::Receiver<u64>,
        generation: Option<Generation>,
    ) -> Self {
        Self { shared, commands, log, generation, show_at: None, show_to: None, compared: None }
    }

    /// Follows the log until the end.
    pub(crate) async fn run(mut self) {
        loop {
            let round = AssertUnwindSafe(self.round()).catch_unwind().await;
            match round.unwrap_or_else(|panic| Err(Error::panicked(&*panic))) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(%error, "full-text search cannot follow the log; it tries again");
                    self.generation = None;
                    let delay = Duration::from_millis(self.shared.config.retry_delay_ms);
                    if tokio::time::timeout(delay, self.stopped()).await.is_ok() {
                        return;
                    }
                }
            }
        }
    }

    /// Waits for the end and lets everything else pass.
    async fn stopped(&mut self) {
        while !matches!(self.commands.recv().await, None | Some(Command::Stop)) {}
    }

    /// Brings the index up to the log and waits for news; false at the end.
    async fn round(&mut self) -> Result<bool> {
        let Some(records) = self.shared.records.upgrade() else { return Ok(false) };
        if self.generation.is_none() {
            self.open(&records).await?;
        }
        while self.advance(&records).await? {
            self.show_if_due()?;
        }
        self.show_if_due()?;
        let head = records.log_head();
        drop(records);
        let due = self.show_at;
        tokio::select! {
            command = self.commands.recv() => match command {
                Some(Command::Show) => self.show_to = Some(head),
                Some(Command::Adopt(generation, adopted)) => self.adopt(*generation, adopted).await?,
                Some(Command::Discard(folder)) => self.discard(&folder)?,
                None | Some(Command::Stop) => {
                    if self.generation.as_ref().is_some_and(|generation| generation.pending > 0) {
                        self.show()?;
                    }
                    return Ok(false);
                }
            },
            changed = self.log.changed() => return Ok(changed.is_ok()),
            () = async { tokio::time::sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {}
        }
        Ok(true)
    }

    /// Opens the last generation, or builds one.
    async fn open(&mut self, records: &Records) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let _alone = shared.building.lock().await;
        let generation = match shared.folders.open(&epoch(records), records.log_head(), &shared.config)? {
            Some(generation) => generation,
            None => {
                let folder = shared.folders.next()?;
                let built = build(records, &folder, &shared.config, &|_| !shared.is_stopping()).await;
                match built {
                    Ok(Some((generation, count))) => {
                        tracing::info!(records = count, "the index of full-text search was built");
                        generation
                    }
                    Ok(None) => return folders::remove(&folder),
                    Err(error) => {
                        folders::remove(&folder)?;
                        return Err(error);
                    }
                }
            }
        };
        shared.publish(generation.view()?, generation.commit.log);
        (self.generation, self.compared) = (Some(generation), None);
        Ok(())
    }

    /// Puts a new generation in the place of the old one, once it is as far in the log.
    async fn adopt(&mut self, generation: Generation, adopted: oneshot::Sender<()>) -> Result<()> {
        let Some(records) = self.shared.records.upgrade() else { return Ok(()) };
        let old = self.generation.replace(generation);
        self.compared = None;
        while self.advance(&records).await? {}
        self.show()?;
        if let Some(old) = old {
            let folder = old.folder().to_path_buf();
            drop(old);
            folders::remove(&folder)?;
        }
        // Whoever asked may have gone.
        let _gone = adopted.send(());
        Ok(())
    }

    /// Gives up a generation that is damaged, if it is still the one in use.
    fn discard(&mut self, folder: &Path) -> Result<()> {
        if self.generation.as_ref().is_some_and(|generation| generation.folder() == folder) {
            tracing::warn!(folder = %folder.display(), "the index of full-text search is damaged and is built anew");
            self.generation = None;
            self.shared.withdraw();
            folders::remove(folder)?;
        }
        Ok(())
    }

    /// Takes in a page of the log; false where there is none.
    async fn advance(&mut self, records: &Records) -> Result<bool> {
        let Some(generation) = &mut self.generation else { return Ok(false) };
        if self.shared.is_stopping() || generation.commit.log >= records.log_head() {
            return Ok(false);
        }
        let entries = records.log_after(generation.commit.log, self.shared.config.log_page_entries).await?;
        let Some(last) = entries.last().map(|entry| entry.number) else { return Ok(false) };
        let schema = records.schema();
        if !self.compared.as_ref().is_some_and(|compared| Arc::ptr_eq(compared, &schema)) {
            compare(records, generation, &schema).await?;
            self.compared = Some(Arc::clone(&schema));
        }
        apply(records, generation, &schema, &entries).await?;
        generation.commit.log = last;
        Ok(true)
    }

    fn show_if_due(&mut self) -> Result<()> {
        let Some(generation) = &self.generation else { return Ok(()) };
        let (log, pending) = (generation.commit.log, generation.pending);
        let asked = self.show_to.is_some_and(|to| log >= to);
        if pending == 0 {
            self.shared.show(log);
            (self.show_to, self.show_at) = (self.show_to.filter(|_| !asked), None);
            return Ok(());
        }
        let config = &self.shared.config;
        let interval = Duration::from_millis(config.commit_interval_ms);
        let now = Instant::now();
        let due = *self.show_at.get_or_insert(now + interval) <= now;
        if asked || due || pending >= config.commit_documents_max { self.show() } else { Ok(()) }
    }

    /// Commits what is pending.
    fn show(&mut self) -> Result<()> {
        if let Some(generation) = &mut self.generation {
            let view = generation.commit()?;
            self.shared.publish(view, generation.commit.log);
            self.show_to = self.show_to.filter(|to| *to > generation.commit.log);
        }
        self.show_at = None;
        Ok(())
    }
}

/// Looks at the fields of all objects: those that are found otherwise than they were have their records taken apart again.
async fn compare(records: &Records, generation: &mut Generation, schema: &Schema) -> Result<()> {
    for object in schema.objects() {
        let fields = TextFields::of(object);
        match generation.fields_of(object.id) {
            Some(known) if *known == fields => {}
            Some(known) if !fields.continues(known) => {
                tracing::info!(object = %object.name, "what is found of an object has changed: its records are read again");
                build_again(records, generation, object).await?;
            }
            _ => generation.set_fields(object.id, fields),
        }
    }
    Ok(())
}

/// Takes in what entries say. Records are taken as they are now, so doing it twice changes nothing.
async fn apply(
    records: &Records,
    generation: &mut Generation,
    schema: &Schema,
    entries: &[LogEntry],
) -> Result<()> {
    let mut news: BTreeMap<(ObjectId, RecordId), News> = BTreeMap::new();
    for entry in entries {
        let scanned = entry.number <= generation.commit.scanned;
        for change in entry.changes() {
            let Some(fields) = generation.fields_of(change.object) else { continue };
            if !concerns(fields, change) {
                continue;
            }
            let found = created(change).filter(|_| !scanned).map_or(News::Changed, News::Created);
            news.insert((change.object, change.id), found);
        }
    }
    for ((object, id), news) in news {
        match news {
            News::Created(fields) => generation.add(object, id, &fields)?,
            News::Changed => {
                generation.remove(id);
                let Some(definition) = schema.object_by_id(object) else { continue };
                if let Some(record) = records.get(&Scope::everything(), &definition.name, id).await? {
                    generation.add(object, id, &record.fields)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a change may change what is found.
fn concerns(fields: &TextFields, change: &LoggedChange) -> bool {
    match (&change.fields, change.kind) {
        (Some(changed), ChangeKind::Updated) => fields.concerns(changed.keys()),
        _ => !fields.0.is_empty(),
    }
}

/// The fields of a record that was created.
fn created(change: &LoggedChange) -> Option<Fields> {
    let changed = change.fields.as_ref().filter(|_| change.kind == ChangeKind::Created)?;
    Some(changed.iter().filter_map(|(field, change)| Some((*field, change.after.clone()?))).collect())
}
