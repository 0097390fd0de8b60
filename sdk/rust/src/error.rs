//! Why a call as a whole could not answer.

pub use crate::bindings::shared::trellis::plugin::types::PluginError;

/// The result of a call of a plugin.
pub type Result<T, E = PluginError> = std::result::Result<T, E>;

impl PluginError {
    /// An error with a code in kebab-case that stays the same in every version of the plugin.
    pub fn other(code: &str, message: impl Into<String>) -> Self {
        Self::Other((code.to_owned(), message.into()))
    }
}
