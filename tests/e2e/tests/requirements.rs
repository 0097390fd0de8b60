//! The matrix of requirements names tests that exist.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use trellis_e2e::root;

/// The names of all test functions below a folder.
fn test_names(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "target" {
                test_names(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
            found.extend(names.map(|name| name.trim().to_owned()));
        }
    }
}

#[test]
fn every_test_of_the_matrix_exists() {
    let mut known = BTreeSet::new();
    for folder in ["plugins", "tests", "host"] {
        test_names(&root().join(folder), &mut known);
    }
    let matrix = std::fs::read_to_string(root().join("tests/requirements.md")).unwrap();
    let named: Vec<&str> = matrix
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|named| named.split_once("::"))
        .map(|(_, name)| name)
        .collect();
    assert!(named.len() > 80, "the matrix is read: {named:?}");
    let missing: Vec<&&str> =
        named.iter().filter(|name| **name != "name" && !known.contains(**name)).collect();
    assert!(missing.is_empty(), "these tests are not there: {missing:?}");
}
