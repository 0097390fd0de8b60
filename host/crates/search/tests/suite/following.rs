//! The index follows the log, through restarts too.

use std::sync::Arc;

use serde_json::json;
use trellis_model::Scope;
use trellis_records::{Records, SystemClock, SystemIds, TextSearch};
use trellis_search::Config;
use trellis_storage::MemoryStore;

use crate::support::{World, name, patient, start};

#[tokio::test]
async fn changes_deletions_and_restores_are_followed() {
    let world = World::new().await;
    let id = world.account("Acme").await;
    world.caught_up().await;
    world.update("account", id, json!({ "name": "Bolt" })).await;
    world.caught_up().await;
    assert_eq!(world.titles("bolt").await, ["Bolt"]);
    assert!(world.titles("acme").await.is_empty());
    world.delete("account", id).await;
    world.caught_up().await;
    assert!(world.titles("bolt").await.is_empty());
    world.restore("account", id).await;
    world.caught_up().await;
    assert_eq!(world.titles("bolt").await, ["Bolt"]);
    world.update("account", id, json!({ "name": "Bolt", "city": null })).await;
    world.caught_up().await;
    assert_eq!(world.titles("bolt").await, ["Bolt"]);
}

#[tokio::test]
async fn enough_changes_are_shown_without_being_asked_for() {
    let world = World::with(Config { commit_documents_max: 3, ..patient() }).await;
    for number in 0..9 {
        world.account(&format!("Acme {number}")).await;
    }
    while world.titles("acme").await.len() < 7 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn changes_are_shown_after_a_while() {
    let world = World::with(Config { commit_interval_ms: 1, ..Config::default() }).await;
    world.account("Acme").await;
    while world.titles("acme").await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_orderly_end_leaves_everything_in_the_index() {
    let world = World::new().await;
    world.account("Acme").await;
    world.search.shutdown().await;
    let again = start(&world.records, world.folder.path(), patient());
    assert!(again.caught_up(world.records.log_head()).await.is_ok());
    assert_eq!(again.find(&Scope::everything(), &[], "acme", 5).await.unwrap().len(), 1);
    assert!(world.search.caught_up(u64::MAX).await.is_err(), "nobody follows any more");
}

#[tokio::test]
async fn what_was_not_committed_comes_from_the_log_again() {
    let world = World::new().await;
    let gone = world.account("Acme 1").await;
    world.account("Acme 2").await;
    world.caught_up().await;
    let saved = copy(world.folder.path());
    world.account("Acme 3").await;
    world.delete("account", gone).await;
    world.search.shutdown().await;
    // As if the process had been killed before it committed: the files are those of then.
    let again = start(&world.records, saved.path(), patient());
    again.caught_up(world.records.log_head()).await.unwrap();
    let found = again.find(&Scope::everything(), &[], "acme", 5).await.unwrap();
    let titles: Vec<_> = found.into_iter().filter_map(|found| found.title).collect();
    assert_eq!(titles, ["Acme 3", "Acme 2"]);
}

#[tokio::test]
async fn an_index_that_does_not_fit_is_built_anew() {
    let world = World::new().await;
    world.account("Acme").await;
    world.caught_up().await;
    world.search.shutdown().await;
    let folder = world.folder.path();
    let generation = || std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
    let found = async |records: &Arc<Records>| {
        let search = start(records, folder, patient());
        search.caught_up(records.log_head()).await.unwrap();
        let count = search.find(&Scope::everything(), &[], "acme", 5).await.unwrap().len();
        search.shutdown().await;
        count
    };
    // Damaged, without a file, and left half way.
    std::fs::write(generation().join("meta.json"), "{").unwrap();
    assert_eq!(found(&world.records).await, 1);
    for file in std::fs::read_dir(generation()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "idx") {
            std::fs::write(file, "short").unwrap();
        }
    }
    assert_eq!(found(&world.records).await, 1);
    std::fs::create_dir(folder.join("g999")).unwrap();
    assert_eq!(found(&world.records).await, 1);
    // Of another store.
    let other = Records::open(
        Arc::new(MemoryStore::new()),
        Arc::new(SystemClock),
        Arc::new(SystemIds::default()),
        trellis_records::Config::default(),
    );
    let other = other.await.unwrap();
    assert_eq!(found(&other).await, 0);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "what does not fit is deleted");
}

#[tokio::test]
async fn an_index_that_a_reader_finds_damaged_is_built_anew() {
    let world = World::new().await;
    for number in 0..300 {
        world.account(&format!("Acme {number}")).await;
    }
    world.caught_up().await;
    world.search.shutdown().await;
    // The lists of records: all but the end of the file, which says what it is, is noise.
    for file in
        files(world.folder.path()).filter(|file| file.extension().is_some_and(|extension| extension == "idx"))
    {
        let mut bytes = std::fs::read(&file).unwrap();
        let end = bytes.len().saturating_sub(200);
        bytes[..end].fill(0xff);
        std::fs::write(file, bytes).unwrap();
    }
    let again = start(&world.records, world.folder.path(), patient());
    for attempt in 0.. {
        match again.find(&Scope::everything(), &[], "acme", 5).await {
            Ok(found) if found.len() == 5 => break,
            _ => again.caught_up(world.records.log_head()).await.unwrap(),
        }
        assert!(attempt < 100, "it stays damaged");
    }
}

fn files(folder: &std::path::Path) -> impl Iterator<Item = std::path::PathBuf> {
    let generations = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    generations.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
}

#[tokio::test]
async fn a_rebuilt_index_takes_the_place_of_the_old_one() {
    let world = World::new().await;
    let accounts: Vec<_> = [world.account("Acme 1").await, world.account("Acme 2").await].into();
    world.delete("account", accounts[0]).await;
    world.caught_up().await;
    let before = world.records.log_head();
    let rebuilt = world.search.rebuild(&|_| true).await.unwrap().unwrap();
    let query = trellis_records::Query { limit: 200, ..trellis_records::Query::new(name("account")) };
    assert!(rebuilt >= world.records.list(&Scope::everything(), &query).await.unwrap().records.len() as u64);
    world.search.caught_up(before).await.unwrap();
    assert_eq!(world.titles("acme").await, ["Acme 2"]);
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 1);
    assert_eq!(world.search.rebuild(&|_| false).await.unwrap(), None);
    assert_eq!(world.titles("acme").await, ["Acme 2"]);
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), 1);
    world.account("Acme 3").await;
    world.caught_up().await;
    assert_eq!(world.titles("acme").await, ["Acme 3", "Acme 2"]);
}

fn copy(from: &std::path::Path) -> tempfile::TempDir {
    let to = tempfile::TempDir::new().unwrap();
    for generation in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.path().join(generation.file_name());
        std::fs::create_dir(&target).unwrap();
        for file in std::fs::read_dir(generation.path()).unwrap().map(|entry| entry.unwrap()) {
            std::fs::copy(file.path(), target.join(file.file_name())).unwrap();
        }
    }
    to
}
