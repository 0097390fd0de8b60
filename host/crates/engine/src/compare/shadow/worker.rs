//! The thread that evaluates shadows, one call at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::watch};
use trellis_model::{PluginId, RecordId};
use trellis_plugin_host::{CancelFlag, Plugin};

use super::{
    Observed, Shadow, Waiting,
    evaluate::{self, Outcome},
    figures::FiguresV1,
    lost, runs, store,
};
use crate::{
    Error, Result, View,
    background::Background,
    blocking::blocking,
    core::Core,
    plugins::{Enabled, Grants},
};

/// Loads the shadows that there are and starts the thread. One that cannot be loaded ends, and the administrators are told.
pub(crate) async fn start(core: Arc<Core>) -> Result<Background> {
    for (id, settings, figures) in store::all(&core.records).await? {
        match load(&core, &id, settings.clone(), figures).await {
            Ok(shadow) => core.shadows.put(shadow),
            Err(error) => {
                tracing::error!(plugin = %id, code = error.code(), "its shadow cannot be loaded: {error}");
                core.shadows.lost.lock().push(lost::Lost::new(id, settings, &error));
            }
        }
    }
    Background::start("shadows", move |stopped| work(core, stopped))
}

async fn load(
    core: &Arc<Core>,
    id: &PluginId,
    settings: store::ShadowV1,
    figures: FiguresV1,
) -> Result<Shadow> {
    let version = settings.version.parse().map_err(|error: semver::Error| Error::Damaged {
        what: format!("version of the shadow of plugin `{id}`: {error}"),
    })?;
    let plugin = core.registry.metered(id, &version).await?;
    if *plugin.digest().as_bytes() != settings.digest {
        return Err(Error::Broken {
            plugin: id.clone(),
            version: settings.version,
            reason: "its content is not what the shadow was started with".to_owned(),
        });
    }
    let candidate = Enabled::new(
        id,
        plugin,
        settings.config.clone(),
        Grants::new(settings.grants.clone()),
        &core.records.schema(),
    );
    Ok(Shadow::new(candidate, settings, figures))
}

/// What the thread does next.
enum Next {
    Single(Box<Waiting>),
    Runs,
    Stop,
}

async fn work(core: Arc<Core>, mut stopped: watch::Receiver<bool>) {
    let Some(mut waiting) = core.shadows.waiting.lock().take() else { return };
    let (cancel, save_every) =
        (CancelFlag::default(), Duration::from_millis(core.config.compare.shadow_save_ms));
    let mut save_at = Instant::now() + save_every;
    // What was learned before a restart is learned again, and what ended meanwhile is compared.
    core.shadows.wake();
    loop {
        let next = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => Next::Stop,
            observed = waiting.recv() => observed.map_or(Next::Stop, Next::Single),
            () = core.shadows.wake.notified() => Next::Runs,
        };
        match next {
            Next::Single(waiting) => {
                let Waiting { observed, bytes } = *waiting;
                single(&core, observed).await;
                core.shadows.done(bytes);
            }
            Next::Runs => {
                lost::tell(&core).await;
                tokio::select! {
                    () = ended_runs(&core, &cancel) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => break,
                }
            }
            Next::Stop => break,
        }
        if Instant::now() >= save_at {
            save_all(&core).await;
            save_at = Instant::now() + save_every;
        }
    }
    cancel.cancel();
    save_all(&core).await;
}

/// Compares one call.
async fn single(core: &Arc<Core>, observed: Observed) {
    let Some(shadow) = core.shadows.get(&observed.plugin) else { return };
    let (view, handle) = (View::new(&core.records, &core.columns), Handle::current());
    let in_use = in_use(core, &shadow).await;
    let comparing = Arc::clone(&shadow);
    let compared = blocking("asking a shadow", move || {
        let used = comparing.candidate.plugin.used();
        let outcome = evaluate::compare(&view, &handle, &comparing, &observed);
        let after = comparing.candidate.plugin.used().since(used);
        let before = in_use.and_then(|in_use| {
            let used = in_use.plugin.used();
            evaluate::answered(&view, &handle, &in_use, &observed).ok()??;
            Some(in_use.plugin.used().since(used))
        });
        (outcome, before.map(|before| (before, after)))
    });
    let Ok((outcome, both_used)) = compared.await else { return };
    let mut figures = shadow.figures.lock();
    if let (Ok(Outcome::Answers(_)), Some((before, after))) = (&outcome, both_used) {
        figures.add_use(before, after);
    }
    match outcome {
        Ok(Outcome::Answers(diff)) => figures.add_answers(&diff),
        Ok(Outcome::Rows(diff)) => figures.add_rows(&diff),
        Ok(Outcome::NotComparable) => figures.not_comparable += 1,
        Err(error) if evaluate::is_not_offered(&error) => figures.not_comparable += 1,
        Err(error) => figures.failed(&error),
    }
}

/// The version in use, loaded so that what it uses is counted; `None` where it cannot be.
async fn in_use(core: &Arc<Core>, shadow: &Shadow) -> Option<Arc<Enabled>> {
    let id = &shadow.candidate.id;
    let enabled = core.registry.enabled().iter().find(|enabled| enabled.id == *id).cloned()?;
    let known = shadow.used.lock().clone().filter(|known| known.digest() == enabled.plugin.digest());
    let plugin: Arc<Plugin> = match known {
        Some(known) => known,
        None => {
            let loaded = core.registry.metered(id, enabled.plugin.version()).await.ok()?;
            Arc::clone(shadow.used.lock().insert(loaded))
        }
    };
    let schema = core.records.schema();
    Some(Arc::new(Enabled::new(id, plugin, enabled.config.clone(), enabled.grants.clone(), &schema)))
}

/// Compares every run that ended since the last look.
async fn ended_runs(core: &Arc<Core>, cancel: &CancelFlag) {
    for shadow in core.shadows.all() {
        if let Err(error) = runs_of(core, &shadow, cancel).await {
            tracing::warn!(plugin = %shadow.candidate.id, code = error.code(), "its shadow did not follow its runs: {error}");
        }
    }
}

async fn runs_of(core: &Arc<Core>, shadow: &Arc<Shadow>, cancel: &CancelFlag) -> Result<()> {
    let (view, id) = (View::new(&core.records, &core.columns), &shadow.candidate.id);
    let since = crate::compare::id_of(shadow.settings.since);
    let last = shadow.last_run();
    let mut due =
        runs::due(&view, id, last.unwrap_or(since).max(since), core.config.capsules_kept_per_plugin).await?;
    let plugin = &shadow.candidate.plugin;
    let learns = plugin.segmentation().is_some() || plugin.scoring().is_some();
    let learn_again = last.filter(|_| learns && due.is_empty() && shadow.models.lock().is_none());
    due.extend(learn_again);
    for run in due {
        let (comparing, working, flag, handle) =
            (Arc::clone(shadow), Arc::clone(core), cancel.clone(), Handle::current());
        let compared = blocking("doing a run again with a shadow", move || {
            runs::compare(&working, &handle, &comparing, run, &flag)
        })
        .await?;
        if learn_again == Some(run) {
            continue;
        }
        note(core, shadow, run, compared).await?;
    }
    Ok(())
}

/// Adds what came of a run to the figures.
async fn note(
    core: &Core,
    shadow: &Arc<Shadow>,
    run: RecordId,
    compared: Result<runs::Compared>,
) -> Result<()> {
    let id = &shadow.candidate.id;
    let _changing = core.shadows.changing.lock().await;
    if !core.shadows.is_active(shadow) {
        // It was ended meanwhile, and what it came to with it.
        let file = compared.ok().and_then(|compared| compared.results.digest);
        file.iter().for_each(|digest| core.capsules.remove(digest));
        return Ok(());
    }
    match compared {
        Err(Error::Stopping | Error::Cancelled) => return Ok(()),
        Err(error) => {
            let mut figures = shadow.figures.lock();
            match &error {
                Error::InputsExpired { .. } => figures.runs_expired += 1,
                Error::CannotRun { .. } => figures.not_comparable += 1,
                _ => figures.runs_failed += 1,
            }
            figures.note_error(&error);
            figures.last_run = Some(*run.as_bytes());
        }
        Ok(compared) => {
            shadow.figures.lock().add_run(run, &compared.figures);
            let kept = core.config.compare.shadow_results_kept_per_plugin;
            for old in store::put_results(&core.records, id, run, &compared.results, kept).await? {
                core.capsules.remove(&old);
            }
        }
    }
    save(core, shadow).await
}

/// Writes the figures down. Whoever calls it keeps others from starting and ending shadows.
async fn save(core: &Core, shadow: &Shadow) -> Result<()> {
    let set = store::save(&core.records, &shadow.candidate.id, &shadow.figures()).await?;
    core.records.commit(set, None).await?;
    Ok(())
}

async fn save_all(core: &Core) {
    let _changing = core.shadows.changing.lock().await;
    for shadow in core.shadows.all() {
        if let Err(error) = save(core, &shadow).await {
            tracing::warn!(plugin = %shadow.candidate.id, "the figures of its shadow were not written down: {error}");
        }
    }
}
