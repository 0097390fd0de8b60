//! Tells administrators of a plugin that is not called any more.

use std::collections::BTreeMap;

use trellis_model::{Actor, Language, ObjectName, RecordId, Text, Value, bilingual};
use trellis_plugin_host::Quarantine;
use trellis_records::{Caller, Error as RecordsError, Write};

use crate::{Result, core::Core};

/// Characters of a notification's subject.
const SUBJECT_CHARACTERS_MAX: usize = 500;
/// Characters of the reason within it.
const REASON_CHARACTERS_MAX: usize = 200;
/// Characters of the id of what a notification is about; longer ids are named in its subject only.
const PARENT_CHARACTERS_MAX: usize = 36;

/// Writes a notification to each administrator.
pub(super) async fn notify(
    core: &Core,
    quarantine: &Quarantine,
    log: Option<u64>,
    administrators: &[RecordId],
) -> Result<()> {
    let writes = administrators.iter().map(|user| notification(core, quarantine, *user));
    let writes = writes.collect::<Result<Vec<_>>>()?;
    let mut caller = Caller::system("notifications");
    caller.actor = Actor::System { component: "notifications".into() };
    caller.cause.log = log;
    for page in writes.chunks(core.records.config().limits.batch_rows_max.max(1)) {
        for result in core.records.write_batch(&caller, page.to_vec()).await? {
            if let Err(error) = result {
                tracing::warn!(plugin = %quarantine.plugin, code = error.code(), "an administrator was not told: {error}");
            }
        }
    }
    Ok(())
}

fn notification(core: &Core, quarantine: &Quarantine, user: RecordId) -> Result<Write> {
    let object = ObjectName::new("notification").map_err(RecordsError::from)?;
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let id = quarantine.plugin.id.as_str();
    let named = [
        ("subject", text(&subject(quarantine, core.config.language))),
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

fn subject(quarantine: &Quarantine, language: Language) -> String {
    let (id, version) = (&quarantine.plugin.id, &quarantine.plugin.version);
    let (function, strikes) = (&quarantine.function, quarantine.strikes);
    let reason: String = quarantine.reason.chars().take(REASON_CHARACTERS_MAX).collect();
    let text: Text = bilingual!(
        "Plugin {id} {version} was quarantined after {strikes} faults; the last in {function}: it {reason}. It is not called until you release it.",
        "插件 {id} {version} 已出错 {strikes} 次，现已隔离；最近一次发生在 {function}：{reason}。解除隔离之前不再调用该插件。"
    );
    text.get(language).chars().take(SUBJECT_CHARACTERS_MAX).collect()
}
