use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value as Json;
use trellis_columns::{Origin, SegmentationDefinition, SegmentationInfo, Source, ValueDefinition};
use trellis_model::{Filter, ObjectName, SegmentationName, Text, bilingual};
use trellis_records::Caller;

use super::{MEMBER, filter_of, keep, reads::Reads, uses};
use crate::{Error, Result, core::Core};

/// What names of segmentations that are not people's own begin with: the lists of campaigns.
const LISTS: &str = "audience_";

/// What somebody wants a segmentation to be that a filter makes.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterSegmentation {
    /// Whose records it is about.
    pub object: ObjectName,
    /// What people call it.
    pub label: Text,
    /// What it means; may be empty.
    pub description: Text,
    /// Who is a member: a filter tree in its JSON form.
    pub filter: Json,
}

/// Makes a segmentation and its members.
pub(crate) async fn create(
    core: &Arc<Core>,
    caller: &Caller,
    name: &str,
    wanted: FilterSegmentation,
) -> Result<Arc<SegmentationInfo>> {
    let name = checked_name(name)?;
    let mut kept = core.segments.hold().await;
    if let Some(holder) = core.columns.name_holder(name.as_str()) {
        let holder = holder.to_string();
        return Err(trellis_columns::Error::NameTaken { name: name.to_string(), holder }.into());
    }
    let most = core.config.filter_segmentations_max;
    if core.columns.segmentations_by_filter().len() >= most {
        let reason = bilingual!(
            "there are {most} segmentations that filters make, the most that may be (`engine.filter_segmentations_max`)",
            "由筛选条件得出的分群已达上限 {most} 个（`engine.filter_segmentations_max`）"
        );
        return Err(Error::InvalidSegmentation { field: "filter", reason });
    }
    define(core, &mut kept, caller, name, wanted).await
}

/// Gives a segmentation another filter, label or description; its members are those of the filter at once, as no transition of anybody.
pub(crate) async fn replace(
    core: &Arc<Core>,
    caller: &Caller,
    name: &str,
    wanted: FilterSegmentation,
) -> Result<Arc<SegmentationInfo>> {
    let mut kept = core.segments.hold().await;
    let info = found(core, name)?;
    if info.definition.object != wanted.object {
        let object = &info.definition.object;
        let reason =
            bilingual!("it is about `{object}`, which cannot change", "其对象为 `{object}`，不可更改");
        return Err(Error::InvalidSegmentation { field: "object", reason });
    }
    define(core, &mut kept, caller, info.definition.name.clone(), wanted).await
}

/// Removes a segmentation that nothing names any more.
pub(crate) async fn remove(core: &Arc<Core>, caller: &Caller, name: &str) -> Result<()> {
    let _kept = core.segments.hold().await;
    let info = found(core, name)?;
    let uses = uses(core, &info.definition.name).await?;
    if !uses.is_empty() {
        return Err(Error::SegmentationInUse { name: info.definition.name.to_string(), uses });
    }
    Ok(core.columns.remove_segmentation(caller, &info.definition.name).await?)
}

/// A segmentation that a filter makes, by its name.
fn found(core: &Core, name: &str) -> Result<Arc<SegmentationInfo>> {
    let info = core.columns.segmentation(name);
    let unknown = || trellis_columns::Error::UnknownSegmentation { name: name.chars().take(100).collect() };
    let info = info.ok_or_else(unknown)?;
    match filter_of(&info) {
        Some(_) => Ok(info),
        None => {
            let reason = Text::new(
                "no filter makes it: it is a plugin's, or the list of a campaign",
                "它不是由筛选条件得出的：来自插件，或是营销活动的名单",
            );
            Err(Error::InvalidSegmentation { field: "filter", reason })
        }
    }
}

fn checked_name(name: &str) -> Result<SegmentationName> {
    let wrong = |reason| Error::InvalidSegmentation { field: "name", reason };
    let parsed = SegmentationName::new(name).map_err(|error| wrong(error.text()))?;
    if name.contains("__") || name.starts_with(LISTS) {
        return Err(wrong(bilingual!(
            "`{name}` is a name as plugins and lists of campaigns have them: no `__`, and no `{LISTS}` at its beginning",
            "`{name}` 为插件与活动名单所用的名称形式：不能含 `__`，也不能以 `{LISTS}` 开头"
        )));
    }
    Ok(parsed)
}

async fn define(
    core: &Arc<Core>,
    kept: &mut keep::Kept,
    caller: &Caller,
    name: SegmentationName,
    wanted: FilterSegmentation,
) -> Result<Arc<SegmentationInfo>> {
    let wrong = |field, reason| Err(Error::InvalidSegmentation { field, reason });
    if wanted.label.en.trim().is_empty() && wanted.label.zh_cn.trim().is_empty() {
        return wrong("label", Text::new("a label is needed", "需要填写名称"));
    }
    let schema = core.records.schema();
    let object = schema.object(wanted.object.as_str()).filter(|object| object.ordinals);
    let Some(object) = object else {
        let name = &wanted.object;
        let reason = bilingual!(
            "`{name}` has no segmentations: only an object with columns has",
            "`{name}` 不支持分群：仅有列数据的对象支持"
        );
        return wrong("object", reason);
    };
    let parsed = Filter::parse_within(&wanted.filter, &core.records.config().limits.filter);
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return wrong("filter", error.text()),
    };
    if let Some(reason) = keep::problem(core, &wanted.object, &wanted.filter) {
        return wrong("filter", reason);
    }
    let reads: BTreeSet<_> = Reads::of(&schema, object, &parsed).segmentations().cloned().collect();
    if let Some(through) = circle(core, &name, reads) {
        return wrong(
            "filter",
            bilingual!("it reads itself, through `{through}`", "它经由 `{through}` 引用了自身"),
        );
    }
    let (label, description) = (wanted.label, wanted.description);
    let definition = SegmentationDefinition {
        name: name.clone(),
        object: wanted.object,
        values: vec![ValueDefinition {
            name: MEMBER.to_owned(),
            label: label.clone(),
            description: description.clone(),
        }],
        label,
        description,
        source: Source::Filter { filter: parsed.to_json() },
        aliases: Vec::new(),
    };
    let origin = Origin { actor: caller.actor.clone(), cause: caller.cause.clone() };
    let info = core.columns.define_as(definition, &origin).await?;
    keep::keep_now(core, kept, &info).await?;
    core.columns
        .segmentation(name.as_str())
        .ok_or_else(|| trellis_columns::Error::UnknownSegmentation { name: name.to_string() }.into())
}

/// The segmentation through which one that reads some would read itself.
fn circle(
    core: &Core,
    name: &SegmentationName,
    mut open: BTreeSet<SegmentationName>,
) -> Option<SegmentationName> {
    let schema = core.records.schema();
    let mut seen = BTreeSet::new();
    while let Some(read) = open.pop_first() {
        let Some(info) = core.columns.segmentation(read.as_str()) else { continue };
        let further = keep::reads(&schema, &info);
        if info.definition.name == *name || further.contains(name) {
            return Some(read);
        }
        if seen.insert(info.definition.name.clone()) {
            open.extend(further);
        }
    }
    None
}
