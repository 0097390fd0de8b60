//! `scoring` through the whole sandbox, well done and not.

use trellis_model::{Batch, Text};
use trellis_plugin_host::{CancelFlag, FaultKind, Plugin, Result, Scored};

use crate::support::{at, built, customers, fault, hundred, impatient, invalid, load, sin};

/// The hostile guest's model is the name of what it is to do.
fn score(plugin: &Plugin, sin: &str, batch: Batch) -> Result<Scored> {
    let scoring = plugin.scoring().unwrap();
    scoring.score(&scoring.describe("{}").unwrap(), sin.as_bytes(), batch, &at())
}

#[test]
fn customers_get_numbers_within_the_range_that_was_described() {
    let (host, plugin) = load("hostile");
    let scoring = plugin.scoring().unwrap();
    let described = scoring.describe("{}").unwrap();
    let [points] = described.as_slice() else { panic!("{described:?}") };
    assert_eq!((points.minimum, points.maximum), (Some(0.0), Some(100.0)));
    assert_eq!(points.bands.iter().map(|band| band.name.as_str()).collect::<Vec<_>>(), ["low", "high"]);
    let fitted = scoring.fit(&mut hundred(), "{}", &at(), &CancelFlag::default()).unwrap();
    assert_eq!(fitted.model.summary.en, "100 rows");
    let scored = scoring.score(&described, &fitted.model.bytes, customers(8..12), &at()).unwrap();
    assert_eq!(scored.columns[0].values, [8.0, 9.0, 0.0, 1.0]);
    let reasons = scoring.explain(&fitted.model.bytes, customers(8..12), &at()).unwrap();
    assert_eq!(reasons.iter().map(Vec::len).collect::<Vec<_>>(), [1; 4]);
    let rules = scoring.rules(&fitted.model.bytes).unwrap();
    assert_eq!(rules, Text::new("points are the last digit\n", "分数为末位数字\n"));
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn what_stands_at_a_row_without_a_value_does_not_matter() {
    let (_host, plugin) = load("hostile");
    let scored = score(&plugin, "score-null-nan", customers(0..9)).unwrap();
    assert_eq!(scored.columns[0].values, [0.0; 9]);
    assert!((0..9).all(|row| !scored.columns[0].valid.get(row)));
}

#[test]
fn scores_are_checked() {
    let host = trellis_plugin_host::PluginHost::new(impatient()).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    for (sin, expected) in [
        ("score-nan", invalid("column `points`: row 8 is NaN")),
        ("score-infinite", invalid("column `points`: row 8 is -inf")),
        ("score-out-of-range", invalid("column `points`: row 8 is 100.5, outside 0 to 100")),
        ("score-wrong-lengths", invalid("column `points`: 10 values for 9 rows")),
        ("score-missing-column", invalid("0 columns for 1 scores")),
        ("score-wrong-name", invalid("column `marks` where `points` was described")),
        ("score-bad-failed-row", invalid("failed row 9 of 9 rows")),
        ("score-short-validity", invalid("column `points`: 3 validity bytes for 9 rows")),
        ("score-invalid-utf8", invalid("invalid utf-8 sequence of 1 bytes from index 0")),
        ("score-loop", FaultKind::Timeout { ms: 300 }),
    ] {
        let error = score(&plugin, sin, customers(0..9)).unwrap_err();
        assert_eq!(fault(error, "scoring.score"), expected, "{sin}");
        score(&plugin, "none", customers(0..9)).expect("the next call works");
    }
}

#[test]
fn descriptions_reasons_and_rules_are_checked() {
    let (_host, plugin) = load("hostile");
    let scoring = plugin.scoring().unwrap();
    for (name, expected) in [
        ("score-describe-bands", "score `points`: band `top` begins at 5, not above `high` at 5"),
        ("score-describe-range", "score `points`: its range is 101 to 100"),
        (
            "score-describe-bad-name",
            "score `Not a name!` is not of the form [a-z][a-z0-9_]*, at most 40 characters",
        ),
    ] {
        let error = scoring.describe(&sin(name)).unwrap_err();
        assert_eq!(fault(error, "scoring.describe"), invalid(expected), "{name}");
    }
    for (name, expected) in [
        ("score-nan-weight", "row 0: reason `ordinal` weighs NaN"),
        ("score-missing-reasons", "reasons for 8 of 9 rows"),
    ] {
        let error = scoring.explain(name.as_bytes(), customers(0..9), &at()).unwrap_err();
        assert_eq!(fault(error, "scoring.explain"), invalid(expected), "{name}");
    }
    let error = scoring.rules(b"score-huge-rules").unwrap_err();
    assert_eq!(fault(error, "scoring.rules"), invalid("rules of 260000 bytes, at most 65536"));
    scoring.rules(b"none").expect("the next call works");
}
