use rust_xlsxwriter::Workbook;
use trellis_model::ObjectDefinition;
use trellis_records::Caller;

use super::cells::columns;
use super::{CsvLine, Error, ExportLanguage, ExportSpec, Format, Result};

/// An empty table whose columns an import of the object knows: what may be written, required fields first.
///
/// # Errors
/// [`Error::Workbook`] where there are more columns than a sheet has.
pub fn template(
    object: &ObjectDefinition,
    caller: &Caller,
    format: Format,
    language: ExportLanguage,
) -> Result<Vec<u8>> {
    let writable = &caller.scope.of(&object.name).writable;
    let open = object
        .fields
        .iter()
        .filter(|field| writable.contains(&field.name) && field.computed.is_none() && !field.retired);
    let (required, others): (Vec<_>, Vec<_>) = open.partition(|field| field.required);
    let names = required.iter().chain(&others).map(|field| field.name.to_string()).collect();
    let spec = ExportSpec { columns: Some(names), language, ..ExportSpec::default() };
    let columns = columns(&spec, object, caller)?;
    let labels = columns.iter().map(|column| column.label.as_str());
    if format == Format::Xlsx {
        let refused = |error: rust_xlsxwriter::XlsxError| Error::Workbook(error.to_string());
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for (place, label) in (0_u16..).zip(labels) {
            sheet.write_string(0, place, label).map_err(refused)?;
        }
        return workbook.save_to_buffer().map_err(refused);
    }
    let mut line = CsvLine::default();
    Ok(["\u{feff}".as_bytes(), line.of(labels)].concat())
}
