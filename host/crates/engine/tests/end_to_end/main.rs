//! The engine with real records, columns and plugins, on the memory store.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail like tests")]

mod campaigns;
mod cdnow;
mod comparing;
mod datasets;
mod faults;
mod figures;
mod following;
mod grants;
mod hooks;
mod imports;
mod lifecycle;
mod lifecycle_model;
mod plugins;
mod replays;
mod restarts;
mod rules;
mod scoring;
#[path = "../shared/sections.rs"]
mod sections;
mod shadows;
mod support;
mod withheld;
