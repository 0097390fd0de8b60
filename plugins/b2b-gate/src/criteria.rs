//! The three conditions of a prospect, and how far each is met.

use serde::Deserialize;

/// A condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// It can pay.
    Money,
    /// It may decide.
    Authority,
    /// It needs what is sold.
    Need,
}

/// How far a condition is met; grades compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nobody knows.
    Unknown,
    /// It is not.
    No,
    /// There are signs of it.
    Partly,
    /// It is confirmed.
    Yes,
}

impl Criterion {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::Money, Self::Authority, Self::Need];

    /// The lead's field.
    pub fn field(self) -> &'static str {
        match self {
            Self::Money => "money_grade",
            Self::Authority => "authority_grade",
            Self::Need => "need_grade",
        }
    }

    /// The code of a refusal for its lack.
    pub fn code(self) -> &'static str {
        match self {
            Self::Money => "money-not-confirmed",
            Self::Authority => "authority-not-confirmed",
            Self::Need => "need-not-confirmed",
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Money => ("money", "购买能力"),
            Self::Authority => ("authority", "购买决定权"),
            Self::Need => ("need", "需求"),
        }
    }
}

impl Grade {
    /// The grade that a field holds; an empty one, or one that this version does not know, is unknown.
    pub fn of(option: Option<&str>) -> Self {
        match option {
            Some("yes") => Self::Yes,
            Some("partly") => Self::Partly,
            Some("no") => Self::No,
            _ => Self::Unknown,
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unknown => ("unknown", "未知"),
            Self::No => ("no", "不具备"),
            Self::Partly => ("partly", "部分确认"),
            Self::Yes => ("confirmed", "已确认"),
        }
    }
}
