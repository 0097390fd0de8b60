use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, ready};
use trellis_model::{ChangeKind, FieldId, ObjectId, RecordId, Value};
use trellis_records::{Proposed, SaveContext, SaveHook, Schema, Veto};

use super::{COMMENT, mentions};
use crate::hooks;

/// Sets what the server knows of a comment: whom it mentions, and who writes it.
#[derive(Debug)]
pub(crate) struct CommentHook {
    object: ObjectId,
    text: FieldId,
    mentions: FieldId,
    author: FieldId,
}

impl CommentHook {
    /// The hook; `None` where there are no comments.
    pub(crate) fn new(schema: &Schema) -> Option<Self> {
        let object = schema.object(COMMENT)?;
        let field = |name| object.field(name).map(|field| field.id);
        Some(Self {
            object: object.id,
            text: field("text")?,
            mentions: field("mentions")?,
            author: field("author")?,
        })
    }

    fn complete(&self, proposed: &mut Proposed, user: Option<RecordId>) {
        let mentioned = match proposed.fields.get(&self.text) {
            Some(Value::Text(text)) => mentions(text),
            _ => Vec::new(),
        };
        let mentioned: Vec<Value> = mentioned.into_iter().map(Value::Reference).collect();
        if mentioned.is_empty() {
            proposed.fields.remove(&self.mentions);
        } else {
            proposed.fields.insert(self.mentions, Value::List(mentioned));
        }
        if let (ChangeKind::Created, Some(user)) = (proposed.kind, user) {
            proposed.fields.insert(self.author, Value::Reference(user));
        }
    }
}

impl SaveHook for CommentHook {
    fn concerns(&self, object: ObjectId) -> bool {
        object == self.object
    }

    fn before_save<'a>(
        &'a self,
        context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        let user = hooks::user(context);
        for proposed in proposed {
            self.complete(proposed, user);
        }
        ready(Ok(())).boxed()
    }
}
