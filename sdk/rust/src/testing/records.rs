//! Building records, work items and changes.

use crate::fields::field_setters;
use crate::{Change, FieldValue, ObjectRecord, WorkItem};

/// Builds a record; its methods give its fields: `record("case").text("subject", "Late").choice("kind", "complaint")`.
///
/// Its id is `00000000-0000-7000-8000-000000000001` unless [`RecordBuilder::id`] says another.
pub fn record(object: &str) -> RecordBuilder {
    RecordBuilder {
        object: object.to_owned(),
        id: "00000000-0000-7000-8000-000000000001".to_owned(),
        fields: Vec::new(),
    }
}

/// See [`record`].
#[derive(Debug, Clone)]
pub struct RecordBuilder {
    object: String,
    id: String,
    fields: Vec<FieldValue>,
}

field_setters!(RecordBuilder);

impl RecordBuilder {
    /// Gives it an id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// The record, as the host would send it: its fields sorted by name, those that are null left out.
    pub fn build(self) -> ObjectRecord {
        let Self { object, id, mut fields } = self;
        fields.retain(|field| field.value.is_some());
        fields.sort_by(|one, other| one.name.cmp(&other.name));
        ObjectRecord { object, id, fields }
    }
}

/// A record that is worked on, without an account.
pub fn work_item(item: RecordBuilder) -> WorkItem {
    WorkItem { item: item.build(), account: None }
}

/// A record that is worked on, of an account.
pub fn work_item_of(account: RecordBuilder, item: RecordBuilder) -> WorkItem {
    WorkItem { item: item.build(), account: Some(account.build()) }
}

/// A record that is about to be created.
pub fn created(after: RecordBuilder) -> Change {
    Change { after: after.build(), before: None }
}

/// A record that is about to be changed.
pub fn changed(before: RecordBuilder, after: RecordBuilder) -> Change {
    Change { after: after.build(), before: Some(before.build().fields) }
}
