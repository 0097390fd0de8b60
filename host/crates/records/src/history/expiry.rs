//! What the log says of old changes goes after a while; who changed what when, and the digest, stay.

use trellis_storage::{ScanRange, WriteSet};

use crate::keys::{self, Key, KeyKind};
use crate::records::counter;
use crate::{Records, Result, log};

/// Entries that are looked at in one step.
const STEP_ENTRIES: usize = 200;
/// Keys from which on a step ends: below the store's limit on a write set.
const STEP_KEYS_MAX: usize = 3_000;
/// Rows of a page of payload keys.
const PAGE_ROWS: usize = 200;

impl Records {
    /// Deletes payloads of entries that were written before a time, oldest first, none over `number_max`: a bounded number at once. Returns
    /// whether there are more. What readers of the log have not read yet must be over `number_max`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn expire_payloads(&self, before_ms: i64, number_max: u64) -> Result<bool> {
        let after = self.payloads_expired_to().await?;
        let headers = log::read::headers(&**self.store(), after, STEP_ENTRIES).await?;
        let is_old = |header: &log::read::StoredHeader| {
            header.header.time_ms < before_ms && header.number <= number_max
        };
        let old: Vec<u64> =
            headers.iter().take_while(|header| is_old(header)).map(|header| header.number).collect();
        let (mut set, mut done) = (WriteSet::new(), after);
        for number in &old {
            if set.deletes().len() > STEP_KEYS_MAX {
                break;
            }
            for key in self.payload_keys(*number).await? {
                set.delete(key);
            }
            done = *number;
        }
        if done == after {
            return Ok(false);
        }
        set.put(keys::expired_payloads(), done.to_be_bytes());
        self.commit(set, None).await?;
        Ok(old.len() == STEP_ENTRIES || old.last().is_some_and(|last| *last > done))
    }

    /// The number of the last log entry whose payload has expired; 0 for none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn payloads_expired_to(&self) -> Result<u64> {
        let found = self.store().get(&keys::expired_payloads()).await?;
        found.as_ref().map_or(Ok(0), counter)
    }

    async fn payload_keys(&self, number: u64) -> Result<Vec<Vec<u8>>> {
        let mut range = ScanRange::prefix(&Key::new(KeyKind::LogPayload).u64(number).done());
        let mut found = Vec::new();
        loop {
            let page = self.store().scan(range.clone(), PAGE_ROWS).await?;
            found.extend(page.rows.iter().map(|row| row.key.to_vec()));
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(found),
            }
        }
    }
}
