//! What a plugin's folder gives its component besides code and manifest.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::error::{Error, Result};

/// The custom section that holds the golden cases.
pub const TESTS_SECTION: &str = "trellis:tests";
/// Where a project keeps its golden cases.
const GOLDEN_FOLDER: &str = "tests/golden";
/// Bytes that a section may have; the plugin host refuses larger ones.
const SECTION_BYTES_MAX: usize = 1 << 20;

/// Reads the golden cases of a project as one JSON text, `{"cases": [{"name": …, "case": …}]}`, in the order of their names: the files'
/// names without `.json`. `None` where there are none. What the cases say is judged where they are run.
///
/// # Errors
/// A file that cannot be read or is no JSON, and cases that together are too large.
pub fn golden_cases(folder: &Path) -> Result<Option<String>> {
    let mut cases = Vec::new();
    for path in golden_files(folder)? {
        let text =
            std::fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let case: Json = serde_json::from_str(&text)
            .map_err(|error| Error::NotJson { path: path.clone(), message: error.to_string() })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        cases.push(json!({ "name": name, "case": case }));
    }
    if cases.is_empty() {
        return Ok(None);
    }
    let text = json!({ "cases": cases }).to_string();
    if text.len() > SECTION_BYTES_MAX {
        let (what, bytes) = (GOLDEN_FOLDER, text.len());
        return Err(Error::TooLarge { what, bytes, bytes_max: SECTION_BYTES_MAX });
    }
    Ok(Some(text))
}

/// The files of a project's golden cases, sorted; none where there is no folder of them.
///
/// # Errors
/// A folder that cannot be read.
pub fn golden_files(folder: &Path) -> Result<Vec<PathBuf>> {
    files(&folder.join(GOLDEN_FOLDER), "json")
}

/// The files of a folder with an extension, sorted; none where there is no such folder.
pub(crate) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = |source| Error::Read { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(unreadable)?;
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_gathered_in_the_order_of_their_names() {
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().join(GOLDEN_FOLDER);
        assert_eq!(golden_cases(project.path()).unwrap(), None);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("b.json"), r#"{"x": 1}"#).unwrap();
        std::fs::write(folder.join("a.json"), "[]").unwrap();
        std::fs::write(folder.join("notes.txt"), "no case").unwrap();
        let text = golden_cases(project.path()).unwrap().unwrap();
        assert_eq!(text, r#"{"cases":[{"case":[],"name":"a"},{"case":{"x":1},"name":"b"}]}"#);
    }

    #[test]
    fn what_cannot_be_carried_is_named() {
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().join(GOLDEN_FOLDER);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("broken.json"), "{").unwrap();
        let error = golden_cases(project.path()).unwrap_err().to_string();
        assert!(error.contains("tests/golden/broken.json") && error.contains("line 1"), "{error}");
        std::fs::write(folder.join("broken.json"), format!("\"{}\"", "x".repeat(SECTION_BYTES_MAX))).unwrap();
        let error = golden_cases(project.path()).unwrap_err().to_string();
        assert!(
            error.starts_with("`tests/golden` has 10486") && error.ends_with("at most 1048576"),
            "{error}"
        );
    }
}
