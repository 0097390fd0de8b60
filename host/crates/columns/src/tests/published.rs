//! Scores, bands and segmentations as columns of datasets, and whose values are others.

use trellis_model::{Column, ColumnData, PluginId, Published};

use super::company::{Company, codes, definition, flip_request, name, run_id, score_definition};
use crate::{
    AsOf, ColumnSource, DatasetColumn, DatasetSpec, Origin, Presence, PublishedState, PublishedValues,
    ScoreDelta,
};

const RISK: &str = "churn_lite__risk";
const RFM: &str = "retail_rfm__class";

fn published(text: &str) -> Published {
    Published::parse(text).unwrap()
}

fn spec() -> DatasetSpec {
    let column = |text: &str| DatasetColumn {
        name: text.to_owned(),
        source: ColumnSource::Published(published(text)),
    };
    let names = [format!("score.{RISK}"), format!("band.{RISK}"), format!("segment.{RFM}")];
    DatasetSpec { object: name("account"), columns: names.iter().map(|text| column(text)).collect() }
}

async fn company() -> Company {
    let company = Company::new().await;
    company.accounts(4).await;
    company.columns.define_score(score_definition(RISK, &[0.0, 10.0])).await.unwrap();
    company.columns.define(definition(RFM)).await.unwrap();
    score(&company, 1, &[Some(5.0), None, Some(25.0), Some(15.0)]).await;
    let classed = company.generation(run_id(2), &[(RFM, &codes(&[2, 0, -1, 2]))]).await;
    flip(&company, classed, 2).await;
    company
}

async fn score(company: &Company, run: u8, scores: &[Option<f64>]) {
    let scored = company.score_generation(run_id(run), &[(RISK, scores)]).await.unwrap();
    flip(company, scored, run).await;
}

async fn flip(company: &Company, generation: crate::GenerationId, run: u8) {
    company.columns.flip(generation, flip_request(run_id(run), true)).await.unwrap();
    company.columns.transitions(generation, &Origin::system("test")).await.unwrap();
}

fn numbers(column: &Column) -> Vec<Option<f64>> {
    let ColumnData::Float64(values) = &column.data else { panic!("{:?} are no numbers", column.data) };
    values.iter().enumerate().map(|(row, value)| column.valid.get(row).then_some(*value)).collect()
}

fn texts(column: &Column) -> Vec<Option<&str>> {
    let ColumnData::Dictionary { codes, values } = &column.data else { panic!("{:?}", column.data) };
    let text =
        |(row, code): (usize, &u32)| column.valid.get(row).then(|| values.get(*code as usize).unwrap());
    codes.iter().enumerate().map(text).collect()
}

/// What changed since then.
fn changed(company: &Company, before: &PublishedValues) -> Vec<u64> {
    company.columns.published(&spec()).changed_since(before)
}

#[tokio::test]
async fn a_dataset_holds_what_lists_show() {
    let company = company().await;
    let batch = company.rows_at(&spec(), &[0, 1, 2, 3]).await;
    assert_eq!(numbers(&batch.columns[0]), [Some(5.0), None, Some(25.0), Some(15.0)]);
    let band = |ordinal| company.columns.band_of(&trellis_model::Scope::everything(), RISK, ordinal);
    let bands: Vec<_> = (0..4).map(band).collect();
    assert_eq!(texts(&batch.columns[1]), bands.iter().map(Option::as_deref).collect::<Vec<_>>());
    assert_eq!(texts(&batch.columns[2]), [Some("high"), Some("low"), None, Some("high")]);

    let past = AsOf::Date("2020-01-01".parse().unwrap());
    let past = company.columns.dataset_row(&spec(), past, Some(0)).await.unwrap();
    assert!(past.columns.iter().all(|column| !column.valid.get(0)), "nobody knows what was shown then");
    let mut withheld = spec();
    for column in &mut withheld.columns {
        column.source = ColumnSource::Withheld(Box::new(column.source.clone()));
    }
    let hidden = company.rows_at(&withheld, &[0]).await;
    assert!(hidden.columns.iter().all(|column| !column.valid.get(0)));
    assert!(company.columns.published(&withheld).is_empty(), "what is withheld is not followed");

    let mut unknown = spec();
    unknown.columns.truncate(1);
    unknown.columns[0].source = ColumnSource::Published(published(&format!("segment.{RISK}")));
    let nothing = company.rows_at(&unknown, &[0, 1]).await;
    assert_eq!(texts(&nothing.columns[0]), [None, None], "a score is no segmentation");
}

#[tokio::test]
async fn who_has_another_value_is_found_by_what_is_shown() {
    let company = company().await;
    let first = company.columns.published(&spec());
    assert!(company.columns.published(&spec()).is_same(&first));
    assert_eq!(changed(&company, &first), [0_u64; 0]);
    assert_eq!(changed(&company, &PublishedValues::default()), [0, 1, 2, 3], "whoever has any");

    // Within its band: no log entry tells it.
    let (head, info) = (company.records.log_head(), company.columns.score(RISK).unwrap());
    let delta = ScoreDelta { ordinal: 3, value: Some(16.0) };
    let generation = info.current.unwrap().generation;
    company.columns.put_score_delta(generation, RISK, &[delta], &Origin::system("test")).await.unwrap();
    assert_eq!(company.records.log_head(), head);
    assert_eq!(changed(&company, &first), [3]);
    let second = company.columns.published(&spec());
    assert!(!second.is_same(&first) && second.digest() != first.digest());

    score(&company, 3, &[Some(5.0), Some(1.0), Some(25.0), None]).await;
    assert_eq!(changed(&company, &second), [1, 3]);
    let third = company.columns.published(&spec());
    let plugin = PluginId::new("retail-rfm").unwrap();
    company.columns.set_presence(&plugin, Presence::Cleared, Presence::Cleared).await.unwrap();
    assert_eq!(changed(&company, &third), [0, 1, 3], "nobody has a class any more");
    assert_eq!(
        company.columns.published_state(&published(&format!("segment.{RFM}"))),
        PublishedState::Cleared
    );
    company.columns.set_presence(&plugin, Presence::Kept, Presence::Kept).await.unwrap();
    assert_eq!(changed(&company, &third), [0_u64; 0], "the last values are shown");
    assert_eq!(company.columns.published_state(&published(&format!("segment.{RFM}"))), PublishedState::Stale);
    assert_eq!(company.columns.published_state(&published(&format!("band.{RISK}"))), PublishedState::Current);
    assert_eq!(company.columns.published_state(&published("score.nothing")), PublishedState::Missing);

    // Other bands over the same numbers.
    let before = company.columns.published(&spec());
    company.columns.define_score(score_definition(RISK, &[0.0, 2.0])).await.unwrap();
    let moved = changed(&company, &before);
    assert!(!moved.is_empty() && moved.iter().all(|ordinal| *ordinal < 3), "{moved:?}");
    let digest = company.columns.published(&spec()).digest();
    let company = company.restart().await;
    assert_eq!(company.columns.published(&spec()).digest(), digest, "a restart changes nothing");
}
