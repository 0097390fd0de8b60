//! The industry packs through the running server: reference data in, plugins on, results out, compared with what independent programs computed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod models;
mod support;

mod campaign;
mod care;
mod cdnow;
mod churn_warning;
mod customer_value;
mod desks;
mod experiments;
mod forecast;
mod groceries;
mod inputs;
mod loyalty;
mod offers;
mod pipeline;
mod relations;
mod response;
mod segments;
mod telco;
mod telecom;
mod tiny;
mod value;
