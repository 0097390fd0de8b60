//! The benchmark of scoring with few customers: what nobody can run measures nothing.

use std::process::Command;

#[test]
fn scoring_is_measured_of_few_customers_too() {
    let output = Command::new(env!("CARGO_BIN_EXE_trellis-bench"))
        .arg("scoring")
        .env("TRELLIS_BENCH_CUSTOMERS", "300")
        .output()
        .expect("the benchmark starts");
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
    for figure in ["run 3 with that model", "per value", "10 enabled plugins"] {
        assert!(told.contains(figure), "no `{figure}` in\n{told}");
    }
}
