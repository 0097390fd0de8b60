//! The plugin against reference results, where they are at hand: see `folder`.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic and say that it is skipped"
)]

use std::path::{Path, PathBuf};

use ab_test::means::{Sample, compare_means};
use ab_test::proportions::{Group, compare};
use ab_test::{AbTest, Config, bayes};
use serde_json::{Value, json};
use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::testing::{BatchBuilder, context, split, stream};
use trellis_sdk::{Analysis, Panel, Report, RowStream};

/// The folder of a reference set, in `TRELLIS_REFERENCE_DATA` or in the folder `data` beside the project.
fn folder(set: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("TRELLIS_REFERENCE_DATA").map_or_else(beside, PathBuf::from).join(set);
    if !folder.is_dir() {
        eprintln!("skipped: no reference data in {}", folder.display());
        return None;
    }
    Some(folder)
}

fn expected(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap()
}

/// 1e-6 of the value, the tolerance of the reference data; what is 0 to it is 0 here too.
#[track_caller]
fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: nothing to compare with"));
    assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{what}: {found:e}, not {expected:e}");
}

fn ask(name: &str, rows: &mut RowStream<'_>, parameters: &Value, config: &Config) -> Report {
    AbTest::analyse(name, rows, &parameters.to_string(), config, &context()).unwrap()
}

fn entered(name: &str, parameters: &Value) -> Report {
    ask(name, &mut stream([]), parameters, &Config::default())
}

fn find<'a>(report: &'a Report, name: &str) -> &'a Panel {
    report
        .panels
        .iter()
        .find(|panel| panel.name == name)
        .unwrap_or_else(|| panic!("there is no panel `{name}`"))
}

fn numbers(panel: &Panel, name: &str) -> Vec<Option<f64>> {
    let column = panel.columns.iter().find(|column| column.values.name == name);
    let column = &column.unwrap_or_else(|| panic!("there is no column `{name}`")).values;
    let has = |row: usize| column.valid.is_empty() || column.valid[row / 8] >> (row % 8) & 1 == 1;
    let plain: Vec<f64> = match &column.data {
        ColumnData::Float64(values) => values.clone(),
        ColumnData::Int64(values) => values.iter().map(|value| *value as f64).collect(),
        _ => panic!("`{name}` is no column of numbers"),
    };
    plain.into_iter().enumerate().map(|(row, value)| has(row).then_some(value)).collect()
}

fn texts(panel: &Panel, name: &str) -> Vec<String> {
    let column = panel.columns.iter().find(|column| column.values.name == name).unwrap();
    let ColumnData::Text(texts) = &column.values.data else { panic!("`{name}` is no column of texts") };
    let ends = texts.offsets.windows(2);
    ends.map(|ends| String::from_utf8(texts.bytes[ends[0] as usize..ends[1] as usize].to_vec()).unwrap())
        .collect()
}

/// The row of a panel of comparisons against what the reference says of two proportions.
fn check_comparison(panel: &Panel, row: usize, case: &Value) {
    let name = &case["name"];
    for (column, expected) in [
        ("difference", &case["diff"]),
        ("relative_lift", &case["relative_lift"]),
        ("z_pooled", &case["z_pooled"]),
        ("p_pooled", &case["p_two_sided"]),
        ("p_greater", &case["p_one_sided_b_greater"]),
        ("z_unpooled", &case["z_unpooled"]),
        ("p_unpooled", &case["p_unpooled"]),
        ("wald_low", &case["wald95_diff"][0]),
        ("wald_high", &case["wald95_diff"][1]),
        ("newcombe_low", &case["newcombe95_diff"][0]),
        ("newcombe_high", &case["newcombe95_diff"][1]),
        ("chi_square", &case["chi2"]),
        ("chi_square_p", &case["chi2_p"]),
        ("yates", &case["chi2_yates"]),
        ("yates_p", &case["chi2_yates_p"]),
        ("g", &case["g_test"]),
        ("g_p", &case["g_test_p"]),
        ("fisher_p", &case["fisher_p_two_sided"]),
        ("odds_ratio", &case["odds_ratio"]),
        ("relative_risk", &case["relative_risk"]),
        ("relative_risk_low", &case["rr_ci95"][0]),
        ("relative_risk_high", &case["rr_ci95"][1]),
        ("cohens_h", &case["cohens_h"]),
    ] {
        if !expected.is_null() {
            close(numbers(panel, column)[row].unwrap(), expected, &format!("{column} of {name}"));
        }
    }
}

#[test]
fn two_proportions_are_compared_as_expected() {
    let Some(folder) = folder("ab_tests") else { return };
    for case in expected(&folder)["two_proportions"].as_array().unwrap() {
        let group = |key: &str| json!({ "name": key, "n": case[key]["n"], "x": case[key]["x"] });
        let report = entered("compare", &json!({ "groups": [group("a"), group("b")] }));
        check_comparison(find(&report, "comparisons"), 0, case);
        let groups = find(&report, "groups");
        for (row, key) in ["a", "b"].into_iter().enumerate() {
            close(numbers(groups, "rate")[row].unwrap(), &case[key]["rate"], "rate");
            close(numbers(groups, "low")[row].unwrap(), &case[key]["wilson95"][0], "Wilson, low");
            close(numbers(groups, "high")[row].unwrap(), &case[key]["wilson95"][1], "Wilson, high");
        }
        let better = numbers(find(&report, "comparisons"), "better")[0].unwrap();
        if !case["prob_b_better_beta11"].is_null() {
            close(better, &case["prob_b_better_beta11"], &format!("probability of {}", case["name"]));
        }
    }
}

#[test]
fn tables_exact_tests_and_corrections_are_as_expected() {
    let Some(folder) = folder("ab_tests") else { return };
    let expected = expected(&folder);
    for case in expected["tables"].as_array().unwrap() {
        let report = entered("table", &json!({ "table": case["table"] }));
        for (metric, key) in
            [("chi_square", "chi2"), ("freedom", "dof"), ("p", "p"), ("cramers_v", "cramers_v")]
        {
            close(report.value(metric).unwrap(), &case[key], &format!("{metric} of {}", case["name"]));
        }
    }
    let tea = compare(Group { members: 4, responses: 3 }, Group { members: 4, responses: 1 }, 0.05).unwrap();
    close(tea.fisher.unwrap(), &expected["fisher"][0]["p_two_sided"], "lady tasting tea");
    close(
        tea.fisher_first_greater.unwrap(),
        &expected["fisher"][0]["p_greater"],
        "lady tasting tea, one-sided",
    );
    for case in expected["srm"].as_array().unwrap() {
        let groups: Vec<Value> = case["observed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| json!({ "name": "g", "n": n, "weight": 1 }))
            .collect();
        let report = entered("split_check", &json!({ "groups": groups }));
        close(report.value("chi_square").unwrap(), &case["chi2"], "split, chi-square");
        close(report.value("p").unwrap(), &case["p"], "split, p");
        let is_alarm = report.summary.en.contains("more than chance");
        assert_eq!(is_alarm, case["alarm_at_0_01"].as_bool().unwrap(), "{}", case["name"]);
        for (row, wanted) in case["expected"].as_array().unwrap().iter().enumerate() {
            close(numbers(find(&report, "split"), "expected")[row].unwrap(), wanted, "split, expected");
        }
    }
    check_corrections(
        find(&entered("adjust", &json!({ "p": expected["multiple"]["p"] })), "p"),
        &expected["multiple"],
    );
}

fn check_corrections(panel: &Panel, expected: &Value) {
    for method in ["p", "bonferroni", "holm", "benjamini_hochberg"] {
        for (row, wanted) in expected[method].as_array().unwrap().iter().enumerate() {
            close(numbers(panel, method)[row].unwrap(), wanted, method);
        }
    }
}

#[test]
fn sample_sizes_are_as_expected() {
    let Some(folder) = folder("ab_tests") else { return };
    let expected = expected(&folder);
    for case in expected["sample_sizes"].as_array().unwrap() {
        let effect = case["p2"].as_f64().unwrap() - case["p1"].as_f64().unwrap();
        let report = entered(
            "sample_size",
            &json!({ "baseline": case["p1"], "effect": effect, "alpha": case["alpha"], "power": case["power"], "sides": case["sides"] }),
        );
        for (metric, key) in [
            ("pooled", "pooled_formula"),
            ("unpooled", "unpooled_formula"),
            ("arcsine", "arcsine_cohen_h"),
            ("baseline_variance", "baseline_variance_formula"),
            ("with_continuity", "pooled_with_continuity_correction"),
        ] {
            close(report.value(metric).unwrap(), &case["n_per_group"][key], &format!("{metric} of {case}"));
        }
    }
    let report =
        entered("sample_size", &json!({ "baseline": 0.5, "effect": 0.25, "power": 0.9, "members": 50 }));
    close(
        report.value("power_at_members").unwrap(),
        &expected["power_at_n"]["r_power_prop_test"],
        "power at 50",
    );
    let published = &expected["r_power_prop_test_n"];
    for (baseline, effect, power, wanted) in [
        (0.5, 0.25, 0.9, &published["p1=.50,p2=.75,power=.90"]),
        (0.05, 0.01, 0.8, &published["p1=.05,p2=.06,power=.80"]),
    ] {
        let report =
            entered("sample_size", &json!({ "baseline": baseline, "effect": effect, "power": power }));
        close(report.value("pooled").unwrap(), wanted, "R's power.prop.test");
    }
    let means = &expected["mean_sample_size"];
    let report = entered(
        "sample_size_means",
        &json!({ "delta": means["delta"], "deviation": means["sd"], "power": means["power"] }),
    );
    close(report.value("student").unwrap(), &means["statsmodels"], "t-test");
    close(report.value("normal").unwrap(), &means["normal_approx"], "normal approximation");
}

fn check_means(report: &Report, case: &Value) {
    for (metric, expected) in [
        ("welch_t", &case["welch_t"]),
        ("welch_freedom", &case["welch_df"]),
        ("welch_p", &case["welch_p"]),
        ("welch_low", &case["welch_ci95_diff"][0]),
        ("welch_high", &case["welch_ci95_diff"][1]),
        ("student_t", &case["student_t"]),
        ("student_p", &case["student_p"]),
        ("mann_whitney_u", &case["mann_whitney_u_b"]),
        ("mann_whitney_p", &case["mann_whitney_p_asymptotic_tie_and_continuity_corrected"]),
    ] {
        close(report.value(metric).unwrap(), expected, metric);
    }
}

#[test]
fn means_of_students_sleep_data_are_compared_as_expected() {
    let Some(folder) = folder("ab_tests") else { return };
    let expected = expected(&folder);
    // The extra hours of sleep that Student published in 1908.
    let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    let report =
        entered("compare_means", &json!({ "first": { "values": first }, "second": { "values": second } }));
    check_means(&report, &expected["sleep"]);
    let (a, b) = (Sample::of(&first).unwrap(), Sample::of(&second).unwrap());
    close(a.deviation, &expected["sleep"]["sd_a"], "deviation");
    close(compare_means(a, b, 0.05).unwrap().welch_p, &expected["sleep"]["welch_p"], "by figures");
}

/// The customers of the e-mail test, as an import makes them: one row a customer, a field for each column.
fn hillstrom(folder: &Path) -> RowStream<'static> {
    let mut reader = csv::Reader::from_path(folder.join("hillstrom_even_rows.csv")).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| {
        let place = header.iter().position(|header| header == name).unwrap();
        rows.iter().map(move |row| row[place].to_owned()).collect::<Vec<_>>()
    };
    let integers = |name: &str| {
        column(name).into_iter().map(|text| Some(text.parse::<i64>().unwrap())).collect::<Vec<_>>()
    };
    let mut batch = BatchBuilder::new(0..rows.len() as u64)
        .dictionary("group", column("treatment").iter().map(|text| Some(text.as_str())))
        .int64("outcomes.visit", integers("visit"))
        .boolean(
            "outcomes.conversion",
            integers("conversion").into_iter().map(|value| value.map(|value| value == 1)),
        )
        .float64("outcomes.spend", column("spend").into_iter().map(|text| Some(text.parse().unwrap())));
    for name in ["newbie", "mens", "womens", "recency"] {
        batch = batch.int64(&format!("subgroups.{name}"), integers(name));
    }
    for name in ["channel", "zip_code", "history_segment"] {
        batch = batch
            .dictionary(&format!("subgroups.{name}"), column(name).iter().map(|text| Some(text.as_str())));
    }
    stream(split(&batch.build(), 10_000))
}

fn hillstrom_report(folder: &Path) -> Report {
    let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let config = Config {
        group: Some("treatment".to_owned()),
        outcomes: fields(&["visit", "conversion", "spend"]),
        subgroups: fields(&["newbie", "mens", "womens", "recency", "channel", "zip_code", "history_segment"]),
        ..Config::default()
    };
    ask("experiment", &mut hillstrom(folder), &json!({ "control": "No E-Mail" }), &config)
}

#[test]
fn the_email_test_comes_out_as_expected() {
    let Some(folder) = folder("hillstrom") else { return };
    let (expected, report) = (expected(&folder), hillstrom_report(&folder));
    let outcomes = find(&report, "outcomes");
    let (names, groups) = (texts(outcomes, "outcome"), texts(outcomes, "group"));
    for row in 0..names.len() {
        let arm = &expected["arms"][&groups[row]];
        let (sum, mean) = match names[row].as_str() {
            "visit" => (&arm["visits"], &arm["visit_rate"]),
            "conversion" => (&arm["conversions"], &arm["conversion_rate"]),
            _ => (&arm["spend"], &arm["spend_per_customer"]),
        };
        close(numbers(outcomes, "members")[row].unwrap(), &arm["n"], "members");
        close(numbers(outcomes, "sum")[row].unwrap(), sum, "sum");
        close(numbers(outcomes, "mean")[row].unwrap(), mean, "mean");
    }
    let rates = find(&report, "rates");
    let labels: Vec<_> = texts(rates, "outcome")
        .into_iter()
        .zip(texts(rates, "first").into_iter().zip(texts(rates, "second")))
        .collect();
    for (row, (outcome, (first, second))) in labels.iter().enumerate() {
        let case = if first == "No E-Mail" {
            &expected["vs_no_mail"][second][outcome]
        } else {
            &expected["mens_vs_womens"][outcome]
        };
        if !case.is_null() {
            check_comparison(rates, row, case);
            let group = |side: &str| Group {
                members: case[side]["n"].as_u64().unwrap(),
                responses: case[side]["x"].as_u64().unwrap(),
            };
            let better = bayes::probability_second_greater(group("a"), group("b"));
            close(better, &case["prob_b_better_beta11"], &format!("probability of {}", case["name"]));
        }
    }
    let means = find(&report, "means");
    for (row, (first, second)) in texts(means, "first").into_iter().zip(texts(means, "second")).enumerate() {
        let case = &expected["vs_no_mail"][&second]["spend"];
        if first == "No E-Mail" {
            for (column, wanted) in [
                ("welch_t", &case["welch_t"]),
                ("welch_freedom", &case["welch_df"]),
                ("welch_p", &case["welch_p"]),
                ("low", &case["welch_ci95_diff"][0]),
                ("high", &case["welch_ci95_diff"][1]),
                ("student_t", &case["student_t"]),
                ("student_p", &case["student_p"]),
                ("mann_whitney_u", &case["mann_whitney_u_b"]),
                ("mann_whitney_p", &case["mann_whitney_p_asymptotic_tie_and_continuity_corrected"]),
            ] {
                close(numbers(means, column)[row].unwrap(), wanted, &format!("{column} of {second}"));
            }
        }
    }
    let (all, wanted) = (find(&report, "all_groups"), &expected["three_arm_visit"]);
    for (column, key) in [("chi_square", "chi2"), ("freedom", "dof"), ("p", "p"), ("cramers_v", "cramers_v")]
    {
        close(numbers(all, column)[0].unwrap(), &wanted[key], key);
    }
    check_corrections(find(&report, "corrected"), &expected["multiple"]);
}

#[test]
fn subgroups_of_the_email_test_are_as_expected() {
    let Some(folder) = folder("hillstrom") else { return };
    let (expected, report) = (expected(&folder), hillstrom_report(&folder));
    let uplift = find(&report, "uplift");
    let mut checked = 0;
    let gained = numbers(uplift, "uplift");
    let keys = [texts(uplift, "field"), texts(uplift, "value"), texts(uplift, "group")];
    for (row, outcome) in
        texts(uplift, "outcome").into_iter().enumerate().filter(|(_, outcome)| outcome == "visit")
    {
        let wanted = &expected["visit_uplift_by_subgroup"][&keys[0][row]][&keys[1][row]][&keys[2][row]];
        if !wanted.is_null() {
            close(gained[row].unwrap(), wanted, &outcome);
            checked += 1;
        }
    }
    assert_eq!(checked, 38, "every figure of the reference");
    let subgroups = find(&report, "subgroups");
    let (fields, values, outcomes) =
        (texts(subgroups, "field"), texts(subgroups, "value"), texts(subgroups, "outcome"));
    let means = numbers(subgroups, "mean");
    let mut checked = 0;
    for row in 0..fields.len() {
        let wanted = match (fields[row].as_str(), outcomes[row].as_str()) {
            ("recency", "visit") => &expected["rfm_like"]["visit_rate_by_recency"][&values[row]],
            ("history_segment", "spend") => {
                &expected["rfm_like"]["mean_spend_by_history_segment"][&values[row]]
            }
            _ => continue,
        };
        close(means[row].unwrap(), wanted, &fields[row]);
        checked += 1;
    }
    assert_eq!(checked, 12 + 7);
}
