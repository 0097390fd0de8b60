//! Objects and their records: the save pipeline, the log, indexes, queries, ordinals and events.
//!
//! Every change of a record goes through [`Records::write_batch`] and is committed with its index entries and its log entry
//! as one write set. This crate knows neither plugins nor columns: both come in through the traits [`SaveHook`] and
//! [`DerivedFields`].
//!
//! ```
//! use std::sync::Arc;
//! use trellis_model::{Scope, Value};
//! use trellis_records::{Caller, Config, Query, Records, SystemClock, SystemIds};
//! use trellis_storage::MemoryStore;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> trellis_records::Result<()> {
//! let store = Arc::new(MemoryStore::new());
//! let records = Records::open(store, Arc::new(SystemClock), Arc::new(SystemIds::default()), Config::default()).await?;
//! let schema = records.schema();
//! let account = schema.object("account").expect("a standard object");
//! let name = account.field("name").expect("a standard field").id;
//! let caller = Caller::system("example");
//! let acme = records.create(&caller, &account.name, [(name, Value::Text("Acme".into()))].into()).await?;
//! let page = records.list(&Scope::everything(), &Query::new(account.name.clone())).await?;
//! assert_eq!(page.records, [acme]);
//! # Ok(()) }
//! ```

mod caller;
mod check;
mod clock;
mod codec;
mod computed;
mod config;
mod duplicates;
mod error;
mod events;
mod formulas;
mod history;
mod hooks;
mod index;
mod keys;
mod log;
mod merge;
mod ordinals;
mod query;
mod records;
mod save;
mod schema;
mod text_search;
mod timeline;
mod undo;

pub use caller::Caller;
pub use check::CheckReport;
pub use clock::{Clock, IdSource, SystemClock, SystemIds};
pub use computed::{ChildPage, Children, FormulaErrors, RecordQuality, check as check_computed};
pub use config::{Config, Limits};
pub use duplicates::{
    Country, DuplicateMatch, DuplicatePair, DuplicateScan, DuplicateSearch, NotedPairs, ScanCounts,
};
pub use error::{Error, FieldError, Result};
pub use events::{EventCursor, EventPage};
pub use formulas::{CompiledFormula, EvaluationTime, FormulaSource, Formulas};
pub use history::{HistoryEntry, HistoryPage, Moment};
pub use hooks::{DerivedFields, DerivedValue, Proposed, Ranking, SaveContext, SaveHook, Veto};
pub use log::{Committed, EntryBody, EventRef, LogEntry, LogSource, LoggedChange, NewEntry};
pub use merge::{MergePlan, MergeRequest, MergeValue, ReferenceCount, Repointed};
pub use query::{
    Aggregated, Aggregation, Cursor, Deleted, Function, Group, GroupBy, Matching, MatchingPage, Measure,
    OpenedView, PathValues, Plan, Query, RecordPage, ResultColumn, SavedView, Selection, Total,
};
pub use records::Records;
pub use save::{AlsoCommit, AlsoTold, DuplicateCheck, FieldChanges, Taken, Trial, Write, Written};
pub use schema::{
    BuildEnd, PendingBuild, RESERVED_PLURALS, Schema, SchemaApplied, SchemaApply, SchemaDocument, SchemaPlan,
    SchemaStep, SchemaStepKind, SchemaVersion, standard_definitions,
};
pub use text_search::{FoundRecord, TextCheck, TextMatch, TextMatches, TextSearch};
pub use timeline::{TimelineCursor, TimelineItem, TimelinePage, TimelineQuery};
pub use undo::{
    InUse, Since, UndoAction, UndoCursor, UndoEntries, UndoField, UndoItem, UndoOutcome, UndoPage,
    UndoReason, UndoRequest, UndoState, UndoTarget,
};
