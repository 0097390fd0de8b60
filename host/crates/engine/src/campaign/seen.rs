//! What a version may see of a recorded run of a campaign: its rows and the campaign's record.

use std::collections::BTreeSet;

use trellis_model::{FieldName, NamedRecord, ObjectName};
use trellis_plugin_host::Manifest;
use trellis_records::Schema;

use super::object;
use crate::{
    Result,
    plugins::{Grants, Hidden},
    run::{Withheld, configured},
};

/// What a version may see of a recorded run of a campaign.
pub(super) struct Seen {
    /// What is withheld of its rows.
    pub(super) rows: Withheld,
    /// The fields of the campaign that it sees, and those that it asks for and does not see.
    shown: BTreeSet<FieldName>,
    hidden: BTreeSet<FieldName>,
}

impl Seen {
    pub(super) fn of(manifest: &Manifest, config: &str, schema: &Schema, grants: &Grants) -> Result<Self> {
        let rows = Withheld::of(manifest, config, schema, grants)?;
        let personal = Hidden::of(&configured(manifest, config)?, schema, grants);
        let (campaign, may_see): (ObjectName, _) = (object("campaign"), grants.allow_any("see:campaign("));
        let asked = manifest.campaign_rules.as_ref().map(|used| used.campaign_fields.clone());
        let (shown, hidden) = asked
            .unwrap_or_default()
            .into_iter()
            .partition(|field| may_see && !personal.hides(&campaign, field));
        Ok(Self { rows, shown, hidden })
    }

    /// The campaign's record as far as it is seen.
    pub(super) fn campaign(&self, mut record: NamedRecord) -> NamedRecord {
        record.fields.retain(|name, _| self.shown.contains(name));
        record
    }

    /// What is withheld: of the rows as [`Withheld::names`] says, and fields of the campaign as `campaign.field`.
    pub(super) fn withheld(&self) -> Vec<String> {
        let fields = self.hidden.iter().map(|field| format!("campaign.{field}"));
        self.rows.names().into_iter().chain(fields).collect()
    }
}
