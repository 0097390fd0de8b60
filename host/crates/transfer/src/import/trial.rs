//! An import that writes nothing.

use std::collections::{HashMap, HashSet};

use tokio::sync::Mutex;
use trellis_model::{Fields, ObjectId, RecordId};
use trellis_records::{Error, Trial, Write, Written};

use super::Result;
use super::mapping::{Key, Mode};
use super::parse::Draft;
use super::run::Import;
use super::source::digest;

/// What a rehearsal keeps in mind instead of a store.
#[derive(Debug, Default)]
pub(super) struct Rehearsal {
    /// Digests of keys that several rows give themselves.
    pub(super) repeated: HashSet<[u8; 16]>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Records that references would create.
    trial: Trial,
    /// What the records of repeated keys would be by now.
    fields: HashMap<[u8; 16], (RecordId, Fields)>,
    /// Who has which unique value beside the key, by digest.
    unique: HashMap<[u8; 16], RecordId>,
}

impl Rehearsal {
    /// What creating records that rows refer to would come to; the records are taken to be there from now on.
    pub(super) async fn create(
        &self,
        import: &Import<'_>,
        object: ObjectId,
        writes: Vec<Write>,
    ) -> Result<Vec<Result<Written, Error>>> {
        let mut state = self.state.lock().await;
        let written = import.records.try_batch(import.caller, &writes, &state.trial).await?;
        let created = written.iter().flatten().filter_map(Written::record);
        state.trial.assumed.extend(created.map(|record| (object, record.id)));
        Ok(written)
    }

    /// What a batch would come to.
    pub(super) async fn weigh(
        &self,
        import: &Import<'_>,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Result<Written, Error>>> {
        let mut state = self.state.lock().await;
        let mut outcomes: Vec<Option<Result<Written, Error>>> = Vec::with_capacity(drafts.len());
        let (mut writes, mut later, mut begun) = (Vec::new(), Vec::new(), HashSet::new());
        for draft in drafts {
            let key = draft.given_key.as_deref().map(digest).filter(|key| self.repeated.contains(key));
            if let Some(key) = key.filter(|key| state.fields.contains_key(key) || !begun.insert(*key)) {
                later.push((outcomes.len(), key, draft));
                outcomes.push(None);
                continue;
            }
            outcomes.push(match import.write_of(draft).await? {
                Ok(write) => {
                    writes.push((outcomes.len(), key, write));
                    None
                }
                Err(error) => Some(Err(error)),
            });
        }
        let (places, asked): (Vec<_>, Vec<_>) =
            writes.into_iter().map(|(place, key, write)| ((place, key), write)).unzip();
        let written = import.records.try_batch(import.caller, &asked, &state.trial).await?;
        for ((place, key), written) in places.into_iter().zip(written) {
            let written = written.and_then(|written| state.take(import, key, written));
            *outcomes.get_mut(place).expect("a place for each draft") = Some(written);
        }
        for (place, key, draft) in later {
            let outcome = state.again(import, key, draft).await?;
            *outcomes.get_mut(place).expect("a place for each draft") = Some(outcome);
        }
        Ok(outcomes.into_iter().map(|outcome| outcome.expect("each draft has come to something")).collect())
    }
}

impl State {
    /// Keeps in mind what a row would have written.
    fn take(
        &mut self,
        import: &Import<'_>,
        key: Option<[u8; 16]>,
        written: Written,
    ) -> Result<Written, Error> {
        let Some(record) = written.record() else { return Ok(written) };
        let own = import.mapping.key.field().map(|field| field.id);
        let unique =
            import.mapping.object.fields.iter().filter(|field| field.unique && Some(field.id) != own);
        for field in unique {
            let Some(value) = record.fields.get(&field.id) else { continue };
            let value = value.canonical();
            let holder = *self.unique.entry(digest(&format!("{}:{value}", field.name))).or_insert(record.id);
            if holder != record.id {
                let (object, field) = (import.mapping.object.name.clone(), field.name.clone());
                return Err(Error::Duplicate { object, field, value, holder });
            }
        }
        if let Some(key) = key {
            self.fields.insert(key, (record.id, record.fields.clone()));
        }
        Ok(written)
    }

    /// What a row comes to whose key an earlier row has.
    async fn again(
        &mut self,
        import: &Import<'_>,
        key: [u8; 16],
        draft: Draft,
    ) -> Result<Result<Written, Error>> {
        let Some((id, fields)) = self.fields.get_mut(&key) else {
            // The earlier row was refused.
            let write = match import.write_of(draft).await? {
                Ok(write) => write,
                Err(error) => return Ok(Err(error)),
            };
            let mut written = import.records.try_batch(import.caller, &[write], &self.trial).await?;
            let written = written.pop().expect("one result for each write");
            return Ok(written.and_then(|written| self.take(import, Some(key), written)));
        };
        if let (Mode::Create, Key::Field(field)) = (import.mapping.mode, &import.mapping.key) {
            let value = draft.given_key.unwrap_or_default();
            let (object, field) = (import.mapping.object.name.clone(), field.name.clone());
            return Ok(Err(Error::Duplicate { object, field, value, holder: *id }));
        }
        let before = fields.clone();
        fields.extend(draft.fields);
        let record = trellis_model::Record {
            id: *id,
            object: import.mapping.object.id,
            version: 0,
            ordinal: None,
            created_at_ms: 0,
            updated_at_ms: 0,
            deleted_at_ms: None,
            last_log: 0,
            fields: fields.clone(),
        };
        Ok(Ok(if before == *fields { Written::Unchanged(record) } else { Written::Updated(record) }))
    }
}
