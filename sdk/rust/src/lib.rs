//! Write Trellis plugins in Rust.
//!
//! A plugin is a function: data in, decisions out. It has no clock, no randomness, no network and no store; what it may know
//! comes as an argument. A whole one:
//!
//! ```
//! use trellis_sdk::{Assignments, Batch, Context, NoConfig, Result, Segmentation, SegmentationDescription, described, export_segmentation};
//!
//! struct Spenders;
//!
//! impl Segmentation for Spenders {
//!     type Config = NoConfig;
//!
//!     fn describe(_: &NoConfig) -> Result<Vec<SegmentationDescription>> {
//!         Ok(vec![described("tier", "Tier", "等级").value("big", "Big", "大客户").value("small", "Small", "小客户")])
//!     }
//!
//!     fn assign(_: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
//!         let mut assignments = Assignments::default();
//!         let spent = rows.money("spent")?.minor_units();
//!         assignments.push("tier", ["big", "small"], spent.iter().map(|cents| u32::from(cents < Some(100_000))).collect());
//!         Ok(assignments)
//!     }
//! }
//!
//! export_segmentation!(Spenders);
//! ```
//!
//! With a `plugin.toml` beside its `Cargo.toml` (`crate-type = ["cdylib", "rlib"]`), `trellis plugin build` makes a component of it.
//!
//! The traits take types of this crate, not handles of the host, so that a plugin's tests run natively: see [`testing`].
//! Use [`math`] instead of the methods of `f64` for anything beyond the four operations and the square root, and [`Rng`] for random numbers:
//! then a native test and the component give the same bytes.
//!
//! This crate deliberately gives no access to time, files, threads or the network; there is nothing behind such calls.

#![warn(missing_docs)]

extern crate self as trellis_sdk;

mod assignments;
mod batch;
pub mod bindings;
mod describing;
mod error;
pub mod log;
mod model;
mod money;
mod random;
pub mod segmentation;
mod stamp;
mod stream;
pub mod testing;
pub mod values;

pub use assignments::{Assignments, NO_VALUE};
pub use batch::Batch;
pub use bindings::segmentation::trellis::plugin::host_log::Level;
pub use bindings::segmentation::trellis::plugin::types::{
    Context, LocalizedText, Metric, Model, Reason, RowError,
};
pub use describing::{described, localized, metric, reason};
pub use error::{PluginError, Result};
pub use model::{ModelReader, ModelWriter};
pub use money::{decimal_places, format_money};
pub use random::Rng;
pub use segmentation::{NoConfig, SegmentValue, Segmentation, SegmentationDescription};
pub use stream::RowStream;

/// Mathematical functions that give the same bits natively and in a component.
pub use libm as math;
/// For `#[derive(Deserialize)]` on a configuration: add `#[serde(crate = "trellis_sdk::serde")]`.
pub use serde;
#[doc(hidden)]
pub use stamp::STAMP;
#[doc(hidden)]
pub use wit_bindgen;
