//! `plugin.toml`: what a plugin says about itself. It travels as text in the component's custom section `trellis:manifest`.
//!
//! Keys that this host does not know are errors, so that a misspelt one is never silently ignored.

mod absent;
mod config_forms;
mod config_schema;
mod configured;
mod dataset;
mod parse;
mod related;
mod requests;
mod rows;
mod schedule;
mod schedule_words;
mod uses;

use std::collections::BTreeMap;

use trellis_model::{ObjectName, PluginId, Text};

use crate::{Error, LimitClass, PluginVersion, Result, plain};

pub use absent::{Absence, AbsentPolicy, AbsentUse};
pub use config_forms::NamedByConfig;
pub use config_schema::{ConfigProblem, ConfigSchema};
pub use configured::{CONFIGURED_COLUMNS_MAX, Configured};
pub use dataset::{Aggregate, ColumnSource, Dataset, DatasetColumn, DatasetKind};
pub use related::{Days, Figure, Related};
pub use requests::{Request, published_grant};
pub use schedule::{Cron, Schedule, ScheduledModel};
pub use uses::{
    ActionGrant, CampaignRulesUse, Closed, LookupGrant, OnFailure, RecordHookUse, RelatedChange,
    ServiceWorkflowUse,
};

/// Characters of a plugin's name or a key in a message about a manifest.
const PLACE_CHARACTERS_MAX: usize = 200;

/// What a plugin says about itself, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Which plugin.
    pub id: PluginId,
    /// Which version of it.
    pub version: semver::Version,
    /// The version of `trellis:plugin` that it was built against.
    pub wit: semver::Version,
    /// The industry that it is for, if it is for one.
    pub industry: Option<String>,
    /// The interfaces that it offers, each once.
    pub provides: Vec<Interface>,
    /// The class of its calls on batches; [`LimitClass::Batch`] where it says nothing.
    pub limit_class: LimitClass,
    /// What people call it.
    pub name: Text,
    /// What it is for.
    pub description: Text,
    /// The data that it reads.
    pub datasets: Vec<Dataset>,
    /// What an admin can set.
    pub config: ConfigSchema,
    /// Short names of its segmentations: alias to output name.
    pub segmentation_aliases: BTreeMap<String, String>,
    /// Short names of its scores: alias to output name.
    pub score_aliases: BTreeMap<String, String>,
    /// What it may ask about records, one entry an object.
    pub lookups: Vec<LookupGrant>,
    /// What it may have done, one entry a kind and object.
    pub actions: Vec<ActionGrant>,
    /// What it works on; there where it provides `service-workflow`.
    pub service_workflow: Option<ServiceWorkflowUse>,
    /// What it sees of campaigns; there where it provides `campaign-rules`.
    pub campaign_rules: Option<CampaignRulesUse>,
    /// What it judges, one entry an object; there where it provides `record-hook`.
    pub record_hooks: Vec<RecordHookUse>,
    /// When it runs by itself, where nobody says otherwise.
    pub schedule: Option<Schedule>,
    /// What happens while it cannot be called, where it says so in `[absent]`; see [`Manifest::absences`].
    pub absent: BTreeMap<AbsentUse, AbsentPolicy>,
}

/// An interface that plugins implement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// Divides customers.
    Segmentation,
    /// Gives customers numbers.
    Scoring,
    /// Decides for campaigns.
    CampaignRules,
    /// Guides the work on cases.
    ServiceWorkflow,
    /// Judges records before they are saved.
    RecordHook,
    /// Shows what segmentation or scoring learned.
    ModelReport,
    /// Answers questions about a whole population.
    Analysis,
}

impl Interface {
    /// Every interface that this host knows.
    pub const ALL: [Self; 7] = [
        Self::Segmentation,
        Self::Scoring,
        Self::CampaignRules,
        Self::ServiceWorkflow,
        Self::RecordHook,
        Self::ModelReport,
        Self::Analysis,
    ];

    /// Its name in WIT and in `provides`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Segmentation => "segmentation",
            Self::Scoring => "scoring",
            Self::CampaignRules => "campaign-rules",
            Self::ServiceWorkflow => "service-workflow",
            Self::RecordHook => "record-hook",
            Self::ModelReport => "model-report",
            Self::Analysis => "analysis",
        }
    }

    /// Whether it is called on batches of the plugin's per-customer dataset.
    pub fn reads_customers(self) -> bool {
        matches!(self, Self::Segmentation | Self::Scoring | Self::CampaignRules)
    }
}

impl Manifest {
    /// Whether it provides what can be run over all customers.
    pub fn runs(&self) -> bool {
        schedule::runs(&self.provides)
    }

    /// Reads the text of a `plugin.toml`.
    ///
    /// # Errors
    /// [`Error::InvalidManifest`] with the line or key and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        parse::parse(text).map_err(|problem| Error::InvalidManifest {
            plugin: plain::line(&parse::plugin_for_messages(text), PLACE_CHARACTERS_MAX),
            place: plain::line(&problem.place, PLACE_CHARACTERS_MAX),
            reason: plain::reason(&problem.reason),
        })
    }

    /// Names the plugin and its version, for messages.
    pub fn plugin_version(&self) -> PluginVersion {
        PluginVersion { id: self.id.clone(), version: self.version.clone() }
    }

    /// The full name of an output: `retail_rfm__class` for `class`.
    pub fn output_name(&self, output: &str) -> String {
        format!("{}__{output}", self.id.prefix())
    }

    /// The dataset of customers, which the interfaces that are called on batches share.
    pub fn customers(&self) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.kind == DatasetKind::PerCustomer)
    }

    /// The dataset of a name.
    pub fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == name)
    }

    /// What it may ask about an object.
    pub fn lookup(&self, object: &ObjectName) -> Option<&LookupGrant> {
        self.lookups.iter().find(|lookup| lookup.object == *object)
    }

    /// What it judges of an object.
    pub fn record_hook(&self, object: &ObjectName) -> Option<&RecordHookUse> {
        self.record_hooks.iter().find(|hook| hook.object == *object)
    }

    /// The configuration of somebody who sets nothing.
    pub fn default_config(&self) -> serde_json::Value {
        self.config.with_defaults(serde_json::Value::Object(serde_json::Map::new()))
    }

    /// Checks a configuration that is complete, see [`ConfigSchema::with_defaults`].
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the setting's name.
    pub fn validate_config(&self, config: &serde_json::Value) -> std::result::Result<(), Vec<ConfigProblem>> {
        let mut problems = self.config.problems(config);
        if problems.is_empty() {
            problems = self.column_problems(config);
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests;
