//! What the calls of a plugin cost, beside what they may cost.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use trellis_model::{Batch, Lookups, Text};
use trellis_plugin_host::manifest::Interface;
use trellis_plugin_host::{Error, HookChange, LearnedBy, LimitClass, Limits, Plugin, Result, WorkItem};

use crate::Function;
use crate::calls::{Caller, Input, ModelSource, interface_of};
use crate::golden::{Answers, Cases, default_context};
use crate::laws::{Data, FieldTypes, Flavour, Random, config_of, unknown_type};

/// How often a call is timed; the shortest time counts.
const REPEATS: usize = 3;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Rows of a batch.
    pub rows: usize,
    /// Decides the data.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { rows: 65_536, seed: 1 }
    }
}

/// What a function costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The function.
    pub function: Function,
    /// Rows, changes or records of the call.
    pub rows: usize,
    /// How long it took, the shortest of several times.
    pub took: Duration,
    /// Instructions that it ran, as the engine weighs them: the same on every machine.
    pub fuel: u64,
    /// The most memory that it had, in bytes.
    pub memory_bytes: u64,
    /// Which limits the call has.
    pub class: LimitClass,
    /// The time that a call of its class with so many rows may take.
    pub time_max: Duration,
    /// The memory that it may have, in bytes.
    pub memory_bytes_max: u64,
}

impl Figure {
    /// Nanoseconds a row; of the whole call where it has none.
    pub fn ns_per_row(&self) -> f64 {
        self.took.as_nanos() as f64 / self.rows.max(1) as f64
    }

    /// Fuel a row; of the whole call where it has none.
    pub fn fuel_per_row(&self) -> f64 {
        self.fuel as f64 / self.rows.max(1) as f64
    }

    /// Which share of its time the call used, 1 for all of it.
    pub fn time_share(&self) -> f64 {
        self.took.as_secs_f64() / self.time_max.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// A function that could not be measured, and why.
pub type Unmeasured = (Function, Text);

/// The same plugin as it is served, and with its fuel counted.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// As it is served: what is timed.
    pub timed: &'a Plugin,
    /// From [`trellis_plugin_host::PluginHost::load_metered`]: what is counted.
    pub metered: &'a Plugin,
}

/// Measures every function of the plugin on made-up rows.
pub fn run(
    pair: Pair<'_>,
    limits: &Limits,
    cases: &Cases,
    types: &FieldTypes,
    options: &Options,
) -> Vec<std::result::Result<Figure, Unmeasured>> {
    let manifest = pair.timed.manifest();
    let at = cases.usable().next().map_or_else(default_context, |case| case.at.clone());
    let lookups: Arc<dyn Lookups> = Arc::new(Answers::default());
    let mut figures = Vec::new();
    for function in manifest.provides.iter().flat_map(|interface| Function::of(*interface)) {
        let figure = config_of(manifest, cases, function.interface).and_then(|config| {
            let data =
                Data::new(manifest, &config, cases, types, &at).map_err(|column| unknown_type(&column))?;
            let datasets = data.datasets(options.seed);
            let caller = Caller {
                plugin: pair.timed,
                config: &config,
                at: &at,
                lookups: &lookups,
                datasets: &datasets,
            };
            let bench = Bench { caller, metered: pair.metered, data: &data, cases, limits, options };
            bench.figure(function).map_err(|error| crate::golden::failure(&error))
        });
        figures.push(figure.map_err(|why| (function, why)));
    }
    figures
}

struct Bench<'a> {
    caller: Caller<'a>,
    metered: &'a Plugin,
    data: &'a Data<'a>,
    cases: &'a Cases,
    limits: &'a Limits,
    options: &'a Options,
}

impl Bench<'_> {
    fn figure(&self, function: Function) -> Result<Figure> {
        let (class, rows) = self.size(function);
        let input = self.input(function, rows)?;
        let caller = self.caller;
        let mut took = Duration::MAX;
        for _ in 0..REPEATS {
            let before = caller.plugin.used();
            caller.call(function, &input)?;
            took = took.min(caller.plugin.used().since(before).wall);
        }
        let metered = Caller { plugin: self.metered, ..caller };
        let before = self.metered.used();
        metered.call(function, &input)?;
        let used = self.metered.used().since(before);
        let limits = self.limits.of(class);
        Ok(Figure {
            function,
            rows,
            took,
            fuel: used.fuel,
            memory_bytes: used.memory_bytes_last,
            class,
            time_max: limits.time_max(rows as u64),
            memory_bytes_max: limits.memory_bytes_max,
        })
    }

    /// Under which limits a function is called, and with how many rows it is measured.
    fn size(&self, function: Function) -> (LimitClass, usize) {
        let batch = self.caller.plugin.manifest().limit_class;
        match (function.interface, function.name) {
            (_, "describe") => (LimitClass::Call, 0),
            (_, "fit" | "evaluate" | "analyse") => (LimitClass::Training, self.options.rows),
            (_, "rules" | "describe-model") => (batch, 0),
            // Only rows that somebody asks for are explained.
            (_, "explain") => (batch, self.options.rows.min(1_000)),
            (Interface::RecordHook, _) => (LimitClass::RecordHook, self.options.rows.min(200)),
            (Interface::ServiceWorkflow, "close-check") => (LimitClass::RecordHook, 1),
            (Interface::ServiceWorkflow, _) => (LimitClass::Call, 1),
            _ => (batch, self.options.rows),
        }
    }

    fn input(&self, function: Function, rows: usize) -> Result<Input> {
        let manifest = self.caller.plugin.manifest();
        let mut random = Random::new(self.options.seed, "bench");
        let batch = |random: &mut Random| self.data.batch(rows, Flavour::Usual, function.name, random);
        Ok(match (function.interface, function.name) {
            (_, "describe") => Input::Nothing,
            (_, "fit") => Input::Fit(batch(&mut random)),
            (Interface::Segmentation | Interface::Scoring, name) => {
                let model = ModelSource::Bytes(self.model(function.interface, &mut random)?);
                if name == "rules" {
                    Input::Model(model)
                } else {
                    Input::Rows { model, rows: batch(&mut random) }
                }
            }
            (Interface::CampaignRules, _) => {
                let campaign = "campaign".parse().expect("it is an object's name");
                let fields = manifest.campaign_rules.as_ref().map(|used| used.campaign_fields.clone());
                let campaign =
                    self.data.record(&campaign, &fields.unwrap_or_default(), Flavour::Usual, 0, &mut random);
                Input::Campaign { campaign, rows: batch(&mut random) }
            }
            (Interface::ServiceWorkflow, _) => {
                let used =
                    manifest.service_workflow.as_ref().ok_or_else(|| self.host_error("service-workflow"))?;
                let item = self.data.record(&used.object, &used.fields, Flavour::Usual, 0, &mut random);
                let event = (function.name == "on-event")
                    .then(|| trellis_plugin_host::Occurrence::Timer("bench".to_owned()));
                Input::Item { item: WorkItem { item, account: None }, event }
            }
            (Interface::RecordHook, _) => {
                let hook = manifest.record_hooks.first().ok_or_else(|| self.host_error("record-hook"))?;
                let change = |number| HookChange {
                    after: self.data.record(&hook.object, &hook.fields, Flavour::Usual, number, &mut random),
                    before: None,
                };
                Input::Changes((0..rows).map(change).collect())
            }
            (Interface::ModelReport, _) => {
                let mut learners =
                    manifest.provides.iter().filter_map(|interface| LearnedBy::named(interface.name()));
                let learned_by = learners.next().ok_or_else(|| self.host_error("segmentation"))?;
                let model = self.model(interface_of(learned_by), &mut random)?;
                Input::Shown { learned_by, model: ModelSource::Bytes(model) }
            }
            (Interface::Analysis, _) => {
                let analysis = self.caller.plugin.analysis().ok_or_else(|| self.host_error("analysis"))?;
                let described = analysis.describe(self.caller.config)?;
                let first = described.first().ok_or_else(|| self.host_error("analysis"))?;
                let (analysis, parameters) = (first.name.clone(), self.said_with(&first.name));
                let rows = if first.dataset.is_some() { vec![batch(&mut random)] } else { Vec::new() };
                Input::Question { analysis, parameters, rows }
            }
        })
    }

    /// What the author's first case of a question says with it, else nothing.
    fn said_with(&self, question: &str) -> Json {
        self.cases.said_with(question).cloned().unwrap_or_else(|| Json::Object(Map::new()))
    }

    /// A model that was learned from a population as large as the batch.
    fn model(&self, interface: Interface, random: &mut Random) -> Result<Vec<u8>> {
        let population: Batch = self.data.batch(self.options.rows, Flavour::Usual, "fit", random);
        self.caller.fit(interface, vec![population]).map(|(model, _)| model)
    }

    fn host_error(&self, table: &str) -> Error {
        let plugin = self.caller.plugin.plugin_version().clone();
        Error::Host { plugin, reason: format!("its manifest has no `{table}`") }
    }
}
