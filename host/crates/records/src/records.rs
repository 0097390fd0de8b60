use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::RwLock;
use tokio::sync::watch;
use trellis_model::{FieldId, ObjectId, ObjectName, Path, Record, RecordId, Value};
use trellis_storage::{Position, Store, Versioned, WriteSet};

use crate::codec::chunks;
use crate::codec::record::StoredRecord;
use crate::computed::Computed;
use crate::ordinals::Ordinals;
use crate::save::Watched;
use crate::schema::{self, Object};
use crate::{Clock, Config, DerivedFields, Error, IdSource, Result, SaveHook, Schema, TextSearch, keys};

/// All records of one store: the only way to read and write them.
#[derive(Debug)]
pub struct Records {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    config: Config,
    schema: ArcSwap<Schema>,
    /// Held while the schema changes.
    pub(crate) schema_changing: tokio::sync::Mutex<()>,
    /// Held while an index is built: one after the other.
    pub(crate) index_building: tokio::sync::Mutex<()>,
    derived: ArcSwapOption<Arc<dyn DerivedFields>>,
    pub(crate) text_search: ArcSwapOption<Arc<dyn TextSearch>>,
    hooks: RwLock<Arc<[Arc<dyn SaveHook>]>>,
    pub(crate) ordinals: Ordinals,
    pub(crate) log_head: watch::Sender<u64>,
    pub(crate) watched: Watched,
    pub(crate) computed: Computed,
    /// Grows when a save was warned of duplicates.
    pub(crate) suspects: watch::Sender<u64>,
    /// Whether the store knows the base currency: from the first stored amount on it must not change.
    base_currency_fixed: AtomicBool,
}

/// A record with how it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) record: Record,
    /// Further parts of its value.
    pub(crate) parts: u16,
}

/// How often a record in parts is read again when somebody changes it meanwhile.
const READ_ATTEMPTS_MAX: usize = 100;

impl Records {
    /// Loads the schema; in an empty store installs the standard objects first.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the schema cannot be read, [`Error::Definition`] where what is installed cannot grow to what this release has,
    /// [`Error::BaseCurrency`] where amounts are stored in another one.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        config: Config,
    ) -> Result<Arc<Self>> {
        schema::install_standard(&*store, &*clock, &*ids).await?;
        let schema = schema::load(&*store).await?;
        let ordinals = Ordinals::open(&*store, &schema, config.limits.ordinal_block).await?;
        let base_currency_fixed = check_base_currency(&*store, &config).await?;
        let log_head = match store.get(&keys::log_counter()).await? {
            Some(found) => counter(&found)?,
            None => 0,
        };
        Ok(Arc::new(Self {
            store,
            clock,
            ids,
            config,
            schema: ArcSwap::from_pointee(schema),
            schema_changing: tokio::sync::Mutex::default(),
            index_building: tokio::sync::Mutex::default(),
            derived: ArcSwapOption::empty(),
            text_search: ArcSwapOption::empty(),
            hooks: RwLock::new(Arc::new([])),
            ordinals,
            log_head: watch::Sender::new(log_head),
            watched: Watched::default(),
            computed: Computed::default(),
            suspects: watch::Sender::new(0),
            base_currency_fixed: AtomicBool::new(base_currency_fixed),
        }))
    }

    /// The objects as of now.
    pub fn schema(&self) -> Arc<Schema> {
        self.schema.load_full()
    }

    pub(crate) fn schema_swap(&self) -> &ArcSwap<Schema> {
        &self.schema
    }

    /// Has a write set that stores amounts fix the base currency, unless an earlier one did.
    pub(crate) fn fix_base_currency(&self, set: &mut WriteSet) {
        if !self.base_currency_fixed.load(Ordering::Relaxed) {
            set.put(keys::base_currency(), self.config.base_currency.as_str());
        }
    }

    /// Notes that a write set which fixes the base currency was committed.
    pub(crate) fn base_currency_is_fixed(&self) {
        self.base_currency_fixed.store(true, Ordering::Relaxed);
    }

    /// Sets where derived fields come from.
    pub fn set_derived(&self, derived: Arc<dyn DerivedFields>) {
        self.derived.store(Some(Arc::new(derived)));
    }

    /// Whether a derived field of this path is kept for an object, see [`DerivedFields::knows`].
    pub fn knows_derived(&self, object: ObjectId, path: &Path) -> bool {
        self.derived().is_some_and(|derived| derived.knows(object, path))
    }

    pub(crate) fn derived(&self) -> Option<Arc<dyn DerivedFields>> {
        self.derived.load_full().map(|derived| Arc::clone(&*derived))
    }

    /// Adds a hook; hooks run in the order in which they were added.
    pub fn add_hook(&self, hook: Arc<dyn SaveHook>) {
        let mut hooks = self.hooks.write();
        *hooks = hooks.iter().cloned().chain([hook]).collect();
    }

    pub(crate) fn hooks(&self) -> Arc<[Arc<dyn SaveHook>]> {
        Arc::clone(&self.hooks.read())
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

    /// The object of a name with its indexes.
    pub(crate) fn object(&self, name: &ObjectName) -> Result<Object> {
        self.schema.load().find(name)
    }

    /// Reads a record, deleted or not.
    pub(crate) async fn load(&self, object: ObjectId, id: RecordId) -> Result<Option<Loaded>> {
        let key = keys::record(object, id);
        for _ in 0..READ_ATTEMPTS_MAX {
            let Some(found) = self.store.get(&key).await? else { return Ok(None) };
            if let Some(loaded) = self.decode(object, id, &key, &found).await? {
                return Ok(Some(loaded));
            }
        }
        Err(Error::Contended { attempts: READ_ATTEMPTS_MAX })
    }

    /// Reads a record whose first value is at hand; `None` where its parts were changed meanwhile.
    pub(crate) async fn decode(
        &self,
        object: ObjectId,
        id: RecordId,
        key: &[u8],
        found: &Versioned,
    ) -> Result<Option<Loaded>> {
        let (prefix, first) = chunks::prefix(&found.value)?;
        let mut joined = Vec::new();
        let body = if prefix.parts == 0 {
            first
        } else {
            joined.extend_from_slice(first);
            for part in 1..=prefix.parts {
                match self.store.get(&keys::record_chunk(object, id, part)).await? {
                    Some(part) if part.position == found.position => joined.extend_from_slice(&part.value),
                    _ => return self.unless_unchanged(key, found.position).await,
                }
            }
            &joined
        };
        prefix.verify(key, body)?;
        let record = StoredRecord::new(body)?.record(object, id, found.position.0, prefix.stamp)?;
        Ok(Some(Loaded { record, parts: prefix.parts }))
    }

    /// Reads one field of a record that is not deleted, and leaves the others as they are.
    pub(crate) async fn load_field(
        &self,
        object: ObjectId,
        id: RecordId,
        field: FieldId,
    ) -> Result<Option<Value>> {
        let key = keys::record(object, id);
        let Some(found) = self.store.get(&key).await? else { return Ok(None) };
        let (prefix, body) = chunks::prefix(&found.value)?;
        if prefix.parts > 0 {
            let loaded = self.load(object, id).await?.filter(|loaded| !loaded.record.is_deleted());
            return Ok(loaded.and_then(|loaded| loaded.record.fields.get(&field).cloned()));
        }
        prefix.verify(&key, body)?;
        let stored = StoredRecord::new(body)?;
        if stored.deleted_at_ms.is_some() { Ok(None) } else { stored.field(field) }
    }

    /// Parts that do not fit are a race where the record has changed, and damage where it has not.
    async fn unless_unchanged(&self, key: &[u8], position: Position) -> Result<Option<Loaded>> {
        match self.store.get(key).await? {
            Some(now) if now.position == position => Err(Error::damaged(format!(
                "a part of the record with key {} is missing",
                key.escape_ascii()
            ))),
            _ => Ok(None),
        }
    }
}

/// Whether the store has fixed a base currency; it must be that of the configuration then.
async fn check_base_currency(store: &dyn Store, config: &Config) -> Result<bool> {
    let Some(found) = store.get(&keys::base_currency()).await? else { return Ok(false) };
    if *found.value == *config.base_currency.as_str().as_bytes() {
        return Ok(true);
    }
    let stored = String::from_utf8_lossy(&found.value).into_owned();
    Err(Error::BaseCurrency { stored, configured: config.base_currency })
}

/// The value of a counter's key.
pub(crate) fn counter(found: &Versioned) -> Result<u64> {
    let bytes =
        <[u8; 8]>::try_from(&found.value[..]).map_err(|_| Error::damaged("a counter is not 8 bytes"))?;
    Ok(u64::from_be_bytes(bytes))
}
