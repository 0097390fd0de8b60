//! Runs the rules that admins write: a rhai script, a record in, a decision out.
//!
//! A rule has no clock, no randomness, no files, no network and no store: it sees the record, the time that the host passes and what
//! bounded look-ups answer, and returns changes and vetoes (before saving) or actions and reasons (afterwards). This crate holds no
//! records, keeps nothing between two calls and carries nothing out. `host/docs/rules.md` is the reference of what a script can say.
//!
//! ```
//! use std::sync::Arc;
//! use trellis_model::{FieldDefinition, FieldId, FieldType, NamedRecord, NoLookups, ObjectDefinition, ObjectId, RecordId, Text};
//! use trellis_rules::{Input, Limits, RuleEngine};
//!
//! let text = FieldType::Text { characters_max: 100 };
//! let name = FieldDefinition::new(FieldId(1), "name".parse()?, Text::new("Name", "名称"), text);
//! let object =
//!     ObjectDefinition::new(ObjectId(1), "account".parse()?, "accounts".parse()?, "name".parse()?, vec![name]);
//! let id = RecordId::parse("01939d4c-7c3a-7b6e-8000-000000000001")?;
//! let record = NamedRecord { object: "account".parse()?, id, version: 0, fields: Default::default() };
//!
//! let engine = RuleEngine::new(Limits::default());
//! let rule = engine.compile(r#"if record.name == () { veto("name", "A name, please.") }"#)?;
//! let decided = engine.before_save(&rule, Input {
//!     object: Arc::new(object), record, before: None, event: None, hidden: Default::default(),
//!     now_ms: 0, time_zone: jiff::tz::TimeZone::UTC, user: None, lookups: Arc::new(NoLookups),
//! })?;
//! assert_eq!(decided.vetoes[0].message.en, "A name, please.");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod call;
mod engine;
mod error;
mod formula;
mod functions;
mod input;
mod limits;
mod stack;
mod transform;
mod values;

pub use engine::{RuleEngine, Script};
pub use error::{Error, ErrorKind, Result};
pub use formula::{Formula, FormulaEngine};
pub use input::{AfterSave, BeforeSave, Input, RuleVeto, Transition, Trigger};
pub use limits::Limits;
pub use transform::{Expression, TransformEngine};
