//! What the parts of the engine share, and what it does for a job.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value as Json;
use tokio::sync::watch;
use trellis_columns::Columns;
use trellis_model::{PluginId, RecordId};
use trellis_records::Records;

use crate::{
    BulkChange, Config, Error, Result, as_of,
    attachments::Files,
    bulk, campaign,
    capsule::{self, Capsules, Retention},
    compare::{self, Shadows},
    decisions::Pruner,
    duplicates, export, import,
    imports::{self, Imports},
    jobs::{Request, Running, Work},
    merge,
    plugins::Registry,
    rules::RuleBook,
    run::{self, AnalysisInput, FitInput, PassedOn, Questions, ReadByRuns, RunInput, ShownModels},
    schedules::Schedules,
    schema_build, search,
    segments::Keeper,
    supervision::Supervisor,
    timers,
    transforms::CellTransforms,
    undo,
};

/// What the parts of the engine share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) records: Arc<Records>,
    pub(crate) columns: Arc<Columns>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) spool_dir: PathBuf,
    /// Contents of attachments.
    pub(crate) files: Files,
    pub(crate) capsules: Capsules,
    pub(crate) timers: timers::Started,
    /// The log entry up to which rules and plugins have reacted.
    pub(crate) reacted: watch::Sender<u64>,
    pub(crate) rules: Arc<RuleBook>,
    pub(crate) pruner: Arc<Pruner>,
    pub(crate) shadows: Shadows,
    pub(crate) transforms: CellTransforms,
    pub(crate) imports: Imports,
    pub(crate) exports: PathBuf,
    pub(crate) schedules: Schedules,
    pub(crate) config: Config,
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) shown_models: ShownModels,
    pub(crate) read_by_runs: ReadByRuns,
    pub(crate) passed_on: PassedOn,
    pub(crate) segments: Keeper,
    pub(crate) questions: Questions,
}

/// What the request of a run or of a fit names.
fn run_of(
    job: &Running<'_>,
    plugin: &str,
    version: &str,
    config: &str,
    as_of: Option<i32>,
) -> Result<FitInput> {
    let unreadable = |error: String| Error::Damaged { what: format!("request of job {}: {error}", job.id()) };
    Ok(FitInput {
        plugin: PluginId::new(plugin).map_err(|error| unreadable(error.to_string()))?,
        version: version.parse().map_err(|error: semver::Error| unreadable(error.to_string()))?,
        config: serde_json::from_str(config).map_err(|error| unreadable(error.to_string()))?,
        as_of: as_of::from_days(as_of),
    })
}

impl Core {
    /// What a fit or a question ends with: where its plugin was disabled or removed meanwhile, it is cancelled, whatever it met until it was told so.
    fn unless_disabled(&self, plugin: &PluginId, error: Error) -> Error {
        if self.registry.check_enabled(plugin).is_ok() { error } else { Error::Cancelled }
    }

    /// Deletes the inputs of runs that are too old or too much.
    pub(crate) async fn expire_capsules(&self) -> Result<()> {
        let retention = Retention {
            days_max: self.config.capsules_kept_days_max,
            bytes_max: self.config.capsules_bytes_max,
        };
        let now_ms = self.records.clock().now_ms();
        capsule::expire(&self.records, &self.capsules, retention, now_ms).await.map(drop)
    }
}

impl Work for Core {
    fn run(&self, job: &Running<'_>) -> Result<Json> {
        match job.request() {
            Request::Import { object, mapping, spooled, .. } => {
                import::run(self, job, object, mapping.as_deref(), &self.spool_dir.join(spooled))
            }
            Request::ImportPrepared { import, rehearse, .. } => {
                imports::run(self, job, RecordId(uuid::Uuid::from_bytes(*import)), *rehearse)
            }
            Request::Export { what, .. } => export::run(self, job, what),
            Request::PluginRun { plugin, version, config, as_of, announce, last_model, model } => {
                let of = run_of(job, plugin, version, config, *as_of)?;
                run::run(self, job, &RunInput::new(of, *announce, *last_model, *model))
            }
            Request::PluginFit { plugin, version, config, as_of } => {
                let of = run_of(job, plugin, version, config, *as_of)?;
                run::fit(self, job, &of).map_err(|error| self.unless_disabled(&of.plugin, error))
            }
            Request::PluginAnalysis { plugin, version, config, as_of, analysis, parameters } => {
                let of = run_of(job, plugin, version, config, *as_of)?;
                let (analysis, parameters) = (analysis.clone(), parameters.clone());
                let input = AnalysisInput { of, analysis, parameters };
                run::analyse(self, job, &input).map_err(|error| self.unless_disabled(&input.of.plugin, error))
            }
            Request::RunReplay { plugin, run } => {
                let unreadable =
                    |error: String| Error::Damaged { what: format!("request of job {}: {error}", job.id()) };
                let plugin = PluginId::new(plugin).map_err(|error| unreadable(error.to_string()))?;
                run::replay(self, job, &plugin, RecordId(uuid::Uuid::from_bytes(*run)))
            }
            Request::CampaignRun { campaign: id } => {
                let unreadable = |error: trellis_model::Error| Error::Damaged {
                    what: format!("request of job {}: {error}", job.id()),
                };
                campaign::run(self, job, RecordId::parse(id).map_err(unreadable)?)
            }
            Request::BulkEdit { object, filter, set, automations, .. } => {
                let unreadable = |error: serde_json::Error| Error::Damaged {
                    what: format!("request of job {}: {error}", job.id()),
                };
                let change = match set {
                    Some(set) => BulkChange::Set(serde_json::from_str(set).map_err(unreadable)?),
                    None => BulkChange::Delete,
                };
                bulk::run(self, job, object, filter, &change, *automations)
            }
            Request::SchemaBuild { object } => schema_build::run(self, job, object),
            Request::SearchRebuild => search::rebuild(self, job),
            Request::Merge { .. } => merge::run(self, job),
            Request::DuplicateScan { object, rule } => duplicates::run(self, job, object, rule),
            Request::Undo(asked) => undo::run(self, job, asked),
            Request::Compare(comparison) => compare::run(self, job, comparison),
        }
    }

    fn can_resume(&self, request: &Request) -> bool {
        match request {
            // Rows that were loaded before are found again and stay as they are.
            Request::Import { spooled, unlimited, .. } => {
                *unlimited && self.spool_dir.join(spooled).is_file()
            }
            // What was changed before stays as it is.
            Request::BulkEdit { unlimited, .. } => *unlimited,
            Request::PluginRun { .. }
            | Request::PluginFit { .. }
            | Request::PluginAnalysis { .. }
            | Request::RunReplay { .. }
            | Request::SchemaBuild { .. }
            | Request::CampaignRun { .. }
            | Request::SearchRebuild => true,
            Request::Merge { .. } | Request::DuplicateScan { .. } => true,
            Request::Undo(asked) => asked.unlimited,
            Request::ImportPrepared { import, unlimited, .. } => {
                *unlimited && self.imports.has(RecordId(uuid::Uuid::from_bytes(*import)))
            }
            Request::Export { unlimited, .. } => *unlimited,
            // It reads all that there is, whoever asked.
            Request::Compare(comparison) => {
                comparison.spooled().is_none_or(|name| self.spool_dir.join(name).is_file())
            }
        }
    }

    fn ended(&self, id: RecordId, request: &Request) {
        match request {
            Request::Import { spooled, .. } => import::remove_spooled(&self.spool_dir.join(spooled)),
            Request::PluginRun { .. } => self.capsules.forget_unfinished(id),
            _ => {}
        }
        if let Request::Compare(comparison) = request {
            compare::remove_component(&self.spool_dir, comparison);
        }
        if matches!(request, Request::PluginRun { .. } | Request::CampaignRun { .. }) {
            self.shadows.wake();
        }
    }
}
