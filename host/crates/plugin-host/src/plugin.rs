//! A loaded plugin and the one way in which its functions are called.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use wasmtime::component::{Component, Instance, InstancePre};
use wasmtime::{Engine, Store, Trap};

use crate::call::{CallState, Stop, TABLE_ELEMENTS_MAX, new_store};
use crate::compile::deserialize;
use crate::host::Shared;
use crate::interfaces::bindings::exports::trellis::plugin::segmentation::GuestIndices;
use crate::interfaces::row_streams::StreamClient;
use crate::manifest::Interface;
use crate::permits::NoPermit;
use crate::trap::trap_text;
use crate::{
    CallStats, CancelFlag, ClassLimits, Digest, Error, Fault, FaultKind, Inspection, LimitClass, LogLine,
    Manifest, PluginError, PluginVersion, Result, Segmentation,
};

/// A component that was checked, compiled and linked. Calls on it may run at the same time; each has an instance of its own.
pub struct Plugin {
    shared: Arc<Shared>,
    inspection: Inspection,
    name: PluginVersion,
    pooled: Prepared,
    /// Made at the first call of that class: most plugins are loaded more often than they are trained.
    training: Mutex<Option<Arc<Prepared>>>,
}

/// A component linked on one of the engines.
pub(crate) struct Prepared {
    pre: InstancePre<CallState>,
    segmentation: Option<GuestIndices>,
}

/// Which call is made, under which limits.
pub(crate) struct Call<'a> {
    pub(crate) interface: &'static str,
    pub(crate) function: &'static str,
    pub(crate) class: LimitClass,
    pub(crate) rows: u64,
    pub(crate) cancel: &'a CancelFlag,
}

/// A call that ended well.
#[derive(Debug)]
pub(crate) struct Done<T> {
    pub(crate) value: T,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) stats: CallStats,
}

/// Why an answer that arrived is none.
pub(crate) enum Rejection {
    Plugin(PluginError),
    Invalid(String),
}

impl From<String> for Rejection {
    fn from(reason: String) -> Self {
        Self::Invalid(reason)
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name)
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// Links a compiled component and tries it: what does not fit shows now and not in a run at night.
    pub(crate) fn new(shared: Arc<Shared>, inspection: Inspection, code: &[u8]) -> Result<Self> {
        let name = inspection.manifest.plugin_version();
        let wrong_shape =
            |error: wasmtime::Error| Error::WrongShape { plugin: name.clone(), reason: format!("{error:#}") };
        let component = deserialize(shared.engines.of(LimitClass::Call), code).map_err(|error| {
            let (plugin, reason) = (name.clone(), format!("{error:#}"));
            // What loads without a pool is good code that wants more than its place in the pool.
            if deserialize(shared.engines.of(LimitClass::Training), code).is_ok() {
                Error::OverLimits { plugin, reason }
            } else {
                Error::CompileFailed { plugin, reason: format!("code cannot be loaded: {reason}") }
            }
        })?;
        let provides = &inspection.manifest.provides;
        let pooled = Prepared::new(&shared, LimitClass::Call, &component, provides).map_err(wrong_shape)?;
        let plugin = Self { shared, inspection, name: name.clone(), pooled, training: Mutex::new(None) };
        plugin.try_instance()?;
        Ok(plugin)
    }

    /// Instantiates once and looks up every function of every interface with its types.
    fn try_instance(&self) -> Result<()> {
        let cancel = CancelFlag::default();
        let call = Call {
            interface: "plugin",
            function: "instantiate",
            class: LimitClass::Call,
            rows: 0,
            cancel: &cancel,
        };
        let done = self.run(&call, None, |store, instance, prepared| {
            Ok(match &prepared.segmentation {
                Some(indices) => {
                    indices.load(store, instance).map(drop).map_err(|error| format!("{error:#}").into())
                }
                None => Ok(()),
            })
        });
        match done {
            Ok(_) => Ok(()),
            Err(Error::Fault(fault)) if matches!(fault.kind, FaultKind::InvalidResult(_)) => {
                let FaultKind::InvalidResult(reason) = fault.kind else { return Ok(()) };
                Err(Error::WrongShape { plugin: self.name.clone(), reason })
            }
            Err(error) => Err(error),
        }
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inspection.manifest
    }

    /// Everything that is known of it without running it.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// Names its content.
    pub fn digest(&self) -> Digest {
        self.inspection.digest
    }

    /// Names it and its version.
    pub fn plugin_version(&self) -> &PluginVersion {
        &self.name
    }

    /// Which plugin.
    pub fn id(&self) -> &trellis_model::PluginId {
        &self.name.id
    }

    /// Which version of it.
    pub fn version(&self) -> &semver::Version {
        &self.name.version
    }

    /// What it imports, with versions.
    pub fn imports(&self) -> &[String] {
        &self.inspection.imports
    }

    /// Its segmentation interface, if it has one.
    pub fn segmentation(&self) -> Option<Segmentation<'_>> {
        self.pooled.segmentation.is_some().then(|| Segmentation::of(self))
    }

    pub(crate) fn limits(&self, class: LimitClass) -> &ClassLimits {
        self.shared.config.limits.of(class)
    }

    /// Runs `body` on a new instance within the limits of the call's class. Whatever happens, the instance is gone afterwards.
    pub(crate) fn run<T>(
        &self,
        call: &Call<'_>,
        stream: Option<StreamClient>,
        body: impl FnOnce(&mut Store<CallState>, &Instance, &Prepared) -> wasmtime::Result<Result<T, Rejection>>,
    ) -> Result<Done<T>> {
        let training;
        let prepared = match call.class {
            LimitClass::Training => {
                training = self.training()?;
                &*training
            }
            LimitClass::RecordHook | LimitClass::Call | LimitClass::Batch => &self.pooled,
        };
        let _permit = self.permit(call)?;
        self.shared.counters.calls.fetch_add(1, Ordering::Relaxed);
        let mut store = new_store(prepared.pre.engine(), self.limits(call.class), call.rows, call.cancel);
        store.data_mut().stream = stream;
        let result = catch_unwind(AssertUnwindSafe(|| {
            let instance = prepared.pre.instantiate(&mut store)?;
            body(&mut store, &instance, prepared)
        }));
        let (logs, stats) = store.into_data().finish();
        match result {
            Ok(Ok(Ok(value))) => Ok(Done { value, logs, stats }),
            Ok(Ok(Err(Rejection::Plugin(error)))) => {
                Err(Error::Plugin { plugin: self.name.clone(), function: call.function, error })
            }
            Ok(Ok(Err(Rejection::Invalid(reason)))) => {
                Err(self.fault(call, FaultKind::InvalidResult(reason), logs))
            }
            Ok(Err(error)) => Err(self.failure(call, &error, logs)),
            Err(panic) => Err(self.host_failure(panic_message(&*panic))),
        }
    }

    fn permit(&self, call: &Call<'_>) -> Result<crate::permits::Permit<'_>> {
        let waited_ms = self.shared.config.permit_wait_ms_max;
        let wait_max = match call.class {
            LimitClass::RecordHook | LimitClass::Call => Some(Duration::from_millis(waited_ms)),
            // Whoever holds a permit gives it back within its own limit, so waiting ends.
            LimitClass::Batch | LimitClass::Training => None,
        };
        let plugin = || self.name.clone();
        self.shared.permits.take(call.class, wait_max, call.cancel).map_err(|reason| match reason {
            NoPermit::Busy => Error::Busy { plugin: plugin(), waited_ms },
            NoPermit::Cancelled => Error::Cancelled { plugin: plugin() },
        })
    }

    /// The component on the engine for training. The same code serves both engines.
    fn training(&self) -> Result<Arc<Prepared>> {
        let mut training = self.training.lock();
        if let Some(prepared) = &*training {
            return Ok(Arc::clone(prepared));
        }
        let engine = self.shared.engines.of(LimitClass::Training);
        let prepared = self
            .pooled
            .pre
            .component()
            .serialize()
            .and_then(|code| {
                let component = deserialize(engine, &code)?;
                Prepared::new(&self.shared, LimitClass::Training, &component, &self.manifest().provides)
            })
            .map_err(|error| Error::Setup { reason: format!("{}: {error:#}", self.name) })?;
        Ok(Arc::clone(training.insert(Arc::new(prepared))))
    }

    fn fault(&self, call: &Call<'_>, kind: FaultKind, logs: Vec<LogLine>) -> Error {
        self.shared.counters.faults.fetch_add(1, Ordering::Relaxed);
        let (interface, function) = (call.interface, call.function);
        Error::Fault(Box::new(Fault { plugin: self.name.clone(), interface, function, kind, logs }))
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
            Stop::Timeout | Stop::Memory | Stop::Table => self.host_failure(stop.to_string()),
        }
    }

    /// Says what went wrong in a call that wasmtime ended.
    fn failure(&self, call: &Call<'_>, error: &wasmtime::Error, logs: Vec<LogLine>) -> Error {
        let limits = self.limits(call.class);
        let kind = match error.downcast_ref::<Stop>() {
            Some(Stop::Timeout) => FaultKind::Timeout {
                ms: u64::try_from(limits.time_max(call.rows).as_millis()).unwrap_or(u64::MAX),
            },
            Some(Stop::Memory) => FaultKind::Memory { bytes_max: limits.memory_bytes_max },
            Some(Stop::Table) => FaultKind::Table { elements_max: TABLE_ELEMENTS_MAX },
            Some(stop) => return self.stopped_by_host(stop.clone()),
            None => match error.downcast_ref::<Trap>() {
                Some(Trap::StackOverflow) => FaultKind::StackOverflow,
                Some(trap) => FaultKind::Trap(trap_text(trap, error, &logs)),
                None => {
                    let reason = error.root_cause().to_string();
                    // wasmtime keeps the type of this error to itself.
                    if reason.contains("fuel allocated for hostcalls") {
                        FaultKind::OutputTooLarge { bytes_max: limits.output_bytes_max }
                    } else {
                        FaultKind::InvalidResult(reason)
                    }
                }
            },
        };
        self.fault(call, kind, logs)
    }
}

impl Prepared {
    fn new(
        shared: &Shared,
        class: LimitClass,
        component: &Component,
        provides: &[Interface],
    ) -> wasmtime::Result<Self> {
        let engine: &Engine = shared.engines.of(class);
        let mut linker = wasmtime::component::Linker::new(engine);
        crate::interfaces::add_to_linker(&mut linker)?;
        let pre = linker.instantiate_pre(component)?;
        let segmentation = provides.contains(&Interface::Segmentation);
        let segmentation = segmentation.then(|| GuestIndices::new(&pre)).transpose()?;
        Ok(Self { pre, segmentation })
    }

    /// Where the functions of the interface are. Only plugins that have the interface are called through it.
    pub(crate) fn segmentation(&self) -> wasmtime::Result<&GuestIndices> {
        self.segmentation.as_ref().ok_or_else(|| wasmtime::Error::msg("there is no interface `segmentation`"))
    }
}

pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic").to_owned()
}
