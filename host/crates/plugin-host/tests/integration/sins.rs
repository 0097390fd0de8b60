//! How many ways of doing wrong the hostile guests know: what `SINS.md` lists is in the guest and in a test, and the other way round.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A language that has a hostile guest.
struct Language {
    /// Its heading in the list.
    heading: &'static str,
    /// The folder of the guest's sources.
    sources: &'static str,
    /// How many sins it has at least.
    sins_min: usize,
}

const LANGUAGES: [Language; 3] = [
    Language { heading: "Rust", sources: "tests/guests/hostile/src", sins_min: 100 },
    Language { heading: "JavaScript", sources: "tests/guests/hostile-js", sins_min: 40 },
    Language { heading: "Python", sources: "tests/guests/hostile-python", sins_min: 35 },
];
const EXTENSIONS: [&str; 3] = ["rs", "js", "py"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// The text of all sources in a folder.
fn sources(folder: &Path) -> String {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_source =
        |path: &PathBuf| EXTENSIONS.iter().any(|known| path.extension().is_some_and(|e| e == *known));
    let own = Path::new(file!()).file_name();
    let paths = paths.filter(|path| is_source(path) && path.file_name() != own);
    paths.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The names in the second column of the tables below a heading.
fn listed(list: &str, heading: &str) -> BTreeSet<String> {
    let section = list.split("\n## ").find(|section| section.lines().next() == Some(heading)).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(1));
    let names =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    // Components that are written by hand are named by their file.
    names.filter(|name| !name.contains('.')).collect()
}

/// The names in the constants of the Rust guest.
fn declared(source: &str) -> BTreeSet<String> {
    let constants = source.split("SINS: [").skip(1).filter_map(|rest| rest.split("];").next());
    let texts = constants.flat_map(|list| list.split('"').skip(1).step_by(2));
    // Beside the names stand the calls that commit them, in words.
    let is_name = |text: &&str| {
        text.contains('-') && !text.contains([' ', '.']) || ["loop", "memory", "trap", "stack"].contains(text)
    };
    let interfaces = ["service-workflow", "record-hook", "campaign-rules"];
    texts.filter(is_name).filter(|text| !interfaces.contains(text)).map(str::to_owned).collect()
}

#[test]
fn every_sin_is_listed_committed_and_tested() {
    let list = std::fs::read_to_string(root().join("tests/guests/hostile/SINS.md")).unwrap();
    let tests = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration"));
    for Language { heading, sources: folder, sins_min } in LANGUAGES {
        let sins = listed(&list, heading);
        assert!(sins.len() >= sins_min, "{heading}: {} sins", sins.len());
        let guest = sources(&root().join(folder));
        for sin in &sins {
            let in_code = sin.replace('-', "_");
            let commits = [format!("\"{sin}\""), format!(" {sin}:"), format!("def {in_code}(")];
            assert!(commits.iter().any(|name| guest.contains(name)), "{heading}: no guest commits `{sin}`");
            assert!(tests.contains(&format!("\"{sin}\"")), "{heading}: no test commits `{sin}`");
        }
    }
    let rust = sources(&root().join("tests/guests/hostile/src"));
    let unlisted: Vec<_> = declared(&rust).difference(&listed(&list, "Rust")).cloned().collect();
    assert!(unlisted.is_empty(), "SINS.md does not list {unlisted:?}");
}
