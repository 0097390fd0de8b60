//! Tells administrators what became of a plugin while they did not look.

use std::collections::BTreeMap;

use semver::Version;
use trellis_model::{ObjectName, PluginId, RecordId, Text, Value, bilingual};
use trellis_plugin_host::Quarantine;
use trellis_records::{Caller, Error as RecordsError, Write};

use crate::{Error, Result, core::Core};

/// Characters of a notification's subject.
const SUBJECT_CHARACTERS_MAX: usize = 500;
/// Characters of the reason within it.
const REASON_CHARACTERS_MAX: usize = 200;
/// Characters of the id of what a notification is about; longer ids are named in its subject only.
const PARENT_CHARACTERS_MAX: usize = 36;

/// Writes a notification about a plugin to each administrator.
pub(crate) async fn notify(core: &Core, plugin: &PluginId, subject: &Text, log: Option<u64>) -> Result<()> {
    let administrators = core.supervisor.administrators.read().clone();
    let writes = administrators.iter().map(|user| notification(core, plugin, subject, *user));
    let writes = writes.collect::<Result<Vec<_>>>()?;
    let mut caller = Caller::system("notifications");
    caller.cause.log = log;
    for page in writes.chunks(core.records.config().limits.batch_rows_max.max(1)) {
        for result in core.records.write_batch(&caller, page.to_vec()).await? {
            if let Err(error) = result {
                tracing::warn!(%plugin, code = error.code(), "an administrator was not told: {error}");
            }
        }
    }
    Ok(())
}

fn notification(core: &Core, plugin: &PluginId, subject: &Text, user: RecordId) -> Result<Write> {
    let object = ObjectName::new("notification").map_err(RecordsError::from)?;
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let id = plugin.as_str();
    let subject: String = subject.get(core.config.language).chars().take(SUBJECT_CHARACTERS_MAX).collect();
    let named = [
        ("subject", text(&subject)),
        ("user", Some(Value::Reference(user))),
        ("kind", text("other")),
        ("parent_object", text("plugin")),
        ("parent_id", text(id).filter(|_| id.len() <= PARENT_CHARACTERS_MAX)),
        ("read", Some(Value::Bool(false))),
    ];
    let named = named.map(|(name, value)| (name.parse().expect("a field of notifications"), value));
    let changes = core.records.schema().fields(&object, BTreeMap::from(named))?;
    let fields = changes.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
    Ok(Write::Create { object, fields, id: None })
}

/// What is told of a quarantine.
pub(super) fn quarantined(quarantine: &Quarantine) -> Text {
    let (id, version) = (&quarantine.plugin.id, &quarantine.plugin.version);
    let (function, strikes) = (&quarantine.function, quarantine.strikes);
    let reason: String = quarantine.reason.chars().take(REASON_CHARACTERS_MAX).collect();
    bilingual!(
        "Plugin {id} {version} was quarantined after {strikes} faults; the last in {function}: it {reason}. It is not called until you release it.",
        "插件 {id} {version} 已出错 {strikes} 次，现已隔离；最近一次发生在 {function}：{reason}。解除隔离之前不再调用该插件。"
    )
}

/// What is told of a way back that a plugin took by itself.
pub(super) fn rolled_back(id: &PluginId, from: &Version, to: &Version) -> Text {
    bilingual!(
        "Plugin {id} was rolled back from the quarantined version {from} to {to}, as its settings say.",
        "插件 {id} 的版本 {from} 已被隔离，按其设置已自动回退到 {to}。"
    )
}

/// What is told where that failed.
pub(super) fn not_rolled_back(id: &PluginId, error: &Error) -> Text {
    let reason: String = error.to_string().chars().take(REASON_CHARACTERS_MAX).collect();
    bilingual!(
        "Plugin {id} is quarantined and could not be rolled back: {reason}",
        "插件 {id} 已被隔离，且无法自动回退：{reason}"
    )
}
