//! What follows from what happened: rules after saving and on transitions, service workflows, timers, and what a stop in the middle of it
//! leaves behind.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail like tests")]

mod absent;
mod actions;
mod analyses;
mod chains;
mod comments;
mod customers;
mod days;
mod desk;
mod faults;
mod follows;
mod models;
mod plugin_stops;
mod resumes;
mod rules;
mod schedules;
#[path = "../shared/sections.rs"]
mod sections;
mod segments;
mod stops;
mod store;
mod supervision;
mod support;
mod timers;
mod transitions;
mod undoing;
mod way_back;
