//! Golden cases of each interface, good and bad.

use serde_json::{Value as Json, json};
use trellis_plugin_kit::golden::{self, Cases, Limits, Outcome, Report, run_carried};

use crate::support::{built, host, plugin, section, with_section};

fn run(name: &str, cases: &[Json]) -> Report {
    let plugin = plugin(name);
    let cases = Cases::parse(&section(cases), plugin.manifest(), 100).unwrap();
    golden::run(&plugin, &cases, &Limits::default())
}

#[track_caller]
fn all_pass(name: &str, cases: &[Json]) {
    let report = run(name, cases);
    let problems: Vec<_> = report.cases.iter().map(|case| (&case.name, case.outcome.texts())).collect();
    assert!(report.passed(), "{problems:#?}");
    assert_eq!(report.passed_count(), cases.len());
}

/// Expects that the only case has these problems, in English.
#[track_caller]
fn problems(name: &str, case: Json, expected: &[&str]) {
    let report = run(name, &[case]);
    let found: Vec<_> = report.cases[0].outcome.texts().into_iter().map(|text| text.en).collect();
    assert_eq!(found, expected);
    assert!(!report.passed());
}

#[test]
fn each_function_of_every_interface_can_be_tried() {
    let of = |interface: &str, function: &str, rest: Json, expect: Json| {
        let mut case = json!({"interface": interface, "function": function, "expect": expect});
        case.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        case
    };
    let rows = || json!({"rows": [{"orders": 0}, {"orders": 4}]});
    let members = || json!({"rows": [{"orders": 1, "status": "planned", "variant": "all"}, {"orders": 2}]});
    let item = || json!({"item": {"fields": {"account": "01926b5e-0000-7000-8000-000000000009"}}});
    let decided = json!({"actions": [], "reasons": []});
    let asked = json!({
        "item": item()["item"],
        "lookups": {"case": [{}, {}]},
    });
    all_pass(
        "every-interface",
        &[
            of(
                "segmentation",
                "describe",
                json!({}),
                json!([{"name": "buys", "values": [{"name": "no"}, {}]}]),
            ),
            of("segmentation", "fit", rows(), json!({"bytes": 0})),
            of("segmentation", "assign", rows(), json!([{"buys": "no"}, {"buys": "yes"}])),
            of("segmentation", "explain", rows(), json!([[], []])),
            of("scoring", "describe", json!({}), json!([{"label": {"zh-CN": "订单数"}, "maximum": 1e6}])),
            of("scoring", "fit", rows(), json!({"metrics": []})),
            of("scoring", "score", rows(), json!([{"orders": 0}, {"orders": 4.000_000_000_1}])),
            of("scoring", "explain", rows(), json!([[], []])),
            of("scoring", "rules", json!({"model": ""}), json!({})),
            of("campaign-rules", "eligible", rows(), json!([{"eligible": true}, {"eligible": true}])),
            of("campaign-rules", "assign-variant", rows(), json!(["all", "all"])),
            of(
                "campaign-rules",
                "next-action",
                members(),
                json!([{"actions": [{"kind": "create-task"}]}, null]),
            ),
            of("campaign-rules", "explain", rows(), json!([[], []])),
            of("campaign-rules", "evaluate", members(), json!({"metrics": [{"value": 2}, {}]})),
            of("service-workflow", "triage", item(), decided.clone()),
            of(
                "service-workflow",
                "triage",
                asked,
                json!({"actions": [{"kind": "set-fields", "fields": {"priority": "urgent"}}], "reasons": [{}]}),
            ),
            of("service-workflow", "on-event", json!({"item": {}, "event": {"timer": "remind"}}), decided),
            of("service-workflow", "suggest", item(), json!([])),
            of("service-workflow", "close-check", item(), json!([])),
            of(
                "record-hook",
                "before-save",
                json!({"changes": [
                    {"after": {"fields": {"subject": ""}}},
                    {"after": {"fields": {"subject": " late "}}, "before": {"subject": "late"}},
                    {"after": {"object": "case"}},
                ]}),
                json!([
                    {"verdict": "veto", "code": "no-subject", "field": "subject"},
                    {"verdict": "patch", "fields": {"subject": "late"}},
                    {"verdict": "accept"},
                ]),
            ),
        ],
    );
}

#[test]
fn rows_may_be_columns_with_types_nulls_and_ordinals() {
    let case = |rows: Json, expect: Json| {
        json!({
            "interface": "segmentation", "function": "assign", "rows": rows, "expect": expect,
            "context": {"as_of": "1997-09-30", "base_currency": "USD"},
        })
    };
    let columns = json!({
        "ordinal": [2, 5],
        "last_order": ["1997-09-01", null],
        "orders": [9, 0],
        "spent": ["1200.00", null],
    });
    let row =
        json!([{"last_order": "1997-09-01", "orders": 9, "spent": {"amount": "1200.00", "currency": "USD"}}]);
    all_pass("retail-rfm", &[case(columns, json!([{}, {"class": null}])), case(row, json!([{}]))]);
}

#[test]
fn what_differs_is_said_exactly() {
    let case = json!({
        "title": "two customers",
        "interface": "scoring", "function": "score",
        "rows": [{"orders": 1}, {"orders": 2}],
        "expect": [{"orders": 1}, {"orders": 3}],
    });
    problems("every-interface", case.clone(), &["[1].orders: expected 3, found 2.0"]);
    let report = run("every-interface", &[case]);
    assert_eq!(report.cases[0].title, "two customers");
    assert_eq!(report.summary().zh_cn, "1 个标准用例中有 0 个通过");
    let json = report.to_json();
    assert_eq!(json["cases"][0]["problems"][0]["zh-CN"], "[1].orders：应为 3，实际为 2.0");
}

#[test]
fn a_case_that_says_nothing_usable_is_named_and_the_others_run() {
    let good = json!({"interface": "scoring", "function": "rules", "model": "", "expect": {}});
    let with = |key: &str, value: Json| {
        let mut case =
            json!({"interface": "scoring", "function": "score", "rows": [{"orders": 1}], "expect": []});
        case[key] = value;
        case
    };
    let check = |case: Json, place: &str, reason: &str| {
        let report = run("every-interface", &[case, good.clone()]);
        assert_eq!(report.cases[1].outcome, Outcome::Passed);
        let texts = report.cases[0].outcome.texts();
        assert!(
            matches!(&report.cases[0].outcome, Outcome::Unusable(text) if text.en.contains(place) && text.en.contains(reason)),
            "{texts:?}"
        );
    };
    check(with("interface", json!("weather")), "interface", "the plugin provides segmentation, scoring");
    check(
        with("function", json!("assign")),
        "function",
        "`assign` is none of describe, fit, score, explain, rules",
    );
    check(with("rows", json!([{"order": 1}])), "rows[0].order", "plugin.toml declares no such column");
    check(with("rows", json!([{"orders": "x"}])), "rows[0].orders", "is not a whole number (type integer)");
    check(with("rows", json!([{"ordinal": 2}, {"ordinal": 2}])), "rows[1].ordinal", "ordinals ascend");
    check(
        with("rows", json!({"orders": [1], "ordinal": [1, 2]})),
        "rows.",
        "columns are lists of one length",
    );
    check(with("config", json!({"x": 1})), "config", "the host would refuse it: setting `x`: is unknown");
    check(with("context", json!({"as_of": "today"})), "context.as_of", "`today` is no date");
    check(
        with("types", json!({"orders": "whole"})),
        "types.orders",
        "`whole` is none of the types text, number",
    );
    check(with("tolerance", json!(-1)), "tolerance", "-1 is no share");
    check(with("item", json!({})), "item", "`scoring.score` takes rows, fit, model");
    check(with("expected", json!([])), "its keys", "unknown field `expected`");
    let mut both = with("model", json!(""));
    both["fit"] = json!([]);
    check(both, "model", "there is `fit` too");
}

#[test]
fn a_plugins_own_error_may_be_the_expected_answer() {
    let case = |expect: Json| json!({"interface": "scoring", "function": "score", "model": "not a model", "rows": [], "expect": expect});
    all_pass("value-pyramid", &[case(json!({"error": {"kind": "unreadable-model"}}))]);
    problems(
        "value-pyramid",
        case(json!({"error": {"kind": "denied"}})),
        &["error.kind: expected \"denied\", found \"unreadable-model\""],
    );
    let report = run("value-pyramid", &[case(json!([]))]);
    assert!(
        matches!(&report.cases[0].outcome, Outcome::Failed(text) if text.en.contains("unreadable model"))
    );
    let answered = json!({
        "interface": "scoring", "function": "describe", "expect": {"error": {"kind": "invalid-config"}},
    });
    let report = run("every-interface", &[answered]);
    assert!(
        matches!(&report.cases[0].outcome, Outcome::Differs(found) if found[0].expected.contains("invalid-config"))
    );
}

#[test]
fn a_fault_is_told_and_the_next_case_runs() {
    let case = |sin: &str| json!({"interface": "scoring", "function": "score", "model": sin, "rows": [{}], "expect": []});
    let report = run("hostile", &[case("score-nan"), case("none")]);
    assert!(
        matches!(&report.cases[0].outcome, Outcome::Failed(text) if text.en.contains("is NaN")),
        "{report:?}"
    );
    assert!(!matches!(report.cases[1].outcome, Outcome::NotRun | Outcome::Unusable(_)), "{report:?}");
}

#[test]
fn limits_end_it() {
    let case = json!({"interface": "scoring", "function": "rules", "model": "", "expect": {}});
    let wasm = with_section(built("every-interface"), "trellis:tests", &section(&[case.clone(), case]));
    let plugin = host().load(&wasm).unwrap();
    assert!(run_carried(&plugin, &Limits::default()).unwrap().passed());
    let error = run_carried(&plugin, &Limits { cases_max: 1, ..Limits::default() }).unwrap_err();
    assert_eq!(error.text().zh_cn, "标准用例有 2 个，最多 1 个");
    let report = run_carried(&plugin, &Limits { time_ms_max: 0, ..Limits::default() }).unwrap();
    assert!(report.cases.iter().all(|case| case.outcome == Outcome::NotRun));
    assert!(!report.passed());
}

#[test]
fn what_carries_no_cases_passes_and_says_so() {
    let plugin = plugin("every-interface");
    let report = run_carried(&plugin, &Limits::default()).unwrap();
    assert!(report.passed() && report.cases.is_empty());
    assert_eq!(report.summary().en, "the plugin carries no golden cases");
    let plugin = host().load(&with_section(built("every-interface"), "trellis:tests", "[]")).unwrap();
    let error = run_carried(&plugin, &Limits::default()).unwrap_err();
    assert!(error.to_string().starts_with("golden cases cannot be read: "), "{error}");
}

#[test]
fn a_case_gives_the_columns_of_its_configuration_and_further_datasets() {
    let case = |more: Json| {
        let mut case = json!({
            "interface": "scoring", "function": "fit",
            "config": {"features": ["city"], "target": "employees"},
            "types": {"features.city": "choice", "order": "choice", "product": "choice", "customer": "reference"},
            "rows": [{"orders": 1, "features.city": "Berlin", "target": 3}],
            "datasets": {"lines": [
                {"customer": 1, "order": "a", "product": "Bread", "ordered_on": "1970-01-06"},
                {"product": "Milk"},
            ]},
            "expect": {"summary": {"en": "1 customers; features.city dictionary, target int64; 2 lines: 0:1:ordered:Bread:5, 1:-:-:Milk:-"}},
        });
        case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        case
    };
    let empty = json!({"datasets": {}, "expect": {"summary": {"en": {"contains": "0 lines"}}}});
    all_pass("baskets", &[case(json!({})), case(empty)]);
    let wrong = |more: Json, expected: &str| {
        let report = run("baskets", &[case(more)]);
        let texts: Vec<_> = report.cases[0].outcome.texts().into_iter().map(|text| text.en).collect();
        assert!(texts.iter().any(|text| text.contains(expected)), "{texts:?}");
    };
    wrong(json!({"datasets": {"carts": []}}), "declares no dataset of kind `rows` of that name");
    wrong(json!({"datasets": {"customers": []}}), "declares no dataset of kind `rows` of that name");
    wrong(json!({"datasets": {"lines": [{"colour": 1}]}}), "declares no such column");
    wrong(json!({"rows": [{"features.age": 1}]}), "declares no such column");
    wrong(json!({"function": "describe", "rows": null}), "`scoring.describe` takes nothing");
}
