//! Jobs that build and delete indexes after a change of the schema.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Value as Json, json};
use trellis_model::PluginId;
use trellis_records::{BuildEnd, Caller, PendingBuild, SchemaApplied, SchemaApply, SchemaDocument};

use crate::{
    Engine, Error, Job, Result,
    core::Core,
    jobs::{Jobs, Request, Running},
};

/// Builds and deletes what is pending of an object, until nothing is. What an earlier attempt did is not done again.
pub(crate) fn run(core: &Core, job: &Running<'_>, object: &str) -> Result<Json> {
    let done = AtomicU64::new(0);
    let (mut built, mut dropped) = (Vec::new(), Vec::new());
    let progress = |rows: u64| {
        let done = done.fetch_add(rows, Relaxed) + rows;
        job.progress(done, None, "records");
        if job.check().is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut not_unique = None;
    while let Some(build) = pending(core, object).next() {
        job.check()?;
        match job.wait(core.records.build_index(job.caller(), &build, &progress)) {
            Ok(BuildEnd::Finished) if build.building => built.push(build.name),
            Ok(BuildEnd::Finished) => dropped.push(build.name),
            Ok(BuildEnd::Stopped) => return Err(Error::Cancelled),
            Ok(BuildEnd::Nothing) => {}
            // The field is as it was before; what else is to be built has nothing to do with it.
            Err(error @ trellis_records::Error::NotUnique { .. }) => not_unique = not_unique.or(Some(error)),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(error) = not_unique {
        return Err(error.into());
    }
    Ok(json!({ "built": built, "dropped": dropped, "records": done.into_inner() }))
}

fn pending<'a>(core: &Core, object: &'a str) -> impl Iterator<Item = PendingBuild> + use<'a> {
    core.records.pending_builds().into_iter().filter(move |build| build.object.as_str() == object)
}

impl Engine {
    /// Changes the schema, and has the indexes built that this asks for: as jobs, which are returned.
    ///
    /// It goes on to its end where the caller does not wait.
    ///
    /// # Errors
    /// As [`trellis_records::Records::schema_apply`]. Where a job cannot be queued, the next start queues it.
    pub async fn schema_apply(
        &self,
        caller: &Caller,
        document: SchemaDocument,
        apply: SchemaApply,
    ) -> Result<(SchemaApplied, Vec<Job>)> {
        let (core, by) = (Arc::clone(&self.core), caller.clone());
        let applying = tokio::spawn(async move { core.records.schema_apply(&by, &document, &apply).await });
        self.applied(caller, applying.await).await
    }

    /// Marks what a pack added to the schema as removed.
    ///
    /// # Errors
    /// As [`Engine::schema_apply`].
    pub async fn schema_remove_pack(
        &self,
        caller: &Caller,
        pack: PluginId,
    ) -> Result<(SchemaApplied, Vec<Job>)> {
        let (core, by) = (Arc::clone(&self.core), caller.clone());
        let applying = tokio::spawn(async move { core.records.schema_remove_pack(&by, &pack).await });
        self.applied(caller, applying.await).await
    }

    async fn applied(
        &self,
        caller: &Caller,
        applied: Result<trellis_records::Result<SchemaApplied>, tokio::task::JoinError>,
    ) -> Result<(SchemaApplied, Vec<Job>)> {
        let failed = |error: tokio::task::JoinError| Error::Internal {
            doing: "changing the schema",
            reason: error.to_string(),
        };
        let applied = applied.map_err(failed)??;
        let mut jobs = Vec::new();
        for object in &applied.builds {
            jobs.extend(self.build_indexes(caller, object).await);
        }
        Ok((applied, jobs))
    }

    /// Queues what an earlier server, or a new release, left to be built.
    pub(crate) async fn build_pending_indexes(&self) {
        let mut objects: Vec<String> =
            self.core.records.pending_builds().into_iter().map(|build| build.object.to_string()).collect();
        objects.dedup();
        for object in objects {
            if !self.jobs.has_open(&Request::SchemaBuild { object: object.clone() }) {
                self.build_indexes(&Caller::system("schema"), &object).await;
            }
        }
    }

    /// A job that could not be queued is no reason to take back what is committed.
    pub(crate) async fn build_indexes(&self, caller: &Caller, object: &str) -> Option<Job> {
        queue(&self.core, &self.jobs, caller, object).await
    }
}

/// Has the indexes of an object built, as a job; `None` where it could not be queued.
pub(crate) async fn queue(core: &Core, jobs: &Jobs, caller: &Caller, object: &str) -> Option<Job> {
    let request = Request::SchemaBuild { object: object.to_owned() };
    let id = core.records.ids().record_id(core.records.clock().now_ms());
    match jobs.create(id, caller, request).await {
        Ok(job) => Some(job),
        Err(error) => {
            tracing::warn!(object, "the indexes wait for the next start to be built: {error}");
            None
        }
    }
}
