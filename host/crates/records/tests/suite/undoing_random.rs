//! Random changes by random jobs, and the undo of one of them, beside a model that keeps every state.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use trellis_model::{RecordId, Scope};
use trellis_records::{Error, Moment, Write};

use crate::support::{World, name};
use crate::undoing::{by_job, of_job};

#[derive(Debug, Clone)]
enum Step {
    Create(u8),
    Update(usize, Option<u8>, Option<u8>),
    Delete(usize),
    Restore(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop::option::of(0_u8..3);
    prop_oneof![
        1 => (0_u8..3).prop_map(Step::Create),
        4 => (any::<usize>(), value(), value()).prop_map(|(at, name, country)| Step::Update(at, name, country)),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::Restore),
    ]
}

/// A record's two fields, and whether it is there.
#[derive(Debug, Clone, PartialEq)]
struct State {
    name: u8,
    country: Option<u8>,
    alive: bool,
}

/// What a record was like after each change: the job, the log number, the state.
type Past = Vec<(u128, u64, State)>;

#[derive(Default)]
struct Model(BTreeMap<RecordId, Past>);

impl Model {
    fn pick(&self, at: usize) -> Option<RecordId> {
        self.0.keys().nth(at % self.0.len().max(1)).copied()
    }

    fn now(&self, id: RecordId) -> State {
        self.0[&id].last().unwrap().2.clone()
    }
}

fn json_of(state: &State) -> Json {
    json!({"name": format!("n{}", state.name), "country": state.country.map(|country| format!("c{country}"))})
}

async fn make(world: &World, model: &mut Model, job: u128, step: &Step) {
    let (caller, object) = (by_job(job), name("account"));
    let (id, after) = match step {
        Step::Create(name) => (None, State { name: *name, country: None, alive: true }),
        Step::Update(at, ..) | Step::Delete(at) | Step::Restore(at) => {
            let Some(id) = model.pick(*at) else { return };
            let now = model.now(id);
            let after = match step {
                Step::Update(_, name, country) => {
                    State { name: name.unwrap_or(now.name), country: *country, ..now }
                }
                Step::Delete(_) => State { alive: false, ..now },
                _ => State { alive: true, ..now },
            };
            (Some(id), after)
        }
    };
    let changes = world.changes("account", json_of(&after));
    let write = match (step, id) {
        (Step::Create(_), _) | (_, None) => world.create_of("account", json_of(&after)),
        (Step::Update(..), Some(id)) => Write::Update { object, id, changes, expected_version: None },
        (Step::Delete(_), Some(id)) => Write::Delete { object, id, expected_version: None },
        (Step::Restore(_), Some(id)) => Write::Restore { object, id },
    };
    let head = world.records.log_head();
    match world.records.write_batch(&caller, vec![write]).await.unwrap().remove(0) {
        Ok(written) => {
            let id = id.or(written.record().map(|record| record.id)).unwrap();
            if world.records.log_head() > head {
                model.0.entry(id).or_default().push((job, head + 1, after));
            }
        }
        Err(Error::NotFound { .. }) => assert!(!model.now(id.unwrap()).alive),
        Err(error) => panic!("{error}"),
    }
}

async fn state_of(world: &World, id: RecordId) -> State {
    let everything = Scope::everything();
    let record = world.records.get_deleted_too(&everything, &name("account"), id).await.unwrap().unwrap();
    let number =
        |field: &str| world.text("account", &record, field).get(1..).and_then(|rest| rest.parse().ok());
    State { name: number("name").unwrap(), country: number("country"), alive: !record.is_deleted() }
}

/// What the undo of `job` must leave, where the record's changes from the job's first one on are the job's alone; `None` elsewhere.
fn expected(past: &Past, job: u128) -> Option<State> {
    let Some(first) = past.iter().position(|(by, ..)| *by == job) else {
        return Some(past.last()?.2.clone());
    };
    if past[first..].iter().any(|(by, ..)| *by != job) {
        return None;
    }
    match first.checked_sub(1) {
        Some(before) => Some(past[before].2.clone()),
        None => Some(State { alive: false, ..past.last()?.2.clone() }),
    }
}

fn same(found: &State, expected: &State) -> bool {
    // What a deleted record holds nobody sees.
    found == expected || (!found.alive && !expected.alive)
}

async fn check(steps: Vec<(u128, Step)>) {
    let world = World::new().await;
    let mut model = Model::default();
    for (job, step) in &steps {
        make(&world, &mut model, *job, step).await;
    }
    let (everything, object) = (Scope::everything(), name("account"));
    for (id, past) in &model.0 {
        for (place, (_, number, state)) in past.iter().enumerate() {
            let then = world.records.as_of(&everything, &object, *id, Moment::Entry(*number)).await;
            assert_eq!(then.is_ok(), state.alive, "{past:?} at {place}");
            let Ok(then) = then else { continue };
            assert_eq!(
                world.text("account", &then, "name"),
                format!("n{}", state.name),
                "{past:?} at {place}"
            );
        }
    }
    world.undo(100, &of_job(1)).await;
    for (id, past) in &model.0 {
        let (found, last) = (state_of(&world, *id).await, model.now(*id));
        if let Some(expected) = expected(past, 1) {
            assert!(same(&found, &expected), "{past:?} left {found:?}");
        }
        // What the job did not leave so stays.
        let left_by_job = |value: &dyn Fn(&State) -> Option<u8>| {
            let changed = |at: &usize| value(&past[*at].2) != value(&past[*at - 1].2) && past[*at].0 == 1;
            (1..past.len()).rev().find(changed).map(|at| value(&past[at].2))
        };
        if found.alive && last.alive {
            for value in
                [&|state: &State| Some(state.name), &|state: &State| state.country] as [&dyn Fn(&_) -> _; 2]
            {
                let is_jobs = left_by_job(value) == Some(value(&last));
                assert!(is_jobs || value(&found) == value(&last), "{past:?} left {found:?}");
            }
        }
    }
    world.undo(101, &of_job(100)).await;
    for (id, past) in &model.0 {
        let (found, last) = (state_of(&world, *id).await, model.now(*id));
        assert!(same(&found, &last), "{past:?} redone is {found:?}");
    }
    world.expect_clean().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn an_undo_leaves_what_was_before_and_its_undo_what_was_after(
        steps in prop::collection::vec((1_u128..4, step()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(steps));
    }
}
