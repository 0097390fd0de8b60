use std::io::{Cursor, Read};
use std::path::PathBuf;

use clap::Args;
use serde_json::Value as Json;

use super::client::{Client, number, open, text};
use super::{Connection, Failure, Result, output};

/// Bad rows that are printed; the job has them all up to the server's limit.
const ERRORS_SHOWN_MAX: usize = 20;
/// Between the parts of the upload. It cannot occur in a mapping, which is checked, and a CSV part comes last.
const BOUNDARY: &str = "trellis-import-8c1f0a7d5b";

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// API name of the object that each row becomes, for example `order`.
    object: String,
    /// The file: CSV (encoding and delimiter are guessed) or XLSX.
    file: PathBuf,
    /// How columns become fields (host/docs/formats/import-mapping.md); without it columns are named like fields or their labels.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

impl Import {
    pub(crate) fn run(&self) -> Result {
        let client = Client::new(&self.connection)?;
        let object = client.get(&format!("/api/v1/metadata/objects/{}", self.object))?;
        let body = self.body()?;
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let job = client.post_stream(&format!("{}/import", text(&object, "url")), &media_type, body)?;
        report(&client.wait_for_job(&job)?)
    }

    /// The mapping and the file as a multipart body; the file is streamed.
    fn body(&self) -> Result<Box<dyn Read>> {
        let mut head = String::new();
        if let Some(map) = &self.map {
            let read = |error| Failure::Message(format!("cannot read {}: {error}", map.display()));
            let mapping = std::fs::read_to_string(map).map_err(read)?;
            if mapping.contains(BOUNDARY) {
                return Err(Failure::Message(format!(
                    "{} contains the upload's boundary `{BOUNDARY}`",
                    map.display()
                )));
            }
            head +=
                &format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"map\"\r\n\r\n{mapping}\r\n");
        }
        let name: String =
            self.file.file_name().unwrap_or_default().to_string_lossy().replace(['"', '\r', '\n'], "_");
        head += &format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/csv\r\n\r\n"
        );
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        Ok(Box::new(Cursor::new(head).chain(open(&self.file)?).chain(Cursor::new(tail))))
    }
}

fn report(job: &Json) -> Result {
    let result = job.get("result").unwrap_or(&Json::Null);
    let errors: Vec<&Json> = result.get("errors").and_then(Json::as_array).into_iter().flatten().collect();
    for error in errors.iter().take(ERRORS_SHOWN_MAX) {
        let column = text(error, "column");
        let column = if column.is_empty() { String::new() } else { format!(", column {column}") };
        output::note(&format!("line {}{column}: {}", number(error, "line"), text(error, "message")));
    }
    if text(job, "state") != "succeeded" {
        let error = job.get("error").unwrap_or(&Json::Null);
        return Err(Failure::Message(format!(
            "the import {}: {}",
            text(job, "state"),
            text(error, "message")
        )));
    }
    let count = |name: &str| number(result, name);
    output::line(&format!(
        "{} rows: {} created, {} updated, {} unchanged, {} failed; {} referenced records created",
        count("rows"),
        count("created"),
        count("updated"),
        count("unchanged"),
        count("failed"),
        count("created_references"),
    ));
    let dropped = result.get("dropped_by_reason").and_then(Json::as_array);
    for drop in dropped.into_iter().flatten().filter(|drop| number(drop, "rows") > 0) {
        output::line(&format!("{} rows left out: {}", number(drop, "rows"), text(drop, "reason")));
    }
    match count("failed") {
        0 => Ok(()),
        failed => Err(Failure::Incomplete(format!(
            "{failed} of {} rows could not be imported; the others are in",
            count("rows")
        ))),
    }
}
