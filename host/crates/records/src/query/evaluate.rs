//! Whether a record matches a filter: true, false, or unknown where a null decides.

use std::borrow::Cow;
use std::cmp::Ordering;

use futures_util::future::BoxFuture;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use trellis_model::{CountBound, Filter, Op, Record, RecordId, Value, bilingual};
use trellis_storage::ScanRange;

use super::compile::{Node, RelatedNode, Source, Test};
use crate::index::encode;
use crate::schema::Object;
use crate::{DerivedFields, DerivedValue, Error, Records, Result, keys};

/// `None` is unknown.
type Truth = Option<bool>;

/// Index rows of a page of related records.
const PAGE_ROWS: usize = 200;

impl Records {
    /// Whether a record matches a filter that is part of a scope.
    pub(crate) async fn matches_unscoped(
        &self,
        object: &Object,
        filter: &Filter,
        record: &Record,
    ) -> Result<bool> {
        let schema = self.schema();
        let compiler = self.compiler(&schema, None);
        let node = compiler.filter(object, filter)?;
        self.matches(&node, record).await
    }

    /// Whether a filter is true of a record.
    pub(crate) async fn matches(&self, node: &Node, record: &Record) -> Result<bool> {
        let derived = self.derived();
        let truth = if node.is_local() {
            local(node, record, derived.as_deref())
        } else {
            self.truth(node, record, derived.as_deref()).await?
        };
        Ok(truth == Some(true))
    }

    fn truth<'a>(
        &'a self,
        node: &'a Node,
        record: &'a Record,
        derived: Option<&'a dyn DerivedFields>,
    ) -> BoxFuture<'a, Result<Truth>> {
        Box::pin(async move {
            match node {
                Node::And(nodes) => {
                    let mut all = Some(true);
                    for node in nodes {
                        all = and(all, self.truth(node, record, derived).await?);
                        if all == Some(false) {
                            break;
                        }
                    }
                    Ok(all)
                }
                Node::Or(nodes) => {
                    let mut any = Some(false);
                    for node in nodes {
                        any = or(any, self.truth(node, record, derived).await?);
                        if any == Some(true) {
                            break;
                        }
                    }
                    Ok(any)
                }
                Node::Not(node) => Ok(not(self.truth(node, record, derived).await?)),
                Node::Test(test) => {
                    Ok(ask(self.value(&test.source, record, derived).await?.as_ref(), &test.test))
                }
                Node::Related(related) => self.related(related, record.id, derived).await.map(Some),
            }
        })
    }

    /// The value that a source yields for a record, over references where need be.
    pub(super) async fn value(
        &self,
        source: &Source,
        record: &Record,
        derived: Option<&dyn DerivedFields>,
    ) -> Result<Option<Value>> {
        let mut current = Cow::Borrowed(record);
        let mut source = source;
        while let Source::Follow(follow) = source {
            let Some(Value::Reference(id)) = current.fields.get(&follow.field) else { return Ok(None) };
            let Some(target) =
                self.load(follow.object.id, *id).await?.filter(|target| !target.record.is_deleted())
            else {
                return Ok(None);
            };
            if let Some(rows) = &follow.rows
                && self.truth(rows, &target.record, derived).await? != Some(true)
            {
                return Ok(None);
            }
            current = Cow::Owned(target.record);
            source = &follow.rest;
        }
        Ok(local_value(source, &current, derived).map(Cow::into_owned))
    }

    async fn related(
        &self,
        node: &RelatedNode,
        id: RecordId,
        derived: Option<&dyn DerivedFields>,
    ) -> Result<bool> {
        let index = node.object.indexes.of_reference(node.field);
        let index = index
            .ok_or_else(|| Error::damaged(format!("{} has no index for a reference", node.object.name)))?;
        let mut prefix = keys::index(node.object.id, index.number).done();
        encode::append(&mut prefix, Some(&Value::Reference(id)));
        let mut range = ScanRange::prefix(&prefix);
        let (mut read, mut total) = (0, Total::default());
        loop {
            let page = self.store().scan(range.clone(), PAGE_ROWS).await?;
            read += page.rows.len();
            if read > self.config().limits.scan_rows_max {
                let (max, plural) = (self.config().limits.scan_rows_max, &node.object.plural);
                return Err(Error::Query(bilingual!(
                    "`{id}` has more than {max} related {plural}",
                    "`{id}` 关联的 {plural} 超过 {max} 条"
                )));
            }
            for row in &page.rows {
                let found =
                    keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("an index key is too short"))?;
                self.add_related(node, found, derived, &mut total).await?;
            }
            match page.rows.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => break,
            }
            tokio::task::yield_now().await;
        }
        let number = if node.sum.is_some() { total.sum() } else { total.rows as f64 };
        Ok(node.bounds.iter().all(|bound| within(number, bound)))
    }

    /// Adds a related record to a total, and reads no more of it than that takes.
    async fn add_related(
        &self,
        node: &RelatedNode,
        id: RecordId,
        derived: Option<&dyn DerivedFields>,
        total: &mut Total,
    ) -> Result<()> {
        match (&node.filter, node.sum) {
            (None, None) => total.add(None),
            (None, Some(sum)) => {
                total.add(self.load_field(node.object.id, id, sum).await?.as_ref().and_then(amount))
            }
            (Some(filter), sum) => {
                let found = self.load(node.object.id, id).await?.filter(|found| !found.record.is_deleted());
                let Some(found) = found else { return Ok(()) };
                if self.truth(filter, &found.record, derived).await? == Some(true) {
                    total.add(sum.and_then(|field| found.record.fields.get(&field)).and_then(amount));
                }
            }
        }
        Ok(())
    }
}

/// A count and a sum; amounts are added as decimals, so that cents do not drift.
#[derive(Debug, Default)]
struct Total {
    rows: u64,
    exact: Decimal,
    numbers: f64,
}

enum Amount {
    Exact(Decimal),
    Number(f64),
}

impl Total {
    fn add(&mut self, amount: Option<Amount>) {
        self.rows += 1;
        match amount {
            Some(Amount::Exact(amount)) => self.exact = self.exact.saturating_add(amount),
            Some(Amount::Number(number)) => self.numbers += number,
            None => {}
        }
    }

    /// Nulls count nothing; the sum of nothing is 0.
    fn sum(&self) -> f64 {
        self.exact.to_f64().unwrap_or_default() + self.numbers
    }
}

fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::Money(money) => Some(Amount::Exact(money.comparable())),
        Value::Integer(number) => Some(Amount::Exact(Decimal::from(*number))),
        Value::Number(number) => Some(Amount::Number(*number)),
        _ => None,
    }
}

fn within(number: f64, bound: &CountBound) -> bool {
    let ordering = number.partial_cmp(&bound.number);
    ordering.is_some_and(|ordering| holds(bound.op, ordering))
}

fn and(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn not(truth: Truth) -> Truth {
    truth.map(|truth| !truth)
}

/// Whether all are true; stops at the first that is false.
fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut all = Some(true);
    for truth in truths {
        all = and(all, truth);
        if all == Some(false) {
            break;
        }
    }
    all
}

pub(super) fn local(node: &Node, record: &Record, derived: Option<&dyn DerivedFields>) -> Truth {
    match node {
        Node::And(nodes) => all(nodes.iter().map(|node| local(node, record, derived))),
        Node::Or(nodes) => all(nodes.iter().map(|node| not(local(node, record, derived)))).map(|none| !none),
        Node::Not(node) => not(local(node, record, derived)),
        Node::Test(test) => ask(local_value(&test.source, record, derived).as_deref(), &test.test),
        Node::Related(_) => None,
    }
}

pub(super) fn local_value<'r>(
    source: &Source,
    record: &'r Record,
    derived: Option<&dyn DerivedFields>,
) -> Option<Cow<'r, Value>> {
    match source {
        Source::Column(column) => column.value(record),
        Source::Formula(formula, _) => formula.value(record, derived).map(Cow::Owned),
        Source::Quality(measure, share) => {
            Some(Cow::Owned(Value::Integer(i64::from(measure.share(*share, record)))))
        }
        Source::Derived(path, _) => match derived?.value(record.object, path, record.ordinal?)? {
            DerivedValue::Text(text) => Some(Cow::Owned(Value::Text(text))),
            DerivedValue::Number(number) => Some(Cow::Owned(Value::Number(number))),
            DerivedValue::Value(value) => Some(Cow::Owned(value)),
        },
        Source::Follow(_) => None,
    }
}

pub(super) fn ask(value: Option<&Value>, test: &Test) -> Truth {
    if let Test::Null(null) = test {
        return Some(value.is_none() == *null);
    }
    let value = value?;
    match test {
        Test::Unknown | Test::Null(_) => None,
        Test::Compare(Op::Eq, other) => Some(equal(value, other)),
        Test::Compare(Op::Ne, other) => Some(!equal(value, other)),
        Test::Compare(op, other) => compare(value, other).map(|ordering| holds(*op, ordering)),
        Test::In { values, null, not } => {
            let found = values.iter().any(|other| equal(value, other));
            // `x in (a, null)` is unknown where x is not a: the null might be x.
            let truth = if found || !null { Some(found) } else { None };
            truth.map(|truth| truth != *not)
        }
        Test::Between(low, high) => Some(compare(value, low)?.is_ge() && compare(value, high)?.is_le()),
        Test::Text(op, part) => {
            let (Value::Text(text) | Value::Choice(text)) = value else { return None };
            let text = text.to_lowercase();
            Some(match op {
                Op::Starts => text.starts_with(part),
                Op::Ends => text.ends_with(part),
                _ => text.contains(part),
            })
        }
        Test::Any(wanted) => Some(wanted.iter().any(|wanted| has(value, wanted))),
        Test::All(wanted) => Some(wanted.iter().all(|wanted| has(value, wanted))),
    }
}

fn has(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::MultiChoice(options), Value::Choice(wanted)) => options.contains(wanted),
        (Value::List(values), wanted) => values.iter().any(|value| equal(value, wanted)),
        _ => false,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    compare(a, b).map_or_else(|| a == b, Ordering::is_eq)
}

/// The order of two values; `None` where they have none.
pub(super) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Text(a) | Value::Choice(a), Value::Text(b) | Value::Choice(b)) => Some(a.cmp(b)),
        (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Integer(a), Value::Number(b)) => (*a as f64).partial_cmp(b),
        (Value::Number(a), Value::Integer(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Money(a), Value::Money(b)) => Some(a.comparable().cmp(&b.comparable())),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Reference(a), Value::Reference(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn holds(op: Op, ordering: Ordering) -> bool {
    match op {
        Op::Gt => ordering.is_gt(),
        Op::Gte => ordering.is_ge(),
        Op::Lt => ordering.is_lt(),
        Op::Lte => ordering.is_le(),
        Op::Ne => ordering.is_ne(),
        _ => ordering.is_eq(),
    }
}
