//! The records that a roll-up is about.

use std::collections::BTreeSet;

use trellis_model::{
    FieldId, Filter, ObjectDefinition, ObjectId, ObjectName, Record, RecordId, RollUp, Scope, Value,
};
use trellis_storage::{Position, ScanRange};

use crate::index::{Column, encode};
use crate::query::Node;
use crate::schema::Object;
use crate::{Error, Records, Result, keys};

/// Rows that are read at once.
const PAGE_ROWS: usize = 200;

/// The children of a roll-up, resolved against the schema.
#[derive(Debug, Clone)]
pub struct Children {
    object: Object,
    reference: FieldId,
    filter: Option<Node>,
    /// The fields whose change can change a figure; `None` where any may.
    relevant: Option<BTreeSet<FieldId>>,
}

/// Some of the children, those that the filter matches, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildPage {
    /// Each with the record that it refers to.
    pub records: Vec<(RecordId, Record)>,
    /// Where to go on; `None` at the end.
    pub next: Option<RecordId>,
    /// Every commit up to this position is in the page.
    pub from: Position,
    /// No commit after this position is in the page.
    pub to: Position,
}

impl Children {
    /// The children's object.
    pub fn object(&self) -> &ObjectDefinition {
        &self.object
    }

    /// The reference to the record that the roll-up belongs to.
    pub fn reference(&self) -> FieldId {
        self.reference
    }

    /// Whether the change of a field of a child may change a figure.
    pub fn is_relevant(&self, field: FieldId) -> bool {
        self.relevant.as_ref().is_none_or(|relevant| relevant.contains(&field))
    }
}

impl Records {
    /// Finds the children of a roll-up.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::UnknownField`], and [`Error::Query`] for a filter that does not fit.
    pub fn children(&self, roll_up: &RollUp) -> Result<Children> {
        let object = self.object(&roll_up.object)?;
        let unknown =
            |field: &str| Error::UnknownField { object: roll_up.object.clone(), field: field.to_owned() };
        let reference =
            object.field(roll_up.reference.as_str()).ok_or_else(|| unknown(roll_up.reference.as_str()))?.id;
        let schema = self.schema();
        let filter = roll_up.filter.as_ref();
        let filter = filter.map(|filter| self.compiler(&schema, None).filter(&object, filter)).transpose()?;
        let mut names: BTreeSet<&str> = BTreeSet::from([roll_up.reference.as_str()]);
        names.extend(roll_up.field.iter().chain(&roll_up.by).map(|name| name.as_str()));
        if let Some(filter) = &roll_up.filter {
            compared(filter, &mut names);
        }
        let stored = |name: &&str| match Column::of(&object, name) {
            Some(Column::Field(id)) => {
                object.field_by_id(id).filter(|field| field.computed.is_none()).map(|field| field.id)
            }
            _ => None,
        };
        // `updated_at` and formulas change with any field.
        let relevant = names.iter().filter(|name| **name != "created_at").map(stored).collect();
        Ok(Children { object, reference, filter, relevant })
    }

    /// A page of all children, whatever they refer to, as long as they refer to something. For a thread that may block.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a record cannot be read.
    pub async fn all_children(
        &self,
        children: &Children,
        after: Option<RecordId>,
        rows_max: usize,
    ) -> Result<ChildPage> {
        let object = children.object.id;
        let mut range = ScanRange::prefix(&keys::records_of(object).done());
        if let Some(after) = after {
            range = range.after(&keys::record(object, after));
        }
        let page = self.store().scan(range, rows_max).await?;
        let mut found = ChildPage { records: Vec::new(), next: None, from: page.from, to: page.to };
        for row in &page.rows {
            let id =
                keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("a record's key is too short"))?;
            found.next = page.more.then_some(id);
            let versioned = trellis_storage::Versioned { position: row.position, value: row.value.clone() };
            let loaded = match self.decode(object, id, &row.key, &versioned).await? {
                Some(loaded) => Some(loaded),
                None => {
                    // Later than the page, so that the page says so.
                    let later = self.load(object, id).await?;
                    let range = ScanRange::prefix(&row.key);
                    found.to = found.to.max(self.store().scan(range, 1).await?.to);
                    later
                }
            };
            let Some(loaded) = loaded else { continue };
            self.take_child(children, loaded.record, None, &mut found.records).await?;
        }
        Ok(found)
    }

    /// The children of one record.
    ///
    /// # Errors
    /// As [`Records::all_children`].
    pub async fn children_of(&self, children: &Children, parent: RecordId) -> Result<ChildPage> {
        let index = children.object.indexes.of_reference(children.reference);
        let index = index.ok_or_else(|| {
            Error::damaged(format!("{} has no index for a reference", children.object.name))
        })?;
        let mut prefix = keys::index(children.object.id, index.number).done();
        encode::append(&mut prefix, Some(&Value::Reference(parent)));
        let mut range = ScanRange::prefix(&prefix);
        let mut found: Option<ChildPage> = None;
        loop {
            let page = self.store().scan(range.clone(), PAGE_ROWS).await?;
            let all = found.get_or_insert_with(|| ChildPage {
                records: Vec::new(),
                next: None,
                from: page.from,
                to: page.to,
            });
            for row in &page.rows {
                let id =
                    keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("an index key is too short"))?;
                if let Some(loaded) = self.load(children.object.id, id).await? {
                    self.take_child(children, loaded.record, Some(parent), &mut all.records).await?;
                }
            }
            // What is read of the records is later than the page of the index.
            all.to = self.store().scan(ScanRange::prefix(&prefix), 1).await?.to.max(page.to);
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => break,
            }
            tokio::task::yield_now().await;
        }
        let mut found = found.ok_or_else(|| Error::damaged("a scan gave no page"))?;
        // An index may begin with the reference and go on with another field.
        found.records.sort_by_key(|(_, record)| record.id);
        Ok(found)
    }

    async fn take_child(
        &self,
        children: &Children,
        record: Record,
        of: Option<RecordId>,
        records: &mut Vec<(RecordId, Record)>,
    ) -> Result<()> {
        let Some(Value::Reference(parent)) = record.fields.get(&children.reference) else { return Ok(()) };
        if record.is_deleted() || of.is_some_and(|of| of != *parent) {
            return Ok(());
        }
        let counts = match &children.filter {
            Some(filter) => self.matches(filter, &record).await?,
            None => true,
        };
        if counts {
            records.push((*parent, self.readable(&Scope::everything(), &children.object, record)));
        }
        Ok(())
    }

    /// A record as a child of another, with its computed fields; `None` where it is none that counts.
    ///
    /// # Errors
    /// As [`Records::all_children`].
    pub async fn as_child(&self, children: &Children, record: Record) -> Result<Option<(RecordId, Record)>> {
        let mut found = Vec::with_capacity(1);
        self.take_child(children, record, None, &mut found).await?;
        Ok(found.pop())
    }

    /// A record as it is stored, deleted or not, without computed fields.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it cannot be read.
    pub async fn stored_record(&self, object: ObjectId, id: RecordId) -> Result<Option<Record>> {
        Ok(self.load(object, id).await?.map(|loaded| loaded.record))
    }

    /// A field of a record as it is stored, deleted or not.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it cannot be read.
    pub async fn stored_value(
        &self,
        object: ObjectId,
        id: RecordId,
        field: FieldId,
    ) -> Result<Option<Value>> {
        Ok(self.stored_record(object, id).await?.and_then(|mut record| record.fields.remove(&field)))
    }

    /// The ordinal of a record, deleted or not.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it cannot be read.
    pub async fn ordinal_of(&self, object: ObjectId, id: RecordId) -> Result<Option<u64>> {
        Ok(self.stored_record(object, id).await?.and_then(|record| record.ordinal))
    }

    /// Records of an object by id, after one, deleted ones too, without computed fields. For a thread that may block.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Damaged`].
    pub async fn records_after(
        &self,
        object: &ObjectName,
        after: Option<RecordId>,
        rows_max: usize,
    ) -> Result<(Vec<Record>, Option<RecordId>)> {
        let object = self.object(object)?;
        let mut range = ScanRange::prefix(&keys::records_of(object.id).done());
        if let Some(after) = after {
            range = range.after(&keys::record(object.id, after));
        }
        let page = self.store().scan(range, rows_max).await?;
        let (mut records, mut next) = (Vec::with_capacity(page.rows.len()), None);
        for row in &page.rows {
            let id =
                keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("a record's key is too short"))?;
            next = page.more.then_some(id);
            records.extend(self.load(object.id, id).await?.map(|loaded| loaded.record));
        }
        Ok((records, next))
    }
}

/// The fields that a filter of a roll-up compares.
fn compared<'f>(filter: &'f Filter, names: &mut BTreeSet<&'f str>) {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter().for_each(|filter| compared(filter, names))
        }
        Filter::Not(filter) => compared(filter, names),
        Filter::Compare { path, .. } => names.extend(path.0.first().map(|name| name.as_str())),
        Filter::Related(_) => {}
    }
}
