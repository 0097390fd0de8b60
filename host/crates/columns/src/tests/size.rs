//! A million customers: what is computed is checked, what it took is printed.

use std::sync::Arc;
use std::time::Instant;

use trellis_model::{TextColumn, Validity};

use super::company::{
    Company, definition, flip_request, orders_spec, run_id, score_definition, segmentation_name,
};
use crate::dataset::Plan;
use crate::features::{EventNumber, FeatureColumns};
use crate::population::Population;
use crate::stream::Rows;
use crate::{CodesColumn, Config, DatasetStream, NumbersColumn, Origin, ResultColumn};

const CUSTOMERS: u64 = 1_000_000;
const BATCH_ROWS: u64 = 65_536;

/// A company in which a million ordinals are handed out: one account, and a block that is reserved at once.
async fn company_of_a_million() -> Company {
    let mut records_config = trellis_records::Config::default();
    records_config.limits.ordinal_block = CUSTOMERS;
    let company = Company::with_configs(Config::default(), records_config).await;
    company.account("Ada").await;
    company.restart().await
}

#[tokio::test]
async fn ten_outputs_of_a_million_customers_are_stored() {
    let company = company_of_a_million().await;
    let names: Vec<_> =
        (0..10).map(|number| segmentation_name(&format!("retail__output_{number}"))).collect();
    for name in &names {
        company.columns.define(definition(name.as_str())).await.unwrap();
    }
    let values: TextColumn = ["low", "middle", "high"].into_iter().collect();
    let codes: Vec<u32> = (0..BATCH_ROWS as u32).map(|row| row * 7 % 3).collect();
    let valid = Validity::all();
    let started = Instant::now();
    let mut writer = company.columns.begin(run_id(1), &names).unwrap();
    for start in (0..CUSTOMERS).step_by(BATCH_ROWS as usize) {
        let ordinals: Vec<u64> = (start..CUSTOMERS.min(start + BATCH_ROWS)).collect();
        let column = CodesColumn { codes: &codes[..ordinals.len()], valid: &valid, values: &values };
        writer.append(&ordinals, &[ResultColumn::Codes(column); 10]).unwrap();
    }
    let appended = started.elapsed();
    let generation = writer.finish().await.unwrap();
    let stored = started.elapsed();
    company.columns.flip(generation, flip_request(run_id(1), true)).await.unwrap();
    let elapsed = started.elapsed();
    println!("appended after {appended:?}, stored after {stored:?}, flipped after {elapsed:?}");
    let head = company.records.log_head();
    let counts = company.columns.transitions(generation, &Origin::system("test")).await.unwrap();
    assert!(counts.entered > 9_000_000, "a million first memberships in each of ten: {counts:?}");
    assert_eq!(company.records.log_head(), head + 1, "one entry tells all of them");
    for name in &names {
        let info = company.columns.segmentation(name.as_str()).unwrap();
        assert_eq!(
            info.counts.iter().map(|count| count.count).collect::<Vec<_>>(),
            [333_344, 333_328, 333_328]
        );
    }
}

#[tokio::test]
async fn ten_scores_of_a_million_customers_are_stored_and_crossed() {
    let company = company_of_a_million().await;
    let names: Vec<_> = (0..10).map(|number| segmentation_name(&format!("churn__score_{number}"))).collect();
    for name in &names {
        company.columns.define_score(score_definition(name.as_str(), &[0.0, 50.0])).await.unwrap();
    }
    let valid = Validity::all();
    for (run, shift) in [(1, 0), (2, 1)] {
        let started = Instant::now();
        let mut writer = company.columns.begin(run_id(run), &names).unwrap();
        for start in (0..CUSTOMERS).step_by(BATCH_ROWS as usize) {
            let ordinals: Vec<u64> = (start..CUSTOMERS.min(start + BATCH_ROWS)).collect();
            let values: Vec<f64> = ordinals.iter().map(|row| ((row + shift) % 100) as f64 + 0.5).collect();
            let column = ResultColumn::Numbers(NumbersColumn { values: &values, valid: &valid });
            writer.append(&ordinals, &[column; 10]).unwrap();
        }
        let appended = started.elapsed();
        let generation = writer.finish().await.unwrap();
        let stored = started.elapsed();
        company.columns.flip(generation, flip_request(run_id(run), true)).await.unwrap();
        let flipped = started.elapsed();
        let counts = company.columns.transitions(generation, &Origin::system("test")).await.unwrap();
        let told = started.elapsed();
        println!(
            "appended after {appended:?}, stored after {stored:?}, flipped after {flipped:?}, told after {told:?}"
        );
        let expected = if run == 1 { (10 * CUSTOMERS, 0) } else { (0, 10 * CUSTOMERS / 50) };
        assert_eq!((counts.entered, counts.changed), expected);
        assert_eq!(counts.entries, 1, "one entry tells all of them");
    }
    let started = Instant::now();
    let infos = company.columns.scores();
    println!("looked at after {:?}", started.elapsed());
    for info in infos {
        assert_eq!((info.count, info.mean), (CUSTOMERS, Some(50.0)));
        assert_eq!((info.minimum, info.maximum), (Some(0.5), Some(99.5)));
        assert!(info.bands.iter().all(|band| band.count == CUSTOMERS / 2));
    }
}

#[tokio::test]
async fn warm_features_of_a_million_customers_stream() {
    let company = company_of_a_million().await;
    let plan = Plan::of(&company.records.schema(), &orders_spec()).unwrap();
    let (mut features, mut population) = (FeatureColumns::new(&plan.sources[0]), Population::default());
    for ordinal in 0..CUSTOMERS {
        let values = plan.sources[0].values.iter().map(|value| match value.name.as_str() {
            "amount" => Some(EventNumber::Exact(500)),
            _ => Some(EventNumber::Float(1.0)),
        });
        features.add(ordinal, 10_000, &values.collect::<Vec<_>>());
        population.insert(ordinal);
    }
    let rows = Rows {
        plan: Arc::new(plan),
        sources: vec![features],
        population: Arc::new(population),
        related: Vec::new(),
        published: crate::PublishedValues::default(),
        base_currency: company.records.config().base_currency,
        bytes_max: 8 << 20,
    };
    let started = Instant::now();
    let mut stream = DatasetStream::new(rows, None, 0, BATCH_ROWS as usize);
    let (mut values, mut cents) = (0, 0);
    while let Some(batch) = stream.next().unwrap() {
        values += batch.ordinals.len() * batch.columns.len();
        cents += super::company::rows_of(&batch)[0].cents;
    }
    let elapsed = started.elapsed();
    println!("{values} values in {elapsed:?}: {:.0} a second", values as f64 / elapsed.as_secs_f64());
    assert_eq!((values, cents), (5_000_000, 16 * 500));
}
