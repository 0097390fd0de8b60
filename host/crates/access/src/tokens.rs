use std::sync::Arc;

use serde_json::json;
use trellis_model::RecordId;
use trellis_records::{Caller, EntryBody, NewEntry};
use trellis_storage::WriteSet;

use crate::access::{Access, Entry, active_username};
use crate::token::{self, Secret, TokenId};
use crate::{Error, Result, keys, stored};

/// What a new token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOptions {
    /// What people call it: 1 to 200 characters.
    pub label: String,
    /// When it ends, in milliseconds since 1970-01-01T00:00:00Z; `None` is never.
    pub expires_at_ms: Option<i64>,
}

/// A token that was just made. The only moment at which its text is known.
pub struct NewToken {
    /// What is known about it later.
    pub info: TokenInfo,
    /// The whole token.
    pub token: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("info", &self.info).field("token", &"[secret]").finish()
    }
}

/// What is known about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// Its public id.
    pub id: TokenId,
    /// Whose it is.
    pub user: RecordId,
    /// What people call it.
    pub label: String,
    /// When it was made, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// When it ends.
    pub expires_at_ms: Option<i64>,
    /// When it was last used. After a restart this may lag by [`crate::Config::last_use_resolution_ms`].
    pub last_used_at_ms: Option<i64>,
}

impl Access {
    /// Makes a token for an active user. Writes a `token.created` entry to the log, without the secret.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::InvalidLabel`], [`Error::ExpiresInPast`], [`Error::TooManyTokens`]. The number of tokens
    /// is checked before the commit, so that requests at the same moment may pass it by a few.
    pub async fn create_token(
        &self,
        caller: &Caller,
        user: RecordId,
        options: TokenOptions,
    ) -> Result<NewToken> {
        let now_ms = self.records.clock().now_ms();
        self.check(user, &options, now_ms)?;
        if active_username(&self.records, user).await?.is_none() {
            return Err(Error::NoSuchUser { user });
        }
        let secret = Secret::draw()?;
        let token = new_token(&secret, user, options, now_ms);
        let mut set = WriteSet::new();
        set.expect_absent(keys::token(secret.id));
        set.put(keys::token(secret.id), token.encode());
        let event = log_entry(caller, "token.created", secret.id, &token);
        let committed = self.records.commit(set, Some(event)).await?;

        let entry = Arc::new(Entry::new(secret.id, token, committed.position));
        let info = entry.info();
        self.tokens.write().insert(secret.id, entry);
        Ok(NewToken { info, token: secret.text })
    }

    /// Every token, in the order in which they were made.
    pub fn list_tokens(&self) -> Vec<TokenInfo> {
        let mut infos: Vec<TokenInfo> = self.tokens.read().values().map(|entry| entry.info()).collect();
        infos.sort_by_key(|info| (info.created_at_ms, info.id));
        infos
    }

    /// Ends a token: the next request with it is refused. Writes a `token.revoked` entry to the log.
    ///
    /// # Errors
    /// [`Error::NoSuchToken`].
    pub async fn revoke_token(&self, caller: &Caller, id: TokenId) -> Result<()> {
        let missing = || Error::NoSuchToken { id: id.to_string() };
        let entry = self.tokens.read().get(&id).cloned().ok_or_else(missing)?;
        let mut set = WriteSet::new();
        set.expect_written_at(keys::token(id), entry.position);
        set.delete(keys::token(id)).delete(keys::token_use(id));
        let event = log_entry(caller, "token.revoked", id, &entry.token);
        match self.records.commit(set, Some(event)).await {
            Ok(_) => {}
            Err(trellis_records::Error::Storage(trellis_storage::Error::PreconditionFailed { .. })) => {
                return Err(missing());
            }
            Err(error) => return Err(error.into()),
        }
        self.tokens.write().remove(&id);
        Ok(())
    }

    fn check(&self, user: RecordId, options: &TokenOptions, now_ms: i64) -> Result<()> {
        let characters_max = self.config.label_characters_max;
        let characters = options.label.chars().count();
        if !(1..=characters_max).contains(&characters) || options.label.chars().any(char::is_control) {
            let label = options.label.chars().take(40).flat_map(char::escape_default).collect();
            return Err(Error::InvalidLabel { label, characters_max });
        }
        if options.expires_at_ms.is_some_and(|expires_at_ms| expires_at_ms <= now_ms) {
            return Err(Error::ExpiresInPast);
        }
        let tokens_max = self.config.tokens_per_user_max;
        let tokens = self.tokens.read().values().filter(|entry| entry.token.user == user).count();
        if tokens >= tokens_max { Err(Error::TooManyTokens { user, tokens_max }) } else { Ok(()) }
    }
}

impl Entry {
    fn info(&self) -> TokenInfo {
        TokenInfo {
            id: self.id,
            user: self.token.user,
            label: self.token.label.clone(),
            created_at_ms: self.token.created_at_ms,
            expires_at_ms: self.token.expires_at_ms,
            last_used_at_ms: self.last_used_at_ms(),
        }
    }
}

pub(crate) fn new_token(
    secret: &Secret,
    user: RecordId,
    options: TokenOptions,
    now_ms: i64,
) -> stored::Token {
    let TokenOptions { label, expires_at_ms } = options;
    stored::Token {
        user,
        hash: *token::hash(&secret.text).as_bytes(),
        label,
        created_at_ms: now_ms,
        expires_at_ms,
    }
}

/// The label is left out: the log is kept longer than the token, and people write names into labels.
pub(crate) fn log_entry(caller: &Caller, name: &str, id: TokenId, token: &stored::Token) -> NewEntry {
    let data = json!({ "token": id.to_string(), "user": token.user.to_string() });
    NewEntry {
        actor: caller.actor.clone(),
        cause: caller.cause.clone(),
        body: EntryBody::Event { name: name.to_owned(), data },
    }
}
