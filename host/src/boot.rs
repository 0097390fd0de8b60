//! Puts the parts together. The one place that knows every concrete type.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use trellis_access::{Access, FirstStart};
use trellis_columns::Columns;
use trellis_engine::{Engine, RuleFormulas};
use trellis_http::{AppState, Health, HealthCheck};
use trellis_plugin_host::PluginHost;
use trellis_records::{Records, SystemClock, SystemIds};
use trellis_search::Search;
use trellis_storage::Store;
use trellis_storage_sled::{OnStopped, SledStore, StartReport};

use crate::config::Config;
use crate::watchdog::Watchdog;
use crate::workbench::BuiltIn;

/// Exit code when the store stops while serving; a supervisor starts again, and the start heals.
const EXIT_STORE_STOPPED: i32 = 70;

/// Where things are in a data folder.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The data folder itself: `admin-token`, `server-url`.
    pub data: PathBuf,
}

impl Folders {
    /// The folders of a data folder, made where they are missing, for this user only.
    pub(crate) fn create(data: &Path) -> Result<Self, Error> {
        let folders = Self { data: data.to_path_buf() };
        for folder in [
            folders.data.clone(),
            folders.columns(),
            folders.engine(),
            folders.plugin_cache(),
            folders.search(),
        ] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(|error| Error::Folder { path: folder.clone(), error })?;
        }
        Ok(folders)
    }

    /// The journal and sled.
    pub(crate) fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    /// Checkpoints of features; can be deleted.
    pub(crate) fn columns(&self) -> PathBuf {
        self.data.join("columns")
    }

    /// Plugin files, models, and files that wait for their import.
    fn engine(&self) -> PathBuf {
        self.data.join("engine")
    }

    /// The index of full-text search; can be deleted.
    fn search(&self) -> PathBuf {
        self.data.join("search")
    }

    /// Compiled plugins; can be deleted.
    fn plugin_cache(&self) -> PathBuf {
        self.data.join("plugin-cache")
    }
}

/// Why a server could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Config(String),
    #[error("cannot create folder {}: {error}", path.display())]
    Folder { path: PathBuf, error: std::io::Error },
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: std::io::Error },
    #[error("cannot listen on {address}: {error}")]
    Listen { address: String, error: std::io::Error },
    #[error("cannot open the data: {0}")]
    Storage(#[from] trellis_storage::Error),
    #[error("cannot open the records: {0}")]
    Records(#[from] trellis_records::Error),
    #[error("cannot open the columns: {0}")]
    Columns(#[from] trellis_columns::Error),
    #[error("cannot open full-text search: {0}")]
    Search(#[from] trellis_search::Error),
    #[error("cannot start the plugin host: {0}")]
    PluginHost(#[from] trellis_plugin_host::Error),
    #[error("cannot start the engine: {0}")]
    Engine(#[from] trellis_engine::Error),
    #[error("cannot open users and tokens: {0}")]
    Access(#[from] trellis_access::Error),
    #[error("cannot serve: {0}")]
    Serve(std::io::Error),
}

impl Error {
    /// Whether the data folder itself is at fault, so that starting again does not help.
    pub(crate) fn is_about_data(&self) -> bool {
        use trellis_storage::Error::{Damaged, Stopped};
        match self {
            Self::Storage(error) => matches!(error, Damaged { .. } | Stopped { .. }),
            Self::Records(error) => matches!(
                error,
                trellis_records::Error::Storage(Damaged { .. }) | trellis_records::Error::Damaged { .. }
            ),
            Self::Columns(_) | Self::Access(trellis_access::Error::Damaged { .. }) => true,
            _ => false,
        }
    }
}

/// Records and columns over an open store: what checking a data folder needs, and what serving starts from.
pub(crate) struct Opened {
    pub store: Arc<SledStore>,
    pub report: StartReport,
    pub records: Arc<Records>,
    pub columns: Arc<Columns>,
}

/// Opens the data.
pub(crate) async fn open(folders: &Folders, config: &Config) -> Result<Opened, Error> {
    let on_stopped = OnStopped::new(|reason| {
        tracing::error!(reason, "the store has stopped; the server ends, a new start heals");
        std::process::exit(EXIT_STORE_STOPPED);
    });
    let (store_folder, storage) = (folders.store(), config.storage(on_stopped));
    let opened = tokio::task::spawn_blocking(move || SledStore::open(&store_folder, storage));
    let opened = opened.await.expect("opening the store does not panic")?;
    log_start(&opened.report);
    let store = Arc::clone(&opened.store) as Arc<dyn Store>;
    let records = Records::open(
        store,
        Arc::new(SystemClock),
        Arc::new(SystemIds::default()),
        config.records().map_err(Error::Config)?,
    )
    .await?;
    let rules = config.engine().map_err(Error::Config)?.rules;
    records.set_formulas(Arc::new(RuleFormulas::new(rules)));
    let columns = Columns::open(Arc::clone(&records), folders.columns(), config.columns()).await?;
    records.set_derived(Arc::clone(&columns) as _);
    // Roll-ups and stored formulas are there before the first request.
    columns.catch_up().await?;
    Ok(Opened { store: opened.store, report: opened.report, records, columns })
}

fn log_start(report: &StartReport) {
    if report.healed() {
        tracing::warn!(?report, "the data was healed at start");
    } else {
        tracing::info!(
            created = report.created,
            replayed_groups = report.replayed_groups,
            "the data is open"
        );
    }
}

/// Serves until `stop` ends.
pub(crate) async fn serve(
    data: &Path,
    listen: Option<&str>,
    config: &Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let folders = Folders::create(data)?;
    let address = listen.unwrap_or(&config.server.listen);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Error::Listen { address: address.to_owned(), error })?;
    let Opened { store, records, columns, .. } = open(&folders, config).await?;
    let watchdog = Watchdog::start(Arc::clone(&store) as _, |reason| {
        tracing::error!(reason, "the store hangs; the server aborts, a new start heals");
        std::process::abort();
    });
    let watchdog = watchdog.map_err(Error::Serve)?;
    let search = Search::start(&records, folders.search(), config.search())?;
    records.set_text_search(Arc::clone(&search) as _);
    let program = std::env::current_exe()
        .map_err(|error| Error::Config(format!("cannot find this program: {error}")))?;
    let plugin_host = PluginHost::new(config.plugins(&program, &folders.plugin_cache()))?;
    let engine = Engine::start(
        Arc::clone(&records),
        Arc::clone(&columns),
        plugin_host,
        folders.engine(),
        config.engine().map_err(Error::Config)?,
    )
    .await?;
    let (access, first_start) = Access::open(Arc::clone(&records), data, config.access()).await?;
    engine.tell_administrators(vec![access.administrator()]);
    let sweeper = tokio::spawn(sweep_answers(Arc::clone(&access)));
    let state = AppState {
        records,
        columns: Arc::clone(&columns),
        engine: Arc::clone(&engine),
        access,
        health: Arc::new(StoreHealth { store: Arc::clone(&store) }),
        workbench: Arc::new(BuiltIn),
        config: config.http(),
    };
    announce(&folders, &listener, first_start.as_ref())?;
    trellis_http::serve(listener, state, stop).await;
    sweeper.abort();
    engine.shutdown().await;
    search.shutdown().await;
    columns.checkpoint().await?;
    drop(watchdog);
    tokio::task::spawn_blocking(move || store.close()).await.expect("closing the store does not panic")?;
    Ok(())
}

/// Deletes the answers to requests with an `Idempotency-Key` that are no longer kept, at the start and then every hour.
async fn sweep_answers(access: Arc<Access>) {
    let mut hours = tokio::time::interval(std::time::Duration::from_secs(3_600));
    loop {
        hours.tick().await;
        if let Err(error) = access.sweep_answers().await {
            tracing::warn!(%error, "old answers to requests were not deleted");
        }
    }
}

/// Writes the address where the command line of this machine finds it, and prints the first token once.
fn announce(
    folders: &Folders,
    listener: &TcpListener,
    first_start: Option<&FirstStart>,
) -> Result<(), Error> {
    let address = listener.local_addr().map_err(Error::Serve)?;
    let url = format!("http://{address}");
    let path = folders.data.join("server-url");
    let write = |error| Error::Write { path: path.clone(), error };
    fs::write(&path, format!("{url}\n")).map_err(write)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(write)?;
    tracing::info!(%url, "serving");
    if let Some(first_start) = first_start {
        crate::cli::first_start(&url, first_start);
    }
    Ok(())
}

/// Ready as long as the store takes work.
#[derive(Debug)]
struct StoreHealth {
    store: Arc<SledStore>,
}

impl Health for StoreHealth {
    fn checks(&self) -> futures_util::future::BoxFuture<'_, Vec<HealthCheck>> {
        Box::pin(async move {
            let problem = self.store.get(b"\0").await.err().map(|_| "the store does not answer".to_owned());
            vec![HealthCheck { name: "storage".into(), problem }]
        })
    }
}
