use std::path::{Path, PathBuf};

use trellis_storage::Result;

use super::{Base, check_end, start_of, state_refusal};
use crate::checkpoint::Checkpoint;
use crate::files::damaged;
use crate::frame::Place;
use crate::journal::{self, Segments};
use crate::report::StartReport;
use crate::snapshot::{self, Trailer};
use crate::state::State;
use crate::sums::Sums;

/// From what sled can be built: read and found good, together with the journal that follows.
#[derive(Debug)]
pub(super) enum Source {
    Snapshot {
        path: PathBuf,
        epoch: trellis_storage::Epoch,
        trailer: Trailer,
    },
    /// The journal from its very beginning.
    Journal {
        place: Place,
    },
}

impl Source {
    /// Finds the best source, without changing anything.
    ///
    /// # Errors
    /// Names everything that stands in the way.
    pub(super) fn find(
        dir: &Path,
        segments: &Segments,
        checkpoint: Option<&Checkpoint>,
        report: &mut StartReport,
    ) -> Result<Self> {
        let first = segments.segments.first().ok_or_else(|| damaged("the journal has no segment"))?.header;
        let mut source = None;
        for path in snapshot::paths(dir)?.into_iter().rev() {
            match snapshot::read(&path, first.epoch, &mut |_, _| Ok(())) {
                Ok(trailer) if trailer.place.segment >= first.segment => {
                    source = Some(Self::Snapshot { path, epoch: first.epoch, trailer });
                    break;
                }
                Ok(trailer) => report.notes.push(format!(
                    "snapshot `{}` is of no use: journal segment {} is missing",
                    path.display(),
                    trailer.place.segment
                )),
                Err(error) => report.notes.push(error.to_string()),
            }
        }
        if source.is_none() && first.first_position == 1 {
            source = Some(Self::Journal { place: start_of(first.segment) });
        }
        let Some(source) = source else {
            let reason = report.rebuilt.clone().unwrap_or_default();
            let notes =
                if report.notes.is_empty() { "there is no snapshot".into() } else { report.notes.join("; ") };
            return Err(damaged(format!(
                "sled cannot be used ({reason}) and cannot be built again: {notes}, and the journal begins with position {}",
                first.first_position
            )));
        };
        let (place, position) = source.start();
        let replayed = journal::replay(&segments.segments, place, position + 1, &mut |_, _| Ok(()))?;
        check_end(&replayed, checkpoint)?;
        Ok(source)
    }

    pub(super) fn snapshot(&self) -> Option<&Path> {
        match self {
            Self::Snapshot { path, .. } => Some(path),
            Self::Journal { .. } => None,
        }
    }

    /// Where the journal goes on, and the position before.
    fn start(&self) -> (Place, u64) {
        match self {
            Self::Snapshot { trailer, .. } => (trailer.place, trailer.from),
            Self::Journal { place } => (*place, 0),
        }
    }

    /// Puts the snapshot's rows, if any, into the empty `state`.
    pub(super) fn load(self, state: State) -> Result<Base> {
        let (place, position) = self.start();
        let (sums, sums_position) = match self {
            Self::Journal { .. } => (Sums::default(), 0),
            Self::Snapshot { path, epoch, trailer } => {
                snapshot::read(&path, epoch, &mut |key, stored| {
                    state.load(key, stored).map_err(|fault| state_refusal(&fault))
                })?;
                (trailer.sums, trailer.to)
            }
        };
        Ok(Base { state, position, place, sums, sums_position })
    }
}
