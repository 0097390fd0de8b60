//! What a file seems to be, for people who are about to import it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::table::{Kind, ReadOptions, Table, is_header};
use super::{Limits, Result};

/// Rows whose cells are shown.
const SAMPLES_MAX: usize = 5;
/// Characters of a cell that are shown.
const SAMPLE_CHARACTERS_MAX: usize = 100;

/// What a file seems to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// How it is read, nothing left open.
    pub options: ReadOptions,
    /// The sheets of a workbook; none of a CSV file.
    pub sheets: Vec<String>,
    /// Its columns, in order.
    pub columns: Vec<ColumnProfile>,
    /// How many rows it has below the header, empty ones and bad ones included.
    pub rows: u64,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Its name in the header.
    pub name: String,
    /// The cells of the first rows that say something.
    pub samples: Vec<String>,
}

impl Profile {
    /// The names of the columns.
    pub fn header(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// Looks at a file; what `options` leave open is guessed. Blocks, and reads the whole file.
///
/// # Errors
/// As [`read_header`](super::read_header), and [`Error::TooMany`](super::Error::TooMany) rows.
pub fn profile(file: &Path, options: &ReadOptions, limits: &Limits) -> Result<Profile> {
    let mut options = options.clone();
    if options.header.is_none() {
        // Whoever reads without a header never trips over one that has a name twice.
        let raw = ReadOptions { header: Some(false), ..options.clone() };
        let first = Table::open(file, &raw, limits)?.first_rows(1)?;
        options.header = Some(first.first().is_none_or(|cells| is_header(cells)));
    }
    let table = Table::open(file, &options, limits)?;
    let mut columns: Vec<ColumnProfile> =
        table.header.iter().map(|name| ColumnProfile { name: name.clone(), samples: Vec::new() }).collect();
    let mut rows = 0_u64;
    table.each_row(|row, _| {
        rows += 1;
        if rows as usize > limits.rows_max {
            let what = trellis_model::Phrase::new("rows", "行");
            return Err(super::Error::TooMany { what, count_max: limits.rows_max });
        }
        for (place, column) in columns.iter_mut().enumerate().filter(|_| rows <= 100) {
            let text = String::from_utf8_lossy(row.cell(place).unwrap_or_default());
            if column.samples.len() < SAMPLES_MAX && !text.trim().is_empty() {
                column.samples.push(text.trim().chars().take(SAMPLE_CHARACTERS_MAX).collect());
            }
        }
        Ok(true)
    })?;
    let sheets = match &table.kind {
        Kind::Csv { encoding, delimiter } => {
            options.encoding = Some(encoding.name().to_ascii_lowercase());
            options.delimiter =
                Some(if *delimiter == b'\t' { "tab".into() } else { char::from(*delimiter).to_string() });
            Vec::new()
        }
        Kind::Sheet { name, names } => {
            options.sheet = Some(name.clone());
            names.clone()
        }
    };
    Ok(Profile { options, sheets, columns, rows })
}

/// A row of a file, as it is with the edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// The line of the file at which it begins, from 1.
    pub line: u64,
    /// Its number, from 1.
    pub number: u64,
    /// The texts of its cells; none where the row is not well formed.
    pub cells: Vec<String>,
}

/// Calls `visit` with each row of a file that is not left out, edits applied, until it returns false. Blocks.
///
/// # Errors
/// As [`read_header`](super::read_header).
pub fn each_row(
    file: &Path,
    options: &ReadOptions,
    edits: std::sync::Arc<super::Edits>,
    limits: &Limits,
    mut visit: impl FnMut(TableRow) -> bool,
) -> Result<()> {
    let table = super::table::Edited::new(Table::open(file, options, limits)?, edits);
    table.each_row(|row, read| {
        let cells = if read == super::table::Read::Row { super::table::texts(row) } else { Vec::new() };
        Ok(visit(TableRow { line: row.line, number: row.number, cells }))
    })
}
