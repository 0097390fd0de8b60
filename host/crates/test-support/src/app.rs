use std::sync::Arc;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use trellis_access::{Access, TokenOptions};
use trellis_columns::Columns;
use trellis_engine::Engine;
use trellis_http::{AppState, NoWorkbench, Workbench};
use trellis_model::RecordId;
use trellis_plugin_host::PluginHost;
use trellis_records::{Caller, Records, SystemIds};
use trellis_storage::{MemoryStore, Store};

use crate::{Client, FakeClock, FakeHealth};

/// A server in memory. Its parts are open to tests; requests go through the whole router.
#[derive(Debug)]
pub struct TestApp {
    /// The store under everything.
    pub store: Arc<dyn Store>,
    /// Objects and records.
    pub records: Arc<Records>,
    /// Segmentations.
    pub columns: Arc<Columns>,
    /// Jobs and plugins.
    pub engine: Arc<Engine>,
    /// Users and tokens.
    pub access: Arc<Access>,
    /// The time.
    pub clock: Arc<FakeClock>,
    /// What `/ready` says.
    pub health: Arc<FakeHealth>,
    router: trellis_http::axum::Router,
    state: AppState,
    admin_token: String,
    dir: TempDir,
}

/// How a [`TestApp`] differs from the usual one.
#[derive(Debug, Default)]
pub struct TestAppBuilder {
    /// Limits of the HTTP server.
    pub http: trellis_http::Config,
    /// Limits and habits of records.
    pub records: trellis_records::Config,
    /// Limits of users, tokens and kept answers.
    pub access: trellis_access::Config,
    /// The files of the browser's side; none unless a test is about them.
    pub workbench: Option<Arc<dyn Workbench>>,
}

impl TestAppBuilder {
    /// Starts the server.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(self) -> TestApp {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let clock = Arc::new(FakeClock::default());
        let ids = Arc::new(SystemIds::default());
        let records =
            Records::open(Arc::clone(&store), clock.clone(), ids, self.records).await.expect("records open");
        let columns = Columns::open(
            Arc::clone(&records),
            dir.path().join("columns"),
            trellis_columns::Config::default(),
        )
        .await;
        let columns = columns.expect("columns open");
        records.set_derived(columns.clone());
        records
            .set_formulas(Arc::new(trellis_engine::RuleFormulas::new(trellis_engine::RuleLimits::default())));
        columns.catch_up().await.expect("roll-ups are computed");
        let plugin_host = PluginHost::new(trellis_plugin_host::Config::default()).expect("a plugin host");
        let engine_dir = dir.path().join("engine");
        let engine_config = trellis_engine::Config::default();
        let engine =
            Engine::start(records.clone(), columns.clone(), plugin_host, engine_dir, engine_config).await;
        let engine = engine.expect("the engine starts");
        let (access, first_start) =
            Access::open(records.clone(), dir.path(), self.access).await.expect("access opens");
        let admin_token = first_start.expect("the store is new").admin_token;
        let health = Arc::new(FakeHealth::default());
        let state = AppState {
            records: records.clone(),
            columns: columns.clone(),
            engine: engine.clone(),
            access: access.clone(),
            health: health.clone(),
            workbench: self.workbench.unwrap_or_else(|| Arc::new(NoWorkbench)),
            config: self.http,
        };
        let router = trellis_http::router(state.clone());
        TestApp { store, records, columns, engine, access, clock, health, router, state, admin_token, dir }
    }
}

impl TestApp {
    /// A server with the usual limits.
    pub async fn new() -> Self {
        TestAppBuilder::default().start().await
    }

    /// Sends as the administrator.
    pub fn admin(&self) -> Client {
        Client::new(self.router.clone(), Some(self.admin_token.clone()))
    }

    /// Sends without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.router.clone(), None)
    }

    /// Sends with this token.
    pub fn with_token(&self, token: &str) -> Client {
        Client::new(self.router.clone(), Some(token.to_owned()))
    }

    /// Makes an active user without rights and sends as it.
    ///
    /// # Panics
    /// When the user cannot be made.
    pub async fn user(&self, username: &str) -> Client {
        let user = json!({ "username": username, "name": username, "kind": "service", "active": true });
        let user = self.create("users", user).await;
        let id = RecordId::parse(user["id"].as_str().expect("an id")).expect("a record id");
        let options = TokenOptions { label: "test".into(), expires_at_ms: None };
        let token = self.access.create_token(&Caller::system("test"), id, options).await.expect("a token");
        self.with_token(&token.token)
    }

    /// Makes a record over HTTP.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn create(&self, objects: &str, fields: Json) -> Json {
        self.admin().post(&format!("/api/v1/{objects}"), fields).await.expect(201)
    }

    /// Starts full-text search, which few tests need; it shows what was saved when it is asked to wait.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_search(&self) {
        let config = trellis_search::Config { commit_interval_ms: 3_600_000, ..Default::default() };
        let search = trellis_search::Search::start(&self.records, self.dir.path().join("search"), config);
        self.records.set_text_search(search.expect("the search starts"));
        let search = self.records.text_search().expect("it was set");
        search.caught_up(self.records.log_head()).await.expect("the search follows");
    }

    /// What a server over a socket needs.
    pub fn state(&self) -> AppState {
        self.state.clone()
    }

    /// The folder of its files.
    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }
}
