//! The API as a client sees it, in process.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic in a helper fails the test that called it"
)]

mod activities;
mod aggregates;
mod analyses;
mod auth;
mod batch;
mod changes;
mod comparisons;
mod computed;
mod duplicates;
mod history;
mod idempotency;
mod imports;
mod includes;
mod languages;
mod limits;
mod lists;
mod models;
mod pages;
mod plugin_health;
mod plugin_lifecycle;
mod plugins;
mod prepared_imports;
mod records;
mod routes;
mod schema;
mod search;
mod segmentations;
mod served;
mod tokens;
mod undo;
mod vetoes;
mod views;
mod workbench;
