//! Learning from customers: the methods that several first-party plugins share.
//!
//! A [`frame::Frame`] gathers the columns that an admin chose, an [`encoding::Encoding`] makes a design of them, and [`logistic`], [`tree`] and
//! [`boosting`] learn from it; [`learner`] does all of that, compares the models on held-out customers and keeps the result as bytes.
//! [`measures`] says how good a score is, [`calibration`] makes a probability of it, [`survival`] estimates how long customers stay,
//! [`ranking`] says where a figure ranks among those of all.
//!
//! Everything is deterministic: the same rows give the same bytes, natively and in a component. What is random comes from a seed. The
//! crate is no plugin; it knows no field, no industry and no configuration of the host.
//!
//! ```
//! use trellis_mining::encoding::{Encoding, Preparation};
//! use trellis_mining::frame::Frame;
//! use trellis_mining::tree::{self, Growth};
//! use trellis_sdk::testing::{BatchBuilder, context};
//!
//! let batch = BatchBuilder::new(0..6)
//!     .float64("features.bill", [20.0, 30.0, 90.0, 95.0, 80.0, 10.0].map(Some))
//!     .build();
//! let mut frame = Frame::of(&["features.bill".to_owned()]);
//! frame.push(&batch, &context())?;
//! let encoding = Encoding::learn(&frame, &Preparation::default());
//! let uses = [0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
//! let growth = Growth { min_leaf: 1, ..Growth::default() };
//! let tree = tree::grow_exact(&encoding.encode(&frame), &uses, &growth);
//! assert_eq!(tree.rules(&encoding)[1].conditions[0].en, "bill > 55");
//! # Ok::<(), trellis_sdk::PluginError>(())
//! ```

pub mod boosting;
pub mod calibration;
pub mod encoding;
pub mod frame;
pub mod learner;
pub mod linear;
pub mod logistic;
pub mod measures;
pub mod outcome;
pub mod profit;
pub mod ranking;
pub mod survival;
pub mod tree;
