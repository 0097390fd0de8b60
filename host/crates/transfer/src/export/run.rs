use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use trellis_model::{Filter, ObjectDefinition, ObjectName, Sort};
use trellis_records::{Caller, Query, Records};

use super::cells::{Cell, Column, Writer, columns};
use super::sink::Sink;
use super::{Error, ExportSpec, Format, Result};

/// What an export did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportReport {
    /// Records in the file.
    pub rows: u64,
    /// Columns of it.
    pub columns: usize,
}

/// Checks what is to be exported, so that a wrong wish is refused before there is a job.
///
/// # Errors
/// [`Error::Spec`] and [`Error::Records`].
pub async fn check(records: &Records, caller: &Caller, object: &ObjectName, spec: &ExportSpec) -> Result<()> {
    let definition = definition(records, object)?;
    columns(spec, &definition, caller)?;
    let query = Query { limit: 1, ..query(records, object, spec)? };
    records.list(&caller.scope, &query).await?;
    Ok(())
}

/// Writes the records that the caller may see into a file, page by page. A record that changes meanwhile is there once, as it was when its
/// page was read. The file is removed where it is not finished.
///
/// # Errors
/// As [`check`], [`Error::File`], [`Error::Workbook`], and [`Error::Cancelled`] once `cancel` says so.
pub async fn run(
    records: &Records,
    caller: &Caller,
    object: &ObjectName,
    spec: &ExportSpec,
    file: &Path,
    progress: &(dyn Fn(u64) + Send + Sync),
    cancel: &AtomicBool,
) -> Result<ExportReport> {
    let written = write(records, caller, object, spec, file, progress, cancel).await;
    if written.is_err()
        && let Err(error) = std::fs::remove_file(file)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!("the file of an export that failed cannot be removed: {error}");
    }
    written
}

async fn write(
    records: &Records,
    caller: &Caller,
    object: &ObjectName,
    spec: &ExportSpec,
    file: &Path,
    progress: &(dyn Fn(u64) + Send + Sync),
    cancel: &AtomicBool,
) -> Result<ExportReport> {
    let definition = definition(records, object)?;
    let columns = columns(spec, &definition, caller)?;
    let labels: Vec<&str> = columns.iter().map(|column| column.label.as_str()).collect();
    let mut sink = Sink::create(spec, file, &labels)?;
    let mut writer = Writer::new(records, caller, spec);
    let mut query = query(records, object, spec)?;
    let mut rows = 0;
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        let page = records.list(&caller.scope, &query).await?;
        for record in &page.records {
            if spec.format == Format::Jsonl {
                let members = columns.iter().map(|column| (column.name.clone(), writer.json(column, record)));
                sink.line(&serde_json::Value::Object(members.collect()))?;
            } else {
                sink.row(&cells(&mut writer, &columns, record).await?)?;
            }
            rows += 1;
        }
        progress(rows);
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    sink.finish()?;
    Ok(ExportReport { rows, columns: columns.len() })
}

async fn cells(
    writer: &mut Writer<'_>,
    columns: &[Column],
    record: &trellis_model::Record,
) -> Result<Vec<Cell>> {
    let mut cells = Vec::with_capacity(columns.len());
    for column in columns {
        cells.push(writer.cell(column, record).await?);
    }
    Ok(cells)
}

fn definition(records: &Records, object: &ObjectName) -> Result<Arc<ObjectDefinition>> {
    let unknown = || trellis_records::Error::UnknownObject { name: object.to_string() };
    Ok(records.schema().object(object.as_str()).cloned().ok_or_else(unknown)?)
}

fn query(records: &Records, object: &ObjectName, spec: &ExportSpec) -> Result<Query> {
    let limits = records.config().limits;
    let wrong = |error: trellis_model::Error| Error::Spec(error.text());
    let filter = match &spec.filter {
        Some(json) => Filter::parse_within(json, &limits.filter).map_err(wrong)?,
        None => Filter::everything(),
    };
    let sort = spec.sort.as_deref().map(Sort::parse_list).transpose().map_err(wrong)?.unwrap_or_default();
    Ok(Query { filter, sort, limit: limits.page_rows_max, ..Query::new(object.clone()) })
}
