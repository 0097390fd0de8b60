//! Reading records: by id, by unique value, and as filtered, sorted pages.

mod aggregate;
pub(crate) mod compile;
mod cursor;
mod evaluate;
mod feed;
mod list;
mod matching;
mod plan;
pub(crate) mod read;
mod related;
mod relative;
mod seek;
mod sort;
pub(crate) mod view;

use std::collections::BTreeSet;

use trellis_model::{FieldName, Filter, ObjectName, Record, Sort};

pub use aggregate::{Aggregated, Aggregation, Function, Group, GroupBy, Measure, ResultColumn};
pub(crate) use compile::Node;
pub use cursor::Cursor;
pub use matching::{Matching, MatchingPage, Selection};
pub use related::PathValues;
pub(crate) use seek::Among;
pub use view::{OpenedView, SavedView};

/// Which records a page shall hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Of which object.
    pub object: ObjectName,
    /// Which of them.
    pub filter: Filter,
    /// In which order. The id comes last, in the direction of the last field; null comes before every value.
    pub sort: Vec<Sort>,
    /// How many at most.
    pub limit: usize,
    /// Only records after this place.
    pub after: Option<Cursor>,
    /// Only records before this place: the last ones of them, in the same order.
    pub before: Option<Cursor>,
    /// Whether deleted records are meant.
    pub deleted: Deleted,
    /// Whether all matches are counted.
    pub total: Total,
    /// Which computed fields the records shall have; `None` is all of them.
    pub computed: Option<BTreeSet<FieldName>>,
    /// Only records that this text finds; without a sort the best come first. A blank one asks for nothing.
    pub text: Option<String>,
}

/// Whether deleted records are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deleted {
    /// Only records that are not deleted.
    #[default]
    Hide,
    /// Only deleted ones.
    Only,
}

/// Whether all matches are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Total {
    /// No.
    #[default]
    None,
    /// Yes, where the limit on counts allows it.
    Exact,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordPage {
    /// In the order that was asked for.
    pub records: Vec<Record>,
    /// For the page after this one; `None` at the end.
    pub next: Option<Cursor>,
    /// For the page before this one; `None` at the start.
    pub prev: Option<Cursor>,
    /// How many records match on all pages, where that was asked for.
    pub total: Option<u64>,
    /// Whether there may be more than `total` says: a text found more than are looked at.
    pub total_cut: bool,
    /// How the page was found.
    pub plan: Plan,
}

/// How a page was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The index that was used; `None` where the records themselves were walked.
    pub index: Option<String>,
    /// Index rows and records that were looked at.
    pub rows_read: usize,
    /// Whether the search stopped at the limit: the page may be short, and `next` goes on where it stopped.
    pub budget_spent: bool,
}

impl Query {
    /// All records of an object, in the order of their ids, 50 a page.
    pub fn new(object: ObjectName) -> Self {
        Self {
            object,
            filter: Filter::everything(),
            sort: Vec::new(),
            limit: 50,
            after: None,
            before: None,
            deleted: Deleted::Hide,
            total: Total::None,
            computed: None,
            text: None,
        }
    }
}

#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod tests;
