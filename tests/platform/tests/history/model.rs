//! What the server should hold, kept as plain maps.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

/// The fields that steps touch; the server sets others by itself.
pub(crate) type Fields = BTreeMap<&'static str, Json>;

/// One record as it should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) fields: Fields,
    pub(crate) alive: bool,
    /// The record that it was merged into.
    pub(crate) merged_into: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) object: &'static str,
    pub(crate) state: State,
}

/// What one job did to a record: before (none where it was created) and after.
pub(crate) type Done = BTreeMap<String, (Option<State>, State)>;

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) records: BTreeMap<String, Entry>,
    /// In the order in which they ran.
    pub(crate) jobs: Vec<(String, Done)>,
}

/// The objects that steps are about.
pub(crate) const OBJECTS: [&str; 2] = ["account", "case"];

impl Model {
    /// The ids of an object, the oldest first.
    pub(crate) fn ids(&self, object: &str) -> Vec<String> {
        let of_object = self.records.iter().filter(|(_, entry)| entry.object == object);
        of_object.map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn alive(&self, object: &str) -> Vec<String> {
        self.ids(object).into_iter().filter(|id| self.records[id].state.alive).collect()
    }

    /// Follows merges.
    pub(crate) fn target(&self, id: &str) -> String {
        let mut id = id.to_owned();
        while let Some(into) = self.records.get(&id).and_then(|entry| entry.state.merged_into.clone()) {
            id = into;
        }
        id
    }

    pub(crate) fn put(&mut self, done: &mut Done, id: &str, object: &'static str, after: State) {
        let before = self.records.get(id).map(|entry| entry.state.clone());
        if before.as_ref() == Some(&after) {
            return;
        }
        let first = done.get(id).map(|(first, _)| first.clone());
        done.insert(id.to_owned(), (first.unwrap_or(before), after.clone()));
        self.records.insert(id.to_owned(), Entry { object, state: after });
    }

    /// The records that a later job than `place` touched.
    pub(crate) fn touched_after(&self, place: usize) -> BTreeSet<&String> {
        self.jobs.iter().skip(place + 1).flat_map(|(_, done)| done.keys()).collect()
    }
}
