//! The job that compares, and how it is asked for. This is the one place here that knows the engine as a whole: it finds what is to be
//! compared, and hands on a view.

use std::{path::Path, sync::Arc};

use semver::Version;
use serde_json::{Value as Json, json};
use tokio::runtime::Handle;
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::Plugin;

use super::{
    CompareLimits, DryRunRequest, ReplayWith, StoredComparison, Trial, check, decisions::not_kept, id_of,
    records,
};
use crate::{
    Error, PluginInfo, Result, View, as_of, campaign,
    core::Core,
    jobs::Running,
    plugins::{Enabled, Grants, check_grants, checked_config},
    run,
};

/// What ends the name of a component in the spool folder.
const COMPONENT: &str = "wasm";

/// What a dry run is to do, everything decided.
pub(crate) async fn order(core: &Core, id: &PluginId, request: DryRunRequest) -> Result<StoredComparison> {
    let info = find(core, id)?;
    let version = request.version.unwrap_or_else(|| info.version.clone());
    let plugin = core.registry.metered(id, &version).await?;
    let (config, used) = match (request.config, &info.settings) {
        (Some(config), _) => (config, None),
        (None, settings) => (Json::Null, settings.as_ref().map(|settings| settings.config.clone())),
    };
    let config = checked_config(id, &plugin, used.unwrap_or(config))?;
    let inspection = plugin.inspection().configured(&config);
    check_grants(id, &inspection, &core.records.schema(), request.grants.as_deref())?;
    let asked = core.registry.requests_of(&inspection);
    let of_use = info.settings.as_ref().and_then(|settings| settings.grants.clone());
    let still_asked = |grants: Vec<String>| {
        grants.into_iter().filter(|grant| asked.iter().any(|asked| asked.grant == *grant)).collect()
    };
    let grants = request.grants.or_else(|| of_use.map(still_asked));
    let of_use = info.settings.as_ref().map_or(trellis_columns::AsOf::Now, |settings| settings.as_of);
    Ok(StoredComparison::DryRun {
        plugin: id.to_string(),
        version: version.to_string(),
        config: config.to_string(),
        grants,
        as_of: as_of::to_days(request.as_of.unwrap_or(of_use)),
        records_max: request.records_max,
    })
}

/// What a replay with something else is to do. The component lies in the spool folder from now on and belongs to the job.
pub(crate) async fn run_of(
    core: &Core,
    new_id: RecordId,
    id: &PluginId,
    run: RecordId,
    with: ReplayWith,
) -> Result<StoredComparison> {
    find(core, id)?;
    run::check_replay(core, id, run).await?;
    let (version, spooled) = match with {
        ReplayWith::Version(version) => {
            core.registry.metered(id, &version).await?;
            (version.to_string(), None)
        }
        ReplayWith::Component(component) => {
            let inspected = trellis_plugin_host::inspect(&component)?;
            if inspected.manifest.id != *id {
                let reason = format!("the component is of plugin `{}`, not of `{id}`", inspected.manifest.id);
                return Err(Error::InvalidRequest { reason });
            }
            let name = format!("{new_id}.{COMPONENT}");
            let path = core.spool_dir.join(&name);
            let written = crate::blocking::blocking("keeping a component", move || {
                std::fs::write(&path, component).map_err(|source| Error::File {
                    doing: "writing the component",
                    path,
                    source,
                })
            });
            written.await??;
            (String::new(), Some(name))
        }
    };
    Ok(StoredComparison::Replay { plugin: id.to_string(), run: *run.as_bytes(), version, spooled })
}

/// Removes the component of a comparison that has ended.
pub(crate) fn remove_component(spool_dir: &Path, comparison: &StoredComparison) {
    let Some(name) = comparison.spooled() else { return };
    let path = spool_dir.join(name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!("component `{}` cannot be removed: {error}", path.display());
        }
        _ => {}
    }
}

fn find(core: &Core, id: &PluginId) -> Result<PluginInfo> {
    core.registry.get(id).ok_or_else(|| Error::UnknownPlugin { id: id.to_string() })
}

/// Does a comparison.
pub(crate) fn run(core: &Core, job: &Running<'_>, comparison: &StoredComparison) -> Result<Json> {
    let (view, handle) = (View::new(&core.records, &core.columns), Handle::clone(job.handle()));
    let limits = limits(core, comparison);
    let unreadable = |error: String| Error::Damaged { what: format!("request of job {}: {error}", job.id()) };
    let id = PluginId::new(comparison.plugin()).map_err(|error| unreadable(error.to_string()))?;
    let trial = Trial {
        view: &view,
        archive: core.capsules.archive(),
        limits: &limits,
        batch_rows: core.config.batch_rows_max as usize,
        failed_rows_max: core.config.failed_rows_kept_max,
        handle: &handle,
        check: &|| job.check(),
        progress: &|done, total| job.progress(done, total, "rows"),
        cancel: job.cancel_plugin(),
        scope: &job.caller().scope,
        grants: &core.registry.granted_again(&id),
    };
    let parse = |version: &str| version.parse::<Version>().map_err(|error| unreadable(error.to_string()));
    let load = |version: &str| job.wait(core.registry.metered(&id, &parse(version)?));
    match comparison {
        StoredComparison::DryRun { version, config, grants, as_of, .. } => {
            let plugin = load(version)?;
            let candidate =
                Enabled::new(&id, plugin, config.clone(), Grants::new(grants.clone()), &view.schema());
            let used = in_use(core, &trial, &id)?;
            dry_run(&trial, &candidate, used.as_ref(), as_of::from_days(*as_of))
        }
        StoredComparison::Replay { run, version, spooled, .. } => {
            let candidate = match spooled {
                None => load(version)?,
                Some(name) => {
                    let path = core.spool_dir.join(name);
                    let read = std::fs::read(&path);
                    let component =
                        read.map_err(|source| Error::File { doing: "reading the component", path, source })?;
                    core.registry.load_metered(&component)?
                }
            };
            replay(&trial, &id, id_of(*run), &candidate, &load)
        }
        StoredComparison::Check { version, .. } => {
            let (candidate, used) = (load(version)?, in_use(core, &trial, &id)?);
            let used = used.as_ref().map(|used| &*used.plugin);
            check::check(&trial, &id, used, &candidate, &load)
        }
    }
}

/// The limits, no more than was asked for.
fn limits(core: &Core, comparison: &StoredComparison) -> CompareLimits {
    let limits = core.config.compare;
    match comparison {
        StoredComparison::DryRun { records_max: Some(max), .. } => CompareLimits {
            dry_run_customers_max: limits.dry_run_customers_max.min(*max),
            dry_run_records_max: limits.dry_run_records_max.min(*max),
            ..limits
        },
        _ => limits,
    }
}

/// The enabled version as it is used, loaded a second time so that asking it delays nobody.
fn in_use(core: &Core, trial: &Trial<'_>, id: &PluginId) -> Result<Option<Enabled>> {
    let enabled = core.registry.enabled().iter().find(|enabled| enabled.id == *id).cloned();
    let Some(enabled) = enabled else { return Ok(None) };
    let plugin: Arc<Plugin> = trial.wait(core.registry.metered(id, enabled.plugin.version()))?;
    let schema = trial.view.schema();
    Ok(Some(Enabled::new(id, plugin, enabled.config.clone(), enabled.grants.clone(), &schema)))
}

/// Evaluates a version for everything that it offers, beside what there is now.
fn dry_run(
    trial: &Trial<'_>,
    candidate: &Enabled,
    used: Option<&Enabled>,
    as_of: trellis_columns::AsOf,
) -> Result<Json> {
    let plugin = &candidate.plugin;
    let log = trial.view.log_head();
    let runs = plugin.segmentation().is_some() || plugin.scoring().is_some();
    let results = runs.then(|| run::dry_run(trial, candidate, as_of)).transpose()?;
    let hooks = records::record_hooks(trial, candidate, used)?;
    let workflow = records::service_workflow(trial, candidate, used)?;
    let decides = plugin.campaign_rules().is_some();
    let campaigns = decides.then(|| campaign::dry_run(trial, candidate, used, as_of)).transpose()?;
    Ok(json!({
        "plugin": candidate.id.as_str(),
        "version": plugin.version().to_string(),
        "digest": plugin.digest().to_string(),
        "version_in_use": used.map(|used| used.plugin.version().to_string()),
        "config": serde_json::from_str::<Json>(&candidate.config).unwrap_or_default(),
        "log": log,
        "results": results,
        "record_hooks": hooks,
        "service_workflow": workflow,
        "campaigns": campaigns,
    }))
}

/// Does a run again with another version.
fn replay(
    trial: &Trial<'_>,
    id: &PluginId,
    run: RecordId,
    candidate: &Plugin,
    versions: &dyn Fn(&str) -> Result<Arc<Plugin>>,
) -> Result<Json> {
    let digest = trial.wait(trial.view.ledger().capsule(id, run))?.ok_or_else(|| not_kept(run))?;
    let shown = match trial.wait(trial.view.ledger().run(id, run))? {
        None => campaign::replay_with(trial, (id, run, &digest), None, candidate, None)?.shown,
        Some(record) => {
            let version = versions(record.version())?;
            let recorded = run::Recorded {
                plugin: id,
                run,
                record: &record,
                capsule: &digest,
                version: &version,
                measured: false,
            };
            run::replay_with(trial, recorded, candidate, None, |_| Ok(()))?.shown
        }
    };
    Ok(json!({ "plugin": id.as_str(), "replay": shown }))
}
