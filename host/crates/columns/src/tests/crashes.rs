//! The process dies between any two commits of a run; the next one goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use trellis_model::Scope;
use trellis_records::EntryBody;
use trellis_storage::{
    Committed, Epoch, Error, MemoryStore, Page, Position, Result, ScanRange, Store, Versioned, WriteSet,
};

use super::company::{Company, codes, definition, flip_request, run_id};
use crate::{Config, Delta, Origin};

const RFM: &str = "retail_rfm__class";
/// Three blocks, so that transitions take several commits.
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
    let generation = company.try_generation(run_id(number), &[(RFM, &codes(values))]).await?;
    let delta = Delta { ordinal: 7, value: Some("high".into()) };
    company.columns.put_delta(generation, RFM, &[delta], &origin).await?;
    company.columns.flip(generation, flip_request(run_id(number), baseline)).await?;
    company.columns.transitions(generation, &origin).await?;
    Ok(())
}

async fn seen(company: &Company) -> Vec<i32> {
    let all = Scope::everything();
    let place = |value: String| ["low", "middle", "high"].iter().position(|name| *name == value).unwrap();
    let code = |ordinal| company.columns.value_of(&all, RFM, ordinal).map_or(-1, |value| place(value) as i32);
    (0..ACCOUNTS as u64).map(code).collect()
}

/// What `segment.changed` entries after a log number tell: for each customer its changes in order.
async fn told(company: &Company, mut after: u64) -> Vec<Vec<(i64, i64)>> {
    let mut told = vec![Vec::new(); ACCOUNTS];
    loop {
        let entries = company.log_from(after).await;
        let Some(last) = entries.last() else { return told };
        after = last.number;
        let changes = entries.iter().filter_map(|entry| match &entry.body {
            EntryBody::Event { name, data } if name == "segment.changed" => data["changes"].as_array(),
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
        assert_eq!(told(&company, head).await, expected, "after {commits} commits");
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
