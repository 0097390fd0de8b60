use std::cmp::Ordering;

use rhai::{Dynamic, Engine, EvalAltResult};

/// A result within a script.
pub(super) type Evaluated<T> = Result<T, Box<EvalAltResult>>;

/// What a script's values are made of.
pub(super) trait Operand: Clone + Send + Sync + 'static {}
impl<T: Clone + Send + Sync + 'static> Operand for T {}

/// Registers the six comparisons of two types of one order. Without it rhai takes values of different types for unequal, silently.
pub(super) fn comparisons<A: Operand, B: Operand>(
    engine: &mut Engine,
    order: impl Fn(&A, &B) -> Evaluated<Ordering> + Copy + Send + Sync + 'static,
) {
    engine.register_fn("==", move |a: A, b: B| order(&a, &b).map(Ordering::is_eq));
    engine.register_fn("!=", move |a: A, b: B| order(&a, &b).map(Ordering::is_ne));
    ordering(engine, order);
}

/// Registers the four comparisons other than `==` and `!=`.
pub(super) fn ordering<A: Operand, B: Operand>(
    engine: &mut Engine,
    order: impl Fn(&A, &B) -> Evaluated<Ordering> + Copy + Send + Sync + 'static,
) {
    engine.register_fn("<", move |a: A, b: B| order(&a, &b).map(Ordering::is_lt));
    engine.register_fn("<=", move |a: A, b: B| order(&a, &b).map(Ordering::is_le));
    engine.register_fn(">", move |a: A, b: B| order(&a, &b).map(Ordering::is_gt));
    engine.register_fn(">=", move |a: A, b: B| order(&a, &b).map(Ordering::is_ge));
}

/// Registers the comparisons of two different types, both ways round.
pub(super) fn mixed<A: Operand, B: Operand>(
    engine: &mut Engine,
    order: impl Fn(&A, &B) -> Evaluated<Ordering> + Copy + Send + Sync + 'static,
) {
    comparisons::<A, B>(engine, order);
    comparisons::<B, A>(engine, move |b, a| order(a, b).map(Ordering::reverse));
}

/// Registers how a type is written: in `print`, in back-quoted texts, and in messages.
pub(super) fn written<T: Operand>(
    engine: &mut Engine,
    write: impl Fn(&T) -> String + Copy + Send + Sync + 'static,
) {
    engine.register_fn("to_string", move |value: &mut T| write(value));
    engine.register_fn("to_debug", move |value: &mut T| write(value));
    engine.register_fn("+", move |text: rhai::ImmutableString, value: T| format!("{text}{}", write(&value)));
    engine.register_fn("+", move |value: T, text: rhai::ImmutableString| format!("{}{text}", write(&value)));
}

/// A value of any type out of `T`.
pub(super) fn dynamic<T: Operand>(value: T) -> Dynamic {
    Dynamic::from(value)
}
