use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Add, Bound, Error, Position, Precondition, PreconditionKind, Result, Versioned, WriteSet};

/// The largest value of a counter, so that a backend may keep it in a signed column.
const COUNTER_MAX: u64 = i64::MAX as u64;

/// What a key becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key, stamps filled in.
    pub key: Arc<[u8]>,
    /// The new value, stamps filled in; `None` deletes the key.
    pub value: Option<Arc<[u8]>>,
}

/// A write set after its preconditions, adds and stamps: absolute changes that need no reading any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// At most one change a key, in ascending order of keys.
    pub changes: Vec<Change>,
    /// For each add, in order, the value of its counter just after it.
    pub counters: Vec<u64>,
}

impl WriteSet {
    /// Turns the write set into absolute changes at `position`: what every backend does under its commit order.
    ///
    /// `read` answers the state just before this write set, earlier write sets of the same group included. Call
    /// [`WriteSet::validate`] before.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`] for the first precondition that does not hold, [`Error::InvalidWriteSet`] for a counter
    /// that is no counter or would leave its range, and whatever `read` fails with.
    pub fn evaluate(
        self,
        position: Position,
        mut read: impl FnMut(&[u8]) -> Result<Option<Versioned>>,
    ) -> Result<Evaluated> {
        for (index, precondition) in self.preconditions().iter().enumerate() {
            check(index, precondition, read(&precondition.key)?)?;
        }
        let (counters, totals) = add_up(self.adds(), &mut read)?;
        let (puts, deletes) = self.into_stamped_puts(position, &counters);

        let mut changes: BTreeMap<Vec<u8>, Option<Arc<[u8]>>> = BTreeMap::new();
        changes.extend(totals.into_iter().map(|(key, total)| (key, Some(Arc::from(total.to_be_bytes())))));
        changes.extend(deletes.into_iter().map(|delete| (delete.key, None)));
        changes.extend(puts.into_iter().map(|put| (put.key, Some(Arc::from(put.value)))));
        let changes = changes.into_iter().map(|(key, value)| Change { key: key.into(), value }).collect();
        Ok(Evaluated { changes, counters })
    }
}

fn check(index: usize, precondition: &Precondition, found: Option<Versioned>) -> Result<()> {
    let (holds, found) = match precondition.kind {
        PreconditionKind::Absent => (found.is_none(), found.map(|found| found.position)),
        PreconditionKind::WrittenAt(position) => {
            let found = found.map(|found| found.position);
            (found == Some(position), found)
        }
        PreconditionKind::Counter(bound) => {
            let value = counter_value(&precondition.key, found.as_ref())?;
            let holds = match bound {
                Bound::AtMost(most) => value <= most,
                Bound::AtLeast(least) => value >= least,
            };
            (holds, Some(Position(value)))
        }
    };
    if holds {
        return Ok(());
    }
    Err(Error::PreconditionFailed {
        index,
        key: precondition.key.clone(),
        expected: precondition.kind,
        found,
    })
}

/// Counters by key.
type Totals = BTreeMap<Vec<u8>, u64>;

/// Returns the value after each add, and the last value of each counter.
fn add_up(
    adds: &[Add],
    read: &mut impl FnMut(&[u8]) -> Result<Option<Versioned>>,
) -> Result<(Vec<u64>, Totals)> {
    let mut totals = Totals::new();
    let mut counters = Vec::with_capacity(adds.len());
    for add in adds {
        let before = match totals.get(&add.key) {
            Some(total) => *total,
            None => counter_value(&add.key, read(&add.key)?.as_ref())?,
        };
        let after = before.checked_add_signed(add.delta).filter(|after| *after <= COUNTER_MAX);
        let after = after.ok_or_else(|| Error::InvalidWriteSet {
            reason: format!(
                "counter {:?} at {before} cannot take {}",
                add.key.escape_ascii().to_string(),
                add.delta
            ),
        })?;
        totals.insert(add.key.clone(), after);
        counters.push(after);
    }
    Ok((counters, totals))
}

fn counter_value(key: &[u8], found: Option<&Versioned>) -> Result<u64> {
    let Some(found) = found else { return Ok(0) };
    let bytes: [u8; 8] = found.value[..].try_into().map_err(|_| Error::InvalidWriteSet {
        reason: format!("{:?} is no counter: {} bytes", key.escape_ascii().to_string(), found.value.len()),
    })?;
    Ok(u64::from_be_bytes(bytes))
}
