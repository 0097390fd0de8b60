//! Who may do what: users, their tokens, and the scope that a caller gets.
//!
//! A token always belongs to a user and never exceeds it; it works as long as the user is active. First start creates the user `admin`
//! and a token for it. Until roles exist, that user may do everything and every other user nothing: a new user gets rights by being
//! given them, never by default. No handler computes a scope of its own, and nothing here knows HTTP.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # use std::sync::Arc;
//! # use trellis_records::{Config, Records, SystemClock, SystemIds};
//! # let store = Arc::new(trellis_storage::MemoryStore::new());
//! # let records = Records::open(store, Arc::new(SystemClock), Arc::new(SystemIds::default()), Config::default()).await.unwrap();
//! # let dir = tempfile::tempdir().unwrap();
//! let (access, first_start) = trellis_access::Access::open(records, dir.path(), trellis_access::Config::default()).await?;
//! let token = first_start.expect("the store is new").admin_token;
//! let principal = access.authenticate(&token).await?.expect("a token that was just made");
//! assert_eq!(&*principal.username, "admin");
//! # Ok::<_, trellis_access::Error>(()) }).unwrap();
//! ```

mod access;
mod answers;
mod error;
mod first_start;
mod keys;
mod stored;
mod token;
mod tokens;

pub use access::{Access, Config, Principal};
pub use answers::{Answer, Begun, Claim};
pub use error::{Error, Result};
pub use first_start::FirstStart;
pub use keys::KeyKind;
pub use token::TokenId;
pub use tokens::{NewToken, TokenInfo, TokenOptions};

#[cfg(test)]
mod tests;
