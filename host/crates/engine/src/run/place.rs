//! Where a follower stands in the log, as the store has it.

use trellis_model::{PluginId, RecordId};
use trellis_storage::WriteSet;

use super::follow::Follower;
use crate::{Result, core::Core, keys, stored};

/// Log entries after which the place of a follower is written down even within [`PLACE_EVERY_MS`].
const CURSOR_ENTRIES: u64 = 10_000;

/// How often the place of a follower is written down, in milliseconds. After a crash it evaluates again who changed since then, to the
/// same results; a commit for every change of every plugin would cost more.
const PLACE_EVERY_MS: i64 = 1_000;

/// Where a follower stands: what it had done when it wrote this down.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum StoredPlace {
    V1 {
        run: [u8; 16],
        log_number: u64,
    },
    V2 {
        run: [u8; 16],
        log_number: u64,
        /// What the results are made of besides records: `Inputs::digest`.
        inputs: Option<u64>,
    },
}

/// Where the follower of a run stands, and the digest of its inputs.
pub(super) async fn place(core: &Core, id: &PluginId, run: RecordId) -> Result<Option<(u64, Option<u64>)>> {
    let Some(found) = core.records.store().get(&keys::follow(id)).await? else { return Ok(None) };
    let place = stored::decode(&found.value, || format!("place of plugin `{id}` in the log"))?;
    let (of, log_number, inputs) = match place {
        StoredPlace::V1 { run, log_number } => (run, log_number, None),
        StoredPlace::V2 { run, log_number, inputs } => (run, log_number, inputs),
    };
    Ok((of == *run.as_bytes()).then_some((log_number, inputs)))
}

impl Follower {
    pub(super) fn is_place_due(&self, core: &Core) -> bool {
        // A clock that is set back must not keep the place from being written down.
        let waited = (core.records.clock().now_ms() - self.saved_at_ms).unsigned_abs();
        let entries = self.log_number - self.saved;
        entries >= CURSOR_ENTRIES || entries > 0 && waited >= PLACE_EVERY_MS.unsigned_abs()
    }

    pub(super) async fn save_place(&mut self, core: &Core) -> Result<()> {
        let inputs = self.inputs.digest();
        let place = StoredPlace::V2 { run: *self.run.as_bytes(), log_number: self.log_number, inputs };
        let mut set = WriteSet::new();
        set.put(keys::follow(&self.id), stored::encode(&place));
        core.records.commit(set, None).await?;
        self.inputs.saved = inputs;
        self.saved = self.log_number;
        self.saved_at_ms = core.records.clock().now_ms();
        Ok(())
    }
}
