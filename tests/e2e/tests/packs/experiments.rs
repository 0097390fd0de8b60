//! Textbook tests and a real e-mail test: what the server answers is what independent programs computed.

use serde_json::{Value as Json, json};

use crate::support::{World, close, column, expected, metric, table};

const DAY: &str = "2026-06-30";

/// Columns of the panels of comparisons, and what the reference calls them.
const FIGURES: [(&str, &str); 14] = [
    ("difference", "diff"),
    ("relative_lift", "relative_lift"),
    ("z_pooled", "z_pooled"),
    ("p_pooled", "p_two_sided"),
    ("z_unpooled", "z_unpooled"),
    ("p_unpooled", "p_unpooled"),
    ("chi_square", "chi2"),
    ("yates", "chi2_yates"),
    ("yates_p", "chi2_yates_p"),
    ("g", "g_test"),
    ("fisher_p", "fisher_p_two_sided"),
    ("odds_ratio", "odds_ratio"),
    ("relative_risk", "relative_risk"),
    ("cohens_h", "cohens_h"),
];

fn check_row(report: &Json, panel: &str, row: usize, case: &Json) {
    for (name, key) in FIGURES {
        if let Some(expected) = case[key].as_f64() {
            let found = column(report, panel, name)[row].as_f64().expect("a number");
            close(found, expected, 1e-6, 0.0, &format!("{name} of {}", case["name"]));
        }
    }
}

#[test]
fn entered_counts_are_compared_as_in_textbooks() {
    let Some(expected) = expected("ab_tests") else { return };
    let world = World::new();
    world.enable("ab-test", DAY, &json!({}));
    for case in expected["two_proportions"].as_array().unwrap() {
        let group = |side: &str| json!({ "name": side, "n": case[side]["n"], "x": case[side]["x"] });
        let report = world.analyse("ab-test", "compare", &json!({ "groups": [group("a"), group("b")] }));
        check_row(&report, "comparisons", 0, case);
        if let Some(better) = case["prob_b_better_beta11"].as_f64() {
            close(
                column(&report, "comparisons", "better")[0].as_f64().unwrap(),
                better,
                1e-6,
                0.0,
                "probability",
            );
        }
    }
    for case in expected["sample_sizes"].as_array().unwrap() {
        let effect = case["p2"].as_f64().unwrap() - case["p1"].as_f64().unwrap();
        let asked = json!({ "baseline": case["p1"], "effect": effect, "alpha": case["alpha"], "power": case["power"], "sides": case["sides"] });
        let report = world.analyse("ab-test", "sample_size", &asked);
        let wanted = case["n_per_group"]["pooled_formula"].as_f64().unwrap();
        close(metric(&report, "pooled"), wanted, 1e-6, 0.0, "sample size");
    }
}

#[test]
fn an_email_test_of_customers_comes_out_as_expected() {
    let (Some(customers), Some(expected)) =
        (table("hillstrom/hillstrom_even_rows.csv", b','), expected("hillstrom"))
    else {
        return;
    };
    let world = World::new();
    let fields = world.import_accounts(&customers, "mail");
    let outcomes = ["visit", "conversion", "spend"];
    let config = json!({
        "group": fields["treatment"],
        "outcomes": outcomes.map(|outcome| &fields[outcome]),
        "subgroups": [&fields["channel"]],
    });
    world.enable("ab-test", DAY, &config);
    let report = world.analyse("ab-test", "experiment", &json!({ "control": "No E-Mail" }));
    let labels = |panel: &str, name: &str| column(&report, panel, name);
    let outcome_of =
        |field: &Json| outcomes.into_iter().find(|outcome| *field == json!(fields[*outcome])).unwrap();
    let (field, first, second) =
        (labels("rates", "outcome"), labels("rates", "first"), labels("rates", "second"));
    for row in 0..field.len() {
        let outcome = outcome_of(&field[row]);
        let case = if first[row] == "No E-Mail" {
            &expected["vs_no_mail"][second[row].as_str().unwrap()][outcome]
        } else {
            &expected["mens_vs_womens"][outcome]
        };
        if !case.is_null() {
            check_row(&report, "rates", row, case);
        }
    }
    for (row, second) in labels("means", "second")
        .iter()
        .enumerate()
        .filter(|(row, _)| labels("means", "first")[*row] == "No E-Mail")
    {
        let case = &expected["vs_no_mail"][second.as_str().unwrap()]["spend"];
        for (name, key) in
            [("welch_t", "welch_t"), ("welch_p", "welch_p"), ("mann_whitney_u", "mann_whitney_u_b")]
        {
            let found = labels("means", name)[row].as_f64().unwrap();
            close(found, case[key].as_f64().unwrap(), 1e-6, 0.0, key);
        }
    }
    for (row, wanted) in expected["multiple"]["holm"].as_array().unwrap().iter().enumerate() {
        close(
            labels("corrected", "holm")[row].as_f64().unwrap(),
            wanted.as_f64().unwrap(),
            1e-6,
            0.0,
            "Holm",
        );
    }
}
