//! Builds the benchmark in release mode, in the folder that only it uses, and runs it.

use crate::Result;
use crate::command::{cargo, step, target_dir};

/// The part that a browser measures, with the server as `cargo xtask run` builds it.
const WORKBENCH: &str = "workbench";

/// Prints figures and ratios; judges nothing.
pub(crate) fn bench(arguments: &[String]) -> Result {
    crate::guests::build_all()?;
    let (by_browser, others): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|argument| *argument == WORKBENCH);
    if arguments.is_empty() || !by_browser.is_empty() {
        crate::web::bench()?;
    }
    if arguments.is_empty() || !others.is_empty() { measure(&others) } else { Ok(()) }
}

fn measure(arguments: &[&String]) -> Result {
    step("build (release)", &mut cargo(&["build", "--release", "--package", "trellis-bench"]))?;
    let mut bench = std::process::Command::new(target_dir().join("release/trellis-bench"));
    bench.args(arguments).env("TRELLIS_TEST_PLUGINS", target_dir().join("plugins"));
    // Where the part `packs` keeps the tools that it compares with.
    if std::env::var_os("TRELLIS_BENCH_PYTHON").is_none() {
        bench.env("TRELLIS_BENCH_PYTHON", target_dir().join("bench-python"));
    }
    step("bench", &mut bench)
}
