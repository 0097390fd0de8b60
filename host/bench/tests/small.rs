//! The benchmark with few customers: what nobody can run measures nothing.

use std::process::Command;

/// Runs a part with 300 customers and without public tools; gives what it prints.
fn told(part: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_trellis-bench"))
        .arg(part)
        .env("TRELLIS_BENCH_CUSTOMERS", "300")
        .env("TRELLIS_BENCH_PYTHON", "")
        .output()
        .expect("the benchmark starts");
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
    told.into_owned()
}

#[test]
fn scoring_is_measured_of_few_customers_too() {
    let told = told("scoring");
    for figure in ["run 3 with that model", "per value", "10 enabled plugins"] {
        assert!(told.contains(figure), "no `{figure}` in\n{told}");
    }
}

/// The benchmark itself holds against each other what a component learns and what its code learns natively.
#[test]
fn components_learn_the_same_as_their_code_natively() {
    let told = told("packs");
    for figure in ["RFM, component", "k-means", "tree, exact", "tree, histogram", "BG/NBD"] {
        assert!(told.contains(figure), "no `{figure}` in\n{told}");
    }
}

#[test]
fn every_plugin_that_learns_does_so_from_few_customers_too() {
    let told = told("learning");
    for plugin in ["retail-rfm", "cross-sell", "churn-risk", "telecom-targeting"] {
        assert!(told.contains(plugin), "no `{plugin}` in\n{told}");
    }
}
