//! Lines for the plugin's author and the admin. They reach the plugin console, never a decision.
//!
//! A line is cut after 4 KiB, and control characters in it become spaces. Of one call the first 50 (record-hook), 200 (single questions) or
//! 1,000 lines (batches and learning) are kept; the others are counted.

use crate::bindings::shared::trellis::plugin::host_log::Level;

/// Writes a line for the author.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message.as_ref());
}

/// Writes a line for the admin.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message.as_ref());
}

/// Writes a line about something that the admin should look at.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message.as_ref());
}

/// Writes a line about something that failed.
pub fn error(message: impl AsRef<str>) {
    write(Level::Error, message.as_ref());
}

/// Makes the message of a panic the last line of the log, since the trap that follows carries none. The host shows it instead of the
/// trap; it knows it by its begin, `panicked at `.
///
/// The export macros see to it; a plugin on the raw bindings calls it at the begin of each call. Natively it does nothing.
pub fn report_panics() {
    #[cfg(target_family = "wasm")]
    {
        static HOOKED: std::sync::Once = std::sync::Once::new();
        HOOKED.call_once(|| {
            std::panic::set_hook(Box::new(|panic| {
                let message = panic.payload_as_str().unwrap_or("a panic without a message");
                match panic.location() {
                    Some(place) => error(format!("panicked at {place}: {message}")),
                    None => error(format!("panicked at an unknown place: {message}")),
                }
            }));
        });
    }
}

#[cfg(target_family = "wasm")]
fn write(level: Level, message: &str) {
    crate::bindings::shared::trellis::plugin::host_log::log(level, message);
}

/// There is no host in a test: the lines are kept for [`crate::testing::take_log`].
#[cfg(not(target_family = "wasm"))]
fn write(level: Level, message: &str) {
    crate::testing::keep_line(level, message);
}
