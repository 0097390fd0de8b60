//! How far the members of a segmentation follow the log, as the store has it.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value as Json;
use trellis_columns::GenerationId;
use trellis_model::SegmentationName;
use trellis_storage::WriteSet;

use crate::{Result, core::Core, keys, stored};

/// What the members are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) generation: GenerationId,
    /// Of the filter: another one has other members.
    pub(super) filter: u64,
    /// Changes up to this entry are in them.
    pub(super) log_number: u64,
    /// Days since 1970-01-01.
    pub(super) day: i32,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum StoredPlace {
    V1 { generation: u64, filter: u64, log_number: u64, day: i32 },
}

impl Place {
    /// Where the members of a segmentation stood when this was written down last.
    pub(super) async fn load(core: &Core, name: &SegmentationName) -> Result<Option<Self>> {
        let Some(found) = core.records.store().get(&keys::segment_place(name)).await? else {
            return Ok(None);
        };
        let StoredPlace::V1 { generation, filter, log_number, day } =
            stored::decode(&found.value, || format!("place of segmentation `{name}` in the log"))?;
        Ok(Some(Self { generation: GenerationId(generation), filter, log_number, day }))
    }

    pub(super) fn put(&self, set: &mut WriteSet, name: &SegmentationName) {
        let Self { generation, filter, log_number, day } = *self;
        let place = StoredPlace::V1 { generation: generation.0, filter, log_number, day };
        set.put(keys::segment_place(name), stored::encode(&place));
    }
}

/// A number that is another, as good as certainly, for another filter.
pub(super) fn digest(filter: &Json) -> u64 {
    let mut hasher = DefaultHasher::new();
    filter.to_string().hash(&mut hasher);
    hasher.finish()
}
