//! What is said about a trap: the panic behind it where the plugin told of one, and the functions in which it happened.

use wasmtime::{Trap, WasmBacktrace};

use crate::{LogLevel, LogLine};

/// Functions of the backtrace that go into a message.
const FRAMES_MAX: usize = 3;
/// How the SDK begins the line in which it reports a panic.
const PANIC: &str = "panicked at ";
/// Functions that every panic passes say nothing about this one.
const RUNTIME: [&str; 5] = ["std::", "core::", "alloc::", "__rust", "rust_"];

/// The panic's own message, else the kind of trap; then the plugin's functions, innermost first.
pub(crate) fn trap_text(trap: &Trap, error: &wasmtime::Error, logs: &[LogLine]) -> String {
    let cause = panic_line(trap, logs).map_or_else(|| trap.to_string(), str::to_owned);
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let names: Vec<_> = functions(frames.iter().filter_map(|frame| frame.func_name())).collect();
    if names.is_empty() { cause } else { format!("{cause}, in {}", names.join(" ← ")) }
}

/// A panic ends in `unreachable` right after it was logged; what was logged before another trap is not its cause.
fn panic_line<'a>(trap: &Trap, logs: &'a [LogLine]) -> Option<&'a str> {
    let last = logs.last().filter(|line| line.level == LogLevel::Error && line.message.starts_with(PANIC));
    last.filter(|_| *trap == Trap::UnreachableCodeReached).map(|line| line.message.as_str())
}

/// Names as their author wrote them, without the runtime's.
fn functions<'a>(mangled: impl Iterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let names = mangled.map(|name| format!("{:#}", rustc_demangle::demangle(name)));
    let of_runtime = |name: &str| {
        let path = name.trim_start_matches(['<', '_', '&']);
        RUNTIME.iter().any(|start| name.starts_with(start) || path.starts_with(start))
    };
    names.filter(move |name| !of_runtime(name)).take(FRAMES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_as_in_the_source() {
        let check = |mangled: &[&str], expected: &[&str]| {
            assert_eq!(functions(mangled.iter().copied()).collect::<Vec<_>>(), expected);
        };
        let (trap, assign) = ("_RNvCs1234_7hostile4trap", "trellis:plugin/segmentation@1.0.0#assign");
        let panic = "_RNvNtCs1234_4core9panicking9panic_fmt";
        check(&["rust_begin_unwind", panic, trap, assign], &["hostile::trap", assign]);
        check(&["_ZN7hostile4trap17h0123456789abcdefE"], &["hostile::trap"]);
        check(&["a", "b", "c", "d"], &["a", "b", "c"]);
        check(&["__rustc::rust_panic", "std::process::abort"], &[]);
    }

    #[test]
    fn only_the_line_right_before_it_explains_a_trap() {
        let line = |level, message: &str| LogLine { level, message: message.to_owned() };
        let panic = line(LogLevel::Error, "panicked at src/lib.rs:1:2: oh");
        let check = |trap: Trap, logs: &[LogLine], expected: Option<&str>| {
            assert_eq!(panic_line(&trap, logs), expected, "{trap}");
        };
        let unreachable = Trap::UnreachableCodeReached;
        check(unreachable, std::slice::from_ref(&panic), Some("panicked at src/lib.rs:1:2: oh"));
        check(unreachable, &[panic.clone(), line(LogLevel::Error, "later")], None);
        check(unreachable, &[line(LogLevel::Info, &panic.message)], None);
        check(unreachable, &[], None);
        check(Trap::IntegerDivisionByZero, &[panic], None);
    }
}
