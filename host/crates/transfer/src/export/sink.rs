//! The file that rows go into.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::cells::Cell;
use super::csv::{CsvLine, is_formula};
use super::sheet::Sheet;
use super::{Encoding, ExportSpec, Format, Result};
use crate::import::encode;

/// The file that rows go into.
pub(super) enum Sink {
    Csv { file: BufWriter<File>, line: CsvLine, encoding: Encoding, guard: bool, encoded: Vec<u8> },
    Sheet(Box<Sheet>),
    Lines(BufWriter<File>),
}

impl Sink {
    /// Begins a file with its header.
    pub(super) fn create(spec: &ExportSpec, file: &Path, header: &[&str]) -> Result<Self> {
        let mut sink = match spec.format {
            Format::Xlsx => Self::Sheet(Box::new(Sheet::new(file)?)),
            Format::Jsonl => return Ok(Self::Lines(BufWriter::new(File::create(file)?))),
            Format::Csv => {
                let mut file = BufWriter::new(File::create(file)?);
                if spec.encoding == Encoding::Utf8Bom {
                    file.write_all("\u{feff}".as_bytes())?;
                }
                let (line, encoded) = (CsvLine::default(), Vec::new());
                Self::Csv { file, line, encoding: spec.encoding, guard: spec.guard, encoded }
            }
        };
        let header: Vec<Cell> = header.iter().map(|name| Cell::Text((*name).to_owned())).collect();
        sink.row(&header)?;
        Ok(sink)
    }

    /// Adds a row of cells.
    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<()> {
        match self {
            Self::Sheet(sheet) => sheet.row(cells),
            Self::Lines(_) => Ok(()),
            Self::Csv { file, line, encoding, guard, encoded } => {
                let guarded: Vec<String> = cells.iter().map(|cell| guarded(cell, *guard)).collect();
                let bytes = line.of(guarded.iter().map(String::as_str));
                if *encoding == Encoding::Gb18030 {
                    encoded.clear();
                    encode(encoding_rs::GB18030, &String::from_utf8_lossy(bytes), encoded);
                    file.write_all(encoded)?;
                } else {
                    file.write_all(bytes)?;
                }
                Ok(())
            }
        }
    }

    /// Adds a line of JSON.
    pub(super) fn line(&mut self, json: &serde_json::Value) -> Result<()> {
        if let Self::Lines(file) = self {
            writeln!(file, "{json}")?;
        }
        Ok(())
    }

    /// Ends the file, durably.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Sheet(sheet) => sheet.finish(),
            Self::Csv { file, .. } | Self::Lines(file) => {
                file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
                Ok(())
            }
        }
    }
}

fn guarded(cell: &Cell, guard: bool) -> String {
    match cell {
        Cell::Text(text) if guard && is_formula(text) => format!("'{text}"),
        cell => cell.text().to_owned(),
    }
}
