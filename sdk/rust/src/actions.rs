//! Short ways to write actions.

use crate::bindings::shared::trellis::plugin::actions as wire;
use crate::fields::field_setters;
use crate::localized;

pub use wire::{Action, CancelTimer, CreateRecord, CreateTask, SendMessage, SetFields, StartTimer};

/// Changes fields of a record; the methods of [`SetFields`] say which: `set_fields("case", id).choice("severity", "high")`.
pub fn set_fields(object: &str, id: &str) -> SetFields {
    SetFields { object: object.to_owned(), id: id.to_owned(), fields: Vec::new() }
}

/// Creates a record; the methods of [`CreateRecord`] give its fields.
pub fn create_record(object: &str) -> CreateRecord {
    CreateRecord { object: object.to_owned(), fields: Vec::new() }
}

/// Creates a task with this subject: `task("Call back", "回电").due_in_days(2)`.
///
/// Without an owner the account's owner gets it. In an answer about rows of a batch, a task without an account is about the row's customer.
pub fn task(en: impl Into<String>, zh_cn: impl Into<String>) -> CreateTask {
    CreateTask {
        subject: localized(en, zh_cn),
        description: localized("", ""),
        owner: None,
        account: None,
        case_id: None,
        due_in_days: None,
        priority: None,
    }
}

/// Puts a message into the outbox, for a channel: `email`, `sms`, `wechat`, `phone`, `post` or `other`.
///
/// In an answer about rows of a batch, a message without an account goes to the row's customer, and is part of the campaign that asks.
pub fn message(channel: impl Into<String>) -> SendMessage {
    SendMessage {
        channel: channel.into(),
        account: None,
        contact: None,
        campaign: None,
        subject: localized("", ""),
        body: localized("", ""),
    }
}

/// Has the host tell the plugin when `due_ms` (milliseconds since 1970-01-01T00:00:00Z) has come. The name is in kebab-case, at most 60
/// characters; starting a timer that the record has by that name moves it.
pub fn start_timer(name: &str, object: &str, id: &str, due_ms: i64) -> StartTimer {
    StartTimer { name: name.to_owned(), object: object.to_owned(), id: id.to_owned(), due_ms }
}

/// Ends a timer.
pub fn cancel_timer(name: &str, object: &str, id: &str) -> CancelTimer {
    CancelTimer { name: name.to_owned(), object: object.to_owned(), id: id.to_owned() }
}

field_setters!(SetFields);
field_setters!(CreateRecord);

impl CreateTask {
    /// Says more about it.
    #[must_use]
    pub fn about(mut self, en: impl Into<String>, zh_cn: impl Into<String>) -> Self {
        self.description = localized(en, zh_cn);
        self
    }

    /// Names the user who has to do it.
    #[must_use]
    pub fn owner(mut self, id: impl Into<String>) -> Self {
        self.owner = Some(id.into());
        self
    }

    /// Names the customer that it is about.
    #[must_use]
    pub fn account(mut self, id: impl Into<String>) -> Self {
        self.account = Some(id.into());
        self
    }

    /// Names the case that it is about.
    #[must_use]
    pub fn case(mut self, id: impl Into<String>) -> Self {
        self.case_id = Some(id.into());
        self
    }

    /// Says in how many days from today it is due.
    #[must_use]
    pub fn due_in_days(mut self, days: u16) -> Self {
        self.due_in_days = Some(days);
        self
    }

    /// Gives it a priority: `low`, `normal` or `high`.
    #[must_use]
    pub fn priority(mut self, option: &str) -> Self {
        self.priority = Some(option.to_owned());
        self
    }
}

impl SendMessage {
    /// Names the customer that gets it.
    #[must_use]
    pub fn account(mut self, id: impl Into<String>) -> Self {
        self.account = Some(id.into());
        self
    }

    /// Names the person that gets it.
    #[must_use]
    pub fn contact(mut self, id: impl Into<String>) -> Self {
        self.contact = Some(id.into());
        self
    }

    /// Names the campaign that it is part of.
    #[must_use]
    pub fn campaign(mut self, id: impl Into<String>) -> Self {
        self.campaign = Some(id.into());
        self
    }

    /// Gives it a subject line.
    #[must_use]
    pub fn subject(mut self, en: impl Into<String>, zh_cn: impl Into<String>) -> Self {
        self.subject = localized(en, zh_cn);
        self
    }

    /// Gives it its text.
    #[must_use]
    pub fn body(mut self, en: impl Into<String>, zh_cn: impl Into<String>) -> Self {
        self.body = localized(en, zh_cn);
        self
    }
}

/// Each kind is an action.
macro_rules! is_action {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Action {
            fn from(action: $kind) -> Self {
                Self::$kind(action)
            }
        })*
    };
}

is_action!(SetFields, CreateRecord, CreateTask, SendMessage, StartTimer, CancelTimer);
