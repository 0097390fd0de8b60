//! `service-workflow` through the whole sandbox, well done and not.

use std::sync::Arc;

use trellis_model::{Action, NoLookups, Value};
use trellis_plugin_host::{Decided, Error, FaultKind, Occurrence, PluginHost, ServiceWorkflow, WorkItem};

use crate::support::{at, built, config, fault, field, id, invalid, load, record, sin};

fn item() -> WorkItem {
    let item = record("case", 1, &[("subject", "late"), ("status", "new"), ("description", "not shown")]);
    let account = record("account", 2, &[("name", "Acme"), ("credit_limit", "not shown")]);
    WorkItem { item, account: Some(account) }
}

fn triage(workflow: &ServiceWorkflow<'_>, config: &str) -> Result<Decided, Error> {
    workflow.triage(&item(), config, &at(), Arc::new(NoLookups))
}

#[test]
fn a_new_case_is_judged() {
    let (host, plugin) = load("hostile");
    let decided = triage(&plugin.service_workflow().unwrap(), "{}").unwrap();
    let fields = [(field("priority"), Some(Value::Choice("high".to_owned())))].into();
    let object = item().item.object;
    assert_eq!(decided.actions, [Action::SetFields { object, id: id(1), fields }]);
    assert_eq!(decided.reasons.len(), 1);
    assert!(decided.actions.iter().all(|action| plugin.manifest().actions[0].allows(action)));
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn a_plugin_is_told_what_its_manifest_names() {
    let (_host, plugin) = load("hostile");
    let workflow = plugin.service_workflow().unwrap();
    let told = |occurrence: &Occurrence, item: &WorkItem| {
        let decided = workflow.on_event(item, occurrence, "{}", &at(), Arc::new(NoLookups)).unwrap();
        decided.reasons[0].text.en.clone()
    };
    let before = [(field("status"), None), (field("description"), None)].into();
    assert_eq!(told(&Occurrence::Changed(before), &item()), "1 fields changed, 3 fields seen");
    let timer = Occurrence::Timer("remind".to_owned());
    assert_eq!(told(&timer, &WorkItem { account: None, ..item() }), "timer remind, 2 fields seen");
}

#[test]
fn suggestions_and_requirements_arrive() {
    let (_host, plugin) = load("hostile");
    let workflow = plugin.service_workflow().unwrap();
    let suggestions = workflow.suggest(&item(), "{}", &at(), Arc::new(NoLookups)).unwrap();
    assert_eq!((suggestions[0].name.as_str(), suggestions[0].label.zh_cn.as_str()), ("call", "致电"));
    let missing = workflow.close_check(&item(), "{}", &at(), Arc::new(NoLookups)).unwrap();
    assert_eq!(
        (missing[0].code.as_str(), &missing[0].field),
        ("resolution-missing", &Some(field("resolution")))
    );
}

#[test]
fn actions_that_were_not_granted_arrive_as_they_are() {
    let (host, plugin) = load("hostile");
    let workflow = plugin.service_workflow().unwrap();
    for (name, kind) in [("triage-not-granted", "set-fields"), ("triage-unknown-kind", "launch-rocket")] {
        let decided = triage(&workflow, &sin(name)).unwrap();
        assert_eq!(decided.actions[0].kind(), kind);
        assert!(!plugin.manifest().actions.iter().any(|grant| grant.allows(&decided.actions[0])), "{name}");
    }
    assert_eq!(host.stats().faults, 0, "whoever carries actions out refuses them");
}

#[test]
fn decisions_are_checked() {
    let host = PluginHost::new(config()).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    let workflow = plugin.service_workflow().unwrap();
    let storm = FaultKind::TooManyActions {
        actions: 101,
        row: None,
        actions_max: 100,
        limit: "actions_per_call_max",
    };
    for (name, expected) in [
        ("triage-known-as-other", invalid("action 0: `set-fields` has a case of its own")),
        ("triage-storm", storm),
        ("triage-bad-id", invalid("action 0: `the one over there` is not a record id (a UUID)")),
        (
            "triage-bad-currency",
            invalid(
                "action 0: field `amount`: `gold` is not a valid currency: three capital letters (ISO 4217)",
            ),
        ),
        ("triage-bad-date", invalid("action 0: field `due_on`: no calendar has day -2147483648")),
        ("triage-nan", invalid("action 0: field `amount`: the number is NaN")),
        ("triage-no-fields", invalid("action 0: set-fields without fields")),
        ("triage-field-twice", invalid("action 0: field `priority` is there twice")),
        (
            "triage-bad-timer",
            invalid("action 0: timer `In a while` is not of the form [a-z][a-z0-9-]*, at most 60 characters"),
        ),
        ("triage-invalid-utf8", invalid("invalid utf-8 sequence of 1 bytes from index 0")),
        ("triage-many-reasons", invalid("6 reasons, at most 5")),
        ("triage-loop", FaultKind::Timeout { ms: 200 }),
    ] {
        let error = triage(&workflow, &sin(name)).unwrap_err();
        assert_eq!(fault(error, "service-workflow.triage"), expected, "{name}");
        triage(&workflow, "{}").expect("the next call works");
    }
}

#[test]
fn everything_else_about_cases_is_checked() {
    let (_host, plugin) = load("hostile");
    let workflow = plugin.service_workflow().unwrap();
    let storm = FaultKind::TooManyActions {
        actions: 120,
        row: None,
        actions_max: 100,
        limit: "actions_per_call_max",
    };
    for (name, expected) in [
        ("suggest-many", invalid("11 suggestions, at most 10")),
        (
            "suggest-bad-name",
            invalid("suggestion `Call me` is not of the form [a-z][a-z0-9_]*, at most 40 characters"),
        ),
        ("suggest-twice", invalid("suggestion `call` is there twice")),
        ("suggest-storm", storm),
    ] {
        let error = workflow.suggest(&item(), &sin(name), &at(), Arc::new(NoLookups)).unwrap_err();
        assert_eq!(fault(error, "service-workflow.suggest"), expected, "{name}");
    }
    for (name, expected) in [
        ("close-no-message", invalid("`resolution-missing` has no message")),
        (
            "close-bad-field",
            invalid("`No field` is not a valid field name: 2 to 60 of a-z, 0-9 and _, a letter first"),
        ),
        // Somebody waits for a save.
        ("close-loop", FaultKind::Timeout { ms: 50 }),
    ] {
        let error = workflow.close_check(&item(), &sin(name), &at(), Arc::new(NoLookups)).unwrap_err();
        assert_eq!(fault(error, "service-workflow.close-check"), expected, "{name}");
    }
    let timer = Occurrence::Timer("remind".to_owned());
    let trap = workflow.on_event(&item(), &timer, &sin("event-trap"), &at(), Arc::new(NoLookups));
    assert!(matches!(fault(trap.unwrap_err(), "service-workflow.on-event"), FaultKind::Trap(_)));
    workflow.on_event(&item(), &timer, "{}", &at(), Arc::new(NoLookups)).expect("the next call works");
}
