use std::sync::Arc;

use trellis_model::{Fields, ObjectName, PluginId, Value};
use trellis_records::{Caller, EntryBody, NewEntry, Write};
use trellis_storage::{Position, WriteSet};

use super::state::Segmentation;
use super::stored::encode_definition;
use super::types::{SegmentationDefinition, SegmentationInfo, Source};
use crate::keys::{self, SegmentationId};
use crate::{Columns, Error, Origin, Result, stored};

/// Bytes of a stored part of a definition.
const PART_BYTES: usize = 4_000;
/// The greatest code is below this, so that codes fit 16 bits.
const VALUES_MAX: usize = 65_534;
const VALUE_CHARACTERS_MAX: usize = 100;
const LABEL_CHARACTERS_MAX: usize = 200;
const DESCRIPTION_CHARACTERS_MAX: usize = 2_000;

impl Columns {
    /// Defines a segmentation, or adds to what is defined: values stay, in their order, and new ones come after them; labels
    /// and descriptions become the new ones; aliases are added. Defining the same again writes nothing. Also makes sure that there is a `segment`
    /// record for each value.
    ///
    /// # Errors
    /// [`Error::InvalidSegmentation`], [`Error::NameTaken`], [`Error::UnknownObject`].
    pub async fn define(
        self: &Arc<Self>,
        definition: SegmentationDefinition,
    ) -> Result<Arc<SegmentationInfo>> {
        let object = self.records.schema().object(definition.object.as_str()).cloned();
        let object = object.filter(|object| object.ordinals);
        let object = object.ok_or_else(|| Error::UnknownObject { object: definition.object.to_string() })?;
        self.validate(&definition)?;
        let segmentation = {
            let _changing = self.results.change.lock().await;
            let state = self.results.state();
            let known = state.get(definition.name.as_str());
            let segmentation = match known {
                Some(known) => {
                    let merged = merge(&known.definition, definition)?;
                    self.validate(&merged)?;
                    Arc::new(known.redefined(merged))
                }
                None => {
                    let id = state.segmentations.keys().last().map_or(1, |last| last.0 + 1);
                    Arc::new(Segmentation::new(SegmentationId(id), definition, object.id))
                }
            };
            if known.is_none_or(|known| known.definition != segmentation.definition) {
                self.store_definition(&segmentation, known.map(Arc::as_ref)).await?;
            }
            segmentation
        };
        self.ensure_segments(&segmentation.definition).await?;
        self.ensure_population(object.id).await?;
        Ok(self.info(&segmentation))
    }

    /// Marks the segmentations of a plugin as stale (it was disabled or removed), or as kept up to date again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_stale(&self, plugin: &PluginId, stale: bool) -> Result<()> {
        let _changing = self.results.change.lock().await;
        for segmentation in self.results.state().segmentations.values() {
            if !segmentation.is_of(plugin) || segmentation.pointer.stale == stale {
                continue;
            }
            let mut pointer = segmentation.pointer.clone();
            pointer.stale = stale;
            let mut set = WriteSet::new();
            set.put(keys::pointer(segmentation.id), stored::encode(&pointer));
            let name = segmentation.definition.name.as_str();
            let data = serde_json::json!({ "segmentation": name, "stale": stale });
            let position = self.commit_event(set, "segmentation.stale", data).await?;
            let marked = Segmentation {
                pointer,
                pointer_position: Some(position),
                ..Segmentation::clone(segmentation)
            };
            self.results.put(|state| {
                state.segmentations.insert(marked.id, Arc::new(marked));
            });
        }
        Ok(())
    }

    fn validate(&self, definition: &SegmentationDefinition) -> Result<()> {
        let wrong =
            |reason: String| Err(Error::InvalidSegmentation { name: definition.name.to_string(), reason });
        let values_max = self.config.values_max.min(VALUES_MAX);
        if definition.values.is_empty() || definition.values.len() > values_max {
            return wrong(format!("{} values, expected 1 to {values_max}", definition.values.len()));
        }
        let mut names = std::collections::BTreeSet::new();
        for value in &definition.values {
            let length = value.name.chars().count();
            if !(1..=VALUE_CHARACTERS_MAX).contains(&length) || value.name.chars().any(char::is_control) {
                return wrong(format!(
                    "value `{}` is not 1 to {VALUE_CHARACTERS_MAX} characters without control characters",
                    value.name.chars().take(VALUE_CHARACTERS_MAX).collect::<String>().escape_debug()
                ));
            }
            if !names.insert(&value.name) {
                return wrong(format!("value `{}` is there twice", value.name));
            }
        }
        let texts = definition.values.iter().map(|value| (&value.label, &value.description));
        for (label, description) in texts.chain([(&definition.label, &definition.description)]) {
            let over = |text: &trellis_model::Text, most: usize| {
                text.en.chars().count() > most || text.zh_cn.chars().count() > most
            };
            if over(label, LABEL_CHARACTERS_MAX) || over(description, DESCRIPTION_CHARACTERS_MAX) {
                return wrong(format!(
                    "label or description `{}…` is over {LABEL_CHARACTERS_MAX} or {DESCRIPTION_CHARACTERS_MAX} characters",
                    label.en.chars().take(60).collect::<String>()
                ));
            }
        }
        Ok(())
    }

    /// Writes a definition in parts and claims its names. The caller holds `change`.
    async fn store_definition(
        &self,
        segmentation: &Arc<Segmentation>,
        before: Option<&Segmentation>,
    ) -> Result<()> {
        let state = self.results.state();
        let mut set = WriteSet::new();
        for name in segmentation.names() {
            match state.get(name) {
                Some(holder) if holder.id != segmentation.id => {
                    let holder = holder.definition.name.to_string();
                    return Err(Error::NameTaken { name: name.to_owned(), holder });
                }
                Some(_) => {}
                None => {
                    set.expect_absent(keys::name(name));
                    set.put(keys::name(name), segmentation.id.0.to_be_bytes());
                }
            }
        }
        let bytes = encode_definition(&segmentation.definition);
        let before =
            before.map_or(0, |before| encode_definition(&before.definition).len().div_ceil(PART_BYTES));
        let parts = bytes.chunks(PART_BYTES).zip(0_u16..);
        for (part, number) in parts.clone() {
            set.put(keys::segmentation(segmentation.id, number), part);
        }
        for number in parts.count()..before {
            set.delete(keys::segmentation(segmentation.id, number as u16));
        }
        let definition = &segmentation.definition;
        let values = definition.values.iter().map(|value| value.name.as_str()).collect::<Vec<_>>();
        let data = serde_json::json!({ "segmentation": definition.name.as_str(), "values": values });
        self.commit_event(set, "segmentation.defined", data).await?;
        self.results.put(|state| {
            let names = segmentation.names().map(|name| (name.to_owned(), segmentation.id));
            state.names.extend(names);
            state.segmentations.insert(segmentation.id, Arc::clone(segmentation));
        });
        Ok(())
    }

    async fn commit_event(&self, set: WriteSet, name: &str, data: serde_json::Value) -> Result<Position> {
        let Origin { actor, cause } = Origin::system("columns");
        let entry = NewEntry { actor, cause, body: EntryBody::Event { name: name.to_owned(), data } };
        Ok(self.records.commit(set, Some(entry)).await?.position)
    }

    /// A `segment` record for each value; what is right already is not written.
    async fn ensure_segments(&self, definition: &SegmentationDefinition) -> Result<()> {
        let name = ObjectName::new("segment").expect("follows the rules of names");
        let schema = self.records.schema();
        let missing = || Error::UnknownObject { object: name.to_string() };
        let object = schema.object(name.as_str()).ok_or_else(missing)?;
        let key_field = object.field("external_id").ok_or_else(missing)?.id;
        let kind = match definition.source {
            Source::Plugin { .. } => "plugin",
            Source::Filter => "filter",
            Source::Manual => "manual",
        };
        let writes = definition.values.iter().map(|value| {
            let label = if value.label.en.is_empty() { &value.name } else { &value.label.en };
            let fields = [
                ("external_id", format!("{}:{}", definition.name, value.name)),
                ("name", label.clone()),
                ("segmentation", definition.name.to_string()),
                ("value", value.name.clone()),
                ("label", value.label.en.clone()),
                ("label_zh", value.label.zh_cn.clone()),
                ("description", value.description.en.clone()),
            ];
            let fields = fields.into_iter().filter(|(_, text)| !text.is_empty());
            let fields = fields.filter_map(|(name, text)| Some((object.field(name)?.id, Value::Text(text))));
            let mut fields: Fields = fields.collect();
            fields.extend(object.field("kind").map(|field| (field.id, Value::Choice(kind.into()))));
            Write::Upsert { object: name.clone(), key_field, fields }
        });
        let writes: Vec<Write> = writes.collect();
        let caller = Caller::system("columns");
        for part in writes.chunks(self.records.config().limits.batch_rows_max.max(1)) {
            let written = self.records.write_batch(&caller, part.to_vec()).await?;
            written.into_iter().try_for_each(|written| written.map(drop))?;
        }
        Ok(())
    }
}

/// What is defined, with what a new definition says of it.
fn merge(known: &SegmentationDefinition, new: SegmentationDefinition) -> Result<SegmentationDefinition> {
    let wrong = |reason: &str| {
        Err(Error::InvalidSegmentation { name: known.name.to_string(), reason: reason.to_owned() })
    };
    if known.name != new.name {
        return Err(Error::NameTaken { name: new.name.to_string(), holder: known.name.to_string() });
    }
    if known.object != new.object {
        return wrong("its object cannot change");
    }
    if known.source != new.source {
        return wrong("its source cannot change");
    }
    let mut merged =
        SegmentationDefinition { values: known.values.clone(), aliases: known.aliases.clone(), ..new };
    for value in new.values {
        match merged.values.iter_mut().find(|known| known.name == value.name) {
            Some(known) => *known = value,
            None => merged.values.push(value),
        }
    }
    let added = new.aliases.into_iter().filter(|alias| !known.aliases.contains(alias));
    merged.aliases.extend(added);
    Ok(merged)
}
