//! The order of results: sort values, each ascending or descending, then the id.

use std::cmp::Ordering;

use trellis_model::{FieldType, Path, Record, RecordId, Sort, SystemField, bilingual};

use super::compile::{Compiler, Source};
use crate::index::{Column, encode};
use crate::schema::Object;
use crate::{Error, Records, Result};

/// The order that a query asks for.
#[derive(Debug, Clone)]
pub(super) struct Order {
    parts: Vec<(Source, bool)>,
}

/// Where a record stands in an order: its encoded sort values and id. The same in indexes, in cursors and here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) values: Vec<Vec<u8>>,
    pub(super) id: RecordId,
}

impl Order {
    pub(super) fn new(compiler: &Compiler<'_>, object: &Object, sorts: &[Sort]) -> Result<Self> {
        let mut parts = Vec::with_capacity(sorts.len());
        for sort in sorts {
            let source = compiler.source(object, &sort.path, &sort.path.0)?;
            let sortable = match &source {
                Source::Column(Column::Field(id)) => {
                    object.field_by_id(*id).is_some_and(|field| field.field_type.is_sortable())
                }
                Source::Column(Column::System(_)) | Source::Derived(_, None) | Source::Quality(..) => true,
                Source::Derived(_, Some(kind)) | Source::Formula(_, kind) => kind.is_sortable(),
                Source::Follow(_) => false,
            };
            if !sortable {
                let (plural, path) = (&object.plural, &sort.path);
                return Err(Error::Query(bilingual!(
                    "{plural} cannot be sorted by `{path}`",
                    "{plural} 不能按 `{path}` 排序"
                )));
            }
            parts.push((source, sort.descending));
        }
        // An id holds the time at which its record was created: both orders are the one of the records themselves.
        if let [(Source::Column(Column::System(SystemField::Id | SystemField::CreatedAt)), descending)] =
            *parts.as_slice()
        {
            return Ok(Self { parts: vec![(Source::Column(Column::System(SystemField::Id)), descending)] });
        }
        Ok(Self { parts })
    }

    /// Whether records come by id.
    pub(super) fn by_id(&self) -> bool {
        matches!(self.parts.as_slice(), [] | [(Source::Column(Column::System(SystemField::Id)), _)])
    }

    /// The one column that decides, other than the id.
    pub(super) fn column(&self) -> Option<Column> {
        match self.parts.as_slice() {
            [(Source::Column(column), _)] if !self.by_id() => Some(*column),
            _ => None,
        }
    }

    /// The one derived field that decides before the id, with the type of its values where that is known.
    pub(super) fn derived(&self) -> Option<(&Path, Option<&FieldType>)> {
        match self.parts.as_slice() {
            [(Source::Derived(path, kind), _)] => Some((path, kind.as_ref())),
            _ => None,
        }
    }

    /// Whether the id is sorted downwards: as the last field is.
    pub(super) fn descending(&self) -> bool {
        self.parts.last().is_some_and(|(_, descending)| *descending)
    }

    /// How many sort values a place has.
    pub(super) fn values(&self) -> usize {
        if self.by_id() { 0 } else { self.parts.len() }
    }

    pub(super) fn compare(&self, a: &Place, b: &Place) -> Ordering {
        for ((a, b), (_, descending)) in a.values.iter().zip(&b.values).zip(&self.parts) {
            let ordering = if *descending { b.cmp(a) } else { a.cmp(b) };
            if ordering.is_ne() {
                return ordering;
            }
        }
        if self.descending() { b.id.cmp(&a.id) } else { a.id.cmp(&b.id) }
    }
}

impl Records {
    /// Where a record stands in an order.
    pub(super) async fn place(&self, order: &Order, record: &Record) -> Result<Place> {
        let mut values = Vec::with_capacity(order.values());
        if !order.by_id() {
            let derived = self.derived();
            for (source, _) in &order.parts {
                let value = self.value(source, record, derived.as_deref()).await?;
                let mut encoded = Vec::new();
                encode::append(&mut encoded, value.as_ref());
                values.push(encoded);
            }
        }
        Ok(Place { values, id: record.id })
    }
}
