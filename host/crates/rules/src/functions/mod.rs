//! The words that rules have beyond rhai's own. `host/docs/rules.md` is their reference.

mod act;
mod ask;
mod options;
mod record;
mod refuse;
mod watch;

use rhai::Engine;

pub(crate) use record::Row;
pub(crate) use watch::event;

pub(crate) fn register(engine: &mut Engine) {
    record::register(engine);
    refuse::register(engine);
    act::register(engine);
    ask::register(engine);
    watch::register(engine);
}

/// A result within a script.
type Evaluated<T> = Result<T, Box<rhai::EvalAltResult>>;
