use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value as Json, json};
use trellis_model::{FieldName, RecordId, Scope};
use trellis_records::{Caller, Config, DuplicateCheck, Error, Limits, ScanCounts, Write};

use crate::support::{World, name};

/// The FEBRL people of `examples/dedupe`.
struct People {
    world: World,
    /// Ids in the data by id of the record.
    rec_ids: BTreeMap<RecordId, String>,
    true_pairs: BTreeSet<(String, String)>,
    expected: Json,
}

fn data(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../examples/dedupe").join(file);
    std::fs::read_to_string(path).unwrap()
}

fn rows(file: &str) -> Vec<Vec<String>> {
    data(file)
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

async fn people() -> People {
    let world = World::new().await;
    let mut writes = Vec::new();
    let rows_of = rows("people.csv");
    for row in &rows_of {
        // Columns: rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id.
        let day = |text: &str| text.parse::<jiff::civil::Date>().ok().map(|date| date.to_string());
        let contact = json!({
            "name": row[0], "external_id": row[0], "first_name": row[1], "last_name": row[2], "street": row[4], "city": row[6],
            "postcode": row[7], "state": row[8], "birthday": day(&row[9]), "identity_number": row[10],
        });
        writes.push(world.create_of("contact", contact));
    }
    let mut rec_ids = BTreeMap::new();
    let mut labels = rows_of.iter().map(|row| row[0].clone());
    for batch in writes.chunks(200) {
        for written in world.records.write_batch(&world.caller, batch.to_vec()).await.unwrap() {
            rec_ids.insert(written.unwrap().record().unwrap().id, labels.next().unwrap());
        }
    }
    let true_pairs =
        rows("true_pairs.csv").into_iter().map(|row| sorted(row[0].clone(), row[1].clone())).collect();
    let expected = serde_json::from_str(&data("expected.json")).unwrap();
    People { world, rec_ids, true_pairs, expected }
}

fn sorted(a: String, b: String) -> (String, String) {
    if a < b { (a, b) } else { (b, a) }
}

async fn scan(world: &World, object: &str, rule: &str) -> (Vec<trellis_records::DuplicatePair>, ScanCounts) {
    let rule = FieldName::new(rule).unwrap();
    let mut scan = world.records.scan_duplicates(&name(object), &rule).unwrap();
    let mut pairs = Vec::new();
    while let Some(found) = scan.next(&world.records).await.unwrap() {
        pairs.extend(found);
    }
    (pairs, scan.counts())
}

#[tokio::test]
async fn the_shipped_rule_finds_the_known_duplicates_without_comparing_all_pairs() {
    let people = people().await;
    let (pairs, counts) = scan(&people.world, "contact", "identity").await;
    let label = |id: &RecordId| people.rec_ids[id].clone();
    let found: BTreeSet<_> = pairs.iter().map(|pair| sorted(label(&pair.a), label(&pair.b))).collect();
    assert_eq!(found.len(), pairs.len(), "each pair is found once");
    let right = found.intersection(&people.true_pairs).count() as f64;
    let (precision, recall) = (right / found.len() as f64, right / people.true_pairs.len() as f64);
    let f1 = 2.0 * precision * recall / (precision + recall);
    assert!(f1 >= 0.99, "F1 {f1}, precision {precision}, recall {recall}");

    // A few pairs more than in the reference share a block, since blocks leave spaces and punctuation out; all pairs are 499,500.
    let reference = people.expected["blocking_union"]["candidate_pairs"].as_u64().unwrap();
    assert!((reference..reference + reference / 50).contains(&counts.compared), "{counts:?}");
    assert_eq!((counts.pairs, counts.skipped_blocks), (pairs.len() as u64, 0));
    people.world.expect_clean().await;
}

#[tokio::test]
async fn a_search_finds_what_the_scan_finds() {
    let people = people().await;
    let (pairs, _) = scan(&people.world, "contact", "identity").await;
    let world = &people.world;
    for pair in pairs.iter().take(20) {
        let found =
            world.records.duplicates_of_record(&Scope::everything(), &name("contact"), pair.a).await.unwrap();
        let other = found.matches.iter().find(|found| found.id == pair.b).unwrap();
        assert_eq!((other.score, &other.matched_on), (pair.score, &pair.matched_on));
        assert!(found.compared < 100, "{found:?}");
    }
}

#[tokio::test]
async fn a_block_with_too_many_records_is_skipped_and_named() {
    let limits = Limits { block_rows_max: 3, ..Limits::default() };
    let world = World::with(Config { limits, ..Config::default() }).await;
    for number in 0..4 {
        world
            .create("account", json!({"name": "Acme Ltd", "phone": format!("+1 212 555 010{number}")}))
            .await;
    }
    let fields = world.fields("account", json!({"name": "ACME"}));
    let found =
        world.records.duplicates_of(&Scope::everything(), &name("account"), fields, None).await.unwrap();
    assert_eq!(found.matches, []);
    assert_eq!(found.skipped_blocks, [FieldName::new("name").unwrap()]);
    let (pairs, counts) = scan(&world, "account", "company_name").await;
    assert_eq!((pairs.len(), counts.skipped_blocks, counts.compared), (0, 1, 0));

    // With one less the block is within the limit.
    let gone = world.list("account", json!({"and": []}), "name").await.records[0].id;
    world.delete("account", gone).await;
    let (pairs, counts) = scan(&world, "account", "company_name").await;
    assert_eq!((pairs.len(), counts.skipped_blocks, counts.compared), (3, 0, 3));
}

#[tokio::test]
async fn match_keys_follow_the_record() {
    let world = World::new().await;
    let find = async |json: Json| {
        let fields = world.fields("account", json);
        let found =
            world.records.duplicates_of(&Scope::everything(), &name("account"), fields, None).await.unwrap();
        found.matches.into_iter().map(|found| (found.id, found.rule.to_string())).collect::<Vec<_>>()
    };
    let huawei = world.create("account", json!({"name": "华为技术有限公司"})).await.id;
    assert_eq!(find(json!({"name": "华为技术（中国）"})).await, [(huawei, "company_name".to_owned())]);
    world.update("account", huawei, json!({"name": "Huawei", "phone": "010-8888 9999"})).await.unwrap();
    assert_eq!(find(json!({"name": "华为技术"})).await, []);
    let reached = json!({"name": "huawei 2", "phone": "+86 10 88889999", "email": "a@b.cn"});
    assert_eq!(find(reached.clone()).await, []);
    world.update("account", huawei, json!({"email": "A@B.CN"})).await.unwrap();
    assert_eq!(find(reached.clone()).await, [(huawei, "reachability".to_owned())]);
    world.delete("account", huawei).await;
    assert_eq!(find(reached.clone()).await, []);
    world.records.restore(&world.caller, &name("account"), huawei).await.unwrap();
    assert_eq!(find(reached).await, [(huawei, "reachability".to_owned())]);
    world.expect_clean().await;
}

#[tokio::test]
async fn a_save_warns_and_says_what_the_record_looks_like() {
    let world = World::new().await;
    let first = world.create("contact", json!({"name": "张伟", "mobile": "13800138000"})).await.id;
    let check = DuplicateCheck::default();
    let twice = world.create_of("contact", json!({"name": "Zhang Wei", "mobile": "+86 138 0013 8000"}));
    let other = world.create_of("contact", json!({"name": "Li Na", "mobile": "+86 138 0013 8000"}));
    let written = world
        .records
        .write_batch_checked(&world.caller, vec![other, twice.clone()], &|_| Vec::new(), &check)
        .await
        .unwrap();
    assert!(written.iter().all(Result::is_ok));
    let found = check.found();
    assert_eq!(found.keys().collect::<Vec<_>>(), [&1]);
    assert_eq!((found[&1][0].id, found[&1][0].score), (first, 2.0));
    assert_eq!(found[&1][0].matched_on, ["name", "mobile"].map(|name| FieldName::new(name).unwrap()));

    // Who knows is not warned, and an import is not by default.
    let skipped = DuplicateCheck::skipped();
    world
        .records
        .write_batch_checked(&world.caller, vec![twice.clone()], &|_| Vec::new(), &skipped)
        .await
        .unwrap();
    assert!(skipped.found().is_empty());
    let mut job = Caller::system("test");
    job.cause.job = Some(first);
    let import = DuplicateCheck::default();
    world.records.write_batch_checked(&job, vec![twice], &|_| Vec::new(), &import).await.unwrap();
    assert!(import.found().is_empty());
}

#[tokio::test]
async fn a_change_of_what_is_not_compared_is_not_checked() {
    let world = World::new().await;
    let person = json!({"name": "John Smith", "email": "john@smith.example"});
    let first = world.create("contact", person.clone()).await.id;
    let second = world.create("contact", person).await.id;
    let check = async |changes: Json| {
        let (check, id) = (DuplicateCheck::default(), second);
        let changes = world.changes("contact", changes);
        let write = Write::Update { object: name("contact"), id, changes, expected_version: None };
        world
            .records
            .write_batch_checked(&world.caller, vec![write], &|_| Vec::new(), &check)
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        check.found().remove(&0).unwrap_or_default().into_iter().map(|found| found.id).collect::<Vec<_>>()
    };
    assert_eq!(check(json!({"title": "CEO"})).await, []);
    assert_eq!(check(json!({"email": "JOHN@smith.example"})).await, [first]);
}

#[tokio::test]
async fn a_scope_learns_of_no_duplicate_that_it_must_not_see() {
    let world = World::new().await;
    world.create("account", json!({"name": "Acme Ltd", "city": "Berlin"})).await;
    let filter =
        trellis_model::Filter::parse(&json!({"field": "city", "op": "eq", "value": "Paris"})).unwrap();
    let rows = trellis_model::RowAccess::Where(filter);
    let access = trellis_model::ObjectScope { rows, ..trellis_model::ObjectScope::everything() };
    let scope = Scope::everything().with(name("account"), access);
    let fields = world.fields("account", json!({"name": "ACME"}));
    let found = world.records.duplicates_of(&scope, &name("account"), fields.clone(), None).await.unwrap();
    assert_eq!(found.matches, []);
    let all =
        world.records.duplicates_of(&Scope::everything(), &name("account"), fields, None).await.unwrap();
    assert_eq!(all.matches.len(), 1);
}

#[tokio::test]
async fn a_rule_that_is_not_there_is_named() {
    let world = World::new().await;
    let rule = FieldName::new("nothing").unwrap();
    let error = world.records.scan_duplicates(&name("contact"), &rule).unwrap_err();
    assert!(matches!(error, Error::Query(_)) && error.to_string().contains("`nothing`"), "{error}");
}

/// A custom object without rules, with two records; then with a rule.
async fn machines(rules: Json) -> (World, [RecordId; 2], Json) {
    let world = World::new().await;
    let text = |name: &str| json!({"name": name, "label": {"en": name, "zh-CN": "字段"}, "type": "text"});
    let mut object = json!({
        "name": "machine", "plural": "machines", "title": "name",
        "label": {"en": "Machine", "zh-CN": "机器"}, "plural_label": {"en": "Machines", "zh-CN": "机器"},
        "fields": [text("name"), text("serial")],
    });
    world.shape(object.clone()).await;
    let first = world.create("machine", json!({"name": "Press", "serial": "A-1"})).await.id;
    let second = world.create("machine", json!({"name": "PRESS", "serial": "a 1"})).await.id;
    object["matching_rules"] = rules;
    (world, [first, second], object)
}

fn serial_rule(threshold: f64) -> Json {
    json!([{
        "name": "serial", "label": {"en": "Same serial", "zh-CN": "序列号相同"}, "threshold": threshold, "block_on": ["serial"],
        "compare": [{"field": "serial", "method": "normalised"}, {"field": "name", "method": "fuzzy"}],
    }])
}

#[tokio::test]
async fn a_new_rule_gets_match_keys_of_the_records_that_are_there() {
    let (world, [first, second], object) = machines(serial_rule(2.0)).await;
    world.apply(vec![object.clone()], &trellis_records::SchemaApply::default()).await.unwrap();
    let find = async || {
        world.records.duplicates_of_record(&Scope::everything(), &name("machine"), first).await.unwrap()
    };
    let found = find().await;
    assert_eq!((found.matches.len(), found.skipped_blocks.len()), (0, 1), "the keys are being built");
    world.build_all().await;
    let found = find().await;
    assert_eq!((found.matches[0].id, found.skipped_blocks.len()), (second, 0));
    world.expect_clean().await;
    // Another threshold needs no other keys; without the rule they go.
    let mut lower = object.clone();
    lower["matching_rules"] = serial_rule(1.0);
    world.apply(vec![lower], &trellis_records::SchemaApply::default()).await.unwrap();
    assert_eq!(world.records.pending_builds(), []);
    let mut without = object;
    without.as_object_mut().unwrap().remove("matching_rules");
    world.shape(without).await;
    world.expect_clean().await;
}

#[tokio::test]
async fn a_rule_that_contradicts_its_object_is_refused() {
    let refused = async |change: &dyn Fn(&mut Json)| {
        let mut rules = serial_rule(1.5);
        change(&mut rules[0]);
        let (world, _, object) = machines(rules).await;
        let applied = world.apply(vec![object], &trellis_records::SchemaApply::default()).await;
        applied.unwrap_err().to_string()
    };
    assert!(refused(&|rule| rule["threshold"] = json!(3)).await.contains("threshold 3"));
    assert!(refused(&|rule| rule["block_on"] = json!(["nothing"])).await.contains("`nothing`"));
    assert!(refused(&|rule| rule["compare"][0]["field"] = json!("nothing")).await.contains("`nothing`"));
    assert!(refused(&|rule| rule["compare"][0]["weight"] = json!(-1)).await.contains("weight -1"));
    assert!(refused(&|rule| rule["compare"][0]["field"] = json!("name")).await.contains("twice"));
}

#[tokio::test]
async fn a_rule_that_blocks_refuses_unless_the_caller_knows() {
    let (world, [first, second], mut object) = machines(serial_rule(2.0)).await;
    object["duplicate_rules"] =
        json!([{"matching_rule": "serial", "on_create": "block", "on_update": "warn"}]);
    world.shape(object).await;
    let again = json!({"name": "press", "serial": "A1"});
    match world.try_create("machine", again.clone()).await {
        Err(Error::DuplicateSuspected { duplicates, .. }) => {
            assert_eq!(
                duplicates.iter().map(|found| found.id).collect::<BTreeSet<_>>(),
                [first, second].into()
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.count("machine", json!({"and": []})).await, 2);
    let write = world.create_of("machine", again);
    world.records.write_checked(&world.caller, write, &DuplicateCheck::skipped()).await.unwrap();
    // Warned of, a pair is in the queue once it was looked at.
    world.update("machine", first, json!({"serial": "A 1"})).await.unwrap();
    let queue = Caller::system("test");
    assert_eq!(world.records.queue_suspects(&queue, 10).await.unwrap(), 1);
    assert_eq!(world.records.queue_suspects(&queue, 10).await.unwrap(), 0);
    assert_eq!(
        world.count("duplicate_pair", json!({"field": "state", "op": "eq", "value": "open"})).await,
        2
    );
    // A merge settles them.
    world.records.settle_pairs(&queue, &name("machine"), &[first]).await.unwrap();
    assert_eq!(
        world.count("duplicate_pair", json!({"field": "state", "op": "eq", "value": "open"})).await,
        0
    );
}
