//! Sheets of XLSX workbooks. A workbook is a zip archive of XML that its reader keeps in memory in part, so it is unpacked once into
//! nothing first: what unpacks to more than the limit is refused before anything is kept.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use trellis_model::{Text, bilingual};

use super::file::file_error;
use super::rows::{Fault, Read, Row};
use crate::import::{Error, Limits, Result};

/// Parts of a workbook. Each sheet, image and note is one.
const PARTS_MAX: usize = 10_000;
/// How a zip archive begins.
pub(super) const ZIP: &[u8] = b"PK\x03\x04";
/// How a workbook of Excel before 2007 begins.
pub(super) const OLE: &[u8] = b"\xd0\xcf\x11\xe0";

type Workbook = Xlsx<BufReader<File>>;

/// Opens a workbook that is within the limits.
pub(super) fn open(file: &Path, limits: &Limits) -> Result<Workbook> {
    check_size(file, limits)?;
    let opened = BufReader::new(File::open(file).map_err(|error| file_error(file, error))?);
    guarded(|| Xlsx::new(opened)).map_err(|why| not_a_workbook(&why))
}

/// The names of a workbook's sheets, in order.
pub(super) fn names(workbook: &Workbook) -> Vec<String> {
    workbook.sheet_names()
}

/// The name of the sheet that is meant: the first one where none is named.
pub(super) fn chosen(workbook: &Workbook, wanted: Option<&str>) -> Result<String> {
    let names = names(workbook);
    let found = match wanted {
        Some(wanted) => names.iter().find(|name| *name == wanted),
        None => names.first(),
    };
    found.cloned().ok_or_else(|| {
        let (wanted, names) = (wanted.unwrap_or_default(), names.join(", "));
        Error::header(bilingual!(
            "there is no sheet `{wanted}`; the workbook has {names}",
            "没有工作表 `{wanted}`，工作簿中有 {names}"
        ))
    })
}

/// Unpacks everything into nothing, up to the limit.
fn check_size(file: &Path, limits: &Limits) -> Result<()> {
    let opened = BufReader::new(File::open(file).map_err(|error| file_error(file, error))?);
    let mut archive = zip::ZipArchive::new(opened).map_err(|error| not_a_workbook(&error.to_string()))?;
    let too_large = || Error::UnpackedTooLarge { bytes_max: limits.xlsx_bytes_max };
    if archive.len() > PARTS_MAX {
        return Err(too_large());
    }
    let mut room = limits.xlsx_bytes_max;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|error| not_a_workbook(&error.to_string()))?;
        let unpacked = io::copy(&mut part.take(room + 1), &mut io::sink());
        let unpacked = unpacked.map_err(|error| not_a_workbook(&error.to_string()))?;
        room = room.checked_sub(unpacked).ok_or_else(too_large)?;
    }
    Ok(())
}

fn not_a_workbook(why: &str) -> Error {
    let why: String = why.chars().take(200).collect();
    Error::header(bilingual!(
        "the file is no XLSX workbook that can be read: {why}",
        "该文件不是可以读取的 XLSX 工作簿：{why}"
    ))
}

/// Calls the reader of workbooks; whatever a hostile file does to it is an error of the file.
fn guarded<T, E: std::fmt::Display>(call: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("its content made the reader fail".to_owned()),
    }
}

/// Reads a sheet row by row: `visit` gets each row that has a cell with something in it, until it returns false. `columns` tells how many
/// cells a row shall have, once that is known: fewer are filled up, more are a fault.
pub(super) fn each_row(
    workbook: &mut Workbook,
    sheet: &str,
    limits: &Limits,
    visit: &mut dyn FnMut(&mut Row, Read) -> Result<Option<usize>>,
) -> Result<()> {
    let mut cells = guarded(|| workbook.worksheet_cells_reader(sheet)).map_err(|why| not_a_workbook(&why))?;
    let mut gathered = Gathered::new(limits);
    loop {
        let cell = guarded(|| cells.next_cell()).map_err(|why| not_a_workbook(&why))?;
        let place = cell.as_ref().map(|cell| cell.get_position());
        if place.is_none_or(|(row, _)| u64::from(row) + 1 != gathered.row.line) && !gathered.finish(visit)? {
            return Ok(());
        }
        let (Some(cell), Some((row, column))) = (cell, place) else { return Ok(()) };
        gathered.add(u64::from(row) + 1, column as usize, &text(cell.get_value()));
    }
}

/// A row whose cells come one by one.
struct Gathered<'a> {
    row: Row,
    limits: &'a Limits,
    /// Whether any cell says something.
    any: bool,
    fault: Option<Fault>,
    number: u64,
    columns: Option<usize>,
}

impl<'a> Gathered<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self { row: Row::default(), limits, any: false, fault: None, number: 0, columns: None }
    }

    fn add(&mut self, line: u64, column: usize, text: &str) {
        self.row.line = line;
        if text.trim().is_empty() {
            return;
        }
        self.any = true;
        if column >= self.limits.columns_max {
            self.fault = Some(Fault::TooManyCells);
        } else if self.row.bytes() + text.len() > self.limits.line_bytes_max {
            self.fault = Some(Fault::TooLong);
        } else if self.fault.is_none() && column >= self.row.len() {
            while self.row.len() < column {
                self.row.push(b"");
            }
            self.row.push(text.as_bytes());
        }
    }

    /// Hands the row over; returns whether to go on.
    fn finish(&mut self, visit: &mut dyn FnMut(&mut Row, Read) -> Result<Option<usize>>) -> Result<bool> {
        let mut go_on = true;
        if self.any {
            self.row.number = self.number;
            if let (Some(columns), None) = (self.columns, self.fault) {
                let found = self.row.len();
                while self.row.len() < columns {
                    self.row.push(b"");
                }
                self.fault = (found > columns).then_some(Fault::Columns { found, expected: columns });
            }
            let read = self.fault.map_or(Read::Row, Read::Bad);
            let columns = visit(&mut self.row, read)?;
            go_on = columns.is_some();
            self.columns = columns.filter(|&columns| columns > 0).or(self.columns);
            self.number += 1;
        }
        self.row.clear();
        (self.row.line, self.any, self.fault) = (0, false, None);
        Ok(go_on)
    }
}

/// A cell as a table of text would write it: days and moments in ISO 8601, of formulas their last result.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(flag) => flag.to_string(),
        DataRef::DateTime(time) => moment(*time),
        DataRef::Error(error) => error.to_string(),
    }
}

fn moment(time: ExcelDateTime) -> String {
    if !time.is_datetime() {
        return time.as_f64().to_string();
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    match (hour, minute, second) {
        (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
    }
}

/// What to say of a workbook of another age.
pub(super) fn too_old() -> Error {
    Error::header(Text::new(
        "the file is a workbook of Excel before 2007: save it as .xlsx",
        "该文件是 Excel 2007 之前的格式：请另存为 .xlsx",
    ))
}
