//! Which records look like one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use trellis_model::{FieldId, FieldName, Fields, ObjectName, Record, RecordId, Scope, Value, bilingual};
use trellis_storage::ScanRange;

use super::{DuplicateMatch, DuplicateSearch, Rule};
use crate::schema::Object;
use crate::{Error, Records, Result, keys};

impl Records {
    /// Finds the records that a scope has and that the object's matching rules take for the same as one with these fields, which
    /// need not be stored; `id` is the record's own id where it is. At most `duplicates_max` are returned.
    ///
    /// # Errors
    /// [`Error::UnknownObject`]; [`Error::UnknownField`] for a field that the scope must not read.
    pub async fn duplicates_of(
        &self,
        scope: &Scope,
        object: &ObjectName,
        fields: Fields,
        id: Option<RecordId>,
    ) -> Result<DuplicateSearch> {
        let object = self.object(object)?;
        let readable = &scope.of(&object.name).readable;
        let unreadable =
            |id: &&FieldId| object.field_by_id(**id).is_none_or(|field| !readable.contains(&field.name));
        if let Some(id) = fields.keys().find(unreadable) {
            let field =
                object.field_by_id(*id).map_or_else(|| id.0.to_string(), |field| field.name.to_string());
            return Err(Error::UnknownField { object: object.name.clone(), field });
        }
        let record = self.as_record(&object, fields, id);
        let rules: Vec<Rule<'_>> = self.matching_rules(&object);
        let mut found = self.search_duplicates(&object, &record, &rules).await?;
        self.only_visible(scope, &object, &mut found).await?;
        found.matches.truncate(self.config().limits.duplicates_max);
        Ok(found)
    }

    /// Finds the duplicates of a stored record, with all its fields that the scope can read.
    ///
    /// # Errors
    /// [`Error::NotFound`], and as [`Records::duplicates_of`].
    pub async fn duplicates_of_record(
        &self,
        scope: &Scope,
        object: &ObjectName,
        id: RecordId,
    ) -> Result<DuplicateSearch> {
        let record = self.find(scope, object, id).await?;
        self.duplicates_of(scope, object, record.fields, Some(id)).await
    }

    fn as_record(&self, object: &Object, fields: Fields, id: Option<RecordId>) -> Record {
        // An empty text is null, as in a save.
        let is_empty = |value: &Value| matches!(value, Value::Text(text) if text.is_empty());
        Record {
            id: id.unwrap_or(RecordId(uuid::Uuid::nil())),
            object: object.id,
            version: 0,
            ordinal: None,
            created_at_ms: 0,
            updated_at_ms: 0,
            deleted_at_ms: None,
            last_log: 0,
            fields: fields.into_iter().filter(|(_, value)| !is_empty(value)).collect(),
        }
    }

    /// All matching rules of an object.
    pub(crate) fn matching_rules<'a>(&self, object: &'a Object) -> Vec<Rule<'a>> {
        let definition = &*object.definition;
        definition
            .matching_rules
            .iter()
            .map(|rule| Rule::new(definition, rule, self.config().country))
            .collect()
    }

    /// The matching rule of a name.
    pub(crate) fn matching_rule<'a>(&self, object: &'a Object, name: &FieldName) -> Result<Rule<'a>> {
        let definition = &*object.definition;
        let rule = definition.matching_rules.iter().find(|rule| rule.name == *name);
        let rule = rule.ok_or_else(|| {
            let object = &object.name;
            Error::Query(bilingual!(
                "{object} has no matching rule `{name}`",
                "{object} 没有匹配规则 `{name}`"
            ))
        })?;
        Ok(Rule::new(definition, rule, self.config().country))
    }

    /// Compares a record with those that share a block with it; of several rules that match the first one is named.
    pub(crate) async fn search_duplicates(
        &self,
        object: &Object,
        record: &Record,
        rules: &[Rule<'_>],
    ) -> Result<DuplicateSearch> {
        let mut search = DuplicateSearch::default();
        let mut loaded: BTreeMap<RecordId, Option<Record>> = BTreeMap::new();
        let mut matched: BTreeSet<RecordId> = BTreeSet::new();
        for rule in rules {
            for id in self.candidates(object, record, rule, &mut search).await? {
                let candidate = match loaded.entry(id) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let found = self.load(object.id, id).await?.map(|found| found.record);
                        new.insert(found.filter(|found| !found.is_deleted()))
                    }
                };
                let Some(candidate) = candidate.as_ref() else { continue };
                if let Some(likeness) = rule.matches(record, candidate).filter(|_| !matched.contains(&id)) {
                    matched.insert(id);
                    search.matches.push(DuplicateMatch {
                        id,
                        rule: rule.name.clone(),
                        score: likeness.score,
                        matched_on: likeness.matched_on,
                    });
                }
            }
        }
        search.compared = loaded.len();
        search.matches.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        Ok(search)
    }

    /// The records that share a block with one.
    async fn candidates(
        &self,
        object: &Object,
        record: &Record,
        rule: &Rule<'_>,
        search: &mut DuplicateSearch,
    ) -> Result<BTreeSet<RecordId>> {
        let rows_max = self.config().limits.block_rows_max;
        let mut candidates = BTreeSet::new();
        for (key, name) in &rule.blocks {
            let Some(block) = key.block(record) else { continue };
            // Itself may be in it too.
            let page = self.store().scan(ScanRange::prefix(&block), rows_max + 1).await?;
            let ids =
                page.rows.iter().filter_map(|row| keys::id_at_end(&row.key)).filter(|id| *id != record.id);
            let ids: Vec<RecordId> = ids.collect();
            if page.more || ids.len() > rows_max || !object.indexes.matches_by(*key) {
                if !search.skipped_blocks.contains(name) {
                    search.skipped_blocks.push((*name).clone());
                }
            } else {
                candidates.extend(ids);
            }
        }
        Ok(candidates)
    }

    /// Leaves what a scope may know: its own records, and of the fields in which they agree those that it can read.
    pub(crate) async fn only_visible(
        &self,
        scope: &Scope,
        object: &Object,
        search: &mut DuplicateSearch,
    ) -> Result<()> {
        let access = scope.of(&object.name);
        let mut visible = Vec::with_capacity(search.matches.len());
        for mut found in std::mem::take(&mut search.matches) {
            let is_visible = match access.rows {
                trellis_model::RowAccess::All => true,
                _ => match self.load(object.id, found.id).await? {
                    Some(loaded) => self.is_visible(scope, object, &loaded.record).await?,
                    None => false,
                },
            };
            if is_visible {
                found.matched_on.retain(|field| access.readable.contains(field));
                visible.push(found);
            }
        }
        search.matches = visible;
        Ok(())
    }
}
