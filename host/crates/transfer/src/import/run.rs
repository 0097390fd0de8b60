use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use trellis_model::{FieldName, ObjectId, Value, bilingual};

use super::checkpoint::{Checkpoints, Done, REFERENCES};
use super::mapping::Cell;
use super::note::BatchNote;
use super::parse::{Draft, Locale};
use super::references::{KeyCount, KeyFault, Resolved, resolve};
use super::report::{Dropped, ImportReport, Phase, Progress, RowError};
use super::source::{Item, Source, Survey, Taken};
use super::table::{Edits, file_error};
use super::trial::Rehearsal;
use super::{Limits, Mapping, Result};
use trellis_records::{Caller, Error, Records, Write, Written};

/// Batches of rows that are read ahead.
const READ_AHEAD_BATCHES: usize = 4;
/// How often a batch is written again when others kept changing the same records.
const CONTENDED_RETRIES_MAX: usize = 4;
/// Batches on their way at once, whatever the limits say; each has a slot for its note.
const IN_FLIGHT_MAX: usize = 64;

/// What is imported.
#[derive(Debug, Clone)]
pub struct Input {
    /// The file.
    pub file: Box<Path>,
    /// What becomes of its columns.
    pub mapping: Arc<Mapping>,
    /// What people changed in it.
    pub edits: Arc<Edits>,
    /// The limits.
    pub limits: Limits,
}

impl Input {
    /// A file as it is.
    pub fn new(file: &Path, mapping: Mapping, limits: Limits) -> Self {
        Self { file: file.into(), mapping: Arc::new(mapping), edits: Arc::default(), limits }
    }
}

/// How an import is watched, stopped and taken up again.
pub struct Control<'a> {
    /// Called after each batch.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
    /// Looked at before each batch; what was written by then stays.
    pub cancel: &'a AtomicBool,
    /// Called with what is wrong with a row, in the order of the file.
    pub failures: &'a (dyn Fn(&[RowError]) + Send + Sync),
    /// Where it notes how far it is.
    pub checkpoints: Option<&'a dyn Checkpoints>,
    /// What an earlier attempt has done.
    pub done: Done,
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("done", &self.done).finish_non_exhaustive()
    }
}

impl<'a> Control<'a> {
    /// Nothing but how far it is, and how to stop it.
    pub fn new(progress: &'a (dyn Fn(Progress) + Send + Sync), cancel: &'a AtomicBool) -> Self {
        Self { progress, cancel, failures: &|_| {}, checkpoints: None, done: Done::default() }
    }
}

/// What every step of an import needs.
pub(super) struct Import<'a> {
    pub(super) records: &'a Arc<Records>,
    pub(super) caller: &'a Caller,
    pub(super) mapping: Arc<Mapping>,
    pub(super) limits: Limits,
    control: &'a Control<'a>,
    /// Where nothing is to be written.
    rehearsal: Option<Rehearsal>,
}

/// Imports a file: reads it once to check its header and to create the records that it refers to, then once more to
/// write its rows, in order. A bad row is in the report and the others are written. The same import again changes nothing.
///
/// Memory does not grow with the file, but for the keys of references and the digests of rows without an id (see [`Limits`]).
/// `progress` is called after each batch; `cancel` is looked at before each, and what was written by then stays.
///
/// # Errors
/// Before anything is written: [`Error::Header`](super::Error::Header), [`Error::File`](super::Error::File) and
/// [`Error::TooMany`](super::Error::TooMany). Later only where the file or the store fails.
pub async fn import_csv(
    records: &Arc<Records>,
    caller: &Caller,
    mapping: &Mapping,
    file: &Path,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &AtomicBool,
) -> Result<ImportReport> {
    import_csv_within(Limits::default(), records, caller, mapping, file, progress, cancel).await
}

/// As [`import_csv`], with other limits.
///
/// # Errors
/// As [`import_csv`].
pub async fn import_csv_within(
    limits: Limits,
    records: &Arc<Records>,
    caller: &Caller,
    mapping: &Mapping,
    file: &Path,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &AtomicBool,
) -> Result<ImportReport> {
    let input = Input::new(file, mapping.clone(), limits);
    run(records, caller, &input, &Control::new(progress, cancel)).await
}

/// As [`import_csv`], of a file with edits, and so that it can be taken up again.
///
/// # Errors
/// As [`import_csv`].
pub async fn run(
    records: &Arc<Records>,
    caller: &Caller,
    input: &Input,
    control: &Control<'_>,
) -> Result<ImportReport> {
    import(records, caller, input, control, None).await
}

/// Does what an import would do, through the whole save pipeline, rules and plugins' hooks included, and writes nothing. Counts and errors
/// are those of the import, as far as nobody changes records in between. Rows that give themselves the same key are weighed against one
/// another without asking rules again.
///
/// # Errors
/// As [`import_csv`].
pub async fn rehearse(
    records: &Arc<Records>,
    caller: &Caller,
    input: &Input,
    control: &Control<'_>,
) -> Result<ImportReport> {
    import(records, caller, input, control, Some(Rehearsal::default())).await
}

async fn import(
    records: &Arc<Records>,
    caller: &Caller,
    input: &Input,
    control: &Control<'_>,
    rehearsal: Option<Rehearsal>,
) -> Result<ImportReport> {
    let (mut limits, mapping) = (input.limits, Arc::clone(&input.mapping));
    limits.batch_rows_max = limits.batch_rows_max.clamp(1, records.config().limits.batch_rows_max);
    let locale =
        Locale { base_currency: records.config().base_currency, zone: records.config().time_zone.clone() };
    let mut import = Import { records, caller, mapping: Arc::clone(&mapping), limits, control, rehearsal };
    let (file, edits) = (input.file.clone(), Arc::clone(&input.edits));
    let opened =
        tokio::task::spawn_blocking(move || Source::open(&file, mapping, edits, locale, limits)).await;
    let source = opened.map_err(|error| file_error(&input.file, error.into()))??;
    let mut survey = import.survey(&input.file, source.clone()).await?;
    let total = survey.rows;
    let mut report = ImportReport::after(&control.done.counts);
    let drops = input.mapping.drops.iter().zip(&survey.dropped);
    report.dropped = drops.map(|(drop, &rows)| Dropped { reason: drop.reason.clone(), rows }).collect();
    if let Some(rehearsal) = &mut import.rehearsal {
        rehearsal.repeated = std::mem::take(&mut survey.repeated);
    }
    let resolved = import.resolve_references(survey, &mut report).await?;
    if !import.is_cancelled() {
        import.write_rows(&input.file, source, &resolved, total, &mut report).await?;
    }
    report.cancelled = report.rows < total && import.is_cancelled();
    Ok(report)
}

/// A batch that was handed to the store.
struct Outcome {
    places: Vec<Place>,
    written: Vec<Result<Written, Error>>,
    given_keys: Vec<String>,
}

/// Where a row stands, and what is known of it without the store.
struct Place {
    line: u64,
    number: u64,
    known: Option<Known>,
}

enum Known {
    Bad(Vec<RowError>),
    Created,
    Updated,
}

type Flight<'a> = FuturesOrdered<BoxFuture<'a, Result<Outcome>>>;

impl<'a> Import<'a> {
    pub(super) fn is_cancelled(&self) -> bool {
        self.control.cancel.load(Ordering::Relaxed)
    }

    pub(super) fn report(&self, progress: Progress) {
        (self.control.progress)(progress);
    }

    pub(super) fn zone(&self) -> &TimeZone {
        &self.records.config().time_zone
    }

    /// Writes a batch; again where others kept changing the same records.
    async fn write(
        &self,
        writes: Vec<Write>,
        note: Option<&BatchNote>,
    ) -> Result<Vec<Result<Written, Error>>> {
        let also = |taken: trellis_records::Taken<'_>| match (note, self.control.checkpoints) {
            (Some(note), Some(checkpoints)) => checkpoints.put(note.slot, note.with(&taken)),
            _ => Vec::new(),
        };
        for _ in 0..CONTENDED_RETRIES_MAX {
            match self.records.write_batch_told(self.caller, writes.clone(), &also).await {
                Err(Error::Contended { .. }) => tokio::task::yield_now().await,
                written => return Ok(written?),
            }
        }
        Ok(self.records.write_batch_told(self.caller, writes, &also).await?)
    }

    /// Creates records that rows refer to; `created` were before.
    pub(super) async fn write_references(
        &self,
        object: ObjectId,
        writes: Vec<Write>,
        created: u64,
    ) -> Result<Vec<Result<Written, Error>>> {
        match &self.rehearsal {
            Some(rehearsal) => rehearsal.create(self, object, writes).await,
            None => self.write(writes, Some(&BatchNote::of_references(REFERENCES, created))).await,
        }
    }

    async fn survey(&self, file: &Path, source: Source) -> Result<Survey> {
        let (reports, mut counts) = mpsc::channel(1);
        let repeated = self.rehearsal.is_some();
        let survey = tokio::task::spawn_blocking(move || source.survey(&reports, repeated));
        while let Some(done) = counts.recv().await {
            self.report(Progress { phase: Phase::Reading, done, total: None });
            if self.is_cancelled() {
                break;
            }
        }
        drop(counts);
        survey.await.map_err(|error| file_error(file, error.into()))?
    }

    /// One entry for each mapped column; empty for those that are no references.
    async fn resolve_references(&self, survey: Survey, report: &mut ImportReport) -> Result<Vec<Resolved>> {
        let total = survey.keys.iter().map(|keys| keys.len() as u64).sum();
        let mut count = KeyCount { done: 0, total, created: report.created_references };
        let mut resolved = Vec::with_capacity(survey.keys.len());
        for (column, keys) in self.mapping.columns.iter().zip(survey.keys) {
            resolved.push(match &column.cell {
                Cell::Reference(reference) => resolve(self, reference, keys, &mut count).await?,
                Cell::Value(_) => Resolved::new(),
            });
        }
        report.created_references = count.created;
        Ok(resolved)
    }

    async fn write_rows(
        &self,
        file: &Path,
        source: Source,
        resolved: &[Resolved],
        total: u64,
        report: &mut ImportReport,
    ) -> Result<()> {
        let (sender, mut batches) = mpsc::channel(READ_AHEAD_BATCHES);
        let done = self.control.done.clone();
        let mut note = BatchNote::first(&done);
        let reader = tokio::task::spawn_blocking(move || source.send_rows(&sender, &done));
        // New records get their ordinals in the order of the rows, so one batch of them at a time.
        let in_flight_max = if self.mapping.object.ordinals || self.rehearsal.is_some() {
            1
        } else {
            self.limits.batches_in_flight_max.clamp(1, IN_FLIGHT_MAX)
        };
        let mut flight = Flight::new();
        let mut keys_in_flight = HashSet::new();
        let mut open = true;
        while open || !flight.is_empty() {
            tokio::select! {
                biased;
                Some(outcome) = flight.next(), if !flight.is_empty() => {
                    self.take_outcome(outcome?, &mut keys_in_flight, total, report, &mut note);
                }
                batch = batches.recv(), if open && flight.len() < in_flight_max => match batch {
                    Some(batch) if !self.is_cancelled() => {
                        // Rows with the same key are written in the order of the file.
                        let given_keys = given_keys(&batch);
                        if given_keys.iter().any(|key| keys_in_flight.contains(key)) {
                            while let Some(outcome) = flight.next().await {
                                self.take_outcome(outcome?, &mut keys_in_flight, total, report, &mut note);
                            }
                        }
                        keys_in_flight.extend(given_keys.iter().cloned());
                        note.next_slot(in_flight_max);
                        flight.push_back(self.start_batch(batch, given_keys, resolved, note.clone()));
                    }
                    _ => {
                        open = false;
                        batches.close();
                    }
                },
            }
        }
        drop(batches);
        reader.await.map_err(|error| file_error(file, error.into()))?
    }

    /// Completes the rows of a batch with their references; the future writes them.
    fn start_batch<'b>(
        &'b self,
        batch: Vec<Item>,
        given_keys: Vec<String>,
        resolved: &[Resolved],
        mut note: BatchNote,
    ) -> BoxFuture<'b, Result<Outcome>> {
        let (mut drafts, mut places) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for item in batch {
            let (line, number) = (item.line, item.number);
            let known = match item.draft {
                Taken::Created => Some(Known::Created),
                Taken::Updated => Some(Known::Updated),
                Taken::Bad(errors) => Some(Known::Bad(errors)),
                Taken::Draft(draft) => match self.complete(*draft, (line, number), resolved) {
                    Ok(draft) => {
                        drafts.push(draft);
                        note.rows.push(number);
                        None
                    }
                    Err(errors) => Some(Known::Bad(errors)),
                },
            };
            places.push(Place { line, number, known });
        }
        Box::pin(async move {
            let written = match &self.rehearsal {
                Some(rehearsal) => rehearsal.weigh(self, drafts).await?,
                None => self.write_drafts(drafts, note).await?,
            };
            Ok(Outcome { places, written, given_keys })
        })
    }

    async fn write_drafts(
        &self,
        drafts: Vec<Draft>,
        mut note: BatchNote,
    ) -> Result<Vec<Result<Written, Error>>> {
        let (mut writes, mut refused) = (Vec::with_capacity(drafts.len()), Vec::new());
        let rows = std::mem::take(&mut note.rows);
        for ((place, draft), row) in drafts.into_iter().enumerate().zip(rows) {
            match self.write_of(draft).await? {
                Ok(write) => {
                    writes.push(write);
                    note.rows.push(row);
                }
                Err(error) => refused.push((place, error)),
            }
        }
        let mut written =
            if writes.is_empty() { Vec::new() } else { self.write(writes, Some(&note)).await? };
        for (place, error) in refused {
            written.insert(place, Err(error));
        }
        Ok(written)
    }

    fn complete(
        &self,
        mut draft: Draft,
        (line, row): (u64, u64),
        resolved: &[Resolved],
    ) -> Result<Draft, Vec<RowError>> {
        let mut errors = Vec::new();
        for (place, key) in std::mem::take(&mut draft.references) {
            let column = self.mapping.columns.get(place).expect("a place of a mapped column");
            let changed = || KeyFault {
                code: "file_changed",
                message: bilingual!(
                    "`{key}` came into the file while it was read",
                    "`{key}` 是在读取过程中新增到文件里的"
                ),
            };
            let known = resolved.get(place).and_then(|keys| keys.get(&key)).cloned();
            match known.unwrap_or_else(|| Err(changed())) {
                Ok(id) => drop(draft.fields.insert(column.field.id, Value::Reference(id))),
                Err(KeyFault { code, message }) => {
                    errors.push(RowError { line, row, column: Some(column.label()), code, message });
                }
            }
        }
        if errors.is_empty() { Ok(draft) } else { Err(errors) }
    }

    fn take_outcome(
        &self,
        outcome: Outcome,
        keys_in_flight: &mut HashSet<String>,
        total: u64,
        report: &mut ImportReport,
        note: &mut BatchNote,
    ) {
        let mut written = outcome.written.into_iter();
        for place in outcome.places {
            note.through = place.number;
            let result = match place.known {
                Some(Known::Bad(errors)) => Err(errors),
                Some(Known::Created) => Ok((1, 0)),
                Some(Known::Updated) => Ok((0, 1)),
                None => match written.next().expect("one result for each write") {
                    Ok(Written::Created(_)) => Ok((1, 0)),
                    Ok(Written::Unchanged(_)) => Ok((0, 0)),
                    Ok(_) => Ok((0, 1)),
                    Err(error) => Err(self.row_errors(&place, &error)),
                },
            };
            match result {
                Err(errors) => {
                    (self.control.failures)(&errors);
                    report.add_failure(errors, self.limits.errors_kept_max);
                }
                Ok((created, updated)) => {
                    report.created += created;
                    report.updated += updated;
                    report.unchanged += 1 - created - updated;
                    report.rows += 1;
                }
            }
        }
        for key in &outcome.given_keys {
            keys_in_flight.remove(key);
        }
        note.before = report.counts();
        self.report(Progress { phase: Phase::Rows, done: report.rows, total: Some(total) });
    }

    /// What the save pipeline found wrong with a row.
    fn row_errors(&self, place: &Place, error: &Error) -> Vec<RowError> {
        let row_error = |field: Option<&FieldName>, code, message| {
            let column =
                field.and_then(|name| self.mapping.columns.iter().find(|column| column.field.name == *name));
            let column = column.map(super::mapping::MappedColumn::label);
            RowError { line: place.line, row: place.number, column, code, message }
        };
        match error {
            Error::Invalid(errors) => {
                errors.iter().map(|error| row_error(Some(&error.field), error.code, error.text())).collect()
            }
            Error::Duplicate { field, .. } | Error::FieldDenied { field, .. } => {
                vec![row_error(Some(field), error.code(), error.text())]
            }
            Error::Veto { field, .. } => vec![row_error(field.as_ref(), error.code(), error.text())],
            other => vec![row_error(None, other.code(), other.text())],
        }
    }
}

fn given_keys(batch: &[Item]) -> Vec<String> {
    let key = |item: &Item| match &item.draft {
        Taken::Draft(draft) => draft.given_key.clone(),
        _ => None,
    };
    batch.iter().filter_map(key).collect()
}
