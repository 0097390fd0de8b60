//! The undo of a plugin run: besides its actions, the results that it made go back to those before.

use serde_json::{Value as Json, json};
use trellis_columns::{AsOf, FlipRequest, GenerationId, Origin};
use trellis_model::{PluginId, RecordId, SegmentationName};
use trellis_records::{Caller, UndoTarget};

use crate::{Result, core::Core, jobs::Running, run};

/// A result of a plugin run that is to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultUndo {
    /// The segmentation or score.
    pub name: SegmentationName,
    /// What becomes of it.
    pub state: ResultUndoState,
}

/// What becomes of a result of a plugin run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultUndoState {
    /// The result before it becomes current again, and stays as it was then until the next run.
    Can,
    /// An earlier result is current already.
    Done,
    /// A later run made another result: undo that one first.
    Superseded,
    /// There is no earlier result that is kept.
    NothingEarlier,
}

impl ResultUndoState {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Can => "can",
            Self::Done => "done",
            Self::Superseded => "superseded",
            Self::NothingEarlier => "nothing_earlier",
        }
    }
}

/// The results of the run that an undo is about, if it is about one.
pub(super) async fn preview(core: &Core, target: &UndoTarget) -> Result<Vec<ResultUndo>> {
    let UndoTarget::Job(run) = target else { return Ok(Vec::new()) };
    Ok(results_of(core, *run).await?.map(|(_, results)| results).unwrap_or_default())
}

async fn results_of(core: &Core, run: RecordId) -> Result<Option<(PluginId, Vec<ResultUndo>)>> {
    for plugin in core.registry.list() {
        let Some((generation, names)) = run::results_of(core, &plugin.id, run).await? else { continue };
        let result = |name: SegmentationName| {
            let state = state(core, &name, generation);
            ResultUndo { name, state }
        };
        return Ok(Some((plugin.id, names.into_iter().map(result).collect())));
    }
    Ok(None)
}

fn state(core: &Core, name: &SegmentationName, generation: GenerationId) -> ResultUndoState {
    let segmentation = core.columns.segmentation(name.as_str());
    let score = core.columns.score(name.as_str());
    let current = segmentation.as_ref().map(|info| (info.current.as_ref(), &info.kept));
    let current = current.or_else(|| score.as_ref().map(|info| (info.current.as_ref(), &info.kept)));
    let Some((Some(current), kept)) = current else { return ResultUndoState::NothingEarlier };
    match current.generation.cmp(&generation) {
        std::cmp::Ordering::Less => ResultUndoState::Done,
        std::cmp::Ordering::Greater => ResultUndoState::Superseded,
        std::cmp::Ordering::Equal if kept.iter().any(|kept| *kept < generation) => ResultUndoState::Can,
        std::cmp::Ordering::Equal => ResultUndoState::NothingEarlier,
    }
}

/// Makes the results before a run current again, where it made the current ones; says what became of each. Called again after a stop of the
/// server.
pub(super) fn roll_back(
    core: &Core,
    job: &Running<'_>,
    caller: &Caller,
    target: &UndoTarget,
) -> Result<Json> {
    let UndoTarget::Job(run) = target else { return Ok(Json::Null) };
    let Some((plugin, results)) = job.wait(results_of(core, *run))? else { return Ok(Json::Null) };
    let names: Vec<SegmentationName> = results
        .iter()
        .filter(|result| result.state == ResultUndoState::Can)
        .map(|result| result.name.clone())
        .collect();
    let origin = Origin { actor: caller.actor.clone(), cause: caller.cause.clone() };
    if !names.is_empty() {
        let request = FlipRequest {
            run: job.id(),
            baseline: true,
            as_of: AsOf::Now,
            data: json!({ "plugin": plugin.as_str(), "undone_run": run.to_string() }),
            origin: origin.clone(),
        };
        job.wait(core.columns.roll_back(&names, request))?;
    }
    for generation in core.columns.pending_transitions() {
        job.wait(core.columns.transitions(generation, &origin))?;
    }
    if results.iter().any(|result| matches!(result.state, ResultUndoState::Can | ResultUndoState::Done)) {
        // Nobody follows an older run: its results stay as they were until the plugin is run again.
        job.wait(core.columns.set_stale(&plugin))?;
    }
    let result = |result: &ResultUndo| {
        let state = if result.state == ResultUndoState::Can { ResultUndoState::Done } else { result.state };
        json!({ "name": result.name.as_str(), "state": state.as_str() })
    };
    Ok(results.iter().map(result).collect())
}
