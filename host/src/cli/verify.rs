use std::path::PathBuf;

use clap::Args;
use trellis_columns::{Aggregate, ColumnSource, DatasetColumn, DatasetSpec};
use trellis_model::FieldType;

use super::{Failure, Result, output, serve::advice};
use crate::boot::{self, Folders, Opened};
use crate::config::Config;

/// Problems that are printed.
const PROBLEMS_SHOWN_MAX: usize = 50;

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The data folder of a server that is not running.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// The configuration file that it is served with.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(&self) -> Result {
        let config = Config::read(self.config.as_deref()).map_err(Failure::Message)?;
        let folders = Folders { data: self.data.clone() };
        if !folders.store().is_dir() {
            return Err(Failure::Message(format!(
                "{} is no data folder: it has no store",
                self.data.display()
            )));
        }
        let problems = self.storage(&folders)?;
        let problems = if problems.is_empty() { self.contents(&folders, &config)? } else { problems };
        if problems.is_empty() {
            output::line("no problems");
            return Ok(());
        }
        problems.iter().take(PROBLEMS_SHOWN_MAX).for_each(|problem| output::line(problem));
        Err(Failure::Data(format!("{} problems found; {}", problems.len(), advice(&self.data))))
    }

    /// Journal, snapshots and sled against each other; reads only.
    fn storage(&self, folders: &Folders) -> Result<Vec<String>> {
        let report = trellis_storage_sled::SledStore::verify_dir(&folders.store())
            .map_err(|error| Failure::Data(format!("{error}\n{}", advice(&self.data))))?;
        output::line(&format!(
            "storage: position {}, {} groups in the journal",
            report.position.0, report.journal_groups
        ));
        report.notes.iter().for_each(|note| output::line(&format!("note: {note}")));
        Ok(report.problems)
    }

    /// Records, indexes, log and columns against each other; opening heals what a crash left.
    fn contents(&self, folders: &Folders, config: &Config) -> Result<Vec<String>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Failure::Message(format!("cannot start the runtime: {error}")))?;
        let checked = runtime.block_on(async {
            let opened = boot::open(folders, config).await?;
            if opened.report.healed() {
                output::line(&format!("note: healed while opening: {:?}", opened.report));
            }
            let records = opened.records.check().await?;
            declare_features(&opened)?;
            opened.columns.catch_up().await?;
            let columns = opened.columns.check().await?;
            opened.store.close()?;
            Ok::<_, boot::Error>((records, columns))
        });
        let (records, columns) = checked.map_err(|error| Failure::Data(error.to_string()))?;
        output::line(&format!(
            "records: {}, index rows {}, log entries {}",
            records.records, records.index_rows, records.log_entries
        ));
        output::line(&format!(
            "columns: features of {} customers, {} blocks",
            columns.feature_rows, columns.blocks
        ));
        Ok([records.differences, columns.differences].concat())
    }
}

/// A dataset over each object whose records are events of another, so that the features on disk are compared with the records.
fn declare_features(opened: &Opened) -> Result<(), boot::Error> {
    for object in opened.records.schema().objects() {
        let Some(covering) = &object.covering else { continue };
        let target = object.field(covering.target.as_str()).map(|field| &field.field_type);
        let Some(FieldType::Reference { object: target }) = target else { continue };
        let (events, time) = (object.name.clone(), covering.time.clone());
        let source = ColumnSource::Aggregate { events, time, aggregate: Aggregate::Count };
        let columns = vec![DatasetColumn { name: object.plural.to_string(), source }];
        opened.columns.declare(&DatasetSpec { object: target.clone(), columns })?;
    }
    Ok(())
}
