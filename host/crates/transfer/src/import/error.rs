use std::io;

use trellis_model::{Language, Phrase, Text, bilingual};

/// Why an import was refused or stopped as a whole. A bad row is none of these: it is in the report. `Display` is English,
/// [`Error::text`] speaks both languages.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The mapping is not TOML of the documented form.
    #[error("mapping, line {line}: {}", reason.en)]
    MappingSyntax {
        /// The line of the mapping, from 1.
        line: usize,
        /// What is wrong.
        reason: Text,
    },
    /// The mapping does not fit the object.
    #[error("mapping: {}: {}", place.en, reason.en)]
    Mapping {
        /// Which part of it, for example "column `date`".
        place: Text,
        /// What is wrong.
        reason: Text,
    },
    /// The header of the file does not fit the mapping, or there is none.
    #[error("header: {}", reason.en)]
    Header {
        /// What is wrong.
        reason: Text,
    },
    /// The file cannot be read.
    #[error("cannot read `{file}`: {source}")]
    File {
        /// The name of the file, without its folder.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// More than a limit allows.
    #[error("more than {count_max} {what}: split the file")]
    TooMany {
        /// Of what.
        what: Phrase,
        /// The limit.
        count_max: usize,
    },
    /// The file is larger than the limit.
    #[error("the file has {bytes} bytes, at most {bytes_max}")]
    FileTooLarge {
        /// How large it is.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// A workbook that unpacks to more than the limit.
    #[error("the workbook unpacks to more than {bytes_max} bytes")]
    UnpackedTooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// Records could not be read or written at all.
    #[error(transparent)]
    Records(#[from] trellis_records::Error),
}

/// A result of an import.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MappingSyntax { .. } | Self::Mapping { .. } => "invalid_mapping",
            Self::Header { .. } => "invalid_header",
            Self::File { .. } => "unreadable_file",
            Self::TooMany { .. } | Self::FileTooLarge { .. } | Self::UnpackedTooLarge { .. } => {
                "import_too_large"
            }
            Self::Records(error) => error.code(),
        }
    }

    /// The message in both languages; the English one is what `Display` writes.
    pub fn text(&self) -> Text {
        let zh_cn = match self {
            Self::MappingSyntax { line, reason } => {
                return bilingual!("mapping, line {line}: ", "映射第 {line} 行：").then(reason);
            }
            Self::Mapping { place, reason } => {
                let place = Text::new("mapping: ", "映射：").then(place);
                return place.then(&Text::new(": ", "：")).then(reason);
            }
            Self::Header { reason } => return Text::new("header: ", "表头：").then(reason),
            Self::File { file, source } => format!("无法读取 `{file}`：{source}"),
            Self::TooMany { what, count_max } => format!("{}超过 {count_max}：请拆分文件", what.zh_cn),
            Self::FileTooLarge { bytes, bytes_max } => format!("文件有 {bytes} 字节，最多 {bytes_max} 字节"),
            Self::UnpackedTooLarge { bytes_max } => format!("工作簿解压后超过 {bytes_max} 字节"),
            Self::Records(error) => error.text().get(Language::ZhCn).to_owned(),
        };
        Text { en: self.to_string(), zh_cn }
    }

    pub(super) fn mapping(place: impl Into<Text>, reason: Text) -> Self {
        Self::Mapping { place: place.into(), reason }
    }

    pub(super) fn header(reason: Text) -> Self {
        Self::Header { reason }
    }
}
