//! A loaded plugin and the one way in which its functions are called.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use trellis_model::Batch;
use wasmtime::component::{Component, Instance, InstancePre, Resource};
use wasmtime::{Engine, Store};

use crate::answers::CallContext;
use crate::call::{Call, CallState, fuel_used, new_store};
use crate::compile::deserialize;
use crate::health::{Pass, Ward};
use crate::host::Shared;
use crate::interfaces::bindings::trellis::plugin::types;
use crate::interfaces::host_lookups::LookupDesk;
use crate::interfaces::row_streams::{self, RowStream, StreamClient, StreamHandle};
use crate::interfaces::{Exported, Guests};
use crate::manifest::{Interface, LookupGrant};
use crate::permits::NoPermit;
use crate::used::{Usage, Used};
use crate::{
    CallStats, CampaignRules, ClassLimits, Digest, Error, FaultKind, Inspection, LimitClass, Limits, LogLine,
    Manifest, PluginError, PluginVersion, RecordHook, Result, Scoring, Segmentation, ServiceWorkflow,
    convert,
};

/// A component that was checked, compiled and linked. Calls on it may run at the same time; each has an instance of its own.
pub struct Plugin {
    pub(crate) shared: Arc<Shared>,
    inspection: Inspection,
    pub(crate) name: PluginVersion,
    /// What its calls came to; every call passes it.
    ward: Arc<Ward>,
    lookup_grants: Arc<[LookupGrant]>,
    pooled: Prepared,
    /// Made at the first call of that class: most plugins are loaded more often than they are trained.
    training: Mutex<Option<Arc<Prepared>>>,
    used: Usage,
    limits: Limits,
}

/// A component linked on one of the engines.
struct Prepared {
    pre: InstancePre<CallState>,
    guests: Guests,
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
    Fault(FaultKind),
}

impl From<String> for Rejection {
    fn from(reason: String) -> Self {
        Self::Fault(FaultKind::InvalidResult(reason))
    }
}

/// What a function of a guest gave back.
type Answer<T> = wasmtime::Result<std::result::Result<T, types::PluginError>>;

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
        let pooled =
            Prepared::new(&shared, LimitClass::Call, &component, &inspection).map_err(wrong_shape)?;
        let lookup_grants = inspection.manifest.lookups.as_slice().into();
        let training = Mutex::new(None);
        let ward = shared.wards.of(&name, inspection.digest);
        let used = Usage::default();
        let limits = shared.config.limits;
        let limits = if inspection.brings_runtime() { limits.of_runtime() } else { limits };
        let name = name.clone();
        let plugin = Self { shared, inspection, name, ward, lookup_grants, pooled, training, used, limits };
        plugin.try_instance()?;
        Ok(plugin)
    }

    /// Instantiates once and looks up every function of every interface with its types.
    fn try_instance(&self) -> Result<()> {
        let call = Call::new("instantiate", LimitClass::Call);
        let done = self.run("plugin", &call, None, |store, instance, prepared| {
            Ok(prepared.guests.try_all(store, instance).map_err(|error| format!("{error:#}").into()))
        });
        match done {
            Ok(_) => Ok(()),
            Err(Error::Fault(fault)) => {
                self.count_fault();
                match fault.kind {
                    FaultKind::InvalidResult(reason) => {
                        Err(Error::WrongShape { plugin: self.name.clone(), reason })
                    }
                    _ => Err(Error::Fault(fault)),
                }
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

    /// What its calls used since it was loaded, the trial at the load included. Calls that run are not in it yet.
    pub fn used(&self) -> Used {
        self.used.total()
    }

    /// Its segmentation interface, if it has one.
    pub fn segmentation(&self) -> Option<Segmentation<'_>> {
        self.provides(Interface::Segmentation).then(|| Segmentation::of(self))
    }

    /// Its scoring interface, if it has one.
    pub fn scoring(&self) -> Option<Scoring<'_>> {
        self.provides(Interface::Scoring).then(|| Scoring::of(self))
    }

    /// Its interface for campaigns, if it has one.
    pub fn campaign_rules(&self) -> Option<CampaignRules<'_>> {
        let used = self.manifest().campaign_rules.as_ref()?;
        Some(CampaignRules::of(self, used))
    }

    /// Its interface for work on cases, if it has one.
    pub fn service_workflow(&self) -> Option<ServiceWorkflow<'_>> {
        let used = self.manifest().service_workflow.as_ref()?;
        Some(ServiceWorkflow::of(self, used))
    }

    /// Its interface for records that are saved, if it has one.
    pub fn record_hook(&self) -> Option<RecordHook<'_>> {
        self.provides(Interface::RecordHook).then(|| RecordHook::of(self))
    }

    fn provides(&self, interface: Interface) -> bool {
        self.manifest().provides.contains(&interface)
    }

    pub(crate) fn limits(&self, class: LimitClass) -> &ClassLimits {
        self.limits.of(class)
    }

    /// Calls a function of the interface `I` on a new instance: `ask` calls it, `take` checks and converts what it returned. Called twice
    /// where the first call ran out of time: only what repeats is a strike.
    pub(crate) fn ask<I: Exported, W, T>(
        &self,
        call: &Call<'_>,
        ask: impl Fn(I::Guest, &mut Store<CallState>) -> Answer<W>,
        take: impl Fn(W) -> std::result::Result<T, Rejection>,
    ) -> Result<Done<T>> {
        let once = || {
            self.run(I::NAME, call, None, |store, instance, prepared| {
                let guest = I::load(&prepared.guests, store, instance)?;
                Ok(answered(ask(guest, store)?).and_then(&take))
            })
        };
        if call.is_part {
            return once();
        }
        let pass = self.admit()?;
        let (done, counts) = self.tried_twice(call, once);
        self.judge(pass, call, &done, counts);
        done
    }

    /// Lets a call through; the only way to [`Self::judge`].
    pub(crate) fn admit(&self) -> Result<Pass<'_>> {
        self.ward.admit(&self.shared.wards)
    }

    /// Makes a call, and makes it again where it ran out of time. Says besides whether a fault counts as a strike: running out of time does
    /// only where it happens again while nothing else runs.
    pub(crate) fn tried_twice<T>(&self, call: &Call<'_>, once: impl Fn() -> Result<T>) -> (Result<T>, bool) {
        let first = once();
        if !is_timeout(&first) {
            return (first, true);
        }
        let waits = matches!(call.class, LimitClass::Batch | LimitClass::Training);
        let wait_max = if waits { self.shared.wards.limits().quiet_wait_ms_max } else { 0 };
        let was_quiet = self.shared.permits.wait_until_quiet(Duration::from_millis(wait_max));
        let second = once();
        let counts = !is_timeout(&second) || was_quiet;
        (second, counts)
    }

    pub(crate) fn count_fault(&self) {
        self.shared.counters.faults.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn bisect_calls_max(&self) -> u32 {
        self.shared.wards.limits().bisect_calls_max
    }

    /// Says to supervision what came of a call.
    pub(crate) fn judge<T>(&self, pass: Pass<'_>, call: &Call<'_>, done: &Result<T>, counts: bool) {
        match done {
            Ok(_) | Err(Error::Plugin { .. }) => pass.succeeded(),
            Err(Error::Fault(fault)) => {
                self.count_fault();
                if counts {
                    pass.struck(fault, call.at.map(|at| at.run_id.as_str()));
                }
            }
            // Not the plugin's fault, and nothing for it either.
            Err(_) => drop(pass),
        }
    }

    /// As [`Self::ask`], for a function that reads rows: the guest runs on a thread of its own while this one serves them. It is called
    /// once: the rows may be many, so that running out of time is a strike only where nothing else runs when it happens.
    pub(crate) fn ask_with_rows<I: Exported, W, T: Send>(
        &self,
        call: &Call<'_>,
        rows: &mut dyn RowStream,
        ask: impl FnOnce(I::Guest, &mut Store<CallState>, Resource<StreamHandle>) -> Answer<W> + Send,
        take: impl FnOnce(W) -> std::result::Result<T, Rejection> + Send,
    ) -> Result<Done<T>> {
        let pass = self.admit()?;
        let done = self.ask_streaming::<I, W, T>(call, rows, ask, take);
        let counts = !is_timeout(&done) || self.shared.permits.wait_until_quiet(Duration::ZERO);
        self.judge(pass, call, &done, counts);
        done
    }

    fn ask_streaming<I: Exported, W, T: Send>(
        &self,
        call: &Call<'_>,
        rows: &mut dyn RowStream,
        ask: impl FnOnce(I::Guest, &mut Store<CallState>, Resource<StreamHandle>) -> Answer<W> + Send,
        take: impl FnOnce(W) -> std::result::Result<T, Rejection> + Send,
    ) -> Result<Done<T>> {
        let (client, server) = row_streams::connect(rows, self.limits(call.class), &call.cancel);
        let run = || {
            crate::calm::yield_to_others();
            self.run(I::NAME, call, Some(client), |store, instance, prepared| {
                let guest = I::load(&prepared.guests, store, instance)?;
                Ok(answered(ask(guest, store, Resource::new_own(0))?).and_then(take))
            })
        };
        std::thread::scope(|scope| {
            let guest = std::thread::Builder::new()
                .name(format!("plugin-{}", call.function))
                .spawn_scoped(scope, run)
                .map_err(|error| self.host_failure(format!("cannot start a thread: {error}")))?;
            // A panic of `rows` ends the stream, and with it the guest.
            let served = catch_unwind(AssertUnwindSafe(|| server.serve()));
            let done = guest.join();
            let failure = |panic: &(dyn Any + Send)| self.host_failure(panic_message(panic));
            served.map_err(|panic| failure(&*panic))?;
            done.map_err(|panic| failure(&*panic))?
        })
    }

    /// A call of the plugin's class for batches, if the batch is within its limits; and the batch's rows.
    pub(crate) fn batch_call<'c>(
        &self,
        function: &'static str,
        batch: &Batch,
        at: &'c CallContext,
    ) -> Result<(u32, Call<'c>)> {
        let class = self.manifest().limit_class;
        row_streams::check_size(batch, self.limits(class)).map_err(|stop| self.stopped_by_host(stop))?;
        let call = Call::new(function, class).at(at).rows(batch.rows.into()).bytes(batch.bytes());
        Ok((batch.rows, call))
    }

    /// Makes a store and an instance and drops them.
    pub(crate) fn instantiate_only(&self) -> Result<()> {
        let call = Call::new("instantiate", LimitClass::Call);
        self.run("plugin", &call, None, |_, _, _| Ok(Ok(()))).map(|done| done.value)
    }

    /// Runs `body` on a new instance within the limits of the call's class. Whatever happens, the instance is gone afterwards.
    fn run<T>(
        &self,
        interface: &'static str,
        call: &Call<'_>,
        stream: Option<StreamClient>,
        body: impl FnOnce(
            &mut Store<CallState>,
            &Instance,
            &Prepared,
        ) -> wasmtime::Result<std::result::Result<T, Rejection>>,
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
        let limits = self.limits(call.class);
        let grants = Arc::clone(&self.lookup_grants);
        let lookups = LookupDesk::new(call.lookups.clone(), grants, limits.lookups_max);
        let mut state = CallState::new(call, limits, lookups);
        state.stream = stream;
        let mut store = new_store(prepared.pre.engine(), limits, state);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let instance = prepared.pre.instantiate(&mut store)?;
            body(&mut store, &instance, prepared)
        }));
        let fuel = fuel_used(&store);
        let (logs, stats) = store.into_data().finish(fuel);
        self.used.add(&stats, !matches!(result, Ok(Ok(_))));
        let done = match result {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(Rejection::Plugin(error)))) => {
                Err(Error::Plugin { plugin: self.name.clone(), function: call.function, error })
            }
            Ok(Ok(Err(Rejection::Fault(kind)))) => Err(self.fault(interface, call, kind, logs.clone())),
            Ok(Err(error)) => Err(self.failure(interface, call, &error, logs.clone(), &stats)),
            Err(panic) => Err(self.host_failure(panic_message(&*panic))),
        };
        let fault = match &done {
            Err(Error::Fault(fault)) => Some(&**fault),
            _ => None,
        };
        self.ward.measure(&self.shared.wards, interface, call, (&logs, &stats), fault);
        Ok(Done { value: done?, logs, stats })
    }

    fn permit(&self, call: &Call<'_>) -> Result<crate::permits::Permit<'_>> {
        let waited_ms = self.shared.config.permit_wait_ms_max;
        let wait_max = match call.class {
            LimitClass::RecordHook | LimitClass::Call => Some(Duration::from_millis(waited_ms)),
            // Whoever holds a permit gives it back within its own limit, so waiting ends.
            LimitClass::Batch | LimitClass::Training => None,
        };
        let plugin = || self.name.clone();
        self.shared.permits.take(call.class, wait_max, &call.cancel).map_err(|reason| match reason {
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
                Prepared::new(&self.shared, LimitClass::Training, &component, &self.inspection)
            })
            .map_err(|error| Error::Setup { reason: format!("{}: {error:#}", self.name) })?;
        Ok(Arc::clone(training.insert(Arc::new(prepared))))
    }
}

fn is_timeout<T>(done: &Result<T>) -> bool {
    matches!(done, Err(Error::Fault(fault)) if matches!(fault.kind, FaultKind::Timeout { .. }))
}

/// A plugin's own error becomes a rejection of the call.
fn answered<T>(answer: std::result::Result<T, types::PluginError>) -> std::result::Result<T, Rejection> {
    answer.map_err(|error| Rejection::Plugin(convert::plugin_error(error)))
}

impl Prepared {
    fn new(
        shared: &Shared,
        class: LimitClass,
        component: &Component,
        inspection: &Inspection,
    ) -> wasmtime::Result<Self> {
        let engine: &Engine = shared.engines.of(class);
        let mut linker = wasmtime::component::Linker::new(engine);
        crate::interfaces::add_to_linker(&mut linker, inspection)?;
        let pre = linker.instantiate_pre(component)?;
        let guests = Guests::new(&pre, &inspection.manifest.provides)?;
        Ok(Self { pre, guests })
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic").to_owned()
}
