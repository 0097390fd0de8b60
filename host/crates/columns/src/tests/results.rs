//! Generations from their first block to the way back, through restarts and crashes.

use serde_json::{Value as Json, json};
use trellis_model::{Filter, ObjectScope, Op, Path, PluginId, RowAccess, Scope, TextColumn, Validity};
use trellis_records::{DerivedFields, DerivedValue, Query};

use super::company::{Company, codes, definition, flip_request, name, run_id, segmentation_name};
use crate::generation::GenerationId;
use crate::{
    AsOf, CodesColumn, Config, Delta, DeltaOutcome, Error, Origin, ResultColumn, TransitionCounts,
    TransitionsWanted,
};

const RFM: &str = "retail_rfm__class";

async fn company(accounts: usize) -> Company {
    let company = Company::new().await;
    company.accounts(accounts).await;
    company.columns.define(definition(RFM)).await.unwrap();
    company
}

impl Company {
    /// Stores, flips and writes transitions.
    async fn run(&self, number: u8, values: &[i32], baseline: bool) -> (GenerationId, TransitionCounts) {
        let generation = self.generation(run_id(number), &[(RFM, &codes(values))]).await;
        self.columns.flip(generation, flip_request(run_id(number), baseline)).await.unwrap();
        let counts = self.columns.transitions(generation, &Origin::system("test")).await.unwrap();
        (generation, counts)
    }

    /// The codes that readers see: -1 is null.
    fn seen(&self, rows: u64) -> Vec<i32> {
        let value = |ordinal| self.columns.value_of(&Scope::everything(), RFM, ordinal);
        let code = |value: Option<String>| match value.as_deref() {
            None => -1,
            Some("low") => 0,
            Some("middle") => 1,
            Some("high") => 2,
            Some(other) => panic!("unknown value {other}"),
        };
        (0..rows).map(|ordinal| code(value(ordinal))).collect()
    }
}

#[tokio::test]
async fn a_generation_is_seen_after_its_flip_and_after_a_restart() {
    let company = company(5).await;
    let generation = company.generation(run_id(1), &[(RFM, &codes(&[0, 1, -1, 2, 2]))]).await;
    assert_eq!(company.seen(5), [-1; 5]);
    let head = company.records.log_head();
    let flipped = company.columns.flip(generation, flip_request(run_id(1), true)).await.unwrap();
    assert_eq!(flipped.outputs[0].previous, None);
    assert_eq!(flipped.log_number, head + 1);
    assert_eq!(company.seen(5), [0, 1, -1, 2, 2]);
    let entries = company.events(head, "run.flipped").await;
    let expected = json!({
        "run": run_id(1).to_string(), "generation": generation.0, "baseline": true, "as_of": "now", "details": {},
        "segmentations": [{"name": RFM, "previous": null, "members": 4}], "scores": [],
    });
    assert_eq!(entries, [expected]);

    let company = company.restart().await;
    assert_eq!(company.seen(5), [0, 1, -1, 2, 2]);
    let info = company.columns.segmentation(RFM).unwrap();
    assert_eq!(info.counts.iter().map(|count| count.count).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!((info.null_count, info.stale, info.damaged.clone()), (1, false, None));
    let current = info.current.unwrap();
    assert_eq!((current.generation, current.run, current.as_of), (generation, run_id(1), AsOf::Now));
    company.assert_clean().await;
}

#[tokio::test]
async fn a_baseline_run_is_one_entry_and_later_runs_name_who_moved() {
    let company = company(5).await;
    let head = company.records.log_head();
    let (first, counts) = company.run(1, &[0, 1, -1, 2, 2], true).await;
    assert_eq!(counts, TransitionCounts { entered: 4, left: 0, changed: 0, entries: 1 });
    assert_eq!(company.events(head, "segment.changed").await, [] as [Json; 0]);
    let summary = company.events(head, "segment.baseline").await;
    assert_eq!(summary[0]["segmentations"][0]["members"], json!({"low": 1, "middle": 1, "high": 2}));

    let head = company.records.log_head();
    let (second, counts) = company.run(2, &[1, 1, 0, -1, 2], false).await;
    assert_eq!(counts, TransitionCounts { entered: 1, left: 1, changed: 1, entries: 1 });
    let expected = json!({
        "segmentation": RFM, "object": "account", "run": run_id(2).to_string(), "generation": second.0,
        "previous": first.0, "values": ["low", "middle", "high"], "changes": [[0, 1, 2], [2, 0, 1], [3, 3, 0]],
    });
    assert_eq!(company.events(head, "segment.changed").await, [expected]);
    assert_eq!(company.columns.pending_transitions(), []);
    let again = company.columns.transitions(second, &Origin::system("test")).await.unwrap();
    assert_eq!(again, TransitionCounts::default());
}

#[tokio::test]
async fn a_run_that_changes_nothing_has_no_transitions() {
    let company = company(3).await;
    company.run(1, &[0, 1, 2], true).await;
    assert_eq!(company.run(2, &[0, 1, 2], false).await.1, TransitionCounts::default());
    company.assert_clean().await;
}

#[tokio::test]
async fn transitions_go_on_after_a_crash_and_tell_each_change_once() {
    let company = company(5_000).await;
    let before: Vec<i32> = (0..5_000).map(|row| row % 3).collect();
    let after: Vec<i32> = (0..5_000).map(|row| (row / 2) % 4 - 1).collect();
    company.run(1, &before, true).await;
    let generation = company.generation(run_id(2), &[(RFM, &codes(&after))]).await;
    let head = company.records.log_head();
    company.columns.flip(generation, flip_request(run_id(2), false)).await.unwrap();

    // The process dies after the first entry: the future is dropped once the log has grown.
    let origin = Origin::system("test");
    {
        let mut writing = std::pin::pin!(company.columns.transitions(generation, &origin));
        let mut watch = company.records.log_watch();
        while company.records.log_head() < head + 2 {
            tokio::select! { biased; _ = watch.changed() => {} _ = &mut writing => break }
        }
    }
    let company = company.restart().await;
    // A single result that comes later is told by itself, and not again.
    let delta = Delta { ordinal: 4_999, value: (after[4_999] != 2).then(|| "high".to_owned()) };
    company.columns.put_delta(generation, RFM, &[delta], &origin).await.unwrap();
    for generation in company.columns.pending_transitions() {
        company.columns.transitions(generation, &origin).await.unwrap();
    }
    let mut told = vec![Vec::new(); 5_000];
    for entry in company.events(head, "segment.changed").await {
        for change in entry["changes"].as_array().unwrap() {
            let number = |place: usize| change[place].as_i64().unwrap();
            told[number(0) as usize].push((entry["previous"].is_null(), number(1) - 1, number(2) - 1));
        }
    }
    for (row, told) in told.iter().enumerate() {
        let (before, after) = (i64::from(before[row]), i64::from(after[row]));
        let of_flip: Vec<_> =
            told.iter().filter(|(delta, ..)| !delta).map(|(_, from, to)| (*from, *to)).collect();
        let expected = if before == after { vec![] } else { vec![(before, after)] };
        assert_eq!(of_flip, expected, "customer {row}");
    }
    assert_eq!(told[4_999].iter().filter(|(delta, ..)| *delta).count(), 1);
    company.assert_clean().await;
}

#[tokio::test]
async fn rolling_back_and_forward_is_flipping() {
    let company = company(3).await;
    let (first, _) = company.run(1, &[0, 1, 2], true).await;
    let (second, _) = company.run(2, &[2, 1, 0], false).await;
    let names = [segmentation_name(RFM)];
    let flipped = company.columns.roll_back(&names, flip_request(run_id(3), false)).await.unwrap();
    assert_eq!((flipped[0].generation, flipped[0].outputs[0].previous), (first, Some(second)));
    assert_eq!(company.seen(3), [0, 1, 2]);
    assert_eq!(company.columns.segmentation(RFM).unwrap().current.unwrap().run, run_id(1));
    let error = company.columns.roll_back(&names, flip_request(run_id(3), false)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("`{RFM}` has no earlier generation"));
    let company = company.restart().await;
    company.columns.flip(second, flip_request(run_id(4), false)).await.unwrap();
    assert_eq!(company.seen(3), [2, 1, 0]);
    let head = company.records.log_head();
    let counts = company.columns.transitions(second, &Origin::system("test")).await.unwrap();
    assert_eq!((counts.changed, company.events(head, "segment.changed").await.len()), (2, 1));
    company.assert_clean().await;
}

#[tokio::test]
async fn deltas_supersede_blocks_and_belong_to_their_generation() {
    let company = company(4).await;
    let origin = Origin::system("test");
    let (first, _) = company.run(1, &[0, 1, 2, -1], true).await;
    let delta = |ordinal, value: Option<&str>| Delta { ordinal, value: value.map(Into::into) };
    let head = company.records.log_head();
    let deltas = [delta(0, Some("high")), delta(1, Some("middle")), delta(2, None)];
    let outcome = company.columns.put_delta(first, RFM, &deltas, &origin).await.unwrap();
    assert_eq!(outcome, DeltaOutcome::Written { changed: 2 });
    assert_eq!(company.events(head, "segment.changed").await[0]["changes"], json!([[0, 1, 3], [2, 3, 0]]));
    assert_eq!(company.seen(4), [2, 1, -1, -1]);

    // Before the flip the next generation takes deltas without telling.
    let second = company.generation(run_id(2), &[(RFM, &codes(&[1, 1, 1, 1]))]).await;
    let head = company.records.log_head();
    company.columns.put_delta(second, RFM, &[delta(3, Some("low"))], &origin).await.unwrap();
    assert_eq!((company.records.log_head(), company.seen(4)), (head, vec![2, 1, -1, -1]));
    company.columns.flip(second, flip_request(run_id(2), false)).await.unwrap();
    company.columns.transitions(second, &origin).await.unwrap();
    assert_eq!(company.seen(4), [1, 1, 1, 0]);
    let late = company.columns.put_delta(first, RFM, &[delta(0, None)], &origin).await.unwrap();
    assert_eq!(late, DeltaOutcome::Superseded);

    let company = company.restart().await;
    assert_eq!(company.seen(4), [1, 1, 1, 0]);
    company.columns.roll_back(&[segmentation_name(RFM)], flip_request(run_id(3), false)).await.unwrap();
    assert_eq!(company.seen(4), [2, 1, -1, -1]);
    let error = company.columns.put_delta(first, RFM, &[delta(0, Some("none"))], &origin).await.unwrap_err();
    assert_eq!(error.to_string(), format!("segmentation `{RFM}` has no value `none`"));
    company.assert_clean().await;
}

#[tokio::test]
async fn many_deltas_are_folded_into_blocks() {
    let company = Company::with(Config { deltas_max: 10, ..Config::default() }).await;
    company.accounts(5_000).await;
    company.columns.define(definition(RFM)).await.unwrap();
    let values: Vec<i32> = (0..5_000).map(|row| row % 3).collect();
    let (generation, _) = company.run(1, &values, true).await;
    let deltas: Vec<Delta> = (0..5_000).step_by(3).map(|ordinal| Delta { ordinal, value: None }).collect();
    company.columns.put_delta(generation, RFM, &deltas, &Origin::system("test")).await.unwrap();
    let expected: Vec<i32> = (0..5_000).map(|row| if row % 3 == 0 { -1 } else { row % 3 }).collect();
    assert_eq!(company.seen(5_000), expected);
    company.assert_clean().await;
    let prefix = [crate::KeyKind::Delta as u8];
    let left = company.store.scan(trellis_storage::ScanRange::prefix(&prefix), 10).await.unwrap();
    assert_eq!(left.rows, []);
    let company = company.restart().await;
    assert_eq!(company.seen(5_000), expected);
    let counts: Vec<u64> =
        company.columns.segmentation(RFM).unwrap().counts.iter().map(|count| count.count).collect();
    assert_eq!(counts, [0, 1_667, 1_666]);
}

#[tokio::test]
async fn a_crash_before_the_flip_leaves_the_old_generation_and_no_rubbish() {
    let company = company(3).await;
    let (first, _) = company.run(1, &[0, 1, 2], true).await;
    let unflipped = company.generation(run_id(2), &[(RFM, &codes(&[2, 2, 2]))]).await;
    let company = company.restart().await;
    assert_eq!(company.seen(3), [0, 1, 2]);
    let error = company.columns.flip(unflipped, flip_request(run_id(2), false)).await.unwrap_err();
    assert!(matches!(error, Error::UnknownGeneration { .. }), "{error}");
    let blocks = company.store.scan(trellis_storage::ScanRange::prefix(&[crate::KeyKind::Block as u8]), 10);
    assert_eq!(blocks.await.unwrap().rows.len(), 1);
    // Its number is not given again.
    let next = company.generation(run_id(3), &[(RFM, &codes(&[2, 2, 2]))]).await;
    assert!(next > unflipped && unflipped > first);
    company.columns.discard(next).await.unwrap();
    assert!(company.columns.discard(first).await.is_err());
    company.assert_clean().await;
}

#[tokio::test]
async fn only_some_generations_are_kept() {
    let company = company(3).await;
    let mut generations = Vec::new();
    for number in 1..=6 {
        generations.push(company.run(number, &[i32::from(number) % 3, 1, 2], false).await.0);
    }
    let kept: Vec<_> = generations[3..].iter().rev().copied().collect();
    assert_eq!(company.columns.segmentation(RFM).unwrap().kept, kept);
    for kind in [crate::KeyKind::Generation, crate::KeyKind::Block] {
        let rows =
            company.store.scan(trellis_storage::ScanRange::prefix(&[kind as u8]), 100).await.unwrap().rows;
        assert_eq!(rows.len(), 3, "{kind:?}");
    }
    let company = company.restart().await;
    assert_eq!(company.columns.segmentation(RFM).unwrap().kept, kept);
    company.assert_clean().await;
}

#[tokio::test]
async fn a_damaged_block_is_named_and_the_rest_works() {
    let company = company(3).await;
    company.columns.define(definition("other__class")).await.unwrap();
    let values = codes(&[0, 1, 2]);
    let generation = company.generation(run_id(1), &[(RFM, &values), ("other__class", &values)]).await;
    company.columns.flip(generation, flip_request(run_id(1), true)).await.unwrap();
    let prefix = [crate::KeyKind::Block as u8];
    let rows = company.store.scan(trellis_storage::ScanRange::prefix(&prefix), 1).await.unwrap().rows;
    let mut set = trellis_storage::WriteSet::new();
    set.delete(rows[0].key.to_vec());
    company.store.commit(set).await.unwrap();
    let report = company.columns.check().await.unwrap();
    assert!(report.differences[0].contains("0 blocks with 0 members"), "{:?}", report.differences);
    let company = company.restart().await;
    let damaged = company.columns.segmentation(RFM).unwrap().damaged.clone().unwrap();
    assert!(damaged.contains("generation 1"), "{damaged}");
    assert_eq!(company.columns.value_of(&Scope::everything(), "other__class", 2), Some("high".into()));
}

#[tokio::test]
async fn members_are_paged_within_the_scope_without_deleted_ones() {
    let company = company(10).await;
    let accounts =
        company.columns.ensure_population(company.records.schema().object("account").unwrap().id).await;
    assert_eq!(accounts.unwrap().live(), 10);
    company.run(1, &[2, 0, 2, 2, 0, 2, 2, 0, 2, 2], true).await;
    let all = Scope::everything();
    let ordinals = async |scope: &Scope, after, rows| {
        let page = company.columns.members(scope, RFM, "high", after, rows).await.unwrap();
        (page.members.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<_>>(), page.next, page.total)
    };
    assert_eq!(ordinals(&all, None, 3).await, (vec![0, 2, 3], Some(3), Some(7)));
    assert_eq!(ordinals(&all, Some(3), 4).await, (vec![5, 6, 8, 9], None, Some(7)));
    let page = company.columns.members(&all, RFM, "high", None, 1).await.unwrap();
    let caller = trellis_records::Caller::system("test");
    company.records.delete(&caller, &name("account"), page.members[0].1, None).await.unwrap();
    company.columns.catch_up().await.unwrap();
    assert_eq!(ordinals(&all, None, 3).await, (vec![2, 3, 5], Some(5), Some(6)));
    assert_eq!(company.columns.segmentation(RFM).unwrap().null_count, 0);

    let some = Filter::compare("name", Op::In, json!(["Customer 3", "Customer 4", "Customer 9"])).unwrap();
    let with =
        |rows| Scope::everything().with(name("account"), ObjectScope { rows, ..ObjectScope::everything() });
    assert_eq!(ordinals(&with(RowAccess::Where(some)), None, 3).await, (vec![3, 9], None, None));
    assert_eq!(ordinals(&with(RowAccess::Nothing), None, 3).await, (vec![], None, Some(0)));
    assert!(company.columns.members(&Scope::nothing(), RFM, "high", None, 3).await.is_err());
    assert_eq!(company.columns.value_of(&Scope::nothing(), RFM, 1), None);
}

#[tokio::test]
async fn who_moved_since_the_run_before_is_told_within_the_scope() {
    let company = company(6).await;
    let accounts = company.records.schema().object("account").unwrap().id;
    company.columns.ensure_population(accounts).await.unwrap();
    let all = Scope::everything();
    let moved = async |scope: &Scope, wanted, after, rows| {
        let page = company.columns.transitions_of(scope, RFM, wanted, after, rows).await.unwrap();
        let moves = page.transitions.iter().map(|one| (one.ordinal, one.before.clone(), one.value.clone()));
        (moves.collect::<Vec<_>>(), page)
    };
    let everyone = TransitionsWanted::default();
    company.run(1, &[0, 0, 1, 2, -1, 2], true).await;
    let (moves, page) = moved(&all, everyone, None, 10).await;
    assert_eq!((moves.len(), page.previous, page.counts.len()), (0, None, 0));

    let (generation, _) = company.run(2, &[0, 1, 1, 1, 2, -1], false).await;
    let text = |value: &str| Some(value.to_owned());
    let (moves, page) = moved(&all, everyone, None, 2).await;
    assert_eq!(moves, [(1, text("low"), text("middle")), (3, text("high"), text("middle"))]);
    assert_eq!((page.previous.unwrap().run, page.next, page.total), (run_id(1), Some(3), Some(4)));
    let counts: Vec<_> =
        page.counts.iter().map(|one| (one.before.as_deref(), one.value.as_deref(), one.count)).collect();
    let expected = [
        (None, Some("high"), 1),
        (Some("low"), Some("middle"), 1),
        (Some("high"), None, 1),
        (Some("high"), Some("middle"), 1),
    ];
    assert_eq!(counts, expected);
    let (moves, page) = moved(&all, everyone, page.next, 2).await;
    assert_eq!((moves.len(), page.next), (2, None));
    let entered = TransitionsWanted { entered: Some(Some("middle")), left: None };
    assert_eq!(moved(&all, entered, None, 10).await.1.total, Some(2));
    let both = TransitionsWanted { entered: Some(Some("middle")), left: Some(Some("high")) };
    assert_eq!(moved(&all, both, None, 10).await.0, [(3, text("high"), text("middle"))]);

    // One who is evaluated again has moved, too; one who is deleted has not.
    let again = [Delta { ordinal: 0, value: text("high") }];
    company.columns.put_delta(generation, RFM, &again, &Origin::system("test")).await.unwrap();
    let (moves, page) = moved(&all, everyone, None, 1).await;
    assert_eq!((moves, page.total), (vec![(0, text("low"), text("high"))], Some(5)));
    let caller = trellis_records::Caller::system("test");
    company.records.delete(&caller, &name("account"), page.transitions[0].id, None).await.unwrap();
    company.columns.catch_up().await.unwrap();
    assert_eq!(moved(&all, everyone, None, 10).await.1.total, Some(4));

    let some = Filter::compare("name", Op::Eq, json!("Customer 3")).unwrap();
    let with =
        |rows| Scope::everything().with(name("account"), ObjectScope { rows, ..ObjectScope::everything() });
    let (moves, page) = moved(&with(RowAccess::Where(some)), everyone, None, 10).await;
    assert_eq!((moves.len(), page.total, page.counts.len()), (1, None, 0));
    assert_eq!(moved(&with(RowAccess::Nothing), everyone, None, 10).await.0, []);
    let hidden = company.columns.transitions_of(&Scope::nothing(), RFM, everyone, None, 1).await;
    assert!(matches!(hidden, Err(Error::UnknownSegmentation { .. })), "{hidden:?}");
    let unknown = TransitionsWanted { entered: Some(Some("nobody")), left: None };
    let unknown = company.columns.transitions_of(&all, RFM, unknown, None, 1).await;
    assert!(matches!(unknown, Err(Error::UnknownValue { .. })), "{unknown:?}");
}

#[tokio::test]
async fn segments_are_filtered_like_fields() {
    let company = company(6).await;
    company.run(1, &[0, 1, 2, -1, 0, 1], true).await;
    let object = company.records.schema().object("account").unwrap().id;
    let path = Path::parse(&format!("segment.{RFM}")).unwrap();
    let derived: &dyn DerivedFields = company.columns.as_ref();
    let check = |op, value: Json, expected: &[u64]| {
        assert_eq!(
            derived.matching(object, &path, op, &value, None, 10).as_deref(),
            Some(expected),
            "{op:?} {value}"
        );
    };
    check(Op::Eq, json!("low"), &[0, 4]);
    check(Op::Eq, json!("nothing"), &[]);
    check(Op::Eq, Json::Null, &[]);
    check(Op::Ne, json!("low"), &[1, 2, 5]);
    check(Op::In, json!(["low", "high"]), &[0, 2, 4]);
    check(Op::Nin, json!(["low", "high"]), &[1, 5]);
    check(Op::Nin, json!(["low", null]), &[]);
    check(Op::Null, json!(true), &[3]);
    check(Op::Null, json!(false), &[0, 1, 2, 4, 5]);
    assert_eq!(derived.matching(object, &path, Op::Gt, &json!("low"), None, 10), None);
    assert_eq!(derived.matching(object, &path, Op::Null, &json!(false), Some(1), 2), Some(vec![2, 4]));
    assert_eq!(derived.value(object, &path, 1), Some(DerivedValue::Text("middle".into())));
    assert_eq!(derived.value(object, &path, 3), None);
    assert!(derived.knows(object, &path) && !derived.knows(object, &Path::parse("segment.nothing").unwrap()));

    company.records.set_derived(company.columns.clone());
    let filter = Filter::compare(&format!("segment.{RFM}"), Op::Eq, "low").unwrap();
    let page =
        company.records.list(&Scope::everything(), &Query { filter, ..Query::new(name("account")) }).await;
    let ordinals: Vec<_> = page.unwrap().records.iter().filter_map(|record| record.ordinal).collect();
    assert_eq!(ordinals, [0, 4]);
}

#[tokio::test]
async fn a_definition_grows_and_never_shrinks() {
    let company = company(2).await;
    let columns = &company.columns;
    company.run(1, &[2, 0], true).await;
    let head = company.records.log_head();
    columns.define(definition(RFM)).await.unwrap();
    assert_eq!(company.records.log_head(), head, "the same again writes nothing");

    let mut grown = definition(RFM);
    grown.values.remove(0);
    grown.values[1].name = "top".into();
    grown.aliases = vec![segmentation_name("rfm")];
    let info = columns.define(grown).await.unwrap();
    let names: Vec<_> = info.definition.values.iter().map(|value| value.name.as_str()).collect();
    assert_eq!(names, ["low", "middle", "high", "top"]);
    assert_eq!(columns.value_of(&Scope::everything(), "rfm", 0), Some("high".into()));

    company.assert_clean().await;

    let mut other = definition("other__class");
    other.aliases = vec![segmentation_name("rfm")];
    let error = columns.define(other.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the name `rfm` belongs to `{RFM}`"));
    let mut moved = definition(RFM);
    moved.object = name("contact");
    assert!(matches!(columns.define(moved).await.unwrap_err(), Error::InvalidSegmentation { .. }));
    other.values.clear();
    let error = columns.define(other).await.unwrap_err();
    assert_eq!(error.to_string(), "segmentation `other__class`: 0 values, expected 1 to 1000");

    let segments = company.records.list(&Scope::everything(), &Query::new(name("segment"))).await.unwrap();
    assert_eq!(segments.records.len(), 4);
    let company = company.restart().await;
    assert_eq!(company.columns.segmentation("rfm").unwrap().definition, info.definition);
    company.columns.set_stale(&PluginId::new("retail-rfm").unwrap()).await.unwrap();
    let company = company.restart().await;
    assert!(company.columns.segmentation("rfm").unwrap().stale);
}

#[tokio::test]
async fn rows_that_do_not_fit_are_refused() {
    let company = company(3).await;
    let values: TextColumn = ["low", "nothing"].into_iter().collect();
    let all = Validity::all();
    let check = |ordinals: &[u64], codes: &[u32], message: &str| {
        let mut writer = company.columns.begin(run_id(1), &[segmentation_name(RFM)]).unwrap();
        let column = |codes| ResultColumn::Codes(CodesColumn { codes, valid: &all, values: &values });
        writer.append(&[0], &[column(&[0])]).unwrap();
        let error = writer.append(ordinals, &[column(codes)]).unwrap_err();
        assert_eq!(error.to_string(), message.replace("RUN", &run_id(1).to_string()));
    };
    check(&[0], &[0], "results of run RUN: ordinals are not ascending at 0");
    check(&[2, 1], &[0, 0], "results of run RUN: ordinals are not ascending at 2");
    check(&[1, 5_000], &[0, 0], "results of run RUN: ordinal 5000 was never handed out");
    check(&[1, 2], &[0], "results of run RUN: column `retail_rfm__class` has not 2 rows");
    check(&[1], &[7], "results of run RUN: column `retail_rfm__class` has a code past its values");
    check(&[1], &[1], "segmentation `retail_rfm__class` has no value `nothing`");
    let names = [segmentation_name(RFM), segmentation_name(RFM)];
    assert!(company.columns.begin(run_id(1), &names).unwrap_err().to_string().ends_with("is there twice"));
    let error = company.columns.begin(run_id(1), &[segmentation_name("nothing")]).unwrap_err();
    assert_eq!(error.to_string(), "there is no segmentation or score `nothing`");
}

#[tokio::test]
async fn more_than_255_values_take_two_bytes() {
    let company = company(3_000).await;
    let mut wide = definition("wide__class");
    let value = wide.values[0].clone();
    wide.values = (0..600)
        .map(|number| crate::ValueDefinition { name: format!("v{number}"), ..value.clone() })
        .collect();
    company.columns.define(wide).await.unwrap();
    let values: TextColumn = (0..600).map(|number| format!("v{number}")).collect();
    let codes: Vec<u32> = (0..3_000).map(|row| row % 600).collect();
    let ordinals: Vec<u64> = (0..3_000).collect();
    let mut writer = company.columns.begin(run_id(1), &[segmentation_name("wide__class")]).unwrap();
    let valid = Validity::all();
    let column = CodesColumn { codes: &codes, valid: &valid, values: &values };
    writer.append(&ordinals, &[ResultColumn::Codes(column)]).unwrap();
    let generation = writer.finish().await.unwrap();
    company.columns.flip(generation, flip_request(run_id(1), true)).await.unwrap();
    let company = company.restart().await;
    let value = |ordinal| company.columns.value_of(&Scope::everything(), "wide__class", ordinal);
    assert_eq!((value(599), value(2_999), value(3_000)), (Some("v599".into()), Some("v599".into()), None));
    let page = company.columns.members(&Scope::everything(), "wide__class", "v300", None, 200).await.unwrap();
    assert_eq!(
        page.members.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<_>>(),
        [300, 900, 1_500, 2_100, 2_700]
    );
}
