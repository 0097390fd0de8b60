use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use trellis_model::{FieldName, Fields, Language, RecordId, Scope, Value};
use trellis_records::{Caller, Clock, FieldChanges, Records, SystemIds};
use trellis_storage::MemoryStore;

use crate::access::user_object;
use crate::{Access, Config, Error, FirstStart, TokenId, TokenOptions};

#[derive(Debug)]
struct FakeClock(AtomicI64);

impl Clock for FakeClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Fixture {
    store: Arc<MemoryStore>,
    clock: Arc<FakeClock>,
    records: Arc<Records>,
    dir: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(FakeClock(AtomicI64::new(1_000_000)));
        let records = open_records(&store, &clock).await;
        Self { store, clock, records, dir: tempfile::tempdir().unwrap() }
    }

    async fn open(&self) -> (Arc<Access>, Option<FirstStart>) {
        let records = open_records(&self.store, &self.clock).await;
        Access::open(records, self.dir.path(), Config::default()).await.unwrap()
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    async fn user(&self, records: &Records, username: &str) -> RecordId {
        let schema = records.schema();
        let user = schema.object("user").unwrap();
        let fields = [
            ("username", Value::Text(username.into())),
            ("name", Value::Text(username.into())),
            ("kind", Value::Choice("service".into())),
            ("active", Value::Bool(true)),
        ];
        let fields: Fields =
            fields.into_iter().map(|(name, value)| (user.field(name).unwrap().id, value)).collect();
        records.create(&Caller::system("test"), &user_object(), fields).await.unwrap().id
    }
}

async fn open_records(store: &Arc<MemoryStore>, clock: &Arc<FakeClock>) -> Arc<Records> {
    let (store, clock) = (Arc::clone(store), Arc::clone(clock));
    Records::open(store, clock, Arc::new(SystemIds::default()), trellis_records::Config::default())
        .await
        .unwrap()
}

fn options(label: &str) -> TokenOptions {
    TokenOptions { label: label.into(), expires_at_ms: None }
}

async fn set_active(records: &Records, user: RecordId, active: bool) {
    let field = records.schema().object("user").unwrap().field("active").unwrap().id;
    let changes = FieldChanges::from([(field, Some(Value::Bool(active)))]);
    records.update(&Caller::system("test"), &user_object(), user, changes, None).await.unwrap();
}

#[tokio::test]
async fn first_start_makes_the_admin_and_its_token_once() {
    let fixture = Fixture::new().await;
    let (access, first_start) = fixture.open().await;
    let first_start = first_start.unwrap();
    let principal = access.authenticate(&first_start.admin_token).await.unwrap().unwrap();
    assert_eq!((&*principal.username, principal.administrator), ("admin", true));
    assert_eq!(access.caller(&principal, Language::ZhCn).scope, Scope::everything());

    assert_eq!(first_start.path, fixture.path().join("admin-token"));
    assert_eq!(std::fs::read_to_string(&first_start.path).unwrap().trim_end(), first_start.admin_token);
    let mode = std::fs::metadata(&first_start.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!format!("{first_start:?}").contains(&first_start.admin_token));

    let (again, second_start) = fixture.open().await;
    assert!(second_start.is_none());
    assert!(again.authenticate(&first_start.admin_token).await.unwrap().is_some());
}

#[tokio::test]
async fn first_start_takes_an_admin_that_is_there() {
    let fixture = Fixture::new().await;
    let user = fixture.user(&fixture.records, "admin").await;
    let (access, _) = fixture.open().await;
    assert_eq!(access.administrator(), user);
}

#[tokio::test]
async fn a_wrong_token_is_nobody() {
    let fixture = Fixture::new().await;
    let (access, first_start) = fixture.open().await;
    let token = first_start.unwrap().admin_token;
    let other = crate::token::Secret::draw().unwrap().text;
    // The id of a real token with the secret of another one, checksum right.
    let forged = format!("{}{}", &token[..25], &other[25..57]);
    let forged = format!("{forged}{}", &blake3_checksum(&forged));
    for wrong in ["", "x", &token[..20], &other, &forged, &format!("{token} ")] {
        assert!(access.authenticate(wrong).await.unwrap().is_none(), "{wrong}");
    }
}

fn blake3_checksum(text: &str) -> String {
    let bytes = *blake3::hash(text.as_bytes()).as_bytes();
    let number = u64::from_be_bytes(bytes[..8].try_into().unwrap()) >> 39;
    (0..5)
        .map(|i| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[(number >> (20 - 5 * i) & 31) as usize]))
        .collect()
}

#[tokio::test]
async fn a_user_without_rights_gets_an_empty_scope_and_loses_its_tokens_with_its_activity() {
    let fixture = Fixture::new().await;
    let (access, _) = fixture.open().await;
    let user = fixture.user(&access.records, "till").await;
    let system = Caller::system("test");
    let new = access.create_token(&system, user, options("till 1")).await.unwrap();
    let principal = access.authenticate(&new.token).await.unwrap().unwrap();
    assert_eq!((principal.user, principal.administrator), (user, false));
    assert_eq!(access.scope(&principal), Scope::nothing());

    set_active(&access.records, user, false).await;
    assert!(access.authenticate(&new.token).await.unwrap().is_none());
    set_active(&access.records, user, true).await;
    assert!(access.authenticate(&new.token).await.unwrap().is_some());
    access.records.delete(&system, &user_object(), user, None).await.unwrap();
    assert!(access.authenticate(&new.token).await.unwrap().is_none());
    let gone = access.create_token(&system, user, options("x")).await;
    assert!(matches!(gone, Err(Error::NoSuchUser { .. })));
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_after_a_restart() {
    let fixture = Fixture::new().await;
    let (access, _) = fixture.open().await;
    let system = Caller::system("test");
    let new = access.create_token(&system, access.administrator(), options("laptop")).await.unwrap();
    assert!(access.authenticate(&new.token).await.unwrap().is_some());
    access.revoke_token(&system, new.info.id).await.unwrap();
    assert!(access.authenticate(&new.token).await.unwrap().is_none());
    assert!(matches!(access.revoke_token(&system, new.info.id).await, Err(Error::NoSuchToken { .. })));
    let (again, _) = fixture.open().await;
    assert!(again.authenticate(&new.token).await.unwrap().is_none());
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let fixture = Fixture::new().await;
    let (access, _) = fixture.open().await;
    let system = Caller::system("test");
    let until = TokenOptions { label: "an hour".into(), expires_at_ms: Some(1_000_000 + 3_600_000) };
    let new = access.create_token(&system, access.administrator(), until).await.unwrap();
    assert!(access.authenticate(&new.token).await.unwrap().is_some());
    fixture.clock.0.fetch_add(3_600_000, Ordering::Relaxed);
    assert!(access.authenticate(&new.token).await.unwrap().is_none());
}

#[tokio::test]
async fn tokens_are_listed_with_their_last_use_which_outlives_a_restart() {
    let fixture = Fixture::new().await;
    let (access, first_start) = fixture.open().await;
    let token = first_start.unwrap().admin_token;
    assert_eq!(access.list_tokens()[0].last_used_at_ms, None);
    access.authenticate(&token).await.unwrap();
    assert_eq!(access.list_tokens()[0].last_used_at_ms, Some(1_000_000));
    fixture.clock.0.fetch_add(5_000, Ordering::Relaxed);
    access.authenticate(&token).await.unwrap();
    assert_eq!(access.list_tokens()[0].last_used_at_ms, Some(1_005_000));
    let (again, _) = fixture.open().await;
    assert_eq!(again.list_tokens()[0].last_used_at_ms, Some(1_000_000));
}

#[tokio::test]
async fn limits_on_tokens_are_kept() {
    let fixture = Fixture::new().await;
    let config = Config { tokens_per_user_max: 2, ..Config::default() };
    let (access, _) = Access::open(Arc::clone(&fixture.records), fixture.path(), config).await.unwrap();
    let (system, admin) = (Caller::system("test"), access.administrator());
    for label in ["", "a\nb", &"x".repeat(201)] {
        let refused = access.create_token(&system, admin, options(label)).await;
        assert!(matches!(refused, Err(Error::InvalidLabel { .. })), "{label}");
    }
    let past = TokenOptions { label: "x".into(), expires_at_ms: Some(1_000_000) };
    assert!(matches!(access.create_token(&system, admin, past).await, Err(Error::ExpiresInPast)));
    access.create_token(&system, admin, options("second")).await.unwrap();
    let third = access.create_token(&system, admin, options("third")).await;
    assert!(matches!(third, Err(Error::TooManyTokens { tokens_max: 2, .. })));
}

#[tokio::test]
async fn making_and_revoking_a_token_is_in_the_log_without_the_secret() {
    let fixture = Fixture::new().await;
    let (access, _) = fixture.open().await;
    let system = Caller::system("test");
    let before = access.records.log_head();
    let new = access.create_token(&system, access.administrator(), options("laptop")).await.unwrap();
    access.revoke_token(&system, new.info.id).await.unwrap();
    let entries = format!("{:?}", access.records.log_after(before, 10).await.unwrap());
    assert!(entries.contains("token.created") && entries.contains("token.revoked"));
    assert!(entries.contains(&new.info.id.to_string()) && !entries.contains(&new.token[25..]));
    assert_eq!(TokenId::parse(&new.info.id.to_string()), Some(new.info.id));
    let name = FieldName::new("username").unwrap();
    assert!(
        access
            .records
            .find_by(&Scope::everything(), &user_object(), &name, &Value::Text("admin".into()))
            .await
            .unwrap()
            .is_some()
    );
}
