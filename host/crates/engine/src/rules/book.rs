//! The rules that are switched on, compiled and in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use trellis_columns::Columns;
use trellis_model::{
    Decider, FieldName, Filter, NamedRecord, ObjectId, ObjectName, Op, RecordId, Scope, SegmentationName,
    Sort, Text,
};
use trellis_records::{LogEntry, Query, Records, Schema};
use trellis_rules::{RuleEngine, Script, Trigger};

use super::{
    BrokenRule,
    draft::{self, Draft},
};
use crate::{
    Config, Error, Result,
    blocking::blocking,
    lookups::{hidden_fields, rule_scope},
};

/// The object of rules.
pub(super) const OBJECT: &str = "rule";

/// The rules that are switched on.
#[derive(Debug)]
pub(crate) struct RuleBook {
    records: Arc<Records>,
    /// The object of rules.
    object: ObjectId,
    engine: Arc<RuleEngine>,
    enabled_max: usize,
    /// Grows with each change of a rule.
    changed: Arc<AtomicU64>,
    loaded: RwLock<Arc<Loaded>>,
    loading: tokio::sync::Mutex<()>,
    /// How many calls of rules run at once.
    pub(crate) permits: tokio::sync::Semaphore,
}

/// The rules as of some moment.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    at: u64,
    schema: Arc<Schema>,
    by_object: BTreeMap<(ObjectId, TriggerKey), Vec<Arc<Rule>>>,
    by_id: BTreeMap<RecordId, Arc<Rule>>,
    broken: Vec<BrokenRule>,
}

/// Triggers in an order.
type TriggerKey = u8;

/// A rule, compiled.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: RecordId,
    pub(crate) name: Text,
    pub(crate) version: u64,
    /// The position of the change since which it is known to be switched on: what was committed before is none of its business, also
    /// where nobody has reacted to it yet.
    pub(crate) since: u64,
    pub(crate) object: ObjectName,
    pub(crate) trigger: Trigger,
    /// Only when one of these changes; any where there is none.
    pub(crate) when_fields: BTreeSet<FieldName>,
    /// `segment.<name>` or `score.<name>`.
    pub(crate) watches: Option<String>,
    pub(crate) position: i64,
    /// Personal data that it is not given.
    pub(crate) hidden: BTreeSet<FieldName>,
    /// What its look-ups see.
    pub(crate) scope: Arc<Scope>,
    pub(crate) source: Arc<str>,
    pub(crate) script: Script,
}

impl Rule {
    pub(crate) fn decider(&self) -> Decider {
        Decider::Rule { id: self.id, version: self.version, name: self.name.clone() }
    }

    /// Whether it runs for a change: at a creation always, else where a field that counts is other than before.
    pub(crate) fn wants(&self, before: Option<&NamedRecord>, after: &NamedRecord) -> bool {
        let Some(before) = before else { return true };
        let changed = |field: &FieldName| before.fields.get(field) != after.fields.get(field);
        self.when_fields.is_empty() || self.when_fields.iter().any(changed)
    }
}

impl RuleBook {
    /// Reads and compiles the rules.
    pub(crate) async fn open(records: Arc<Records>, config: &Config) -> Result<Arc<Self>> {
        let schema = records.schema();
        let rule = schema.object(OBJECT).ok_or_else(|| Error::Damaged {
            what: "there is no object `rule`, which every schema has".to_owned(),
        })?;
        let book = Arc::new(Self {
            object: rule.id,
            changed: records.watch_object(rule.id),
            engine: Arc::new(RuleEngine::new(config.rules)),
            enabled_max: config.rules_enabled_max,
            loaded: RwLock::default(),
            loading: tokio::sync::Mutex::default(),
            permits: tokio::sync::Semaphore::new(config.rules_parallel_max.max(1)),
            records,
        });
        book.load().await?;
        Ok(book)
    }

    /// What compiles and runs scripts. It knows no records.
    pub(crate) fn engine(&self) -> &Arc<RuleEngine> {
        &self.engine
    }

    /// How many rules may be switched on.
    pub(super) fn enabled_max(&self) -> usize {
        self.enabled_max
    }

    /// The rules as they were read last; a change of a rule may have been acknowledged since.
    pub(crate) fn current(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read())
    }

    /// Whether what was read last is still what is stored.
    fn is_fresh(&self, loaded: &Loaded) -> bool {
        loaded.at == self.changed.load(Ordering::Acquire)
            && Arc::ptr_eq(&loaded.schema, &self.records.schema())
    }

    /// Whether a save of a record of an object has to ask [`RuleBook::fresh`].
    pub(crate) fn concerns(&self, object: ObjectId) -> bool {
        let loaded = self.loaded.read();
        loaded.has(object, Trigger::BeforeSave) || !self.is_fresh(&loaded)
    }

    /// The rules with every change that was acknowledged before this call.
    ///
    /// # Errors
    /// [`Error::Records`] where they cannot be read.
    pub(crate) async fn fresh(&self) -> Result<Arc<Loaded>> {
        let loaded = self.current();
        if self.is_fresh(&loaded) {
            return Ok(loaded);
        }
        let _loading = self.loading.lock().await;
        let loaded = self.current();
        if self.is_fresh(&loaded) { Ok(loaded) } else { self.load().await }
    }

    /// Has the next look read the rules again where one of these entries changed a rule. Saves note that themselves; a save that nobody
    /// waits for any more may be committed later than it could note.
    pub(crate) fn follow(&self, entries: &[LogEntry]) {
        if entries.iter().any(|entry| entry.changes().iter().any(|change| change.object == self.object)) {
            self.changed.fetch_add(1, Ordering::Release);
        }
    }

    async fn load(&self) -> Result<Arc<Loaded>> {
        // First: what changes while the rules are read is read again.
        let at = self.changed.load(Ordering::Acquire);
        let schema = self.records.schema();
        let drafts = enabled(&self.records, self.enabled_max).await?;
        let before = self.current();
        let engine = Arc::clone(&self.engine);
        let loaded = blocking("compiling rules", move || {
            let mut loaded = Loaded { at, schema, ..Loaded::default() };
            for (id, changed_at, draft) in drafts {
                loaded.add(id, changed_at, draft, &engine, &before);
            }
            loaded.sort();
            Arc::new(loaded)
        })
        .await?;
        for broken in &loaded.broken {
            tracing::warn!(rule = %broken.id, name = broken.name.en, "a rule is left out: {}", broken.reason.en);
        }
        *self.loaded.write() = Arc::clone(&loaded);
        Ok(loaded)
    }
}

impl Loaded {
    /// The rules of an object in their order.
    pub(crate) fn of(&self, object: ObjectId, trigger: Trigger) -> &[Arc<Rule>] {
        self.by_object.get(&(object, key(trigger))).map_or(&[], Vec::as_slice)
    }

    fn has(&self, object: ObjectId, trigger: Trigger) -> bool {
        !self.of(object, trigger).is_empty()
    }

    /// A rule that is switched on.
    pub(crate) fn get(&self, id: RecordId) -> Option<&Arc<Rule>> {
        self.by_id.get(&id)
    }

    /// The rules of an object that watch a segmentation or score of this name, perhaps by another of its names.
    pub(crate) fn watching(
        &self,
        columns: &Columns,
        object: ObjectId,
        kind: Watched,
        name: &SegmentationName,
    ) -> Vec<Arc<Rule>> {
        let watches = |rule: &&Arc<Rule>| {
            let watched = rule.watches.as_deref().and_then(|watches| watches.strip_prefix(kind.prefix()));
            let Some(watched) = watched else { return false };
            watched == name.as_str() || kind.full_name(columns, watched).as_ref() == Some(name)
        };
        self.of(object, Trigger::Transition).iter().filter(watches).cloned().collect()
    }

    /// The rules that are left out.
    pub(crate) fn broken(&self) -> &[BrokenRule] {
        &self.broken
    }

    /// Whether a rule is switched on, left out or not.
    pub(super) fn is_enabled(&self, id: RecordId) -> bool {
        self.by_id.contains_key(&id) || self.broken.iter().any(|broken| broken.id == id)
    }

    /// How many rules are switched on.
    pub(super) fn count(&self) -> usize {
        self.by_id.len() + self.broken.len()
    }

    fn add(&mut self, id: RecordId, changed_at: u64, draft: Draft, engine: &RuleEngine, before: &Self) {
        let flaws = draft.flaws(&self.schema, None);
        let known = before.by_id.get(&id).filter(|rule| *rule.source == *draft.source);
        let script = match known {
            Some(rule) => Ok(rule.script.clone()),
            None => engine.compile(&draft.source),
        };
        let object = self.schema.object(&draft.object).cloned();
        let reason = match (object, draft.trigger, script) {
            (Some(object), Some(trigger), Ok(script)) if flaws.is_empty() => {
                let rule = Arc::new(Rule {
                    id,
                    version: draft.version,
                    since: before.by_id.get(&id).map_or(changed_at, |rule| rule.since),
                    object: object.name.clone(),
                    trigger,
                    when_fields: draft.when(),
                    watches: draft.watches,
                    position: draft.position,
                    hidden: if draft.reads_personal_data { BTreeSet::new() } else { hidden_fields(&object) },
                    scope: Arc::new(rule_scope(&self.schema, draft.reads_personal_data)),
                    source: draft.source.into(),
                    name: draft.name,
                    script,
                });
                self.by_object.entry((object.id, key(trigger))).or_default().push(Arc::clone(&rule));
                self.by_id.insert(id, rule);
                return;
            }
            (_, _, Err(error)) => error.text(),
            _ => draft::joined(&flaws),
        };
        self.broken.push(BrokenRule { id, name: draft.name, reason });
    }

    fn sort(&mut self) {
        for rules in self.by_object.values_mut() {
            rules.sort_by_key(|rule| (rule.position, rule.id));
        }
    }
}

/// What rules on transitions watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watched {
    Segmentation,
    Score,
}

impl Watched {
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Segmentation => "segment.",
            Self::Score => "score.",
        }
    }

    fn full_name(self, columns: &Columns, name: &str) -> Option<SegmentationName> {
        match self {
            Self::Segmentation => columns.segmentation(name).map(|info| info.definition.name.clone()),
            Self::Score => columns.score(name).map(|info| info.definition.name.clone()),
        }
    }
}

fn key(trigger: Trigger) -> TriggerKey {
    match trigger {
        Trigger::BeforeSave => 0,
        Trigger::AfterSave => 1,
        Trigger::Transition => 2,
    }
}

/// The rules that are switched on, by id, with the position of their last change.
async fn enabled(records: &Records, rules_max: usize) -> Result<Vec<(RecordId, u64, Draft)>> {
    let object = ObjectName::new(OBJECT).expect("four letters");
    let limit = records.config().limits.page_rows_max;
    let filter = Filter::compare("enabled", Op::Eq, true).map_err(trellis_records::Error::from)?;
    let sort = Vec::<Sort>::new();
    let mut query = Query { filter, sort, limit, ..Query::new(object) };
    let (schema, mut drafts) = (records.schema(), Vec::new());
    loop {
        let page = records.list(&Scope::everything(), &query).await?;
        let draft = |record| {
            let named = schema.named(record)?;
            Some((named.id, record.version, Draft::of(&named)))
        };
        drafts.extend(page.records.iter().filter_map(draft));
        match page.next {
            Some(next) if drafts.len() < rules_max => query.after = Some(next),
            _ => break,
        }
    }
    if drafts.len() > rules_max {
        tracing::error!("{} rules are switched on, the first {rules_max} run", drafts.len());
        drafts.truncate(rules_max);
    }
    Ok(drafts)
}
