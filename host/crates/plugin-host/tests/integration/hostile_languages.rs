//! What guests in JavaScript and Python do wrong is contained and named like everything else.

use std::sync::Arc;

use trellis_plugin_host::{CancelFlag, Error, FaultKind, Fitted, Plugin, Result, Scored};

use crate::support::{at, customers, hundred, invalid, load_cached, sin};

fn hostile(language: &str) -> Option<Arc<Plugin>> {
    load_cached(&format!("hostile-{language}")).map(|(_, plugin)| plugin)
}

fn score(plugin: &Plugin, sin: &str) -> Result<Scored> {
    let scoring = plugin.scoring().unwrap();
    scoring.score(&scoring.describe("{}")?, sin.as_bytes(), customers(0..9), &at())
}

/// What the guest did wrong; the error has to say who did it, where.
#[track_caller]
fn fault(plugin: &Plugin, error: Error, function: &str) -> FaultKind {
    let Error::Fault(fault) = error else { panic!("{error}") };
    let start = format!("{}, {function}: ", plugin.plugin_version());
    assert!(fault.to_string().starts_with(&start), "{fault}");
    fault.kind
}

/// Checks that each sin ends in the fault that is expected, and that the plugin works after it.
fn check(plugin: &Plugin, sins: &[(&str, FaultKind)]) {
    for (sin, expected) in sins {
        let kind = fault(plugin, score(plugin, sin).unwrap_err(), "scoring.score");
        assert_eq!(kind, *expected, "{sin}");
        works(plugin);
    }
}

/// Checks that each sin ends in a trap whose message has these words, and that the plugin works after it.
fn check_traps(plugin: &Plugin, sins: &[(&str, &str)]) {
    for (sin, expected) in sins {
        let kind = fault(plugin, score(plugin, sin).unwrap_err(), "scoring.score");
        let FaultKind::Trap(text) = &kind else { panic!("{sin}: {kind}") };
        assert!(text.contains(expected), "{sin}: {text}");
        works(plugin);
    }
}

/// What is no sin by itself gives every call the same, whatever was before it.
fn check_harmless(plugin: &Plugin, sins: &[(&str, Option<f64>)]) {
    for (sin, expected) in sins {
        let values = || score(plugin, sin).unwrap().columns[0].values.clone();
        let first = values();
        assert_eq!(values(), first, "{sin}");
        assert!(expected.is_none_or(|expected| first == [expected; 9]), "{sin}: {first:?}");
    }
}

fn a_flood_is_counted(plugin: &Plugin) {
    let scored = score(plugin, "log-flood").unwrap();
    assert_eq!((scored.logs.len(), scored.stats.log_lines_suppressed), (1_001, 1_000));
}

fn works(plugin: &Plugin) {
    let scored = score(plugin, "none").expect("the next call works");
    assert_eq!(scored.columns[0].values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
}

/// What any language can answer wrongly.
fn checked_answers() -> Vec<(&'static str, FaultKind)> {
    vec![
        ("nan", invalid("column `points`: row 0 is NaN")),
        ("infinite", invalid("column `points`: row 0 is inf")),
        ("out-of-range", invalid("column `points`: row 0 is 101, outside 0 to 100")),
        ("wrong-lengths", invalid("column `points`: 10 values for 9 rows")),
        ("no-columns", invalid("0 columns for 1 scores")),
        ("wrong-name", invalid("column `marks` where `points` was described")),
        ("bad-failed-row", invalid("failed row 9 of 9 rows")),
        ("huge-string", FaultKind::OutputTooLarge { bytes_max: 1 << 20 }),
    ]
}

fn other_functions_are_checked(plugin: &Plugin) {
    let scoring = plugin.scoring().unwrap();
    let explain = |sin: &str| scoring.explain(sin.as_bytes(), customers(0..9), &at()).unwrap_err();
    assert_eq!(
        fault(plugin, explain("nan-weight"), "scoring.explain"),
        invalid("row 0: reason `ordinal` weighs NaN")
    );
    assert_eq!(
        fault(plugin, explain("missing-reasons"), "scoring.explain"),
        invalid("reasons for 8 of 9 rows")
    );
    let described = scoring.describe(&sin("describe-throw")).unwrap_err();
    let FaultKind::Trap(text) = fault(plugin, described, "scoring.describe") else { panic!("no trap") };
    assert!(text.contains("TypeError: as the test asked"), "{text}");
    let segmentation = plugin.segmentation().unwrap();
    let lots = segmentation.describe("{}").unwrap();
    for (sin, expected) in [
        ("bad-codes", "column `lot`: code 99 in row 0, but there are 2 values"),
        ("bad-offsets", "column `lot`: text offsets do not span the bytes"),
        ("invalid-utf8", "column `lot`: text 0 is not UTF-8"),
        ("unknown-value", "column `lot`: value `odr` was not described"),
    ] {
        let error = segmentation.assign(&lots, sin.as_bytes(), customers(0..9), &at()).unwrap_err();
        assert_eq!(fault(plugin, error, "segmentation.assign"), invalid(expected), "{sin}");
    }
    let assigned = segmentation.assign(&lots, b"none", customers(0..9), &at()).unwrap();
    assert_eq!(assigned.columns[0].codes.len(), 9);
}

fn training_is_checked(plugin: &Plugin) {
    let fit = |what: &str| -> Result<Fitted> {
        plugin.scoring().unwrap().fit(&mut hundred(), &sin(what), &at(), &CancelFlag::default())
    };
    let fault = |what: &str| fault(plugin, fit(what).unwrap_err(), "scoring.fit");
    assert_eq!(fault("big-model"), FaultKind::OutputTooLarge { bytes_max: 16 << 20 });
    assert!(matches!(fault("nan-metric"), FaultKind::InvalidResult(_)));
    let FaultKind::Trap(text) = fault("fit-throw") else { panic!("no trap") };
    assert!(text.contains("as the test asked"), "{text}");
    assert_eq!(fault("fit-loop"), FaultKind::Timeout { ms: 2_005 });
    assert_eq!(fit("none").unwrap().model.summary.en, "100 rows");
}

#[test]
fn javascript_is_contained() {
    let Some(plugin) = hostile("js") else { return };
    check(&plugin, &checked_answers());
    let (timeout, memory) = (FaultKind::Timeout { ms: 2_000 }, FaultKind::Memory { bytes_max: 256 << 20 });
    check(
        &plugin,
        &[("loop", timeout.clone()), ("regex", timeout), ("memory", memory.clone()), ("strings", memory)],
    );
    let no_process = "ReferenceError: process is not defined";
    check_traps(
        &plugin,
        &[
            ("throw", "panicked at throw@plugin.js:"),
            ("throw", "Error: as the test asked"),
            ("throw-nothing", "undefined"),
            // What the generated code refuses has no words of its own.
            ("throw-payload", "unreachable"),
            ("wrong-types", "unreachable"),
            ("missing-member", "unreachable"),
            ("recursion", "InternalError: too much recursion"),
            ("exit", no_process),
            ("environment", no_process),
            ("file", "Dynamic require of \"node:fs\" is not supported"),
            ("socket", "unreachable"),
            ("thread", "ReferenceError: Worker is not defined"),
            ("wasm", "ReferenceError: WebAssembly is not defined"),
            ("import", "unreachable"),
        ],
    );
    check_harmless(
        &plugin,
        &[("eval", Some(2.0)), ("state", Some(1.0)), ("prototype", None), ("chance", None), ("clock", None)],
    );
    a_flood_is_counted(&plugin);
    other_functions_are_checked(&plugin);
    training_is_checked(&plugin);
}

#[test]
fn python_is_contained() {
    let Some(plugin) = hostile("python") else { return };
    check(&plugin, &checked_answers());
    let (timeout, memory) = (FaultKind::Timeout { ms: 2_000 }, FaultKind::Memory { bytes_max: 256 << 20 });
    check(
        &plugin,
        &[("loop", timeout.clone()), ("power", timeout), ("memory", memory.clone()), ("strings", memory)],
    );
    // What the interpreter asks of its system ends in a stub that traps.
    check_traps(
        &plugin,
        &[
            ("throw", "panicked at app.py:"),
            ("throw", "ValueError: as the test asked"),
            ("recursion", "RecursionError"),
            ("wrong-types", "unreachable"),
            ("missing-member", "unreachable"),
            ("exit", "SystemExit: 3"),
            ("hard-exit", "os__exit"),
            ("environment", "KeyError: 'HOME'"),
            ("thread", "RuntimeError: can't start new thread"),
            ("process", "AttributeError"),
            ("file", "unreachable"),
            ("socket", "unreachable"),
            ("sleep", "unreachable"),
            ("import-late", "unreachable"),
        ],
    );
    check_harmless(&plugin, &[("eval", Some(2.0)), ("state", Some(1.0))]);
    a_flood_is_counted(&plugin);
    let kind = fault(&plugin, score(&plugin, "deep-recursion").unwrap_err(), "scoring.score");
    assert!(matches!(kind, FaultKind::Memory { .. } | FaultKind::StackOverflow), "{kind}");
    other_functions_are_checked(&plugin);
    training_is_checked(&plugin);
}
