//! The objects and rules that a plugin brings, as its component carries them.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::carried::files;
use crate::error::{Error, Result};

/// The custom section that holds objects and fields: the document that `trellis schema apply` reads, as JSON.
pub const SCHEMA_SECTION: &str = "trellis:schema";
/// The custom section that holds rules: `{"rules": [fields of a rule's record…]}`.
pub const RULES_SECTION: &str = "trellis:rules";
/// Where a project keeps its rules: for each a `.toml` with the fields of its record, and a script of the same name in `.rhai`.
const RULES_FOLDER: &str = "rules";
/// Bytes that a section may have; the plugin host refuses larger ones.
const SECTION_BYTES_MAX: usize = 1 << 20;

/// Reads `schema.toml` or `schema.json` of a project as one JSON text; `None` where there is neither.
///
/// # Errors
/// Both files at once, a file that cannot be read or is of another form, one that is too large.
pub fn schema(folder: &Path) -> Result<Option<String>> {
    let Some(path) = schema_file(folder)? else { return Ok(None) };
    let document: Json = if path.extension().is_some_and(|extension| extension == "toml") {
        parse_toml(&path)?
    } else {
        serde_json::from_str(&read(&path)?)
            .map_err(|error| Error::NotJson { path, message: error.to_string() })?
    };
    bounded(document.to_string(), "schema").map(Some)
}

/// The file with a project's objects, if there is one.
///
/// # Errors
/// Both forms at once.
pub fn schema_file(folder: &Path) -> Result<Option<PathBuf>> {
    let (toml, json) = (folder.join("schema.toml"), folder.join("schema.json"));
    match (toml.is_file(), json.is_file()) {
        (false, false) => Ok(None),
        (true, true) => Err(Error::Schema {
            path: toml,
            message: "there is `schema.json` too: keep one of them".to_owned(),
        }),
        (true, false) => Ok(Some(toml)),
        (false, true) => Ok(Some(json)),
    }
}

/// Reads the rules of a project as one JSON text, in the order of their files' names; `None` where there are none.
///
/// # Errors
/// A file that cannot be read or is no TOML, a rule without a script, rules that together are too large.
pub fn rules(folder: &Path) -> Result<Option<String>> {
    let rules = rule_files(folder)?.iter().map(|path| rule(path)).collect::<Result<Vec<_>>>()?;
    if rules.is_empty() {
        return Ok(None);
    }
    bounded(json!({ "rules": rules }).to_string(), RULES_FOLDER).map(Some)
}

/// The files with the fields of a project's rules, sorted; the script of each lies beside it, in a file that ends in `.rhai`.
///
/// # Errors
/// A folder that cannot be read.
pub fn rule_files(folder: &Path) -> Result<Vec<PathBuf>> {
    files(&folder.join(RULES_FOLDER), "toml")
}

/// Reads a rule from its file and that of its script, which is its `source`.
///
/// # Errors
/// A file that cannot be read or is no TOML.
pub fn rule(path: &Path) -> Result<Json> {
    let mut fields = parse_toml(path)?;
    let script = read(&path.with_extension("rhai"))?;
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("source".into(), json!(script));
    }
    Ok(fields)
}

fn parse_toml(path: &Path) -> Result<Json> {
    toml::from_str(&read(path)?)
        .map_err(|error| Error::Schema { path: path.to_owned(), message: error.to_string() })
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

fn bounded(text: String, what: &'static str) -> Result<String> {
    let bytes = text.len();
    if bytes <= SECTION_BYTES_MAX {
        return Ok(text);
    }
    Err(Error::TooLarge { what, bytes, bytes_max: SECTION_BYTES_MAX })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_project_may_bring_objects_and_rules() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!((schema(folder.path()).unwrap(), rules(folder.path()).unwrap()), (None, None));
        fs::write(folder.path().join("schema.toml"), "format = 1\nobjects = []\n").unwrap();
        assert_eq!(schema(folder.path()).unwrap().unwrap(), r#"{"format":1,"objects":[]}"#);
        fs::write(folder.path().join("schema.json"), "{}").unwrap();
        assert!(schema(folder.path()).unwrap_err().to_string().contains("schema.json"));
        fs::remove_file(folder.path().join("schema.toml")).unwrap();
        fs::write(folder.path().join("schema.json"), "{").unwrap();
        assert!(schema(folder.path()).unwrap_err().to_string().contains("is not JSON"));

        let rules_folder = folder.path().join("rules");
        fs::create_dir(&rules_folder).unwrap();
        assert_eq!(rules(folder.path()).unwrap(), None);
        fs::write(rules_folder.join("b.toml"), "external_id = \"b\"\n").unwrap();
        assert!(rules(folder.path()).unwrap_err().to_string().contains("b.rhai"), "its script is missing");
        fs::write(rules_folder.join("b.rhai"), "// b").unwrap();
        fs::write(rules_folder.join("a.toml"), "external_id = \"a\"\n").unwrap();
        fs::write(rules_folder.join("a.rhai"), "// a").unwrap();
        let text = rules(folder.path()).unwrap().unwrap();
        let read: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(read["rules"][0]["external_id"], "a");
        assert_eq!(read["rules"][1]["source"], "// b");
        fs::write(rules_folder.join("a.rhai"), "x".repeat(SECTION_BYTES_MAX)).unwrap();
        assert!(rules(folder.path()).unwrap_err().to_string().contains("at most 1048576"));
    }
}
