//! The values of a computed field, by ordinal.

use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;
use trellis_model::{Currency, FieldType, Money, Value};

/// Ordinals of a chunk, which is what a change copies while somebody reads.
const CHUNK_ROWS: usize = 1_024;

/// How values of a type are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Integer,
    Bool,
    Date,
    Time,
    /// In minor units of the base currency.
    Money(Currency),
    Number,
    /// As values: texts.
    Any,
}

/// A value as a column keeps it; null is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Whole(i64),
    Minor(i128),
    Number(f64),
    Any(Value),
}

/// A value of each ordinal. Cloning it is cheap; clones share what did not change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    form: Form,
    /// Of ordinals that nothing was said about.
    absent: Option<Cell>,
    chunks: Vec<Option<Arc<Chunk>>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Chunk {
    valid: Vec<bool>,
    cells: Cells,
}

#[derive(Debug, Clone, PartialEq)]
enum Cells {
    Whole(Vec<i64>),
    Minor(Vec<i128>),
    Number(Vec<f64>),
    Any(Vec<Option<Value>>),
}

impl Form {
    pub(super) fn of(field_type: &FieldType, base: Currency) -> Self {
        match field_type {
            FieldType::Integer => Self::Integer,
            FieldType::Bool => Self::Bool,
            FieldType::Date => Self::Date,
            FieldType::Time => Self::Time,
            FieldType::Money => Self::Money(base),
            FieldType::Number => Self::Number,
            _ => Self::Any,
        }
    }

    /// The value as it is kept; `None` for one that is of another type, or that cannot be kept exactly.
    pub(super) fn cell(self, value: &Value) -> Option<Cell> {
        Some(match (self, value) {
            (Self::Integer, Value::Integer(number)) => Cell::Whole(*number),
            (Self::Bool, Value::Bool(flag)) => Cell::Whole(i64::from(*flag)),
            (Self::Date, Value::Date(date)) => Cell::Whole(i64::from(Value::days_of(*date))),
            (Self::Time, Value::Time(time)) => Cell::Whole(time.as_millisecond()),
            (Self::Money(base), Value::Money(money)) => Cell::Minor(i128::from(money.minor_units_in(base)?)),
            (Self::Number, Value::Number(number)) => Cell::Number(*number),
            (Self::Any, value) => Cell::Any(value.clone()),
            _ => return None,
        })
    }

    fn value(self, cell: Cell) -> Option<Value> {
        Some(match (self, cell) {
            (Self::Integer, Cell::Whole(number)) => Value::Integer(number),
            (Self::Bool, Cell::Whole(number)) => Value::Bool(number != 0),
            (Self::Date, Cell::Whole(days)) => Value::Date(Value::date_of_days(i32::try_from(days).ok()?)?),
            (Self::Time, Cell::Whole(ms)) => Value::Time(Timestamp::from_millisecond(ms).ok()?),
            (Self::Money(currency), Cell::Minor(units)) => {
                let amount = Decimal::try_from_i128_with_scale(units, currency.decimals()).ok()?.normalize();
                Value::Money(Money { amount, currency, base_amount: Some(amount) })
            }
            (Self::Number, Cell::Number(number)) => Value::Number(number),
            (_, Cell::Any(value)) => value,
            _ => return None,
        })
    }

    /// Whether values have a whole number that sorts as they do.
    fn is_ranked(self) -> bool {
        self != Self::Any
    }
}

impl Cell {
    /// A number that sorts as cells of the same form do.
    pub(super) fn key(&self) -> i128 {
        match self {
            Self::Whole(number) => i128::from(*number),
            Self::Minor(number) => *number,
            Self::Number(number) => {
                // Both zeros are the same to whoever compares.
                let bits = (number + 0.0).to_bits();
                i128::from(if bits >> 63 == 0 { bits | 1 << 63 } else { !bits })
            }
            Self::Any(_) => 0,
        }
    }
}

impl Chunk {
    fn new(form: Form, absent: Option<&Cell>) -> Self {
        let rows = CHUNK_ROWS;
        let cells = match form {
            Form::Integer | Form::Bool | Form::Date | Form::Time => Cells::Whole(vec![0; rows]),
            Form::Money(_) => Cells::Minor(vec![0; rows]),
            Form::Number => Cells::Number(vec![0.0; rows]),
            Form::Any => Cells::Any(vec![None; rows]),
        };
        // What is absent is null or the zero that cells begin with.
        Self { valid: vec![absent.is_some(); rows], cells }
    }

    fn get(&self, row: usize) -> Option<Cell> {
        if !self.valid.get(row).copied().unwrap_or(false) {
            return None;
        }
        match &self.cells {
            Cells::Whole(cells) => cells.get(row).copied().map(Cell::Whole),
            Cells::Minor(cells) => cells.get(row).copied().map(Cell::Minor),
            Cells::Number(cells) => cells.get(row).copied().map(Cell::Number),
            Cells::Any(cells) => cells.get(row).cloned().flatten().map(Cell::Any),
        }
    }

    fn set(&mut self, row: usize, cell: Option<Cell>) {
        fn put<T>(cells: &mut [T], row: usize, cell: T) {
            if let Some(place) = cells.get_mut(row) {
                *place = cell;
            }
        }
        put(&mut self.valid, row, cell.is_some());
        match (&mut self.cells, cell) {
            (Cells::Whole(cells), Some(Cell::Whole(cell))) => put(cells, row, cell),
            (Cells::Minor(cells), Some(Cell::Minor(cell))) => put(cells, row, cell),
            (Cells::Number(cells), Some(Cell::Number(cell))) => put(cells, row, cell),
            (Cells::Any(cells), Some(Cell::Any(cell))) => put(cells, row, Some(cell)),
            (Cells::Whole(cells), _) => put(cells, row, 0),
            (Cells::Minor(cells), _) => put(cells, row, 0),
            (Cells::Number(cells), _) => put(cells, row, 0.0),
            (Cells::Any(cells), _) => put(cells, row, None),
        }
    }
}

impl Column {
    /// A column of nulls, or of zeros.
    pub(super) fn new(form: Form, zeros: bool) -> Self {
        let zero = match form {
            Form::Integer => Some(Cell::Whole(0)),
            Form::Money(_) => Some(Cell::Minor(0)),
            Form::Number => Some(Cell::Number(0.0)),
            _ => None,
        };
        Self { form, absent: zero.filter(|_| zeros), chunks: Vec::new() }
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    pub(super) fn get(&self, ordinal: u64) -> Option<Cell> {
        let (chunk, row) = place(ordinal);
        match self.chunks.get(chunk) {
            Some(Some(chunk)) => chunk.get(row),
            _ => self.absent.clone(),
        }
    }

    pub(super) fn set(&mut self, ordinal: u64, cell: Option<Cell>) {
        let (chunk, row) = place(ordinal);
        if chunk >= self.chunks.len() {
            if cell == self.absent {
                return;
            }
            self.chunks.resize(chunk + 1, None);
        }
        let Some(place) = self.chunks.get_mut(chunk) else { return };
        let chunk = place.get_or_insert_with(|| Arc::new(Chunk::new(self.form, self.absent.as_ref())));
        if chunk.get(row) != cell {
            Arc::make_mut(chunk).set(row, cell);
        }
    }

    pub(crate) fn value(&self, ordinal: u64) -> Option<Value> {
        self.form.value(self.get(ordinal)?)
    }

    /// What sorts ordinals as their values do, null lowest; `None` where they have no order that a number says.
    pub(crate) fn ranks(&self) -> Option<impl Fn(u64) -> Rank + '_> {
        self.form.is_ranked().then_some(|ordinal| Rank(self.get(ordinal).map(|cell| cell.key())))
    }

    /// The place of a value in the order; null where it is of another type.
    pub(crate) fn rank_of(&self, value: Option<&Value>) -> Rank {
        Rank(value.and_then(|value| self.form.cell(value)).map(|cell| cell.key()))
    }
}

/// A place in the order of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(Option<i128>);

fn place(ordinal: u64) -> (usize, usize) {
    let ordinal = usize::try_from(ordinal).unwrap_or(usize::MAX);
    (ordinal / CHUNK_ROWS, ordinal % CHUNK_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd() -> Currency {
        Currency::new("USD").unwrap()
    }

    #[test]
    fn values_come_back_as_they_went_in() {
        let money = |amount: &str| {
            let amount: Decimal = amount.parse().unwrap();
            Value::Money(Money { amount, currency: usd(), base_amount: Some(amount) })
        };
        let check = |form: Form, value: Value| {
            let mut column = Column::new(form, false);
            column.set(2_000, form.cell(&value));
            assert_eq!(column.value(2_000), Some(value));
            assert_eq!((column.value(1_999), column.value(0), column.value(9_999)), (None, None, None));
            column.set(2_000, None);
            assert_eq!(column.value(2_000), None);
        };
        check(Form::Integer, Value::Integer(i64::MIN));
        check(Form::Bool, Value::Bool(true));
        check(Form::Date, Value::Date("1969-12-31".parse().unwrap()));
        check(Form::Time, Value::Time("2026-11-22T01:02:03.004Z".parse().unwrap()));
        check(Form::Money(usd()), money("-12.34"));
        check(Form::Number, Value::Number(0.1));
        check(Form::Any, Value::Text("x".into()));
        assert_eq!(Form::Integer.cell(&Value::Number(1.0)), None);
    }

    #[test]
    fn counts_begin_at_zero_everywhere() {
        let mut column = Column::new(Form::Integer, true);
        assert_eq!(column.value(7), Some(Value::Integer(0)));
        column.set(5_000, Some(Cell::Whole(3)));
        let values = [0, 4_999, 5_000, 1 << 40].map(|ordinal| column.value(ordinal));
        assert_eq!(values, [0, 0, 3, 0].map(|number| Some(Value::Integer(number))));
    }

    #[test]
    fn ranks_sort_as_values_do() {
        let mut column = Column::new(Form::Number, false);
        for (ordinal, number) in (1..).zip([-1e300, -1.0, 0.0, 1e-9, 5.0]) {
            column.set(ordinal, Some(Cell::Number(number)));
        }
        let ranks: Vec<Rank> = (0..6).map(column.ranks().unwrap()).collect();
        assert!(ranks.is_sorted_by(|a, b| a < b));
        assert_eq!(column.rank_of(Some(&Value::Number(-0.0))), ranks[3]);
        assert!(Column::new(Form::Any, false).ranks().is_none());
    }
}
