//! The file, read twice: once to survey it, once to take its rows. Both run on threads of their own.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::Sender;
use trellis_model::Phrase;

use super::checkpoint::Done;
use super::parse::{Draft, Locale, Meaning, ParsedRow, Parser};
use super::report::RowError;
use super::row_id::RowIds;
use super::table::{Edited, Edits, Read, ReadOptions, Row, Table};
use super::{Error, Limits, Mapping, Result};

/// How many rows pass between two reports of a survey.
const SURVEY_REPORT_ROWS: u64 = 10_000;

/// What a thread needs to read a file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    table: Edited,
    mapping: Arc<Mapping>,
    locale: Locale,
    limits: Limits,
}

/// The keys of one mapped column, each with the texts beside it in the first row that has it.
pub(super) type Keys = HashMap<String, Vec<String>>;

/// What a first reading finds.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Rows that are not left out.
    pub(super) rows: u64,
    /// How many rows are left out, for each reason of the mapping.
    pub(super) dropped: Vec<u64>,
    /// The distinct keys of each mapped column that is a reference; empty for other columns.
    pub(super) keys: Vec<Keys>,
    /// Digests of keys that several rows give themselves, where that was asked for.
    pub(super) repeated: HashSet<[u8; 16]>,
}

/// A row of a batch.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) line: u64,
    pub(super) number: u64,
    pub(super) draft: Taken,
}

/// What is to be done with a row.
#[derive(Debug)]
pub(super) enum Taken {
    Draft(Box<Draft>),
    Bad(Vec<RowError>),
    /// An earlier attempt created it.
    Created,
    /// An earlier attempt changed it.
    Updated,
}

/// Returns the names of the columns of a file, checked: text, each once.
///
/// # Errors
/// [`Error::File`], [`Error::Header`] and [`Error::UnpackedTooLarge`].
pub fn read_header(file: &Path) -> Result<Vec<String>> {
    read_header_with(file, &ReadOptions::default(), &Limits::default())
}

/// As [`read_header`], of a file that is to be read in a certain way.
///
/// # Errors
/// As [`read_header`].
pub fn read_header_with(file: &Path, options: &ReadOptions, limits: &Limits) -> Result<Vec<String>> {
    Ok(Table::open(file, options, limits)?.header)
}

/// What a digest of a key is computed over; sixteen bytes keep a million of them apart.
pub(super) fn digest(key: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    blake3::Hasher::new().update(key.as_bytes()).finalize_xof().fill(&mut digest);
    digest
}

impl Source {
    /// Looks at a file.
    pub(super) fn open(
        file: &Path,
        mapping: Arc<Mapping>,
        edits: Arc<Edits>,
        locale: Locale,
        limits: Limits,
    ) -> Result<Self> {
        let table = Table::open(file, mapping.read_options(), &limits)?;
        mapping.check_header(&table.header)?;
        Ok(Self { table: Edited::new(table, edits), mapping, locale, limits })
    }

    /// Reads the whole file without writing anything. Stops early when `reports`, which gets the number of rows, is closed.
    pub(super) fn survey(&self, reports: &Sender<u64>, repeated: bool) -> Result<Survey> {
        let mut survey = Survey {
            keys: vec![Keys::new(); self.mapping.columns.len()],
            dropped: vec![0; self.mapping.drops.len()],
            ..Survey::default()
        };
        let (mut keys, mut without_id, mut seen, mut given) = (0, 0, 0_u64, HashSet::new());
        self.each_row(|parser, row, read| {
            seen += 1;
            if seen.is_multiple_of(SURVEY_REPORT_ROWS) && reports.blocking_send(seen).is_err() {
                return Ok(false);
            }
            check(Phrase::new("rows", "行"), seen as usize, self.limits.rows_max)?;
            let meaning = if let Read::Row = read { parser.parse(row).ok() } else { None };
            if let Some(Meaning::Dropped(reason)) = meaning {
                *survey.dropped.get_mut(reason).expect("one count for each reason") += 1;
                return Ok(true);
            }
            survey.rows += 1;
            let Some(Meaning::Row(parsed)) = meaning else { return Ok(true) };
            without_id += usize::from(parser.lacks_id(&parsed));
            for (place, key) in parser.references(&parsed) {
                let known = survey.keys.get_mut(place).expect("one set for each mapped column");
                if !known.contains_key(key) {
                    known.insert(key.to_owned(), parser.beside(place, row));
                    keys += 1;
                }
            }
            if let Some(key) = parser.given_key(&parsed).filter(|_| repeated).map(|key| digest(&key))
                && !given.insert(key)
            {
                survey.repeated.insert(key);
            }
            let keys_of_references = Phrase::new("distinct keys of references", "引用的不同键的数量");
            check(keys_of_references, keys, self.limits.keys_in_memory_max)?;
            let without = Phrase::new("rows without an id", "没有编号的行数");
            check(without, without_id, self.limits.rows_without_id_max)
        })?;
        Ok(survey)
    }

    /// Reads the file again and sends its rows in batches, without those that are left out or `done`. Stops early when `batches` is
    /// closed.
    pub(super) fn send_rows(&self, batches: &Sender<Vec<Item>>, done: &Done) -> Result<()> {
        let mut ids = RowIds::default();
        let mut batch = Vec::with_capacity(self.limits.batch_rows_max);
        let mut open = true;
        self.each_row(|parser, row, read| {
            let Some(draft) = taken(parser, row, read, &mut ids, done) else { return Ok(open) };
            batch.push(Item { line: row.line, number: row.number, draft });
            if batch.len() >= self.limits.batch_rows_max {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(self.limits.batch_rows_max));
                open = batches.blocking_send(full).is_ok();
            }
            Ok(open)
        })?;
        if open && !batch.is_empty() {
            // Nobody to send to is a cancelled import, which is no error here.
            let _ = batches.blocking_send(batch);
        }
        Ok(())
    }

    /// Calls `visit` for each row, good or bad, until it returns false.
    fn each_row(&self, mut visit: impl FnMut(&Parser, &Row, Read) -> Result<bool>) -> Result<()> {
        let header = &self.table.table.header;
        let parser =
            Parser::new(Arc::clone(&self.mapping), header, &self.locale, self.limits.line_bytes_max)?;
        self.table.each_row(|row, read| visit(&parser, row, read))
    }
}

/// What is to be done with a row; nothing where it is left out or finished. Rows that are finished count for the ids of later ones.
fn taken(parser: &Parser, row: &Row, read: Read, ids: &mut RowIds, done: &Done) -> Option<Taken> {
    let parsed = match read {
        Read::Bad(fault) => Err(vec![parser.fault(row, fault)]),
        _ => parser.parse(row),
    };
    let draft = match parsed {
        Ok(Meaning::Dropped(_)) => return None,
        Ok(Meaning::Row(parsed)) => drafted(parser, parsed, ids),
        Err(errors) => Taken::Bad(errors),
    };
    match row.number {
        number if number <= done.through => None,
        number if done.created.contains(&number) => Some(Taken::Created),
        number if done.updated.contains(&number) => Some(Taken::Updated),
        _ => Some(draft),
    }
}

fn drafted(parser: &Parser, parsed: ParsedRow, ids: &mut RowIds) -> Taken {
    Taken::Draft(Box::new(parser.draft(parsed, ids)))
}

fn check(what: Phrase, count: usize, count_max: usize) -> Result<bool> {
    if count > count_max { Err(Error::TooMany { what, count_max }) } else { Ok(true) }
}
