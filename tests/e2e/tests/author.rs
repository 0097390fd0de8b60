//! An author outside the team, by the commands of the README.

use trellis_e2e::{Server, target_dir, trellis_as_author};

#[test]
fn five_commands_lead_from_an_empty_folder_to_a_scored_customer() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.import_cdnow();
    let author = |arguments: &[&str]| trellis_as_author(folder.path(), arguments);

    author(&["plugin", "new", "warmth", "--provides", "scoring"]).ok();
    let taken = author(&["plugin", "new", "warmth", "--provides", "scoring"]);
    assert!(taken.stderr.contains("warmth` exists already"), "{}", taken.stderr);
    let tested = author(&["plugin", "test", "warmth"]).ok();
    assert!(tested.contains("golden scoring: ok") && tested.contains("splitting held"), "{tested}");
    author(&["plugin", "build", "warmth"]).ok();
    let component = target_dir().join("plugins/warmth.wasm");
    let component = component.to_string_lossy();
    server.cli(&["plugin", "install", &component, "--enable", "--as-of", "1998-06-30"]).ok();
    let run = server.cli(&["plugin", "run", "warmth"]).ok();
    assert!(run.contains("warmth has decided for 2357 customers"), "{run}");

    let best =
        server.api().get("/api/v1/accounts?sort=-score.warmth__warmth&fields=score.warmth__warmth&limit=1");
    assert_eq!(best.ok()["data"][0]["score.warmth__warmth"], 100.0);
    let checked = author(&["plugin", "check", &component, "--json"]).ok();
    let checked: serde_json::Value = serde_json::from_str(&checked).unwrap();
    assert_eq!(
        (&checked["golden_cases"], checked["warnings"].as_array().map(Vec::len)),
        (&1.into(), Some(0))
    );
    let bench = author(&["plugin", "bench", &component, "--rows", "1000", "--json"]).ok();
    let bench: serde_json::Value = serde_json::from_str(&bench).unwrap();
    let score =
        bench.as_array().unwrap().iter().find(|figure| figure["function"] == "scoring.score").unwrap();
    assert!(score["fuel_per_row"].as_f64().unwrap() > 1.0, "{score}");
}
