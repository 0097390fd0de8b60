//! Actions that a guest wants. Each is checked for its form; whether it was granted and fits the schema is checked where it is carried out.

use trellis_model::{Action, NewMessage, NewTask, ObjectName, RecordId};

use super::values::record_id;
use super::{fields_from_guest, text};
use crate::check;
use crate::interfaces::bindings::trellis::plugin::actions as wit;

/// Takes actions in their order. A reason names the action by its place, from 0.
pub(crate) fn actions_from_guest(actions: Vec<wit::Action>) -> Result<Vec<Action>, String> {
    let take = |(place, action)| {
        action_from_guest(action).map_err(|reason: String| format!("action {place}: {reason}"))
    };
    actions.into_iter().enumerate().map(take).collect()
}

fn action_from_guest(action: wit::Action) -> Result<Action, String> {
    Ok(match action {
        wit::Action::SetFields(set) => {
            let fields = fields_from_guest(set.fields)?;
            if fields.is_empty() {
                return Err("set-fields without fields".to_owned());
            }
            Action::SetFields { object: object_name(&set.object)?, id: record_id(&set.id)?, fields }
        }
        wit::Action::CreateRecord(new) => {
            // What a new record does not have is null.
            let fields = fields_from_guest(new.fields)?.into_iter();
            let fields = fields.filter_map(|(name, value)| Some((name, value?))).collect();
            Action::CreateRecord { object: object_name(&new.object)?, fields }
        }
        wit::Action::CreateTask(task) => Action::CreateTask(new_task(task)?),
        wit::Action::SendMessage(message) => Action::SendMessage(new_message(message)?),
        wit::Action::StartTimer(timer) => Action::StartTimer {
            name: timer_name(timer.name)?,
            object: object_name(&timer.object)?,
            id: record_id(&timer.id)?,
            due_ms: timer.due_ms,
        },
        wit::Action::CancelTimer(timer) => Action::CancelTimer {
            name: timer_name(timer.name)?,
            object: object_name(&timer.object)?,
            id: record_id(&timer.id)?,
        },
        wit::Action::Other((kind, payload)) => {
            check::code("kind", &kind)?;
            if Action::KINDS.contains(&kind.as_str()) {
                return Err(format!("`{kind}` has a case of its own"));
            }
            Action::Other { kind, payload }
        }
    })
}

fn new_task(task: wit::CreateTask) -> Result<NewTask, String> {
    check::not_empty("subject", &task.subject.en)?;
    Ok(NewTask {
        subject: text(task.subject),
        description: text(task.description),
        owner: optional_id(task.owner)?,
        account: optional_id(task.account)?,
        case: optional_id(task.case_id)?,
        due_in_days: task.due_in_days,
        priority: task.priority,
    })
}

fn new_message(message: wit::SendMessage) -> Result<NewMessage, String> {
    check::not_empty("channel", &message.channel)?;
    check::not_empty("body", &message.body.en)?;
    Ok(NewMessage {
        channel: message.channel,
        account: optional_id(message.account)?,
        contact: optional_id(message.contact)?,
        subject: text(message.subject),
        body: text(message.body),
        campaign: optional_id(message.campaign)?,
    })
}

fn optional_id(id: Option<String>) -> Result<Option<RecordId>, String> {
    id.map(|id| record_id(&id)).transpose()
}

fn object_name(name: &str) -> Result<ObjectName, String> {
    ObjectName::new(name).map_err(|error| error.to_string())
}

fn timer_name(name: String) -> Result<String, String> {
    check::code("timer", &name)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interfaces::bindings::trellis::plugin::types::LocalizedText;

    const ID: &str = "01926b5e-0000-7000-8000-000000000001";

    fn check(action: wit::Action, expected: &str) {
        let reason = actions_from_guest(vec![action]).unwrap_err();
        assert!(reason.starts_with("action 0: ") && reason.contains(expected), "{reason}");
    }

    #[test]
    fn what_is_no_action_is_named() {
        let set = |id: &str, object: &str| {
            let fields = Vec::new();
            wit::Action::SetFields(wit::SetFields { object: object.to_owned(), id: id.to_owned(), fields })
        };
        check(set(ID, "case"), "set-fields without fields");
        let timer = |name: &str, id: &str| {
            let (name, object, id) = (name.to_owned(), "case".to_owned(), id.to_owned());
            wit::Action::CancelTimer(wit::CancelTimer { name, object, id })
        };
        check(timer("Remind me", ID), "timer `Remind me` is not of the form");
        check(timer("remind", "17"), "17");
        check(
            wit::Action::Other(("set-fields".to_owned(), "{}".to_owned())),
            "`set-fields` has a case of its own",
        );
        check(wit::Action::Other((String::new(), "{}".to_owned())), "kind `` is not of the form");
    }

    #[test]
    fn a_task_needs_a_subject_and_ids_that_are_ids() {
        let text = |en: &str| LocalizedText { en: en.to_owned(), zh_cn: String::new() };
        let task = |subject: &str, owner: &str| {
            wit::Action::CreateTask(wit::CreateTask {
                subject: text(subject),
                description: text(""),
                owner: Some(owner.to_owned()),
                account: None,
                case_id: None,
                due_in_days: Some(2),
                priority: None,
            })
        };
        check(task("", ID), "`subject` is empty");
        check(task("call", "me"), "me");
        let actions = actions_from_guest(vec![task("call", ID)]).unwrap();
        assert!(
            matches!(&actions[0], Action::CreateTask(task) if task.subject.en == "call" && task.owner.is_some())
        );
    }
}
