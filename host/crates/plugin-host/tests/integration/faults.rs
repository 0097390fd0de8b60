//! What a guest does wrong ends in an error that says so, and in nothing else.

use trellis_model::{Batch, Text};
use trellis_plugin_host::{
    Assigned, CancelFlag, Error, FaultKind, Fitted, LogLevel, Plugin, PluginError, PluginHost, Result,
    RowStream,
};

use crate::support::{at, built, config, customers, describe, fault, hundred, impatient, load};

fn fit(plugin: &Plugin, sin: &str) -> Result<Fitted> {
    let config = format!("{{\"sin\":\"{sin}\"}}");
    plugin.segmentation().unwrap().fit(&mut hundred(), &config, &at(), &CancelFlag::default())
}

/// The hostile guest's model is the name of what it is to do.
fn assign(plugin: &Plugin, sin: &str, batch: Batch) -> Result<Assigned> {
    let described = describe(plugin, "{}");
    plugin.segmentation().unwrap().assign(&described, sin.as_bytes(), batch, &at())
}

#[test]
fn what_a_guest_uses_too_much_of_is_named() {
    let host = PluginHost::new(impatient()).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    let check = |sin: &str, expected: FaultKind| {
        assert_eq!(
            fault(assign(&plugin, sin, customers(0..9)).unwrap_err(), "segmentation.assign"),
            expected,
            "{sin}"
        );
        assign(&plugin, "none", customers(0..9)).expect("the next call works");
    };
    check("loop", FaultKind::Timeout { ms: 300 });
    check("memory", FaultKind::Memory { bytes_max: 64 << 20 });
    check("stack", FaultKind::StackOverflow);
    check("huge-output", FaultKind::OutputTooLarge { bytes_max: 32 << 20 });
}

#[test]
fn a_trap_says_where() {
    let (_host, plugin) = load("hostile");
    let error = assign(&plugin, "trap", customers(0..9)).unwrap_err();
    let FaultKind::Trap(text) = fault(error, "segmentation.assign") else { panic!("no trap") };
    assert!(text.starts_with("panicked at ") && text.contains(": this guest was told to trap"), "{text}");
    assert!(text.contains("hostile::") && !text.contains("_R") && !text.contains("panicking"), "{text}");
}

#[test]
fn what_a_guest_returns_is_checked() {
    let (_host, plugin) = load("hostile");
    for (sin, expected) in [
        ("wrong-lengths", "column `lot`: 8 codes for 9 rows"),
        ("bad-codes", "column `lot`: code 99 in row 0, but there are 2 values"),
        ("bad-offsets", "column `lot`: text offsets do not rise"),
        ("invalid-utf8", "column `lot`: text 0 is not UTF-8"),
        ("unknown-value", "column `lot`: value `odr` was not described"),
        ("short-validity", "column `lot`: 1 validity bytes for 9 rows"),
        ("wrong-name", "column `lottery` where `lot` was described"),
        ("wrong-type", "column `lot`: it is no dictionary column"),
        ("no-columns", "0 columns for 1 segmentations"),
        ("bad-failed-row", "failed row 9 of 9 rows"),
        (
            "failed-bad-code",
            "failed row 0: code `Because I say so` is not of the form [a-z][a-z0-9-]*, at most 60 characters",
        ),
    ] {
        let error = assign(&plugin, sin, customers(0..9)).unwrap_err();
        assert_eq!(
            fault(error, "segmentation.assign"),
            FaultKind::InvalidResult(expected.to_owned()),
            "{sin}"
        );
    }
    for (sin, expected) in [
        ("many-reasons", "row 0: 6 reasons, at most 5"),
        ("nan-weight", "row 0: reason `ordinal` weighs NaN"),
        ("missing-reasons", "reasons for 8 of 9 rows"),
    ] {
        let explained = plugin.segmentation().unwrap().explain(sin.as_bytes(), customers(0..9), &at());
        let kind = fault(explained.unwrap_err(), "segmentation.explain");
        assert_eq!(kind, FaultKind::InvalidResult(expected.to_owned()), "{sin}");
    }
}

/// What a text of a stranger must not have where people read it.
fn acts(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
}

#[test]
fn texts_of_a_guest_are_only_read() {
    let (host, plugin) = load("hostile");
    let error = assign(&plugin, "escapes", customers(0..9)).unwrap_err().to_string();
    assert!(!acts(&error) && !error.contains('\n') && error.len() < 3_000, "{error}");
    assert!(error.contains("column `") && error.contains("[2J") && error.ends_with('…'), "{error}");
    let health = host.health(&plugin.digest()).unwrap();
    assert!(health.last_fault.is_some_and(|last| !acts(&last.reason)));
    let own = assign(&plugin, "error-escapes", customers(0..9)).unwrap_err().to_string();
    assert!(!acts(&own) && !own.contains('\n') && own.len() < 3_000, "{own}");
    let described = describe(&plugin, r#"{"sin":"describe-escapes"}"#);
    assert_eq!(described[0].label.en, " [2J ]0;root  \nall is well");
    let explained = plugin.segmentation().unwrap().explain(b"bad-reason-code", customers(0..9), &at());
    let FaultKind::InvalidResult(text) = fault(explained.unwrap_err(), "segmentation.explain") else {
        panic!("a code is a code")
    };
    assert!(text.starts_with("row 0: reason ` [2J") && !acts(&text), "{text}");
}

#[test]
fn a_row_fails_once() {
    let (_host, plugin) = load("hostile");
    let assigned = assign(&plugin, "failed-twice", customers(0..9)).unwrap();
    let rows: Vec<_> = assigned.failed.iter().map(|error| (error.row, error.code.as_str())).collect();
    assert_eq!(rows, [(0, "twice"), (1, "twice")]);
    assert!(assigned.failed.iter().all(|error| !acts(&error.message.en)));
}

#[test]
fn every_fault_is_counted_where_calls_are_compared() {
    let (host, _) = load("hostile");
    let plugin = host.load_metered(&built("hostile")).unwrap();
    let faults = || plugin.used().faults;
    assign(&plugin, "trap", customers(0..9)).unwrap_err();
    assert_eq!(faults(), 1);
    assign(&plugin, "wrong-lengths", customers(0..9)).unwrap_err();
    assert_eq!(faults(), 2, "an answer of a wrong shape is one too");
    assign(&plugin, "error-transient", customers(0..9)).unwrap_err();
    let mut rows = Failing { how: Failure::Error, read: false };
    plugin.segmentation().unwrap().fit(&mut rows, "{}", &at(), &CancelFlag::default()).unwrap_err();
    assert_eq!(faults(), 2, "neither its own words nor rows that cannot be read");
}

#[test]
fn what_a_guest_describes_is_checked() {
    let (_host, plugin) = load("hostile");
    let describe =
        |sin: &str| plugin.segmentation().unwrap().describe(&format!("{{\"sin\":\"{sin}\"}}")).unwrap_err();
    for (sin, expected) in [
        ("describe-many-values", "segmentation `lot` has 1002 values, at most 1000"),
        (
            "describe-bad-name",
            "segmentation `Not a name!` is not of the form [a-z][a-z0-9_]*, at most 40 characters",
        ),
    ] {
        assert_eq!(
            fault(describe(sin), "segmentation.describe"),
            FaultKind::InvalidResult(expected.to_owned())
        );
    }
    assert_eq!(
        fault(describe("describe-long-text"), "segmentation.describe"),
        FaultKind::OutputTooLarge { bytes_max: 1 << 20 }
    );
    assert_eq!(fault(describe("describe-loop"), "segmentation.describe"), FaultKind::Timeout { ms: 200 });
    assert!(matches!(fault(describe("describe-trap"), "segmentation.describe"), FaultKind::Trap(_)));
    assert!(matches!(describe("describe-error"), Error::Plugin { error: PluginError::InvalidConfig(_), .. }));
}

#[test]
fn what_a_guest_says_itself_is_no_fault() {
    let (host, plugin) = load("hostile");
    let text = || Box::new(Text::new("as the test asked", ""));
    for (sin, expected) in [
        ("error-invalid-config", PluginError::InvalidConfig(text())),
        ("error-unsuitable-data", PluginError::UnsuitableData(text())),
        ("error-unreadable-model", PluginError::UnreadableModel(text())),
        ("error-denied", PluginError::Denied(text())),
        ("error-transient", PluginError::Transient(text())),
        ("error-other", PluginError::Other { code: "as-asked".to_owned(), text: text() }),
    ] {
        let error = assign(&plugin, sin, customers(0..9)).unwrap_err();
        assert!(error.to_string().starts_with("plugin `hostile` 1.0.0, assign: "), "{error}");
        assert!(matches!(error, Error::Plugin { error, .. } if error == expected), "{sin}");
    }
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn training_has_limits_of_its_own() {
    let mut endless = impatient();
    // However fast the machine is, time is up first.
    endless.limits.training.passes_max = u32::MAX;
    let looping = PluginHost::new(endless).unwrap().load(&built("hostile")).unwrap();
    // 300 ms, and 50 µs for each of 100 rows.
    let kind = fault(fit(&looping, "fit-loop").unwrap_err(), "segmentation.fit");
    assert_eq!(kind, FaultKind::Timeout { ms: 305 });
    let kind = fault(fit(&looping, "fit-rewind").unwrap_err(), "segmentation.fit");
    assert_eq!(kind, FaultKind::Timeout { ms: 305 }, "the same rows again give no more time");
    let mut config = config();
    config.limits.training.memory_bytes_max = 200 << 20;
    config.limits.training.passes_max = 20;
    let plugin = PluginHost::new(config).unwrap().load(&built("hostile")).unwrap();
    let fit = |sin: &str| fault(fit(&plugin, sin).unwrap_err(), "segmentation.fit");
    assert_eq!(fit("fit-memory"), FaultKind::Memory { bytes_max: 200 << 20 });
    assert!(matches!(fit("fit-trap"), FaultKind::Trap(_)));
    for sin in ["fit-rewind", "fit-rewind-only", "fit-open-only"] {
        assert_eq!(fit(sin), FaultKind::TooManyPasses { passes_max: 20 }, "{sin}");
    }
    assert_eq!(fit("fit-open-many"), FaultKind::TooManyStreams { streams_max: 16 });
    assert_eq!(
        fit("fit-bad-metric"),
        FaultKind::InvalidResult(
            "metric `Not a name!` is not of the form [a-z][a-z0-9_]*, at most 40 characters".to_owned()
        )
    );
    assert_eq!(fit("fit-many-metrics"), FaultKind::InvalidResult("101 metrics, at most 100".to_owned()));
    assert_eq!(fit("big-model"), FaultKind::OutputTooLarge { bytes_max: 16 << 20 });
    let said = self::fit(&plugin, "fit-error").unwrap_err();
    assert!(matches!(said, Error::Plugin { error: PluginError::UnsuitableData(_), .. }), "{said}");
    let fitted = self::fit(&plugin, "none").unwrap();
    assert_eq!(
        (fitted.model.bytes.as_slice(), fitted.model.summary.zh_cn.as_str()),
        (&b"none"[..], "100 行")
    );
    assert_eq!(fitted.logs[0].message, "fitted on 100 rows");
}

#[test]
fn a_flood_of_lines_is_counted_and_not_kept() {
    let (_host, plugin) = load("hostile");
    let assigned = assign(&plugin, "log-flood", customers(0..9)).unwrap();
    assert_eq!((assigned.logs.len(), assigned.stats.log_lines_suppressed), (1_001, 4_000));
    assert!(assigned.logs.iter().all(|line| line.message.len() <= 4 << 10 && line.level == LogLevel::Warn));
    assert_eq!(assigned.logs[1_000].message, "suppressed 4000 more lines");
}

#[test]
fn others_go_on_while_one_loops() {
    let host = PluginHost::new(impatient()).unwrap();
    let (hostile, rfm) = (host.load(&built("hostile")).unwrap(), host.load(&built("retail-rfm")).unwrap());
    std::thread::scope(|scope| {
        let looping = scope.spawn(|| assign(&hostile, "loop", customers(0..9)));
        let mut calls = 0;
        while !looping.is_finished() {
            assert_eq!(describe(&rfm, "{}").len(), 11);
            calls += 1;
        }
        assert!(calls > 10, "{calls} calls beside the loop");
        assert!(looping.join().unwrap().is_err());
    });
    assert_eq!((host.stats().faults, host.stats().permits_in_use), (1, 0));
}

#[test]
fn training_can_be_cancelled() {
    let (_host, plugin) = load("hostile");
    let cancel = CancelFlag::default();
    let segmentation = plugin.segmentation().unwrap();
    let error = std::thread::scope(|scope| {
        let looping =
            scope.spawn(|| segmentation.fit(&mut hundred(), "{\"sin\":\"fit-loop\"}", &at(), &cancel));
        cancel.cancel();
        looping.join().unwrap().unwrap_err()
    });
    assert!(matches!(error, Error::Cancelled { .. }), "{error}");
}

/// How rows go wrong.
#[derive(Clone, Copy, PartialEq)]
enum Failure {
    Error,
    Panic,
    TooLarge,
}

/// Rows that go wrong after the first batch.
struct Failing {
    how: Failure,
    read: bool,
}

impl RowStream for Failing {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        match (std::mem::replace(&mut self.read, true), self.how) {
            (false, _) => Ok(Some(customers(0..9))),
            (true, Failure::Error) => Err("disk is on fire".to_owned()),
            (true, Failure::Panic) => panic!("a bug in the host"),
            (true, Failure::TooLarge) => Ok(Some(customers(0..70_000))),
        }
    }

    fn rewind(&mut self) {}

    fn rows(&self) -> u64 {
        18
    }
}

#[test]
fn rows_that_fail_are_not_the_plugins_fault() {
    let (host, plugin) = load("hostile");
    let fit = |how| {
        let mut rows = Failing { how, read: false };
        plugin.segmentation().unwrap().fit(&mut rows, "{}", &at(), &CancelFlag::default()).unwrap_err()
    };
    let message = |how| fit(how).to_string();
    assert_eq!(message(Failure::Error), "rows for plugin `hostile` 1.0.0 cannot be read: disk is on fire");
    assert_eq!(message(Failure::Panic), "host failed in a call of plugin `hostile` 1.0.0: a bug in the host");
    let too_large = fit(Failure::TooLarge);
    assert!(matches!(too_large, Error::BatchTooLarge { found: 70_000, limit: 65_536, unit: "rows", .. }));
    let error = assign(&plugin, "none", customers(0..70_000)).unwrap_err();
    assert!(matches!(error, Error::BatchTooLarge { .. }), "{error}");
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn without_a_pool_the_same_limits_hold() {
    let host = PluginHost::new(trellis_plugin_host::Config { pooling: false, ..config() }).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    assert!(!host.stats().pooling);
    let kind = fault(assign(&plugin, "memory", customers(0..9)).unwrap_err(), "segmentation.assign");
    assert_eq!(kind, FaultKind::Memory { bytes_max: 64 << 20 });
    assign(&plugin, "none", customers(0..9)).unwrap();
}

#[test]
fn a_short_call_does_not_wait_forever_for_a_permit() {
    let config = trellis_plugin_host::Config { permits: 1, permit_wait_ms_max: 20, ..impatient() };
    let host = PluginHost::new(config).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    std::thread::scope(|scope| {
        let segmentation = plugin.segmentation().unwrap();
        let looping = scope.spawn(|| assign(&plugin, "loop", customers(0..9)));
        while host.stats().permits_in_use == 0 && !looping.is_finished() {
            std::thread::yield_now();
        }
        let mut busy = 0;
        while !looping.is_finished() {
            busy +=
                usize::from(matches!(segmentation.describe("{}"), Err(Error::Busy { waited_ms: 20, .. })));
        }
        assert!(busy > 0);
    });
}
