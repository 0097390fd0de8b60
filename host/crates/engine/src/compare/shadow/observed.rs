//! What the version in use was asked and answered, on its way to the shadow.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use trellis_model::{Batch, NamedRecord, PluginId};
use trellis_plugin_host::{CallContext, Occurrence};

use crate::lookups::{Answer, Question};

/// A call of the version in use, with what it answered.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub(crate) plugin: PluginId,
    pub(crate) asked: Asked,
    pub(crate) at: CallContext,
    /// What its look-ups were answered.
    pub(crate) answers: BTreeMap<Question, Answer>,
}

/// What was asked, and the answer in the form of `decisions::ask`. Records are whole, since the shadow may declare other fields.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// A new record, or one that something happened to.
    Work { record: NamedRecord, occurrence: Option<Occurrence>, answer: Json },
    /// A record that is about to be closed.
    Close { record: NamedRecord, answer: Json },
    /// A record that is about to be saved.
    Save { before: Option<NamedRecord>, after: NamedRecord, answer: Json },
    /// Members of a campaign; their rows have the columns `variant` and `status` too.
    Next { campaign: NamedRecord, config: String, batch: Batch, answer: Json },
    /// Customers who changed, with their new results as far as they have any.
    Rows { batch: Batch, results: Vec<(u64, Json)> },
}
