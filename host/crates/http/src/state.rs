use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use trellis_access::Access;
use trellis_columns::Columns;
use trellis_engine::Engine;
use trellis_records::Records;

use crate::Config;

/// What the handlers work with.
#[derive(Debug, Clone)]
pub struct AppState {
    /// Objects and records.
    pub records: Arc<Records>,
    /// Segmentations and their members.
    pub columns: Arc<Columns>,
    /// Jobs and plugins.
    pub engine: Arc<Engine>,
    /// Users and tokens.
    pub access: Arc<Access>,
    /// What `/ready` asks.
    pub health: Arc<dyn Health>,
    /// The pages and scripts of the browser's side.
    pub workbench: Arc<dyn Workbench>,
    /// Limits.
    pub config: Config,
}

/// Tells whether the server can do its work. `boot` supplies one that looks at the storage.
pub trait Health: Send + Sync + Debug + 'static {
    /// Returns what is checked, each with what is wrong with it, if anything. Must answer within a second.
    fn checks(&self) -> BoxFuture<'_, Vec<HealthCheck>>;
}

/// One thing that a ready server needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// Its name, for example `storage`.
    pub name: String,
    /// What is wrong with it; `None` is well. Shown without a token, so it names no path and no data.
    pub problem: Option<String>,
}

/// The files of the browser's side. `boot` supplies those that were built into the program.
pub trait Workbench: Send + Sync + Debug + 'static {
    /// Returns a file by its path, for example `index.html`.
    fn file(&self, path: &str) -> Option<WorkbenchFile>;
}

/// A file for the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkbenchFile {
    /// What it is.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Bytes,
    /// The content packed by gzip, where that is smaller.
    pub gzip: Option<Bytes>,
}

/// No files: the server answers programs only.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWorkbench;

impl Workbench for NoWorkbench {
    fn file(&self, _: &str) -> Option<WorkbenchFile> {
        None
    }
}

/// The state as handlers get it.
pub(crate) type App = Arc<AppState>;
