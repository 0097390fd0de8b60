//! The process dies between any two commits of a run; the next one goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use trellis_model::{Scope, TextColumn, Validity};
use trellis_records::EntryBody;
use trellis_storage::{
    Committed, Epoch, Error, MemoryStore, Page, Position, Result, ScanRange, Store, Versioned, WriteSet,
};

use super::company::{
    Company, ScorePart, codes, definition, flip_request, run_id, score_definition, segmentation_name,
};
use crate::{CodesColumn, Config, Delta, Origin, ResultColumn, ScoreDelta};

const RFM: &str = "retail_rfm__class";
/// The value of a customer times ten, and a half: its bands are the values of the segmentation.
const RISK: &str = "churn_lite__risk";
/// Three blocks of codes and nine of numbers, so that transitions take several commits.
const ACCOUNTS: usize = 4_200;

/// A store that takes so many more commits and then none.
#[derive(Debug)]
struct Mortal {
    store: MemoryStore,
    commits_left: AtomicUsize,
}

impl Store for Mortal {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Versioned>>> {
        self.store.get(key)
    }

    fn scan(&self, range: ScanRange, rows_max: usize) -> BoxFuture<'_, Result<Page>> {
        self.store.scan(range, rows_max)
    }

    fn commit(&self, set: WriteSet) -> BoxFuture<'_, Result<Committed>> {
        Box::pin(async move {
            let left = self
                .commits_left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            match left {
                Ok(_) => self.store.commit(set).await,
                Err(_) => Err(Error::Stopped { reason: "no commits left".into() }),
            }
        })
    }

    fn head(&self) -> Position {
        self.store.head()
    }

    fn epoch(&self) -> Epoch {
        self.store.epoch()
    }
}

/// One run from its blocks to the end of its transitions.
async fn run(company: &Company, number: u8, values: &[i32], baseline: bool) -> crate::Result<()> {
    let origin = Origin::system("test");
    let mut writer = company.columns.begin(run_id(number), &[RFM, RISK].map(segmentation_name))?;
    let ordinals: Vec<u64> = (0..values.len() as u64).collect();
    let values: Vec<Option<u32>> = codes(values);
    let numbers = values.iter().map(|value| value.map(|value| f64::from(value) * 10.0 + 0.5));
    let numbers = ScorePart::of(&numbers.collect::<Vec<_>>());
    let codes: Vec<u32> = values.iter().map(|value| value.unwrap_or(0)).collect();
    let valid = Validity::from_flags(values.iter().map(Option::is_some));
    let names: TextColumn = ["low", "middle", "high"].into_iter().collect();
    let codes = ResultColumn::Codes(CodesColumn { codes: &codes, valid: &valid, values: &names });
    writer.append(&ordinals, &[codes, numbers.column()])?;
    let generation = writer.finish().await?;
    let delta = Delta { ordinal: 7, value: Some("high".into()) };
    company.columns.put_delta(generation, RFM, &[delta], &origin).await?;
    let delta = ScoreDelta { ordinal: 7, value: Some(20.0) };
    company.columns.put_score_delta(generation, RISK, &[delta], &origin).await?;
    company.columns.flip(generation, flip_request(run_id(number), baseline)).await?;
    company.columns.transitions(generation, &origin).await?;
    Ok(())
}

async fn seen(company: &Company) -> Vec<i32> {
    let all = Scope::everything();
    let place = |value: String| ["low", "middle", "high"].iter().position(|name| *name == value).unwrap();
    let code = |ordinal| company.columns.value_of(&all, RFM, ordinal).map_or(-1, |value| place(value) as i32);
    let codes: Vec<i32> = (0..ACCOUNTS as u64).map(code).collect();
    let band =
        |ordinal| company.columns.score_of(&all, RISK, ordinal).map_or(-1, |number| number as i32 / 10);
    assert!(
        codes.iter().zip(0..).all(|(code, ordinal)| *code == band(ordinal)),
        "both are flipped or none is"
    );
    codes
}

/// What entries of an event after a log number tell: for each customer its changes in order.
async fn told(company: &Company, mut after: u64, event: &str) -> Vec<Vec<(i64, i64)>> {
    let mut told = vec![Vec::new(); ACCOUNTS];
    loop {
        let entries = company.log_from(after).await;
        let Some(last) = entries.last() else { return told };
        after = last.number;
        let changes = entries.iter().filter_map(|entry| match &entry.body {
            EntryBody::Event { name, data } if name == event => data["changes"].as_array(),
            _ => None,
        });
        for change in changes.flatten() {
            let number = |place: usize| change.get(place).and_then(Json::as_i64).unwrap();
            told[number(0) as usize].push((number(1) - 1, number(2) - 1));
        }
    }
}

#[tokio::test]
async fn a_run_may_die_after_any_commit() {
    let mut old: Vec<i32> = (0..ACCOUNTS as i32).map(|row| row % 3).collect();
    let new: Vec<i32> = (0..ACCOUNTS as i32).map(|row| (row / 2) % 4 - 1).collect();
    old[7] = 2;
    let mut changed_new = new.clone();
    changed_new[7] = 2;
    for commits in 0_usize.. {
        let store = Arc::new(Mortal { store: MemoryStore::new(), commits_left: usize::MAX.into() });
        let config = Config { generations_kept: 1, ..Config::default() };
        let company = Company::on(Arc::clone(&store) as _, config, trellis_records::Config::default()).await;
        company.accounts(ACCOUNTS).await;
        company.columns.define(definition(RFM)).await.unwrap();
        company.columns.define_score(score_definition(RISK, &[0.0, 10.0, 20.0])).await.unwrap();
        run(&company, 1, &old, true).await.unwrap();
        let head = company.records.log_head();

        store.commits_left.store(commits, Ordering::Relaxed);
        let finished = run(&company, 2, &new, false).await.is_ok();
        store.commits_left.store(usize::MAX, Ordering::Relaxed);

        let company = company.restart().await;
        let found = seen(&company).await;
        let flipped = found == changed_new;
        assert!(
            flipped || found == old,
            "after {commits} commits neither the old nor the new result is seen"
        );
        for generation in company.columns.pending_transitions() {
            company.columns.transitions(generation, &Origin::system("test")).await.unwrap();
        }
        let expected: Vec<Vec<(i64, i64)>> = old
            .iter()
            .zip(&found)
            .map(|(old, new)| if old == new { vec![] } else { vec![(i64::from(*old), i64::from(*new))] })
            .collect();
        for event in ["segment.changed", "score.crossed"] {
            assert_eq!(told(&company, head, event).await, expected, "{event} after {commits} commits");
        }
        let report = company.columns.check().await.unwrap();
        assert!(report.is_clean(), "after {commits} commits: {:?}", report.differences);
        // The next run goes its whole way, and nothing of the dead one is left.
        run(&company, 3, &old, false).await.unwrap();
        assert_eq!(seen(&company).await, old);
        let headers =
            company.store.scan(ScanRange::prefix(&[crate::KeyKind::Generation as u8]), 100).await.unwrap();
        assert_eq!(headers.rows.len(), 1, "after {commits} commits");
        if finished {
            assert!(commits > 8, "a run took only {commits} commits");
            return;
        }
    }
}

#[tokio::test]
async fn a_previous_generation_that_is_lost_does_not_block_the_next_one() {
    let company = Company::new().await;
    company.accounts(3).await;
    company.columns.define(definition(RFM)).await.unwrap();
    let first = company.generation(run_id(1), &[(RFM, &codes(&[0, 1, 2]))]).await;
    company.columns.flip(first, flip_request(run_id(1), true)).await.unwrap();
    company.columns.transitions(first, &Origin::system("test")).await.unwrap();
    let second = company.generation(run_id(2), &[(RFM, &codes(&[1, 1, 1]))]).await;
    company.columns.flip(second, flip_request(run_id(2), false)).await.unwrap();
    let head = company.records.log_head();
    let mut set = WriteSet::new();
    set.delete(crate::keys::block(crate::KeyKind::Block, first, crate::keys::OutputId(1), 0));
    company.store.commit(set).await.unwrap();
    let company = company.restart().await;
    let third = company.generation(run_id(3), &[(RFM, &codes(&[2, 2, 2]))]).await;
    company.columns.flip(third, flip_request(run_id(3), false)).await.unwrap();
    let names = company.log_from(head).await.into_iter().filter_map(|entry| match entry.body {
        EntryBody::Event { name, .. } => Some(name),
        EntryBody::Changes(_) => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ["segment.uncompared", "run.flipped"]);
}
