//! Duplicates: how alike two records are, which records may be alike, and which are.
//!
//! Candidates come from match keys alone (`index/match_keys.rs`): records that agree in one of the fields that a matching rule blocks on.
//! Never are all pairs compared.

mod company;
mod compare;
mod normalise;
mod pairs;
mod person;
mod phone;
mod rule;
mod scan;
mod search;

use trellis_model::{FieldName, RecordId};

pub(crate) use self::compare::block;
pub use self::pairs::NotedPairs;
pub use self::phone::Country;
pub(crate) use self::rule::Rule;
pub use self::scan::{DuplicatePair, DuplicateScan, ScanCounts};

/// A record that looks like another.
#[derive(Debug, Clone, PartialEq)]
pub struct DuplicateMatch {
    /// The record.
    pub id: RecordId,
    /// The matching rule that says so.
    pub rule: FieldName,
    /// How alike they are: the sum of the rule's weights, each times how alike the values are.
    pub score: f64,
    /// The fields in which they agree.
    pub matched_on: Vec<FieldName>,
}

/// What a search for duplicates of one record found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DuplicateSearch {
    /// The duplicates, the most alike first.
    pub matches: Vec<DuplicateMatch>,
    /// How many records were compared.
    pub compared: usize,
    /// Fields whose value too many records have to be compared: nothing was found by them.
    pub skipped_blocks: Vec<FieldName>,
}
