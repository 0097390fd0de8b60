use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::RwLock;
use trellis_storage::Store;

use crate::{Clock, Config, DerivedFields, IdSource, Result, SaveHook, Schema};

/// All records of one store: the only way to read and write them.
#[derive(Debug)]
pub struct Records {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    config: Config,
    schema: ArcSwap<Schema>,
    derived: ArcSwapOption<Arc<dyn DerivedFields>>,
    hooks: RwLock<Vec<Arc<dyn SaveHook>>>,
}

impl Records {
    /// Loads the schema; in an empty store installs the standard objects first.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) where the schema cannot be read.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        config: Config,
    ) -> Result<Arc<Self>> {
        let _ = (store, clock, ids, config);
        unimplemented!()
    }

    /// The objects as of now.
    pub fn schema(&self) -> Arc<Schema> {
        self.schema.load_full()
    }

    /// Sets where derived fields come from.
    pub fn set_derived(&self, derived: Arc<dyn DerivedFields>) {
        self.derived.store(Some(Arc::new(derived)));
    }

    /// Adds a hook; hooks run in the order in which they were added.
    pub fn add_hook(&self, hook: Arc<dyn SaveHook>) {
        self.hooks.write().push(hook);
    }

    /// The store, for the keys of the crates above.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The source of ids.
    pub fn ids(&self) -> &Arc<dyn IdSource> {
        &self.ids
    }
}
