//! The first start of a data folder: the user `admin` and its first token.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use trellis_model::{FieldName, Fields, RecordId, Value};
use trellis_records::{Caller, Records};
use trellis_storage::WriteSet;

use crate::access::user_object;
use crate::token::Secret;
use crate::tokens::{log_entry, new_token};
use crate::{Error, Result, TokenOptions, keys, stored};

/// What first start made.
pub struct FirstStart {
    /// The token of the user `admin`.
    pub admin_token: String,
    /// The file that holds it too.
    pub path: PathBuf,
}

impl std::fmt::Debug for FirstStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstStart").field("admin_token", &"[secret]").field("path", &self.path).finish()
    }
}

/// Makes what is missing. The file is there before the token is: a crash in between leaves a file that the next start replaces, never
/// a token that nobody knows.
pub(crate) async fn ensure(records: &Records, dir: &Path) -> Result<Option<FirstStart>> {
    if records.store().get(&keys::administrator()).await?.is_some() {
        return Ok(None);
    }
    let caller = Caller::system("first-start");
    let user = ensure_admin(records, &caller).await?;
    let secret = Secret::draw()?;
    let path = dir.join("admin-token");
    write_private(&path, &secret.text).map_err(|source| Error::TokenFile { path: path.clone(), source })?;

    let options = TokenOptions { label: "first start".into(), expires_at_ms: None };
    let token = new_token(&secret, user, options, records.clock().now_ms());
    let mut set = WriteSet::new();
    set.expect_absent(keys::administrator());
    set.put(keys::administrator(), stored::encode_user(user));
    set.put(keys::token(secret.id), token.encode());
    records.commit(set, Some(log_entry(&caller, "token.created", secret.id, &token))).await?;
    Ok(Some(FirstStart { admin_token: secret.text, path }))
}

async fn ensure_admin(records: &Records, caller: &Caller) -> Result<RecordId> {
    let object = user_object();
    let username = FieldName::new("username").expect("a valid name");
    let admin = Value::Text("admin".into());
    if let Some(user) = records.find_by(&caller.scope, &object, &username, &admin).await? {
        return Ok(user.id);
    }
    let schema = records.schema();
    let mut fields = Fields::new();
    for (name, value) in [
        ("username", admin),
        ("name", Value::Text("Administrator".into())),
        ("kind", Value::Choice("person".into())),
        ("active", Value::Bool(true)),
    ] {
        let field = schema.object(object.as_str()).and_then(|user| user.field(name));
        fields.insert(field.ok_or(Error::UserDefinition { field: name })?.id, value);
    }
    Ok(records.create(caller, &object, fields).await?.id)
}

/// Writes a file that only its owner can read, and makes it durable before it has its name.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    fs::remove_file(&unfinished).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
