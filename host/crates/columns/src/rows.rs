//! Datasets of rows: the records of an object in an order, with fields of their own and of what they refer to.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::json;
use trellis_model::{
    Batch, Column, FieldDefinition, FieldId, FieldName, FieldType, Filter, ObjectDefinition, ObjectName, Op,
    Record, RecordId, Scope, Value,
};
use trellis_records::{Records, Schema, Selection};

use crate::dataset::plan_field;
use crate::features::today;
use crate::fields::{Builder, Titles};
use crate::room::Room;
use crate::stream::withheld;
use crate::wait::{off_thread, wait};
use crate::{AsOf, Columns, Error, GoOn, Result};

/// Records that references point at and that are kept while batches are made; rows that follow each other often share them.
const TARGETS_KEPT_MAX: usize = 8_192;

/// What is read of the records of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsSpec {
    /// Whose records the rows are; it needs no ordinals.
    pub object: ObjectName,
    /// Which of them.
    pub filter: Filter,
    /// Their order: ascending by these fields, nulls first, and then by id.
    pub order_by: Vec<FieldName>,
    /// The field that is their time: a date or a time. What lies after the day asked for, or has none, is no row. Without it all are.
    pub time: Option<FieldName>,
    /// The columns in the order in which batches hold them.
    pub columns: Vec<RowsColumn>,
}

/// A column of a dataset of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsColumn {
    /// Its name within batches.
    pub name: String,
    /// Where its values come from.
    pub source: RowsSource,
    /// Whether the reader may not see it: then no row has a value.
    pub withheld: bool,
}

/// Where the values of a column of a dataset of rows come from. Texts come as a dictionary; so do references to records without ordinals,
/// as their ids, while those to records with ordinals come as these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowsSource {
    /// A field of the record, as it is now.
    Field(FieldName),
    /// A field of the record that references lead to from it, as it is now.
    Through {
        /// The references, one after the other.
        references: Vec<FieldName>,
        /// The field.
        field: FieldName,
    },
}

/// The rows of a dataset of rows, batch by batch. Blocking: for a worker thread.
///
/// Which rows there are, and their order, is decided when it is opened: it holds their ids, 16 bytes a row. What stands in them is read when
/// their batch is made; a row whose record was deleted meanwhile is there without values.
#[derive(Debug, Clone)]
pub struct RowsStream {
    records: Arc<Records>,
    plan: Arc<RowsPlan>,
    ids: Arc<[RecordId]>,
    next: usize,
    batch_rows: usize,
    bytes_max: usize,
}

/// A dataset resolved against the schema.
#[derive(Debug)]
struct RowsPlan {
    object: ObjectName,
    columns: Vec<PlannedColumn>,
    references: Vec<Reference>,
}

#[derive(Debug)]
struct PlannedColumn {
    name: String,
    field: Box<FieldDefinition>,
    /// The place of the reference that leads to the record of the field; `None` for the row's own.
    through: Option<usize>,
    /// The place of the field itself among the references, where it is one to records with ordinals.
    ordinals_of: Option<usize>,
    withheld: bool,
}

/// A reference that is followed.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    /// The place of the reference that leads to the record that has it; `None` for the row's own.
    through: Option<usize>,
    field: FieldId,
    object: ObjectName,
}

/// Records that were followed to, by reference.
type Targets = Vec<HashMap<RecordId, Option<Record>>>;

impl Columns {
    /// Opens a dataset of rows. Everything that was acknowledged before the call is in. It goes once over the records, and holds what
    /// decides their order until they are sorted.
    ///
    /// A batch has at most `batch_rows` rows, and at most what [`crate::Config`] allows; its ordinals are the places of the rows, from 0.
    ///
    /// # Errors
    /// [`crate::Error::UnknownObject`], [`crate::Error::InvalidDataset`], those of reading records, such as that there are over
    /// `dataset_rows_max` of them.
    pub async fn rows_dataset(
        self: &Arc<Self>,
        spec: &RowsSpec,
        as_of: AsOf,
        batch_rows: usize,
    ) -> Result<RowsStream> {
        self.rows_dataset_while(spec, as_of, batch_rows, GoOn::default()).await
    }

    /// As [`Columns::rows_dataset`], for as long as it is wanted.
    ///
    /// # Errors
    /// Those, and that it was cancelled.
    pub async fn rows_dataset_while(
        self: &Arc<Self>,
        spec: &RowsSpec,
        as_of: AsOf,
        batch_rows: usize,
        go_on: GoOn,
    ) -> Result<RowsStream> {
        let this = Arc::clone(self);
        let schema = self.records.schema();
        let plan = Arc::new(RowsPlan::of(&schema, spec)?);
        let day = match as_of {
            AsOf::Now => today(&self.records)?,
            AsOf::Date(date) => date,
        };
        let filter = [up_to(&self.records, &schema, spec, day)?];
        let (object, order_by) = (spec.object.clone(), spec.order_by.clone());
        off_thread(async move {
            let (everything, rows_max) = (Scope::everything(), this.config.dataset_rows_max);
            let selection = Selection { object: &object, of: None, filters: &filter, today: Some(day) };
            let go_on = || go_on.is_wanted();
            let ids = this.records.matching_in_order(&everything, &selection, &order_by, rows_max, &go_on);
            let ids = ids.await?;
            Ok(RowsStream {
                records: Arc::clone(&this.records),
                plan,
                ids: ids.into(),
                next: 0,
                batch_rows: batch_rows.clamp(1, this.config.batch_rows_max),
                bytes_max: this.config.batch_bytes_max,
            })
        })
        .await
    }
}

/// The filter of a dataset with what its time says.
fn up_to(records: &Records, schema: &Schema, spec: &RowsSpec, day: Date) -> Result<Filter> {
    let Some(time) = &spec.time else { return Ok(spec.filter.clone()) };
    let wrong = |reason: String| Error::InvalidDataset { column: time.to_string(), reason };
    let field = schema.object(spec.object.as_str()).and_then(|object| object.field(time.as_str()));
    let field = field.ok_or_else(|| wrong(format!("`{}` has no field `{time}`", spec.object)))?;
    let (op, value) = match field.field_type {
        FieldType::Date => (Op::Lte, json!(day.to_string())),
        FieldType::Time => (Op::Lt, json!(next_day(records, day).map_err(wrong)?)),
        _ => return Err(wrong(format!("a {} is no time", field.field_type.name()))),
    };
    let until = Filter::compare(time.as_str(), op, value).map_err(trellis_records::Error::from)?;
    Ok(Filter::And(vec![spec.filter.clone(), until]))
}

/// The moment at which the day after a day begins, in the organisation's time zone.
fn next_day(records: &Records, date: Date) -> Result<String, String> {
    let next = date.tomorrow().and_then(|day| day.to_zoned(records.config().time_zone.clone()));
    next.map(|next| next.timestamp().to_string())
        .map_err(|error| format!("{date} is no day that can be counted to: {error}"))
}

impl RowsStream {
    /// Returns the next batch, `None` at the end.
    ///
    /// # Errors
    /// Those of reading records.
    #[expect(clippy::should_implement_trait, reason = "fallible, and rewinds")]
    pub fn next(&mut self) -> Result<Option<Batch>> {
        let rest = self.ids.get(self.next..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let room = Room::new(self.batch_rows.min(rest.len()), self.plan.columns.len(), self.bytes_max);
        let part = rest.get(..room.rows()).unwrap_or(rest);
        let (columns, rows) = wait(self.plan.read(&self.records, part, &room))?;
        let first = self.next as u64;
        self.next += rows;
        let ordinals = (first..self.next as u64).collect();
        Ok(Some(Batch { rows: u32::try_from(rows).unwrap_or(u32::MAX), ordinals, columns }))
    }

    /// Starts again from the first row.
    pub fn rewind(&mut self) {
        self.next = 0;
    }

    /// How many rows there are in all.
    pub fn rows(&self) -> u64 {
        self.ids.len() as u64
    }
}

impl RowsPlan {
    fn of(schema: &Schema, spec: &RowsSpec) -> Result<Self> {
        let unknown = || Error::UnknownObject { object: spec.object.to_string() };
        let object = schema.object(spec.object.as_str()).ok_or_else(unknown)?;
        let mut plan = Self { object: object.name.clone(), columns: Vec::new(), references: Vec::new() };
        for (place, column) in spec.columns.iter().enumerate() {
            let wrong = |reason: String| Error::InvalidDataset { column: column.name.clone(), reason };
            if spec.columns.iter().take(place).any(|other| other.name == column.name) {
                return Err(wrong("the name is there twice".into()));
            }
            let planned = plan.column(schema, object, column).map_err(wrong)?;
            plan.columns.push(planned);
        }
        Ok(plan)
    }

    fn column(
        &mut self,
        schema: &Schema,
        object: &ObjectDefinition,
        column: &RowsColumn,
    ) -> Result<PlannedColumn, String> {
        let (references, name): (&[FieldName], _) = match &column.source {
            RowsSource::Field(field) => (&[], field),
            RowsSource::Through { references, field } => (references, field),
        };
        let (mut of, mut through) = (object, None);
        for reference in references {
            let found = of.field(reference.as_str());
            let found = found.ok_or_else(|| format!("`{}` has no field `{reference}`", of.name))?;
            let FieldType::Reference { object: target } = &found.field_type else {
                return Err(format!("`{}.{reference}` is no reference", of.name));
            };
            let target =
                schema.object(target.as_str()).ok_or_else(|| format!("there is no object `{target}`"))?;
            through = Some(self.reference(through, found.id, &target.name));
            of = target.as_ref();
        }
        let field = plan_field(schema, of, name)?;
        let ordinals_of = match &field.field_type {
            FieldType::Reference { object } => {
                let target = schema.object(object.as_str()).filter(|target| target.ordinals);
                target.map(|target| self.reference(through, field.id, &target.name))
            }
            _ => None,
        };
        Ok(PlannedColumn {
            name: column.name.clone(),
            field,
            through,
            ordinals_of,
            withheld: column.withheld,
        })
    }

    /// The place of a reference among those that are followed.
    fn reference(&mut self, through: Option<usize>, field: FieldId, object: &ObjectName) -> usize {
        let reference = Reference { through, field, object: object.clone() };
        let known = self.references.iter().position(|known| *known == reference);
        known.unwrap_or_else(|| {
            self.references.push(reference);
            self.references.len() - 1
        })
    }

    /// Reads the first of `ids`: all of them, or as many as there is room for, but at least one. Returns the columns and how many rows they have.
    async fn read(&self, records: &Records, ids: &[RecordId], room: &Room) -> Result<(Vec<Column>, usize)> {
        let (everything, base) = (Scope::everything(), records.config().base_currency);
        let builder = |column: &PlannedColumn| {
            Builder::of(&column.field.field_type, base, column.ordinals_of.is_some(), true)
        };
        let mut builders: Vec<Builder> = self.columns.iter().map(builder).collect();
        let mut targets: Targets = self.references.iter().map(|_| HashMap::new()).collect();
        let mut titles = Titles::default();
        let (mut rows, mut bytes) = (0, 0);
        for id in ids {
            let record = records.get(&everything, &self.object, *id).await?;
            self.follow(records, record.as_ref(), &mut targets).await?;
            let values: Vec<_> =
                self.columns.iter().map(|column| self.value(column, record.as_ref(), &targets)).collect();
            let mut texts = Vec::with_capacity(values.len());
            for ((builder, column), (value, _)) in builders.iter().zip(&self.columns).zip(&values) {
                let titles = titles.texts(records, &column.field.field_type, *value).await?;
                let of_column = builder.texts(*value, titles);
                bytes += builder.texts_bytes(&of_column);
                texts.push(of_column);
            }
            if !room.has(rows, bytes) {
                break;
            }
            for ((builder, (value, ordinal)), texts) in builders.iter_mut().zip(values).zip(texts) {
                builder.push(value, ordinal, texts, base);
            }
            rows += 1;
        }
        let columns = self.columns.iter().zip(builders).map(|(column, builder)| {
            let (valid, data) = builder.finish();
            let (valid, data) = if column.withheld { withheld(data) } else { (valid, data) };
            Column { name: column.name.clone(), valid, data }
        });
        Ok((columns.collect(), rows))
    }

    /// Has the records at hand that the references of a row lead to. A reference comes after the one that leads to it.
    async fn follow(&self, records: &Records, record: Option<&Record>, targets: &mut Targets) -> Result<()> {
        for (place, reference) in self.references.iter().enumerate() {
            let holder = self.holder(reference.through, record, targets);
            let Some(id) = holder.and_then(|holder| pointed_at(holder, reference.field)) else { continue };
            let Some(known) = targets.get_mut(place) else { continue };
            if known.contains_key(&id) {
                continue;
            }
            let mut target = records.get(&Scope::everything(), &reference.object, id).await?;
            if let Some(target) = &mut target {
                target.fields.retain(|field, _| self.is_read(place, *field));
            }
            if known.len() >= TARGETS_KEPT_MAX {
                known.clear();
            }
            known.insert(id, target);
        }
        Ok(())
    }

    /// Whether a field is read of the records that a reference leads to.
    fn is_read(&self, place: usize, field: FieldId) -> bool {
        self.columns.iter().any(|column| column.through == Some(place) && column.field.id == field)
            || self.references.iter().any(|next| next.through == Some(place) && next.field == field)
    }

    /// The record that has a field: the row's own, or the one that a reference of it leads to.
    fn holder<'r>(
        &self,
        through: Option<usize>,
        record: Option<&'r Record>,
        targets: &'r Targets,
    ) -> Option<&'r Record> {
        let Some(place) = through else { return record };
        let reference = self.references.get(place)?;
        let id = pointed_at(self.holder(reference.through, record, targets)?, reference.field)?;
        targets.get(place)?.get(&id)?.as_ref()
    }

    /// The value of a column, and the ordinal that it stands for.
    fn value<'r>(
        &self,
        column: &PlannedColumn,
        record: Option<&'r Record>,
        targets: &'r Targets,
    ) -> (Option<&'r Value>, Option<u64>) {
        let holder = self.holder(column.through, record, targets);
        let value = holder.and_then(|holder| holder.fields.get(&column.field.id));
        let target = column.ordinals_of.and_then(|place| self.holder(Some(place), record, targets));
        (value, target.and_then(|target| target.ordinal))
    }
}

fn pointed_at(record: &Record, field: FieldId) -> Option<RecordId> {
    match record.fields.get(&field) {
        Some(Value::Reference(id)) => Some(*id),
        _ => None,
    }
}
