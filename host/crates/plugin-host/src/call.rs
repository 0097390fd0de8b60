//! The state of one call: its budget, its log, its rows, its look-ups. It lives in the store and dies with it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use trellis_model::Lookups;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};

use crate::answers::CallContext;
use crate::config::Parts;
use crate::interfaces::host_log::LogBuffer;
use crate::interfaces::host_lookups::LookupDesk;
use crate::interfaces::row_streams::StreamClient;
use crate::interfaces::wasi::WasiState;
use crate::{ClassLimits, LimitClass};

/// Handles to host resources that a guest may hold at once.
const HANDLES_MAX: usize = 256;

/// Asks a running call to end. Clones share the flag. The guest is stopped at the next tick, at most some 10 ms later.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Sets the flag for good.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is set.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// For the admin.
    Info,
    /// The admin should look at it.
    Warn,
    /// Something failed.
    Error,
}

/// One line that a plugin wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The text, without control characters, at most 4 KiB.
    pub message: String,
}

/// What a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallStats {
    /// From the permit to the result.
    pub wall: Duration,
    /// How much of it the processor worked for the call.
    pub cpu: Duration,
    /// How much of it the plugin waited for rows; not charged to it.
    pub waited: Duration,
    /// The most linear memory that it had, in bytes.
    pub memory_bytes_peak: u64,
    /// Log lines over the limit, which were counted and not kept.
    pub log_lines_suppressed: u64,
    /// Look-ups that it made, refused ones included.
    pub lookups: u32,
    /// How much of the wall time they took; charged to it.
    pub lookups_took: Duration,
    /// Rows that its time is for: those that it was called with, and those of the datasets that it opened.
    pub rows: u64,
    /// Instructions that it ran, as wasmtime weighs them: the same whenever the same is asked. Only of plugins from
    /// [`crate::PluginHost::load_metered`].
    pub fuel: Option<u64>,
}

/// Which call is made, under which limits, with what.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub(crate) function: &'static str,
    pub(crate) class: LimitClass,
    pub(crate) rows: u64,
    /// Bytes of the rows' columns.
    pub(crate) bytes: u64,
    pub(crate) at: Option<&'a CallContext>,
    pub(crate) cancel: CancelFlag,
    pub(crate) lookups: Option<Arc<dyn Lookups>>,
    /// Whether it is a part of a call that failed: whoever takes that apart judges it too.
    pub(crate) is_part: bool,
}

impl<'a> Call<'a> {
    /// A call without rows and look-ups, which nobody cancels and for which no time passes.
    pub(crate) fn new(function: &'static str, class: LimitClass) -> Self {
        let cancel = CancelFlag::default();
        Self { function, class, rows: 0, bytes: 0, at: None, cancel, lookups: None, is_part: false }
    }

    pub(crate) fn at(self, at: &'a CallContext) -> Self {
        Self { at: Some(at), ..self }
    }

    pub(crate) fn rows(self, rows: u64) -> Self {
        Self { rows, ..self }
    }

    pub(crate) fn bytes(self, bytes: usize) -> Self {
        Self { bytes: bytes as u64, ..self }
    }

    /// The same call for a part of its rows.
    pub(crate) fn part(&self, rows: u64) -> Self {
        Self { rows, bytes: 0, is_part: true, ..self.clone() }
    }

    pub(crate) fn lookups(self, lookups: Arc<dyn Lookups>) -> Self {
        Self { lookups: Some(lookups), ..self }
    }

    pub(crate) fn cancel(self, cancel: &CancelFlag) -> Self {
        Self { cancel: cancel.clone(), ..self }
    }
}

/// Why the host ended a guest. Travels through wasmtime as the error of the call.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Stop {
    #[error("out of time")]
    Timeout,
    #[error("out of time that passed")]
    Starved,
    #[error("out of memory")]
    Memory,
    #[error("table too large")]
    Table,
    #[error("too many passes")]
    Passes,
    #[error("too many datasets open")]
    Streams,
    #[error("cancelled")]
    Cancelled,
    #[error("rows cannot be read: {0}")]
    RowStream(String),
    #[error("batch has {found} {unit}, at most {limit}")]
    BatchTooLarge { found: u64, limit: u64, unit: &'static str },
}

/// What the host functions and the limiter know of the call that they serve.
pub(crate) struct CallState {
    started: Instant,
    /// Processor time of this thread when the call started.
    cpu_before: Duration,
    limits: ClassLimits,
    /// Rows that the time is for.
    rows: u64,
    /// The datasets that were opened; one that is opened again gives no further time.
    datasets: BTreeSet<String>,
    time_max: Duration,
    wall_max: Duration,
    pub(crate) waited: Duration,
    cancel: CancelFlag,
    memory_bytes: u64,
    memory_bytes_peak: u64,
    memory_bytes_max: u64,
    parts: Parts,
    passes_left: u32,
    /// Shared with the streams that stand for a guest's standard output.
    pub(crate) log: Arc<Mutex<LogBuffer>>,
    pub(crate) stream: Option<StreamClient>,
    pub(crate) lookups: LookupDesk,
    pub(crate) wasi: WasiState,
}

impl CallState {
    /// The state of a call that this thread makes; its time starts now.
    pub(crate) fn new(call: &Call<'_>, limits: &ClassLimits, parts: Parts, lookups: LookupDesk) -> Self {
        let log = Arc::new(Mutex::new(LogBuffer::new(limits.log_lines_max)));
        Self {
            started: Instant::now(),
            cpu_before: cpu_time(),
            limits: *limits,
            rows: call.rows,
            datasets: BTreeSet::new(),
            time_max: limits.time_max(call.rows),
            wall_max: limits.wall_max(call.rows),
            waited: Duration::ZERO,
            cancel: call.cancel.clone(),
            memory_bytes: 0,
            memory_bytes_peak: 0,
            memory_bytes_max: limits.memory_bytes_max,
            parts,
            passes_left: limits.passes_max,
            wasi: WasiState::new(call.at, &log),
            log,
            stream: None,
            lookups,
        }
    }

    /// The end of the call's budget or of the patience of whoever asked. The budget is processor time, so that a busy machine costs a
    /// plugin nothing; look-ups are charged as long as they take, since somebody waits for them.
    pub(crate) fn check_time(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            Err(Stop::Cancelled)
        } else if self.cpu() + self.lookups.slept() > self.time_max {
            Err(Stop::Timeout)
        } else if self.started.elapsed().saturating_sub(self.waited) > self.wall_max {
            Err(Stop::Starved)
        } else {
            Ok(())
        }
    }

    /// Counts that the rows are read from their beginning again.
    pub(crate) fn begin_pass(&mut self) -> Result<(), Stop> {
        self.passes_left = self.passes_left.checked_sub(1).ok_or(Stop::Passes)?;
        Ok(())
    }

    /// Gives a call the time that the rows of a dataset take.
    pub(crate) fn add_dataset(&mut self, name: String, rows: u64) {
        if self.datasets.insert(name) {
            self.rows = self.rows.saturating_add(rows);
            self.time_max = self.limits.time_max(self.rows);
            self.wall_max = self.limits.wall_max(self.rows);
        }
    }

    /// Datasets that it may hold open at once.
    pub(crate) fn streams_max(&self) -> u32 {
        self.limits.streams_max
    }

    fn cpu(&self) -> Duration {
        cpu_time().saturating_sub(self.cpu_before)
    }

    pub(crate) fn finish(mut self, fuel: Option<u64>) -> (Vec<LogLine>, CallStats) {
        // Lines that the guest has not ended.
        self.wasi.close();
        let log = std::mem::take(&mut *self.log.lock());
        let stats = CallStats {
            wall: self.started.elapsed(),
            cpu: self.cpu(),
            waited: self.waited,
            memory_bytes_peak: self.memory_bytes_peak,
            log_lines_suppressed: log.suppressed(),
            lookups: self.lookups.made(),
            lookups_took: self.lookups.took(),
            rows: self.rows,
            fuel,
        };
        (log.into_lines(), stats)
    }
}

/// Processor time of this thread so far.
pub(crate) fn cpu_time() -> Duration {
    cpu_time::ThreadTime::now().as_duration()
}

/// Makes the store of one call. Its time has started.
pub(crate) fn new_store(engine: &Engine, limits: &ClassLimits, state: CallState) -> Store<CallState> {
    let mut store = Store::new(engine, state);
    store.limiter(|state| state);
    store.set_hostcall_fuel(usize::try_from(limits.output_bytes_max).unwrap_or(usize::MAX));
    store.set_max_component_handles(HANDLES_MAX);
    // Time ends a guest, fuel only counts. An engine that does not meter refuses it, which is as well.
    let _ = store.set_fuel(u64::MAX);
    // Without a deadline the first instruction would trap. The callback runs every tick, so that neither time spent waiting
    // for rows nor a cancellation needs another deadline.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|ctx| {
        ctx.data().check_time()?;
        Ok(UpdateDeadline::Continue(1))
    });
    store
}

/// What a call has used so far, where its engine meters.
pub(crate) fn fuel_used(store: &Store<CallState>) -> Option<u64> {
    store.get_fuel().ok().map(|left| u64::MAX - left)
}

impl ResourceLimiter for CallState {
    /// Counts the memories of the instance together: a guest gains nothing from having several.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let wanted = self.memory_bytes.saturating_add(desired.saturating_sub(current) as u64);
        if wanted > self.memory_bytes_max {
            return Err(Stop::Memory.into());
        }
        self.memory_bytes = wanted;
        self.memory_bytes_peak = self.memory_bytes_peak.max(wanted);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.parts.table_elements_max {
            return Err(Stop::Table.into());
        }
        Ok(maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn instances(&self) -> usize {
        self.parts.core_instances_max
    }

    fn tables(&self) -> usize {
        self.parts.tables_max
    }

    fn memories(&self) -> usize {
        self.parts.memories_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn state() -> CallState {
        let limits = Limits::default().call;
        let parts = crate::Config::default().parts();
        CallState::new(&Call::new("describe", LimitClass::Call), &limits, parts, LookupDesk::closed())
    }

    #[test]
    fn memories_share_one_limit() {
        let mut state = state();
        assert!(state.memory_growing(0, 40 << 20, None).unwrap());
        assert!(!state.memory_growing(0, 2 << 20, Some(1 << 20)).unwrap(), "its own maximum comes first");
        let error = state.memory_growing(0, 40 << 20, None).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Stop::Memory)));
        assert_eq!(state.finish(None).1.memory_bytes_peak, 40 << 20);
    }

    #[test]
    fn time_waited_for_rows_is_free() {
        let mut state = state();
        state.wall_max = Duration::ZERO;
        assert!(matches!(state.check_time(), Err(Stop::Starved)), "nothing but a busy machine");
        state.waited = Duration::from_secs(3600);
        assert!(state.check_time().is_ok());
        state.cancel.cancel();
        assert!(matches!(state.check_time(), Err(Stop::Cancelled)));
    }

    #[test]
    fn only_time_of_the_processor_is_charged() {
        let mut state = state();
        state.started = Instant::now().checked_sub(Duration::from_millis(3_000)).unwrap();
        assert!(state.check_time().is_ok(), "15 times its 200 ms passed, and it used none of them");
        state.time_max = Duration::ZERO;
        while state.cpu() == Duration::ZERO {
            std::hint::spin_loop();
        }
        assert!(matches!(state.check_time(), Err(Stop::Timeout)));
    }
}
