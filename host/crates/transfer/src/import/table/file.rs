//! A file as a table: what it is, its header, its rows.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8};
use serde::{Deserialize, Serialize};
use trellis_model::{Text, bilingual};

use super::decode::Decoding;
use super::guess::{self, EncodingGuess};
use super::rows::{Fault, Read, Row, Rows};
use super::sheet;
use crate::import::{Error, Limits, Result};

/// How much of the file is read at once.
const READ_BYTES: usize = 256 << 10;
/// Bytes by which the delimiter is told.
const DELIMITER_BYTES: usize = 64 << 10;

/// How a file is to be read; what is left open is guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// The encoding of a CSV file, by a name of the WHATWG list: `utf-8`, `gb18030`, `utf-16le`.
    pub encoding: Option<String>,
    /// What parts the cells of a CSV file: one ASCII character, or `tab`.
    pub delimiter: Option<String>,
    /// Whether the first row names the columns (default true). Else they are `Column 1`, `Column 2`…
    pub header: Option<bool>,
    /// The sheet of a workbook, by its name (default the first).
    pub sheet: Option<String>,
}

/// What people changed in a table without touching the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edits {
    /// Other texts for cells, by the number of the row and the name of the column.
    pub cells: BTreeMap<u64, BTreeMap<String, String>>,
    /// Rows that are left out, by number.
    pub dropped: BTreeSet<u64>,
}

/// A file that was looked at.
#[derive(Debug, Clone)]
pub(in super::super) struct Table {
    file: PathBuf,
    pub(in super::super) kind: Kind,
    pub(in super::super) has_header: bool,
    pub(in super::super) header: Vec<String>,
    limits: Limits,
}

#[derive(Debug, Clone)]
pub(in super::super) enum Kind {
    Csv { encoding: &'static Encoding, delimiter: u8 },
    Sheet { name: String, names: Vec<String> },
}

/// A table with the edits of people.
#[derive(Debug, Clone)]
pub(in super::super) struct Edited {
    pub(in super::super) table: Table,
    edits: std::sync::Arc<Edits>,
}

impl Edited {
    pub(in super::super) fn new(table: Table, edits: std::sync::Arc<Edits>) -> Self {
        Self { table, edits }
    }

    /// Calls `visit` for each row that is not left out, with its texts as edited, until it returns false.
    pub(in super::super) fn each_row(&self, mut visit: impl FnMut(&Row, Read) -> Result<bool>) -> Result<()> {
        let places: BTreeMap<&str, usize> =
            self.table.header.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        self.table.each_row(|row, mut read| {
            if self.edits.dropped.contains(&row.number) {
                return Ok(true);
            }
            if let Some(cells) = self.edits.cells.get(&row.number) {
                // A row that could not be read has no cells: people have given it new ones.
                if read != Read::Row {
                    row.clear();
                    self.table.header.iter().for_each(|_| row.push(b""));
                    read = Read::Row;
                }
                let cells = cells.iter();
                let cells: Vec<_> = cells
                    .filter_map(|(name, text)| Some((*places.get(name.as_str())?, text.as_str())))
                    .collect();
                row.replace(&cells);
            }
            visit(row, read)
        })
    }
}

impl Table {
    /// Looks at a file: what it is, and which columns it has.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Header`], [`Error::UnpackedTooLarge`].
    pub(in super::super) fn open(file: &Path, options: &ReadOptions, limits: &Limits) -> Result<Self> {
        let has_header = options.header.unwrap_or(true);
        let kind = kind(file, options, limits)?;
        let mut table = Self { file: file.to_owned(), kind, has_header, header: Vec::new(), limits: *limits };
        table.header = table.read_header()?;
        Ok(table)
    }

    /// The texts of the first rows, as they are: with what may be the header.
    pub(in super::super) fn first_rows(&self, rows_max: usize) -> Result<Vec<Vec<String>>> {
        let mut rows = Vec::new();
        self.each_raw(&mut |row, read| {
            if read == Read::Row {
                rows.push(texts(row));
            }
            Ok((rows.len() < rows_max).then_some(0))
        })?;
        Ok(rows)
    }

    fn read_header(&self) -> Result<Vec<String>> {
        let mut header = None;
        self.each_raw(&mut |row, read| {
            header = Some(match read {
                Read::Row if self.has_header => names(row, &self.limits),
                Read::Row => check_width(row.len(), &self.limits)
                    .map(|()| (1..=row.len()).map(|number| format!("Column {number}")).collect()),
                Read::Bad(Fault::TooManyCells) => check_width(usize::MAX, &self.limits).map(|()| Vec::new()),
                _ => Err(Error::header(Text::new(
                    "the first line is too long, or has a quote that is not closed",
                    "首行过长，或有未闭合的引号",
                ))),
            });
            Ok(None)
        })?;
        header.unwrap_or_else(|| Err(Error::header(Text::new("the file is empty", "文件为空"))))
    }

    /// Calls `visit` for each row below the header, good or bad, until it returns false.
    pub(in super::super) fn each_row(
        &self,
        mut visit: impl FnMut(&mut Row, Read) -> Result<bool>,
    ) -> Result<()> {
        let (columns, mut header) = (self.header.len(), self.has_header);
        self.each_raw(&mut |row, read| {
            if header {
                header = false;
                return Ok(Some(columns));
            }
            // The header is no row; rows are counted from 1.
            row.number += u64::from(!self.has_header);
            Ok(visit(row, read)?.then_some(columns))
        })
    }

    /// Calls `visit` for each row, the header included, numbered from 0. It returns how many cells further rows have, 0 where that is open;
    /// nothing ends it.
    fn each_raw(&self, visit: &mut dyn FnMut(&mut Row, Read) -> Result<Option<usize>>) -> Result<()> {
        match &self.kind {
            Kind::Sheet { name, .. } => {
                let mut workbook = sheet::open(&self.file, &self.limits)?;
                sheet::each_row(&mut workbook, name, &self.limits, visit)
            }
            Kind::Csv { encoding, delimiter } => {
                let source = decoded(&self.file, encoding)?;
                let mut rows = Rows::new(source, self.limits.line_bytes_max, *delimiter);
                if !self.has_header && !self.header.is_empty() {
                    rows.expect_columns(self.header.len());
                }
                let mut row = Row::default();
                let mut number = 0;
                loop {
                    let read = rows.read(&mut row).map_err(|error| file_error(&self.file, error))?;
                    if read == Read::End {
                        return Ok(());
                    }
                    row.number = number;
                    number += 1;
                    match visit(&mut row, read)? {
                        Some(0) => {}
                        Some(columns) => rows.expect_columns(columns),
                        None => return Ok(()),
                    }
                }
            }
        }
    }
}

/// The cells of a row as text.
pub(in super::super) fn texts(row: &Row) -> Vec<String> {
    let cells = (0..row.len()).map(|place| row.cell(place).unwrap_or_default());
    cells.map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
}

fn kind(file: &Path, options: &ReadOptions, limits: &Limits) -> Result<Kind> {
    let failed = |error| file_error(file, error);
    let mut opened = File::open(file).map_err(failed)?;
    let bytes = opened.metadata().map_err(failed)?.len();
    if bytes > limits.file_bytes_max {
        return Err(Error::FileTooLarge { bytes, bytes_max: limits.file_bytes_max });
    }
    let mut start = Vec::new();
    opened.by_ref().take(8).read_to_end(&mut start).map_err(failed)?;
    if start.starts_with(sheet::OLE) {
        return Err(sheet::too_old());
    }
    if start.starts_with(sheet::ZIP) {
        let workbook = sheet::open(file, limits)?;
        let name = sheet::chosen(&workbook, options.sheet.as_deref())?;
        return Ok(Kind::Sheet { name, names: sheet::names(&workbook) });
    }
    let encoding = match &options.encoding {
        Some(label) => encoding_of(label)?,
        None => guess_encoding(file).map_err(failed)?,
    };
    let delimiter = match options.delimiter.as_deref() {
        Some("tab") => b'\t',
        Some(one) => match one.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => *byte,
            _ => {
                return Err(Error::header(bilingual!(
                    "`{one}` is no delimiter: one character such as `;`, or `tab`",
                    "`{one}` 不是分隔符：应为一个字符（如 `;`）或 `tab`"
                )));
            }
        },
        None => guess_delimiter(file, encoding).map_err(failed)?,
    };
    Ok(Kind::Csv { encoding, delimiter })
}

fn encoding_of(label: &str) -> Result<&'static Encoding> {
    Encoding::for_label(label.as_bytes()).ok_or_else(|| {
        Error::header(bilingual!("there is no encoding `{label}`", "没有名为 `{label}` 的编码"))
    })
}

fn guess_encoding(file: &Path) -> io::Result<&'static Encoding> {
    let mut source = BufReader::with_capacity(READ_BYTES, File::open(file)?);
    let mut guess = EncodingGuess::new();
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(guess.encoding());
        }
        guess.feed(bytes);
        let used = bytes.len();
        source.consume(used);
    }
}

fn guess_delimiter(file: &Path, encoding: &'static Encoding) -> io::Result<u8> {
    let mut text = Vec::new();
    decoding(File::open(file)?, encoding).take(DELIMITER_BYTES as u64).read_to_end(&mut text)?;
    if text.len() == DELIMITER_BYTES {
        // The last line is cut.
        text.truncate(text.iter().rposition(|&byte| byte == b'\n').unwrap_or(text.len()));
    }
    Ok(guess::delimiter(&text))
}

fn decoded(file: &Path, encoding: &'static Encoding) -> Result<Box<dyn BufRead>> {
    File::open(file).map(|opened| decoding(opened, encoding)).map_err(|error| file_error(file, error))
}

fn decoding(opened: File, encoding: &'static Encoding) -> Box<dyn BufRead> {
    if encoding == UTF_8 {
        Box::new(BufReader::with_capacity(READ_BYTES, opened))
    } else {
        Box::new(Decoding::new(opened, encoding))
    }
}

fn check_width(columns: usize, limits: &Limits) -> Result<()> {
    let max = limits.columns_max;
    if columns <= max {
        return Ok(());
    }
    let columns = if columns == usize::MAX { format!("> {max}") } else { columns.to_string() };
    Err(Error::header(bilingual!("{columns} columns, at most {max}", "有 {columns} 列，最多 {max} 列")))
}

fn names(row: &Row, limits: &Limits) -> Result<Vec<String>> {
    check_width(row.len(), limits)?;
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

pub(in super::super) fn file_error(file: &Path, source: io::Error) -> Error {
    let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Error::File { file, source }
}
