//! The file, read twice: once to survey it, once to take its rows. Both run on threads of their own.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use tokio::sync::mpsc::Sender;
use trellis_model::{Currency, Phrase, Text, bilingual};

use super::parse::{Draft, Parser};
use super::report::RowError;
use super::row_id::RowIds;
use super::table::{Read, Row, Rows};
use super::{Error, Limits, Mapping, Result};

/// How many rows pass between two reports of a survey.
const SURVEY_REPORT_ROWS: u64 = 10_000;
/// How much of the file is read at once.
const READ_BYTES: usize = 256 << 10;

/// What a thread needs to read a file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) file: Box<Path>,
    pub(super) mapping: Mapping,
    pub(super) base_currency: Currency,
    pub(super) limits: Limits,
}

/// What a first reading finds.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) rows: u64,
    /// The distinct keys of each mapped column that is a reference; empty for other columns.
    pub(super) keys: Vec<HashSet<String>>,
}

/// A row of a batch.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) line: u64,
    pub(super) number: u64,
    pub(super) draft: Result<Draft, Vec<RowError>>,
}

/// Returns the names of the columns of a file, checked: UTF-8, each once.
///
/// # Errors
/// [`Error::File`] and [`Error::Header`].
pub fn read_header(file: &Path) -> Result<Vec<String>> {
    open(file, &Limits::default()).map(|(_, header)| header)
}

fn open(file: &Path, limits: &Limits) -> Result<(Rows<BufReader<File>>, Vec<String>)> {
    let opened = File::open(file).map_err(|error| file_error(file, error))?;
    let mut rows = Rows::new(BufReader::with_capacity(READ_BYTES, opened), limits.line_bytes_max);
    let mut row = Row::default();
    match rows.read_header(&mut row).map_err(|error| file_error(file, error))? {
        Read::Row => header(&row, limits).map(|header| (rows, header)),
        Read::Bad(_) => Err(Error::header(Text::new(
            "the first line is too long, or has a quote that is not closed",
            "首行过长，或有未闭合的引号",
        ))),
        Read::End => Err(Error::header(Text::new("the file is empty", "文件为空"))),
    }
}

fn header(row: &Row, limits: &Limits) -> Result<Vec<String>> {
    if row.len() > limits.columns_max {
        let (columns, max) = (row.len(), limits.columns_max);
        return Err(Error::header(bilingual!(
            "{columns} columns, at most {max}",
            "有 {columns} 列，最多 {max} 列"
        )));
    }
    let cells = (0..row.len()).map(|place| row.cell(place).unwrap_or_default());
    let names = cells.map(|cell| match str::from_utf8(cell) {
        Ok(name) if !name.contains('\0') => Ok(name.trim().to_owned()),
        _ => {
            let cell = String::from_utf8_lossy(cell).replace('\0', "␀");
            Err(Error::header(bilingual!("`{cell}` is not UTF-8 text", "`{cell}` 不是 UTF-8 文本")))
        }
    });
    let names = names.collect::<Result<Vec<_>>>()?;
    let mut seen = HashSet::new();
    match names.iter().find(|name| !name.is_empty() && !seen.insert(name.as_str())) {
        Some(name) => Err(Error::header(bilingual!("column `{name}` is there twice", "列 `{name}` 重复"))),
        None => Ok(names),
    }
}

pub(super) fn file_error(file: &Path, source: io::Error) -> Error {
    let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Error::File { file, source }
}

impl Source {
    /// Reads the whole file without writing anything. Stops early when `reports`, which gets the number of rows, is closed.
    pub(super) fn survey(&self, reports: &Sender<u64>) -> Result<Survey> {
        let mut survey = Survey { rows: 0, keys: vec![HashSet::new(); self.mapping.columns.len()] };
        let (mut keys, mut without_id) = (0, 0);
        self.each_row(|parser, row, read| {
            survey.rows += 1;
            if survey.rows.is_multiple_of(SURVEY_REPORT_ROWS) && reports.blocking_send(survey.rows).is_err() {
                return Ok(false);
            }
            let Read::Row = read else { return Ok(true) };
            let Ok(row) = parser.parse(row) else { return Ok(true) };
            without_id += usize::from(parser.lacks_id(&row));
            for (place, key) in parser.references(&row) {
                let known = survey.keys.get_mut(place).expect("one set for each mapped column");
                if !known.contains(key) {
                    known.insert(key.to_owned());
                    keys += 1;
                }
            }
            let check = |what, count, count_max| {
                if count > count_max { Err(Error::TooMany { what, count_max }) } else { Ok(true) }
            };
            let keys_of_references = Phrase::new("distinct keys of references", "引用的不同键的数量");
            check(keys_of_references, keys, self.limits.keys_in_memory_max)?;
            check(
                Phrase::new("rows without an id", "没有编号的行数"),
                without_id,
                self.limits.rows_without_id_max,
            )
        })?;
        Ok(survey)
    }

    /// Reads the file again and sends its rows in batches. Stops early when `batches` is closed.
    pub(super) fn send_rows(&self, batches: &Sender<Vec<Item>>) -> Result<()> {
        let mut ids = RowIds::default();
        let mut batch = Vec::with_capacity(self.limits.batch_rows_max);
        let mut open = true;
        self.each_row(|parser, row, read| {
            let draft = match read {
                Read::Bad(fault) => Err(vec![parser.fault(row, fault)]),
                _ => parser.parse(row).map(|row| parser.draft(row, &mut ids)),
            };
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
        let (mut rows, header) = open(&self.file, &self.limits)?;
        let parser =
            Parser::new(self.mapping.clone(), &header, self.base_currency, self.limits.line_bytes_max)?;
        let mut row = Row::default();
        loop {
            let read = rows.read(&mut row).map_err(|error| file_error(&self.file, error))?;
            if read == Read::End || !visit(&parser, &row, read)? {
                return Ok(());
            }
        }
    }
}
