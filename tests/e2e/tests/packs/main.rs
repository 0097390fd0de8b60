//! The industry packs through the running server: reference data in, plugins on, results out, compared with what independent programs computed.

mod support;

mod cdnow;
mod experiments;
mod groceries;
mod telco;
mod value;
