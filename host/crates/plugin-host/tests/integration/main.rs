//! Loads and calls real components: the first-party plugin and guests that misbehave on purpose.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail like tests")]

mod campaigns;
mod compiling;
mod faults;
mod first_party;
mod hooks;
mod hostile_languages;
mod languages;
mod loading;
mod lookups;
mod metering;
mod reports;
mod retail_rfm;
mod scores;
mod sins;
mod supervision;
mod support;
mod wasi;
mod workflows;
