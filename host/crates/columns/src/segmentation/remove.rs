use serde_json::json;
use trellis_model::{Filter, ObjectName, Op, SegmentationName};
use trellis_records::{Caller, Write};

use crate::keys::OutputId;
use crate::{Columns, Error, Origin, Result, Source};

impl Columns {
    /// Removes a segmentation that a filter makes, with its results and its `segment` records. It is no transition of anybody. Its name is
    /// free again.
    ///
    /// # Errors
    /// [`Error::UnknownSegmentation`]; [`Error::InvalidSegmentation`] for one that is not made by a filter; those of the store.
    pub async fn remove_segmentation(&self, caller: &Caller, name: &SegmentationName) -> Result<()> {
        let changing = loop {
            let changing = self.results.change.lock().await;
            let (state, id) = (self.results.state(), self.removable(name)?);
            let pending = state.jobs.iter().find(|(_, job)| job.stored.concerns(id));
            let Some((pending, _)) = pending else { break changing };
            drop(changing);
            self.transitions(*pending, &Origin::system("columns")).await?;
        };
        let (state, id) = (self.results.state(), self.removable(name)?);
        let Some(output) = state.outputs.get(&id) else { return Ok(()) };
        let origin = Origin { actor: caller.actor.clone(), cause: caller.cause.clone() };
        let data = json!({ "segmentation": name.as_str() });
        self.delete_definition(output, &origin, ("segmentation.removed", data)).await?;
        self.prune().await?;
        drop(changing);
        self.remove_segments(name).await
    }

    fn removable(&self, name: &SegmentationName) -> Result<OutputId> {
        let unknown = || Error::UnknownSegmentation { name: name.to_string() };
        let current = self.current_segmentation(name.as_str()).ok_or_else(unknown)?;
        match current.segmentation.definition.source {
            Source::Filter { .. } => Ok(current.output.id),
            _ => Err(Error::InvalidSegmentation {
                name: name.to_string(),
                reason: "only one that is made by a filter can be removed".to_owned(),
            }),
        }
    }

    /// Deletes the `segment` records.
    async fn remove_segments(&self, name: &SegmentationName) -> Result<()> {
        let segment = ObjectName::new("segment").expect("follows the rules of names");
        let caller = Caller::system("columns");
        let filter =
            Filter::compare("segmentation", Op::Eq, name.as_str()).map_err(trellis_records::Error::from)?;
        let ids = self.records.matching_ids(&caller.scope, &segment, &filter, self.config.values_max).await?;
        let delete = |id| Write::Delete { object: segment.clone(), id, expected_version: None };
        for written in self.records.write_batch(&caller, ids.into_iter().map(delete).collect()).await? {
            written?;
        }
        Ok(())
    }
}
