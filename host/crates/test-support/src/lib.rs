//! The whole server in one process for tests: on memory, with a clock that stands still, without a network.
//!
//! ```no_run
//! # async fn example() {
//! use serde_json::json;
//! let app = trellis_test_support::TestApp::new().await;
//! let answer = app.admin().post("/api/v1/accounts", json!({ "name": "Mill" })).await;
//! assert_eq!(answer.status, 201);
//! # }
//! ```
#![expect(clippy::indexing_slicing, reason = "a panic fails the test that called it")]

mod app;
mod client;
mod clock;
mod health;

pub use app::{TestApp, TestAppBuilder};
pub use client::{Answer, Client};
pub use clock::FakeClock;
pub use health::FakeHealth;
