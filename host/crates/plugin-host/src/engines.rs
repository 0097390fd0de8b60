//! The two wasmtime engines and the clock that stops guests.

use std::num::NonZeroUsize;
use std::time::Duration;

use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

use crate::{Config, Error, LimitClass, Result};

/// How often a running guest is looked at.
const TICK: Duration = Duration::from_millis(10);
/// The stack of a guest.
const WASM_STACK_BYTES: usize = 512 << 10;
/// How much of a pooled memory stays mapped between calls where all of it has to be cleared: clearing more costs more than
/// mapping again.
const KEEP_RESIDENT_BYTES: usize = 64 << 10;
/// The same where the kernel says which pages were touched (Linux 6.7 and later). Only those are cleared, which for a batch of
/// 65,536 rows costs a third less than mapping them again.
const KEEP_RESIDENT_SCANNED_BYTES: usize = 8 << 20;
/// Frames of a trap's backtrace.
const BACKTRACE_FRAMES_MAX: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");
/// Tables and function references of one instance, in bytes.
const INSTANCE_BYTES_MAX: usize = 4 << 20;

/// Whether compiled code counts what it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metering {
    On,
    Off,
}

/// One engine with pooled memories for short calls, one that allocates on demand for training, whose memories are large and rare.
/// Both compile alike, so that one compiled component serves both.
#[derive(Debug)]
pub(crate) struct Engines {
    pooled: Engine,
    on_demand: Engine,
    pub(crate) pooling: bool,
}

impl Engines {
    /// Makes both engines and starts their ticker. Where pooling does not fit into the address space, one engine does both.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let setup = |error: wasmtime::Error| Error::Setup { reason: format!("{error:#}") };
        let on_demand = Engine::new(&compile_config(Metering::Off)).map_err(setup)?;
        let pooled = config.pooling.then(|| pooled_engine(config)).and_then(|engine| match engine {
            Ok(engine) => Some(engine),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "instances of plugins are not pooled");
                None
            }
        });
        let pooling = pooled.is_some();
        let engines = Self { pooled: pooled.unwrap_or_else(|| on_demand.clone()), on_demand, pooling };
        start_ticker(&engines)?;
        Ok(engines)
    }

    /// One engine for calls of every class that counts what guests use ([`crate::CallStats::fuel`]). Its code is slower than, and not
    /// interchangeable with, that of the others, and nothing is pooled: what runs here is compared or measured, and nobody waits for it.
    pub(crate) fn metered() -> Result<Self> {
        let setup = |error: wasmtime::Error| Error::Setup { reason: format!("{error:#}") };
        let engine = Engine::new(&compile_config(Metering::On)).map_err(setup)?;
        let engines = Self { pooled: engine.clone(), on_demand: engine, pooling: false };
        start_ticker(&engines)?;
        Ok(engines)
    }

    /// The engine of a class of calls.
    pub(crate) fn of(&self, class: LimitClass) -> &Engine {
        match class {
            LimitClass::Training => &self.on_demand,
            LimitClass::RecordHook | LimitClass::Call | LimitClass::Batch => &self.pooled,
        }
    }

    /// The engine that compiles; any of the two would do.
    pub(crate) fn compiling(&self) -> &Engine {
        &self.on_demand
    }
}

/// What decides how components are compiled, and what a guest may use of WebAssembly: no more than what today's compilers emit, and
/// of what is left nothing that differs between machines.
pub(crate) fn compile_config(metering: Metering) -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .strategy(Strategy::Cranelift)
        .epoch_interruption(true)
        .consume_fuel(metering == Metering::On)
        .cranelift_nan_canonicalization(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .wasm_backtrace_max_frames(Some(BACKTRACE_FRAMES_MAX))
        // Costs four fifths of a call and is needed for asynchronous components only.
        .concurrency_support(false)
        .gc_support(false)
        .shared_memory(false)
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_tail_call(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false);
    config
}

fn pooled_engine(config: &Config) -> wasmtime::Result<Engine> {
    // Permits bound how many instances live at once; installing a plugin takes one more for its trial.
    let components = u32::try_from(config.permits.saturating_mul(2)).unwrap_or(u32::MAX).clamp(32, 1_000);
    let per_component = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    // As many as usual components need, and never so few that those which run at once, a trial besides, could not all be of the largest.
    let at_once = config.permits.saturating_add(1);
    let total = |usual: u32, of_one: usize| usual.max(per_component(at_once.saturating_mul(of_one)));
    let scanned = PoolingAllocationConfig::is_pagemap_scan_available();
    let keep_resident = if scanned { KEEP_RESIDENT_SCANNED_BYTES } else { KEEP_RESIDENT_BYTES };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(components)
        .total_core_instances(total(components.saturating_mul(16), config.core_instances_max))
        .total_memories(total(components.saturating_mul(2), config.memories_max))
        .total_tables(total(components.saturating_mul(4), config.tables_max))
        .max_core_instances_per_component(per_component(config.core_instances_max))
        .max_memories_per_component(per_component(config.memories_max))
        .max_tables_per_component(per_component(config.tables_max))
        .max_component_instance_size(INSTANCE_BYTES_MAX)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .table_elements(config.table_elements_max)
        .max_memory_size(usize::try_from(config.limits.pooled_memory_bytes_max())?)
        .pagemap_scan(if scanned { Enabled::Yes } else { Enabled::No })
        // Memory that is kept stays bounded by what runs at once.
        .max_unused_warm_slots(u32::try_from(config.permits).unwrap_or(u32::MAX))
        .linear_memory_keep_resident(keep_resident)
        .table_keep_resident(KEEP_RESIDENT_BYTES);
    let mut compile = compile_config(Metering::Off);
    compile.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&compile)
}

/// Advances the epoch of both engines until they are gone.
fn start_ticker(engines: &Engines) -> Result<()> {
    let weak = [engines.pooled.weak(), engines.on_demand.weak()];
    let tick = move || {
        loop {
            std::thread::sleep(TICK);
            let mut alive = false;
            for engine in weak.iter().filter_map(wasmtime::EngineWeak::upgrade) {
                engine.increment_epoch();
                alive = true;
            }
            if !alive {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("plugin-ticker".to_owned()).spawn(tick);
    thread.map(drop).map_err(|error| Error::Setup { reason: format!("cannot start the ticker: {error}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::engine_hash;

    #[test]
    fn one_compiled_component_serves_both_engines() {
        let engines = Engines::new(&Config::default()).unwrap();
        assert_eq!(engine_hash(&engines.pooled), engine_hash(&engines.on_demand));
        let metered = Engines::metered().unwrap();
        assert_ne!(
            engine_hash(&engines.pooled),
            engine_hash(&metered.pooled),
            "code of one is none of the other"
        );
    }
}
