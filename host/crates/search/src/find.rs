//! What a caller finds: the rights of its scope decide in which parts of the index is looked.

use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_model::{FieldAccess, FieldId, ObjectDefinition, ObjectId, Record, RowAccess, Scope, Value};
use trellis_records::{FoundRecord, Schema, TextCheck, TextMatch, TextMatches};

use crate::Result;
use crate::document::{Part, TextFields};
use crate::search::Search;
use crate::text::Query;
use crate::view::{Found, Match, View, Within};

/// How many times more matches than asked for are brought in order at first.
const FIRST_TIMES: usize = 4;
/// Matches that are brought in order at first, at least.
const FIRST_MIN: usize = 64;

/// The objects of a schema as a view of the index has them.
#[derive(Debug)]
pub(crate) struct Known {
    schema: Arc<Schema>,
    indexed: Arc<BTreeMap<u32, TextFields>>,
    objects: BTreeMap<ObjectId, Arc<KnownObject>>,
}

#[derive(Debug)]
struct KnownObject {
    fields: TextFields,
    /// Whether the index has them so. Where a field has become personal data just now it may have it among the plain ones still.
    current: bool,
}

/// Objects of which a caller reads the same parts.
struct Class {
    parts: Vec<Part>,
    /// Whether the caller reads all of these parts.
    whole: bool,
    objects: Vec<ObjectId>,
}

impl Known {
    pub(crate) fn new(schema: Arc<Schema>, view: &View) -> Self {
        let indexed = Arc::clone(&view.objects);
        let known = |object: &Arc<ObjectDefinition>| {
            let fields = TextFields::of(object);
            let current = indexed.get(&object.id.0).is_none_or(|then| fields.continues(then));
            (object.id, Arc::new(KnownObject { fields, current }))
        };
        let objects = schema.objects().map(known).collect();
        Self { schema, objects, indexed }
    }

    pub(crate) fn is_of(&self, schema: &Arc<Schema>, view: &View) -> bool {
        Arc::ptr_eq(&self.schema, schema) && Arc::ptr_eq(&self.indexed, &view.objects)
    }

    /// The parts of an object that a caller reads, and whether it reads all of them; `None` for none.
    fn parts(&self, object: &ObjectDefinition, access: &FieldAccess) -> Option<(Vec<Part>, bool)> {
        if matches!(access, FieldAccess::All) {
            return Some((Part::ALL.to_vec(), true));
        }
        let known = self.objects.get(&object.id)?;
        let readable = |field: FieldId| readable(object, access, field);
        let reads = |part: &Part| !known.current || known.fields.of_part(*part).any(readable);
        let parts: Vec<Part> = Part::ALL.into_iter().filter(reads).collect();
        let whole = known.current && parts.iter().all(|part| known.fields.of_part(*part).all(readable));
        (!parts.is_empty()).then_some((parts, whole))
    }

    /// The fields of an object that are found and that a caller reads.
    fn readable_fields(&self, object: &ObjectDefinition, access: &FieldAccess) -> TextFields {
        let fields = self.objects.get(&object.id).map(|known| &known.fields.0).into_iter().flatten();
        let fields = fields.filter(|(field, _)| readable(object, access, FieldId(**field)));
        TextFields(fields.map(|(field, usage)| (*field, *usage)).collect())
    }
}

fn readable(object: &ObjectDefinition, access: &FieldAccess, field: FieldId) -> bool {
    object.field_by_id(field).is_some_and(|field| access.contains(&field.name))
}

impl Search {
    /// What a query finds among the records of one object.
    pub(crate) fn matching_of(
        &self,
        scope: &Scope,
        object: &ObjectDefinition,
        query: &Query,
    ) -> Result<Option<TextMatches>> {
        let Some((view, known)) = self.view() else { return Ok(None) };
        let none = TextMatches { matches: Vec::new(), complete: true, check: None };
        let access = scope.of(&object.name);
        if query.is_empty() || matches!(access.rows, RowAccess::Nothing) {
            return Ok(Some(none));
        }
        let Some((parts, whole)) = known.parts(object, &access.readable) else { return Ok(Some(none)) };
        let (mut found, config) = (Found::default(), self.config());
        let within =
            Within { parts: &parts, objects: Some(&[object.id]), prefix_words_max: config.prefix_words_max };
        self.look(&view, query, &within, &mut found)?;
        let complete = !found.cut && found.matches.len() <= config.query_hits_max;
        best_first(&mut found.matches, config.query_hits_max);
        found.matches.truncate(config.query_hits_max);
        let check = (!whole).then(|| {
            let (fields, query) = (known.readable_fields(object, &access.readable), query.clone());
            Arc::new(move |record: &Record| fields.matches(&query, &record.fields)) as TextCheck
        });
        let matches =
            found.matches.iter().map(|found| TextMatch { score: found.score, id: found.id }).collect();
        Ok(Some(TextMatches { matches, complete, check }))
    }

    /// The best records of some objects that a query finds for a scope; `None` where there is no index yet.
    pub(crate) async fn find_in(
        &self,
        scope: &Scope,
        objects: &[Arc<ObjectDefinition>],
        query: &Query,
        limit: usize,
    ) -> Result<Option<Vec<FoundRecord>>> {
        let Some((view, known)) = self.view() else { return Ok(None) };
        let mut found = Found::default();
        if !query.is_empty() {
            for class in classes(&known, scope, objects) {
                let within = Within {
                    parts: &class.parts,
                    objects: Some(&class.objects),
                    prefix_words_max: self.config().prefix_words_max,
                };
                self.look(&view, query, &within, &mut found)?;
            }
        }
        drop(view);
        let mut records = Vec::with_capacity(limit.min(found.matches.len()));
        let first = (FIRST_TIMES * limit).max(FIRST_MIN);
        best_first(&mut found.matches, first);
        for place in 0..found.matches.len().min(self.config().find_reads_max) {
            if place == first {
                found
                    .matches
                    .get_mut(first..)
                    .into_iter()
                    .for_each(|rest| rest.sort_unstable_by(|a, b| b.cmp(a)));
            }
            let Some(found) = found.matches.get(place) else { break };
            let Some(object) = objects.iter().find(|object| object.id == found.object) else { continue };
            records.extend(self.visible(scope, object, &known, query, found).await?);
            if records.len() == limit {
                break;
            }
        }
        Ok(Some(records))
    }

    /// A record that was found, if it is there for the scope and has what was looked for in fields that the scope reads.
    async fn visible(
        &self,
        scope: &Scope,
        object: &ObjectDefinition,
        known: &Known,
        query: &Query,
        found: &Match,
    ) -> Result<Option<FoundRecord>> {
        let Some(records) = self.records() else { return Ok(None) };
        let access = &scope.of(&object.name).readable;
        let Some(record) = records.get(scope, &object.name, found.id).await? else { return Ok(None) };
        let whole = known.parts(object, access).is_some_and(|(_, whole)| whole);
        if !whole && !known.readable_fields(object, access).matches(query, &record.fields) {
            return Ok(None);
        }
        let title = object.field(object.title.as_str()).and_then(|title| record.fields.get(&title.id));
        let title =
            title.and_then(|title| if let Value::Text(text) = title { Some(text.clone()) } else { None });
        Ok(Some(FoundRecord { object: object.name.clone(), id: found.id, title, score: found.score }))
    }
}

/// Objects by what of them a caller reads.
fn classes(known: &Known, scope: &Scope, objects: &[Arc<ObjectDefinition>]) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::new();
    for object in objects {
        let access = scope.of(&object.name);
        if matches!(access.rows, RowAccess::Nothing) {
            continue;
        }
        let Some((parts, whole)) = known.parts(object, &access.readable) else { continue };
        match classes.iter_mut().find(|class| class.parts == parts && class.whole == whole) {
            Some(class) => class.objects.push(object.id),
            None => classes.push(Class { parts, whole, objects: vec![object.id] }),
        }
    }
    classes.iter_mut().for_each(|class| class.objects.sort_unstable());
    classes
}

/// Brings the best so many in order, before all others.
fn best_first(matches: &mut [Match], count: usize) {
    if count < matches.len() {
        matches.select_nth_unstable_by(count, |a, b| b.cmp(a));
    }
    let first = count.min(matches.len());
    matches.get_mut(..first).into_iter().for_each(|first| first.sort_unstable_by(|a, b| b.cmp(a)));
}
