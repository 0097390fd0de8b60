//! What a roll-up says about some children.

use trellis_model::{FieldId, FieldType, Record, RecordId, RollUpFunction, SystemField, Value};

use super::column::{Cell, Form};

/// A roll-up's function with what it reads of a child.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) function: RollUpFunction,
    /// What is computed; none for a count.
    pub(super) field: Option<FieldId>,
    /// The date or time that says which child is the last.
    pub(super) by: By,
    pub(super) form: Form,
}

/// What says which child is the last.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    Created,
    Updated,
    Field(FieldId),
}

impl By {
    fn of(self, record: &Record) -> Option<i64> {
        match self {
            Self::Created => Some(record.created_at_ms),
            Self::Updated => Some(record.updated_at_ms),
            Self::Field(field) => match record.fields.get(&field)? {
                Value::Date(date) => Some(i64::from(Value::days_of(*date))),
                Value::Time(time) => Some(time.as_millisecond()),
                _ => None,
            },
        }
    }

    pub(super) fn system(field: SystemField) -> Self {
        if field == SystemField::UpdatedAt { Self::Updated } else { Self::Created }
    }
}

/// A figure over the children seen so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Sofar {
    /// Of exact sums and counts.
    whole: i128,
    number: f64,
    best: Option<(i128, RecordId, Cell)>,
}

impl Figure {
    /// Whether zero stands where there are no children.
    pub(super) fn has_zero(&self) -> bool {
        matches!(self.function, RollUpFunction::Count | RollUpFunction::Sum)
    }

    /// Adds a child. Children come in the order of their ids, so that sums of fractions are always the same.
    pub(super) fn add(&self, sofar: &mut Sofar, child: &Record) {
        let Some(field) = self.field else {
            sofar.whole += 1;
            return;
        };
        let Some(cell) = child.fields.get(&field).and_then(|value| self.form.cell(value)) else { return };
        match (self.function, &cell) {
            (RollUpFunction::Sum, Cell::Number(number)) => sofar.number += number,
            (RollUpFunction::Sum | RollUpFunction::Count, cell) => sofar.whole += cell.key(),
            (RollUpFunction::Min, _) => {
                let key = cell.key();
                if sofar.best.as_ref().is_none_or(|(best, ..)| key < *best) {
                    sofar.best = Some((key, child.id, cell));
                }
            }
            (RollUpFunction::Max, _) => {
                let key = cell.key();
                if sofar.best.as_ref().is_none_or(|(best, ..)| key > *best) {
                    sofar.best = Some((key, child.id, cell));
                }
            }
            (RollUpFunction::Last, _) => {
                let Some(by) = self.by.of(child) else { return };
                let place = (i128::from(by), child.id);
                if sofar.best.as_ref().is_none_or(|(best, id, _)| place > (*best, *id)) {
                    sofar.best = Some((place.0, place.1, cell));
                }
            }
        }
    }

    /// The figure as the column keeps it; null where a sum is beyond what its type holds.
    pub(super) fn cell(&self, sofar: Sofar) -> Option<Cell> {
        match (self.function, self.form) {
            (RollUpFunction::Count | RollUpFunction::Sum, Form::Money(_)) => Some(Cell::Minor(sofar.whole)),
            (RollUpFunction::Sum, Form::Number) => Some(Cell::Number(sofar.number)).filter(is_finite),
            (RollUpFunction::Count | RollUpFunction::Sum, _) => {
                i64::try_from(sofar.whole).ok().map(Cell::Whole)
            }
            _ => sofar.best.map(|(_, _, cell)| cell),
        }
    }

    /// The figure with one more child, from the figure without it; `None` where that does not say it.
    pub(super) fn with(&self, before: Option<Cell>, child: &Record) -> Option<Option<Cell>> {
        let cell = match self.field {
            None => Some(Cell::Whole(1)),
            Some(field) => child.fields.get(&field).and_then(|value| self.form.cell(value)),
        };
        let Some(cell) = cell else { return Some(before) };
        match (self.function, before, cell) {
            (RollUpFunction::Count | RollUpFunction::Sum, Some(Cell::Whole(before)), Cell::Whole(more)) => {
                Some(Some(Cell::Whole(before.checked_add(more)?)))
            }
            (RollUpFunction::Sum, Some(Cell::Minor(before)), Cell::Minor(more)) => {
                Some(Some(Cell::Minor(before.checked_add(more)?)))
            }
            (RollUpFunction::Min, Some(before), cell) => {
                Some(Some(if cell.key() < before.key() { cell } else { before }))
            }
            (RollUpFunction::Max, Some(before), cell) => {
                Some(Some(if cell.key() > before.key() { cell } else { before }))
            }
            (RollUpFunction::Min | RollUpFunction::Max, None, cell) => Some(Some(cell)),
            _ => None,
        }
    }
}

fn is_finite(cell: &Cell) -> bool {
    matches!(cell, Cell::Number(number) if number.is_finite())
}

/// The form of a roll-up's column: a count is a whole number whatever the field's type says.
pub(super) fn form(function: RollUpFunction, field_type: &FieldType, base: trellis_model::Currency) -> Form {
    if function == RollUpFunction::Count { Form::Integer } else { Form::of(field_type, base) }
}
