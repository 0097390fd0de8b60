//! The engine with real records, columns and plugins, on the memory store.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod cdnow;
mod faults;
mod following;
mod imports;
mod plugins;
mod support;
