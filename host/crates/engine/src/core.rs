//! What the parts of the engine share, and what it does for a job.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value as Json;
use trellis_columns::Columns;
use trellis_model::PluginId;
use trellis_records::Records;

use crate::{
    Config, Error, Result, as_of, import,
    jobs::{Request, Running, Work},
    plugins::Registry,
    run::{self, RunInput},
};

/// What the parts of the engine share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) records: Arc<Records>,
    pub(crate) columns: Arc<Columns>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) spool_dir: PathBuf,
    pub(crate) config: Config,
}

impl Work for Core {
    fn run(&self, job: &Running<'_>) -> Result<Json> {
        match job.request() {
            Request::Import { object, mapping, spooled, .. } => {
                import::run(self, job, object, mapping.as_deref(), &self.spool_dir.join(spooled))
            }
            Request::PluginRun { plugin, version, config, as_of, announce, last_model } => {
                let unreadable =
                    |error: String| Error::Damaged { what: format!("request of job {}: {error}", job.id()) };
                let input = RunInput {
                    plugin: PluginId::new(plugin).map_err(|error| unreadable(error.to_string()))?,
                    version: version.parse().map_err(|error: semver::Error| unreadable(error.to_string()))?,
                    config: serde_json::from_str(config).map_err(|error| unreadable(error.to_string()))?,
                    as_of: as_of::from_days(*as_of),
                    announce: *announce,
                    last_model: *last_model,
                };
                run::run(self, job, &input)
            }
        }
    }

    fn can_resume(&self, request: &Request) -> bool {
        match request {
            // Rows that were loaded before are found again and stay as they are.
            Request::Import { spooled, unlimited, .. } => {
                *unlimited && self.spool_dir.join(spooled).is_file()
            }
            Request::PluginRun { .. } => true,
        }
    }

    fn ended(&self, request: &Request) {
        if let Request::Import { spooled, .. } = request {
            import::remove_spooled(&self.spool_dir.join(spooled));
        }
    }
}
