//! `host-log`: lines that a plugin writes for its author and the admin.

use super::bindings::trellis::plugin::host_log::{Host, Level};
use crate::call::{CallState, LogLevel, LogLine};
use crate::plain;

/// Bytes of one line; the rest of it is cut.
pub(crate) const LINE_BYTES_MAX: usize = 4 << 10;

/// The lines of one call, at most so many.
#[derive(Debug, Default)]
pub(crate) struct LogBuffer {
    lines: Vec<LogLine>,
    lines_max: u32,
    suppressed: u64,
}

impl LogBuffer {
    pub(crate) fn new(lines_max: u32) -> Self {
        Self { lines: Vec::new(), lines_max, suppressed: 0 }
    }

    pub(crate) fn push(&mut self, level: LogLevel, message: &str) {
        if self.lines.len() >= self.lines_max as usize {
            self.suppressed += 1;
            return;
        }
        let cut = message.get(..message.floor_char_boundary(LINE_BYTES_MAX)).unwrap_or_default();
        self.lines.push(LogLine { level, message: plain::line(cut, LINE_BYTES_MAX) });
    }

    pub(crate) fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// The lines, and at the end one that says how many are missing.
    pub(crate) fn into_lines(mut self) -> Vec<LogLine> {
        if self.suppressed > 0 {
            let message = format!("suppressed {} more lines", self.suppressed);
            self.lines.push(LogLine { level: LogLevel::Warn, message });
        }
        self.lines
    }
}

impl Host for CallState {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.log.lock().push(level, &message);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;
    use crate::interfaces::host_lookups::LookupDesk;
    use crate::{ClassLimits, LimitClass, Limits};

    fn lines(lines_max: u32, messages: &[&str]) -> Vec<LogLine> {
        let limits = ClassLimits { log_lines_max: lines_max, ..Limits::default().call };
        let call = Call::new("describe", LimitClass::Call);
        let mut state =
            CallState::new(&call, &limits, crate::Config::default().parts(), LookupDesk::closed());
        for message in messages {
            state.log(Level::Info, (*message).to_owned()).unwrap();
        }
        state.finish(None).0
    }

    #[test]
    fn lines_over_the_limit_are_counted() {
        let lines = lines(2, &["a", "b", "c", "d"]);
        let messages: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(messages, ["a", "b", "suppressed 2 more lines"]);
    }

    #[test]
    fn a_line_is_cut_between_characters_and_holds_no_control_characters() {
        let long = "客".repeat(2_000);
        let lines = lines(9, &[&long, "a\u{1b}[31m\nb\u{202e}"]);
        assert_eq!(lines[0].message.len(), 4_095);
        assert_eq!(lines[1].message, "a [31m b ");
    }
}
