//! Laws, broken by guests that are made for it. `owed.rs` has those that keep them.

use serde_json::json;
use trellis_plugin_kit::golden::Cases;
use trellis_plugin_kit::laws::{FieldTypes, Law, LawOutcome, LawReport, Options, check};

use crate::support::{plugin, section};

const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../records/definitions");

/// The types of the standard objects.
pub(crate) fn types() -> FieldTypes {
    let mut types = FieldTypes::default();
    for file in std::fs::read_dir(DEFINITIONS).unwrap() {
        types.add_toml(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
    }
    types
}

fn tried(name: &str, cases: &[serde_json::Value], options: &Options) -> Vec<LawReport> {
    let plugin = plugin(name);
    let cases = Cases::parse(&section(cases), plugin.manifest(), 100).unwrap();
    check(&plugin, &cases, &types(), options)
}

/// Counts of orders are numbers of any size, and its score says that it ends at a million.
#[test]
fn what_breaks_a_law_is_cut_down_to_a_row_that_can_be_read() {
    let reports = tried("every-interface", &[], &Options::default());
    let broken: Vec<_> = reports.iter().filter(|report| !report.passed()).collect();
    let [report] = broken.as_slice() else { panic!("{broken:#?}") };
    assert_eq!((report.law, report.function.to_string().as_str()), (Law::NoFault, "scoring.score"));
    let LawOutcome::Broken(broken) = &report.outcome else { panic!("{report:?}") };
    assert!(broken.what.en.contains("outside 0 to 1000000"), "{broken:?}");
    let [row] = broken.rows.as_slice() else { panic!("{broken:?}") };
    assert!(row["orders"].as_u64().unwrap() > 1_000_000, "{row}");
    assert_eq!(report.to_json()["seed"], 1);
    let again = tried("every-interface", &[], &Options::default());
    assert_eq!(again, reports, "the same seed tries the same data");
}

#[test]
fn laws_are_tried_with_the_configuration_of_the_first_case() {
    let case = |sin: &str| json!({"interface": "scoring", "function": "describe", "config": {"sin": sin}, "expect": []});
    let reports = tried("hostile", &[case("none")], &Options::default());
    assert!(
        reports.iter().all(|report| report.function.name != "describe" || report.passed()),
        "{reports:#?}"
    );
    let reports = tried("hostile", &[case("score-nan")], &Options::default());
    let mut faults = reports.iter().filter(|report| report.law == Law::NoFault && !report.passed());
    assert!(faults.any(|report| report.function.to_string() == "scoring.score"), "{reports:#?}");
}

#[test]
fn laws_make_up_further_datasets_and_columns_that_a_configuration_names() {
    let case = json!({
        "interface": "scoring", "function": "fit",
        "config": {"features": ["industry", "employees"]},
        "types": {"features.industry": "choice", "features.employees": "integer", "order": "choice", "product": "choice", "customer": "reference", "ordered_on": "date"},
        "rows": [{"orders": 1, "features.industry": "Retail", "features.employees": 3}],
        "datasets": {"lines": [{"customer": 1, "order": "a", "product": "Bread", "ordered_on": "2026-01-06"}]},
        "expect": {},
    });
    let reports = tried("baskets", &[case], &Options::default());
    let is_tried = |function: &str| reports.iter().any(|report| report.function.to_string() == function);
    assert!(is_tried("scoring.fit") && is_tried("scoring.score"), "{reports:#?}");
    assert!(reports.iter().all(LawReport::passed), "{reports:#?}");
}
