//! Full-text search over all text of records: a reader of the log with an index of its own, which can be thrown away and built anew.
//!
//! [`Search`] implements [`trellis_records::TextSearch`]: records ask it which of them a text finds, and apply rights on records
//! themselves; rights on fields are its own concern. It does not rank by word statistics, correct spelling or know grammar.
//!
//! ```
//! use std::sync::Arc;
//! use trellis_model::{Scope, Value};
//! use trellis_records::{Caller, Config, Records, SystemClock, SystemIds, TextSearch};
//! use trellis_search::Search;
//! use trellis_storage::MemoryStore;
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Arc::new(MemoryStore::new());
//! let records = Records::open(store, Arc::new(SystemClock), Arc::new(SystemIds::default()), Config::default()).await?;
//! let folder = tempfile::tempdir()?;
//! let search = Search::start(&records, folder.path().to_path_buf(), Default::default())?;
//! let schema = records.schema();
//! let account = schema.object("account").expect("a standard object");
//! let name = account.field("name").expect("a standard field").id;
//! records.create(&Caller::system("example"), &account.name, [(name, Value::Text("公海科技".into()))].into()).await?;
//! search.caught_up(records.log_head()).await?;
//! let found = search.find(&Scope::everything(), &[], "gh", 10).await?;
//! assert_eq!(found[0].title.as_deref(), Some("公海科技"));
//! # Ok(()) }
//! ```

mod build;
mod config;
mod document;
mod error;
mod find;
mod folders;
mod follow;
mod generation;
mod search;
mod text;
mod view;

pub use config::Config;
pub use error::{Error, Result};
pub use search::Search;

use generation::Generation;
