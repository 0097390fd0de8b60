//! What is decided about single records and rows: actions with their reasons.

use crate::actions::Action;
use crate::bindings::campaign_rules::exports::trellis::plugin::campaign_rules as campaign;
use crate::bindings::service_workflow::exports::trellis::plugin::service_workflow as service;
use crate::{Reason, localized};

pub use campaign::RowActions;
pub use service::{Decision, Requirement, Suggestion};

impl Decision {
    /// Nothing happens.
    pub fn nothing() -> Self {
        Self { actions: Vec::new(), reasons: Vec::new() }
    }

    /// Begins a decision with its strongest reason: `Decision::because(reason(…)).then(task(…))`.
    pub fn because(reason: Reason) -> Self {
        Self { actions: Vec::new(), reasons: vec![reason] }
    }

    /// Adds a reason; at most five count.
    #[must_use]
    pub fn and_because(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        self
    }

    /// Adds an action. They happen in this order.
    #[must_use]
    pub fn then(mut self, action: impl Into<Action>) -> Self {
        self.actions.push(action.into());
        self
    }

    /// Adds the actions of an iterator: an `Option<Action>` as well.
    #[must_use]
    pub fn then_all<A: Into<Action>>(mut self, actions: impl IntoIterator<Item = A>) -> Self {
        self.actions.extend(actions.into_iter().map(Into::into));
        self
    }

    /// Whether nothing happens.
    pub fn is_nothing(&self) -> bool {
        self.actions.is_empty()
    }

    /// Makes it the decision about one row of a batch, counted from 0.
    pub fn for_row(self, row: usize) -> RowActions {
        let row = u32::try_from(row).expect("a batch has at most 65,536 rows");
        RowActions { row, actions: self.actions, reasons: self.reasons }
    }
}

/// Something that a person may choose to do: a name in `[a-z][a-z0-9_]*` and what people call it.
pub fn suggestion(name: &str, en: impl Into<String>, zh_cn: impl Into<String>) -> Suggestion {
    Suggestion {
        name: name.to_owned(),
        label: localized(en, zh_cn),
        reasons: Vec::new(),
        actions: Vec::new(),
    }
}

impl Suggestion {
    /// Adds a reason why it would be right; the strongest first.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        self
    }

    /// Adds something that happens when it is chosen.
    #[must_use]
    pub fn then(mut self, action: impl Into<Action>) -> Self {
        self.actions.push(action.into());
        self
    }
}

/// Something that is missing before a record can be closed: a code in kebab-case and what is to be done.
pub fn requirement(code: &str, en: impl Into<String>, zh_cn: impl Into<String>) -> Requirement {
    Requirement { code: code.to_owned(), field: None, message: localized(en, zh_cn) }
}

impl Requirement {
    /// Names the field that has to be filled or changed.
    #[must_use]
    pub fn on_field(mut self, name: &str) -> Self {
        self.field = Some(name.to_owned());
        self
    }
}
