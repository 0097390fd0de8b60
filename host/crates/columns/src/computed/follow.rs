//! From the records and the log to columns.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use trellis_model::{ChangeKind, FieldId, ObjectId, Record, RecordId, Value};
use trellis_records::{Children, EntryBody, LogEntry, LoggedChange};

use super::column::Column;
use super::figure::{Figure, Sofar};
use super::kept::{Kept, Source};
use super::{Fresh, State};
use crate::{Columns, Result};

/// Records that are read at once while a column is read.
const PAGE_ROWS: usize = 5_000;

/// What some log entries touched.
#[derive(Debug, Default)]
struct Touched {
    /// For each roll-up by place, the parents whose figure is to be computed anew.
    parents: HashMap<usize, BTreeSet<RecordId>>,
    /// Records whose stored formulas are to be computed anew.
    ordinals: HashSet<(ObjectId, u64)>,
}

impl Columns {
    /// Follows the log up to the head that it has now.
    pub(super) async fn follow_log(&self, state: &mut State) -> Result<()> {
        let head = self.records.log_head();
        while state.cursor < head {
            let entries = self.records.log_after(state.cursor, self.config.log_page_entries).await?;
            let Some(last) = entries.last() else { break };
            let mut touched = Touched::default();
            for place in 0..state.kept.len() {
                self.touch(state, place, &entries, &mut touched).await?;
            }
            self.compute_anew(state, &touched).await?;
            for kept in &mut state.kept {
                kept.fresh.retain(|_, (_, to)| *to > last.position);
            }
            state.cursor = last.number;
        }
        Ok(())
    }

    /// Notes what some entries mean for one column.
    async fn touch(
        &self,
        state: &mut State,
        place: usize,
        entries: &[LogEntry],
        touched: &mut Touched,
    ) -> Result<()> {
        let Some(kept) = state.kept.get_mut(place).filter(|kept| kept.column.is_some()) else {
            return Ok(());
        };
        let (child, children, figure) = match &kept.source {
            Source::Formula(_) => {
                let changed = entries.iter().flat_map(changes).filter(|change| change.object == kept.object);
                let alive = changed.filter(|change| change.kind != ChangeKind::Deleted);
                touched.ordinals.extend(alive.filter_map(|change| Some((change.object, change.ordinal?))));
                return Ok(());
            }
            Source::RollUp { child, roll_up, figure } => {
                if !entries.iter().flat_map(changes).any(|change| change.object == *child) {
                    return Ok(());
                }
                (*child, self.records.children(roll_up)?, figure.clone())
            }
        };
        for entry in entries {
            for change in changes(entry).iter().filter(|change| change.object == child) {
                if change.kind == ChangeKind::Updated && change.fields.is_none() {
                    // Whose child it was before, nobody can tell any more.
                    kept.column = None;
                    return Ok(());
                }
                let dirty = touched.parents.entry(place).or_default();
                match created(change) {
                    Some(record) => {
                        if let Some((parent, record)) = self.records.as_child(&children, record).await? {
                            self.add(
                                kept,
                                &figure,
                                entry.position,
                                (parent, &record),
                                dirty,
                                &mut touched.ordinals,
                            )
                            .await?;
                        }
                    }
                    None => dirty.extend(self.parents(&children, change).await?),
                }
            }
        }
        Ok(())
    }

    /// Adds a new child to its parent's figure, where that is known not to have it.
    async fn add(
        &self,
        kept: &mut Kept,
        figure: &Figure,
        position: u64,
        (parent, child): (RecordId, &Record),
        dirty: &mut BTreeSet<RecordId>,
        ordinals: &mut HashSet<(ObjectId, u64)>,
    ) -> Result<()> {
        let (from, to) = kept.fresh.get(&parent).copied().unwrap_or(kept.window);
        if dirty.contains(&parent) || position <= from {
            return Ok(());
        }
        let ordinal = self.records.ordinal_of(kept.object, parent).await?;
        let (Some(ordinal), Some(column)) = (ordinal, kept.column.as_mut()) else { return Ok(()) };
        match figure.with(column.get(ordinal), child).filter(|_| position > to) {
            Some(cell) => {
                Arc::make_mut(column).set(ordinal, cell);
                ordinals.insert((kept.object, ordinal));
            }
            None => drop(dirty.insert(parent)),
        }
        Ok(())
    }

    /// The parents that a change of a child concerns: that which it has, and that which it had.
    async fn parents(&self, children: &Children, change: &LoggedChange) -> Result<Vec<RecordId>> {
        if let (ChangeKind::Updated, Some(fields)) = (change.kind, &change.fields)
            && !fields.keys().any(|field| children.is_relevant(*field))
        {
            return Ok(Vec::new());
        }
        let moved = change.fields.as_ref().and_then(|fields| fields.get(&children.reference()));
        let sides = moved.into_iter().flat_map(|moved| [&moved.before, &moved.after]);
        let mut parents: Vec<RecordId> = sides.flatten().filter_map(reference).collect();
        let now = self.records.stored_value(change.object, change.id, children.reference()).await?;
        parents.extend(now.as_ref().and_then(reference));
        Ok(parents)
    }

    /// Computes figures and formulas from the records as they are.
    async fn compute_anew(&self, state: &mut State, touched: &Touched) -> Result<()> {
        if touched.ordinals.is_empty() && touched.parents.values().all(BTreeSet::is_empty) {
            return Ok(());
        }
        let mut ordinals = touched.ordinals.clone();
        for (place, parents) in &touched.parents {
            let Some(kept) = state.kept.get_mut(*place) else { continue };
            let Source::RollUp { roll_up, figure, .. } = &kept.source else { continue };
            let (children, figure) = (self.records.children(roll_up)?, figure.clone());
            for parent in parents {
                let Some(ordinal) = self.records.ordinal_of(kept.object, *parent).await? else { continue };
                let page = self.records.children_of(&children, *parent).await?;
                let mut sofar = Sofar::default();
                page.records.iter().for_each(|(_, child)| figure.add(&mut sofar, child));
                if let Some(column) = kept.column.as_mut() {
                    Arc::make_mut(column).set(ordinal, figure.cell(sofar));
                }
                kept.fresh.insert(*parent, (page.from.0, page.to.0));
                ordinals.insert((kept.object, ordinal));
            }
        }
        // Formulas read the roll-ups that readers see.
        self.computed.publish(state);
        let mut changed = false;
        for kept in state.kept.iter_mut().filter(|kept| matches!(kept.source, Source::Formula(_))) {
            let Some(column) = kept.column.as_mut() else { continue };
            let of_object = ordinals.iter().filter(|(object, _)| *object == kept.object);
            let of_object: Vec<u64> = of_object.map(|(_, ordinal)| *ordinal).collect();
            for id in self.records.ordinal_ids(kept.object, &of_object).await?.into_iter().flatten() {
                let record = self.records.stored_record(kept.object, id).await?;
                let ordinal = record.as_ref().and_then(|record| record.ordinal);
                if let Some((record, ordinal)) = record.zip(ordinal) {
                    let value = self.records.computed_value(&record, kept.field.id);
                    let form = column.form();
                    Arc::make_mut(column).set(ordinal, value.and_then(|value| form.cell(&value)));
                    changed = true;
                }
            }
        }
        if changed {
            self.computed.publish(state);
        }
        Ok(())
    }

    /// Reads columns that are not there yet from the records. What changes meanwhile comes by the log.
    pub(super) async fn build_missing(self: &Arc<Self>, state: &mut State) -> Result<()> {
        for place in 0..state.kept.len() {
            let Some(kept) = state.kept.get_mut(place).filter(|kept| kept.column.is_none()) else { continue };
            self.ensure_population(kept.object).await?;
            match kept.source.clone() {
                Source::RollUp { roll_up, figure, .. } => {
                    let children = self.records.children(&roll_up)?;
                    self.build_roll_up(kept, &children, &figure).await?;
                }
                Source::Formula(form) => {
                    let (mut column, mut after) = (Column::new(form, false), None);
                    loop {
                        let (records, next) =
                            self.records.records_after(&kept.object_name, after, PAGE_ROWS).await?;
                        for record in records {
                            let value = self.records.computed_value(&record, kept.field.id);
                            if let Some(ordinal) = record.ordinal {
                                column.set(ordinal, value.and_then(|value| form.cell(&value)));
                            }
                        }
                        after = match next {
                            Some(next) => Some(next),
                            None => break,
                        };
                    }
                    kept.column = Some(Arc::new(column));
                }
            }
            self.computed.publish(state);
        }
        Ok(())
    }

    async fn build_roll_up(&self, kept: &mut Kept, children: &Children, figure: &Figure) -> Result<()> {
        let mut figures: HashMap<RecordId, Sofar> = HashMap::new();
        let (mut after, mut from, mut to) = (None, None, 0);
        loop {
            let page = self.records.all_children(children, after, PAGE_ROWS).await?;
            from = from.or(Some(page.from.0));
            to = to.max(page.to.0);
            for (parent, child) in &page.records {
                figure.add(figures.entry(*parent).or_default(), child);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let mut column = Column::new(figure.form, figure.has_zero());
        let mut after = None;
        loop {
            let page = self.records.ordinals_after(kept.object, after, PAGE_ROWS).await?;
            for (ordinal, id) in &page {
                if let Some(sofar) = figures.remove(id) {
                    column.set(*ordinal, figure.cell(sofar));
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == PAGE_ROWS => after = Some(*last),
                _ => break,
            }
        }
        kept.column = Some(Arc::new(column));
        kept.window = (from.unwrap_or_default(), to);
        kept.fresh = Fresh::new();
        Ok(())
    }
}

fn changes(entry: &LogEntry) -> &[LoggedChange] {
    match &entry.body {
        EntryBody::Changes(changes) => changes,
        EntryBody::Event { .. } => &[],
    }
}

/// A record as it was created, where the entry still says what with.
fn created(change: &LoggedChange) -> Option<Record> {
    if change.kind != ChangeKind::Created {
        return None;
    }
    let fields = change.fields.as_ref()?;
    let fields: Vec<(FieldId, Value)> =
        fields.iter().filter_map(|(field, change)| Some((*field, change.after.clone()?))).collect();
    let created_at_ms = created_at_ms(change.id);
    Some(Record {
        id: change.id,
        object: change.object,
        version: 0,
        ordinal: change.ordinal,
        created_at_ms,
        updated_at_ms: created_at_ms,
        deleted_at_ms: None,
        last_log: 0,
        fields: fields.into_iter().collect(),
    })
}

/// The time that an id holds.
fn created_at_ms(id: RecordId) -> i64 {
    id.as_bytes().iter().take(6).fold(0_i64, |time, byte| time << 8 | i64::from(*byte))
}

fn reference(value: &Value) -> Option<RecordId> {
    match value {
        Value::Reference(id) => Some(*id),
        _ => None,
    }
}
