//! A loaded plugin: its component linked on the engines that run it, and what it offers.

use std::sync::Arc;

use parking_lot::Mutex;
use trellis_model::Batch;
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre};

use crate::answers::CallContext;
use crate::call::{Call, CallState};
use crate::compile::deserialize;
use crate::health::Ward;
use crate::host::Shared;
use crate::interfaces::{Guests, row_streams};
use crate::manifest::{Interface, LookupGrant};
use crate::used::{Usage, Used};
use crate::{
    Analysis, CampaignRules, ClassLimits, Digest, Error, FaultKind, Inspection, LimitClass, Limits, Manifest,
    ModelReport, PluginVersion, RecordHook, Result, Scoring, Segmentation, ServiceWorkflow,
};

/// A component that was checked, compiled and linked. Calls on it may run at the same time; each has an instance of its own.
pub struct Plugin {
    pub(crate) shared: Arc<Shared>,
    inspection: Inspection,
    pub(crate) name: PluginVersion,
    /// What its calls came to; every call passes it.
    pub(crate) ward: Arc<Ward>,
    pub(crate) lookup_grants: Arc<[LookupGrant]>,
    pooled: Arc<Prepared>,
    /// Made at the first call of that class: most plugins are loaded more often than they are trained.
    training: Mutex<Option<Arc<Prepared>>>,
    pub(crate) used: Usage,
    limits: Limits,
}

/// A component linked on one of the engines.
pub(crate) struct Prepared {
    pub(crate) pre: InstancePre<CallState>,
    pub(crate) guests: Guests,
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
        let pooled =
            Prepared::new(&shared, LimitClass::Call, &component, &inspection).map_err(wrong_shape)?.into();
        let lookup_grants = inspection.manifest.lookups.as_slice().into();
        let training = Mutex::new(None);
        let is_new = shared.wards.find(&inspection.digest).is_none();
        let ward = shared.wards.of(&name, inspection.digest);
        let used = Usage::default();
        let limits = shared.config.limits;
        let limits = if inspection.brings_runtime() { limits.of_runtime() } else { limits };
        let name = name.clone();
        let plugin = Self { shared, inspection, name, ward, lookup_grants, pooled, training, used, limits };
        // What is refused leaves nothing behind; what was known of a component that loaded before stays.
        plugin.try_instance().inspect_err(|_| {
            if is_new {
                plugin.shared.wards.forget(&plugin.digest());
            }
        })?;
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

    /// Its interface that shows models, if it has one.
    pub fn model_report(&self) -> Option<ModelReport<'_>> {
        self.provides(Interface::ModelReport).then(|| ModelReport::of(self))
    }

    /// Its interface for questions about a whole population, if it has one.
    pub fn analysis(&self) -> Option<Analysis<'_>> {
        self.provides(Interface::Analysis).then(|| Analysis::of(self))
    }

    fn provides(&self, interface: Interface) -> bool {
        self.manifest().provides.contains(&interface)
    }

    pub(crate) fn limits(&self, class: LimitClass) -> &ClassLimits {
        self.limits.of(class)
    }

    /// Lines that are kept of a call of the plugin's class for batches.
    pub(crate) fn log_lines_max(&self) -> u32 {
        self.limits(self.manifest().limit_class).log_lines_max
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

    /// The component on the engine of a class.
    pub(crate) fn prepared(&self, class: LimitClass) -> Result<Arc<Prepared>> {
        match class {
            LimitClass::Training => self.training(),
            LimitClass::RecordHook | LimitClass::Call | LimitClass::Batch => Ok(Arc::clone(&self.pooled)),
        }
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
