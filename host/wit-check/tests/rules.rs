//! Each change that a minor version must not make, in a made-up package; and those that it may.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use tempfile::TempDir;
use trellis_wit_check::{Error, check, freeze};

/// A small package with one interface of each side.
const RELEASED: &str = "/// A package.
package trellis:plugin@1.0.0;

/// Shared types.
@since(version = 1.0.0)
interface types {
  /// A level.
  @since(version = 1.0.0)
  enum level { /// Low.
    low, /// High.
    high }
  /// A point.
  @since(version = 1.0.0)
  record point { /// Across.
    x: f64, /// Up.
    y: f64 }
  /// An answer.
  @since(version = 1.0.0)
  variant answer { /// Yes.
    yes, /// Words.
    words(string) }
}
/// What the host offers.
@since(version = 1.0.0)
interface host-log {
  @since(version = 1.0.0)
  use types.{level};
  /// Logs.
  @since(version = 1.0.0)
  log: func(level: level, message: string);
}
/// What plugins implement.
@since(version = 1.0.0)
interface scoring {
  @since(version = 1.0.0)
  use types.{point};
  /// Scores.
  @since(version = 1.0.0)
  score: func(at: point) -> result<f64, string>;
}
/// A plugin.
@since(version = 1.0.0)
world scoring-plugin {
  @since(version = 1.0.0)
  import host-log;
  @since(version = 1.0.0)
  export scoring;
}
";

/// A folder with that package released, and with `current` as the interfaces of today.
fn folder(current: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let released = folder.path().join("released/1.0.0");
    std::fs::create_dir_all(&released).unwrap();
    std::fs::write(released.join("all.wit"), RELEASED).unwrap();
    std::fs::write(folder.path().join("all.wit"), current).unwrap();
    folder
}

/// The problems of version 1.1.0 in which `from` is `to`.
#[track_caller]
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(RELEASED.contains(from), "{from}");
    let current = RELEASED.replace("plugin@1.0.0", "plugin@1.1.0").replace(from, to);
    check(folder(&current).path()).unwrap()
}

#[track_caller]
fn refused(from: &str, to: &str, expected: &str) {
    let problems = changed(from, to);
    assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected} is not in {problems:#?}");
}

#[test]
fn what_a_minor_version_may_add() {
    let new_function = "/// Counts.\n  @since(version = 1.1.0)\n  count: func() -> u32;\n  /// Logs.";
    assert_eq!(changed("/// Logs.", new_function), [""; 0]);
    let new_type = "/// A line.\n  @since(version = 1.1.0)\n  record line { /// From.\n start: point }\n  /// An answer.";
    assert_eq!(changed("/// An answer.", new_type), [""; 0]);
    let new_interface = "/// Explains.\n@since(version = 1.1.0)\ninterface explaining {\n  /// Explains.\n  @since(version = 1.1.0)\n  explain: func() -> string;\n}\n/// What plugins implement.";
    assert_eq!(changed("/// What plugins implement.", new_interface), [""; 0]);
    let new_world = "/// Another.\n@since(version = 1.1.0)\nworld other-plugin {\n  @since(version = 1.1.0)\n  export scoring;\n}\n/// A plugin.";
    assert_eq!(changed("/// A plugin.", new_world), [""; 0]);
    let new_import = "import host-log;\n  @since(version = 1.1.0)\n  import types;";
    assert_eq!(changed("import host-log;", new_import), [""; 0]);
    assert_eq!(changed("/// Logs.", "/// Writes a line."), [""; 0], "other words");
}

#[test]
fn what_plugins_implement_gets_no_function() {
    let function = "/// Explains.\n  @since(version = 1.1.0)\n  explain: func() -> string;\n  /// Scores.";
    refused("/// Scores.", function, "`scoring.explain` is new, but plugins implement `scoring`");
}

#[test]
fn types_never_change() {
    refused(
        "low, ",
        "low, /// Middle.\n middle, ",
        "`types.level` was enum { low, high } and is enum { low, middle, high }",
    );
    refused(
        "x: f64,",
        "x: f32,",
        "`types.point` was record { x: f64, y: f64 } and is record { x: f32, y: f64 }",
    );
    refused("y: f64 }", "y: f64, /// Deep.\n z: f64 }", "`types.point` was");
    refused("x: f64, /// Up.\n    y: f64", "y: f64, /// Up.\n    x: f64", "`types.point` was");
    refused(
        "words(string) }",
        "words(string), /// No.\n no }",
        "`types.answer` was variant { yes(_), words(string) }",
    );
    refused("words(string)", "words(u32)", "`types.answer` was");
    refused("variant answer", "variant reply", "`types.answer` is gone");
}

#[test]
fn functions_never_change() {
    refused(
        "message: string)",
        "message: list<u8>)",
        "`host-log.log` was func(level: host-log.level, message: string)",
    );
    refused("message: string)", "line: string)", "`host-log.log` was");
    refused("result<f64, string>", "result<f64, u32>", "`scoring.score` was");
    refused("log: func", "write: func", "`host-log.log` is gone");
    refused(
        "score: func(at: point)",
        "score: async func(at: point)",
        "`scoring.score` was func(at: scoring.point) -> result<f64, string> and is async func(",
    );
    refused(
        "/// Logs.\n  @since(version = 1.0.0)",
        "/// Logs.\n  @unstable(feature = later)",
        "`host-log.log` is gone",
    );
}

#[test]
fn worlds_keep_what_they_have() {
    refused("import host-log;", "import types;", "world `scoring-plugin` no longer imports `host-log`");
    refused(
        "export scoring;",
        "export scoring;\n  @since(version = 1.1.0)\n  export types;",
        "world `scoring-plugin` exports `types`",
    );
    refused("export scoring;", "import scoring;", "world `scoring-plugin` no longer exports `scoring`");
    refused("world scoring-plugin", "world points-plugin", "world `scoring-plugin` is gone");
    let another = "/// Another.\n@since(version = 1.0.0)\nworld other-plugin {\n  @since(version = 1.0.0)\n  export scoring;\n}\n/// A plugin.";
    refused(
        "/// A plugin.",
        another,
        "world `other-plugin` is new and needs `@since` with a version above 1.0.0",
    );
}

#[test]
fn what_is_new_says_since_when() {
    let function = "/// Counts.\n  @since(version = 1.0.0)\n  count: func() -> u32;\n  /// Logs.";
    refused("/// Logs.", function, "`host-log.count` is new and needs `@since` with a version above 1.0.0");
    let interface =
        "/// Explains.\n@since(version = 1.0.0)\ninterface explaining {}\n/// What plugins implement.";
    refused("/// What plugins implement.", interface, "interface `explaining` is new and needs `@since`");
}

#[test]
fn a_patch_adds_nothing() {
    let patch = |from: &str, to: &str| {
        let current = RELEASED.replace("plugin@1.0.0", "plugin@1.0.1").replace(from, to);
        check(folder(&current).path()).unwrap()
    };
    assert_eq!(patch("/// Logs.", "/// Writes a line."), [""; 0], "other words");
    let function = "/// Counts.\n  @since(version = 1.0.1)\n  count: func() -> u32;\n  /// Logs.";
    let expected = "`host-log.count` is new, and a patch of 1.0.0 adds nothing: raise the minor version";
    assert_eq!(patch("/// Logs.", function), [expected]);
    let import = "import host-log;\n  @since(version = 1.0.1)\n  import types;";
    let expected =
        "world `scoring-plugin` imports `types`, and a patch of 1.0.0 adds nothing: raise the minor version";
    assert!(
        patch("import host-log;", import).is_empty(),
        "it imported the types before, by what it uses of them"
    );
    let new_interface = "/// Asks.\n@since(version = 1.0.1)\ninterface asks {\n  /// Asks.\n  @since(version = 1.0.1)\n  ask: func();\n}\n/// A plugin.";
    let with_import = |text: &str| {
        text.replace("import host-log;", "import host-log;\n  @since(version = 1.0.1)\n  import asks;")
    };
    let current = with_import(
        &RELEASED.replace("plugin@1.0.0", "plugin@1.0.1").replace("/// A plugin.", new_interface),
    );
    let problems = check(folder(&current).path()).unwrap();
    assert!(problems.contains(&expected.replace("`types`", "`asks`")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.starts_with("interface `asks` is new, and a patch")));
}

#[test]
fn a_released_version_never_changes() {
    assert_eq!(check(folder(RELEASED).path()).unwrap(), [""; 0]);
    let changed = folder(&RELEASED.replace("/// Logs.", "/// Writes."));
    let expected = "`all.wit` differs from the released 1.0.0: raise the minor version";
    assert_eq!(check(changed.path()).unwrap(), [expected]);
    let older = folder(&RELEASED.replace("plugin@1.0.0", "plugin@1.1.0"));
    std::fs::rename(older.path().join("released/1.0.0"), older.path().join("released/1.2.0")).unwrap();
    assert!(check(older.path()).unwrap()[0].ends_with("1.2.0 holds version 1.0.0"));
    let released = older.path().join("released/1.2.0/all.wit");
    std::fs::write(released, RELEASED.replace("plugin@1.0.0", "plugin@1.2.0")).unwrap();
    assert_eq!(check(older.path()).unwrap(), ["version 1.2.0 was released, and this is 1.1.0"]);
}

#[test]
fn another_major_is_free() {
    let current = "package trellis:plugin@2.0.0;\ninterface other {}\n";
    assert_eq!(check(folder(current).path()).unwrap(), [""; 0]);
}

fn not_ready(folder: &Path, version: &str) -> Vec<String> {
    let error = freeze(folder, &version.parse().unwrap()).unwrap_err();
    let Error::NotReady { problems, .. } = error else { panic!("{error}") };
    problems
}

#[test]
fn a_version_is_frozen_once_and_whole() {
    let next = RELEASED.replace("plugin@1.0.0", "plugin@1.1.0");
    let folder = folder(&next);
    assert_eq!(not_ready(folder.path(), "1.2.0"), ["the package is version 1.1.0, not 1.2.0"]);
    let released = freeze(folder.path(), &"1.1.0".parse().unwrap()).unwrap();
    assert!(released.ends_with("released/1.1.0"));
    assert_eq!(std::fs::read_to_string(released.join("all.wit")).unwrap(), next);
    assert_eq!(check(folder.path()).unwrap(), [""; 0]);
    let again = not_ready(folder.path(), "1.1.0");
    assert!(again[0].ends_with("exists: a released version never changes"), "{again:?}");
}

#[test]
fn what_is_not_finished_is_not_released() {
    let unfinished = RELEASED
        .replace("plugin@1.0.0", "plugin@1.1.0")
        .replace("  /// Logs.\n  @since(version = 1.0.0)\n", "")
        .replace("/// Across.\n", "");
    let problems = not_ready(folder(&unfinished).path(), "1.1.0");
    assert_eq!(
        problems,
        [
            "`types.point.x` has no documentation",
            "`host-log.log` has no documentation",
            "`host-log.log` has no `@since`"
        ]
    );
    let early =
        RELEASED.replace("plugin@1.0.0", "plugin@0.9.0").replace("version = 1.0.0", "version = 0.9.0");
    let problems = not_ready(folder(&early).path(), "0.9.0");
    assert!(problems[0].contains("0.9.0 is no version that plugins can rely on"), "{problems:?}");
    let breaking = RELEASED.replace("plugin@1.0.0", "plugin@1.1.0").replace("x: f64,", "x: f32,");
    assert!(not_ready(folder(&breaking).path(), "1.1.0")[0].contains("`types.point` was"));
}
