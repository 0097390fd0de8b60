//! The rows of a prepared import: looking at them, mending them, and those that were not loaded as a file.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use trellis_model::{Language, RecordId};
use trellis_transfer::export::CsvLine;
use trellis_transfer::import::{self as transfer, TableRow};

use super::files::Errors;
use super::{ImportSession, ImportState, RowErrors};
use crate::blocking::blocking;
use crate::core::Core;
use crate::{Engine, Error, Result};

/// A row of a prepared import.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedRow {
    /// The line of the file at which it begins.
    pub line: u64,
    /// Its number, from 1.
    pub number: u64,
    /// Its texts, by the names of the columns; none where the row is not well formed.
    pub cells: Vec<String>,
    /// What the last check, or the load, found wrong with it.
    pub errors: Vec<Json>,
    /// Whether it was changed since it was checked.
    pub changed: bool,
}

impl Engine {
    /// Up to `rows_max` rows after one of this number, with what is wrong with them; only those that are wrong where `wrong_only` says so.
    /// Rows that were dropped do not come.
    ///
    /// # Errors
    /// [`Error::UnknownImport`].
    pub async fn import_rows(
        &self,
        id: RecordId,
        after: u64,
        rows_max: usize,
        wrong_only: bool,
    ) -> Result<Vec<PreparedRow>> {
        let core = Arc::clone(&self.core);
        blocking("reading an import", move || rows(&core, id, after, rows_max, wrong_only)).await?
    }

    /// Puts other texts into cells of a row.
    ///
    /// # Errors
    /// [`Error::UnknownImport`], [`Error::InvalidRequest`] for a column that the file does not have, for too many edits, and where the import
    /// was started.
    pub async fn import_row_change(
        &self,
        id: RecordId,
        row: u64,
        cells: BTreeMap<String, String>,
    ) -> Result<ImportSession> {
        let _changing = self.core.imports.changing.lock().await;
        let mut session = self.changeable(id).await?;
        let header = session.profile.header();
        if let Some(unknown) = cells.keys().find(|name| !header.contains(name)) {
            return Err(Error::InvalidRequest { reason: format!("the file has no column `{unknown}`") });
        }
        let limit = self.core.config.import.line_bytes_max;
        if cells.values().map(String::len).sum::<usize>() > limit {
            return Err(Error::InvalidRequest { reason: format!("the cells have more than {limit} bytes") });
        }
        self.check_row(&session, row)?;
        session.edits.cells.entry(row).or_default().extend(cells);
        session.unchecked.insert(row);
        self.save_session(session).await
    }

    /// Leaves a row out.
    ///
    /// # Errors
    /// As [`Engine::import_row_change`].
    pub async fn import_row_drop(&self, id: RecordId, row: u64) -> Result<ImportSession> {
        let _changing = self.core.imports.changing.lock().await;
        let mut session = self.changeable(id).await?;
        self.check_row(&session, row)?;
        session.edits.dropped.insert(row);
        self.save_session(session).await
    }

    fn check_row(&self, session: &ImportSession, row: u64) -> Result<()> {
        let (rows, edits_max) = (session.profile.rows, self.core.config.import_edits_max);
        if row == 0 || row > rows {
            return Err(Error::InvalidRequest {
                reason: format!("the file has {rows} rows, none is number {row}"),
            });
        }
        if session.edited_rows() >= edits_max {
            return Err(Error::InvalidRequest {
                reason: format!(
                    "{edits_max} rows were edited already: mend the file itself (`engine.import_edits_max`)"
                ),
            });
        }
        Ok(())
    }

    /// Writes the rows that were not loaded (before the load: that the check found wrong) into a file, with why, and returns its path. It is
    /// CSV in UTF-8 with a byte order mark, with the columns of the upload, so that it can be mended and imported.
    ///
    /// # Errors
    /// [`Error::UnknownImport`].
    pub async fn import_failed_rows(&self, id: RecordId, language: Language) -> Result<PathBuf> {
        let _changing = self.core.imports.changing.lock().await;
        let core = Arc::clone(&self.core);
        blocking("writing failed rows", move || failed_rows(&core, id, language)).await?
    }
}

fn which(session: &ImportSession) -> Errors {
    if session.state == ImportState::Started { Errors::Loaded } else { Errors::Checked }
}

fn rows(
    core: &Core,
    id: RecordId,
    after: u64,
    rows_max: usize,
    wrong_only: bool,
) -> Result<Vec<PreparedRow>> {
    let session = core.imports.read(id)?;
    let errors = core.imports.errors(id, which(&session), |row| row > after)?;
    let mut found = Vec::new();
    each_row(core, &session, |row| {
        let wrong = errors.contains_key(&row.number) || session.unchecked.contains(&row.number);
        if row.number > after && (wrong || !wrong_only) {
            let changed = session.unchecked.contains(&row.number);
            let errors = if changed { None } else { errors.get(&row.number).cloned() };
            let errors = errors.unwrap_or_default();
            found.push(PreparedRow { line: row.line, number: row.number, cells: row.cells, errors, changed });
        }
        found.len() < rows_max
    })?;
    Ok(found)
}

fn each_row(core: &Core, session: &ImportSession, visit: impl FnMut(TableRow) -> bool) -> Result<()> {
    let edits = Arc::new(session.edits.clone());
    let (options, limits) = (&session.profile.options, &core.config.import);
    let file = core.imports.upload(session.id.into());
    Ok(transfer::each_row(&file, options, edits, limits, visit)?)
}

fn failed_rows(core: &Core, id: RecordId, language: Language) -> Result<PathBuf> {
    let session = core.imports.read(id)?;
    let errors = core.imports.errors(id, which(&session), |_| true)?;
    let path = core.imports.failed_rows(id);
    write_failed(core, &session, &errors, &path, language)?;
    Ok(path)
}

fn write_failed(
    core: &Core,
    session: &ImportSession,
    errors: &RowErrors,
    path: &Path,
    language: Language,
) -> Result<()> {
    let failed = |source| Error::File { doing: "writing", path: path.to_owned(), source };
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).map_err(failed)?);
    let mut line = CsvLine::default();
    file.write_all("\u{feff}".as_bytes()).map_err(failed)?;
    let why = match language {
        Language::En => "Error",
        Language::ZhCn => "错误",
    };
    let header = session.profile.header();
    let names = header.iter().map(String::as_str).chain([why]);
    file.write_all(line.of(names)).map_err(failed)?;
    let mut outcome = Ok(());
    each_row(core, session, |row| {
        let Some(errors) = errors.get(&row.number) else { return true };
        let why = reasons(errors, language);
        let cells = (0..header.len()).map(|place| row.cells.get(place).map_or("", String::as_str));
        outcome = file.write_all(line.of(cells.chain([why.as_str()])));
        outcome.is_ok()
    })?;
    outcome.and_then(|()| file.flush()).map_err(failed)
}

/// What is wrong with a row, in one cell.
fn reasons(errors: &[Json], language: Language) -> String {
    let reason = |error: &Json| {
        let message = error.get("message")?;
        let text = message.get(language.tag()).or_else(|| message.get(Language::En.tag()))?.as_str()?;
        Some(match error.get("column").and_then(Json::as_str) {
            Some(column) => format!("{column}: {text}"),
            None => text.to_owned(),
        })
    };
    errors.iter().filter_map(reason).collect::<Vec<_>>().join("; ")
}
