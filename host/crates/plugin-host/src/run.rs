//! The one way in which functions of a plugin are called: admitted by supervision, with a permit, on an instance of its own, within the limits
//! of the call's class.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::{Instance, Resource};

use crate::call::{Call, CallState, fuel_used, new_store};
use crate::health::Pass;
use crate::interfaces::Exported;
use crate::interfaces::bindings::trellis::plugin::types;
use crate::interfaces::host_lookups::LookupDesk;
use crate::interfaces::row_streams::{self, RowStream, StreamClient, StreamHandle};
use crate::permits::NoPermit;
use crate::plugin::Prepared;
use crate::{CallStats, Error, FaultKind, LimitClass, LogLine, Plugin, PluginError, Result, convert};

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

impl Plugin {
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
        let pass = self.admit(I::NAME, call)?;
        let (done, counts) = self.tried_twice(call, once);
        self.judge(pass, call, &done, counts);
        done
    }

    /// Says that what belongs to a run is tried again: a run strikes at most once a function in each attempt, so that one that goes on for
    /// ever, by following the data, does not strike once and never again.
    pub fn begin_attempt(&self, run: &str) {
        self.ward.begin_attempt(run);
    }

    /// Lets a call through; the only way to [`Self::judge`].
    pub(crate) fn admit(&self, interface: &'static str, call: &Call<'_>) -> Result<Pass<'_>> {
        self.ward.admit(&self.shared.wards, (interface, call.function))
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
        let pass = self.admit(I::NAME, call)?;
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

    /// Makes a store and an instance and drops them.
    pub(crate) fn instantiate_only(&self) -> Result<()> {
        let call = Call::new("instantiate", LimitClass::Call);
        self.run("plugin", &call, None, |_, _, _| Ok(Ok(()))).map(|done| done.value)
    }

    /// Runs `body` on a new instance within the limits of the call's class. Whatever happens, the instance is gone afterwards.
    pub(crate) fn run<T>(
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
        let prepared = self.prepared(call.class)?;
        let _permit = self.permit(call)?;
        self.shared.counters.calls.fetch_add(1, Ordering::Relaxed);
        let limits = self.limits(call.class);
        let grants = Arc::clone(&self.lookup_grants);
        let lookups = LookupDesk::new(call.lookups.clone(), grants, limits.lookups_max);
        let mut state = CallState::new(call, limits, self.shared.config.parts(), lookups);
        state.stream = stream;
        let mut store = new_store(prepared.pre.engine(), limits, state);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let instance = prepared.pre.instantiate(&mut store)?;
            body(&mut store, &instance, &prepared)
        }));
        let fuel = fuel_used(&store);
        let (logs, stats) = store.into_data().finish(fuel);
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
        self.used.add(&stats, fault.is_some());
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
}

fn is_timeout<T>(done: &Result<T>) -> bool {
    matches!(done, Err(Error::Fault(fault)) if matches!(fault.kind, FaultKind::Timeout { .. }))
}

/// A plugin's own error becomes a rejection of the call.
fn answered<T>(answer: std::result::Result<T, types::PluginError>) -> std::result::Result<T, Rejection> {
    answer.map_err(|error| Rejection::Plugin(convert::plugin_error(error)))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic").to_owned()
}
