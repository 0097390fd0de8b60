use trellis_model::{Language, Text};

use crate::{GenerationId, RunId};

/// What can go wrong with columns.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such object, or it has no ordinals.
    #[error("object `{object}` does not exist or has no columns")]
    UnknownObject {
        /// Its name.
        object: String,
    },
    /// A dataset asks for what cannot be given.
    #[error("dataset column `{column}`: {reason}")]
    InvalidDataset {
        /// The column.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What is wrong with one of several datasets.
    #[error("dataset `{name}`: {error}")]
    InDataset {
        /// The dataset's name.
        name: String,
        /// What it is.
        error: Box<Self>,
    },
    /// Figures over related records take more memory than they may.
    #[error(
        "the figures over `{object}` take more than {bytes_max} bytes while they are computed (`columns.figures_bytes_max`)"
    )]
    FiguresTooLarge {
        /// Whose records they are about.
        object: String,
        /// The limit.
        bytes_max: usize,
    },
    /// There is no such segmentation.
    #[error("segmentation `{name}` does not exist")]
    UnknownSegmentation {
        /// Its name.
        name: String,
    },
    /// There is no such score.
    #[error("score `{name}` does not exist")]
    UnknownScore {
        /// Its name.
        name: String,
    },
    /// Nothing that a run can put out has this name.
    #[error("there is no segmentation or score `{name}`")]
    UnknownOutput {
        /// The name.
        name: String,
    },
    /// A segmentation has no such value.
    #[error("segmentation `{segmentation}` has no value `{value}`")]
    UnknownValue {
        /// The segmentation.
        segmentation: String,
        /// The value.
        value: String,
    },
    /// A definition contradicts itself or what is defined already.
    #[error("segmentation `{name}`: {reason}")]
    InvalidSegmentation {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A definition of a score contradicts itself or what is defined already.
    #[error("score `{name}`: {reason}")]
    InvalidScore {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A name or alias belongs to another segmentation or score.
    #[error("the name `{name}` belongs to `{holder}`")]
    NameTaken {
        /// The name or alias.
        name: String,
        /// What has it.
        holder: String,
    },
    /// Rows were not given in ascending order of ordinals, or their columns do not fit them.
    #[error("results of run {run}: {reason}")]
    InvalidRows {
        /// The run they are of.
        run: RunId,
        /// What is wrong.
        reason: String,
    },
    /// The generation is not there (any more), or not finished.
    #[error("generation {generation} is not there or not finished")]
    UnknownGeneration {
        /// Its number.
        generation: GenerationId,
    },
    /// Another flip of the segmentation or score came first.
    #[error("`{output}` was flipped by somebody else at the same time")]
    FlipConflict {
        /// Which one.
        output: String,
    },
    /// There is no earlier generation to roll back to.
    #[error("`{output}` has no earlier generation")]
    NothingEarlier {
        /// Which one.
        output: String,
    },
    /// Stored bytes cannot be trusted.
    #[error("stored columns are damaged: {what}")]
    Damaged {
        /// What and where.
        what: String,
    },
    /// A file could not be written or read.
    #[error("{doing}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The process is ending.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The records below failed.
    #[error(transparent)]
    Records(#[from] trellis_records::Error),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] trellis_storage::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A stable code for the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownObject { .. } => "unknown_object",
            Self::InvalidDataset { .. } => "invalid_dataset",
            Self::InDataset { error, .. } => error.code(),
            Self::FiguresTooLarge { .. } => "too_many",
            Self::UnknownSegmentation { .. } => "unknown_segmentation",
            Self::UnknownScore { .. } => "unknown_score",
            Self::UnknownOutput { .. } => "unknown_output",
            Self::UnknownValue { .. } => "unknown_segment_value",
            Self::InvalidSegmentation { .. } => "invalid_segmentation",
            Self::InvalidScore { .. } => "invalid_score",
            Self::NameTaken { .. } => "name_taken",
            Self::InvalidRows { .. } => "invalid_rows",
            Self::UnknownGeneration { .. } => "unknown_generation",
            Self::FlipConflict { .. } => "flip_conflict",
            Self::NothingEarlier { .. } => "nothing_earlier",
            Self::Damaged { .. } => "damaged",
            Self::Io { .. } => "io",
            Self::ShuttingDown => "shutting_down",
            Self::Records(error) => error.code(),
            Self::Storage(_) => "storage",
        }
    }

    /// The message in both languages, of what people who use plugins or segments can do something about; of the rest in English only.
    pub fn text(&self) -> Text {
        if let Self::Records(error) = self {
            return error.text();
        }
        Text::new(self.to_string(), self.zh_cn().unwrap_or_default())
    }

    fn zh_cn(&self) -> Option<String> {
        Some(match self {
            Self::UnknownObject { object } => format!("对象 `{object}` 不存在，或没有列数据"),
            Self::InvalidDataset { column, reason } => format!("数据集的列 `{column}`：{reason}"),
            Self::InDataset { name, error } => {
                let text = error.text();
                format!("数据集 `{name}`：{}", text.get(Language::ZhCn))
            }
            Self::FiguresTooLarge { object, bytes_max } => format!(
                "计算 `{object}` 的汇总指标时占用内存超过 {bytes_max} 字节（`columns.figures_bytes_max`）"
            ),
            Self::UnknownSegmentation { name } => format!("分群 `{name}` 不存在"),
            Self::UnknownScore { name } => format!("评分 `{name}` 不存在"),
            Self::UnknownOutput { name } => format!("没有名为 `{name}` 的分群或评分"),
            Self::UnknownValue { segmentation, value } => {
                format!("分群 `{segmentation}` 没有取值 `{value}`")
            }
            Self::NameTaken { name, holder } => format!("名称 `{name}` 已被 `{holder}` 使用"),
            Self::FlipConflict { output } => format!("`{output}` 的结果刚被他人切换"),
            Self::NothingEarlier { output } => format!("`{output}` 没有更早的结果"),
            Self::ShuttingDown => "服务器正在停止".to_owned(),
            _ => return None,
        })
    }

    /// The same, said of the dataset of a name.
    #[must_use]
    pub fn in_dataset(self, name: &str) -> Self {
        Self::InDataset { name: name.to_owned(), error: Box::new(self) }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}
