//! Maximum likelihood for the packs whose models are mixtures of gamma distributions: when a customer buys again, how often, for how much.
//!
//! It knows nothing of plugins, customers and money: numbers in, parameters out. All mathematics goes through [`libm`], so that a native
//! test and a component give the same bits.
//!
//! ```
//! // Five customers: how many repeat purchases, and what they spent on average.
//! let spend = [(1.0, 12.0), (2.0, 40.0), (4.0, 22.0), (3.0, 9.0), (1.0, 31.0)];
//! let fitted = trellis_likelihood::GammaGamma::fit(&spend).expect("they differ");
//! let few = fitted.model.expected_mean(1.0, 60.0);
//! let many = fitted.model.expected_mean(20.0, 60.0);
//! assert!(few < many && many < 60.0, "what is known of somebody counts the more, the more of it there is");
//! ```

#![warn(missing_docs)]

mod curvature;
mod gamma_gamma;
mod maximise;
pub mod special;

pub use curvature::{covariances, standard_errors};
pub use gamma_gamma::{Fitted, GammaGamma};
pub use maximise::{Maximum, maximise, maximise_from, maximise_near};
