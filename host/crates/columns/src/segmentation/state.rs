use std::collections::HashMap;
use std::sync::Arc;

use trellis_model::ObjectId;
use trellis_storage::Position;

use super::stored::Pointer;
use super::types::{CurrentResult, SegmentationDefinition, SegmentationInfo, Source, ValueCount};
use crate::generation::Loaded;
use crate::keys::SegmentationId;
use crate::population::Population;
use crate::{Columns, Error, Result};

/// A segmentation with its current codes. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Segmentation {
    pub(crate) id: SegmentationId,
    pub(crate) definition: Arc<SegmentationDefinition>,
    pub(crate) object: ObjectId,
    pub(crate) pointer: Pointer,
    pub(crate) pointer_position: Option<Position>,
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) damaged: Option<String>,
    /// Follows from the definition: see [`Segmentation::code`].
    pub(crate) codes: Arc<HashMap<String, u16>>,
}

impl Segmentation {
    pub(crate) fn new(id: SegmentationId, definition: SegmentationDefinition, object: ObjectId) -> Self {
        Self {
            id,
            codes: Arc::new(codes(&definition)),
            definition: Arc::new(definition),
            object,
            pointer: Pointer::default(),
            pointer_position: None,
            loaded: Arc::default(),
            damaged: None,
        }
    }

    /// The same segmentation by another definition, which has all values of this one in the same places.
    pub(crate) fn redefined(&self, definition: SegmentationDefinition) -> Self {
        let codes = Arc::new(codes(&definition));
        Self { definition: Arc::new(definition), codes, ..self.clone() }
    }

    /// Its name and aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let aliases = self.definition.aliases.iter().map(|alias| alias.as_str());
        std::iter::once(self.definition.name.as_str()).chain(aliases)
    }

    /// The code of a value.
    pub(crate) fn code(&self, value: &str) -> Option<u16> {
        self.codes.get(value).copied()
    }

    /// The code of a value, or of null.
    pub(crate) fn code_of(&self, value: Option<&str>) -> Result<u16> {
        let Some(value) = value else { return Ok(0) };
        self.code(value).ok_or_else(|| Error::UnknownValue {
            segmentation: self.definition.name.to_string(),
            value: value.to_owned(),
        })
    }

    /// The value of a code; `None` is null.
    pub(crate) fn value(&self, code: u16) -> Option<&str> {
        let place = usize::from(code).checked_sub(1)?;
        self.definition.values.get(place).map(|value| value.name.as_str())
    }

    /// How many customers that are not deleted have a code.
    pub(crate) fn count(&self, code: u16, population: &Population) -> u64 {
        let all = self.loaded.counts.get(usize::from(code)).copied().unwrap_or(0);
        let gone = population.deleted().iter().filter(|ordinal| self.loaded.column.get(**ordinal) == code);
        all.saturating_sub(gone.count() as u64)
    }

    pub(crate) fn info(&self, population: &Population) -> SegmentationInfo {
        let mut counts = self.loaded.counts.clone();
        counts.resize(self.definition.values.len() + 1, 0);
        for ordinal in population.deleted() {
            let code = self.loaded.column.get(*ordinal);
            if let Some(count) = counts.get_mut(usize::from(code)) {
                *count = count.saturating_sub(1);
            }
        }
        let values = self.definition.values.iter().zip(counts.iter().skip(1));
        let counts: Vec<ValueCount> =
            values.map(|(value, count)| ValueCount { value: value.name.clone(), count: *count }).collect();
        let members: u64 = counts.iter().map(|count| count.count).sum();
        let current = self.pointer.current.and_then(|current| self.pointer.result(current));
        SegmentationInfo {
            definition: SegmentationDefinition::clone(&self.definition),
            object: self.object,
            current: current.map(|result| CurrentResult {
                generation: result.generation,
                run: result.run(),
                as_of: result.as_of(),
                flipped_at_ms: result.flipped_at_ms,
            }),
            counts,
            null_count: population.live().saturating_sub(members),
            kept: self.pointer.results.iter().rev().map(|result| result.generation).collect(),
            stale: self.pointer.stale,
            damaged: self.damaged.clone(),
        }
    }

    /// Whether a plugin's output is what it holds.
    pub(crate) fn is_of(&self, plugin: &trellis_model::PluginId) -> bool {
        matches!(&self.definition.source, Source::Plugin { plugin: of, .. } if of == plugin)
    }
}

fn codes(definition: &SegmentationDefinition) -> HashMap<String, u16> {
    definition.values.iter().zip(1..).map(|(value, code)| (value.name.clone(), code)).collect()
}

impl Columns {
    /// All segmentations in the order in which they were defined, with the current counts.
    pub fn segmentations(&self) -> Vec<Arc<SegmentationInfo>> {
        self.results.state().segmentations.values().map(|found| self.info(found)).collect()
    }

    /// The segmentation of a name or alias.
    pub fn segmentation(&self, name: &str) -> Option<Arc<SegmentationInfo>> {
        self.results.state().get(name).map(|found| self.info(found))
    }

    pub(crate) fn info(&self, segmentation: &Segmentation) -> Arc<SegmentationInfo> {
        let population = self.features.population(segmentation.object).unwrap_or_default();
        Arc::new(segmentation.info(&population))
    }
}
