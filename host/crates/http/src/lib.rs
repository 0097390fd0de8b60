//! The HTTP API: `/api/v1`, its description, its errors, and the limits in front of it.
//!
//! A handler takes what a request says, asks a crate below once, and writes the answer; it never opens a store, decides about rights
//! beyond asking [`trellis_access`], or keeps state. Addresses stand in one table together with what the OpenAPI document says about
//! them. No cookies are read, so that no other site can act for a browser.
//!
//! ```
//! let config = trellis_http::Config { requests_max: 64, ..trellis_http::Config::default() };
//! assert_eq!(config.json_bytes_max, 1 << 20);
//! ```

mod config;
mod extract;
mod handlers;
mod idempotency;
mod middleware;
mod openapi;
mod problem;
mod server;
mod state;
mod table;
mod wire;

use std::sync::Arc;

/// The framework, for those who drive the router: tests, and the benchmark's handler to compare with. No other crate names it.
pub use axum;
pub use config::Config;
pub use server::serve;
pub use state::{AppState, Health, HealthCheck, NoWorkbench, Workbench, WorkbenchFile};

/// The whole server as one service.
pub fn router(state: AppState) -> axum::Router {
    let app = Arc::new(state);
    middleware::shared_layers(table::routes(&app), &app).with_state(app)
}
