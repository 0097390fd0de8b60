//! Shadows that a start could not load: they end, and the administrators are told.

use trellis_model::{PluginId, Text, bilingual};

use super::{api, store};
use crate::{Error, Result, core::Core, supervision};
use trellis_records::Caller;

/// Characters of the reason that is told.
const REASON_CHARS_MAX: usize = 200;

/// A shadow that could not be loaded.
#[derive(Debug)]
pub(super) struct Lost {
    id: PluginId,
    settings: store::ShadowV1,
    reason: String,
}

impl Lost {
    pub(super) fn new(id: PluginId, settings: store::ShadowV1, error: &Error) -> Self {
        Self { id, settings, reason: error.to_string().chars().take(REASON_CHARS_MAX).collect() }
    }

    fn subject(&self) -> Text {
        let (id, version, reason) = (&self.id, &self.settings.version, &self.reason);
        bilingual!(
            "The shadow of plugin {id}, version {version}, ended at the start of the server: {reason}",
            "插件 {id} 的影子版本 {version} 已在服务器启动时终止：{reason}"
        )
    }
}

/// Ends them, once there is somebody to tell.
pub(super) async fn tell(core: &Core) {
    if !core.supervisor.has_administrators() {
        return;
    }
    let lost = std::mem::take(&mut *core.shadows.lost.lock());
    for lost in lost {
        if let Err(error) = end(core, &lost).await {
            tracing::error!(plugin = %lost.id, code = error.code(), "its lost shadow was not ended: {error}");
        }
    }
}

async fn end(core: &Core, lost: &Lost) -> Result<()> {
    let _changing = core.shadows.changing.lock().await;
    if core.shadows.watches(&lost.id) {
        // Another one was started meanwhile.
        return Ok(());
    }
    let set = store::end(&core.records, &lost.id).await?;
    let entry = api::entry(&Caller::system("shadows"), api::STOPPED, &lost.id, &lost.settings);
    let log = core.records.commit(set, Some(entry)).await?.log_number;
    supervision::notify(core, &lost.id, &lost.subject(), log).await
}
