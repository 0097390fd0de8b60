//! `plugin.toml`: what a plugin says about itself. It travels as text in the component's custom section `trellis:manifest`.
//!
//! Keys that this host does not know are errors, so that a misspelt one is never silently ignored.

mod config_schema;
mod parse;

use std::collections::BTreeMap;

use trellis_model::{FieldName, ObjectName, PluginId, Text};

use crate::{Error, LimitClass, PluginVersion, Result};

pub use config_schema::{ConfigProblem, ConfigSchema};

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
}

/// An interface that plugins implement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// Divides customers.
    Segmentation,
}

/// Data that a plugin reads; it gets that and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its name within the plugin.
    pub name: String,
    /// What a row is.
    pub kind: DatasetKind,
    /// Whose records the rows are.
    pub object: ObjectName,
    /// What is read of each, in the order in which the columns stand in a batch.
    pub columns: Vec<DatasetColumn>,
}

/// What a row of a dataset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetKind {
    /// One customer, with what happened to it as aggregates.
    PerCustomer,
    /// One record.
    Rows,
}

/// One column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetColumn {
    /// Its name in the batch.
    pub name: String,
    /// Where it comes from.
    pub source: ColumnSource,
}

/// Where a column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnSource {
    /// A field of the dataset's object.
    Field(FieldName),
    /// A figure over the child records that refer to the row's record.
    Aggregate {
        /// The child object.
        from: ObjectName,
        /// Which figure.
        aggregate: Aggregate,
        /// The field that is the child's time; what lies after "as of" does not count.
        time: FieldName,
    },
}

/// A figure over child records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// The sum of a field.
    Sum(FieldName),
    /// The date of the first.
    First,
    /// The date of the last.
    Last,
}

impl Interface {
    /// Every interface that this host knows.
    pub const ALL: [Self; 1] = [Self::Segmentation];

    /// Its name in WIT and in `provides`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Segmentation => "segmentation",
        }
    }
}

impl Manifest {
    /// Reads the text of a `plugin.toml`.
    ///
    /// # Errors
    /// [`Error::InvalidManifest`] with the line or key and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        parse::parse(text).map_err(|problem| Error::InvalidManifest {
            plugin: parse::plugin_for_messages(text),
            place: problem.place,
            reason: problem.reason,
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

    /// The dataset of a name.
    pub fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == name)
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
        let problems = self.config.problems(config);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests;
