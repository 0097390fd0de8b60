//! How much stack a rule needs.
//!
//! rhai limits how large a value grows, not how deep: `loop { a = [a] }` nests as many levels as an array may have items, and copying,
//! comparing, printing and dropping such a value recurse. Measured: up to 2 KiB a level, so that the default limits would overflow a
//! thread's 2 MiB, which ends the whole process. Rules that cannot repeat anything cannot nest deeper than they are long; the others run
//! on a thread of their own with stack for all that the limits allow.

use rhai::{AST, Engine, Scope};

use crate::Limits;

/// Stack for the interpreter itself: nested calls and expressions.
const BASE_BYTES: usize = 8 << 20;
/// Stack for one level of a nested value; three times what was measured.
const LEVEL_BYTES: usize = 6 << 10;
/// How often a rule that is run on the caller's thread may add a level to a value; some 400 KiB.
const LEVELS_INLINE_MAX: usize = 200;

/// What repeats in a script, beside functions: loops, and calls by pointer.
const REPEATING: [&str; 6] = ["while", "loop", "for", "do", "Fn", "call"];

/// Makes an engine that compiles only scripts without loops.
pub(crate) fn forbid_repetition(engine: &mut Engine) {
    for symbol in REPEATING {
        engine.disable_symbol(symbol);
    }
}

/// Whether a script is short and straight enough to run on the caller's thread. `straight` is an engine without repetition.
pub(crate) fn is_shallow(straight: &Engine, scope: &Scope<'_>, source: &str, ast: &AST) -> bool {
    // Each of these signs adds at most one level: literals, calls, assignments.
    let levels = source.bytes().filter(|byte| matches!(byte, b'[' | b'#' | b'(' | b'=')).count();
    levels <= LEVELS_INLINE_MAX && !ast.has_functions() && straight.compile_with_scope(scope, source).is_ok()
}

/// The stack of a thread for any rule within the limits. It is address space; only what is used becomes memory.
pub(crate) fn bytes(limits: &Limits) -> usize {
    let levels = limits.array_len_max.saturating_add(limits.map_len_max);
    levels.saturating_mul(LEVEL_BYTES).saturating_add(BASE_BYTES)
}
