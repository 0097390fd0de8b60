//! Values of a group as they become one.

use std::cmp::Ordering;
use std::collections::HashSet;

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use trellis_model::{Currency, FieldType, Money, Value};

use super::Function;
use crate::query::evaluate::compare;

/// Decimals of an amount that is no sum, such as a mean.
const MEAN_DECIMALS: u32 = 6;

/// What is known of a group's values so far.
#[derive(Debug)]
pub(super) enum Accumulator {
    Count(u64),
    Distinct(HashSet<Box<[u8]>>),
    /// A sum, or a mean.
    Total(Total),
    Extreme(Option<Value>, Ordering),
    Numbers(Vec<f64>),
    Decimals(Vec<Decimal>),
}

/// A sum and how many values are in it. Whole numbers and amounts are added as decimals, other numbers with what rounding lost on the way.
#[derive(Debug, Default)]
pub(super) struct Total {
    count: u64,
    exact: Decimal,
    number: f64,
    lost: f64,
    overflow: bool,
}

/// Bytes that an entry of a set takes besides its own.
const SET_ENTRY_BYTES: usize = 32;

impl Accumulator {
    pub(super) fn new(function: Function, kind: Option<&FieldType>) -> Self {
        match function {
            Function::Count => Self::Count(0),
            Function::CountDistinct => Self::Distinct(HashSet::new()),
            Function::Sum | Function::Avg => Self::Total(Total::default()),
            Function::Min => Self::Extreme(None, Ordering::Less),
            Function::Max => Self::Extreme(None, Ordering::Greater),
            Function::Median | Function::Percentile(_) => match kind {
                Some(FieldType::Money | FieldType::Integer) => Self::Decimals(Vec::new()),
                _ => Self::Numbers(Vec::new()),
            },
        }
    }

    /// Counts a record.
    pub(super) fn add_record(&mut self) {
        if let Self::Count(count) = self {
            *count += 1;
        }
    }

    /// Adds a value, whose bytes are `bytes`; returns how much memory that took.
    pub(super) fn add(&mut self, value: &Value, bytes: &[u8]) -> usize {
        match self {
            Self::Count(count) => *count += 1,
            Self::Distinct(set) => {
                if !set.contains(bytes) {
                    set.insert(bytes.into());
                    return bytes.len() + SET_ENTRY_BYTES;
                }
            }
            Self::Total(total) => total.add(value),
            Self::Extreme(best, wanted) => {
                let better = best.as_ref().is_none_or(|best| compare(value, best) == Some(*wanted));
                if better {
                    let before = best.as_ref().map_or(0, Value::bytes);
                    *best = Some(value.clone());
                    return value.bytes().saturating_sub(before);
                }
            }
            Self::Numbers(numbers) => {
                if let Some(number) = as_number(value) {
                    numbers.push(number);
                    return size_of::<f64>();
                }
            }
            Self::Decimals(decimals) => {
                if let Some(decimal) = as_decimal(value) {
                    decimals.push(decimal);
                    return size_of::<Decimal>();
                }
            }
        }
        0
    }

    /// What became of it; `Err` where a sum is beyond what a decimal number holds.
    pub(super) fn finish(
        self,
        function: Function,
        kind: Option<&FieldType>,
        base: Currency,
    ) -> Result<Option<Value>, ()> {
        let share = if let Function::Percentile(share) = function { share } else { 0.5 };
        let value = match self {
            Self::Count(count) => Some(Value::Integer(i64::try_from(count).map_err(|_| ())?)),
            Self::Distinct(set) => Some(Value::Integer(i64::try_from(set.len()).map_err(|_| ())?)),
            Self::Total(total) if total.overflow => return Err(()),
            Self::Total(total) if function == Function::Sum => total.sum(kind, base),
            Self::Total(total) => total.mean(kind, base),
            Self::Extreme(best, _) => match best {
                // What was compared is the amount in base currency.
                Some(Value::Money(best)) => Some(money(best.comparable(), base)),
                best => best,
            },
            Self::Numbers(numbers) => percentile_of_numbers(numbers, share).map(Value::Number),
            Self::Decimals(decimals) => {
                percentile_of_decimals(decimals, share).and_then(|decimal| mean_value(decimal, kind, base))
            }
        };
        Ok(value)
    }
}

impl Total {
    fn add(&mut self, value: &Value) {
        match value {
            Value::Number(number) => {
                // Neumaier: the part that the larger of the two swallows is kept apart.
                let sum = self.number + number;
                self.lost += if self.number.abs() >= number.abs() {
                    (self.number - sum) + number
                } else {
                    (number - sum) + self.number
                };
                self.number = sum;
            }
            value => {
                let Some(decimal) = as_decimal(value) else { return };
                match self.exact.checked_add(decimal) {
                    Some(sum) => self.exact = sum,
                    None => self.overflow = true,
                }
            }
        }
        self.count += 1;
    }

    fn sum(&self, kind: Option<&FieldType>, base: Currency) -> Option<Value> {
        match kind {
            Some(FieldType::Money) => Some(money(self.exact, base)),
            Some(FieldType::Integer) => match self.exact.to_i64() {
                Some(sum) => Some(Value::Integer(sum)),
                None => self.exact.to_f64().map(Value::Number),
            },
            _ => Some(Value::Number(self.number + self.lost)).filter(is_finite),
        }
    }

    fn mean(&self, kind: Option<&FieldType>, base: Currency) -> Option<Value> {
        if self.count == 0 {
            return None;
        }
        match kind {
            Some(FieldType::Money | FieldType::Integer) => {
                mean_value(self.exact.checked_div(Decimal::from(self.count))?, kind, base)
            }
            _ => Some(Value::Number((self.number + self.lost) / self.count as f64)).filter(is_finite),
        }
    }
}

fn is_finite(value: &Value) -> bool {
    matches!(value, Value::Number(number) if number.is_finite())
}

fn as_number(value: &Value) -> Option<f64> {
    if let Value::Number(number) = value { Some(*number) } else { None }
}

fn as_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Some(Decimal::from(*number)),
        Value::Money(money) => Some(money.comparable()),
        _ => None,
    }
}

fn money(amount: Decimal, base: Currency) -> Value {
    Value::Money(Money { amount, currency: base, base_amount: Some(amount) })
}

/// What lies between values: an amount with some more decimals, or a number.
fn mean_value(decimal: Decimal, kind: Option<&FieldType>, base: Currency) -> Option<Value> {
    if kind == Some(&FieldType::Money) {
        let rounded = decimal.round_dp_with_strategy(MEAN_DECIMALS, RoundingStrategy::MidpointNearestEven);
        return Some(money(rounded.normalize(), base));
    }
    decimal.to_f64().map(Value::Number)
}

/// Where a share lies among so many sorted values: the place before it, and how far it is on the way to the next.
fn place(count: usize, share: f64) -> Option<(usize, f64)> {
    let place = count.checked_sub(1)? as f64 * share;
    Some((place.floor() as usize, place.fract()))
}

fn percentile_of_numbers(mut numbers: Vec<f64>, share: f64) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let (before, way) = place(numbers.len(), share)?;
    let low = *numbers.get(before)?;
    let high = numbers.get(before + 1).copied().unwrap_or(low);
    Some(low + (high - low) * way)
}

fn percentile_of_decimals(mut decimals: Vec<Decimal>, share: f64) -> Option<Decimal> {
    decimals.sort_unstable();
    let (before, way) = place(decimals.len(), share)?;
    let low = *decimals.get(before)?;
    let high = decimals.get(before + 1).copied().unwrap_or(low);
    let way = Decimal::from_f64(way)?;
    low.checked_add(high.checked_sub(low)?.checked_mul(way)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(function: Function, kind: &FieldType, values: &[Value]) -> Option<Value> {
        let mut accumulator = Accumulator::new(function, Some(kind));
        for value in values {
            accumulator.add(value, value.canonical().as_bytes());
        }
        accumulator.finish(function, Some(kind), Currency::new("USD").unwrap()).unwrap()
    }

    fn numbers(numbers: &[f64]) -> Vec<Value> {
        numbers.iter().map(|number| Value::Number(*number)).collect()
    }

    fn amounts(amounts: &[&str]) -> Vec<Value> {
        let usd = Currency::new("USD").unwrap();
        amounts.iter().map(|amount| money(amount.parse().unwrap(), usd)).collect()
    }

    #[test]
    fn percentiles_interpolate_as_numpy_does() {
        let values = numbers(&[15.0, 20.0, 35.0, 40.0, 50.0]);
        let check = |share: f64, expected: f64| {
            let found = finish(Function::Percentile(share), &FieldType::Number, &values);
            assert_eq!(found, Some(Value::Number(expected)), "{share}");
        };
        check(0.0, 15.0);
        check(0.25, 20.0);
        check(0.4, 29.0);
        check(0.5, 35.0);
        check(1.0, 50.0);
        assert_eq!(finish(Function::Median, &FieldType::Number, &[]), None);
        let even = finish(Function::Median, &FieldType::Money, &amounts(&["4", "1", "2", "3.01"]));
        assert_eq!(even, Some(amounts(&["2.505"]).remove(0)));
    }

    #[test]
    fn amounts_are_added_to_the_cent() {
        let cents: Vec<&str> = std::iter::repeat_n("0.1", 1000).collect();
        assert_eq!(
            finish(Function::Sum, &FieldType::Money, &amounts(&cents)),
            Some(amounts(&["100.0"]).remove(0))
        );
        let third = finish(Function::Avg, &FieldType::Money, &amounts(&["1", "0", "0"]));
        assert_eq!(third, Some(amounts(&["0.333333"]).remove(0)));
        let sum = finish(Function::Sum, &FieldType::Number, &numbers(&[1e100, 1.0, -1e100]));
        assert_eq!(sum, Some(Value::Number(1.0)), "what the large one swallows is not lost");
    }

    #[test]
    fn whole_numbers_stay_whole_as_long_as_they_fit() {
        let big = [Value::Integer(i64::MAX), Value::Integer(1)];
        assert_eq!(
            finish(Function::Sum, &FieldType::Integer, &big),
            Some(Value::Number(9_223_372_036_854_775_808.0))
        );
        let small = [Value::Integer(1), Value::Integer(2)];
        assert_eq!(finish(Function::Sum, &FieldType::Integer, &small), Some(Value::Integer(3)));
        assert_eq!(finish(Function::Avg, &FieldType::Integer, &small), Some(Value::Number(1.5)));
        assert_eq!(finish(Function::Sum, &FieldType::Integer, &[]), Some(Value::Integer(0)));
        assert_eq!(finish(Function::Avg, &FieldType::Integer, &[]), None);
    }
}
