//! The objects and fields that a plugin brings: its pack of the schema.

use trellis_model::{PluginId, bilingual};
use trellis_plugin_host::Inspection;
use trellis_records::{Caller, Records, Schema, SchemaApply, SchemaDocument, SchemaPlan, SchemaStep};

use crate::{Result, core::Core};

/// What a version of a plugin adds to the schema; nothing where it carries nothing.
///
/// # Errors
/// [`trellis_records::Error::SchemaRefused`] where its section is not of the form.
pub(super) fn document(inspection: &Inspection) -> Result<SchemaDocument> {
    let Some(text) = &inspection.carried.schema else { return Ok(SchemaDocument::default()) };
    let refused = |error: serde_json::Error| {
        let reason =
            bilingual!("`trellis:schema` is not JSON: {error}", "`trellis:schema` 不是有效的 JSON：{error}");
        trellis_records::Error::SchemaRefused { reasons: vec![reason] }
    };
    Ok(SchemaDocument::from_json(&serde_json::from_str(text).map_err(refused)?)?)
}

/// What enabling a version would change in the schema.
pub(super) async fn plan(core: &Core, id: &PluginId, inspection: &Inspection) -> Result<SchemaPlan> {
    Ok(core.records.schema_plan(&document(inspection)?, Some(id)).await?)
}

/// The schema as enabling a version would leave it: what its settings may name.
pub(crate) async fn schema_after(
    records: &Records,
    id: &PluginId,
    inspection: &Inspection,
) -> Result<Schema> {
    Ok(records.schema_after(&document(inspection)?, Some(id)).await?)
}

/// What was changed in the schema, and of which objects indexes are to be built.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) steps: Vec<SchemaStep>,
    pub(super) builds: Vec<String>,
}

/// Makes the schema hold what a version brings. What an earlier version brought besides goes out of use, which has to be confirmed.
pub(super) async fn apply(
    core: &Core,
    caller: &Caller,
    id: &PluginId,
    inspection: &Inspection,
    confirm_destructive: bool,
) -> Result<Applied> {
    let apply = SchemaApply { confirm_destructive, pack: Some(id.clone()), expected_version: None };
    let applied = core.records.schema_apply(caller, &document(inspection)?, &apply).await?;
    Ok(Applied { steps: applied.steps, builds: applied.builds })
}
