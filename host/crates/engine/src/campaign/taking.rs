//! A campaign for the customers of a segment, in one call: the campaign with its audience, and the customers held as they are now.
//!
//! The values of a plugin's segmentation mean something else after its model is fitted again. So the audience is a list of its own, a
//! segmentation made by hand whose one value is `member`, unless the campaign is to follow the segment.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_columns::{
    AsOf, CodesColumn, CurrentResult, FlipRequest, Origin, ResultColumn, SegmentationDefinition,
    SegmentationInfo, Source, ValueDefinition,
};
use trellis_model::{Fields, Filter, Record, RecordId, SegmentationName, Text, Validity, Value, bilingual};
use trellis_records::{Caller, Write};

use super::{audience, object};
use crate::{
    Error, Result,
    core::Core,
    segments::{MEMBER, having},
};

/// For whom a campaign is made, and what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentCampaign {
    /// A segmentation of accounts.
    pub segmentation: String,
    /// One of its values.
    pub value: String,
    /// Which of the customers who have it; `None` for all.
    pub only: Option<Filter>,
    /// Whether the audience is whoever has the value at any time, instead of those who have it now.
    pub follows: bool,
    /// The fields of the campaign; its audience is not among them.
    pub fields: Fields,
}

/// A campaign that was made for a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenSegment {
    /// The campaign, with its audience.
    pub campaign: Record,
    /// How many customers are in its audience now.
    pub customers: u64,
    /// The segmentation by its full name.
    pub segmentation: SegmentationName,
    /// What people call the value.
    pub label: Text,
    /// The result that the customers were taken from.
    pub result: Option<CurrentResult>,
}

/// Makes a campaign for the customers of a segment.
pub(crate) async fn take(core: &Arc<Core>, caller: &Caller, wanted: SegmentCampaign) -> Result<TakenSegment> {
    let unknown = || trellis_columns::Error::UnknownSegmentation {
        name: wanted.segmentation.chars().take(100).collect(),
    };
    let info = core.columns.segmentation(&wanted.segmentation).ok_or_else(unknown)?;
    let definition = &info.definition;
    if definition.object != object("account") {
        let reason = format!(
            "segmentation `{}` is about `{}`, a campaign is for accounts",
            definition.name, definition.object
        );
        return Err(Error::InvalidRequest { reason });
    }
    let value = definition.values.iter().find(|value| value.name == wanted.value);
    let value = value.cloned().ok_or_else(|| trellis_columns::Error::UnknownValue {
        segmentation: definition.name.to_string(),
        value: wanted.value.chars().take(100).collect(),
    })?;
    let mut chosen = having(&definition.name, &value.name)?;
    if let Some(only) = wanted.only {
        chosen = chosen.and(only);
    }
    core.columns.catch_up().await?;
    let ordinals = audience::ordinals(core, &chosen, || Ok(())).await?;
    if ordinals.is_empty() {
        let reason = format!("no customer has `{}` in segmentation `{}`", value.name, definition.name);
        return Err(Error::InvalidRequest { reason });
    }
    let customers = ordinals.len() as u64;
    let id = core.records.ids().record_id(core.records.clock().now_ms());
    let list = List { id, name: list_name(id), ordinals };
    let audience = if wanted.follows { chosen } else { having(&list.name, MEMBER)? };
    let campaign = create(core, caller, id, wanted.fields, audience.to_json()).await?;
    if !wanted.follows {
        // The campaign is there first, for it may be refused; as long as nobody is on its list, nobody is in its audience.
        list.store(core, caller, &campaign, &info, &value).await?;
    }
    let (segmentation, result) = (definition.name.clone(), info.current);
    Ok(TakenSegment { campaign, customers, segmentation, label: value.label, result })
}

async fn create(
    core: &Core,
    caller: &Caller,
    id: RecordId,
    mut fields: Fields,
    audience: Json,
) -> Result<Record> {
    let campaign = object("campaign");
    let schema = core.records.schema();
    let field = schema.object(campaign.as_str()).and_then(|object| object.field("audience"));
    let field = field.ok_or_else(|| trellis_records::Error::UnknownObject { name: campaign.to_string() })?;
    fields.insert(field.id, Value::Json(audience));
    let write = Write::Create { object: campaign, fields, id: Some(id) };
    let mut written = core.records.write_batch(caller, vec![write]).await?;
    let written = written.pop().expect("one result for one write")?;
    Ok(written.record().cloned().expect("a create leaves a record"))
}

fn list_name(campaign: RecordId) -> SegmentationName {
    SegmentationName::new(&format!("audience_{}", campaign.0.simple()))
        .expect("letters, digits and an underscore")
}

/// The customers of a campaign by hand.
struct List {
    id: RecordId,
    name: SegmentationName,
    ordinals: Vec<u64>,
}

impl List {
    /// Stores who is on it. It is the only result of its segmentation, so it is no news of anybody.
    async fn store(
        self,
        core: &Arc<Core>,
        caller: &Caller,
        campaign: &Record,
        from: &SegmentationInfo,
        value: &ValueDefinition,
    ) -> Result<()> {
        let called = called(core, campaign);
        let (of, by) = (&from.definition.label, &value.label);
        let label = bilingual!("Audience: {called}", "活动受众：{called}");
        let description = Text::new(
            format!("{}: {}, as it was when the campaign was made", of.en, by.en),
            format!("{}：{}（以创建活动时为准）", of.zh_cn, by.zh_cn),
        );
        let member = ValueDefinition {
            name: MEMBER.to_owned(),
            label: label.clone(),
            description: description.clone(),
        };
        let definition = SegmentationDefinition {
            name: self.name.clone(),
            object: object("account"),
            label,
            description,
            values: vec![member],
            source: Source::Manual,
            aliases: Vec::new(),
        };
        core.columns.define(definition).await?;
        let mut writer = core.columns.begin(self.id, &[self.name])?;
        let codes = vec![0; self.ordinals.len()];
        let (valid, values) = (Validity::all(), [MEMBER].into_iter().collect());
        let column = CodesColumn { codes: &codes, valid: &valid, values: &values };
        writer.append(&self.ordinals, &[ResultColumn::Codes(column)])?;
        let generation = writer.finish().await?;
        let as_of = from.current.as_ref().map_or(AsOf::Now, |current| current.as_of);
        let data = json!({ "campaign": self.id.to_string(), "segmentation": from.definition.name.as_str(), "value": value.name });
        let origin = Origin { actor: caller.actor.clone(), cause: caller.cause.clone() };
        let request = FlipRequest { run: self.id, baseline: true, as_of, data, origin: origin.clone() };
        core.columns.flip(generation, request).await?;
        core.columns.transitions(generation, &origin).await?;
        Ok(())
    }
}

/// What a campaign is called, as far as a label takes it.
fn called(core: &Core, campaign: &Record) -> String {
    let schema = core.records.schema();
    let name = schema.object_by_id(campaign.object).and_then(|object| object.field("name"));
    match name.and_then(|name| campaign.fields.get(&name.id)) {
        Some(Value::Text(name)) => name.chars().take(150).collect(),
        _ => campaign.id.to_string(),
    }
}
