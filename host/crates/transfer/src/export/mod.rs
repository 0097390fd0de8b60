//! Export: records become a table again, or lines of JSON, page by page in bounded memory.

mod cells;
mod csv;
mod error;
mod run;
mod sheet;
mod sink;
mod template;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use csv::CsvLine;
pub use error::{Error, Result};
pub use run::{ExportReport, check, run};
pub use template::template;

/// What is exported, and how it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExportSpec {
    /// What kind of file.
    pub format: Format,
    /// Which fields, in order, by API name; `None` is all that can be read.
    pub columns: Option<Vec<String>>,
    /// A filter tree; `None` is every record.
    pub filter: Option<Json>,
    /// In which order: `-created_at,name`.
    pub sort: Option<String>,
    /// What columns and options are called.
    pub header: Header,
    /// How references are written.
    pub references: References,
    /// The encoding of CSV.
    pub encoding: Encoding,
    /// Whether cells of CSV that a spreadsheet would take for a formula get an apostrophe (default true).
    pub guard: bool,
    /// The language of labels.
    pub language: ExportLanguage,
}

impl Default for ExportSpec {
    fn default() -> Self {
        Self {
            format: Format::default(),
            columns: None,
            filter: None,
            sort: None,
            header: Header::default(),
            references: References::default(),
            encoding: Encoding::default(),
            guard: true,
            language: ExportLanguage::default(),
        }
    }
}

/// Kinds of file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text with commas.
    #[default]
    Csv,
    /// A workbook with one sheet, of at most 1,048,575 records.
    Xlsx,
    /// A JSON object a line.
    Jsonl,
}

impl Format {
    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Jsonl => "jsonl",
        }
    }

    /// What it is, for HTTP.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Jsonl => "application/jsonl",
        }
    }
}

/// What columns and options are called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// As people call them.
    #[default]
    Labels,
    /// By API name: what an import recognises without fail.
    Names,
}

/// How references are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum References {
    /// By the title of the record.
    #[default]
    Titles,
    /// By its id.
    Ids,
}

/// Encodings of CSV.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8 with a byte order mark, which spreadsheets need to see that it is UTF-8.
    #[default]
    #[serde(rename = "utf-8-bom")]
    Utf8Bom,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB18030.
    #[serde(rename = "gb18030")]
    Gb18030,
}

/// Languages of labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportLanguage {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

impl From<trellis_model::Language> for ExportLanguage {
    fn from(language: trellis_model::Language) -> Self {
        match language {
            trellis_model::Language::En => Self::En,
            trellis_model::Language::ZhCn => Self::ZhCn,
        }
    }
}

impl From<ExportLanguage> for trellis_model::Language {
    fn from(language: ExportLanguage) -> Self {
        match language {
            ExportLanguage::En => Self::En,
            ExportLanguage::ZhCn => Self::ZhCn,
        }
    }
}
