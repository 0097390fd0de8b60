//! The main job: import purchases, segment the customers in a sandboxed plugin, read everything over HTTP.
//! Figures are those of `examples/cdnow/expected.json`, which other programs computed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_e2e::{Server, cdnow};

fn expected() -> Json {
    serde_json::from_str(&std::fs::read_to_string(cdnow("expected.json")).unwrap()).unwrap()
}

fn counts_of(json: &Json) -> BTreeMap<String, u64> {
    let counts = json.as_object().expect("counts by name");
    counts.iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect()
}

#[test]
fn purchases_become_the_segments_that_the_reference_has() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.import_cdnow();
    server.install("retail-rfm", "1997-09-30", "{}");
    let run = server.cli(&["plugin", "run", "retail-rfm"]).ok();
    assert!(run.contains("2357 customers"), "{run}");

    let (api, expected) = (server.api(), expected());
    for (method, name) in [("ntile", "ntile"), ("value_quantile", "quantile")] {
        let reference = &expected["rfm"][method];
        for dimension in ["R", "F", "M"] {
            let segmentation = format!("retail_rfm__{name}_{}", dimension.to_lowercase());
            assert_eq!(
                api.counts(&segmentation),
                counts_of(&reference["score_counts"][dimension]),
                "{segmentation}"
            );
        }
        assert_eq!(api.counts(&format!("retail_rfm__{name}_cell")), counts_of(&reference["cells"]), "{name}");
    }
    let classes = &expected["rfm_classes"];
    assert_eq!(api.counts("retail_rfm__class"), counts_of(&classes["eight_classes"]["counts"]));
    assert_eq!(api.counts("retail_rfm__value_matrix"), counts_of(&classes["value_matrix"]["counts"]));
    every_customer_has_its_scores(&server);
}

/// Reads every member of every score over HTTP and compares with `expected_customers.csv`.
fn every_customer_has_its_scores(server: &Server) {
    let api = server.api();
    let external_ids = external_ids(server);
    let table = std::fs::read_to_string(cdnow("expected_customers.csv")).unwrap();
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    for (segmentation, column) in [
        ("ntile_r", "ntile_R"),
        ("ntile_f", "ntile_F"),
        ("ntile_m", "ntile_M"),
        ("quantile_r", "vq_R"),
        ("quantile_f", "vq_F"),
        ("quantile_m", "vq_M"),
    ] {
        for score in 1..=5 {
            let mut members: Vec<String> =
                members(server, &format!("retail_rfm__{segmentation}"), &score.to_string())
                    .iter()
                    .map(|id| external_ids[id].clone())
                    .collect();
            let wanted = rows.iter().filter(|row| row[place(column)] == score.to_string());
            let mut wanted: Vec<String> = wanted.map(|row| row[0].to_owned()).collect();
            members.sort();
            wanted.sort();
            assert_eq!(members, wanted, "{segmentation} {score}");
        }
    }
    let best =
        json!({"filter": {"field": "segment.rfm", "op": "eq", "value": "important_value"}, "limit": 200});
    let page = api.post("/api/v1/accounts/search", &best).ok();
    assert_eq!(page["data"].as_array().unwrap().len(), 200);
}

fn external_ids(server: &Server) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    each_page(server, "/api/v1/accounts?limit=200&sort=external_id", |account| {
        let text = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
        ids.insert(text("id"), text("external_id"));
    });
    ids
}

fn members(server: &Server, segmentation: &str, value: &str) -> Vec<String> {
    let mut ids = Vec::new();
    each_page(server, &format!("/api/v1/segments/{segmentation}/{value}/members?limit=200"), |member| {
        ids.push(member["id"].as_str().unwrap_or_default().to_owned());
    });
    ids
}

fn each_page(server: &Server, path: &str, mut visit: impl FnMut(&Json)) {
    let api = server.api();
    let mut after = String::new();
    loop {
        let page = api.get(&format!("{path}{after}")).ok();
        page["data"].as_array().expect("a page has data").iter().for_each(&mut visit);
        match page["page"]["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return,
        }
    }
}

#[test]
fn importing_the_same_file_again_changes_nothing_and_equal_rows_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let first = server.import_cdnow();
    assert!(first.contains("6919 rows: 6919 created"), "{first}");
    let api = server.api();
    assert_eq!((api.total("orders"), api.total("accounts")), (6919, 2357));

    let text = std::fs::read_to_string(cdnow("cdnow_sample_transactions.csv")).unwrap();
    let mut occurrences: BTreeMap<&str, u32> = BTreeMap::new();
    text.lines().skip(1).for_each(|line| *occurrences.entry(line).or_default() += 1);
    assert_eq!(occurrences.values().filter(|count| **count > 1).count(), 19);

    let (end, changes) = order_changes_after(&server, "0");
    assert_eq!(changes, 6919);
    let second = server.import_cdnow();
    assert!(second.contains("6919 rows: 0 created, 0 updated, 6919 unchanged, 0 failed"), "{second}");
    assert_eq!((api.total("orders"), api.total("accounts")), (6919, 2357));
    assert_eq!(order_changes_after(&server, &end).1, 0);
}

/// Reads the change feed from a cursor to its end: the cursor of the end, and how many changes of orders came.
fn order_changes_after(server: &Server, cursor: &str) -> (String, usize) {
    let (api, mut cursor, mut count) = (server.api(), cursor.to_owned(), 0);
    loop {
        let page = api.get(&format!("/api/v1/changes?after={cursor}&limit=1000")).ok();
        let changes =
            page["data"].as_array().unwrap().iter().filter_map(|entry| entry["changes"].as_array()).flatten();
        count += changes.filter(|change| change["object"] == "order").count();
        cursor = page["page"]["next"].as_str().unwrap().to_owned();
        if page["page"]["more"] == false {
            return (cursor, count);
        }
    }
}

#[test]
fn a_file_with_broken_rows_loads_the_others_and_names_each_bad_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let file = folder.path().join("broken.csv");
    let rows = "customer_id,master_id,date,cds,amount\n1,4,1997-01-01,2,29.33\n1,4,1997-13-01,2,29.33\n2,5,1997-01-02,two,29.33\n\
                3,6,1997-01-03,1,29.333\n4,7,1997-01-04,1\n5,8,1997-01-05,1,14.96\n";
    std::fs::write(&file, rows).unwrap();
    let map = cdnow("orders.toml");
    let import = server.cli(&["import", "order", &file.to_string_lossy(), "--map", &map.to_string_lossy()]);
    assert_eq!(import.code, Some(3), "{}{}", import.stdout, import.stderr);
    assert!(
        import.stdout.contains("6 rows: 2 created, 0 updated, 0 unchanged, 4 failed"),
        "{}",
        import.stdout
    );
    for line in [
        "line 3, column date: `1997-13-01`",
        "line 4, column cds: `two`",
        "line 5, column amount: `29.333`",
        "line 6",
    ] {
        assert!(import.stderr.contains(line), "{line} is not in\n{}", import.stderr);
    }
    assert_eq!(server.api().total("orders"), 2);
}

#[test]
fn without_a_token_nothing_is_answered_but_health() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let anonymous = server.anonymous();
    assert_eq!(anonymous.get("/api/v1/accounts").status, 401);
    assert_eq!(anonymous.post("/api/v1/accounts", &json!({})).status, 401);
    assert_eq!(anonymous.get("/api/v1/health").status, 200);
    assert_eq!(server.api().get("/api/v1/accounts").status, 200);
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(server.data().join("admin-token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = server.cli(&["token", "create", "--label", "test"]).ok();
    assert!(token.trim().starts_with("trellis_"), "{token}");
}

#[test]
fn a_stop_and_a_start_keep_everything() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    server.import_cdnow();
    server.install("retail-rfm", "1997-09-30", "{}");
    server.cli(&["plugin", "run", "retail-rfm"]).ok();
    let before = server.api().counts("retail_rfm__class");
    server.stop();
    let server = Server::start(&data);
    assert_eq!(server.api().counts("retail_rfm__class"), before);
    assert_eq!(server.api().total("orders"), 6919);
    server.cli(&["plugin", "run", "retail-rfm"]).ok();
    assert_eq!(server.api().counts("retail_rfm__class"), before);
    server.stop();
    trellis_e2e::trellis(["verify", "--data", &data.to_string_lossy()]).ok();
}
