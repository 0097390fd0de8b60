//! The datasets of a call whose inputs nobody keeps: a question, a fit. Each is copied to disk when it is first opened, so that every pass of it
//! gives the same rows, and what is never opened costs nothing. The copies go with the call.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use trellis_columns::AsOf;
use trellis_model::{Batch, PluginId, Text, bilingual};
use trellis_plugin_host::{CallContext, ColumnDescription, Plugin};

use super::{
    datasets::Spec,
    reading::Reading,
    source::{Opens, Source},
    words::{self, Words},
};
use crate::{
    Error, Result,
    capsule::{self, CapsuleWriter, Header, Inputs, Kind, StoredBatch, Unusable},
    core::Core,
    jobs::Running,
};

/// What a call reads besides rows.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) core: &'a Core,
    pub(crate) job: &'a Running<'a>,
    pub(crate) plugin: &'a Plugin,
    /// JSON.
    pub(crate) config: &'a str,
    pub(crate) as_of: AsOf,
    pub(crate) at: &'a CallContext,
}

/// The datasets that a call may open, by name.
pub(crate) struct Copied<'a> {
    call: Call<'a>,
    specs: Vec<(String, Spec)>,
    /// The one that the call is made with.
    own: Option<String>,
    /// What their columns are called.
    words: Words,
    pub(crate) reading: Reading,
    /// The log entry up to which changes were in the data when the call began.
    pub(crate) log_number: u64,
    copies: Mutex<Copies>,
}

/// What was copied so far.
struct Copies {
    writer: CapsuleWriter,
    bytes: u64,
    datasets: BTreeMap<String, Inputs>,
    /// The newest log entry when the last copy was complete.
    log_until: u64,
}

impl Call<'_> {
    /// What names the call in a capsule.
    pub(crate) fn header(&self, log_number: u64) -> Header {
        let store = self.core.records.store();
        Header {
            epoch: store.epoch().0,
            run: *self.job.id().as_bytes(),
            plugin: self.plugin.id().to_string(),
            version: self.plugin.version().to_string(),
            plugin_digest: *self.plugin.digest().as_bytes(),
            config: self.config.to_owned(),
            at: self.at.into(),
            log_number,
            position: store.head().0,
            campaign: Vec::new(),
        }
    }
}

impl<'a> Copied<'a> {
    /// Begins; opens nothing yet. `own` names the dataset that the call is made with.
    pub(crate) fn begin(call: Call<'a>, specs: Vec<(String, Spec)>, own: Option<String>) -> Result<Self> {
        let words =
            words::of(&call.core.records.schema(), &call.core.columns, call.plugin.manifest(), call.config)?;
        let log_number = call.core.records.log_head();
        // Its size is counted here, where the limit is another one.
        let writer = call.core.capsules.create(&call.header(log_number), u64::MAX);
        let writer = writer.map_err(|why| not_copied(call.plugin.id(), own.as_deref(), why.0))?;
        let copies = Copies { writer, bytes: 0, datasets: BTreeMap::new(), log_until: log_number };
        let reading = Reading::new(call.job);
        Ok(Self { call, specs, own, words, reading, log_number, copies: Mutex::new(copies) })
    }

    /// The newest log entry when what was opened last had been copied: what came after [`Self::log_number`] up to it may be in a part of
    /// the rows only.
    pub(crate) fn log_until(&self) -> u64 {
        self.copies.lock().log_until
    }

    /// Copies every dataset now, one right after the other.
    pub(crate) fn copy_all(&self) -> Result<()> {
        self.specs.iter().try_for_each(|(name, spec)| self.copy(name, spec).map(drop))
    }

    /// A dataset as it was copied when it was first opened.
    fn copy(&self, name: &str, spec: &Spec) -> Result<Inputs> {
        let mut copies = self.copies.lock();
        if let Some(copy) = copies.datasets.get(name) {
            return copy.again().map_err(|why| self.failed(name, why));
        }
        let Call { core, job, as_of, .. } = self.call;
        job.check()?;
        let rows = core.config.batch_rows_max as usize;
        let mut live = job.wait(async {
            core.columns.catch_up().await?;
            let opened = spec.open_while(&core.columns, as_of, rows, job.go_on()).await;
            opened.map_err(|error| Error::from(error.in_dataset(name)))
        })?;
        self.reading.begin(live.rows());
        let copy = self.write(&mut copies, name, live.as_mut())?;
        copies.log_until = core.records.log_head();
        let again = copy.again().map_err(|why| self.failed(name, why))?;
        copies.datasets.insert(name.to_owned(), copy);
        Ok(again)
    }

    fn write(&self, copies: &mut Copies, name: &str, live: &mut dyn Source) -> Result<Inputs> {
        let failed = |why| self.failed(name, why);
        let bytes_max = self.call.core.config.analysis_spool_bytes_max;
        let (number, mut rows) = (copies.datasets.len() as u64, 0);
        while let Some(batch) = live.next()? {
            self.reading.copied(batch.rows)?;
            rows += u64::from(batch.rows);
            let frame = frame(number, &batch).map_err(failed)?;
            copies.bytes += frame.len() as u64;
            if copies.bytes > bytes_max {
                return Err(not_copied(self.call.plugin.id(), Some(name), too_large(bytes_max)));
            }
            copies.writer.write(&frame).map_err(failed)?;
        }
        copies.writer.reader().map(|reader| reader.into_dataset(number, rows)).map_err(failed)
    }

    fn failed(&self, name: &str, why: Unusable) -> Error {
        not_copied(self.call.plugin.id(), Some(name), why.0)
    }
}

impl Opens for Copied<'_> {
    fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn Source>>> {
        let Some((name, spec)) = self.specs.iter().find(|(known, _)| known == name) else { return Ok(None) };
        let copy = self.copy(name, spec)?;
        Ok(Some(Box::new(self.reading.of(Box::new(copy)))))
    }

    fn columns(&self, name: Option<&str>) -> Vec<ColumnDescription> {
        words::columns(&self.words, name.or(self.own()))
    }
}

fn frame(number: u64, batch: &Batch) -> Result<Vec<u8>, Unusable> {
    capsule::encode(Kind::Dataset, (number, 0), &crate::stored::encode(&StoredBatch::from(batch)))
}

fn too_large(bytes_max: u64) -> Text {
    bilingual!(
        "the rows have over {bytes_max} bytes (`engine.analysis_spool_bytes_max`)",
        "数据行超过 {bytes_max} 字节（`engine.analysis_spool_bytes_max`）"
    )
}

fn not_copied(plugin: &PluginId, dataset: Option<&str>, reason: Text) -> Error {
    Error::NotCopied { plugin: plugin.clone(), dataset: dataset.unwrap_or("-").to_owned(), reason }
}
