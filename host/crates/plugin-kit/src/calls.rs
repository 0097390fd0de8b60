//! Calls of a plugin, and their answers as JSON: one shape that golden cases, laws and figures read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use trellis_model::{Batch, Column, Lookups, NamedRecord, Text};
use trellis_plugin_host::manifest::Interface;
use trellis_plugin_host::{
    Analysis, AnalysisDescription, CallContext, CampaignRules, CancelFlag, ColumnDescription, Error,
    HookChange, LearnedBy, Manifest, Occurrence, Plugin, Result, RowStream, Scoring, Segmentation,
    ServiceWorkflow, WorkItem,
};

use crate::Function;
use crate::answers;

/// What a function is called with.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// Nothing besides the configuration.
    Nothing,
    /// Rows to learn from.
    Fit(Batch),
    /// A model.
    Model(ModelSource),
    /// A model and rows.
    Rows { model: ModelSource, rows: Batch },
    /// A campaign and rows of customers or members.
    Campaign { campaign: NamedRecord, rows: Batch },
    /// A record that is worked on; what happened, for `on-event`.
    Item { item: WorkItem, event: Option<Occurrence> },
    /// Records that are about to be saved.
    Changes(Vec<HookChange>),
    /// A model that is shown.
    Shown { learned_by: LearnedBy, model: ModelSource },
    /// A question with what is said with it and the rows of customers; rows of other datasets are the caller's.
    Question { analysis: String, parameters: Json, rows: Vec<Batch> },
}

/// Where a model comes from.
#[derive(Debug, Clone)]
pub(crate) enum ModelSource {
    /// The plugin learns it from these rows.
    Fit(Batch),
    /// These bytes.
    Bytes(Vec<u8>),
}

impl Input {
    /// The rows in it.
    pub(crate) fn batches<'a>(&'a self) -> Vec<&'a Batch> {
        let learned = |model: &'a ModelSource| match model {
            ModelSource::Fit(rows) => Some(rows),
            ModelSource::Bytes(_) => None,
        };
        match self {
            Self::Nothing | Self::Item { .. } | Self::Changes(_) => Vec::new(),
            Self::Fit(rows) | Self::Campaign { rows, .. } => vec![rows],
            Self::Model(model) | Self::Shown { model, .. } => Vec::from_iter(learned(model)),
            Self::Question { rows, .. } => rows.iter().collect(),
            Self::Rows { model, rows } => std::iter::once(rows).chain(learned(model)).collect(),
        }
    }
}

/// The rows of the datasets of a plugin, by name.
pub(crate) type Datasets = BTreeMap<String, Vec<Batch>>;

/// What a call is made with besides its input.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) plugin: &'a Plugin,
    pub(crate) config: &'a str,
    pub(crate) at: &'a CallContext,
    pub(crate) lookups: &'a Arc<dyn Lookups>,
    /// What a call that reads rows finds beside them.
    pub(crate) datasets: &'a Datasets,
}

/// Batches of rows, served in order.
pub(crate) struct Batches {
    batches: Vec<Batch>,
    next: usize,
    datasets: Datasets,
}

impl Batches {
    pub(crate) fn new(batches: Vec<Batch>) -> Self {
        Self { batches, next: 0, datasets: Datasets::new() }
    }

    /// With the other datasets of a plugin, and these rows under the name of their own.
    fn beside(self, manifest: &Manifest, others: &Datasets) -> Self {
        let mut datasets = others.clone();
        for declared in &manifest.datasets {
            datasets.entry(declared.name.clone()).or_default();
        }
        if let Some(own) = manifest.customers() {
            datasets.insert(own.name.clone(), self.batches.clone());
        }
        Self { datasets, ..self }
    }

    /// One of the datasets; no rows where none is named.
    fn opened(self, dataset: Option<&str>) -> Self {
        let batches = dataset.and_then(|name| self.datasets.get(name)).cloned().unwrap_or_default();
        Self { batches, ..self }
    }
}

impl RowStream for Batches {
    fn next(&mut self) -> std::result::Result<Option<Batch>, String> {
        let batch = self.batches.get(self.next).cloned();
        self.next += 1;
        Ok(batch)
    }

    fn rewind(&mut self) {
        self.next = 0;
    }

    fn rows(&self) -> u64 {
        self.batches.iter().map(|batch| u64::from(batch.rows)).sum()
    }

    /// There is no schema here: columns are called by their names.
    fn columns(&self) -> Vec<ColumnDescription> {
        let named = |column: &Column| ColumnDescription {
            name: column.name.clone(),
            label: Text::new(column.name.clone(), ""),
            ..ColumnDescription::default()
        };
        self.batches.first().map(|batch| batch.columns.iter().map(named).collect()).unwrap_or_default()
    }

    fn dataset(&mut self, name: &str) -> std::result::Result<Option<Box<dyn RowStream>>, String> {
        let found = self.datasets.get(name).cloned();
        Ok(found.map(|batches| Box::new(Self::new(batches)) as Box<dyn RowStream>))
    }
}

impl Caller<'_> {
    /// Calls a function and returns its answer: a list with one part a row where [`Function::answers_by_row`].
    ///
    /// # Errors
    /// Whatever the call ends in. An input that does not belong to the function, and an interface that the plugin does not provide, are
    /// errors of the host.
    pub(crate) fn call(&self, function: Function, input: &Input) -> Result<Json> {
        let answer = match function.interface {
            Interface::Segmentation => {
                self.plugin.segmentation().map(|guest| self.segmentation(guest, function.name, input))
            }
            Interface::Scoring => {
                self.plugin.scoring().map(|guest| self.scoring(guest, function.name, input))
            }
            Interface::CampaignRules => {
                self.plugin.campaign_rules().map(|guest| self.campaign(guest, function.name, input))
            }
            Interface::ServiceWorkflow => {
                self.plugin.service_workflow().map(|guest| self.workflow(guest, function.name, input))
            }
            Interface::RecordHook => self.plugin.record_hook().map(|guest| match input {
                Input::Changes(changes) => {
                    let verdicts =
                        guest.before_save(changes, self.config, self.at, Arc::clone(self.lookups))?;
                    Ok(answers::verdicts(&verdicts))
                }
                _ => Err(self.misused(function.name)),
            }),
            Interface::ModelReport => self.plugin.model_report().map(|guest| match input {
                Input::Shown { learned_by, model } => {
                    let model = self.model(interface_of(*learned_by), model)?;
                    Ok(guest.describe_model(*learned_by, &model)?.to_json())
                }
                _ => Err(self.misused(function.name)),
            }),
            Interface::Analysis => {
                self.plugin.analysis().map(|guest| self.analysis(guest, function.name, input))
            }
        };
        answer.unwrap_or_else(|| Err(self.misused(function.name)))
    }

    /// Learns a model: the bytes and the answer.
    pub(crate) fn fit(&self, interface: Interface, batches: Vec<Batch>) -> Result<(Vec<u8>, Json)> {
        let cancel = CancelFlag::default();
        let mut rows = Batches::new(batches).beside(self.plugin.manifest(), self.datasets);
        let (config, at) = (self.config, self.at);
        let fitted = match interface {
            Interface::Segmentation => {
                self.plugin.segmentation().map(|guest| guest.fit(&mut rows, config, at, &cancel))
            }
            Interface::Scoring => {
                self.plugin.scoring().map(|guest| guest.fit(&mut rows, config, at, &cancel))
            }
            _ => None,
        };
        let fitted = fitted.unwrap_or_else(|| Err(self.misused("fit")))?;
        let answer = answers::model(&fitted.model);
        Ok((fitted.model.bytes, answer))
    }

    fn model(&self, interface: Interface, source: &ModelSource) -> Result<Vec<u8>> {
        match source {
            ModelSource::Bytes(bytes) => Ok(bytes.clone()),
            ModelSource::Fit(rows) => self.fit(interface, vec![rows.clone()]).map(|(model, _)| model),
        }
    }

    fn segmentation(&self, guest: Segmentation<'_>, name: &str, input: &Input) -> Result<Json> {
        let interface = Interface::Segmentation;
        match (name, input) {
            ("describe", _) => Ok(answers::segmentations(&guest.describe(self.config)?)),
            ("fit", Input::Fit(rows)) => self.fit(interface, vec![rows.clone()]).map(|(_, answer)| answer),
            ("assign", Input::Rows { model, rows }) => {
                let model = self.model(interface, model)?;
                let described = guest.describe(self.config)?;
                let assigned = guest.assign(&described, &model, rows.clone(), self.at)?;
                Ok(answers::assigned(&assigned, rows.rows))
            }
            ("explain", Input::Rows { model, rows }) => {
                let model = self.model(interface, model)?;
                Ok(answers::row_reasons(&guest.explain(&model, rows.clone(), self.at)?))
            }
            _ => Err(self.misused(name)),
        }
    }

    fn scoring(&self, guest: Scoring<'_>, name: &str, input: &Input) -> Result<Json> {
        let interface = Interface::Scoring;
        match (name, input) {
            ("describe", _) => Ok(answers::scores(&guest.describe(self.config)?)),
            ("fit", Input::Fit(rows)) => self.fit(interface, vec![rows.clone()]).map(|(_, answer)| answer),
            ("score", Input::Rows { model, rows }) => {
                let model = self.model(interface, model)?;
                let described = guest.describe(self.config)?;
                let scored = guest.score(&described, &model, rows.clone(), self.at)?;
                Ok(answers::scored(&scored, rows.rows))
            }
            ("explain", Input::Rows { model, rows }) => {
                let model = self.model(interface, model)?;
                Ok(answers::row_reasons(&guest.explain(&model, rows.clone(), self.at)?))
            }
            ("rules", Input::Model(model)) => {
                let model = self.model(interface, model)?;
                Ok(answers::text(&guest.rules(&model)?))
            }
            _ => Err(self.misused(name)),
        }
    }

    fn campaign(&self, guest: CampaignRules<'_>, name: &str, input: &Input) -> Result<Json> {
        let Input::Campaign { campaign, rows } = input else { return Err(self.misused(name)) };
        let (batch, config, at) = (rows.clone(), self.config, self.at);
        Ok(match name {
            "eligible" => answers::eligible(&guest.eligible(campaign, batch, config, at)?),
            "assign-variant" => answers::variants(&guest.assign_variant(campaign, batch, config, at)?),
            "next-action" => answers::next(&guest.next_action(campaign, batch, config, at)?, rows.rows),
            "explain" => answers::row_reasons(&guest.explain(campaign, batch, config, at)?),
            "evaluate" => {
                let cancel = CancelFlag::default();
                let mut members = Batches::new(vec![batch]).beside(self.plugin.manifest(), self.datasets);
                answers::evaluation(&guest.evaluate(campaign, &mut members, config, at, &cancel)?)
            }
            _ => return Err(self.misused(name)),
        })
    }

    fn workflow(&self, guest: ServiceWorkflow<'_>, name: &str, input: &Input) -> Result<Json> {
        let Input::Item { item, event } = input else { return Err(self.misused(name)) };
        let (config, at, lookups) = (self.config, self.at, Arc::clone(self.lookups));
        Ok(match (name, event) {
            ("triage", _) => answers::decided(&guest.triage(item, config, at, lookups)?),
            ("on-event", Some(event)) => answers::decided(&guest.on_event(item, event, config, at, lookups)?),
            ("suggest", _) => answers::suggestions(&guest.suggest(item, config, at, lookups)?),
            ("close-check", _) => answers::requirements(&guest.close_check(item, config, at, lookups)?),
            _ => return Err(self.misused(name)),
        })
    }

    fn analysis(&self, guest: Analysis<'_>, name: &str, input: &Input) -> Result<Json> {
        match (name, input) {
            ("describe", _) => Ok(answers::analyses(&guest.describe(self.config)?)),
            ("analyse", Input::Question { analysis, parameters, rows }) => {
                let described = guest.describe(self.config)?;
                let question = described.iter().find(|question| question.name == *analysis);
                let question =
                    question.ok_or_else(|| self.refused(format!("it describes no analysis `{analysis}`")))?;
                let parameters = self.parameters(question, parameters.clone())?;
                let manifest = self.plugin.manifest();
                let rows = Batches::new(rows.clone()).beside(manifest, self.datasets);
                let (mut rows, cancel) = (rows.opened(question.dataset.as_deref()), CancelFlag::default());
                let analysed =
                    guest.analyse(analysis, &mut rows, &parameters, self.config, self.at, &cancel)?;
                Ok(analysed.report.to_json())
            }
            _ => Err(self.misused(name)),
        }
    }

    /// What is said with a question, as the host would pass it.
    fn parameters(&self, question: &AnalysisDescription, parameters: Json) -> Result<String> {
        let parameters = question.parameters.with_defaults(parameters);
        match question.parameters.problems(&parameters).first() {
            None => Ok(parameters.to_string()),
            Some(problem) => Err(self
                .refused(format!("the host would refuse the parameters of `{}`: {problem}", question.name))),
        }
    }

    fn refused(&self, reason: String) -> Error {
        Error::Host { plugin: self.plugin.plugin_version().clone(), reason }
    }

    fn misused(&self, function: &str) -> Error {
        self.refused(format!("`{function}` was called with another function's input"))
    }
}

/// The interface whose function learned a model.
pub(crate) fn interface_of(learned_by: LearnedBy) -> Interface {
    match learned_by {
        LearnedBy::Segmentation => Interface::Segmentation,
        LearnedBy::Scoring => Interface::Scoring,
    }
}
