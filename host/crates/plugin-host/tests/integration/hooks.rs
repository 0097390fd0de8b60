//! `record-hook` through the whole sandbox, well done and not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trellis_model::{NoLookups, Text};
use trellis_plugin_host::{Error, FaultKind, HookChange, Plugin, PluginHost, RecordHook, Refusal, Verdict};

use crate::support::{at, built, config, fault, field, invalid, load, record, sin};

/// The hostile guest with time enough on a machine that is busy.
fn patient() -> (Arc<PluginHost>, Arc<Plugin>) {
    let mut config = config();
    config.limits.record_hook.cpu_ms_max = 5_000;
    let host = PluginHost::new(config).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    (host, plugin)
}

fn changes(count: u64) -> Vec<HookChange> {
    let change = |number| {
        let after = record("lead", number, &[("company", "Acme"), ("status", "new"), ("phone", "not shown")]);
        HookChange { before: (number % 2 == 0).then(|| after.fields.clone()), after }
    };
    (0..count).map(change).collect()
}

fn judge(hook: &RecordHook<'_>, count: u64, config: &str) -> Result<Vec<Verdict>, Error> {
    hook.before_save(&changes(count), config, &at(), Arc::new(NoLookups))
}

#[test]
fn each_change_gets_a_verdict() {
    let (host, plugin) = patient();
    let hook = plugin.record_hook().unwrap();
    assert_eq!(judge(&hook, 3, "{}").unwrap(), [Verdict::Accept, Verdict::Accept, Verdict::Accept]);
    let refusal = Refusal {
        code: "company-missing".to_owned(),
        field: Some(field("company")),
        message: Text::new("name the company", "请填写公司"),
    };
    assert_eq!(judge(&hook, 1, &sin("hook-veto")).unwrap(), [Verdict::Veto(refusal)]);
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn two_hundred_changes_are_judged_and_no_more() {
    let (host, plugin) = patient();
    let hook = plugin.record_hook().unwrap();
    let calls = host.stats().calls;
    assert_eq!(judge(&hook, 200, "{}").unwrap().len(), 200);
    assert_eq!(judge(&hook, 0, "{}").unwrap(), []);
    let error = judge(&hook, 201, "{}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "batch for plugin `hostile` 1.0.0 has 201 changes, at most 200 are allowed"
    );
    assert_eq!(host.stats().calls - calls, 1, "nothing and too much do not reach the plugin");
}

#[test]
fn records_that_the_manifest_does_not_name_are_not_shown() {
    let (host, plugin) = patient();
    let change = HookChange { after: record("account", 1, &[("name", "Acme")]), before: None };
    let hook = plugin.record_hook().unwrap();
    let error = hook.before_save(&[change], "{}", &at(), Arc::new(NoLookups)).unwrap_err();
    assert!(matches!(&error, Error::Host { .. }), "{error}");
    assert!(error.to_string().contains("no `[[record-hook]]` for `account`"), "{error}");
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn verdicts_are_checked() {
    let (_host, plugin) = patient();
    let hook = plugin.record_hook().unwrap();
    for (name, expected) in [
        ("hook-few-verdicts", invalid("8 verdicts for 9 changes")),
        ("hook-many-verdicts", invalid("10 verdicts for 9 changes")),
        (
            "hook-undeclared-field",
            invalid("change 0: it patches `owner`, which its `[[record-hook]]` in plugin.toml does not name"),
        ),
        ("hook-empty-patch", invalid("change 0: a patch without fields")),
        ("hook-nan", invalid("change 0: field `company`: the number is NaN")),
        ("hook-no-message", invalid("change 0: `no` has no message")),
        (
            "hook-bad-code",
            invalid("change 0: code `No!` is not of the form [a-z][a-z0-9-]*, at most 60 characters"),
        ),
        ("hook-memory", FaultKind::Memory { bytes_max: 64 << 20 }),
        ("hook-stack", FaultKind::StackOverflow),
        ("hook-huge-output", FaultKind::OutputTooLarge { bytes_max: 1 << 20 }),
    ] {
        let error = judge(&hook, 9, &sin(name)).unwrap_err();
        assert_eq!(fault(error, "record-hook.before-save"), expected, "{name}");
        judge(&hook, 9, "{}").expect("the next call works");
    }
    let trap = fault(judge(&hook, 9, &sin("hook-trap")).unwrap_err(), "record-hook.before-save");
    assert!(matches!(trap, FaultKind::Trap(_)), "{trap}");
}

#[test]
fn a_save_waits_fifty_milliseconds_however_many_changes_there_are() {
    let (host, plugin) = load("hostile");
    let hook = plugin.record_hook().unwrap();
    for count in [1, 200] {
        let began = Instant::now();
        let error = judge(&hook, count, &sin("hook-loop")).unwrap_err();
        assert_eq!(fault(error, "record-hook.before-save"), FaultKind::Timeout { ms: 50 });
        assert!(began.elapsed() >= Duration::from_millis(50));
    }
    assert_eq!((host.stats().faults, host.stats().permits_in_use), (2, 0));
}
