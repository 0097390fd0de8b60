//! Money in scripts.

use std::cmp::Ordering;

use rhai::{Dynamic, Engine, ImmutableString};
use rust_decimal::Decimal;
use trellis_model::{Currency, Money, bilingual};

use super::compare::{Evaluated, Operand, dynamic, ordering, written};
use super::decimal::{DecimalValue, Numeric, ROUNDING, calculate, parse};
use crate::error::Fault;

/// An amount with its currency, in scripts `Money`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MoneyValue(pub(crate) Money);

impl MoneyValue {
    fn new(amount: Decimal, currency: Currency) -> Evaluated<Self> {
        Ok(Self(Money::new(amount, currency).map_err(|error| Fault::value(error.text()))?))
    }

    /// Rounds a calculated amount to the currency's minor unit.
    fn rounded(amount: Decimal, currency: Currency) -> Evaluated<Self> {
        Self::new(amount.round_dp_with_strategy(currency.decimals(), ROUNDING), currency)
    }

    /// Amount and currency; what it is worth in base currency is not part of a comparison.
    fn same(&self, other: &Self) -> bool {
        (self.0.amount, self.0.currency) == (other.0.amount, other.0.currency)
    }

    fn amounts(&self, other: &Self) -> Evaluated<(Decimal, Decimal)> {
        if self.0.currency == other.0.currency {
            return Ok((self.0.amount, other.0.amount));
        }
        let (a, b) = (self.0.currency, other.0.currency);
        Err(Fault::runtime(bilingual!(
            "{a} and {b} cannot be calculated or compared with each other",
            "{a} 与 {b} 不能直接计算或比较"
        ))
        .into())
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<MoneyValue>("Money");
    engine.register_fn("money", |amount: Dynamic, currency: ImmutableString| {
        let currency = Currency::new(&currency).map_err(|error| Fault::value(error.text()))?;
        MoneyValue::new(parse(&amount)?, currency)
    });
    engine.register_get("amount", |money: &mut MoneyValue| DecimalValue(money.0.amount));
    engine.register_get("currency", |money: &mut MoneyValue| money.0.currency.to_string());
    engine.register_get("base_amount", |money: &mut MoneyValue| {
        money.0.base_amount.map_or(Dynamic::UNIT, |amount| dynamic(DecimalValue(amount)))
    });
    written(engine, |money: &MoneyValue| format!("{} {}", money.0.amount, money.0.currency));
    register_comparisons(engine);
    engine.register_fn("+", |a: MoneyValue, b: MoneyValue| {
        let (x, y) = a.amounts(&b)?;
        MoneyValue::new(calculate("+", |x, y| x.checked_add(y), x, y)?, a.0.currency)
    });
    engine.register_fn("-", |a: MoneyValue, b: MoneyValue| {
        let (x, y) = a.amounts(&b)?;
        MoneyValue::new(calculate("-", |x, y| x.checked_sub(y), x, y)?, a.0.currency)
    });
    engine.register_fn("-", |a: MoneyValue| MoneyValue::new(-a.0.amount, a.0.currency));
    register_scaling::<i64>(engine);
    register_scaling::<f64>(engine);
    register_scaling::<DecimalValue>(engine);
}

/// Amounts of different currencies are unequal but have no order. Comparing money with a bare number is an error rather than rhai's
/// silent `false`.
fn register_comparisons(engine: &mut Engine) {
    engine.register_fn("==", |a: MoneyValue, b: MoneyValue| a.same(&b));
    engine.register_fn("!=", |a: MoneyValue, b: MoneyValue| !a.same(&b));
    ordering(engine, |a: &MoneyValue, b: &MoneyValue| a.amounts(b).map(|(x, y)| x.cmp(&y)));
    super::compare::mixed(engine, |_: &MoneyValue, _: &i64| bare_number());
    super::compare::mixed(engine, |_: &MoneyValue, _: &f64| bare_number());
    super::compare::mixed(engine, |_: &MoneyValue, _: &DecimalValue| bare_number());
}

fn bare_number() -> Evaluated<Ordering> {
    Err(Fault::runtime(bilingual!(
        "money cannot be compared with a number: compare its `.amount`, or use `money(…)`",
        "金额不能与数字比较：请比较其 `.amount`，或使用 `money(…)`"
    ))
    .into())
}

fn register_scaling<N: Numeric + Operand>(engine: &mut Engine) {
    let times = |money: MoneyValue, by: Decimal| {
        let amount = calculate("*", |a, b| a.checked_mul(b), money.0.amount, by)?;
        MoneyValue::rounded(amount, money.0.currency)
    };
    engine.register_fn("*", move |money: MoneyValue, by: N| times(money, by.exact()?));
    engine.register_fn("*", move |by: N, money: MoneyValue| times(money, by.exact()?));
    engine.register_fn("/", |money: MoneyValue, by: N| {
        let amount = calculate("/", |a, b| a.checked_div(b), money.0.amount, by.exact()?)?;
        MoneyValue::rounded(amount, money.0.currency)
    });
}
