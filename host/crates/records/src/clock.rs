use std::sync::atomic::{AtomicU64, Ordering};

use trellis_model::RecordId;
use uuid::Uuid;

/// Where the crate gets the time from; injected, so that tests never sleep.
pub trait Clock: Send + Sync + std::fmt::Debug + 'static {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> i64;
}

/// Where the crate gets ids and salts from; injected, so that snapshots never flicker.
pub trait IdSource: Send + Sync + std::fmt::Debug + 'static {
    /// A new UUIDv7 whose time is `now_ms`. Ids made one after the other by one process ascend: a record's id is also its
    /// place in the order of creation.
    fn record_id(&self, now_ms: i64) -> RecordId;

    /// Random bytes that keep the digest of a log entry from being guessed.
    fn salt(&self) -> [u8; 16];
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }
}

/// Random ids: 48 bits of time, a counter of 20 bits within the millisecond, 48 random bits.
#[derive(Debug, Default)]
pub struct SystemIds {
    /// Milliseconds << 20 | counter of the last id.
    last: AtomicU64,
}

/// How many bits of an id count the ids of one millisecond.
const COUNTER_BITS: u32 = 20;

impl SystemIds {
    /// The next (time, counter), never below the last: a clock that steps back does not unsort ids.
    fn next_tick(&self, now_ms: i64) -> u64 {
        let now = u64::try_from(now_ms).unwrap_or_default() << COUNTER_BITS;
        let next = |last: u64| Some(now.max(last + 1));
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
        now.max(last + 1)
    }
}

impl IdSource for SystemIds {
    fn record_id(&self, now_ms: i64) -> RecordId {
        let tick = self.next_tick(now_ms);
        let (time, counter) = (tick >> COUNTER_BITS, tick & ((1 << COUNTER_BITS) - 1));
        let high = time << 16 | 0x7000 | counter >> 8;
        let low = 0x8000_0000_0000_0000 | (counter & 0xff) << 48 | u64::from_be_bytes(random()) >> 16;
        RecordId(Uuid::from_u64_pair(high, low))
    }

    fn salt(&self) -> [u8; 16] {
        random()
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}
