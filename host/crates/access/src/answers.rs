//! What was answered to a caller that may ask the same again: idempotency keys.
//!
//! A caller that got no answer sends the same request with the same key, and gets the answer of the first. What the first one creates has
//! ids that are committed with it, so that a request that was cut off between its commit and its answer creates nothing twice either.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use trellis_model::RecordId;
use trellis_storage::{ScanRange, WriteSet};
use uuid::Uuid;

use crate::{Access, Error, Result, keys};

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers that belong to what was done, such as `location` and `etag`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is known of a request that came with a key.
#[derive(Debug)]
pub enum Begun {
    /// Nobody answers it at the moment: go on. Its ids are those that an earlier attempt gave, which was cut off.
    Now(Claim),
    /// It was answered.
    Before(Answer),
    /// Another request with the same key is being answered.
    Meanwhile,
    /// The key belongs to another request.
    Other,
}

/// The right to answer a request. Others with the same key wait until it is dropped.
#[derive(Debug)]
pub struct Claim {
    answers: Arc<Answers>,
    key: Vec<u8>,
    digest: [u8; 32],
    now_ms: i64,
    ids: Vec<RecordId>,
}

/// The keys whose requests are being answered.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<HashSet<Vec<u8>>>);

#[derive(Debug, Serialize, Deserialize)]
enum Stored {
    V1 { digest: [u8; 32], at_ms: i64, state: State },
}

#[derive(Debug, Serialize, Deserialize)]
enum State {
    Begun { ids: Vec<[u8; 16]> },
    Answered(Answer),
}

/// Rows of a page when answers are swept.
const SWEEP_ROWS: usize = 200;

impl Claim {
    /// Ids for what the request creates: those of an earlier attempt, then new ones.
    pub fn ids(&self) -> &[RecordId] {
        &self.ids
    }

    /// The key and value to commit with what has these ids.
    pub fn mark(&self, ids: &[RecordId]) -> (Vec<u8>, Vec<u8>) {
        let ids = ids.iter().map(|id| *id.as_bytes()).collect();
        (self.key.clone(), self.stored(State::Begun { ids }))
    }

    fn stored(&self, state: State) -> Vec<u8> {
        let stored = Stored::V1 { digest: self.digest, at_ms: self.now_ms, state };
        postcard::to_allocvec(&stored).expect("an answer is within what postcard can write")
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.answers.0.lock().remove(&self.key);
    }
}

impl Access {
    /// Begins to answer a request of a user that came with a key; `digest` is over all that makes the request.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn begin_answer(&self, user: RecordId, key: &str, digest: [u8; 32]) -> Result<Begun> {
        let key = keys::answer(user, blake3::hash(key.as_bytes()).as_bytes());
        if !self.answers.0.lock().insert(key.clone()) {
            return Ok(Begun::Meanwhile);
        }
        let now_ms = self.records.clock().now_ms();
        let mut claim = Claim { answers: Arc::clone(&self.answers), key, digest, now_ms, ids: Vec::new() };
        let Some(found) = self.records.store().get(&claim.key).await? else { return Ok(Begun::Now(claim)) };
        let Stored::V1 { digest: earlier, at_ms, state } = decode(&found.value)?;
        if at_ms < now_ms.saturating_sub(self.config.answer_ttl_ms) {
            return Ok(Begun::Now(claim));
        }
        Ok(match state {
            _ if earlier != digest => Begun::Other,
            State::Answered(answer) => Begun::Before(answer),
            State::Begun { ids } => {
                claim.ids = ids.into_iter().map(|id| RecordId(Uuid::from_bytes(id))).collect();
                Begun::Now(claim)
            }
        })
    }

    /// Keeps an answer for `answer_ttl_ms`, unless it is longer than `answer_bytes_max`: then the request is answered anew when it
    /// comes again, with the ids that it gave.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn keep_answer(&self, claim: &Claim, answer: Answer) -> Result<()> {
        if answer.body.len() > self.config.answer_bytes_max {
            return Ok(());
        }
        let mut set = WriteSet::new();
        set.put(claim.key.clone(), claim.stored(State::Answered(answer)));
        self.records.store().commit(set).await?;
        Ok(())
    }

    /// Deletes the answers that are older than `answer_ttl_ms`; returns how many.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn sweep_answers(&self) -> Result<usize> {
        let before_ms = self.records.clock().now_ms().saturating_sub(self.config.answer_ttl_ms);
        let (mut range, mut swept) = (ScanRange::prefix(&keys::answers()), 0);
        loop {
            let page = self.records.store().scan(range.clone(), SWEEP_ROWS).await?;
            let mut set = WriteSet::new();
            for row in &page.rows {
                let Stored::V1 { at_ms, .. } = decode(&row.value)?;
                if at_ms < before_ms {
                    set.expect_written_at(row.key.to_vec(), row.position);
                    set.delete(row.key.to_vec());
                    swept += 1;
                }
            }
            if !set.is_empty() {
                self.records.store().commit(set).await?;
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(swept),
            }
        }
    }
}

fn decode(bytes: &[u8]) -> Result<Stored> {
    postcard::from_bytes(bytes)
        .map_err(|error| Error::Damaged { what: format!("answer to a request: {error}") })
}
