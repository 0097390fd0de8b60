//! What a run reads goes into its capsule first, and the run reads it from there: so fitting and evaluating see the same rows, and a
//! replay sees them again. Where a capsule cannot be had, the run reads the live rows and says why it has none.

use trellis_model::{Batch, RecordId, Text};
use trellis_plugin_host::CallContext;

use super::source::{NamedSources, Source};
use crate::{
    Result,
    capsule::{
        self, At, CapsuleWriter, Capsules, End, Header, Inputs, Kind, StoredBatch, StoredDataset, Unusable,
    },
};

/// The rows of a run, and the capsule that is being made of it.
pub(crate) struct Gathered {
    pub(crate) source: Box<dyn Source>,
    /// The further datasets, by name.
    pub(crate) datasets: NamedSources,
    pub(crate) capsule: Making,
    /// Batches that the capsule holds; 0 where there is none.
    pub(crate) batches: u64,
}

/// A capsule that is being made, or why there is none.
#[derive(Debug)]
pub(crate) enum Making {
    Writing(Box<CapsuleWriter>),
    Not(Text),
}

/// What became of a capsule: its digest and size, or why there is none.
pub(crate) type Made = Result<([u8; 32], u64), Text>;

/// Where a capsule goes, and how large it may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) capsules: &'a Capsules,
    pub(crate) bytes_max: u64,
}

/// What is read live, all of it opened.
pub(crate) struct Live {
    pub(crate) rows: Box<dyn Source>,
    /// The further datasets, by name; none where nothing is learned, since nothing else reads them.
    pub(crate) datasets: NamedSources,
}

impl Live {
    pub(crate) fn rows(rows: impl Source + 'static) -> Self {
        Self { rows: Box::new(rows), datasets: Vec::new() }
    }
}

/// Reads all rows of `live` into a new capsule, the further datasets first. `check` is asked between batches and ends it with its error.
pub(crate) fn gather(
    place: Place<'_>,
    header: &Header,
    mut live: Live,
    check: impl Fn() -> Result<()>,
) -> Result<Gathered> {
    let begun = place.capsules.create(header, place.bytes_max);
    let filled = begun.map(|writer| fill(writer, &mut live, check));
    match filled {
        Ok(Ok(Ok((writer, recorded, batches)))) => {
            let Live { rows: source, datasets } = recorded;
            Ok(Gathered { source, datasets, capsule: Making::Writing(Box::new(writer)), batches })
        }
        Ok(Err(error)) => Err(error),
        Err(why) | Ok(Ok(Err(why))) => {
            live.rows.rewind()?;
            let Live { rows: source, datasets } = live;
            Ok(Gathered { source, datasets, capsule: Making::not(&why), batches: 0 })
        }
    }
}

fn fill(
    mut writer: CapsuleWriter,
    live: &mut Live,
    check: impl Fn() -> Result<()>,
) -> Result<Result<(CapsuleWriter, Live, u64), Unusable>> {
    let mut listed = Vec::with_capacity(live.datasets.len());
    for (number, (name, dataset)) in live.datasets.iter_mut().enumerate() {
        let number = number as u64;
        let written = copy(&mut writer, dataset.as_mut(), &check, |_| (Kind::Dataset, (number, 0)))?;
        match written {
            Ok((rows, _)) => listed.push(StoredDataset::V1 { name: name.clone(), rows }),
            Err(why) => return Ok(Err(why)),
        }
    }
    if !listed.is_empty() {
        let written = capsule::encode_value(Kind::Datasets, &listed).and_then(|frame| writer.write(&frame));
        if let Err(why) = written {
            return Ok(Err(why));
        }
    }
    let copied = copy(&mut writer, live.rows.as_mut(), &check, |batch| {
        let bounds = (batch.ordinals.first().copied(), batch.ordinals.last().copied());
        (Kind::Inputs, (bounds.0.unwrap_or(0), bounds.1.unwrap_or(0)))
    })?;
    let (rows, batches) = match copied {
        Ok(copied) => copied,
        Err(why) => return Ok(Err(why)),
    };
    let recorded = writer.reader().and_then(|mut reader| {
        let datasets = boxed(reader.datasets()?);
        Ok(Live { rows: Box::new(reader.into_inputs(rows)), datasets })
    });
    Ok(recorded.map(|recorded| (writer, recorded, batches)))
}

/// Writes all batches of a source; returns how many rows and batches that were.
fn copy(
    writer: &mut CapsuleWriter,
    source: &mut dyn Source,
    check: impl Fn() -> Result<()>,
    frame: impl Fn(&Batch) -> (Kind, (u64, u64)),
) -> Result<Result<(u64, u64), Unusable>> {
    let (mut rows, mut batches) = (0, 0);
    while let Some(batch) = source.next()? {
        check()?;
        (rows, batches) = (rows + u64::from(batch.rows), batches + 1);
        let (kind, ordinals) = frame(&batch);
        let bytes = crate::stored::encode(&StoredBatch::from(&batch));
        let written = capsule::encode(kind, ordinals, &bytes).and_then(|frame| writer.write(&frame));
        if let Err(why) = written {
            return Ok(Err(why));
        }
    }
    Ok(Ok((rows, batches)))
}

/// The further datasets that a capsule holds.
pub(crate) fn boxed(datasets: Vec<(String, Inputs)>) -> NamedSources {
    datasets.into_iter().map(|(name, inputs)| (name, Box::new(inputs) as Box<dyn Source>)).collect()
}

impl Making {
    fn not(why: &Unusable) -> Self {
        tracing::warn!("a run goes on without keeping its inputs: {}", why.0.en);
        Self::Not(why.0.clone())
    }

    pub(crate) fn is_writing(&self) -> bool {
        matches!(self, Self::Writing(_))
    }

    /// Appends the results of a batch, which outlive this process from then on.
    pub(crate) fn results(&mut self, frame: Option<&Result<Vec<u8>, Unusable>>) {
        let (Self::Writing(writer), Some(frame)) = (&mut *self, frame) else { return };
        let written = frame.as_ref().map_err(Clone::clone);
        let written = written.and_then(|frame| writer.write(frame)).and_then(|()| writer.flush());
        if let Err(why) = written {
            *self = Self::not(&why);
        }
    }

    /// Ends the capsule; durable when it returns.
    pub(crate) fn finish(self, end: &End) -> Made {
        match self {
            Self::Writing(writer) => writer.finish(end).map_err(|why| why.0),
            Self::Not(why) => Err(why),
        }
    }
}

impl From<&CallContext> for At {
    fn from(at: &CallContext) -> Self {
        Self {
            as_of_day: at.as_of_days,
            now_ms: at.now_ms,
            time_zone: at.time_zone.clone(),
            base_currency: at.base_currency.clone(),
            seed: at.seed,
        }
    }
}

impl At {
    /// What the calls of the run were told.
    pub(crate) fn context(&self, run: RecordId) -> CallContext {
        CallContext {
            run_id: run.to_string(),
            as_of_days: self.as_of_day,
            now_ms: self.now_ms,
            time_zone: self.time_zone.clone(),
            base_currency: self.base_currency.clone(),
            seed: self.seed,
        }
    }
}
