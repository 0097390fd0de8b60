use std::sync::Arc;

use futures_util::future::BoxFuture;
use trellis_model::{ObjectDefinition, ObjectName, Record, RecordId, Scope};

use crate::{Error, Records, Result};

/// Looks texts of records up. `trellis-search` implements it; its index follows the log, so what it finds may be some moments old.
pub trait TextSearch: Send + Sync + std::fmt::Debug + 'static {
    /// Returns the records of an object that a text finds in fields that a scope can read. Which of these records the scope has is not
    /// looked at.
    ///
    /// # Errors
    /// [`Error::Query`] for a text that is too long, [`Error::SearchUnavailable`].
    fn matching(&self, scope: &Scope, object: &ObjectDefinition, text: &str) -> Result<TextMatches>;

    /// Returns the best `limit` records of some objects (of all, where none is named) that a text finds for a scope.
    ///
    /// # Errors
    /// As [`TextSearch::matching`], and those of reading records.
    fn find<'a>(
        &'a self,
        scope: &'a Scope,
        objects: &'a [ObjectName],
        text: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<FoundRecord>>>;

    /// Waits until everything up to a log number can be found.
    ///
    /// # Errors
    /// [`Error::SearchUnavailable`] where it has ended.
    fn caught_up(&self, log_number: u64) -> BoxFuture<'_, Result<()>>;

    /// Builds the index anew from all records, while the old one serves. `progress` is told how many records were looked at, and ends the
    /// work by answering false. Returns the number of records; `None` where it was ended.
    ///
    /// # Errors
    /// Those of reading records; [`Error::SearchUnavailable`] where the index cannot be written.
    fn rebuild<'a>(
        &'a self,
        progress: &'a (dyn Fn(u64) -> bool + Sync),
    ) -> BoxFuture<'a, Result<Option<u64>>>;
}

/// What a text finds.
#[derive(Clone)]
pub struct TextMatches {
    /// The best first; of equally good ones the newest.
    pub matches: Vec<TextMatch>,
    /// Whether these are all that there are.
    pub complete: bool,
    /// What a record must fulfil too, where the index says less than the scope's rights ask for.
    pub check: Option<TextCheck>,
}

impl std::fmt::Debug for TextMatches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { matches, complete, check } = self;
        write!(f, "TextMatches({}, complete: {complete}, checked: {})", matches.len(), check.is_some())
    }
}

/// Whether a record has what was looked for in fields that somebody can read.
pub type TextCheck = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

/// A record that a text finds, and how well: more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextMatch {
    /// How well.
    pub score: u32,
    /// The record.
    pub id: RecordId,
}

/// A record among those of several objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRecord {
    /// Its object.
    pub object: ObjectName,
    /// Its id.
    pub id: RecordId,
    /// The text that stands for it, where the scope can read it and it has one.
    pub title: Option<String>,
    /// How well it was found: more is better.
    pub score: u32,
}

impl Records {
    /// Sets what looks texts up.
    pub fn set_text_search(&self, search: Arc<dyn TextSearch>) {
        self.text_search.store(Some(Arc::new(search)));
    }

    /// What looks texts up.
    ///
    /// # Errors
    /// [`Error::SearchUnavailable`] where nothing was set.
    pub fn text_search(&self) -> Result<Arc<dyn TextSearch>> {
        let search = self.text_search.load_full().map(|search| Arc::clone(&*search));
        search.ok_or(Error::SearchUnavailable)
    }
}
