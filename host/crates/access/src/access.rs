use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::{Mutex, RwLock};
use trellis_model::{Actor, Cause, Language, ObjectName, Record, RecordId, Scope, Value, Via};
use trellis_records::{Caller, Records};
use trellis_storage::{Position, ScanRange, WriteSet};

use crate::answers::Answers;
use crate::token::{self, TokenId};
use crate::{Error, FirstStart, Result, first_start, keys, stored};

/// Users, tokens and the scopes they get.
pub struct Access {
    pub(crate) records: Arc<Records>,
    pub(crate) config: Config,
    administrator: RecordId,
    pub(crate) tokens: RwLock<HashMap<TokenId, Arc<Entry>>>,
    pub(crate) answers: Arc<Answers>,
}

/// The limits of this crate.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// How many tokens a user may have at a time (default 100).
    pub tokens_per_user_max: usize,
    /// The characters of a token's label (default 200).
    pub label_characters_max: usize,
    /// How exactly the last use of a token is stored, in milliseconds (default 600,000: ten minutes). In memory it is exact.
    pub last_use_resolution_ms: i64,
    /// How long the answer to a request with an idempotency key is kept, in milliseconds (default 86,400,000: a day).
    pub answer_ttl_ms: i64,
    /// The longest body of an answer that is kept, in bytes (default 256 KiB).
    pub answer_bytes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tokens_per_user_max: 100,
            label_characters_max: 200,
            last_use_resolution_ms: 600_000,
            answer_ttl_ms: 86_400_000,
            answer_bytes_max: 256 << 10,
        }
    }
}

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user.
    pub user: RecordId,
    /// What the user is called.
    pub username: Arc<str>,
    /// The public id of the token.
    pub token_id: TokenId,
    /// Whether the user may do everything.
    pub administrator: bool,
}

/// A token in memory. All of them are: they are few, and each request needs one.
pub(crate) struct Entry {
    pub(crate) id: TokenId,
    pub(crate) token: stored::Token,
    /// Where the token was written, for the precondition of what is written about it later.
    pub(crate) position: Position,
    pub(crate) last_used_at_ms: AtomicI64,
    last_use_stored_at_ms: AtomicI64,
    checked: Mutex<Option<Checked>>,
}

/// What the user was like when the log ended at `log_head`. Any later entry makes it worth another look.
#[derive(Clone)]
struct Checked {
    log_head: u64,
    principal: Option<Arc<Principal>>,
}

/// "Never used".
const NEVER_MS: i64 = i64::MIN;

impl Access {
    /// Loads the tokens; at the first start of a data folder also makes the user `admin` and its token, and writes
    /// the token to `dir/admin-token`, readable by the owner only.
    ///
    /// # Errors
    /// When the store cannot be read or written, or the file cannot be written.
    pub async fn open(
        records: Arc<Records>,
        dir: &Path,
        config: Config,
    ) -> Result<(Arc<Self>, Option<FirstStart>)> {
        let first_start = first_start::ensure(&records, dir).await?;
        let stored = records.store().get(&keys::administrator()).await?;
        let stored =
            stored.ok_or_else(|| Error::Damaged { what: "no administrator after first start".into() })?;
        let administrator = stored::decode_user(&stored.value)?;
        let tokens = load(&records).await?;
        Ok((
            Arc::new(Self {
                records,
                config,
                administrator,
                tokens: RwLock::new(tokens),
                answers: Arc::default(),
            }),
            first_start,
        ))
    }

    /// Returns who the token belongs to, or `None` for a token that is unknown, expired, revoked, or of a user that is not active.
    ///
    /// Costs a hash of the token and a look into memory; the user is read again only after the log grew, so that deactivating a user
    /// ends its tokens with the next request.
    ///
    /// # Errors
    /// When the user cannot be read.
    pub async fn authenticate(&self, bearer: &str) -> Result<Option<Arc<Principal>>> {
        let Some(entry) = self.entry_of(bearer) else { return Ok(None) };
        let now_ms = self.records.clock().now_ms();
        if entry.token.expires_at_ms.is_some_and(|expires_at_ms| expires_at_ms <= now_ms) {
            return Ok(None);
        }
        let log_head = self.records.log_head();
        let checked = entry.checked.lock().clone().filter(|checked| checked.log_head == log_head);
        let principal = match checked {
            Some(checked) => checked.principal,
            None => {
                let principal = self.active_user(&entry).await?.map(Arc::new);
                *entry.checked.lock() = Some(Checked { log_head, principal: principal.clone() });
                principal
            }
        };
        if principal.is_some() {
            self.note_use(&entry, now_ms).await;
        }
        Ok(principal)
    }

    /// What the principal may read and write.
    pub fn scope(&self, principal: &Principal) -> Scope {
        if principal.administrator { Scope::everything() } else { Scope::nothing() }
    }

    /// The principal as the caller of records.
    pub fn caller(&self, principal: &Principal, language: Language) -> Caller {
        let actor = Actor::User { id: principal.user, via: Via::Token(principal.token_id.to_string()) };
        Caller { scope: self.scope(principal), actor, cause: Cause::default(), language }
    }

    /// The user that first start made.
    pub fn administrator(&self) -> RecordId {
        self.administrator
    }

    /// Compares in constant time: `blake3::Hash` promises that of its `==`.
    fn entry_of(&self, bearer: &str) -> Option<Arc<Entry>> {
        let id = token::id_of(bearer)?;
        let entry = Arc::clone(self.tokens.read().get(&id)?);
        (blake3::Hash::from_bytes(entry.token.hash) == token::hash(bearer)).then_some(entry)
    }

    async fn active_user(&self, entry: &Entry) -> Result<Option<Principal>> {
        let Some(username) = active_username(&self.records, entry.token.user).await? else { return Ok(None) };
        let administrator = entry.token.user == self.administrator;
        Ok(Some(Principal {
            user: entry.token.user,
            username: username.into(),
            token_id: entry.id,
            administrator,
        }))
    }

    /// Remembers the use and stores it now and then. A use that cannot be stored (the token was just revoked, the disk is full) is
    /// no reason to refuse a read; the next one tries again.
    async fn note_use(&self, entry: &Entry, now_ms: i64) {
        entry.last_used_at_ms.store(now_ms, Ordering::Relaxed);
        let stored_at_ms = entry.last_use_stored_at_ms.load(Ordering::Relaxed);
        let due = stored_at_ms == NEVER_MS
            || now_ms.saturating_sub(stored_at_ms) >= self.config.last_use_resolution_ms;
        let ours = due
            && entry
                .last_use_stored_at_ms
                .compare_exchange(stored_at_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if ours {
            let mut set = WriteSet::new();
            set.expect_written_at(keys::token(entry.id), entry.position);
            set.put(keys::token_use(entry.id), stored::encode_time(now_ms));
            drop(self.records.commit(set, None).await);
        }
    }
}

impl Entry {
    pub(crate) fn new(id: TokenId, token: stored::Token, position: Position) -> Self {
        Self {
            id,
            token,
            position,
            last_used_at_ms: AtomicI64::new(NEVER_MS),
            last_use_stored_at_ms: AtomicI64::new(NEVER_MS),
            checked: Mutex::new(None),
        }
    }

    pub(crate) fn last_used_at_ms(&self) -> Option<i64> {
        Some(self.last_used_at_ms.load(Ordering::Relaxed)).filter(|&ms| ms != NEVER_MS)
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("tokens", &self.tokens.read().len()).finish_non_exhaustive()
    }
}

pub(crate) fn user_object() -> ObjectName {
    ObjectName::new("user").expect("a valid name")
}

/// The name of a user that exists and is active.
pub(crate) async fn active_username(records: &Records, user: RecordId) -> Result<Option<String>> {
    let record = records.get(&Scope::everything(), &user_object(), user).await?;
    let Some(record) = record else { return Ok(None) };
    let active = field(records, &record, "active")?;
    let username = field(records, &record, "username")?;
    Ok(match (active, username) {
        (Some(Value::Bool(true)), Some(Value::Text(username))) => Some(username.clone()),
        _ => None,
    })
}

fn field<'r>(records: &Records, record: &'r Record, name: &'static str) -> Result<Option<&'r Value>> {
    let schema = records.schema();
    let definition = schema.object_by_id(record.object).and_then(|object| object.field(name));
    let definition = definition.ok_or(Error::UserDefinition { field: name })?;
    Ok(record.fields.get(&definition.id))
}

async fn load(records: &Records) -> Result<HashMap<TokenId, Arc<Entry>>> {
    let mut entries = HashMap::new();
    let mut range = ScanRange::prefix(&keys::tokens());
    loop {
        let page = records.store().scan(range.clone(), trellis_storage::Limits::PAGE_ROWS_INLINE_MAX).await?;
        for row in &page.rows {
            let id = keys::token_id(&row.key);
            let id =
                id.ok_or_else(|| Error::Damaged { what: format!("token key of {} bytes", row.key.len()) })?;
            let entry = Entry::new(id, stored::Token::decode(&row.value)?, row.position);
            if let Some(used) = records.store().get(&keys::token_use(id)).await? {
                let used_at_ms = stored::decode_time(&used.value)?;
                entry.last_used_at_ms.store(used_at_ms, Ordering::Relaxed);
                entry.last_use_stored_at_ms.store(used_at_ms, Ordering::Relaxed);
            }
            entries.insert(id, Arc::new(entry));
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ => return Ok(entries),
        }
    }
}
