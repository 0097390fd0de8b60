//! Look-ups over the records as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::RwLock;
use serde_json::Value as Json;
use tokio::runtime::Handle;
use trellis_model::{
    Filter, LookupError, Lookups, NamedRecord, ObjectDefinition, ObjectId, ObjectName, Record, RecordId,
    RowAccess, Scope,
};
use trellis_records::{Error, Query, Records, SaveContext};

/// Records of a write set as they would be saved: what look-ups of later rows see.
pub(crate) type Overlay = Arc<RwLock<BTreeMap<(ObjectId, RecordId), Record>>>;

/// The save that look-ups are part of.
#[derive(Debug, Clone)]
pub(crate) struct SaveView {
    /// Where versions that were relied on are noted.
    pub(crate) context: Arc<SaveContext>,
    /// The records of the write set: their versions are preconditions anyway.
    pub(crate) own: Arc<BTreeSet<(ObjectId, RecordId)>>,
    /// The earlier records of the write set, as they would be.
    pub(crate) earlier: Overlay,
}

/// Look-ups over the records as they are at the moment of each question; the same for everybody, whoever asks. Blocks: for threads
/// that are no workers of the runtime.
#[derive(Debug)]
pub(crate) struct RecordLookups {
    records: Arc<Records>,
    handle: Handle,
    scope: Arc<Scope>,
    save: Option<SaveView>,
}

impl RecordLookups {
    /// Looks with what a scope sees. Called within the runtime.
    pub(crate) fn new(
        records: &Arc<Records>,
        handle: &Handle,
        scope: &Arc<Scope>,
        save: Option<SaveView>,
    ) -> Self {
        Self { records: Arc::clone(records), handle: handle.clone(), scope: Arc::clone(scope), save }
    }

    fn definition(&self, object: &ObjectName) -> Result<Arc<ObjectDefinition>, LookupError> {
        if matches!(self.scope.of(object).rows, RowAccess::Nothing) {
            return Err(LookupError::Denied(object.to_string()));
        }
        let found = self.records.schema().object(object.as_str()).cloned();
        found.ok_or_else(|| LookupError::Invalid(format!("there is no object `{object}`")))
    }

    fn filter(&self, filter: &Json) -> Result<Filter, LookupError> {
        Filter::parse_within(filter, &self.records.config().limits.filter)
            .map_err(|error| LookupError::Invalid(error.to_string()))
    }

    /// A record by the names of its fields, those that the scope has.
    fn named(&self, record: &Record) -> Option<NamedRecord> {
        let mut named = self.records.schema().named(record)?;
        let readable = &self.scope.of(&named.object).readable;
        named.fields.retain(|name, _| {
            readable.contains(name) || trellis_model::SystemField::of(name.as_str()).is_some()
        });
        Some(named)
    }

    /// The earlier records of the write set that are of an object.
    fn earlier(&self, object: ObjectId) -> Vec<Record> {
        let Some(save) = &self.save else { return Vec::new() };
        let earlier = save.earlier.read();
        earlier.values().filter(|record| record.object == object).cloned().collect()
    }

    /// Those of them that a filter matches.
    async fn earlier_matching(
        &self,
        object: &ObjectName,
        filter: &Filter,
        earlier: Vec<Record>,
    ) -> trellis_records::Result<Vec<Record>> {
        let mut matching = Vec::new();
        for record in earlier {
            if self.records.would_match(&self.scope, object, filter, &record).await? {
                matching.push(record);
            }
        }
        Ok(matching)
    }

    async fn read(
        &self,
        definition: &ObjectDefinition,
        id: RecordId,
    ) -> trellis_records::Result<Option<Record>> {
        let place = (definition.id, id);
        if let Some(save) = &self.save
            && let Some(record) = save.earlier.read().get(&place)
        {
            return Ok(Some(record.clone()));
        }
        let found = self.records.get(&Scope::everything(), &definition.name, id).await?;
        if let Some(save) = self.save.as_ref().filter(|save| !save.own.contains(&place)) {
            save.context.expect_version(definition.id, id, found.as_ref().map(|record| record.version));
        }
        Ok(found)
    }

    async fn list(
        &self,
        definition: &ObjectDefinition,
        filter: Filter,
        records_max: u32,
    ) -> Result<Vec<NamedRecord>, LookupError> {
        let wanted = usize::try_from(records_max).unwrap_or(usize::MAX);
        let earlier = self.earlier(definition.id);
        let page_max = self.records.config().limits.page_rows_max;
        let limit = wanted.saturating_add(earlier.len()).min(page_max);
        let query = Query { filter: filter.clone(), limit, ..Query::new(definition.name.clone()) };
        let page =
            self.records.list(&self.scope, &query).await.map_err(|error| failed(definition, &error))?;
        if page.plan.budget_spent && page.records.len() < wanted {
            let rows = page.plan.rows_read;
            let reason = format!(
                "{rows} records of {} do not suffice to answer {}",
                definition.name,
                filter.to_json()
            );
            return Err(LookupError::Failed(reason));
        }
        let replaced: BTreeSet<_> = earlier.iter().map(|record| record.id).collect();
        let matching = self.earlier_matching(&definition.name, &filter, earlier).await;
        let mut found: Vec<Record> =
            page.records.into_iter().filter(|record| !replaced.contains(&record.id)).collect();
        found.extend(matching.map_err(|error| failed(definition, &error))?);
        found.sort_by_key(|record| record.id);
        found.truncate(wanted);
        Ok(found.iter().filter_map(|record| self.named(record)).collect())
    }

    async fn number(&self, definition: &ObjectDefinition, filter: &Filter) -> trellis_records::Result<u64> {
        let mut count = self.records.count(&self.scope, &definition.name, filter).await?;
        for record in self.earlier(definition.id) {
            let stored = self.records.get(&Scope::everything(), &definition.name, record.id).await?;
            if let Some(stored) = stored
                && self.records.would_match(&self.scope, &definition.name, filter, &stored).await?
            {
                count = count.saturating_sub(1);
            }
            count +=
                u64::from(self.records.would_match(&self.scope, &definition.name, filter, &record).await?);
        }
        Ok(count)
    }
}

impl Lookups for RecordLookups {
    fn get(&self, object: &ObjectName, id: RecordId) -> Result<Option<NamedRecord>, LookupError> {
        let definition = self.definition(object)?;
        let found = self.handle.block_on(self.read(&definition, id));
        let found = found.map_err(|error| failed(&definition, &error))?;
        Ok(found.and_then(|record| self.named(&record)))
    }

    fn find(
        &self,
        object: &ObjectName,
        filter: &Json,
        records_max: u32,
    ) -> Result<Vec<NamedRecord>, LookupError> {
        let (definition, filter) = (self.definition(object)?, self.filter(filter)?);
        let page_max = self.records.config().limits.page_rows_max;
        if usize::try_from(records_max).map_or(true, |wanted| wanted > page_max) {
            return Err(LookupError::Invalid(format!(
                "{records_max} records are wanted, at most {page_max}"
            )));
        }
        if records_max == 0 {
            return Ok(Vec::new());
        }
        self.handle.block_on(self.list(&definition, filter, records_max))
    }

    fn count(&self, object: &ObjectName, filter: &Json) -> Result<u64, LookupError> {
        let (definition, filter) = (self.definition(object)?, self.filter(filter)?);
        self.handle.block_on(self.number(&definition, &filter)).map_err(|error| failed(&definition, &error))
    }
}

/// What the decider is told: a field that is there and was not granted is denied, not unknown.
fn failed(definition: &ObjectDefinition, error: &Error) -> LookupError {
    match error {
        Error::UnknownField { object, field } => {
            let first = field.split('.').next().unwrap_or_default();
            match definition.name == *object && definition.field(first).is_some() {
                true => LookupError::Denied(format!("{object}.{field}")),
                false => LookupError::Invalid(error.to_string()),
            }
        }
        Error::Storage(_) | Error::Damaged { .. } => LookupError::Failed(error.to_string()),
        _ => LookupError::Invalid(error.to_string()),
    }
}
