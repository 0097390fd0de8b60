//! What the engine can read, without anything that changes it. Whatever only evaluates (dry runs, checks of upgrades, shadows) is given
//! this and nothing else, so that it cannot apply what it comes to.

use std::{collections::HashMap, sync::Arc};

use tokio::runtime::Handle;
use trellis_columns::{AsOf, Columns, DatasetSpec, DatasetStream, GoOn};
use trellis_model::{Currency, Lookups, NamedRecord, ObjectName, Record, RecordId, Scope};
use trellis_plugin_host::CallContext;
use trellis_records::{Query, RecordPage, Records, Schema};

use crate::{
    Result,
    decisions::{self, Capsule, Decision, DecisionPage, DecisionQuery},
    lookups::RecordLookups,
    plugins::Enabled,
    run,
};

/// Records and columns to read from. It has no method that writes, and does not give away what has:
///
/// ```
/// async fn look(view: &trellis_engine::View) -> u64 {
///     view.log_head()
/// }
/// ```
///
/// ```compile_fail,E0616
/// fn writer(view: &trellis_engine::View) -> &trellis_records::Records {
///     &view.records // private, and nothing returns it
/// }
/// ```
///
/// ```compile_fail,E0599
/// async fn write(view: &trellis_engine::View, set: trellis_storage::WriteSet) {
///     view.commit(set, None).await; // there is no such method
/// }
/// ```
#[derive(Debug, Clone)]
pub struct View {
    records: Arc<Records>,
    columns: Arc<Columns>,
}

impl View {
    pub(crate) fn new(records: &Arc<Records>, columns: &Arc<Columns>) -> Self {
        Self { records: Arc::clone(records), columns: Arc::clone(columns) }
    }

    /// The number of the last log entry.
    pub fn log_head(&self) -> u64 {
        self.records.log_head()
    }

    /// The objects as they are defined now.
    pub fn schema(&self) -> Arc<Schema> {
        self.records.schema()
    }

    /// A page of records that a scope has.
    ///
    /// # Errors
    /// [`crate::Error::Records`] for a query that does not fit the object.
    pub async fn list(&self, scope: &Scope, query: &Query) -> Result<RecordPage> {
        Ok(self.records.list(scope, query).await?)
    }

    /// A record that a scope has.
    ///
    /// # Errors
    /// [`crate::Error::Records`] for an unknown object.
    pub async fn get(&self, scope: &Scope, object: &ObjectName, id: RecordId) -> Result<Option<Record>> {
        Ok(self.records.get(scope, object, id).await?)
    }

    /// As [`View::get`], for a record that has to be there.
    ///
    /// # Errors
    /// [`crate::Error::Records`] where the scope has no such record.
    pub async fn find(&self, scope: &Scope, object: &ObjectName, id: RecordId) -> Result<Record> {
        Ok(self.records.find(scope, object, id).await?)
    }

    /// The IANA name of the organisation's time zone.
    pub(crate) fn time_zone(&self) -> String {
        self.records.config().time_zone.iana_name().unwrap_or("UTC").to_owned()
    }

    pub(crate) fn base_currency(&self) -> Currency {
        self.records.config().base_currency
    }

    pub(crate) fn named(&self, record: &Record) -> Option<NamedRecord> {
        self.records.schema().named(record)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.records.clock().now_ms()
    }

    pub(crate) fn new_id(&self) -> RecordId {
        self.records.ids().record_id(self.now_ms())
    }

    /// What the calls of a run or of a single question are told.
    pub(crate) fn context(&self, run: RecordId, as_of: AsOf) -> CallContext {
        run::context_of(&self.records, run, as_of)
    }

    /// Look-ups with what a scope sees. Called within the runtime.
    pub(crate) fn lookups(&self, handle: &Handle, scope: &Arc<Scope>) -> Arc<dyn Lookups> {
        Arc::new(RecordLookups::new(&self.records, handle, scope, None))
    }

    pub(crate) async fn dataset(
        &self,
        spec: &DatasetSpec,
        as_of: AsOf,
        rows: usize,
    ) -> Result<DatasetStream> {
        self.columns.catch_up().await?;
        Ok(self.columns.dataset(spec, as_of, rows).await?)
    }

    /// The datasets of rows of a plugin as it would be used.
    pub(crate) async fn rows_datasets(
        &self,
        enabled: &Enabled,
        as_of: AsOf,
        rows: usize,
    ) -> Result<Vec<(String, Box<dyn run::Source>)>> {
        let specs = run::rows_granted_to(enabled, &enabled.config, &self.records.schema())?;
        run::open_all(&self.columns, specs, as_of, rows, &GoOn::default()).await
    }

    /// What the columns of a plugin's datasets are called.
    pub(crate) fn words(&self, enabled: &Enabled) -> Result<run::Words> {
        run::words_of(&self.records.schema(), &self.columns, enabled.manifest(), &enabled.config)
    }

    pub(crate) fn value_of(&self, segmentation: &str, ordinal: u64) -> Option<String> {
        self.columns.value_of(&Scope::everything(), segmentation, ordinal)
    }

    pub(crate) fn score_of(&self, score: &str, ordinal: u64) -> Option<f64> {
        self.columns.score_of(&Scope::everything(), score, ordinal)
    }

    /// The band that a customer's score is in.
    pub(crate) fn band_of(&self, score: &str, ordinal: u64) -> Option<String> {
        self.columns.band_of(&Scope::everything(), score, ordinal)
    }

    /// Names and lowest values of the bands that a score has now.
    pub(crate) fn bands_of(&self, score: &str) -> Vec<(String, f64)> {
        let info = self.columns.score(score);
        let bands = info.iter().flat_map(|info| &info.definition.bands);
        bands.map(|band| (band.name.clone(), band.lowest)).collect()
    }

    /// The ids of ordinals.
    pub(crate) async fn ids_of(
        &self,
        object: &ObjectName,
        ordinals: &[u64],
    ) -> Result<Vec<Option<RecordId>>> {
        let schema = self.records.schema();
        let Some(definition) = schema.object(object.as_str()) else { return Ok(vec![None; ordinals.len()]) };
        Ok(self.records.ordinal_ids(definition.id, ordinals).await?)
    }

    /// The records of ordinals, with their titles as far as the scope may read them.
    pub(crate) async fn titled(
        &self,
        scope: &Scope,
        object: &ObjectName,
        ordinals: &[u64],
    ) -> Result<HashMap<u64, (RecordId, Option<String>)>> {
        let schema = self.records.schema();
        let Some(definition) = schema.object(object.as_str()) else { return Ok(HashMap::new()) };
        let ids = self.records.ordinal_ids(definition.id, ordinals).await?;
        let found: Vec<_> = ordinals.iter().zip(ids).filter_map(|(at, id)| Some((*at, id?))).collect();
        let mut titles = self.titles(scope, object, found.iter().map(|(_, id)| *id)).await?;
        Ok(found.into_iter().map(|(at, id)| (at, (id, titles.remove(&id)))).collect())
    }

    pub(crate) async fn titles(
        &self,
        scope: &Scope,
        object: &ObjectName,
        ids: impl IntoIterator<Item = RecordId>,
    ) -> Result<HashMap<RecordId, String>> {
        Ok(self.records.titles(scope, object, ids).await?)
    }

    pub(crate) async fn decisions(
        &self,
        query: &DecisionQuery,
        after: Option<RecordId>,
        decisions_max: usize,
    ) -> Result<DecisionPage> {
        decisions::list(&self.records, query, after, decisions_max).await
    }

    pub(crate) async fn decision(&self, id: RecordId) -> Result<Option<Decision>> {
        decisions::get(&self.records, id).await
    }

    pub(crate) async fn decision_capsule(&self, id: RecordId) -> Result<Option<Capsule>> {
        decisions::get_capsule(&self.records, id).await
    }

    /// Reads by functions of this crate that are about one kind of key each.
    pub(crate) fn ledger(&self) -> Ledger<'_> {
        Ledger(&self.records)
    }
}

/// What is stored about runs, to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ledger<'a>(&'a Records);

impl Ledger<'_> {
    pub(crate) async fn run(
        &self,
        plugin: &trellis_model::PluginId,
        run: RecordId,
    ) -> Result<Option<run::RunRecord>> {
        run::record(self.0, plugin, run).await
    }

    pub(crate) async fn capsule(
        &self,
        plugin: &trellis_model::PluginId,
        run: RecordId,
    ) -> Result<Option<[u8; 32]>> {
        crate::capsule::digest_of(self.0, plugin, run).await
    }

    /// The newest runs of a plugin that have a capsule, those of campaigns too, the newest first.
    pub(crate) async fn with_capsules(
        &self,
        plugin: &trellis_model::PluginId,
        runs_max: usize,
    ) -> Result<Vec<RecordId>> {
        crate::capsule::newest(self.0, plugin, runs_max).await
    }
}
