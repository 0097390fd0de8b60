//! What a plugin's folder brings besides code (manifest, golden cases, objects, rules), judged as a server would before anything is
//! compiled: what is wrong is named with its file and line.

use std::path::Path;

use serde_json::{Map, Value as Json};
use trellis_engine::{PackPart, PackProblem};
use trellis_model::Text;
use trellis_plugin_build::{golden_files, pack};
use trellis_plugin_host::Manifest;
use trellis_plugin_kit::golden::{Case, Limits};

use super::super::{Failure, Result};

fn message(error: impl std::fmt::Display) -> Failure {
    Failure::Message(error.to_string())
}

/// Judges a folder. One without a manifest is left to the build, which says what is missing.
///
/// # Errors
/// Everything that a server would refuse, a line each.
pub(super) fn judge(folder: &Path) -> Result {
    let path = folder.join("plugin.toml");
    if !path.is_file() {
        return Ok(());
    }
    let text = read(&path)?;
    let manifest =
        Manifest::parse(&text).map_err(|error| message(format!("`{}`: {error}", path.display())))?;
    let mut problems = golden(folder, &manifest)?;
    problems.extend(brought(folder, &manifest)?);
    if problems.is_empty() { Ok(()) } else { Err(Failure::Message(problems.join("\n"))) }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| message(format!("cannot read `{}`: {error}", path.display())))
}

fn golden(folder: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let files = golden_files(folder).map_err(message)?;
    let cases_max = Limits::default().cases_max;
    let mut problems = Vec::new();
    if files.len() > cases_max {
        problems.push(format!("`{}` golden cases, a server takes {cases_max}", files.len()));
    }
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if let Err(error) = Case::parse_file(&name, &read(&path)?, manifest) {
            problems.push(format!("`{}`, {error}", path.display()));
        }
    }
    Ok(problems)
}

/// Objects and rules.
fn brought(folder: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let (schema_file, rule_files) =
        (pack::schema_file(folder).map_err(message)?, pack::rule_files(folder).map_err(message)?);
    if schema_file.is_none() && rule_files.is_empty() {
        return Ok(Vec::new());
    }
    let schema = pack::schema(folder).map_err(message)?;
    let schema: Option<Json> = schema.map(|text| serde_json::from_str(&text)).transpose().map_err(message)?;
    let rules = rule_files.iter().map(|path| Ok(fields(pack::rule(path).map_err(message)?)));
    let rules = rules.collect::<Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(message)?;
    let check = trellis_engine::check_pack(&manifest.id, schema.as_ref(), &rules);
    let problems = runtime.block_on(check).map_err(message)?;
    let shown = |problem: &PackProblem| {
        let file = match problem.part {
            PackPart::Schema => schema_file.clone(),
            PackPart::Rule(number) => rule_files.get(number).cloned(),
            PackPart::Script(number) => rule_files.get(number).map(|path| path.with_extension("rhai")),
        };
        let line = problem.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let column = problem.column.map(|column| format!(", character {column}")).unwrap_or_default();
        let file = file.unwrap_or_default();
        format!("`{}`{line}{column}: {}", file.display(), both(&problem.message))
    };
    Ok(problems.iter().map(shown).collect())
}

fn fields(rule: Json) -> Map<String, Json> {
    match rule {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A text in both languages, once where they are the same.
pub(super) fn both(text: &Text) -> String {
    if text.zh_cn.is_empty() || text.zh_cn == text.en {
        return text.en.clone();
    }
    format!("{} / {}", text.en, text.zh_cn)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MANIFEST: &str = r#"
id = "spa"
version = "1.0.0"
wit = "1.0.0"
provides = ["record-hook"]
name = { en = "Spa", zh-CN = "水疗" }
[[record-hook]]
object = "lead"
fields = ["status"]
"#;
    const CASE: &str = r#"{
  "interface": "record-hook",
  "function": "before-save",
  "changes": [{ "after": { "fields": { "status": "new" } } }],
  "expect": [{ "verdict": "accept" }]
}"#;
    const SCHEMA: &str = r#"
format = 1
[[objects]]
name = "account"
[[objects.fields]]
name = "spa__visits"
type = "integer"
label = { en = "Visits", zh-CN = "到店次数" }
"#;
    const RULE: &str = r#"
external_id = "loyal"
name = "Loyal guests"
object = "account"
trigger = "before_save"
position = 1
when_fields = ["spa__visits"]
"#;
    const SCRIPT: &str =
        "if record.spa__visits == () {\n  veto(\"visits\", \"Count them.\", \"请填写到店次数。\");\n}\n";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("tests/golden")).unwrap();
        fs::create_dir_all(folder.path().join("rules")).unwrap();
        for (name, text) in [
            ("plugin.toml", MANIFEST),
            ("tests/golden/accepts.json", CASE),
            ("schema.toml", SCHEMA),
            ("rules/loyal.toml", RULE),
            ("rules/loyal.rhai", SCRIPT),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    /// Expects that a folder is refused with this, once `from` in one of its files is `to`.
    #[track_caller]
    fn refused(file: &str, from: &str, to: &str, expected: &[&str]) {
        let folder = folder();
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = judge(folder.path()).unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }

    #[test]
    fn what_can_be_used_is_left_alone() {
        let folder = folder();
        judge(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let empty = tempfile::tempdir().unwrap();
        judge(empty.path()).expect("the build says what is missing");
    }

    #[test]
    fn a_manifest_is_refused_with_the_line_of_what_is_wrong() {
        refused(
            "plugin.toml",
            "provides",
            "provide",
            &["plugin.toml`: ", "line 5", "unknown field `provide`"],
        );
        refused("plugin.toml", "record-hook\"]", "weather\"]", &["plugin.toml`: ", "weather"]);
    }

    #[test]
    fn golden_cases_are_refused_with_their_line() {
        let file = "tests/golden/accepts.json";
        refused(file, "\"changes\"", "\"change\"", &["accepts.json`, line 4: unknown field `change`"]);
        refused(
            file,
            "before-save",
            "after-save",
            &["accepts.json`, line 3: function: `after-save` is none of"],
        );
        refused(
            file,
            "\"status\"",
            "\"Status!\"",
            &["accepts.json`, line 4: changes[0].after.fields.Status!: "],
        );
        refused(file, "}]\n}", "}]\n", &["accepts.json`, line 6: EOF"]);
    }

    #[test]
    fn objects_are_refused_as_a_server_would() {
        refused(
            "schema.toml",
            "spa__visits",
            "visits",
            &["schema.toml`: ", "`visits` does not begin with `spa__`"],
        );
        refused("schema.toml", "format = 1", "format = 2", &["schema.toml`: `format` must be 1"]);
        refused("schema.toml", "\"integer\"", "\"whole\"", &["schema.toml`: ", "whole"]);
        refused("schema.toml", "[[objects]]", "[[objects]", &["schema.toml`: ", "line 3"]);
    }

    #[test]
    fn rules_are_refused_with_the_line_of_their_script() {
        refused(
            "rules/loyal.toml",
            "spa__visits",
            "spa__stays",
            &["loyal.toml`: ", "has no field `spa__stays`"],
        );
        refused("rules/loyal.toml", "before_save", "sometimes", &["loyal.toml`: ", "trigger"]);
        refused("rules/loyal.toml", "trigger", "triger", &["loyal.toml`: ", "unknown field `triger`"]);
        refused("rules/loyal.toml", "name = \"Loyal guests\"\n", "", &["loyal.toml`: ", "name"]);
        refused("rules/loyal.rhai", "veto(", "veto(( ", &["loyal.rhai`, line 2"]);
    }
}
