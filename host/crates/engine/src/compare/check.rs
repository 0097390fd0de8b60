//! The check of an upgrade: the last runs and decisions of a plugin done again by another version.

use serde_json::{Value as Json, json};
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::Plugin;

use super::{Figures, Trial, Uses, decisions::remake, verdict};
use crate::{Error, Result, campaign, run};

/// The versions that made runs, by name; loaded by the caller.
pub(super) type VersionsOf<'a> = &'a dyn Fn(&str) -> Result<std::sync::Arc<Plugin>>;

/// Does the last runs and decisions again. `version` is the one in use, where there is one.
pub(super) fn check(
    trial: &Trial<'_>,
    plugin: &PluginId,
    version: Option<&Plugin>,
    candidate: &Plugin,
    versions: VersionsOf<'_>,
) -> Result<Json> {
    let (mut figures, mut runs) = (Figures::default(), Vec::new());
    let mut uses = Uses::default();
    let kept = trial.wait(trial.view.ledger().with_capsules(plugin, trial.limits.check_runs_max))?;
    for run in kept {
        (trial.check)()?;
        match one_run(trial, plugin, run, version, candidate, versions) {
            Ok((shown, compared, used)) => {
                uses.add(used);
                figures.rows += compared.rows;
                figures.rows_changed += compared.rows_changed;
                figures.faults += compared.faults;
                runs.push(shown);
            }
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => {
                // What was not recorded or is gone cannot be compared, which is not the version's fault; a fault is.
                figures.faults += u64::from(matches!(error, Error::Plugin(_)));
                runs.push(
                    json!({ "run": run.to_string(), "error": { "code": error.code(), "message": error.to_string() } }),
                );
            }
        }
    }
    let remade = remake(trial, plugin, version, candidate)?;
    figures.decisions = remade.diff.compared;
    figures.decisions_changed = remade.diff.changed;
    figures.faults += remade.failed + remade.diff.failed;
    uses.add(remade.uses);
    figures.fuel_before = uses.before.map_or(0, |before| before.fuel);
    figures.fuel_after = uses.after.fuel;
    let (shown, _) = verdict(&figures, trial.limits);
    Ok(json!({
        "plugin": plugin.as_str(),
        "version_in_use": version.map(|version| version.version().to_string()),
        "version": candidate.version().to_string(),
        "verdict": shown,
        "runs": runs,
        "decisions": remade.into_json(),
        "use": uses.to_json(),
    }))
}

fn one_run(
    trial: &Trial<'_>,
    plugin: &PluginId,
    run: RecordId,
    version: Option<&Plugin>,
    candidate: &Plugin,
    versions: VersionsOf<'_>,
) -> Result<(Json, Figures, Uses)> {
    let expired = || super::decisions::not_kept(run);
    let digest = trial.wait(trial.view.ledger().capsule(plugin, run))?.ok_or_else(expired)?;
    let Some(record) = trial.wait(trial.view.ledger().run(plugin, run))? else {
        let of = (plugin, run, &digest);
        let compared = campaign::replay_with(trial, of, version, candidate, None)?;
        let figures = Figures {
            rows: compared.diff.rows(),
            rows_changed: compared.diff.changed(),
            faults: compared.failed,
            ..Figures::default()
        };
        return Ok((compared.shown, figures, compared.uses));
    };
    let made_by = match version.filter(|version| record.is_by(version)) {
        Some(_) => None,
        None => Some(versions(record.version())?),
    };
    let recorded = run::Recorded {
        plugin,
        run,
        record: &record,
        capsule: &digest,
        version: made_by.as_deref().or(version).ok_or_else(expired)?,
        measured: made_by.is_none(),
    };
    let compared = run::replay_with(trial, recorded, candidate, None, |_| Ok(()))?;
    let figures = Figures {
        rows: compared.diff.rows(),
        rows_changed: compared.diff.changed(),
        faults: compared.failed,
        ..Figures::default()
    };
    Ok((compared.shown, figures, compared.uses))
}
