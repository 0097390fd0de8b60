use std::sync::Arc;

use trellis_columns::SegmentationInfo;
use trellis_model::{SegmentationName, Text};
use trellis_records::Caller;

use super::{FilterSegmentation, SegmentationUse};
use crate::{Engine, Result};

impl Engine {
    /// Makes a segmentation whose members are whoever matches a filter, now and from now on.
    ///
    /// # Errors
    /// [`Error::InvalidSegmentation`] names what cannot be, [`Error::Columns`] where the name is taken.
    pub async fn segmentation_create(
        &self,
        caller: &Caller,
        name: &str,
        wanted: FilterSegmentation,
    ) -> Result<Arc<SegmentationInfo>> {
        super::create(&self.core, caller, name, wanted).await
    }

    /// Gives a segmentation that a filter makes another filter, label or description.
    ///
    /// # Errors
    /// As [`Engine::segmentation_create`]; [`Error::Columns`] where there is none of this name.
    pub async fn segmentation_replace(
        &self,
        caller: &Caller,
        name: &str,
        wanted: FilterSegmentation,
    ) -> Result<Arc<SegmentationInfo>> {
        super::replace(&self.core, caller, name, wanted).await
    }

    /// Removes a segmentation that a filter makes.
    ///
    /// # Errors
    /// [`Error::SegmentationInUse`]; [`Error::InvalidSegmentation`] for another kind, [`Error::Columns`] where there is none of this name.
    pub async fn segmentation_remove(&self, caller: &Caller, name: &str) -> Result<()> {
        super::remove(&self.core, caller, name).await
    }

    /// What names a segmentation: filters of others, views, campaigns, rules, dashboards.
    ///
    /// # Errors
    /// Those of reading records.
    pub async fn segmentation_uses(&self, name: &SegmentationName) -> Result<Vec<SegmentationUse>> {
        super::uses(&self.core, name).await
    }

    /// Why the filter that makes a segmentation cannot be asked any more; `None` where it can, or no filter makes it.
    pub fn segmentation_problem(&self, info: &SegmentationInfo) -> Option<Text> {
        super::problem(&self.core, info)
    }
}
