//! Why plugins cannot be run, where several places say the same.

use std::fmt::Display;

use semver::Version;
use trellis_model::{PluginId, Text, bilingual};

use super::Error;

impl Error {
    /// The plugin lacks an interface.
    pub(crate) fn not_offered(plugin: &PluginId, interface: &str) -> Self {
        let reason =
            bilingual!("it does not offer the interface `{interface}`", "它未提供接口 `{interface}`");
        Self::CannotRun { plugin: plugin.clone(), reason }
    }

    /// The plugin puts out nothing about customers.
    pub(crate) fn evaluates_nobody(plugin: &PluginId) -> Self {
        let reason = Text::new(
            "it offers neither the interface `segmentation` nor `scoring`",
            "它既未提供接口 `segmentation`，也未提供 `scoring`",
        );
        Self::CannotRun { plugin: plugin.clone(), reason }
    }

    /// A version reads what `whose` (`run …`, `decision …`) has not written down.
    pub(crate) fn not_recorded(
        plugin: &PluginId,
        version: &Version,
        whose: (&str, &str, impl Display),
        missing: &[String],
    ) -> Self {
        let ((en, zh, id), missing) = (whose, missing.join(", "));
        let reason = bilingual!(
            "version {version} reads what {en} {id} did not record: {missing}",
            "版本 {version} 需读取{zh} {id} 未记录的数据：{missing}"
        );
        Self::CannotRun { plugin: plugin.clone(), reason }
    }
}
