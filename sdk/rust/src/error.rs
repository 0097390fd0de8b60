//! Why a call as a whole could not answer.

use crate::LocalizedText;
pub use crate::bindings::shared::trellis::plugin::types::PluginError;

/// The result of a call of a plugin.
pub type Result<T, E = PluginError> = std::result::Result<T, E>;

impl PluginError {
    /// An error with a code in kebab-case that stays the same in every version of the plugin.
    pub fn other(code: &str, message: impl Into<LocalizedText>) -> Self {
        Self::Other((code.to_owned(), message.into()))
    }

    /// What it says, in words for people.
    pub fn message(&self) -> &LocalizedText {
        match self {
            Self::InvalidConfig(message)
            | Self::InvalidParameters(message)
            | Self::UnsuitableData(message)
            | Self::UnreadableModel(message)
            | Self::Denied(message)
            | Self::Transient(message)
            | Self::Other((_, message)) => message,
        }
    }
}
