//! Lines for the plugin's author and the admin. They reach the plugin console, never a decision.

use crate::bindings::segmentation::trellis::plugin::host_log::Level;

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

#[cfg(target_family = "wasm")]
fn write(level: Level, message: &str) {
    crate::bindings::segmentation::trellis::plugin::host_log::log(level, message);
}

/// There is no host in a test: the lines are kept for [`crate::testing::take_log`].
#[cfg(not(target_family = "wasm"))]
fn write(level: Level, message: &str) {
    crate::testing::keep_line(level, message);
}
