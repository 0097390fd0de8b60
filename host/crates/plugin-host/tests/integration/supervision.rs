//! Versions that fail are left alone, rows that they fail on are found, and everything is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;
use trellis_model::NoLookups;
use trellis_plugin_host::{
    CallContext, Clock, Config, Error, HealthChange, HealthListener, HealthState, HookChange, LearnedBy,
    Plugin, PluginHost, Result, RowKey, Supervision, Verdict,
};

use crate::support::{at, built, config, customers, describe, id, record, sin};

/// A clock that stands still until it is set.
#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<HealthChange>>);

impl HealthListener for Heard {
    fn changed(&self, change: HealthChange) {
        self.0.lock().push(change);
    }
}

struct World {
    host: Arc<PluginHost>,
    plugin: Arc<Plugin>,
    clock: Arc<Hand>,
    heard: Arc<Heard>,
}

fn world(supervision: Supervision) -> World {
    let host = PluginHost::new(Config { supervision, ..config() }).unwrap();
    let (clock, heard) = (Arc::new(Hand::default()), Arc::new(Heard::default()));
    host.supervise(Arc::<Hand>::clone(&clock), Arc::<Heard>::clone(&heard));
    let plugin = host.load(&built("hostile")).unwrap();
    World { host, plugin, clock, heard }
}

impl World {
    fn set_ms(&self, now_ms: i64) {
        self.clock.0.store(now_ms, Ordering::Relaxed);
    }

    fn state(&self) -> HealthState {
        self.host.health(&self.plugin.digest()).unwrap().state
    }

    /// A call of a run of its own.
    fn assign(&self, sin: &str, run: &str) -> Result<()> {
        let described = [trellis_plugin_host::SegmentationDescription {
            name: "lot".to_owned(),
            label: Default::default(),
            description: Default::default(),
            values: ["even", "odd"]
                .map(|name| trellis_plugin_host::SegmentValue {
                    name: name.to_owned(),
                    label: Default::default(),
                    description: Default::default(),
                })
                .to_vec(),
            extra: Vec::new(),
        }];
        let at = CallContext { run_id: run.to_owned(), ..at() };
        let segmentation = self.plugin.segmentation().unwrap();
        segmentation.assign(&described, sin.as_bytes(), customers(0..9), &at).map(drop)
    }
}

#[test]
fn a_version_that_traps_backs_off_is_tried_and_is_quarantined() {
    let world = world(Supervision::default());
    assert!(matches!(world.assign("trap", "a"), Err(Error::Fault(_))));
    assert_eq!(world.state(), HealthState::Healthy, "one fault is no pattern");
    assert!(matches!(world.assign("trap", "a"), Err(Error::Fault(_))));
    assert_eq!(world.state(), HealthState::Healthy, "one strike a run");
    assert!(matches!(world.assign("trap", "b"), Err(Error::Fault(_))));
    assert_eq!(world.state(), HealthState::BackingOff { until_ms: 1_000 });

    let calls = world.host.stats().calls;
    let refused = world.assign("none", "c").unwrap_err();
    let expected = "plugin `hostile` 1.0.0 is not called: it is backing-off until 1970-01-01T00:00:01Z because it trapped: ";
    assert!(refused.to_string().starts_with(expected), "{refused}");
    assert_eq!(world.host.stats().calls, calls, "nothing ran");

    world.set_ms(1_000);
    world.assign("none", "d").unwrap();
    assert_eq!(world.state(), HealthState::Healthy);
    for (run, now_ms) in [("e", 2_000), ("f", 2_000), ("g", 3_000)] {
        world.set_ms(now_ms);
        world.assign("trap", run).unwrap_err();
    }
    assert_eq!(world.state(), HealthState::Quarantined { since_ms: 3_000, until_ms: None });
    let heard = world.heard.0.lock().clone();
    let [HealthChange::Recovered(_), HealthChange::Quarantined(quarantine)] = heard.as_slice() else {
        panic!("{heard:?}")
    };
    assert_eq!((quarantine.strikes, quarantine.function.as_str()), (5, "segmentation.assign"));

    world.set_ms(i64::MAX / 2);
    assert!(matches!(world.assign("none", "h"), Err(Error::Unavailable { state: "quarantined", .. })));
    assert!(world.host.release(&world.plugin.digest()) && world.state() == HealthState::Healthy);
    world.assign("none", "h").unwrap();
}

#[test]
fn a_quarantine_outlives_the_process() {
    let first = world(Supervision { strikes_max: 1, ..Supervision::default() });
    first.assign("trap", "a").unwrap_err();
    let heard = first.heard.0.lock().clone();
    let [HealthChange::Quarantined(quarantine)] = heard.as_slice() else { panic!("{heard:?}") };
    let host = PluginHost::new(Config { supervision: Supervision::default(), ..config() }).unwrap();
    host.restore_quarantine(quarantine);
    let plugin = host.load(&built("hostile")).unwrap();
    let error = plugin.segmentation().unwrap().describe("{}").unwrap_err();
    assert!(error.to_string().contains("is quarantined because it trapped"), "{error}");
}

#[test]
fn what_a_plugin_says_itself_and_what_is_nobodys_fault_are_no_strikes() {
    let world = world(Supervision { strikes_max: 1, ..Supervision::default() });
    assert!(matches!(world.assign("error-transient", "a"), Err(Error::Plugin { .. })));
    assert_eq!(world.state(), HealthState::Healthy);
}

#[test]
fn poison_rows_are_found_and_the_others_are_served() {
    let world = world(Supervision::default());
    let segmentation = world.plugin.segmentation().unwrap();
    let described = describe(&world.plugin, "{}");
    let calls = world.host.stats().calls;
    let assigned = segmentation.assign(&described, b"poison-row", customers(0..256), &at()).unwrap();
    let failed: Vec<_> = assigned.failed.iter().map(|error| (error.row, error.code.as_str())).collect();
    assert_eq!(failed, [(7, "poison"), (107, "poison"), (207, "poison")]);
    assert!(assigned.failed[0].message.en.contains("trapped: "), "{:?}", assigned.failed[0]);
    let column = &assigned.columns[0];
    for row in 0..256 {
        let value = column.valid.get(row).then(|| column.values.get(column.codes[row] as usize).unwrap());
        let expected = if row % 2 == 0 { "even" } else { "odd" };
        assert_eq!(value, (row % 100 != 7).then_some(expected), "row {row}");
    }
    assert!(world.host.stats().calls - calls < 50, "three rows of 256 take few calls");
    let health = world.host.health(&world.plugin.digest()).unwrap();
    assert_eq!((health.state, health.strikes), (HealthState::Healthy, 1), "one strike a run");
    let rows = world.host.poison_rows(&world.plugin.digest());
    assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [7, 107, 207].map(RowKey::Ordinal));
    for run in 0..20 {
        let at = CallContext { run_id: run.to_string(), ..at() };
        segmentation.assign(&described, b"poison-row", customers(0..256), &at).unwrap();
    }
    assert_eq!(world.host.health(&world.plugin.digest()).unwrap().strikes, 1, "known rows are no news");
}

#[test]
fn scores_campaigns_and_hooks_are_served_around_poison_too() {
    let world = world(Supervision::default());
    let scoring = world.plugin.scoring().unwrap();
    let described = scoring.describe("{}").unwrap();
    let scored = scoring.score(&described, b"poison-row", customers(0..20), &at()).unwrap();
    assert_eq!(scored.failed.iter().map(|error| error.row).collect::<Vec<_>>(), [7]);
    assert_eq!((scored.columns[0].values[19], scored.columns[0].valid.get(7)), (9.0, false));

    let rules = world.plugin.campaign_rules().unwrap();
    let campaign = record("campaign", 1, &[("name", "Spring")]);
    let config = sin("poison-row");
    let eligible = rules.eligible(&campaign, customers(0..9), &config, &at()).unwrap();
    assert_eq!(eligible.eligible, [true, false, true, false, true, false, true, false, true]);
    assert_eq!(eligible.causes[7].as_deref(), Some("poison"));
    let variants = rules.assign_variant(&campaign, customers(6..9), &config, &at()).unwrap();
    assert_eq!(variants.variants, [Some("a".to_owned()), None, Some("a".to_owned())]);
    let next = rules.next_action(&campaign, customers(6..9), &config, &at()).unwrap();
    assert_eq!(next.rows.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(next.failed.len(), 1);

    let hook = world.plugin.record_hook().unwrap();
    let change = |(number, company)| HookChange {
        after: record("lead", number, &[("company", company), ("status", "new")]),
        before: None,
    };
    let changes: Vec<_> = [(1, "Acme"), (2, "poison"), (3, "Zenith")].into_iter().map(change).collect();
    let verdicts = hook.before_save(&changes, &sin("poison-change"), &at(), Arc::new(NoLookups)).unwrap();
    assert!(
        matches!(verdicts.as_slice(), [Verdict::Accept, Verdict::Failed(_), Verdict::Accept]),
        "{verdicts:?}"
    );
    let rows = world.host.poison_rows(&world.plugin.digest());
    assert!(rows.iter().any(|row| row.row == RowKey::Record(id(2)) && row.function == "before-save"));
}

#[test]
fn a_batch_with_more_poison_than_calls_fails_as_a_whole() {
    let world = world(Supervision { bisect_calls_max: 10, ..Supervision::default() });
    let described = describe(&world.plugin, "{}");
    let segmentation = world.plugin.segmentation().unwrap();
    let calls = world.host.stats().calls;
    let error = segmentation.assign(&described, b"poison-row", customers(0..1_000), &at()).unwrap_err();
    assert!(matches!(error, Error::Fault(_)), "{error}");
    assert_eq!(world.host.stats().calls - calls, 11);
    // A plugin that fails on nothing at all fails on everything: one more call shows it.
    segmentation.assign(&described, b"trap", customers(0..1_000), &at()).unwrap_err();
    assert_eq!(world.host.stats().calls - calls, 13);
}

#[test]
fn calls_are_measured_and_lines_kept() {
    let world = world(Supervision { log_lines_max: 5, ..Supervision::off() });
    world.set_ms(42);
    world.assign("none", "a").unwrap();
    world.assign("trap", "b").unwrap_err();
    world.assign("log-flood", "c").unwrap();
    let metrics = world.host.metrics(&world.plugin.digest()).unwrap();
    let assign = &metrics.functions["segmentation.assign"];
    // The call that trapped was made once more without rows.
    assert_eq!((assign.calls, assign.rows, assign.faults["trap"]), (4, 27, 2));
    assert_eq!(assign.log_lines_dropped, 4_000);
    assert!(assign.p50_us > 0 && assign.p50_us <= assign.p99_us && assign.cpu_us > 0);
    let last = metrics.health.last_fault.unwrap();
    assert_eq!((last.at_ms, last.function.as_str()), (42, "segmentation.assign"));
    let lines = world.host.log_lines(&world.plugin.digest());
    assert_eq!((lines.len(), lines[4].at_ms, lines[4].function), (5, 42, "assign"));
    assert_eq!(lines[4].line.message, "suppressed 4000 more lines");
    assert!(metrics.log_lines_dropped > 900);
}

#[test]
fn what_a_plugin_shows_and_answers_counts_for_itself() {
    let world = world(Supervision { strikes_max: 2, ..Supervision::default() });
    let describe = || world.plugin.analysis().unwrap().describe(&sin("analysis-twice"));
    let show = |sin: &str| {
        world.plugin.model_report().unwrap().describe_model(LearnedBy::Scoring, sin.as_bytes()).map(drop)
    };
    for _ in 0..2 {
        assert!(matches!(describe(), Err(Error::Fault(_))));
        assert!(matches!(show("shown-nan"), Err(Error::Fault(_))));
    }
    for refused in [describe().map(drop), show("none")] {
        let is_left_alone =
            matches!(refused, Err(Error::Unavailable { state: "backing-off", until_ms: Some(1_000), .. }));
        assert!(is_left_alone, "{refused:?}");
    }
    assert_eq!(world.state(), HealthState::Healthy);
    world.assign("none", "a").unwrap();
    for now_ms in [1_000, 10_000, 100_000, 1_000_000] {
        world.set_ms(now_ms);
        assert!(matches!(describe(), Err(Error::Fault(_))), "it is tried again, and never quarantined");
    }
    world.set_ms(2_000_000);
    show("none").unwrap();
    assert_eq!(*world.heard.0.lock(), [], "nobody has to hear of it");

    // What keeps the plugin from being called keeps these out, too.
    for run in ["b", "c"] {
        world.assign("trap", run).unwrap_err();
    }
    assert!(matches!(show("none"), Err(Error::Unavailable { state: "quarantined", .. })));
    world.host.release(&world.plugin.digest());
    show("none").unwrap();
}
