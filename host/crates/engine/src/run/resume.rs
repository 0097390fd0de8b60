//! Going on with a run that a stop of the server interrupted: what it had read, and the results of the batches that it had evaluated, stand
//! in the capsule that it was making. So it does the rest, sees the same data and the same time, and comes to the same bytes as a run that
//! nothing interrupted.

use serde::{Deserialize, Serialize};
use trellis_model::Text;
use trellis_plugin_host::RowError;

use super::{
    evaluate::Done,
    gather::{self, Making},
    results::Layout,
    seen::Withheld,
    source::{NamedSources, Source},
};
use crate::{
    Error, Result,
    capsule::{self, CapsuleReader, Capsules, Kind, Unusable, Wanted},
    jobs::{Notes, Running},
    stored,
};

/// The note of a run.
const SLOT: u32 = 0;

/// What a run notes once it has read all of its rows. `withheld` names what its plugin was not shown of them.
#[derive(Debug, Serialize, Deserialize)]
enum StoredNote {
    V1 { batches: u64, rows: u64, withheld: Vec<String> },
}

/// A row that failed, as a capsule holds it: row, code, message in both languages.
type StoredFailure = (u32, String, String, String);

/// The rows of a run, and what an earlier attempt had done with them.
pub(super) struct Begun {
    pub(super) source: Box<dyn Source>,
    /// The further datasets, by name.
    pub(super) datasets: NamedSources,
    pub(super) capsule: Making,
    pub(super) earlier: Option<Earlier>,
    /// The store's position when the rows were opened.
    pub(super) position: u64,
    /// The log entry up to which changes are in the rows.
    pub(super) log_number: u64,
}

/// The results that an earlier attempt of a run had.
pub(super) struct Earlier {
    reader: CapsuleReader,
    pub(super) batches: u64,
}

/// Notes that all rows of a run are in its capsule, which is kept for another attempt from then on.
pub(super) fn note(
    job: &Running<'_>,
    records: &trellis_records::Records,
    capsule: &mut Making,
    (batches, rows): (u64, u64),
    withheld: &Withheld,
) -> Result<()> {
    let Making::Writing(writer) = capsule else { return Ok(()) };
    let note = stored::encode(&StoredNote::V1 { batches, rows, withheld: withheld.names() });
    job.wait(async {
        let set = Notes(job.id()).only(records.store().as_ref(), SLOT, note).await?;
        records.commit(set, None).await?;
        Ok::<_, Error>(())
    })?;
    writer.keep_unfinished();
    Ok(())
}

/// What an earlier attempt of a run left, with what its calls were told; `None` where it left nothing that can be used. Rows in which there is
/// what is `withheld` by now cannot: results of some without and some with it would be of two kinds, so the run begins anew.
pub(super) fn take_up(
    job: &Running<'_>,
    records: &trellis_records::Records,
    (capsules, bytes_max): (&Capsules, u64),
    (plugin_digest, config): ([u8; 32], &str),
    withheld: &Withheld,
) -> Result<Option<(Begun, capsule::At)>> {
    let notes = job.wait(Notes(job.id()).all(records.store().as_ref()))?;
    let Some(note) = notes.first() else { return Ok(None) };
    let StoredNote::V1 { batches, rows, withheld: before } =
        stored::decode(note, || format!("note of run {}", job.id()))?;
    if withheld.names().iter().any(|name| !before.contains(name)) {
        capsules.forget_unfinished(job.id());
        return Ok(None);
    }
    let wanted = Wanted {
        epoch: records.store().epoch().0,
        run: *job.id().as_bytes(),
        plugin_digest,
        config,
        batches,
    };
    let Some(unfinished) = capsules.take_up(&wanted, bytes_max) else { return Ok(None) };
    let mut writer = unfinished.writer;
    let mut recorded = writer.reader().map_err(damaged)?;
    let datasets = gather::boxed(recorded.datasets().map_err(damaged)?);
    let inputs = recorded.into_inputs(rows);
    let header = unfinished.header;
    tracing::info!(run = %job.id(), of = batches, "a run goes on after {} batches", unfinished.evaluated);
    let begun = Begun {
        source: Box::new(inputs),
        datasets,
        capsule: Making::Writing(Box::new(writer)),
        earlier: Some(Earlier { reader: unfinished.reader, batches: unfinished.evaluated }),
        position: header.position,
        log_number: header.log_number,
    };
    Ok(Some((begun, header.at)))
}

impl Earlier {
    /// Gives the results of each batch that was evaluated, in order.
    pub(super) fn replay(
        mut self,
        layout: &Layout,
        mut append: impl FnMut(Done) -> Result<()>,
    ) -> Result<()> {
        let (mut failed, mut left) = (Vec::new(), self.batches);
        while left > 0 {
            let frame = self.reader.next_of([Kind::Failed, Kind::Results]).map_err(damaged)?;
            let cut = || Error::Damaged { what: "results of an interrupted run are cut short".to_owned() };
            let frame = frame.ok_or_else(cut)?;
            if frame.kind == Kind::Failed {
                failed = failures(&frame)?;
                continue;
            }
            let (ordinals, mut evaluated) = layout.decode(&frame.bytes).ok_or_else(cut)?;
            evaluated.failed = std::mem::take(&mut failed);
            append(Done { ordinals, evaluated, results: frame.bytes, frame: None })?;
            left -= 1;
        }
        Ok(())
    }
}

/// The frame of the rows of a batch that failed; nothing where none did.
pub(super) fn failed_frame(failed: &[RowError]) -> Result<Vec<u8>, Unusable> {
    if failed.is_empty() {
        return Ok(Vec::new());
    }
    let stored = |row: &RowError| -> StoredFailure {
        (row.row, row.code.clone(), row.message.en.clone(), row.message.zh_cn.clone())
    };
    capsule::encode_value(Kind::Failed, &failed.iter().map(stored).collect::<Vec<_>>())
}

fn failures(frame: &capsule::Frame) -> Result<Vec<RowError>> {
    let stored: Vec<StoredFailure> = capsule::decode_value(frame).map_err(damaged)?;
    let row = |(row, code, en, zh_cn)| RowError { row, code, message: Text { en, zh_cn } };
    Ok(stored.into_iter().map(row).collect())
}

fn damaged(why: Unusable) -> Error {
    Error::Damaged { what: why.0.en }
}
