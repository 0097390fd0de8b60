//! What came of a campaign, asked of its plugin.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use trellis_columns::{AsOf, Columns, DatasetSpec, DatasetStream, GoOn};
use trellis_model::{Batch, Column, ColumnData, RecordId, Scope, Text, Validity, bilingual};
use trellis_plugin_host::{CancelFlag, ColumnDescription, RowStream};
use trellis_records::Caller;

use super::{
    CampaignEvaluation,
    deciding::Deciding,
    members::{self, Member},
    next::dictionary,
    object,
};
use crate::{
    Error, Result,
    blocking::blocking,
    core::Core,
    run::{self, OpenedRows, Source, Spec, Words},
};

/// The columns that say what became of a member.
const OF_MEMBERS: [(&str, &str, &str); 3] =
    [("variant", "Variant", "方案"), ("status", "Status", "状态"), ("responded", "Responded", "是否响应")];
/// Members of a batch.
const BATCH_ROWS: usize = 8_192;

/// Asks the plugin what came of a campaign so far. Members whose customer has no data are counted, and the plugin does not see them.
pub(crate) async fn evaluate(core: &Core, caller: &Caller, campaign: RecordId) -> Result<CampaignEvaluation> {
    let deciding = Arc::new(Deciding::find(core, caller, campaign).await?);
    core.columns.catch_up().await?;
    let members = by_ordinal(core, campaign).await?;
    let manifest = deciding.enabled.manifest();
    let specs = run::rows_granted(core, manifest, &deciding.config)?;
    let words = run::words_of(&core.records.schema(), &core.columns, manifest, &deciding.config)?;
    let count = members.len() as u64;
    let ended = CancelOnDrop(CancelFlag::default());
    let goes_on = ended.0.clone();
    let mut rows = MemberRows {
        columns: Arc::clone(&core.columns),
        handle: Handle::current(),
        spec: deciding.spec.clone(),
        as_of: deciding.as_of,
        members: members.into(),
        next: 0,
        part: None,
        beside: Arc::new(Beside {
            own: manifest.customers().map(|dataset| dataset.name.clone()),
            words,
            specs: specs.into_iter().map(|(name, spec)| (name, Spec::Rows(spec))).collect(),
            batch_rows: core.config.batch_rows_max as usize,
            go_on: GoOn::as_long_as(move || !goes_on.is_cancelled()),
            opened: Mutex::default(),
        }),
    };
    let at = deciding.context(core, core.records.ids().record_id(core.records.clock().now_ms()));
    let asking = Arc::clone(&deciding);
    let cancel = ended.0.clone();
    let asked = blocking("asking a plugin what came of a campaign", move || {
        let rules = asking.rules()?;
        Ok::<_, Error>(rules.evaluate(&asking.seen, &mut rows, &asking.config, &at, &cancel)?)
    });
    let ms_max = core.config.campaign_evaluation_ms_max;
    let answered = tokio::time::timeout(Duration::from_millis(ms_max), asked).await;
    let evaluation = answered.map_err(|_| Error::CannotRun {
        plugin: deciding.plugin.clone(),
        reason: too_slow(&deciding.version(), ms_max),
    })???;
    Ok(CampaignEvaluation {
        plugin: deciding.plugin.clone(),
        version: deciding.version(),
        report: evaluation.report,
        members: count,
    })
}

fn too_slow(version: &str, ms_max: u64) -> Text {
    bilingual!(
        "version {version} took longer than {ms_max} ms to evaluate the campaign (`engine.campaign_evaluation_ms_max`)",
        "版本 {version} 评估营销活动的时间超过 {ms_max} 毫秒（`engine.campaign_evaluation_ms_max`）"
    )
}

/// Ends the plugin's call where nobody waits for it any more: it holds what trains models.
struct CancelOnDrop(CancelFlag);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Every member with its customer's ordinal, in their order.
async fn by_ordinal(core: &Core, campaign: RecordId) -> Result<Vec<(u64, Member)>> {
    let mut members = Vec::new();
    for (account, member) in members::of_campaign(core, campaign).await? {
        let record = core.records.get(&Scope::everything(), &object("account"), account).await?;
        members.extend(record.and_then(|record| record.ordinal).map(|ordinal| (ordinal, member)));
    }
    members.sort_by_key(|(ordinal, _)| *ordinal);
    Ok(members)
}

/// Members as the plugin reads them.
#[derive(Clone)]
struct MemberRows {
    columns: Arc<Columns>,
    handle: Handle,
    spec: DatasetSpec,
    as_of: AsOf,
    members: Arc<[(u64, Member)]>,
    /// The first member of the part after the one that is read.
    next: usize,
    /// The rows of a part.
    part: Option<DatasetStream>,
    beside: Arc<Beside>,
}

/// What the plugin may open beside the members. It is read as it is when the plugin opens it, since somebody waits: nothing is copied.
struct Beside {
    /// The name of the customers' dataset.
    own: Option<String>,
    words: Words,
    specs: BTreeMap<String, Spec>,
    batch_rows: usize,
    go_on: GoOn,
    opened: Mutex<BTreeMap<String, Box<dyn Source>>>,
}

impl RowStream for MemberRows {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        loop {
            if let Some(part) = &mut self.part {
                let batch = part.next().map_err(|error| error.to_string())?;
                if let Some(batch) = batch {
                    return Ok(Some(with_members(batch, &self.members)));
                }
            }
            let rest = self.members.get(self.next..).unwrap_or_default();
            let part = rest.get(..BATCH_ROWS).unwrap_or(rest);
            if part.is_empty() {
                return Ok(None);
            }
            self.next += part.len();
            let ordinals: Vec<_> = part.iter().map(|(ordinal, _)| *ordinal).collect();
            let rows = self.columns.dataset_rows(&self.spec, self.as_of, &ordinals);
            self.part = Some(self.handle.block_on(rows).map_err(|error| error.to_string())?);
        }
    }

    fn rewind(&mut self) {
        (self.next, self.part) = (0, None);
    }

    fn name(&self) -> Option<&str> {
        self.beside.own.as_deref()
    }

    fn rows(&self) -> u64 {
        self.members.len() as u64
    }

    fn columns(&self) -> Vec<ColumnDescription> {
        let of_member = OF_MEMBERS.map(|(name, en, zh_cn)| ColumnDescription {
            name: name.to_owned(),
            label: Text::new(en, zh_cn),
            ..ColumnDescription::default()
        });
        let Beside { own, words, .. } = &*self.beside;
        run::columns_of(words, own.as_deref()).into_iter().chain(of_member).collect()
    }

    /// Under the name of the customers' dataset, its members once more.
    fn dataset(&mut self, name: &str) -> Result<Option<Box<dyn RowStream>>, String> {
        if self.name() == Some(name) {
            return Ok(Some(Box::new(Self { next: 0, part: None, ..self.clone() })));
        }
        let opened = self.open(name).map_err(|error| error.to_string())?;
        let columns = run::columns_of(&self.beside.words, Some(name));
        Ok(opened.map(|source| Box::new(OpenedRows::new(source, columns)) as Box<dyn RowStream>))
    }
}

impl MemberRows {
    fn open(&self, name: &str) -> Result<Option<Box<dyn Source>>> {
        let mut all = self.beside.opened.lock();
        if let Some(opened) = all.get(name) {
            return opened.again().map(Some);
        }
        let Some(spec) = self.beside.specs.get(name) else { return Ok(None) };
        let Beside { batch_rows, go_on, .. } = &*self.beside;
        let opened = spec.open_while(&self.columns, self.as_of, *batch_rows, go_on.clone());
        let opened = self.handle.block_on(opened).map_err(|error| error.in_dataset(name))?;
        let again = opened.again()?;
        all.insert(name.to_owned(), opened);
        Ok(Some(again))
    }
}

/// The rows with the columns `variant`, `status` and `responded` of their members.
fn with_members(mut batch: Batch, members: &[(u64, Member)]) -> Batch {
    let member = |ordinal: &u64| {
        let place = members.binary_search_by_key(ordinal, |(ordinal, _)| *ordinal).ok()?;
        members.get(place).map(|(_, member)| member)
    };
    let of_rows: Vec<_> = batch.ordinals.iter().map(member).collect();
    let variants = of_rows.iter().map(|member| member.and_then(|member| member.variant.as_deref()));
    let statuses = of_rows.iter().map(|member| member.map(|member| member.status.as_str()));
    let responded = of_rows.iter().map(|member| u8::from(member.is_some_and(|member| member.responded)));
    let columns = [
        dictionary("variant", variants),
        dictionary("status", statuses),
        Column {
            name: "responded".to_owned(),
            valid: Validity::all(),
            data: ColumnData::Boolean(responded.collect()),
        },
    ];
    batch.columns.extend(columns);
    batch
}
