//! Says what went wrong in a call, and whose fault it was.

use std::time::Duration;

use wasmtime::Trap;

use crate::call::{Call, Stop};
use crate::plain;
use crate::trap::trap_text;
use crate::{CallStats, ClassLimits, Error, Fault, FaultKind, LogLine, Plugin};

impl Plugin {
    pub(crate) fn fault(
        &self,
        interface: &'static str,
        call: &Call<'_>,
        kind: FaultKind,
        logs: Vec<LogLine>,
    ) -> Error {
        let (plugin, function) = (self.name.clone(), call.function);
        // Both quote names and texts of the guest's.
        let kind = match kind {
            FaultKind::Trap(text) => FaultKind::Trap(plain::reason(&text)),
            FaultKind::InvalidResult(text) => FaultKind::InvalidResult(plain::reason(&text)),
            kind => kind,
        };
        Error::Fault(Box::new(Fault { plugin, interface, function, kind, logs }))
    }

    pub(crate) fn host_failure(&self, reason: String) -> Error {
        Error::Host { plugin: self.name.clone(), reason }
    }

    /// The errors of a call that are nobody's fault, or the host's.
    pub(crate) fn stopped_by_host(&self, stop: Stop) -> Error {
        let plugin = self.name.clone();
        match stop {
            Stop::Cancelled => Error::Cancelled { plugin },
            Stop::RowStream(reason) => Error::RowStream { plugin, reason },
            Stop::BatchTooLarge { found, limit, unit } => Error::BatchTooLarge { plugin, found, limit, unit },
            Stop::Timeout | Stop::Starved | Stop::Memory | Stop::Table | Stop::Passes | Stop::Streams => {
                self.host_failure(stop.to_string())
            }
        }
    }

    /// Says what went wrong in a call that wasmtime ended.
    pub(crate) fn failure(
        &self,
        interface: &'static str,
        call: &Call<'_>,
        error: &wasmtime::Error,
        logs: Vec<LogLine>,
        stats: &CallStats,
    ) -> Error {
        let limits = self.limits(call.class);
        let kind = match error.downcast_ref::<Stop>() {
            Some(Stop::Timeout) => {
                let time_max = limits.time_max(stats.rows);
                // Where the answers took most of the time, it was not the plugin that was slow.
                if stats.lookups_took * 2 > time_max {
                    return Error::SlowLookups {
                        plugin: self.name.clone(),
                        function: call.function,
                        lookups: stats.lookups,
                        took_ms: milliseconds(stats.lookups_took),
                        ms: milliseconds(time_max),
                    };
                }
                FaultKind::Timeout { ms: milliseconds(time_max) }
            }
            Some(Stop::Memory) => FaultKind::Memory { bytes_max: limits.memory_bytes_max },
            Some(Stop::Table) => FaultKind::Table { elements_max: self.shared.config.table_elements_max },
            Some(Stop::Passes) => FaultKind::TooManyPasses { passes_max: limits.passes_max },
            Some(Stop::Streams) => FaultKind::TooManyStreams { streams_max: limits.streams_max },
            Some(Stop::Starved) => {
                let plugin = self.name.clone();
                return Error::Busy { plugin, waited_ms: milliseconds(limits.wall_max(stats.rows)) };
            }
            Some(stop) => return self.stopped_by_host(stop.clone()),
            // Its place in the pool is taken by others: it may be called again as soon as one of them is done.
            None if error.is::<wasmtime::PoolConcurrencyLimitError>() => {
                let waited_ms = 0;
                return Error::Busy { plugin: self.name.clone(), waited_ms };
            }
            None => match error.downcast_ref::<Trap>() {
                Some(Trap::StackOverflow) => FaultKind::StackOverflow,
                Some(trap) => FaultKind::Trap(trap_text(trap, error, &logs)),
                None => no_trap(error, limits),
            },
        };
        self.fault(interface, call, kind, logs)
    }
}

/// What wasmtime or a host function said of a guest that did not trap.
fn no_trap(error: &wasmtime::Error, limits: &ClassLimits) -> FaultKind {
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return FaultKind::Trap(format!("it exited with status {}", exit.0));
    }
    let reason = error.root_cause().to_string();
    // wasmtime keeps the type of this error to itself.
    if reason.contains("fuel allocated for hostcalls") {
        FaultKind::OutputTooLarge { bytes_max: limits.output_bytes_max }
    } else {
        FaultKind::InvalidResult(reason)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
