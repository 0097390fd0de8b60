//! What an undo would do, record by record.

use std::collections::BTreeMap;

use trellis_model::{FieldId, ObjectId, Record, RecordId, RowAccess, Value};

use super::trace::{Entries, Later, Trace, Traced};
use super::{Since, UndoAction, UndoEntries, UndoField, UndoItem, UndoReason, UndoState};
use crate::index::entries as index_entries;
use crate::ordinals::id_of;
use crate::schema::Object;
use crate::{Caller, Error, FieldChanges, Records, Result};

/// Changes that one page looks at: a page may be short, or empty, where most are about records that came up before.
const PAGE_CHANGES: usize = 2_000;

/// Where a page of an undo goes on: at the changes before `change` of entry `number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoCursor {
    number: u64,
    change: usize,
}

/// A page of what an undo would do, what was changed last first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UndoPage {
    /// The records.
    pub items: Vec<UndoItem>,
    /// How many more there are that the caller does not see.
    pub hidden: usize,
    /// Where the next page begins.
    pub next: Option<UndoCursor>,
}

impl std::fmt::Display for UndoCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.number, self.change)
    }
}

impl UndoCursor {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, change) = text.split_once('.')?;
        Some(Self { number: number.parse().ok()?, change: change.parse().ok()? })
    }
}

/// What a record comes to.
#[derive(Debug)]
pub(super) enum Found {
    Item(Box<UndoItem>),
    /// The caller does not see the record.
    Hidden,
    /// It came up before or will, or the target left it as it was.
    Nothing,
}

impl Records {
    /// Returns what an undo would do: at most `items_max` records from `from` on, or from the last change. Each record comes up once.
    /// Costs a read for each entry about a record since the undo's first one.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the log cannot be read.
    pub async fn undo_page(
        &self,
        caller: &Caller,
        entries: &UndoEntries,
        from: Option<UndoCursor>,
        items_max: usize,
    ) -> Result<UndoPage> {
        let (mut page, mut read, mut looked_at) = (UndoPage::default(), Entries::default(), 0);
        let mut next = match from {
            Some(from) => entries.last_to(from.number).map(|number| UndoCursor {
                number,
                change: if number == from.number { from.change } else { usize::MAX },
            }),
            None => entries.last_to(u64::MAX).map(|number| UndoCursor { number, change: usize::MAX }),
        };
        while let Some(place) = next {
            let Some(entry) = read.get(self, place.number).await? else {
                return Err(Error::UnknownEntry { number: place.number });
            };
            let changes = entry.changes();
            for (at, change) in changes.iter().enumerate().take(place.change).rev() {
                if page.items.len() >= items_max || looked_at >= PAGE_CHANGES {
                    page.next = Some(UndoCursor { change: at + 1, ..place });
                    return Ok(page);
                }
                if entries.only.is_some_and(|only| only != (change.object, change.id)) {
                    continue;
                }
                looked_at += 1;
                let expected = Some(place.number);
                match self.undo_of(caller, entries, &mut read, (change.object, change.id), expected).await? {
                    Found::Item(item) => page.items.push(*item),
                    Found::Hidden => page.hidden += 1,
                    Found::Nothing => {}
                }
            }
            let before = place.number.checked_sub(1).and_then(|number| entries.last_to(number));
            next = before.map(|number| UndoCursor { number, change: usize::MAX });
        }
        Ok(page)
    }

    /// What an undo comes to for one record; nothing where `expected` is not the target's newest entry about it.
    pub(super) async fn undo_of(
        &self,
        caller: &Caller,
        entries: &UndoEntries,
        read: &mut Entries,
        (object, id): (ObjectId, RecordId),
        expected: Option<u64>,
    ) -> Result<Found> {
        let Some(object) = self.schema().full(object) else { return Ok(Found::Hidden) };
        let Some(loaded) = self.load(object.id, id).await? else {
            let sees = caller.scope.of(&object.name).rows == RowAccess::All;
            return Ok(if sees { Found::Item(Box::new(missing(&object, id))) } else { Found::Hidden });
        };
        let record = loaded.record;
        let Some(trace) = Trace::read(self, read, entries, &record, expected).await? else {
            return Ok(Found::Nothing);
        };
        let planner = Planner { caller, object: &object, record: &record, trace: &trace };
        let Some(mut item) = planner.item() else { return Ok(Found::Nothing) };
        if !self.is_visible(&caller.scope, &object, &record).await? {
            return Ok(Found::Hidden);
        }
        if item.state.can() {
            self.check_unique(&object, &record, entries, read, &mut item).await?;
        }
        Ok(Found::Item(Box::new(item)))
    }

    /// Marks an item whose unique values others have taken.
    async fn check_unique(
        &self,
        object: &Object,
        record: &Record,
        entries: &UndoEntries,
        read: &mut Entries,
        item: &mut UndoItem,
    ) -> Result<()> {
        if item.action == UndoAction::Delete || object.indexes.unique.is_empty() {
            return Ok(());
        }
        let before = index_entries::unique(&object.indexes, record);
        let mut after = Record { deleted_at_ms: None, ..record.clone() };
        if item.action == UndoAction::Update {
            put(&mut after.fields, &item.changes);
        }
        for (key, field) in index_entries::unique(&object.indexes, &after) {
            if before.contains_key(&key) {
                continue;
            }
            let Some(holder) = self.store().get(&key).await? else { continue };
            let holder = id_of(&holder.value)?;
            if self.gives_up(object, holder, &key, entries, read).await? {
                continue;
            }
            let name = object.field_by_id(field).expect("unique fields are fields").name.clone();
            let value = after.fields.get(&field).map(Value::canonical).unwrap_or_default();
            let error = Error::Duplicate { object: object.name.clone(), field: name, value, holder };
            item.state = UndoState::Conflict;
            item.reason = Some(UndoReason { code: error.code(), text: error.text() });
            return Ok(());
        }
        Ok(())
    }

    /// Whether the same undo takes a unique value away from its holder.
    async fn gives_up(
        &self,
        object: &Object,
        holder: RecordId,
        key: &[u8],
        entries: &UndoEntries,
        read: &mut Entries,
    ) -> Result<bool> {
        let Some(loaded) = self.load(object.id, holder).await? else { return Ok(true) };
        let record = loaded.record;
        let Some(trace) = Trace::read(self, read, entries, &record, None).await? else { return Ok(false) };
        let caller = Caller::system("undo");
        let planner = Planner { caller: &caller, object, record: &record, trace: &trace };
        let Some(item) = planner.item().filter(|item| item.state.can()) else { return Ok(false) };
        let mut after = record.clone();
        match item.action {
            UndoAction::Delete => return Ok(true),
            UndoAction::Restore => return Ok(false),
            UndoAction::Update => put(&mut after.fields, &item.changes),
        }
        Ok(!index_entries::unique(&object.indexes, &after).contains_key(key))
    }
}

fn put(fields: &mut BTreeMap<FieldId, Value>, changes: &FieldChanges) {
    for (field, value) in changes {
        match value {
            Some(value) => drop(fields.insert(*field, value.clone())),
            None => drop(fields.remove(field)),
        }
    }
}

fn missing(object: &Object, id: RecordId) -> UndoItem {
    UndoItem {
        object: object.name.clone(),
        id,
        title: None,
        action: UndoAction::Update,
        state: UndoState::Missing,
        fields: Vec::new(),
        since: Vec::new(),
        reason: None,
        version: 0,
        last_job: None,
        changes: FieldChanges::new(),
    }
}

/// One record, what it is now, and what the log says of it.
struct Planner<'a> {
    caller: &'a Caller,
    object: &'a Object,
    record: &'a Record,
    trace: &'a Trace,
}

impl Planner<'_> {
    /// What becomes of the record; `None` where the target left it as it was.
    fn item(&self) -> Option<UndoItem> {
        let alive = self.trace.alive.as_ref().filter(|alive| alive.has_effect());
        match alive {
            Some(alive) if !alive.back_to => Some(self.deletion()),
            Some(alive) if self.record.is_deleted() => Some(self.restoration(alive)),
            _ => self.update(),
        }
    }

    fn new_item(&self, action: UndoAction, state: UndoState) -> UndoItem {
        let (object, record) = (self.object, self.record);
        let readable = &self.caller.scope.of(&object.name).readable;
        let title = object.field(object.title.as_str()).filter(|field| readable.contains(&field.name));
        let title = title.and_then(|field| record.fields.get(&field.id)).map(Value::canonical);
        UndoItem {
            object: object.name.clone(),
            id: record.id,
            title,
            action,
            state,
            fields: Vec::new(),
            since: Vec::new(),
            reason: None,
            version: record.version,
            last_job: self.trace.last_job,
            changes: FieldChanges::new(),
        }
    }

    /// A record that the target made or restored goes, unless somebody has put something into it since.
    fn deletion(&self) -> UndoItem {
        let mut item = self.new_item(UndoAction::Delete, UndoState::Can);
        if self.record.is_deleted() {
            item.state = UndoState::Done;
            return item;
        }
        let mut since: BTreeMap<u64, Since> = BTreeMap::new();
        for (field, (found, later)) in &self.trace.since {
            if self.record.fields.get(field) != found.as_ref() {
                self.note(&mut since, later, Some(*field));
            }
        }
        if !since.is_empty() {
            item.state = UndoState::ChangedSince;
            item.since = since.into_values().rev().collect();
        } else if self.trace.since_expired {
            item.state = UndoState::Expired;
        }
        item
    }

    /// A record that the target deleted comes back, then its fields.
    fn restoration(&self, alive: &Traced<bool>) -> UndoItem {
        if alive.left {
            return self.deleted_since();
        }
        let mut item = self.new_item(UndoAction::Restore, UndoState::Can);
        if self.trace.expired {
            item.state = UndoState::Partly;
            return item;
        }
        self.fields(&mut item);
        if item.fields.iter().any(|field| !matches!(field.state, UndoState::Can | UndoState::Done)) {
            item.state = UndoState::Partly;
        }
        item
    }

    fn update(&self) -> Option<UndoItem> {
        let has_effect =
            self.trace.fields.iter().any(|(id, field)| field.has_effect() && self.is_stored(*id));
        if !has_effect && !self.trace.expired {
            let undone = self.trace.alive.as_ref().is_some_and(Traced::has_effect);
            return undone.then(|| self.new_item(UndoAction::Restore, UndoState::Done));
        }
        if self.record.is_deleted() {
            return Some(self.deleted_since());
        }
        let mut item = self.new_item(UndoAction::Update, UndoState::Can);
        if self.trace.expired {
            item.state = UndoState::Expired;
            return Some(item);
        }
        let states = self.fields(&mut item);
        let has = |state| states.contains(&state);
        item.state = match (has(UndoState::Can), has(UndoState::ChangedSince), has(UndoState::Refused)) {
            (true, false, false) => UndoState::Can,
            (true, ..) => UndoState::Partly,
            (false, true, _) => UndoState::ChangedSince,
            (false, false, true) => UndoState::Refused,
            (false, false, false) => UndoState::Done,
        };
        if item.state == UndoState::Refused {
            item.reason = self.denied();
        }
        Some(item)
    }

    /// Somebody else deleted the record, so that its fields cannot go back.
    fn deleted_since(&self) -> UndoItem {
        let mut item = self.new_item(UndoAction::Update, UndoState::ChangedSince);
        let mut since = BTreeMap::new();
        if let Some(moved) = &self.trace.moved {
            self.note(&mut since, moved, None);
        }
        item.since = since.into_values().collect();
        item
    }

    fn is_stored(&self, field: FieldId) -> bool {
        self.object.field_by_id(field).is_some_and(|field| field.computed.is_none())
    }

    /// Adds the fields that the target changed to an item; returns how they stand, those that the caller may not read too.
    fn fields(&self, item: &mut UndoItem) -> Vec<UndoState> {
        let scope = self.caller.scope.of(&self.object.name);
        let (mut since, mut states) = (BTreeMap::new(), Vec::new());
        for (id, traced) in self.trace.fields.iter().filter(|(_, traced)| traced.has_effect()) {
            let Some(field) = self.object.field_by_id(*id).filter(|field| field.computed.is_none()) else {
                continue;
            };
            let now = self.record.fields.get(id);
            let state = if now == traced.back_to.as_ref() {
                UndoState::Done
            } else if now != traced.left.as_ref() {
                UndoState::ChangedSince
            } else if scope.writable.contains(&field.name) {
                UndoState::Can
            } else {
                UndoState::Refused
            };
            match (state, &traced.later) {
                (UndoState::Can, _) => drop(item.changes.insert(*id, traced.back_to.clone())),
                (UndoState::ChangedSince, Some(later)) => self.note(&mut since, later, Some(*id)),
                _ => {}
            }
            states.push(state);
            if scope.readable.contains(&field.name) {
                let (now, back_to) = (now.cloned(), traced.back_to.clone());
                item.fields.push(UndoField { field: field.name.clone(), now, back_to, state });
            }
        }
        item.since = since.into_values().rev().collect();
        states
    }

    /// Why none of the fields may be written.
    fn denied(&self) -> Option<UndoReason> {
        let scope = self.caller.scope.of(&self.object.name);
        let mut fields = self.trace.fields.keys().filter_map(|id| self.object.field_by_id(*id));
        let field = fields.find(|field| !scope.writable.contains(&field.name))?;
        let error = if scope.readable.contains(&field.name) {
            Error::FieldDenied { object: self.object.name.clone(), field: field.name.clone() }
        } else {
            Error::OutOfScope { object: self.object.name.clone() }
        };
        Some(UndoReason { code: error.code(), text: error.text() })
    }

    /// Adds a field to what a later change touched.
    fn note(&self, since: &mut BTreeMap<u64, Since>, later: &Later, field: Option<FieldId>) {
        let Later { number, time_ms, actor } = later.clone();
        let noted = since.entry(number).or_insert(Since { fields: Vec::new(), number, time_ms, actor });
        let readable = &self.caller.scope.of(&self.object.name).readable;
        let field = field.and_then(|field| self.object.field_by_id(field));
        noted
            .fields
            .extend(field.filter(|field| readable.contains(&field.name)).map(|field| field.name.clone()));
    }
}
