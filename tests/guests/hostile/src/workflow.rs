//! Decisions about cases that break what the interface says about them, and too many questions.

use trellis_sdk::bindings::service_workflow::exports::trellis::plugin::service_workflow::Guest;
use trellis_sdk::bindings::shared::trellis::plugin::values::Money;
use trellis_sdk::lookups::{self, LookupError};
use trellis_sdk::{
    Action, Context, Decision, Occurrence, PluginError, Requirement, Result, Suggestion, Value, WorkItem,
    localized, reason, set_fields, start_timer, task,
};

use crate::{Hostile, resources, sin_of_config, why};

pub(crate) const TRIAGE_SINS: [&str; 14] = [
    "triage-not-granted",
    "triage-unknown-kind",
    "triage-known-as-other",
    "triage-storm",
    "triage-bad-id",
    "triage-bad-currency",
    "triage-bad-date",
    "triage-nan",
    "triage-no-fields",
    "triage-field-twice",
    "triage-bad-timer",
    "triage-invalid-utf8",
    "triage-many-reasons",
    "triage-loop",
];
pub(crate) const LOOKUP_SINS: [&str; 8] = [
    "lookup-ask",
    "lookup-flood",
    "lookup-object",
    "lookup-field",
    "lookup-related",
    "lookup-big-filter",
    "lookup-huge-filter",
    "lookup-deep-filter",
];
pub(crate) const OTHER_SINS: [&str; 8] = [
    "event-trap",
    "suggest-many",
    "suggest-bad-name",
    "suggest-twice",
    "suggest-storm",
    "close-no-message",
    "close-bad-field",
    "close-loop",
];

const OPEN: &str = r#"{"field":"status","op":"eq","value":"open"}"#;

impl Guest for Hostile {
    /// Sets the priority.
    fn triage(item: WorkItem, config: String, _: Context) -> Result<Decision> {
        let sin = sin_of_config(&config)?;
        if LOOKUP_SINS.contains(&sin.as_str()) {
            return asked(&sin);
        }
        let id = item.item.id.as_str();
        let set = |name: &str, value| vec![Action::SetFields(set_fields("case", id).set(name, Some(value)))];
        let to_do = || Action::CreateTask(task("Call back", "回电"));
        let mut reasons = vec![why(1.0)];
        let actions = match sin.as_str() {
            "triage-not-granted" => {
                vec![Action::SetFields(set_fields("account", id).text("credit_limit", "infinite"))]
            }
            "triage-unknown-kind" => {
                vec![Action::Other(("launch-rocket".to_owned(), "{\"to\":\"moon\"}".to_owned()))]
            }
            "triage-known-as-other" => vec![Action::Other(("set-fields".to_owned(), "{}".to_owned()))],
            "triage-storm" => vec![to_do(); 101],
            "triage-bad-id" => {
                vec![Action::SetFields(set_fields("case", "the one over there").text("subject", "x"))]
            }
            "triage-bad-currency" => {
                set("amount", Value::Money(Money { currency: "gold".to_owned(), minor_units: 5 }))
            }
            "triage-bad-date" => set("due_on", Value::Date(i32::MIN)),
            "triage-nan" => set("amount", Value::Number(f64::NAN)),
            "triage-no-fields" => vec![Action::SetFields(set_fields("case", id))],
            "triage-field-twice" => {
                let mut twice = set_fields("case", id).choice("priority", "low");
                twice.fields.extend(twice.fields.clone());
                vec![Action::SetFields(twice)]
            }
            "triage-bad-timer" => vec![Action::StartTimer(start_timer("In a while", "case", id, 0))],
            "triage-invalid-utf8" => set("subject", Value::Text(crate::no_text())),
            "triage-loop" => resources::endless_loop(),
            _ => set("priority", Value::Choice("high".to_owned())),
        };
        if sin == "triage-many-reasons" {
            reasons = vec![why(1.0); 6];
        }
        Ok(Decision { actions, reasons })
    }

    /// Does nothing, and says what it was told.
    fn on_event(item: WorkItem, event: Occurrence, config: String, _: Context) -> Result<Decision> {
        if sin_of_config(&config)? == "event-trap" {
            crate::trap();
        }
        let told = match event {
            Occurrence::Changed(fields) => format!("{} fields changed", fields.len()),
            Occurrence::Timer(name) => format!("timer {name}"),
            Occurrence::Other((name, _)) => name,
        };
        let seen = item.item.fields.len() + item.account.map_or(0, |account| account.fields.len());
        let text = localized(format!("{told}, {seen} fields seen"), "");
        Ok(Decision { actions: Vec::new(), reasons: vec![reason("told", text, 1.0)] })
    }

    /// Suggests a call.
    fn suggest(_: WorkItem, config: String, _: Context) -> Result<Vec<Suggestion>> {
        let call = |name: &str, actions: usize| Suggestion {
            name: name.to_owned(),
            label: localized("Call", "致电"),
            reasons: vec![why(1.0)],
            actions: vec![Action::CreateTask(task("Call", "致电")); actions],
        };
        Ok(match sin_of_config(&config)?.as_str() {
            "suggest-many" => (0..11).map(|number| call(&format!("call_{number}"), 1)).collect(),
            "suggest-bad-name" => vec![call("Call me", 1)],
            "suggest-twice" => vec![call("call", 1), call("call", 1)],
            "suggest-storm" => vec![call("call", 60), call("call_again", 60)],
            _ => vec![call("call", 1)],
        })
    }

    /// Wants a resolution.
    fn close_check(_: WorkItem, config: String, _: Context) -> Result<Vec<Requirement>> {
        let (field, message) = match sin_of_config(&config)?.as_str() {
            "close-no-message" => ("resolution", ""),
            "close-bad-field" => ("No field", "say what was done"),
            "close-loop" => resources::endless_loop(),
            _ => ("resolution", "say what was done"),
        };
        Ok(vec![Requirement {
            code: "resolution-missing".to_owned(),
            field: Some(field.to_owned()),
            message: localized(message, "请说明处理结果"),
        }])
    }
}

/// Asks, and says what it learned.
fn asked(sin: &str) -> Result<Decision> {
    let learned = match sin {
        "lookup-flood" => flood(),
        "lookup-object" => lookups::count("user", OPEN).map(|count| format!("{count} users")),
        "lookup-field" => {
            let filter = r#"{"or":[{"field":"subject","op":"eq","value":"x"},{"field":"secret","op":"eq","value":"x"}]}"#;
            lookups::find("case", filter, 5).map(|cases| format!("{} secrets", cases.len()))
        }
        "lookup-related" => {
            let filter = r#"{"related":"orders","count":{"gte":1}}"#;
            lookups::count("case", filter).map(|count| format!("{count} cases with orders"))
        }
        "lookup-big-filter" => long_filter(100 << 10),
        "lookup-huge-filter" => long_filter(3 << 20),
        "lookup-deep-filter" => {
            let filter = format!("{}{OPEN}{}", "{\"not\":".repeat(5_000), "}".repeat(5_000));
            lookups::count("case", filter).map(|count| format!("{count} deep cases"))
        }
        _ => answers(),
    };
    let text = match learned {
        Ok(learned) => learned,
        Err(LookupError::Denied(reason)) => format!("denied: {reason}"),
        Err(LookupError::Invalid(reason)) => format!("invalid: {reason}"),
        Err(LookupError::TooMany(limit)) => format!("too many: {limit}"),
        Err(LookupError::Failed(reason)) => return Err(PluginError::Transient(reason.into())),
    };
    Ok(Decision { actions: Vec::new(), reasons: vec![reason("learned", localized(text, ""), 1.0)] })
}

/// Counts, finds, and gets each that was found.
fn answers() -> std::result::Result<String, LookupError> {
    let count = lookups::count("case", OPEN)?;
    let found = lookups::find("case", OPEN, 200)?;
    let mut fields = Vec::new();
    for case in &found {
        let case = lookups::get("case", &case.id)?;
        fields.extend(case.into_iter().flat_map(|case| case.fields).map(|field| field.name));
    }
    Ok(format!("{count} open, {} found, fields {}", found.len(), fields.join(" ")))
}

/// Asks again and again, whatever it is told.
fn flood() -> std::result::Result<String, LookupError> {
    let mut answered = 0;
    for _ in 0..5_000 {
        answered += u32::from(lookups::count("case", OPEN).is_ok());
    }
    lookups::count("case", OPEN).map(|_| String::new()).or(Ok(format!("{answered} answers")))
}

fn long_filter(bytes: usize) -> std::result::Result<String, LookupError> {
    let filter = format!(r#"{{"field":"subject","op":"eq","value":"{}"}}"#, "x".repeat(bytes));
    lookups::count("case", filter).map(|count| format!("{count} long cases"))
}
