//! What the author of a plugin needs besides a compiler: golden cases, laws, figures, templates.
//!
//! [`golden`] runs the cases that a plugin carries: the same ones in the author's folder, at installation and before an upgrade. [`laws`] tries
//! what every plugin has to keep to on made-up data. Everything runs in the sandbox of the plugin host and knows no server, no records and
//! no storage.
//!
//! ```no_run
//! use trellis_plugin_host::{Config, PluginHost};
//! use trellis_plugin_kit::golden;
//!
//! let host = PluginHost::new(Config::default())?;
//! let plugin = host.load(&std::fs::read("retail-rfm.wasm")?)?;
//! let report = golden::run_carried(&plugin, &golden::Limits::default())?;
//! assert!(report.passed(), "{}", report.summary().en);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod answers;
pub mod bench;
mod calls;
pub mod check;
mod error;
mod function;
pub mod golden;
pub mod laws;
pub mod project;

use std::sync::Arc;

use trellis_plugin_host::{Config, Limits, PluginHost, Supervision};

pub use error::{Error, Result};
pub use function::Function;

/// A host for authors: it never backs off from a plugin, and where one row of a batch is a fault it says so of the whole batch, as the laws
/// want to see it.
///
/// # Errors
/// That this machine cannot run the sandbox.
pub fn host(limits: Limits) -> trellis_plugin_host::Result<Arc<PluginHost>> {
    let supervision = Supervision { bisect_calls_max: 0, ..Supervision::off() };
    PluginHost::new(Config { limits, supervision, permits: 2, ..Config::default() })
}
