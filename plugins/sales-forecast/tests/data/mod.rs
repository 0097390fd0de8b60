//! The reference data, where it is there.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::print_stderr, reason = "says what is skipped")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub(crate) mod panels;

/// The folder of a reference set; none, and a line that says so, where it is missing.
pub(crate) fn folder(set: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TRELLIS_REFERENCE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let folder = root.join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there is no {}", folder.display());
    None
}

/// Its expected results.
pub(crate) fn expected(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap()
}

/// The rows of a table.
pub(crate) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}
