//! The interfaces between host and plugin: checked against what was released, and released.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::command::{cargo, root, step, target_dir};

/// `wit check` or `wit freeze VERSION`.
pub(crate) fn wit(arguments: &[String]) -> Result {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["check"] => run(&["check"], plugins()),
        ["freeze", version] => run(&["freeze", version], Vec::new()),
        _ => Err("usage: cargo xtask wit check | cargo xtask wit freeze VERSION".to_owned()),
    }
}

fn run(words: &[&str], components: Vec<PathBuf>) -> Result {
    // The whole workspace, always: see `guests`.
    step("build", &mut cargo(&["build", "--workspace"]))?;
    let mut check = Command::new(target_dir().join("debug/wit-check"));
    let (verb, rest) = words.split_at(1);
    check.args(verb).arg(root().join("wit")).args(rest).args(components).current_dir(root());
    step("interfaces", &mut check)
}

/// The plugins that were built. The test guests are left to the tests: some of them do not fit on purpose.
fn plugins() -> Vec<PathBuf> {
    let built = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        let wasm = target_dir().join("plugins").join(&name).with_extension("wasm");
        wasm.is_file().then_some(wasm)
    };
    let folders = std::fs::read_dir(root().join("plugins"));
    let mut plugins: Vec<_> = folders.into_iter().flatten().flatten().filter_map(built).collect();
    plugins.sort();
    plugins
}
