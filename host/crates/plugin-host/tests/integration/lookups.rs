//! `host-lookups`: what a guest may ask, how often, and what it is shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value as Json;
use trellis_model::{LookupError, Lookups, NamedRecord, ObjectName, RecordId};
use trellis_plugin_host::{Error, FaultKind, HookChange, Plugin, Verdict, WorkItem};

use crate::support::{at, fault, field, load, record, sin};

/// Two open cases; counts how often it is asked.
#[derive(Default)]
struct Cases {
    asked: AtomicU32,
    /// How long an answer takes.
    delay: Duration,
    failure: Option<LookupError>,
}

impl Cases {
    fn answer<T>(&self, answer: T) -> Result<T, LookupError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(self.delay);
        self.failure.clone().map_or(Ok(answer), Err)
    }
}

fn case(number: u64) -> NamedRecord {
    record("case", number, &[("subject", "late"), ("status", "open"), ("secret", "not shown")])
}

impl Lookups for Cases {
    fn get(&self, _: &ObjectName, id: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        self.answer(Some(NamedRecord { id, ..case(1) }))
    }

    fn find(&self, object: &ObjectName, filter: &Json, _: u32) -> Result<Vec<NamedRecord>, LookupError> {
        assert_eq!((object.as_str(), &filter["field"]), ("case", &Json::from("status")));
        self.answer(vec![case(1), case(2)])
    }

    fn count(&self, _: &ObjectName, _: &Json) -> Result<u64, LookupError> {
        self.answer(2)
    }
}

fn item() -> WorkItem {
    WorkItem { item: case(9), account: None }
}

/// What the guest says that it learned, and how often it asked.
fn learned(plugin: &Plugin, name: &str) -> (String, u32) {
    let cases = Arc::new(Cases::default());
    let workflow = plugin.service_workflow().unwrap();
    let decided = workflow.triage(&item(), &sin(name), &at(), Arc::clone(&cases) as _).unwrap();
    let text = decided.reasons.into_iter().next().map(|reason| reason.text.en).unwrap_or_default();
    (text, cases.asked.load(Ordering::Relaxed))
}

#[test]
fn a_guest_learns_what_was_granted_and_no_more() {
    let (host, plugin) = load("hostile");
    let fields = "status subject status subject";
    assert_eq!(learned(&plugin, "lookup-ask"), (format!("2 open, 2 found, fields {fields}"), 4));
    for (name, expected) in [
        ("lookup-object", "denied: object `user`: add it as `[[lookups]]` to plugin.toml"),
        (
            "lookup-field",
            "denied: field `secret` of `case`: add it to `fields` of its `[[lookups]]` in plugin.toml",
        ),
        ("lookup-related", "denied: `orders`: look up the other object by its reference instead"),
        ("lookup-big-filter", "invalid: a filter of 102440 bytes, at most 65536"),
        ("lookup-deep-filter", "invalid: no JSON: recursion limit exceeded"),
    ] {
        let (text, asked) = learned(&plugin, name);
        assert!(text.starts_with(expected), "{name}: {text}");
        assert_eq!(asked, 0, "{name} does not reach the records");
    }
    assert_eq!(host.stats().faults, 0, "a denied question is no fault");
}

#[test]
fn a_flood_of_questions_gets_as_many_answers_as_the_class_allows() {
    let (host, plugin) = load("hostile");
    assert_eq!(learned(&plugin, "lookup-flood"), ("100 answers".to_owned(), 100));
    let cases = Arc::new(Cases::default());
    let change = HookChange { after: record("lead", 1, &[("company", "A")]), before: None };
    let hook = plugin.record_hook().unwrap();
    let verdicts = hook.before_save(&[change], &sin("hook-lookup-flood"), &at(), Arc::clone(&cases) as _);
    let Ok([Verdict::Patch(patch)]) = verdicts.as_deref() else { panic!("{verdicts:?}") };
    let answers = patch[&field("company")].clone();
    assert_eq!(answers, Some(trellis_model::Value::Text("50 answers".to_owned())));
    assert_eq!((cases.asked.load(Ordering::Relaxed), host.stats().faults), (50, 0));
}

#[test]
fn a_filter_over_the_budget_of_the_call_ends_it() {
    let (_host, plugin) = load("hostile");
    let workflow = plugin.service_workflow().unwrap();
    let ask = |name| workflow.triage(&item(), &sin(name), &at(), Arc::new(Cases::default()));
    let kind = fault(ask("lookup-huge-filter").unwrap_err(), "service-workflow.triage");
    assert_eq!(kind, FaultKind::OutputTooLarge { bytes_max: 1 << 20 });
    ask("lookup-ask").expect("the next call works");
}

#[test]
fn slow_answers_are_not_the_plugins_fault() {
    let (host, plugin) = load("hostile");
    let workflow = plugin.service_workflow().unwrap();
    let slow = Cases { delay: Duration::from_millis(250), ..Cases::default() };
    let error = workflow.triage(&item(), &sin("lookup-ask"), &at(), Arc::new(slow)).unwrap_err();
    assert!(matches!(error, Error::SlowLookups { lookups: 1, ms: 200, .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("plugin `hostile` 1.0.0, triage: look-ups took 2"), "{text}");
    assert!(text.ends_with(" ms (1 of them), and the call may take 200 ms with them"), "{text}");
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn answers_that_fail_reach_the_guest() {
    let (host, plugin) = load("hostile");
    let workflow = plugin.service_workflow().unwrap();
    let ask = |failure| {
        let cases = Cases { failure: Some(failure), ..Cases::default() };
        workflow.triage(&item(), &sin("lookup-ask"), &at(), Arc::new(cases))
    };
    let failed = ask(LookupError::Failed("disk is on fire".to_owned())).unwrap_err();
    assert_eq!(failed.to_string(), "plugin `hostile` 1.0.0, triage: for now: disk is on fire");
    let denied = ask(LookupError::Denied("by the admin".to_owned())).unwrap();
    assert_eq!(denied.reasons[0].text.en, "denied: by the admin");
    assert_eq!(host.stats().faults, 0);
}

/// A host whose answers panic.
struct Broken;

impl Lookups for Broken {
    fn get(&self, _: &ObjectName, _: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        panic!("a bug in the host")
    }

    fn find(&self, _: &ObjectName, _: &Json, _: u32) -> Result<Vec<NamedRecord>, LookupError> {
        panic!("a bug in the host")
    }

    fn count(&self, _: &ObjectName, _: &Json) -> Result<u64, LookupError> {
        panic!("a bug in the host")
    }
}

#[test]
fn a_host_that_panics_is_not_the_plugins_fault() {
    let (host, plugin) = load("hostile");
    let workflow = plugin.service_workflow().unwrap();
    let error = workflow.triage(&item(), &sin("lookup-ask"), &at(), Arc::new(Broken)).unwrap_err();
    assert_eq!(error.to_string(), "host failed in a call of plugin `hostile` 1.0.0: a bug in the host");
    assert_eq!((host.stats().faults, host.stats().permits_in_use), (0, 0));
}
