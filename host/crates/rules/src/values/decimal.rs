//! Exact decimals in scripts: the amounts of money.

use rhai::{Dynamic, Engine};
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use trellis_model::bilingual;

use super::compare::{Evaluated, Operand, comparisons, mixed, written};
use super::describe;
use crate::error::Fault;

/// An exact number, in scripts `Decimal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecimalValue(pub(crate) Decimal);

/// Commercial rounding: halves away from zero.
pub(super) const ROUNDING: RoundingStrategy = RoundingStrategy::MidpointAwayFromZero;

/// Something that an exact number can be calculated with.
pub(super) trait Numeric: Operand {
    fn exact(&self) -> Evaluated<Decimal>;
}

impl Numeric for DecimalValue {
    fn exact(&self) -> Evaluated<Decimal> {
        Ok(self.0)
    }
}

impl Numeric for i64 {
    fn exact(&self) -> Evaluated<Decimal> {
        Ok(Decimal::from(*self))
    }
}

impl Numeric for f64 {
    fn exact(&self) -> Evaluated<Decimal> {
        Ok(Decimal::from_f64(*self).ok_or_else(|| overflow(&format!("{self:e}")))?)
    }
}

fn overflow(what: &str) -> Fault {
    Fault::runtime(bilingual!("`{what}` is no decimal of 28 digits", "`{what}` 不是 28 位以内的小数"))
}

type Calculate = fn(Decimal, Decimal) -> Option<Decimal>;

/// The calculations by name; none panics.
const CALCULATIONS: [(&str, Calculate); 5] = [
    ("+", |a, b| a.checked_add(b)),
    ("-", |a, b| a.checked_sub(b)),
    ("*", |a, b| a.checked_mul(b)),
    ("/", |a, b| a.checked_div(b)),
    ("%", |a, b| a.checked_rem(b)),
];

/// Calculates, or says that the result does not exist.
pub(super) fn calculate(name: &str, by: Calculate, a: Decimal, b: Decimal) -> Evaluated<Decimal> {
    Ok(by(a, b).ok_or_else(|| overflow(&format!("{a} {name} {b}")))?)
}

fn calculations<A: Numeric, B: Numeric>(engine: &mut Engine) {
    for (name, by) in CALCULATIONS {
        engine.register_fn(name, move |a: A, b: B| {
            calculate(name, by, a.exact()?, b.exact()?).map(DecimalValue)
        });
    }
}

/// The exact number that a script means: an integer, a float, a decimal, or a text such as `"12.34"`.
pub(super) fn parse(value: &Dynamic) -> Evaluated<Decimal> {
    if let Ok(number) = value.as_int() {
        return number.exact();
    }
    if let Ok(number) = value.as_float() {
        return number.exact();
    }
    if let Some(decimal) = value.read_lock::<DecimalValue>() {
        return Ok(decimal.0);
    }
    let text = value.as_immutable_string_ref().ok();
    let parsed = text.and_then(|text| Decimal::from_str_exact(&text).ok());
    Ok(parsed.ok_or_else(|| overflow(&describe(value)))?)
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<DecimalValue>("Decimal");
    comparisons(engine, |a: &DecimalValue, b: &DecimalValue| Ok(a.0.cmp(&b.0)));
    mixed(engine, |a: &DecimalValue, b: &i64| Ok(a.0.cmp(&b.exact()?)));
    mixed(engine, |a: &DecimalValue, b: &f64| Ok(a.0.cmp(&b.exact()?)));
    written(engine, |decimal: &DecimalValue| decimal.0.normalize().to_string());
    calculations::<DecimalValue, DecimalValue>(engine);
    calculations::<DecimalValue, i64>(engine);
    calculations::<i64, DecimalValue>(engine);
    calculations::<DecimalValue, f64>(engine);
    calculations::<f64, DecimalValue>(engine);
    engine.register_fn("-", |decimal: DecimalValue| DecimalValue(-decimal.0));
    engine.register_fn("abs", |decimal: &mut DecimalValue| DecimalValue(decimal.0.abs()));
    engine.register_fn("round", |decimal: &mut DecimalValue| round(*decimal, 0));
    engine.register_fn("round", |decimal: &mut DecimalValue, decimals: i64| round(*decimal, decimals));
    engine.register_fn("to_float", |decimal: &mut DecimalValue| decimal.0.to_f64().unwrap_or(f64::NAN));
    engine.register_fn("to_int", |decimal: &mut DecimalValue| {
        let whole = decimal.0.trunc().to_i64();
        whole.ok_or_else(|| Box::<rhai::EvalAltResult>::from(overflow(&decimal.0.to_string())))
    });
    engine.register_fn("decimal", |value: Dynamic| parse(&value).map(DecimalValue));
}

fn round(decimal: DecimalValue, decimals: i64) -> DecimalValue {
    let decimals = u32::try_from(decimals.clamp(0, 28)).unwrap_or(0);
    DecimalValue(decimal.0.round_dp_with_strategy(decimals, ROUNDING))
}
