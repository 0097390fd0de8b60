use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use tokio::sync::mpsc;
use trellis_model::{FieldName, Value, bilingual};

use super::mapping::Cell;
use super::references::{KeyCount, KeyFault, Resolved, resolve};
use super::report::{ImportReport, Phase, Progress, RowError};
use super::source::{Item, Source, Survey, file_error};
use super::{Limits, Mapping, Result};
use trellis_records::{Caller, Error, Records, Write, Written};

/// Batches of rows that are read ahead.
const READ_AHEAD_BATCHES: usize = 4;
/// How often a batch is written again when others kept changing the same records.
const CONTENDED_RETRIES_MAX: usize = 4;

/// What every step of an import needs.
pub(super) struct Import<'a> {
    pub(super) records: &'a Arc<Records>,
    pub(super) caller: &'a Caller,
    pub(super) mapping: &'a Mapping,
    pub(super) limits: Limits,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
    cancel: &'a AtomicBool,
}

/// Imports a CSV file: reads it once to check its header and to create the records that it refers to, then once more to
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
    mut limits: Limits,
    records: &Arc<Records>,
    caller: &Caller,
    mapping: &Mapping,
    file: &Path,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &AtomicBool,
) -> Result<ImportReport> {
    limits.batch_rows_max = limits.batch_rows_max.clamp(1, records.config().limits.batch_rows_max);
    let import = Import { records, caller, mapping, limits, progress, cancel };
    let source = Source {
        file: file.into(),
        mapping: mapping.clone(),
        base_currency: records.config().base_currency,
        limits,
    };
    let survey = import.survey(source.clone()).await?;
    let mut report = ImportReport::default();
    let total = survey.rows;
    let resolved = import.resolve_references(survey, &mut report).await?;
    if !import.is_cancelled() {
        import.write_rows(source, &resolved, total, &mut report).await?;
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

/// Where a row stands, and what was wrong with it before it came to the store.
struct Place {
    line: u64,
    number: u64,
    refused: Option<Vec<RowError>>,
}

type Flight<'a> = FuturesOrdered<BoxFuture<'a, Result<Outcome>>>;

impl<'a> Import<'a> {
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    pub(super) fn report(&self, progress: Progress) {
        (self.progress)(progress);
    }

    /// Writes a batch; again where others kept changing the same records.
    pub(super) async fn write(&self, writes: Vec<Write>) -> Result<Vec<Result<Written, Error>>> {
        for _ in 0..CONTENDED_RETRIES_MAX {
            match self.records.write_batch(self.caller, writes.clone()).await {
                Err(Error::Contended { .. }) => tokio::task::yield_now().await,
                written => return Ok(written?),
            }
        }
        Ok(self.records.write_batch(self.caller, writes).await?)
    }

    async fn survey(&self, source: Source) -> Result<Survey> {
        let file = source.file.clone();
        let (reports, mut counts) = mpsc::channel(1);
        let survey = tokio::task::spawn_blocking(move || source.survey(&reports));
        while let Some(done) = counts.recv().await {
            self.report(Progress { phase: Phase::Reading, done, total: None });
            if self.is_cancelled() {
                break;
            }
        }
        drop(counts);
        survey.await.map_err(|error| file_error(&file, error.into()))?
    }

    /// One entry for each mapped column; empty for those that are no references.
    async fn resolve_references(&self, survey: Survey, report: &mut ImportReport) -> Result<Vec<Resolved>> {
        let total = survey.keys.iter().map(|keys| keys.len() as u64).sum();
        let mut count = KeyCount { done: 0, total, created: 0 };
        let mut resolved = Vec::with_capacity(survey.keys.len());
        for (column, keys) in self.mapping.columns.iter().zip(survey.keys) {
            resolved.push(match &column.cell {
                Cell::Reference(reference) => resolve(self, reference, keys, &mut count).await?,
                Cell::Value { .. } => Resolved::new(),
            });
        }
        report.created_references = count.created;
        Ok(resolved)
    }

    async fn write_rows(
        &self,
        source: Source,
        resolved: &[Resolved],
        total: u64,
        report: &mut ImportReport,
    ) -> Result<()> {
        let file = source.file.clone();
        let (sender, mut batches) = mpsc::channel(READ_AHEAD_BATCHES);
        let reader = tokio::task::spawn_blocking(move || source.send_rows(&sender));
        // New records get their ordinals in the order of the rows, so one batch of them at a time.
        let in_flight_max =
            if self.mapping.object.ordinals { 1 } else { self.limits.batches_in_flight_max.max(1) };
        let mut flight = Flight::new();
        let mut keys_in_flight = HashSet::new();
        let mut open = true;
        while open || !flight.is_empty() {
            tokio::select! {
                biased;
                Some(outcome) = flight.next(), if !flight.is_empty() => {
                    self.take_outcome(outcome?, &mut keys_in_flight, total, report);
                }
                batch = batches.recv(), if open && flight.len() < in_flight_max => match batch {
                    Some(batch) if !self.is_cancelled() => {
                        // Rows with the same key are written in the order of the file.
                        let given_keys = given_keys(&batch);
                        if given_keys.iter().any(|key| keys_in_flight.contains(key)) {
                            while let Some(outcome) = flight.next().await {
                                self.take_outcome(outcome?, &mut keys_in_flight, total, report);
                            }
                        }
                        keys_in_flight.extend(given_keys.iter().cloned());
                        flight.push_back(self.start_batch(batch, given_keys, resolved));
                    }
                    _ => {
                        open = false;
                        batches.close();
                    }
                },
            }
        }
        drop(batches);
        reader.await.map_err(|error| file_error(&file, error.into()))?
    }

    /// Completes the rows of a batch with their references; the future writes them.
    fn start_batch<'b>(
        &'b self,
        batch: Vec<Item>,
        given_keys: Vec<String>,
        resolved: &[Resolved],
    ) -> BoxFuture<'b, Result<Outcome>> {
        let mut writes = Vec::with_capacity(batch.len());
        let mut places = Vec::with_capacity(batch.len());
        for item in batch {
            let (line, number) = (item.line, item.number);
            let refused = match self.complete(item, resolved) {
                Ok(write) => {
                    writes.push(write);
                    None
                }
                Err(errors) => Some(errors),
            };
            places.push(Place { line, number, refused });
        }
        Box::pin(async move {
            let written = if writes.is_empty() { Vec::new() } else { self.write(writes).await? };
            Ok(Outcome { places, written, given_keys })
        })
    }

    fn complete(&self, item: Item, resolved: &[Resolved]) -> Result<Write, Vec<RowError>> {
        let mut draft = item.draft?;
        let mut errors = Vec::new();
        for (place, key) in draft.references {
            let column = self.mapping.columns.get(place).expect("a place of a mapped column");
            let changed = || KeyFault {
                code: "file_changed",
                message: bilingual!(
                    "`{key}` came into the file while it was read",
                    "`{key}` 是在读取过程中新增到文件里的"
                ),
            };
            match resolved
                .get(place)
                .and_then(|keys| keys.get(&key))
                .cloned()
                .unwrap_or_else(|| Err(changed()))
            {
                Ok(id) => {
                    draft.fields.insert(column.field.id, Value::Reference(id));
                }
                Err(KeyFault { code, message }) => {
                    let column = Some(column.column.clone());
                    errors.push(RowError { line: item.line, row: item.number, column, code, message });
                }
            }
        }
        let (object, key_field) = (self.mapping.object.name.clone(), self.mapping.key.id);
        if errors.is_empty() {
            Ok(Write::Upsert { object, key_field, fields: draft.fields })
        } else {
            Err(errors)
        }
    }

    fn take_outcome(
        &self,
        outcome: Outcome,
        keys_in_flight: &mut HashSet<String>,
        total: u64,
        report: &mut ImportReport,
    ) {
        let mut written = outcome.written.into_iter();
        for place in outcome.places {
            let result = match place.refused {
                Some(errors) => Err(errors),
                None => written
                    .next()
                    .expect("one result for each write")
                    .map_err(|error| self.row_errors(&place, &error)),
            };
            match result {
                Err(errors) => {
                    report.add_failure(errors, self.limits.errors_kept_max);
                    continue;
                }
                Ok(Written::Created(_)) => report.created += 1,
                Ok(Written::Unchanged(_)) => report.unchanged += 1,
                Ok(_) => report.updated += 1,
            }
            report.rows += 1;
        }
        for key in &outcome.given_keys {
            keys_in_flight.remove(key);
        }
        self.report(Progress { phase: Phase::Rows, done: report.rows, total: Some(total) });
    }

    /// What the save pipeline found wrong with a row.
    fn row_errors(&self, place: &Place, error: &Error) -> Vec<RowError> {
        let row_error = |field: Option<&FieldName>, code, message| {
            let column =
                field.and_then(|name| self.mapping.columns.iter().find(|column| column.field.name == *name));
            let column = column.map(|column| column.column.clone());
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
    batch.iter().filter_map(|item| item.draft.as_ref().ok()?.given_key.clone()).collect()
}
