//! Scores beside segmentations: what is told, what is refused, what filters find.

use serde_json::{Value as Json, json};
use trellis_model::{Filter, ObjectScope, Op, Path, PluginId, RowAccess, Scope, Text, TextColumn, Validity};
use trellis_records::{Caller, DerivedFields, DerivedValue, Query};
use trellis_storage::{ScanRange, WriteSet};

use super::company::{
    Company, ScorePart, definition, flip_request, name, run_id, score_definition, segmentation_name,
};
use crate::{
    CodesColumn, Config, DeltaOutcome, Error, GenerationId, KeyKind, NumbersColumn, Origin, ResultColumn,
    ScoreDelta, TransitionCounts, ValueCount,
};

const RISK: &str = "churn_lite__risk";
const RFM: &str = "retail_rfm__class";
const BANDS: [f64; 3] = [0.0, 10.0, 20.0];

async fn company(accounts: usize) -> Company {
    let company = Company::new().await;
    company.accounts(accounts).await;
    company.columns.define_score(score_definition(RISK, &BANDS)).await.unwrap();
    company
}

impl Company {
    /// Stores, flips and writes transitions.
    async fn score_run(
        &self,
        number: u8,
        values: &[Option<f64>],
        baseline: bool,
    ) -> (GenerationId, TransitionCounts) {
        let generation = self.score_generation(run_id(number), &[(RISK, values)]).await.unwrap();
        self.columns.flip(generation, flip_request(run_id(number), baseline)).await.unwrap();
        let counts = self.columns.transitions(generation, &Origin::system("test")).await.unwrap();
        (generation, counts)
    }

    fn scores_seen(&self, rows: u64) -> Vec<Option<f64>> {
        (0..rows).map(|ordinal| self.columns.score_of(&Scope::everything(), RISK, ordinal)).collect()
    }
}

#[tokio::test]
async fn a_baseline_is_one_entry_for_each_kind_of_output() {
    let company = company(4).await;
    company.columns.define(definition(RFM)).await.unwrap();
    company.columns.define_score(score_definition("churn_lite__days", &[])).await.unwrap();
    // The outputs of a run mix both, in whatever order.
    let names = ["churn_lite__days", RFM, RISK].map(segmentation_name);
    let mut writer = company.columns.begin(run_id(1), &names).unwrap();
    let values: TextColumn = ["low", "middle", "high"].into_iter().collect();
    let (days, risk) = (
        ScorePart::of(&[Some(3.0), None, Some(5.0), None]),
        ScorePart::of(&[Some(-3.0), Some(10.0), None, Some(25.5)]),
    );
    let classes = CodesColumn { codes: &[2, 0, 0, 1], valid: &Validity::all(), values: &values };
    writer.append(&[0, 1, 2, 3], &[days.column(), ResultColumn::Codes(classes), risk.column()]).unwrap();
    let generation = writer.finish().await.unwrap();
    let head = company.records.log_head();
    let flipped = company.columns.flip(generation, flip_request(run_id(1), true)).await.unwrap();
    let flipped: Vec<_> = flipped.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(flipped, [RFM, RISK, "churn_lite__days"]);
    let counts = company.columns.transitions(generation, &Origin::system("test")).await.unwrap();
    assert_eq!(counts, TransitionCounts { entered: 9, left: 0, changed: 0, entries: 2 });
    let run = run_id(1).to_string();
    let entry = company.events(head, "run.flipped").await.remove(0);
    assert_eq!(entry["segmentations"], json!([{"name": RFM, "previous": null, "members": 4}]));
    let members = |name: &str, members: u64| json!({"name": name, "previous": null, "members": members});
    assert_eq!(entry["scores"], json!([members(RISK, 3), members("churn_lite__days", 2)]));
    let segments = company.events(head, "segment.baseline").await;
    assert_eq!(segments[0]["segmentations"][0]["members"], json!({"low": 2, "middle": 1, "high": 1}));
    let summary = json!({
        "run": run, "generation": generation.0,
        "scores": [
            {"name": RISK, "previous": null, "entered": 3, "left": 0, "crossed": 0, "members": {"b1": 1, "b2": 1, "b3": 1}},
            {"name": "churn_lite__days", "previous": null, "entered": 2, "left": 0, "crossed": 0, "members": {}},
        ],
    });
    assert_eq!(company.events(head, "score.baseline").await, [summary]);
    assert_eq!(company.events(head, "score.crossed").await, [] as [Json; 0]);
    let company = company.restart().await;
    assert_eq!(company.scores_seen(4), [Some(-3.0), Some(10.0), None, Some(25.5)]);
    assert_eq!(company.columns.value_of(&Scope::everything(), RFM, 0), Some("high".into()));
    company.assert_clean().await;
}

#[tokio::test]
async fn crossings_are_told_and_movements_within_a_band_are_not() {
    let company = company(1_000).await;
    let mut values = vec![Some(5.0); 1_000];
    let (first, _) = company.score_run(1, &values, true).await;
    // Within a band, over an edge in each direction, to and from null, in two of the three blocks.
    values[0] = Some(9.999);
    values[1] = Some(10.0);
    values[600] = None;
    values[601] = Some(1e9);
    let head = company.records.log_head();
    let (second, counts) = company.score_run(2, &values, false).await;
    assert_eq!(counts, TransitionCounts { entered: 0, left: 1, changed: 2, entries: 2 });
    let entry = |run: Option<u8>, generation: GenerationId, previous: Option<GenerationId>, changes: Json| {
        json!({
            "score": RISK, "object": "account", "run": run.map(|run| run_id(run).to_string()),
            "generation": generation.0, "previous": previous.map(|previous| previous.0),
            "bands": ["b1", "b2", "b3"], "changes": changes,
        })
    };
    let expected = [
        entry(Some(2), second, Some(first), json!([[1, 1, 2]])),
        entry(Some(2), second, Some(first), json!([[600, 1, 0], [601, 1, 3]])),
    ];
    assert_eq!(company.events(head, "score.crossed").await, expected);

    let head = company.records.log_head();
    let origin = Origin::system("test");
    let delta = |ordinal, value| ScoreDelta { ordinal, value };
    let deltas = [delta(0, Some(2.5)), delta(1, Some(20.0)), delta(2, Some(5.0)), delta(600, Some(-1.0))];
    let outcome = company.columns.put_score_delta(second, RISK, &deltas, &origin).await.unwrap();
    assert_eq!(outcome, DeltaOutcome::Written { changed: 3 });
    let expected = [entry(Some(2), second, None, json!([[1, 2, 3], [600, 0, 1]]))];
    assert_eq!(company.events(head, "score.crossed").await, expected);

    let head = company.records.log_head();
    let within = company.columns.put_score_delta(second, RISK, &[delta(0, Some(2.0))], &origin).await;
    assert_eq!(within.unwrap(), DeltaOutcome::Written { changed: 1 });
    assert_eq!(company.records.log_head(), head, "nothing crossed, nothing is told");
    let late = company.columns.put_score_delta(first, RISK, &[delta(0, None)], &origin).await.unwrap();
    assert_eq!(late, DeltaOutcome::Superseded);
    assert_eq!(company.scores_seen(2), [Some(2.0), Some(20.0)]);
    company.assert_clean().await;
}

#[tokio::test]
async fn a_score_without_bands_tells_nothing() {
    let company = company(3).await;
    company.columns.define_score(score_definition(RISK, &[])).await.unwrap();
    company.score_run(1, &[Some(1.0), None, Some(3.0)], true).await;
    let head = company.records.log_head();
    let (generation, counts) = company.score_run(2, &[None, Some(2.0), Some(30.0)], false).await;
    assert_eq!(counts, TransitionCounts { entered: 1, left: 1, changed: 0, entries: 0 });
    let delta = ScoreDelta { ordinal: 0, value: Some(7.0) };
    company.columns.put_score_delta(generation, RISK, &[delta], &Origin::system("test")).await.unwrap();
    assert_eq!(company.events(head, "score.crossed").await, [] as [Json; 0]);
    assert_eq!(company.scores_seen(3), [Some(7.0), Some(2.0), Some(30.0)]);
    assert_eq!(company.columns.band_of(&Scope::everything(), RISK, 0), None);
    company.assert_clean().await;
}

#[tokio::test]
async fn what_is_not_finite_is_refused_by_name() {
    let company = company(3).await;
    let (run, all) = (run_id(1), Validity::all());
    for (bad, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let mut writer = company.columns.begin(run, &[segmentation_name(RISK)]).unwrap();
        let column = NumbersColumn { values: &[1.0, bad], valid: &all };
        let error = writer.append(&[0, 2], &[ResultColumn::Numbers(column)]).unwrap_err();
        let number = format!("the number of ordinal 2 is {text}, which is not finite");
        assert_eq!(error.to_string(), format!("results of run {run}: column `{RISK}`: {number}"));
        let delta = ScoreDelta { ordinal: 2, value: Some(bad) };
        let origin = Origin::system("test");
        let error = company.columns.put_score_delta(GenerationId(1), RISK, &[delta], &origin).await;
        assert_eq!(error.unwrap_err().to_string(), format!("score `{RISK}`: {number}"));
    }
    // What stands at a null row means nothing.
    let (generation, _) = company.score_run(1, &[Some(1.0), None, Some(2.0)], true).await;
    assert_eq!((generation, company.scores_seen(3)), (GenerationId(1), vec![Some(1.0), None, Some(2.0)]));
}

#[tokio::test]
async fn columns_of_the_wrong_form_are_refused() {
    let company = company(2).await;
    company.columns.define(definition(RFM)).await.unwrap();
    let values: TextColumn = ["low"].into_iter().collect();
    let all = Validity::all();
    let codes = ResultColumn::Codes(CodesColumn { codes: &[0], valid: &all, values: &values });
    let check = |output: &str, rows: usize, column: ResultColumn<'_>, message: &str| {
        let mut writer = company.columns.begin(run_id(1), &[segmentation_name(output)]).unwrap();
        let ordinals: Vec<u64> = (0..rows as u64).collect();
        let error = writer.append(&ordinals, &[column]).unwrap_err().to_string();
        assert_eq!(error, format!("results of run {}: column `{output}`{message}", run_id(1)));
    };
    let part = ScorePart::of(&[Some(1.0)]);
    check(RISK, 1, codes, ": codes for a score");
    check(RFM, 1, part.column(), ": numbers for a segmentation");
    check(RISK, 2, part.column(), " has not 2 rows");
    let origin = Origin::system("test");
    let error = company.columns.put_score_delta(GenerationId(1), RFM, &[], &origin).await.unwrap_err();
    assert!(matches!(error, Error::UnknownScore { .. }), "{error}");
    let error = company.columns.put_delta(GenerationId(1), RISK, &[], &origin).await.unwrap_err();
    assert!(matches!(error, Error::UnknownSegmentation { .. }), "{error}");
}

#[tokio::test]
async fn new_bands_are_counted_anew_and_nobody_has_crossed() {
    let company = company(4).await;
    let columns = &company.columns;
    company.score_run(1, &[Some(5.0), Some(15.0), Some(25.0), None], true).await;
    let pending = company
        .score_generation(run_id(2), &[(RISK, &[Some(5.0), Some(29.0), Some(31.0), Some(1.0)])])
        .await
        .unwrap();
    let head = company.records.log_head();
    columns.define_score(score_definition(RISK, &BANDS)).await.unwrap();
    assert_eq!(company.records.log_head(), head, "the same again writes nothing");
    let mut new = score_definition(RISK, &[0.0, 30.0]);
    new.unit = Text::new("points", "分");
    new.aliases = vec![segmentation_name("risk")];
    let info = columns.define_score(new.clone()).await.unwrap();
    let count = |value: &str, count| ValueCount { value: value.into(), count };
    assert_eq!(info.bands, [count("b1", 3), count("b2", 0)]);
    assert_eq!((info.definition.unit.en.as_str(), info.count, info.null_count), ("points", 3, 1));
    assert_eq!(company.events(head, "score.crossed").await, [] as [Json; 0]);
    columns.flip(pending, flip_request(run_id(2), false)).await.unwrap();
    columns.transitions(pending, &Origin::system("test")).await.unwrap();
    let crossed = company.events(head, "score.crossed").await;
    assert_eq!((crossed.len(), &crossed[0]["changes"]), (1, &json!([[2, 1, 2], [3, 0, 1]])));
    assert_eq!(columns.score("risk").unwrap().bands, [count("b1", 3), count("b2", 1)]);
    company.assert_clean().await;

    columns.set_stale(&PluginId::new("churn-lite").unwrap()).await.unwrap();
    let company = company.restart().await;
    let again = company.columns.score("risk").unwrap();
    assert_eq!((&again.definition, again.stale), (&new, true));
    assert_eq!(again.bands, [count("b1", 3), count("b2", 1)]);
}

#[tokio::test]
async fn a_definition_that_contradicts_itself_is_refused() {
    let company = company(1).await;
    company.columns.define(definition(RFM)).await.unwrap();
    let check = async |change: &dyn Fn(&mut crate::ScoreDefinition), message: &str| {
        let mut wrong = score_definition("churn_lite__other", &BANDS);
        change(&mut wrong);
        let error = company.columns.define_score(wrong).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    };
    let prefix = "score `churn_lite__other`: ";
    check(
        &|score| score.bands[1].lowest = 20.0,
        &format!("{prefix}band `b3` begins at 20, which is not above `b2` at 20"),
    )
    .await;
    check(
        &|score| score.bands[2].lowest = f64::NAN,
        &format!("{prefix}band `b3` begins at NaN, which is no finite number"),
    )
    .await;
    check(&|score| score.bands[2].name = "b1".into(), &format!("{prefix}band `b1` is there twice")).await;
    check(
        &|score| score.maximum = Some(-1.0),
        &format!("{prefix}its lowest number 0 is above its highest -1"),
    )
    .await;
    check(
        &|score| score.minimum = Some(f64::NEG_INFINITY),
        &format!("{prefix}its lowest number is -inf, which is not finite"),
    )
    .await;
    check(
        &|score| score.unit = Text::new("x".repeat(41), ""),
        &format!("{prefix}its unit is over 40 characters or has control characters"),
    )
    .await;
    check(&|score| score.object = name("segment"), "object `segment` does not exist or has no columns").await;
    // Segmentations and scores share one set of names.
    check(&|score| score.name = segmentation_name(RFM), &format!("the name `{RFM}` belongs to `{RFM}`"))
        .await;
    check(
        &|score| score.aliases = vec![segmentation_name(RFM)],
        &format!("the name `{RFM}` belongs to `{RFM}`"),
    )
    .await;
    let error = company.columns.define(definition(RISK)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the name `{RISK}` belongs to `{RISK}`"));
    assert_eq!(company.columns.name_holder(RISK), Some(segmentation_name(RISK)));
    assert!(company.columns.segmentation(RISK).is_none() && company.columns.score(RFM).is_none());
    let mut moved = score_definition(RISK, &BANDS);
    moved.object = name("contact");
    let error = company.columns.define_score(moved).await.unwrap_err();
    assert_eq!(error.to_string(), format!("score `{RISK}`: its object cannot change"));
}

#[tokio::test]
async fn scores_and_bands_are_filtered_like_fields() {
    let company = company(6).await;
    company.score_run(1, &[Some(-5.0), Some(10.0), Some(20.0), None, Some(19.5), Some(20.0)], true).await;
    let object = company.records.schema().object("account").unwrap().id;
    let derived: &dyn DerivedFields = company.columns.as_ref();
    company.records.set_derived(company.columns.clone());
    // What the column finds, and what the filter says of each record by itself.
    let check = async |field: &str, op: Op, value: Json, expected: &[u64]| {
        let path = Path::parse(&format!("{field}.{RISK}")).unwrap();
        let found = derived.matching(object, &path, op, &value, None, 10);
        assert_eq!(found.as_deref(), Some(expected), "{field} {op:?} {value}");
        let filter = Filter::compare(&format!("{field}.{RISK}"), op, value.clone()).unwrap();
        let anyone = Filter::compare("name", Op::Null, false).unwrap();
        for filter in [filter.clone(), Filter::Or(vec![filter, Filter::Not(Box::new(anyone))])] {
            let query = Query { filter, ..Query::new(name("account")) };
            let page = company.records.list(&Scope::everything(), &query).await.unwrap();
            let ordinals: Vec<_> = page.records.iter().filter_map(|record| record.ordinal).collect();
            assert_eq!(ordinals, expected, "{field} {op:?} {value}");
        }
    };
    check("score", Op::Eq, json!(20), &[2, 5]).await;
    check("score", Op::Ne, json!(20.0), &[0, 1, 4]).await;
    check("score", Op::Gt, json!(10), &[2, 4, 5]).await;
    check("score", Op::Gte, json!(10), &[1, 2, 4, 5]).await;
    check("score", Op::Lt, json!(10), &[0]).await;
    check("score", Op::Lte, json!(10), &[0, 1]).await;
    check("score", Op::Between, json!([10, 19.5]), &[1, 4]).await;
    check("score", Op::Between, json!([20, 10]), &[]).await;
    check("score", Op::In, json!([20, -5]), &[0, 2, 5]).await;
    check("score", Op::Nin, json!([20, -5]), &[1, 4]).await;
    // With null no comparison is true.
    check("score", Op::Nin, json!([20, null]), &[]).await;
    check("score", Op::In, json!([20, null]), &[2, 5]).await;
    check("score", Op::Eq, Json::Null, &[]).await;
    check("score", Op::Lt, Json::Null, &[]).await;
    check("score", Op::Between, json!([null, 30]), &[]).await;
    check("score", Op::Null, json!(true), &[3]).await;
    check("score", Op::Null, json!(false), &[0, 1, 2, 4, 5]).await;
    check("band", Op::Eq, json!("b2"), &[1, 4]).await;
    check("band", Op::Ne, json!("b2"), &[0, 2, 5]).await;
    check("band", Op::In, json!(["b1", "b3"]), &[0, 2, 5]).await;
    check("band", Op::Nin, json!(["b1", "b3"]), &[1, 4]).await;
    check("band", Op::Null, json!(true), &[3]).await;
    check("band", Op::Null, json!(false), &[0, 1, 2, 4, 5]).await;

    let path = |path: &str| Path::parse(&format!("{path}.{RISK}")).unwrap();
    assert_eq!(derived.matching(object, &path("score"), Op::Gt, &json!("10"), None, 10), None);
    assert_eq!(derived.matching(object, &path("score"), Op::Gt, &json!(0), Some(1), 2), Some(vec![2, 4]));
    assert_eq!(derived.value(object, &path("score"), 4), Some(DerivedValue::Number(19.5)));
    assert_eq!(derived.value(object, &path("band"), 4), Some(DerivedValue::Text("b2".into())));
    assert_eq!(derived.value(object, &path("band"), 3), None);
    assert!(!derived.knows(object, &path("segment")));
}

#[tokio::test]
async fn who_may_not_read_scores_sees_none() {
    let company = company(1).await;
    company.score_run(1, &[Some(12.0)], true).await;
    let columns = &company.columns;
    let all = Scope::everything();
    assert_eq!(columns.band_of(&all, RISK, 0), Some("b2".into()));
    let readable = trellis_model::FieldAccess::Except(
        [trellis_model::FieldName::new("score").unwrap()].into_iter().collect(),
    );
    let hidden = ObjectScope { rows: RowAccess::All, readable, ..ObjectScope::everything() };
    let hidden = Scope::everything().with(name("account"), hidden);
    assert_eq!((columns.score_of(&hidden, RISK, 0), columns.band_of(&hidden, RISK, 0)), (None, None));
}

#[tokio::test]
async fn deleted_customers_are_not_counted() {
    let company = company(4).await;
    company.score_run(1, &[Some(1.0), Some(100.0), None, Some(3.0)], true).await;
    let object = company.records.schema().object("account").unwrap().id;
    let id = company.records.ordinal_ids(object, &[1]).await.unwrap()[0].unwrap();
    company.records.delete(&Caller::system("test"), &name("account"), id, None).await.unwrap();
    company.columns.catch_up().await.unwrap();
    let info = company.columns.score(RISK).unwrap();
    assert_eq!((info.count, info.null_count), (2, 1));
    assert_eq!((info.minimum, info.maximum, info.mean), (Some(1.0), Some(3.0), Some(2.0)));
    assert_eq!(info.bands.iter().map(|band| band.count).collect::<Vec<_>>(), [2, 0, 0]);
    let path = Path::parse(&format!("score.{RISK}")).unwrap();
    let found = company.columns.matching(object, &path, Op::Gt, &json!(0), None, 10);
    assert_eq!(found, Some(vec![0, 3]));
}

#[tokio::test]
async fn a_damaged_number_block_is_named_and_the_rest_works() {
    let company = company(1_000).await;
    company.columns.define_score(score_definition("churn_lite__other", &BANDS)).await.unwrap();
    let values: Vec<_> = (0..1_000).map(|row| Some(f64::from(row))).collect();
    let both = [(RISK, &values[..]), ("churn_lite__other", &values[..])];
    let generation = company.score_generation(run_id(1), &both).await.unwrap();
    company.columns.flip(generation, flip_request(run_id(1), true)).await.unwrap();
    let report = company.columns.check().await.unwrap();
    assert_eq!((report.is_clean(), report.blocks), (true, 6));
    let prefix = [KeyKind::NumberBlock as u8];
    let rows = company.store.scan(ScanRange::prefix(&prefix), 10).await.unwrap().rows;
    let mut bytes = rows[1].value.to_vec();
    bytes[100] ^= 1;
    let mut set = WriteSet::new();
    set.put(rows[1].key.to_vec(), bytes);
    company.store.commit(set).await.unwrap();
    let report = company.columns.check().await.unwrap();
    let named = "block 1 of score 1 in generation 1: it does not match its checksum";
    assert!(report.differences[0].contains(named), "{:?}", report.differences);
    let company = company.restart().await;
    let damaged = company.columns.score(RISK).unwrap().damaged.clone().unwrap();
    assert!(damaged.contains(named), "{damaged}");
    assert_eq!(company.columns.score_of(&Scope::everything(), "churn_lite__other", 7), Some(7.0));
}

#[tokio::test]
async fn many_numbers_are_folded_into_blocks() {
    let company = Company::with(Config { deltas_max: 10, ..Config::default() }).await;
    company.accounts(1_500).await;
    company.columns.define_score(score_definition(RISK, &BANDS)).await.unwrap();
    let mut values: Vec<_> = (0..1_500).map(|row| Some(f64::from(row) / 7.0)).collect();
    let (generation, _) = company.score_run(1, &values, true).await;
    let deltas = (0..1_500).step_by(3).map(|ordinal| {
        let value = (ordinal < 900).then_some(0.5);
        values[ordinal as usize] = value;
        ScoreDelta { ordinal, value }
    });
    let deltas: Vec<_> = deltas.collect();
    company.columns.put_score_delta(generation, RISK, &deltas, &Origin::system("test")).await.unwrap();
    assert_eq!(company.scores_seen(1_500), values);
    company.assert_clean().await;
    let prefix = [KeyKind::NumberDelta as u8];
    assert_eq!(company.store.scan(ScanRange::prefix(&prefix), 10).await.unwrap().rows, []);
    let company = company.restart().await;
    assert_eq!(company.scores_seen(1_500), values);
    // What is let go of leaves nothing.
    for number in 2..=5 {
        company.score_run(number, &[Some(f64::from(number))], false).await;
    }
    let blocks = company.store.scan(ScanRange::prefix(&[KeyKind::NumberBlock as u8]), 100).await.unwrap();
    assert_eq!(blocks.rows.len(), 3);
}
