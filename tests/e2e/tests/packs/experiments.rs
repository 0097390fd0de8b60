//! Textbook tests and a real e-mail test: what the server answers is what independent programs computed.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::support::{World, close, column, expected, metric, table};

const DAY: &str = "2026-06-30";
/// The columns of the e-mail test whose values are looked at one by one.
const SUBGROUPS: [&str; 7] =
    ["newbie", "mens", "womens", "recency", "channel", "zip_code", "history_segment"];

/// Columns of the panels of comparisons, and where the reference has them.
const FIGURES: [(&str, &str); 23] = [
    ("difference", "/diff"),
    ("relative_lift", "/relative_lift"),
    ("z_pooled", "/z_pooled"),
    ("p_pooled", "/p_two_sided"),
    ("p_greater", "/p_one_sided_b_greater"),
    ("z_unpooled", "/z_unpooled"),
    ("p_unpooled", "/p_unpooled"),
    ("wald_low", "/wald95_diff/0"),
    ("wald_high", "/wald95_diff/1"),
    ("newcombe_low", "/newcombe95_diff/0"),
    ("newcombe_high", "/newcombe95_diff/1"),
    ("chi_square", "/chi2"),
    ("chi_square_p", "/chi2_p"),
    ("yates", "/chi2_yates"),
    ("yates_p", "/chi2_yates_p"),
    ("g", "/g_test"),
    ("g_p", "/g_test_p"),
    ("fisher_p", "/fisher_p_two_sided"),
    ("odds_ratio", "/odds_ratio"),
    ("relative_risk", "/relative_risk"),
    ("relative_risk_low", "/rr_ci95/0"),
    ("relative_risk_high", "/rr_ci95/1"),
    ("cohens_h", "/cohens_h"),
];

/// Figures of two means, and where the reference has them.
const MEANS: [(&str, &str); 7] = [
    ("welch_t", "/welch_t"),
    ("welch_freedom", "/welch_df"),
    ("welch_p", "/welch_p"),
    ("student_t", "/student_t"),
    ("student_p", "/student_p"),
    ("mann_whitney_u", "/mann_whitney_u_b"),
    ("mann_whitney_p", "/mann_whitney_p_asymptotic_tie_and_continuity_corrected"),
];

#[track_caller]
fn same(found: f64, expected: &Json, what: &str) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: the reference has no number"));
    close(found, expected, 1e-6, 0.0, what);
}

fn numbers(report: &Json, panel: &str, name: &str) -> Vec<f64> {
    column(report, panel, name).iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Every figure of two proportions but those that the reference leaves out; returns how many there were.
fn check_row(report: &Json, panel: &str, row: usize, case: &Json) -> usize {
    let present = FIGURES.iter().filter(|(_, key)| case.pointer(key).is_some_and(|value| !value.is_null()));
    present
        .map(|(name, key)| {
            let what = format!("{name} of {}", case["name"]);
            same(numbers(report, panel, name)[row], case.pointer(key).unwrap(), &what);
        })
        .count()
}

#[test]
fn entered_counts_are_compared_as_in_textbooks() {
    let Some(expected) = expected("ab_tests") else { return };
    let world = World::new();
    world.enable("ab-test", DAY, &json!({}));
    let mut compared = 0;
    for case in expected["two_proportions"].as_array().unwrap() {
        let group = |side: &str| json!({ "name": side, "n": case[side]["n"], "x": case[side]["x"] });
        let report = world.analyse("ab-test", "compare", &json!({ "groups": [group("a"), group("b")] }));
        compared += check_row(&report, "comparisons", 0, case);
        for (row, side) in ["a", "b"].into_iter().enumerate() {
            same(numbers(&report, "groups", "rate")[row], &case[side]["rate"], "rate");
            for (end, name) in ["low", "high"].into_iter().enumerate() {
                same(numbers(&report, "groups", name)[row], &case[side]["wilson95"][end], name);
            }
        }
        if !case["prob_b_better_beta11"].is_null() {
            same(numbers(&report, "comparisons", "better")[0], &case["prob_b_better_beta11"], "better");
            compared += 1;
        }
    }
    // One case has 400,000 people: no exact test of it, and no probability, in the reference.
    assert_eq!(compared, 6 * (FIGURES.len() + 1) - 2, "every figure of every case");
    check_sizes(&world, &expected);
    check_tables(&world, &expected);
}

fn check_sizes(world: &World, expected: &Json) {
    for case in expected["sample_sizes"].as_array().unwrap() {
        let effect = case["p2"].as_f64().unwrap() - case["p1"].as_f64().unwrap();
        let asked = json!({ "baseline": case["p1"], "effect": effect, "alpha": case["alpha"], "power": case["power"], "sides": case["sides"] });
        let report = world.analyse("ab-test", "sample_size", &asked);
        for (name, key) in [
            ("pooled", "pooled_formula"),
            ("unpooled", "unpooled_formula"),
            ("arcsine", "arcsine_cohen_h"),
            ("baseline_variance", "baseline_variance_formula"),
            ("with_continuity", "pooled_with_continuity_correction"),
        ] {
            same(metric(&report, name), &case["n_per_group"][key], &format!("{name} of {case}"));
        }
    }
    let asked = json!({ "baseline": 0.5, "effect": 0.25, "power": 0.9, "members": 50 });
    let report = world.analyse("ab-test", "sample_size", &asked);
    same(metric(&report, "power_at_members"), &expected["power_at_n"]["r_power_prop_test"], "power");
    let published = &expected["r_power_prop_test_n"];
    same(metric(&report, "pooled"), &published["p1=.50,p2=.75,power=.90"], "as R");
    let asked = json!({ "baseline": 0.05, "effect": 0.01, "power": 0.8 });
    let report = world.analyse("ab-test", "sample_size", &asked);
    same(metric(&report, "pooled"), &published["p1=.05,p2=.06,power=.80"], "as R");
    let means = &expected["mean_sample_size"];
    let asked = json!({ "delta": means["delta"], "deviation": means["sd"], "power": means["power"] });
    let report = world.analyse("ab-test", "sample_size_means", &asked);
    same(metric(&report, "student"), &means["statsmodels"], "t-test");
    same(metric(&report, "normal"), &means["normal_approx"], "normal approximation");
}

fn check_tables(world: &World, expected: &Json) {
    for case in expected["tables"].as_array().unwrap() {
        let report = world.analyse("ab-test", "table", &json!({ "table": case["table"] }));
        for (name, key) in
            [("chi_square", "chi2"), ("freedom", "dof"), ("p", "p"), ("cramers_v", "cramers_v")]
        {
            same(metric(&report, name), &case[key], &format!("{name} of {}", case["name"]));
        }
    }
    // The lady who tells whether tea or milk came first: three of four cups, and one.
    let cups = json!({ "groups": [{ "name": "milk", "n": 4, "x": 3 }, { "name": "tea", "n": 4, "x": 1 }] });
    let tea = world.analyse("ab-test", "compare", &cups);
    same(numbers(&tea, "comparisons", "fisher_p")[0], &expected["fisher"][0]["p_two_sided"], "tea");
    for case in expected["srm"].as_array().unwrap() {
        let group = |n: &Json| json!({ "name": "g", "n": n, "weight": 1 });
        let groups: Vec<Json> = case["observed"].as_array().unwrap().iter().map(group).collect();
        let report = world.analyse("ab-test", "split_check", &json!({ "groups": groups }));
        same(metric(&report, "chi_square"), &case["chi2"], "split");
        same(metric(&report, "p"), &case["p"], "split");
        let is_alarm = report["summary"]["en"].as_str().unwrap().contains("more than chance");
        assert_eq!(is_alarm, case["alarm_at_0_01"].as_bool().unwrap(), "{}", case["name"]);
        for (row, wanted) in case["expected"].as_array().unwrap().iter().enumerate() {
            same(numbers(&report, "split", "expected")[row], wanted, "expected");
        }
    }
    let report = world.analyse("ab-test", "adjust", &json!({ "p": expected["multiple"]["p"] }));
    check_corrections(&report, "p", &expected["multiple"]);
    // The extra hours of sleep that Student published in 1908.
    let asked = json!({
        "first": { "values": [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0] },
        "second": { "values": [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4] },
    });
    let report = world.analyse("ab-test", "compare_means", &asked);
    let ends = [("welch_low", "/welch_ci95_diff/0"), ("welch_high", "/welch_ci95_diff/1")];
    for (name, key) in MEANS.into_iter().chain(ends) {
        same(metric(&report, name), expected["sleep"].pointer(key).unwrap(), name);
    }
}

fn check_corrections(report: &Json, panel: &str, expected: &Json) {
    for method in ["p", "bonferroni", "holm", "benjamini_hochberg"] {
        let (found, wanted) = (numbers(report, panel, method), expected[method].as_array().unwrap());
        assert_eq!(found.len(), wanted.len(), "{method}");
        found.iter().zip(wanted).for_each(|(found, wanted)| same(*found, wanted, method));
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
        "subgroups": SUBGROUPS.map(|name| &fields[name]),
    });
    world.enable("ab-test", DAY, &config);
    let report = world.analyse("ab-test", "experiment", &json!({ "control": "No E-Mail" }));
    // What the file calls the column of a field.
    let columns: BTreeMap<&str, &str> =
        fields.iter().map(|(column, field)| (field.as_str(), column.as_str())).collect();
    let names = |panel: &str, name: &str| -> Vec<String> {
        let texts = column(&report, panel, name);
        texts.iter().map(|text| text.as_str().or(text["en"].as_str()).unwrap().to_owned()).collect()
    };
    let named = |panel: &str, name: &str| -> Vec<&str> {
        names(panel, name).iter().map(|field| columns[field.as_str()]).collect()
    };
    check_arms(&report, &named("outcomes", "outcome"), &names("outcomes", "group"), &expected);
    let (outcome, first, second) =
        (named("rates", "outcome"), names("rates", "first"), names("rates", "second"));
    let mut compared = 0;
    for row in 0..outcome.len() {
        let case = match first[row].as_str() {
            "No E-Mail" => &expected["vs_no_mail"][&second[row]][outcome[row]],
            _ => &expected["mens_vs_womens"][outcome[row]],
        };
        if !case.is_null() {
            compared += check_row(&report, "rates", row, case);
        }
    }
    assert_eq!(
        compared,
        5 * FIGURES.len(),
        "two outcomes of two mails, and the visits of one against the other"
    );
    let (first, second) = (names("means", "first"), names("means", "second"));
    let mut compared = 0;
    for row in (0..first.len()).filter(|row| first[*row] == "No E-Mail") {
        let case = &expected["vs_no_mail"][&second[row]]["spend"];
        for (name, key) in
            MEANS.into_iter().chain([("low", "/welch_ci95_diff/0"), ("high", "/welch_ci95_diff/1")])
        {
            same(numbers(&report, "means", name)[row], case.pointer(key).unwrap(), name);
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * 9);
    for (name, key) in [("chi_square", "chi2"), ("freedom", "dof"), ("p", "p"), ("cramers_v", "cramers_v")] {
        same(numbers(&report, "all_groups", name)[0], &expected["three_arm_visit"][key], key);
    }
    check_corrections(&report, "corrected", &expected["multiple"]);
    let uplift = (named("uplift", "field"), names("uplift", "value"), names("uplift", "group"));
    let gained = numbers(&report, "uplift", "uplift");
    let mut compared = 0;
    for (row, _) in named("uplift", "outcome").iter().enumerate().filter(|(_, outcome)| **outcome == "visit")
    {
        let of_field = &expected["visit_uplift_by_subgroup"][uplift.0[row]];
        let wanted = &of_field[&uplift.1[row]][&uplift.2[row]];
        if !wanted.is_null() {
            same(gained[row], wanted, uplift.0[row]);
            compared += 1;
        }
    }
    assert_eq!(compared, 38, "every uplift of the reference");
    let (field, value, outcome) =
        (named("subgroups", "field"), names("subgroups", "value"), named("subgroups", "outcome"));
    let means = numbers(&report, "subgroups", "mean");
    let mut compared = 0;
    for row in 0..field.len() {
        let rates = match (field[row], outcome[row]) {
            ("recency", "visit") => &expected["rfm_like"]["visit_rate_by_recency"],
            ("history_segment", "spend") => &expected["rfm_like"]["mean_spend_by_history_segment"],
            _ => continue,
        };
        same(means[row], &rates[&value[row]], field[row]);
        compared += 1;
    }
    assert_eq!(compared, 12 + 7);
}

/// Members, sums and means of each outcome of each group.
fn check_arms(report: &Json, outcomes: &[&str], groups: &[String], expected: &Json) {
    assert_eq!(outcomes.len(), 3 * 3);
    for (row, (outcome, group)) in outcomes.iter().zip(groups).enumerate() {
        let arm = &expected["arms"][group];
        let (sum, mean) = match *outcome {
            "visit" => (&arm["visits"], &arm["visit_rate"]),
            "conversion" => (&arm["conversions"], &arm["conversion_rate"]),
            _ => (&arm["spend"], &arm["spend_per_customer"]),
        };
        for (name, wanted) in [("members", &arm["n"]), ("sum", sum), ("mean", mean)] {
            same(numbers(report, "outcomes", name)[row], wanted, &format!("{name} of {outcome}, {group}"));
        }
    }
}
