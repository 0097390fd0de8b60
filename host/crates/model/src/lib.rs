//! The words that the whole host speaks: values, object definitions, records, filters, scopes, changes, columns.
//!
//! No input or output, no threads, no storage format and no wire format: those convert to and from these types at their own edge.
//! Every type with an invariant has a checked constructor, so that code below the edge never validates a `&str` again.
//!
//! ```
//! use trellis_model::{Filter, Op, Value, FieldType};
//! let amount = FieldType::Integer.parse_text("42").expect("a whole number");
//! assert_eq!(amount, Value::Integer(42));
//! let filter = Filter::parse(&serde_json::json!({"field": "stage", "op": "eq", "value": "won"})).expect("a filter");
//! assert!(matches!(filter, Filter::Compare { op: Op::Eq, .. }));
//! ```
#![warn(missing_docs)]

mod action;
mod batch;
mod change;
mod decision;
mod error;
mod expected;
mod filter;
mod lookup;
mod money;
mod name;
mod published;
mod record;
mod schema;
mod scope;
mod text;
mod value;
mod value_json;

pub use action::{Action, NewMessage, NewTask};
pub use batch::{Batch, Column, ColumnData, TextColumn, Validity, minor_units, row_codes};
pub use change::{Actor, Cause, ChangeKind, FieldChange, Via};
pub use decision::{Decider, Reason};
pub use error::{Error, Result};
pub use expected::Expected;
pub use filter::{Bucket, CountBound, Filter, FilterLimits, Op, Path, Period, Related, RelativeDate, Sort};
pub use lookup::{LookupError, Lookups, NamedRecord, NoLookups};
pub use money::{Currency, Money};
pub use name::{FieldName, ObjectName, PluginId, SegmentationName};
pub use published::{Published, PublishedKind};
pub use record::{Fields, Record, RecordId};
pub use schema::{
    ChoiceOption, CompositeIndex, Computed, Covering, DuplicateAction, DuplicateRule, FieldDefinition,
    FieldId, FieldType, Formula, Layout, MatchField, MatchMethod, MatchingRule, ObjectDefinition, ObjectId,
    Origin, Outcome, Pipeline, Quality, RelatedList, RollUp, RollUpFunction, Section, Stage, StageTask,
    SystemField, TextFormat,
};
pub use scope::{FieldAccess, ObjectScope, RowAccess, Scope};
pub use text::{Language, Phrase, Text};
pub use value::{Value, ValueKind};
