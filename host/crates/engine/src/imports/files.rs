//! The folders of prepared imports.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use trellis_model::RecordId;
use trellis_transfer::import::RowError;

use super::{ImportSession, RowErrors};
use crate::core::Core;
use crate::{Error, Result, import};

/// What the file of a session is called in its folder.
const SESSION: &str = "session.json";
/// What the upload is called.
const UPLOAD: &str = "upload";
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3_600_000;

/// The folders of prepared imports.
#[derive(Debug)]
pub(crate) struct Imports {
    dir: PathBuf,
    /// Whoever changes a session holds it from reading to writing.
    pub(super) changing: tokio::sync::Mutex<()>,
}

/// Which errors of rows are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errors {
    /// Those of the last check.
    Checked,
    /// Those of the load.
    Loaded,
}

impl Imports {
    pub(crate) fn open(dir: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&dir).map_err(|source| failed("creating the folder", &dir, source))?;
        Ok(Self { dir, changing: tokio::sync::Mutex::default() })
    }

    fn folder(&self, id: RecordId) -> PathBuf {
        self.dir.join(id.to_string())
    }

    pub(super) fn upload(&self, id: RecordId) -> PathBuf {
        self.folder(id).join(UPLOAD)
    }

    /// Where the rows that were not loaded are written for download.
    pub(super) fn failed_rows(&self, id: RecordId) -> PathBuf {
        self.folder(id).join("failed-rows.csv")
    }

    fn errors_file(&self, id: RecordId, errors: Errors) -> PathBuf {
        self.folder(id).join(match errors {
            Errors::Checked => "checked.jsonl",
            Errors::Loaded => "loaded.jsonl",
        })
    }

    /// Whether there is such an import.
    pub(crate) fn has(&self, id: RecordId) -> bool {
        self.folder(id).join(SESSION).is_file()
    }

    /// Takes an upload over.
    pub(super) fn create(&self, session: &ImportSession, file: &Path) -> Result<()> {
        let id = session.id.into();
        let folder = self.folder(id);
        std::fs::create_dir(&folder).map_err(|source| failed("creating the folder", &folder, source))?;
        std::fs::rename(file, self.upload(id)).map_err(|source| failed("moving", file, source))?;
        self.write(session)
    }

    pub(super) fn read(&self, id: RecordId) -> Result<ImportSession> {
        let path = self.folder(id).join(SESSION);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::UnknownImport { id });
            }
            Err(error) => return Err(failed("reading", &path, error)),
        };
        serde_json::from_slice(&text)
            .map_err(|error| Error::Damaged { what: format!("import {id}: {error}") })
    }

    /// Puts a session in the place of what was there, whole or not at all.
    pub(super) fn write(&self, session: &ImportSession) -> Result<()> {
        let folder = self.folder(session.id.into());
        let (path, new) = (folder.join(SESSION), folder.join("session.generating"));
        let text = serde_json::to_vec(session)
            .map_err(|error| Error::Internal { doing: "writing an import", reason: error.to_string() })?;
        let write = || {
            let mut file = std::fs::File::create(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&new, &path)
        };
        write().map_err(|source| failed("writing", &path, source))
    }

    pub(super) fn remove(&self, id: RecordId) -> Result<()> {
        let folder = self.folder(id);
        std::fs::remove_dir_all(&folder).map_err(|source| failed("removing", &folder, source))
    }

    /// All imports, the newest first; those that cannot be read are left out.
    pub(super) fn list(&self) -> Result<Vec<ImportSession>> {
        let entries = std::fs::read_dir(&self.dir);
        let entries = entries.map_err(|source| failed("reading the folder", &self.dir, source))?;
        let names = entries.flatten().map(|entry| entry.file_name());
        let ids = names.filter_map(|name| RecordId::parse(name.to_str()?).ok());
        let mut sessions: Vec<ImportSession> = ids.filter_map(|id| self.read(id).ok()).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.id));
        Ok(sessions)
    }

    /// A file for errors of rows: anew, or with those that it has about rows up to one that is finished.
    pub(super) fn errors_writer(&self, id: RecordId, errors: Errors, through: u64) -> Result<ErrorsWriter> {
        let path = self.errors_file(id, errors);
        let kept = if through == 0 { Vec::new() } else { lines(&path, |row| row <= through)? };
        let create = || {
            let mut file = std::fs::File::create(&path)?;
            kept.iter().try_for_each(|line| writeln!(file, "{line}"))?;
            Ok(file)
        };
        let file = create().map_err(|source| failed("writing", &path, source))?;
        Ok(ErrorsWriter { file: parking_lot::Mutex::new((file, kept.len())) })
    }

    /// The errors of rows that are wanted.
    pub(super) fn errors(
        &self,
        id: RecordId,
        errors: Errors,
        wanted: impl Fn(u64) -> bool,
    ) -> Result<RowErrors> {
        let mut found = RowErrors::new();
        for error in lines(&self.errors_file(id, errors), wanted)? {
            let row = error.get("row").and_then(Json::as_u64).unwrap_or_default();
            found.entry(row).or_default().push(error);
        }
        Ok(found)
    }
}

/// The errors of a file about rows that are wanted; none where there is no file. A last line that was cut by a crash is left out.
fn lines(path: &Path, wanted: impl Fn(u64) -> bool) -> Result<Vec<Json>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("reading", path, error)),
    };
    let mut found = Vec::new();
    for line in file.lines() {
        let line = line.map_err(|source| failed("reading", path, source))?;
        let Ok(error) = serde_json::from_str::<Json>(&line) else { continue };
        if error.get("row").and_then(Json::as_u64).is_some_and(&wanted) {
            found.push(error);
        }
    }
    Ok(found)
}

/// Writes errors of rows down, one a line.
#[derive(Debug)]
pub(super) struct ErrorsWriter {
    file: parking_lot::Mutex<(std::fs::File, usize)>,
}

impl ErrorsWriter {
    /// Writes errors down, up to the limit. What the disk refuses is told to the log only: the load itself goes on.
    pub(super) fn add(&self, errors: &[RowError], kept_max: usize) {
        let mut held = self.file.lock();
        let (file, kept) = &mut *held;
        let room = kept_max.saturating_sub(*kept);
        let text: String =
            errors.iter().take(room).map(|error| format!("{}\n", import::row_error(error))).collect();
        *kept += errors.len().min(room);
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::warn!("errors of an import cannot be written down: {error}");
        }
    }
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { doing, path: path.to_owned(), source }
}

impl Core {
    /// Removes prepared imports that nobody has touched for long, and files of exports, unless a job needs them.
    pub(crate) fn remove_old_files(&self, in_use: impl Fn(RecordId) -> bool) {
        let now_ms = self.records.clock().now_ms();
        let kept_ms = i64::from(self.config.imports_kept_days_max) * DAY_MS;
        for session in self.imports.list().unwrap_or_default() {
            let id = session.id.into();
            if session.changed_at_ms + kept_ms < now_ms
                && !in_use(id)
                && let Err(error) = self.imports.remove(id)
            {
                tracing::warn!("an old import cannot be removed: {error}");
            }
        }
        crate::export::remove_old(self, now_ms - i64::from(self.config.exports_kept_days_max) * DAY_MS);
    }
}
