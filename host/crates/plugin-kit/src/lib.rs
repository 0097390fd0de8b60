//! What the author of a plugin needs besides a compiler: golden cases, laws, figures, templates.
//!
//! [`golden`] runs the cases that a plugin carries: the same ones in the author's folder, at installation and before an upgrade. Everything
//! runs in the sandbox of the plugin host and knows no server, no records and no storage.
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
mod calls;
mod error;
mod function;
pub mod golden;

pub use error::{Error, Result};
pub use function::Function;
