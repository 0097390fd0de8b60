use std::sync::Arc;

use trellis_model::{Fields, ObjectName, Value};
use trellis_records::{Caller, Write};

use super::state::Segmentation;
use super::types::{SegmentationDefinition, SegmentationInfo};
use crate::output::{Output, OutputKind, check_names, check_texts, merged_aliases};
use crate::{Columns, Error, Origin, Result, Source};

/// The greatest code is below this, so that codes fit 16 bits.
const VALUES_MAX: usize = 65_534;

impl Columns {
    /// Defines a segmentation, or adds to what is defined: values stay, in their order, and new ones come after them; labels,
    /// descriptions and a filter become the new ones; aliases are added. Defining the same again writes nothing. Also makes sure that there is a `segment`
    /// record for each value.
    ///
    /// # Errors
    /// [`Error::InvalidSegmentation`], [`Error::NameTaken`] (by a score too), [`Error::UnknownObject`].
    pub async fn define(
        self: &Arc<Self>,
        definition: SegmentationDefinition,
    ) -> Result<Arc<SegmentationInfo>> {
        self.define_as(definition, &Origin::system("columns")).await
    }

    /// As [`Columns::define`], for somebody.
    ///
    /// # Errors
    /// As [`Columns::define`].
    pub async fn define_as(
        self: &Arc<Self>,
        definition: SegmentationDefinition,
        origin: &Origin,
    ) -> Result<Arc<SegmentationInfo>> {
        let object = self.object_with_ordinals(&definition.object)?;
        self.validate(&definition)?;
        let name = definition.name.clone();
        let definition = {
            let _changing = self.results.change.lock().await;
            let state = self.results.state();
            let known = state.get(name.as_str());
            let before = match known.map(|known| &known.kind) {
                Some(OutputKind::Segmentation(before)) => Some(&before.definition),
                Some(OutputKind::Score(score)) => {
                    return Err(Error::NameTaken {
                        name: name.to_string(),
                        holder: score.definition.name.to_string(),
                    });
                }
                None => None,
            };
            let definition = match before {
                Some(before) => {
                    let merged = merge(before, definition)?;
                    self.validate(&merged)?;
                    merged
                }
                None => definition,
            };
            if before != Some(&definition) {
                let kind = OutputKind::Segmentation(Arc::new(Segmentation::new(definition.clone())));
                let output = match known {
                    Some(known) => known.redefined(kind),
                    None => Output::new(state.next_id(), kind, object),
                };
                let values = definition.values.iter().map(|value| value.name.as_str()).collect::<Vec<_>>();
                let data = serde_json::json!({ "segmentation": name.as_str(), "values": values });
                let known = known.map(Arc::as_ref);
                let event = ("segmentation.defined", data);
                self.store_definition(&Arc::new(output), known, origin, event).await?;
            }
            definition
        };
        self.ensure_segments(&definition).await?;
        self.ensure_population(object).await?;
        self.segmentation(name.as_str()).ok_or(Error::UnknownSegmentation { name: name.to_string() })
    }

    fn validate(&self, definition: &SegmentationDefinition) -> Result<()> {
        let values_max = self.config.values_max.min(VALUES_MAX);
        let checked = match definition.values.len() {
            0 => Err(format!("0 values, expected 1 to {values_max}")),
            count if count > values_max => Err(format!("{count} values, expected 1 to {values_max}")),
            _ => Ok(()),
        };
        let names = definition.values.iter().map(|value| value.name.as_str());
        let texts = definition.values.iter().map(|value| (&value.label, &value.description));
        let texts = texts.chain([(&definition.label, &definition.description)]);
        let checked = checked.and_then(|()| check_names("value", names)).and_then(|()| check_texts(texts));
        checked.map_err(|reason| Error::InvalidSegmentation { name: definition.name.to_string(), reason })
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
            Source::Filter { .. } => "filter",
            Source::Manual => "manual",
        };
        let writes = definition.values.iter().map(|value| {
            let called = [&value.label.en, &value.label.zh_cn].into_iter().find(|label| !label.is_empty());
            let label = called.unwrap_or(&value.name);
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
    let is_filter = |source: &Source| matches!(source, Source::Filter { .. });
    if known.source != new.source && !(is_filter(&known.source) && is_filter(&new.source)) {
        return wrong("its source cannot change");
    }
    let mut values = known.values.clone();
    for value in new.values {
        match values.iter_mut().find(|known| known.name == value.name) {
            Some(known) => *known = value,
            None => values.push(value),
        }
    }
    Ok(SegmentationDefinition { values, aliases: merged_aliases(&known.aliases, new.aliases), ..new })
}
