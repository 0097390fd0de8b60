use std::sync::atomic::{AtomicI64, Ordering};

use trellis_records::Clock;

/// A clock that moves only when it is told to. Starts at 2026-11-21T12:00:00Z.
#[derive(Debug)]
pub struct FakeClock(AtomicI64);

impl Default for FakeClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_795_262_400_000))
    }
}

impl FakeClock {
    /// Moves the clock, back where `ms` is negative.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for FakeClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
