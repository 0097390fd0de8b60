//! What the calls of a run are told besides rows: day, time, seed.

use trellis_columns::AsOf;
use trellis_model::RecordId;
use trellis_plugin_host::CallContext;
use trellis_records::Records;

use crate::{as_of, core::Core};

/// What every call of a run is told.
pub(crate) fn of(core: &Core, run: RecordId, as_of: AsOf) -> CallContext {
    of_records(&core.records, run, as_of)
}

/// As [`of`], for whoever has only the records.
pub(crate) fn of_records(records: &Records, run: RecordId, as_of: AsOf) -> CallContext {
    let config = records.config();
    let now_ms = records.clock().now_ms();
    CallContext {
        run_id: run.to_string(),
        as_of_days: as_of::day(as_of, now_ms, &config.time_zone),
        now_ms,
        time_zone: config.time_zone.iana_name().unwrap_or("UTC").to_owned(),
        base_currency: config.base_currency.to_string(),
        seed: seed(run),
    }
}

/// The seed of a run: the same whenever it is done again.
fn seed(run: RecordId) -> u64 {
    let digest = blake3::derive_key("trellis engine run seed v1", run.as_bytes());
    u64::from_le_bytes(*digest.first_chunk().expect("a digest has 32 bytes"))
}
