//! Survival of the telephone company's customers.

use trellis_mining::survival::{Point, kaplan_meier, log_rank, median, survival_at};

use crate::data::{close, telco};

fn check(curve: &[Point], expected: &serde_json::Value) {
    for (time, share) in expected.as_object().unwrap() {
        close(time, survival_at(curve, time.parse().unwrap()), share, 1e-8);
    }
}

#[test]
fn curves_and_the_test_are_the_expected_ones() {
    let Some((set, _)) = telco() else { return };
    let (times, left) = (set.numbers("tenure"), set.positive("Churn", "Yes"));
    let expected = &set.expected["survival"];
    let whole = kaplan_meier(&times, &left);
    check(&whole, &expected["overall"]);
    assert_eq!(median(&whole), None);
    assert!(whole.iter().all(|point| point.lower <= point.survival && point.survival <= point.upper));
    let contracts = set.texts("Contract");
    let names: Vec<&String> = expected["by_Contract"].as_object().unwrap().keys().collect();
    for name in &names {
        let of_group = |row: &usize| contracts[*row] == name.as_str();
        let rows: Vec<usize> = (0..times.len()).filter(of_group).collect();
        let times: Vec<f64> = rows.iter().map(|row| times[*row]).collect();
        let left: Vec<bool> = rows.iter().map(|row| left[*row]).collect();
        check(&kaplan_meier(&times, &left), &expected["by_Contract"][name.as_str()]);
    }
    let group: Vec<usize> =
        contracts.iter().map(|contract| names.iter().position(|name| name == contract).unwrap()).collect();
    let test = log_rank(&times, &left, &group, names.len()).unwrap();
    close("log-rank", test.chi_square, &expected["logrank"]["chi2"], 1e-8);
    assert_eq!(test.freedom as u64, expected["logrank"]["dof"].as_u64().unwrap());
    assert!(test.p < 1e-300);
}
