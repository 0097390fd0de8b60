//! How the records of a query are found: by id, along an index, or gathered and sorted.

use std::collections::HashMap;

use trellis_model::{Op, RecordId, SystemField, Value};
use trellis_storage::{ScanRange, prefix_end};

use super::compile::{Node, Source, Test, TestNode};
use super::sort::Order;
use crate::index::{Column, Index, encode};
use crate::keys;
use crate::schema::Object;

/// A range of an index, or of the records themselves, whose rows come in the order of what follows `prefix`, then id.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    /// `None` for the records themselves.
    pub(super) index: Option<String>,
    /// Ascending.
    pub(super) range: ScanRange,
    /// Length of the part of a key that is the same in all rows.
    pub(super) prefix: usize,
    /// Leading columns that are compared for equality.
    pub(super) equals: usize,
    /// Whether both ends of the range are the ends of the index.
    pub(super) whole: bool,
    /// The encoded sort value, where it is the same in all rows.
    pub(super) fixed: Option<Vec<u8>>,
    /// Whether rows come in the order of ids, so that no record is met twice, whatever changes while it is read.
    pub(super) by_id: bool,
}

/// What must hold of a column in any case, as encoded bounds; both ends included.
#[derive(Debug, Clone, Default)]
struct Bounds {
    low: Option<Vec<u8>>,
    high: Option<Vec<u8>>,
}

/// What a filter says about columns.
#[derive(Debug, Default)]
pub(super) struct Conditions<'a> {
    equals: HashMap<Column, Vec<u8>>,
    ranges: HashMap<Column, Bounds>,
    /// Values of ids and unique fields, where there are few.
    pub(super) ids: Option<Vec<RecordId>>,
    pub(super) unique: Option<Vec<u8>>,
    pub(super) derived: Option<&'a TestNode>,
    /// How many conjuncts there are, and how many of them are nothing but an equality of an exactly kept column.
    conjuncts: usize,
    exact: usize,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(object: &Object, node: &'a Node) -> Self {
        let mut conditions = Self::default();
        for conjunct in node.conjuncts() {
            conditions.conjuncts += 1;
            if let Node::Test(test) = conjunct {
                conditions.add(object, test);
            }
        }
        conditions
    }

    fn add(&mut self, object: &Object, test: &'a TestNode) {
        let column = match &test.source {
            Source::Column(column) => *column,
            Source::Derived(..) => {
                self.derived = self.derived.or(Some(test));
                return;
            }
            Source::Formula(..) | Source::Quality(..) | Source::Follow(_) => return,
        };
        match &test.test {
            Test::Null(true) => self.equal(column, vec_of(None), true),
            Test::Compare(Op::Eq, value) => {
                self.remember_key(object, column, value);
                if let Some(encoded) = encoded(object, column, value) {
                    self.equal(column, encoded, encode::is_whole(value));
                }
            }
            Test::In { values, not: false, .. } if column == Column::System(SystemField::Id) => {
                let ids = values
                    .iter()
                    .filter_map(|value| if let Value::Reference(id) = value { Some(*id) } else { None });
                self.ids = Some(ids.collect());
            }
            Test::Compare(Op::Gt | Op::Gte, value) => {
                self.narrow(column, encoded(object, column, value), None)
            }
            Test::Compare(Op::Lt | Op::Lte, value) => {
                self.narrow(column, None, encoded(object, column, value))
            }
            Test::Between(low, high) => {
                self.narrow(column, encoded(object, column, low), encoded(object, column, high))
            }
            _ => {}
        }
    }

    fn remember_key(&mut self, object: &Object, column: Column, value: &Value) {
        match (column, value) {
            (Column::System(SystemField::Id), Value::Reference(id)) => self.ids = Some(vec![*id]),
            (Column::Field(field), value) if object.indexes.finds_by(field) => {
                self.unique = Some(keys::unique(object.id, field, &encode::exact(value)));
            }
            _ => {}
        }
    }

    fn equal(&mut self, column: Column, encoded: Vec<u8>, whole: bool) {
        if self.equals.insert(column, encoded).is_none() && whole {
            self.exact += 1;
        }
    }

    fn narrow(&mut self, column: Column, low: Option<Vec<u8>>, high: Option<Vec<u8>>) {
        let bounds = self.ranges.entry(column).or_default();
        if low.is_some() {
            bounds.low = bounds.low.take().max(low);
        }
        if let Some(high) = high {
            bounds.high = Some(bounds.high.take().map_or(high.clone(), |old| old.min(high)));
        }
    }

    /// The walk that yields records in the order that is asked for, with the most equalities; the records themselves where no index does.
    pub(super) fn ordered_walk(&self, object: &Object, order: &Order) -> Option<Walk> {
        let walks = object.indexes.ready().filter_map(|index| {
            let equals = self.leading(index)?;
            let (_, rest) = index.columns.split_at_checked(equals)?;
            let fits = match (order.column(), rest) {
                // Where every value is the same, the id decides.
                (None, []) => order.by_id(),
                (Some(column), [last]) => column == *last,
                (Some(column), []) => self.equals.contains_key(&column),
                _ => false,
            };
            let fixed = order.column().and_then(|column| self.equals.get(&column)).cloned();
            fits.then(|| Walk { fixed, ..self.walk(object, index, equals) })
        });
        let best = walks.max_by_key(|walk| (walk.equals, !walk.whole));
        best.or_else(|| order.by_id().then(|| records_walk(object)))
    }

    /// The walk over the fewest index rows that hold all matches, in whatever order.
    pub(super) fn narrow_walk(&self, object: &Object) -> Option<Walk> {
        let walks =
            object.indexes.ready().filter_map(|index| Some(self.walk(object, index, self.leading(index)?)));
        walks.filter(|walk| walk.equals > 0 || !walk.whole).max_by_key(|walk| (walk.equals, !walk.whole))
    }

    /// As [`Conditions::narrow_walk`], only along indexes that begin with a column, of which an equality must be known.
    pub(super) fn narrow_walk_from(&self, object: &Object, column: Column) -> Option<Walk> {
        let indexes = object.indexes.ready().filter(|index| index.columns.first() == Some(&column));
        let walks = indexes.filter_map(|index| Some(self.walk(object, index, self.leading(index)?)));
        walks.filter(|walk| walk.equals > 0).max_by_key(|walk| (walk.equals, !walk.whole))
    }

    /// Whether there are no conditions at all.
    pub(super) fn match_everything(&self) -> bool {
        self.conjuncts == 0
    }

    /// A walk whose every row is a match, so that counting needs no records.
    pub(super) fn exact_walk(&self, object: &Object) -> Option<Walk> {
        if self.match_everything() {
            let kept = object.indexes.ready().find(|index| !index.sparse);
            return kept.map(|index| self.walk(object, index, 0));
        }
        let all = self.exact == self.conjuncts && self.equals.len() == self.conjuncts;
        self.narrow_walk(object).filter(|walk| all && walk.equals == self.conjuncts && walk.whole)
    }

    /// How many leading columns of an index have an equality; `None` where the index lacks records that may match.
    fn leading(&self, index: &Index) -> Option<usize> {
        let count = index.columns.iter().take_while(|column| self.equals.contains_key(column)).count();
        let first = index.columns.first()?;
        let null = self.equals.get(first).is_none_or(|encoded| *encoded == vec_of(None));
        let bounded = self.ranges.contains_key(first);
        (!index.sparse || !null || (count == 0 && bounded)).then_some(count)
    }

    fn walk(&self, object: &Object, index: &Index, equals: usize) -> Walk {
        let mut prefix = keys::index(object.id, index.number).done();
        for encoded in index.columns.iter().take(equals).filter_map(|column| self.equals.get(column)) {
            prefix.extend(encoded);
        }
        let bounds = index.columns.get(equals).and_then(|column| self.ranges.get(column));
        let low = bounds.and_then(|bounds| bounds.low.as_ref());
        let high = bounds.and_then(|bounds| bounds.high.as_ref());
        let with = |encoded: &Vec<u8>| [&prefix[..], encoded].concat();
        // A bound on one side leaves out nulls, which no comparison matches.
        let start = low
            .map(with)
            .unwrap_or_else(|| if high.is_some() { [&prefix[..], &[1]].concat() } else { prefix.clone() });
        let end = prefix_end(&high.map_or_else(|| prefix.clone(), with));
        let range = ScanRange { start, end, reverse: false };
        Walk {
            index: Some(index.name.clone()),
            range,
            prefix: prefix.len(),
            equals,
            whole: bounds.is_none(),
            fixed: None,
            by_id: equals == index.columns.len(),
        }
    }
}

/// All records, deleted ones too, by id.
pub(super) fn records_walk(object: &Object) -> Walk {
    let prefix = keys::records_of(object.id).done();
    Walk {
        index: None,
        range: ScanRange::prefix(&prefix),
        prefix: prefix.len(),
        equals: 0,
        whole: true,
        fixed: None,
        by_id: true,
    }
}

fn vec_of(value: Option<&Value>) -> Vec<u8> {
    let mut out = Vec::new();
    encode::append(&mut out, value);
    out
}

/// The value as the column's index has it; `None` where it is of another type than the column, such as 1.5 for a whole number.
fn encoded(object: &Object, column: Column, value: &Value) -> Option<Vec<u8>> {
    let field_type = match column {
        Column::Field(field) => Some(&object.field_by_id(field)?.field_type),
        Column::System(_) => None,
    };
    let other = matches!((field_type, value), (Some(trellis_model::FieldType::Integer), Value::Number(_)));
    (!other).then(|| vec_of(Some(value)))
}
