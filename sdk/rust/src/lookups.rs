//! Questions about records, while a plugin of the interfaces `service-workflow` or `record-hook` decides.
//!
//! The manifest's `[[lookups]]` says which objects and fields it may ask for; every answer holds those fields and no others. All
//! answers of a call are of one moment, and their number is limited. A call on a batch of customers has none.
//!
//! ```
//! use trellis_sdk::{json, lookups, testing};
//! use trellis_sdk::testing::record;
//!
//! let _answers = testing::lookups([record("case").choice("status", "open"), record("case").id("…2").choice("status", "closed")]);
//! let open = json!({"field": "status", "op": "eq", "value": "open"});
//! assert_eq!(lookups::count("case", &open)?, 1);
//! # Ok::<(), trellis_sdk::PluginError>(())
//! ```

use std::fmt::Display;

use crate::{ObjectRecord, PluginError};

pub use crate::bindings::shared::trellis::plugin::host_lookups::LookupError;

#[cfg(target_family = "wasm")]
use crate::bindings::shared::trellis::plugin::host_lookups as source;
#[cfg(not(target_family = "wasm"))]
use crate::testing::answers as source;

/// Returns a record that is not deleted, by its id.
///
/// # Errors
/// See [`LookupError`]; `?` makes a [`PluginError`] of it.
pub fn get(object: &str, id: &str) -> Result<Option<ObjectRecord>, LookupError> {
    source::get_record(object, id)
}

/// Returns up to `records_max` (at most 200) records that a filter tree matches, in the order of their ids. `filter` is JSON in the grammar of
/// the API: a [`crate::json!`] value or its text.
///
/// # Errors
/// See [`LookupError`].
pub fn find(object: &str, filter: impl Display, records_max: u32) -> Result<Vec<ObjectRecord>, LookupError> {
    source::find_records(object, &filter.to_string(), records_max)
}

/// Returns how many records a filter tree matches.
///
/// # Errors
/// See [`LookupError`].
pub fn count(object: &str, filter: impl Display) -> Result<u64, LookupError> {
    source::count_records(object, &filter.to_string())
}

impl From<LookupError> for PluginError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Denied(grant) => Self::Denied(grant.into()),
            LookupError::Invalid(message) => Self::other("invalid-look-up", message),
            LookupError::TooMany(limit) => {
                Self::other("too-many-look-ups", format!("a call may make {limit} look-ups"))
            }
            LookupError::Failed(message) => Self::Transient(message.into()),
        }
    }
}
