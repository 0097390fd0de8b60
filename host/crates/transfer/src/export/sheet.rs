//! A workbook with one sheet, written row by row.

use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Workbook, XlsxError};

use super::cells::Cell;
use super::{Error, Result};

/// Rows of a sheet, the header included.
const ROWS_MAX: u32 = 1_048_576;

/// A workbook with one sheet.
pub(super) struct Sheet {
    workbook: Workbook,
    file: PathBuf,
    next: u32,
}

impl Sheet {
    pub(super) fn new(file: &Path) -> Result<Self> {
        let mut workbook = Workbook::new();
        workbook.add_worksheet_with_constant_memory().map_err(|error| refused(&error))?;
        Ok(Self { workbook, file: file.to_owned(), next: 0 })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<()> {
        if self.next >= ROWS_MAX {
            return Err(Error::Workbook(format!(
                "a sheet holds at most {} records; export CSV",
                ROWS_MAX - 1
            )));
        }
        let sheet = self.workbook.worksheet_from_index(0).map_err(|error| refused(&error))?;
        for (place, cell) in cells.iter().enumerate() {
            let column =
                u16::try_from(place).map_err(|_| Error::Workbook("more than 65,535 columns".into()))?;
            let number = match cell {
                Cell::Number(text) => text.parse::<f64>().ok().filter(|number| number.to_string() == *text),
                _ => None,
            };
            let written = match (cell, number) {
                (Cell::Empty, _) => continue,
                (Cell::Bool(flag), _) => sheet.write_boolean(self.next, column, *flag),
                (_, Some(number)) => sheet.write_number(self.next, column, number),
                (cell, None) => sheet.write_string(self.next, column, cell.text()),
            };
            written.map_err(|error| refused(&error))?;
        }
        self.next += 1;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.workbook.save(&self.file).map_err(|error| refused(&error))?;
        std::fs::File::open(&self.file)?.sync_all()?;
        Ok(())
    }
}

fn refused(error: &XlsxError) -> Error {
    Error::Workbook(error.to_string())
}
