//! Reading a plugin's configuration.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{PluginError, Result};

/// The configuration of a plugin that has nothing to set.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// Reads a configuration from its JSON text; an empty text is the empty object.
///
/// # Errors
/// [`PluginError::InvalidConfig`] with the name of the setting.
pub fn parse_config<C: DeserializeOwned>(text: &str) -> Result<C> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| PluginError::InvalidConfig(error.to_string().into()))
}

/// As [`parse_config`], of the parameters of a question.
///
/// # Errors
/// [`PluginError::InvalidParameters`] with the name of the parameter.
pub fn parse_parameters<P: DeserializeOwned>(text: &str) -> Result<P> {
    parse_config(text).map_err(|error| PluginError::InvalidParameters(error.message().clone()))
}
