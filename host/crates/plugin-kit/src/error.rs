//! What can go wrong before anything of a plugin is called.

use trellis_model::{Text, bilingual};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something that an author wrote cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A golden case does not say what it should.
    #[error("golden case `{case}`, {place}: {reason}")]
    Case {
        /// The case.
        case: String,
        /// Where in it, for example `rows[2].spent`.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// The file of a golden case does not say what it should.
    #[error("line {line}: {reason}")]
    CaseFile {
        /// The line, from 1.
        line: usize,
        /// Where in the case, and what is wrong there.
        reason: String,
    },
    /// The section of golden cases is none.
    #[error("golden cases cannot be read: {reason}")]
    NotCases {
        /// The parser's words.
        reason: String,
    },
    /// There are more golden cases than anybody wants to wait for.
    #[error("{cases} golden cases, at most {cases_max}")]
    TooManyCases {
        /// How many there are.
        cases: usize,
        /// The limit.
        cases_max: usize,
    },
}

impl Error {
    /// The error in both languages.
    pub fn text(&self) -> Text {
        match self {
            Self::Case { case, place, reason } => bilingual!(
                "golden case `{case}`, {place}: {reason}",
                "标准用例 `{case}` 的 {place}：{reason}"
            ),
            Self::CaseFile { line, reason } => bilingual!("line {line}: {reason}", "第 {line} 行：{reason}"),
            Self::NotCases { reason } => {
                bilingual!("golden cases cannot be read: {reason}", "无法读取标准用例：{reason}")
            }
            Self::TooManyCases { cases, cases_max } => bilingual!(
                "{cases} golden cases, at most {cases_max}",
                "标准用例有 {cases} 个，最多 {cases_max} 个"
            ),
        }
    }
}
