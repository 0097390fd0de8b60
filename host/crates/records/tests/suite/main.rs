//! Tests of the records crate through its public face, over a store in memory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod aggregates;
mod building;
mod checking;
mod dates;
mod derived;
mod duplicates;
mod events;
mod gates;
mod history;
mod hooks;
mod listing;
mod merging;
mod model;
mod named;
mod saving;
mod scoped;
mod shaping;
mod support;
mod timeline;
mod undoing;
mod undoing_random;
