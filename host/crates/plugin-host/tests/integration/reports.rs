//! `model-report` and `analysis` through the whole sandbox, well done and not.

use serde_json::json;
use trellis_model::Text;
use trellis_plugin_host::{CancelFlag, Error, FaultKind, LearnedBy, Plugin, PluginError, PluginHost, Report};

use crate::support::{at, built, fault, hundred, impatient, invalid, load, sin};

fn analyse(plugin: &Plugin, name: &str, said: &str, config: &str) -> Result<Report, Error> {
    let analysis = plugin.analysis().unwrap();
    let answered = analysis.analyse(name, &mut hundred(), said, config, &at(), &CancelFlag::default());
    answered.map(|answered| answered.report)
}

#[test]
fn a_question_is_described_and_answered() {
    let (host, plugin) = load("every-interface");
    let described = plugin.analysis().unwrap().describe("{}").unwrap();
    let [orders, today] = described.as_slice() else { panic!("{described:?}") };
    assert_eq!((orders.name.as_str(), orders.dataset.as_deref()), ("orders", Some("customers")));
    assert_eq!(orders.parameters.with_defaults(json!({})), json!({ "at_least": 1 }));
    assert_eq!((today.dataset.as_deref(), today.label.zh_cn.as_str()), (None, "日期"));
    let answer = analyse(&plugin, "orders", r#"{"at_least":6}"#, "{}").unwrap().to_json();
    // Customers have 1 to 11 orders by turns.
    assert_eq!(answer["panels"][0]["columns"][0]["values"], json!([6, 7, 8, 9, 10, 11]));
    let customers: i64 = answer["panels"][0]["columns"][1]["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| count.as_i64().unwrap())
        .sum();
    assert_eq!(answer["metrics"][0]["value"], json!(customers as f64));
    assert_eq!(answer["panels"][0]["drawing"]["kind"], "bar");
    // What the column is called comes from the stream.
    let called = json!({ "en": "Orders so far", "zh-CN": "至今订单数" });
    assert_eq!(answer["panels"][0]["columns"][0]["label"], called);
    let day = analyse(&plugin, "today", "{}", "{}").unwrap().to_json();
    assert_eq!(day["panels"][0]["columns"][0]["values"], json!(["1997-09-30"]));
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn a_model_is_shown_by_who_learned_it() {
    let (_host, plugin) = load("every-interface");
    let shows = plugin.model_report().unwrap();
    let shown = shows.describe_model(LearnedBy::Scoring, b"four").unwrap();
    assert_eq!((shown.summary.en.as_str(), shown.metrics[0].value), ("Learned by scoring", 4.0));
    let shown = shows.describe_model(LearnedBy::Segmentation, b"").unwrap();
    assert_eq!(shown.summary.zh_cn, "由分群学习");
    let (_host, without) = load("linear");
    assert!(without.model_report().is_none() && without.analysis().is_none());
}

#[test]
fn a_cancelled_answer_ends() {
    let (_host, plugin) = load("every-interface");
    let cancel = CancelFlag::default();
    cancel.cancel();
    let (analysis, said) = (plugin.analysis().unwrap(), r#"{"at_least":1}"#);
    let answered = analysis.analyse("orders", &mut hundred(), said, "{}", &at(), &cancel);
    assert!(matches!(answered, Err(Error::Cancelled { .. })), "{answered:?}");
}

#[test]
fn reports_are_checked() {
    let host = PluginHost::new(impatient()).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    let panel = |what: &str| invalid(&format!("panel `sizes`: {what}"));
    let not_a_name =
        "panel `Not a name!`: its name is not of the form [a-z][a-z0-9_]*, at most 40 characters";
    for (name, expected) in [
        ("report-many-panels", invalid("51 panels, at most 50")),
        ("report-panel-twice", invalid("panel `sizes` is there twice")),
        ("report-bad-name", invalid(not_a_name)),
        ("report-many-columns", panel("51 columns, at most 50")),
        ("report-unequal-columns", panel("column `odd`: 1 rows where the first column has 2")),
        ("report-column-twice", panel("column `size` is there twice")),
        ("report-many-rows", panel("10001 rows, at most 10000")),
        ("report-no-such-column", panel("its picture names `secret`, which is none of its columns")),
        (
            "report-measures-texts",
            panel("its picture measures `name`, which is no column of numbers or amounts"),
        ),
        ("report-nan", panel("column `odd`: row 1 is NaN")),
        ("report-huge-text", panel("column `odd`: texts of 2097152 bytes, at most 1048576")),
        ("report-invalid-utf8", panel("column `name`: text 0 is not UTF-8")),
        ("report-bad-date", panel("column `odd`: row 0 is 2147483647, which is not a date")),
        ("report-long-summary", invalid("its summary has 66560 bytes, at most 65536")),
        ("report-many-cells", invalid("550000 cells, at most 500000")),
        ("report-many-texts", invalid("9000002 bytes of texts, at most 8388608")),
        ("report-tree-circle", panel("its tree has more than 1000 nodes above `a`, or a circle of them")),
        ("report-tree-orphan", panel("its tree has a node below `z`, which is none of its nodes")),
        ("report-other-bar", panel("its picture is of the other kind `bar`, which is a kind of its own")),
        ("report-chinese-too-short", panel("column `name`: 1 texts in Chinese for 2 rows")),
        ("report-chinese-numbers", panel("column `size`: it has texts in Chinese and is no column of texts")),
        ("report-long-label", panel("column `name`: its label has 1025 bytes, at most 1024")),
        ("report-long-unit", panel("column `size`: its unit has 41 characters, at most 40")),
        ("report-many-metrics", invalid("101 metrics, at most 100")),
    ] {
        let error = analyse(&plugin, "sizes", "{}", &sin(name)).unwrap_err();
        assert_eq!(fault(error, "analysis.analyse"), expected, "{name}");
        analyse(&plugin, "sizes", "{}", "{}").expect("the next call works");
    }
    for (name, expected) in [
        ("report-bad-currency", "column `odd`: "),
        ("report-references", "column `odd`: it is neither"),
        ("report-dictionary", "column `odd`: it is neither"),
        ("report-other-no-json", "what it says of its picture is no JSON: "),
    ] {
        let error = analyse(&plugin, "sizes", "{}", &sin(name)).unwrap_err();
        let FaultKind::InvalidResult(reason) = fault(error, "analysis.analyse") else { panic!("{name}") };
        assert!(reason.starts_with(&format!("panel `sizes`: {expected}")), "{name}: {reason}");
    }
    let error = analyse(&plugin, "sizes", "{}", &sin("analyse-loop")).unwrap_err();
    assert_eq!(fault(error, "analysis.analyse"), FaultKind::Timeout { ms: 305 });
    let error = analyse(&plugin, "sizes", "{}", &sin("analyse-open-many")).unwrap_err();
    assert_eq!(fault(error, "analysis.analyse"), FaultKind::TooManyStreams { streams_max: 16 });
    let error = analyse(&plugin, "sizes", "{}", &sin("analyse-trap")).unwrap_err();
    assert!(matches!(fault(error, "analysis.analyse"), FaultKind::Trap(_)));
}

#[test]
fn questions_are_checked() {
    let (_host, plugin) = load("hostile");
    let analysis = plugin.analysis().unwrap();
    for (name, expected) in [
        (
            "analysis-bad-name",
            "analysis `Not a name!` is not of the form [a-z][a-z0-9_]*, at most 40 characters",
        ),
        ("analysis-twice", "analysis `sizes` is there twice"),
        ("analysis-no-dataset", "analysis `sizes`: plugin.toml declares no dataset `secrets`"),
        (
            "analysis-bad-schema",
            "analysis `sizes`: parameters: .$ref: is not a keyword that this host checks",
        ),
    ] {
        let error = analysis.describe(&sin(name)).unwrap_err();
        assert_eq!(fault(error, "analysis.describe"), invalid(expected), "{name}");
    }
    let error = analysis.describe(&sin("analysis-no-json")).unwrap_err();
    let FaultKind::InvalidResult(reason) = fault(error, "analysis.describe") else { panic!("a fault") };
    assert!(reason.starts_with("analysis `sizes`: parameters: no JSON: "), "{reason}");
    assert_eq!(analysis.describe("{}").unwrap().len(), 1);
}

#[test]
fn shown_models_are_checked() {
    let host = PluginHost::new(impatient()).unwrap();
    let plugin = host.load(&built("hostile")).unwrap();
    let shows = plugin.model_report().unwrap();
    let show = |sin: &str| shows.describe_model(LearnedBy::Segmentation, sin.as_bytes());
    let error = show("shown-nan").unwrap_err();
    assert_eq!(fault(error, "model-report.describe-model"), invalid("metric `bytes` is NaN"));
    let error = show("shown-loop").unwrap_err();
    assert_eq!(fault(error, "model-report.describe-model"), FaultKind::Timeout { ms: 300 });
    let error = show("shown-unreadable").unwrap_err();
    let Error::Plugin { error, .. } = error else { panic!("{error}") };
    assert_eq!(error, PluginError::UnreadableModel(Box::new(Text::new("of another age", ""))));
    assert_eq!(show("none").unwrap().summary.en, "segmentation");
}
