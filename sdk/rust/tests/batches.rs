//! Answers about batches: scores, who takes part, variants; and the law of splitting.

use trellis_sdk::bindings::campaign_rules::exports::trellis::plugin::campaign_rules as raw_campaign;
use trellis_sdk::bindings::scoring::exports::trellis::plugin::scoring as raw_scoring;
use trellis_sdk::bindings::shared::trellis::plugin::columns::ColumnData;
use trellis_sdk::testing::{
    BatchBuilder, assert_splitting_changes_no_campaign, assert_splitting_changes_no_score, context, record,
    stream,
};
use trellis_sdk::{
    Batch, CampaignRules, Context, Decision, Eligibilities, NoConfig, ObjectRecord, Result, RowActions,
    ScoreDescription, Scores, Scoring, Variants, localized, scored, task,
};

#[test]
fn scores_cross_with_a_bit_for_each_row() {
    let mut scores = Scores::default();
    scores.push("full", [1.0, 2.0, 3.0].map(Some));
    scores.push("sparse", [Some(0.5), None, Some(-1.0)]);
    scores.fail(1, "no-date", localized("no date", "没有日期"));
    assert_eq!(scores.names().collect::<Vec<_>>(), ["full", "sparse"]);
    assert_eq!([0, 1, 2, 3].map(|row| scores.value("sparse", row)), [Some(0.5), None, Some(-1.0), None]);
    let raw_scoring::Scores { columns, failed } = scores.into();
    assert_eq!(columns.iter().map(|column| column.valid.as_slice()).collect::<Vec<_>>(), [&[][..], &[0b101]]);
    assert_eq!(columns.iter().map(|column| column.values.len()).collect::<Vec<_>>(), [3, 3]);
    assert_eq!(failed.first().map(|failed| failed.row), Some(1));
}

#[test]
fn who_takes_part_crosses_as_flags_and_causes() {
    let rows = BatchBuilder::new(0..3).build();
    let mut who = Eligibilities::each(&rows, |row| if row == 1 { Err("too-recent") } else { Ok(()) });
    who.fail(2, "no-date", localized("no date", "没有日期"));
    assert_eq!([0, 1, 2].map(|row| who.takes_part(row)), [true, false, false]);
    assert_eq!([0, 1].map(|row| who.cause(row)), [None, Some("too-recent")]);
    let raw_campaign::Eligibilities { eligible, causes, failed } = who.into();
    assert_eq!(
        (eligible.as_slice(), causes.name.as_str(), causes.valid.as_slice()),
        (&[1, 0, 1][..], "cause", &[0b010][..])
    );
    assert_eq!(failed.len(), 1);

    let variants = Variants::each(&rows, |row| ["b", "a", "b"].get(row).copied());
    let raw_campaign::Variants { column, .. } = variants.into();
    let ColumnData::Dictionary(dictionary) = column.data else { panic!("not a dictionary") };
    assert_eq!(
        (column.name.as_str(), dictionary.codes.as_slice(), &*dictionary.values.bytes),
        ("variant", &[0, 1, 0][..], &b"ba"[..])
    );
}

/// Says nothing but what it must.
struct Smallest;

impl CampaignRules for Smallest {
    type Config = NoConfig;

    fn eligible(_: &ObjectRecord, rows: &Batch, _: &NoConfig, _: &Context) -> Result<Eligibilities> {
        Ok(Eligibilities::each(rows, |_| Ok::<(), &str>(())))
    }
}

#[test]
fn what_a_campaign_leaves_out_has_a_default() {
    let (campaign, at) = (record("campaign").build(), context());
    let rows = || BatchBuilder::new([1, 2]).boolean("responded", [Some(true), None]).build();
    let variants = Smallest::assign_variant(&campaign, &rows(), &NoConfig {}, &at).unwrap();
    assert_eq!((variants.variant(0), variants.variant(1)), (Some("all"), Some("all")));
    assert_eq!(Smallest::next_action(&campaign, &rows(), &NoConfig {}, &at).unwrap(), []);
    let evaluation = Smallest::evaluate(&campaign, &mut stream([rows(), rows()]), &NoConfig {}, &at).unwrap();
    assert_eq!(evaluation.summary.en, "2 of 4 members responded.");
    assert_eq!(evaluation.metrics.iter().map(|metric| metric.value).collect::<Vec<_>>(), [4.0, 2.0]);
}

/// Looks at its neighbours, which no plugin may.
struct Nosy;

impl Scoring for Nosy {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<ScoreDescription>> {
        Ok(vec![scored("place", "Place", "位置")])
    }

    fn score(_: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let mut scores = Scores::default();
        scores.push("place", (0..rows.rows()).map(|row| Some(row as f64)));
        Ok(scores)
    }
}

impl CampaignRules for Nosy {
    type Config = NoConfig;

    fn eligible(_: &ObjectRecord, rows: &Batch, _: &NoConfig, _: &Context) -> Result<Eligibilities> {
        Ok(Eligibilities::each(rows, |_| Ok::<(), &str>(())))
    }

    fn next_action(_: &ObjectRecord, rows: &Batch, _: &NoConfig, _: &Context) -> Result<Vec<RowActions>> {
        let first = Decision::nothing().then(task("Call the first", "致电第一位")).for_row(0);
        Ok(Vec::from_iter((rows.rows() > 0).then_some(first)))
    }
}

fn rows() -> BatchBuilder {
    BatchBuilder::new(0..5)
}

#[test]
#[should_panic(expected = "scores of the 1 rows from 1")]
fn a_score_that_depends_on_the_batch_is_found() {
    assert_splitting_changes_no_score::<Nosy>(&[], &rows().build(), &context());
}

#[test]
#[should_panic(expected = "what happens next of the 1 rows from 1")]
fn an_action_that_depends_on_the_batch_is_found() {
    let rows = rows().dictionary("variant", [None; 5]).dictionary("status", [Some("planned"); 5]).build();
    assert_splitting_changes_no_campaign::<Nosy>(
        &record("campaign").build(),
        &rows,
        &NoConfig {},
        &context(),
    );
}

#[test]
fn rules_that_look_at_each_row_alone_pass() {
    assert_splitting_changes_no_campaign::<Smallest>(
        &record("campaign").build(),
        &rows().build(),
        &NoConfig {},
        &context(),
    );
}
