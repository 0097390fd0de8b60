//! What happens while a plugin cannot be called: as its manifest says, or as an admin does.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_engine::{
    AbsentPolicy::{self, Accept, Clear, Keep, Refuse, Skip},
    AbsentUse, DecisionKind, HealthState, Job, JobState, ModelChoice, OnQuarantine, UseSettings,
};
use trellis_model::{RecordId, Scope};

use crate::{
    customers::{caller, plugin},
    sections::as_version,
    support::{World, built, name},
};

const LOT: &str = "hostile__lot";
const POINTS: &str = "hostile__points";
/// A minute: every back-off is over.
const MINUTE_MS: i64 = 60_000;
const STEP_MS: i64 = 2_000;

/// How a plugin is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Away {
    Disabled,
    Removed,
    Broken,
    Quarantined,
}

fn settings(sin: &str, absent: &[(AbsentUse, AbsentPolicy)]) -> UseSettings {
    let absent: BTreeMap<_, _> = absent.iter().copied().collect();
    UseSettings { config: json!({ "sin": sin }), absent, ..UseSettings::default() }
}

impl World {
    async fn hostile(&self, sin: &str, absent: &[(AbsentUse, AbsentPolicy)]) {
        self.enable("hostile", settings(sin, absent)).await;
    }

    fn is_quarantined(&self) -> bool {
        let health = self.engine.plugin_get(&plugin("hostile")).and_then(|info| info.health);
        health.is_some_and(|health| matches!(health.state, HealthState::Quarantined { .. }))
    }

    /// Has the guest fail on new cases until it is not called any more; its sin is one of triage.
    async fn quarantine(&self) {
        while !self.is_quarantined() {
            self.create("case", json!({ "subject": "Torn sleeve", "status": "new" })).await;
            self.settle().await;
            self.clock.advance_ms(MINUTE_MS);
        }
    }

    /// Takes the guest away.
    async fn away(self, how: Away) -> Self {
        match how {
            Away::Disabled => drop(self.engine.plugin_disable(&caller(), &plugin("hostile")).await.unwrap()),
            Away::Removed => {
                drop(self.engine.plugin_remove(&caller(), &plugin("hostile"), true).await.unwrap())
            }
            Away::Quarantined => self.quarantine().await,
            Away::Broken => return self.broken().await,
        }
        self
    }

    /// The same data in another process, after the file of the guest was lost.
    async fn broken(self) -> Self {
        let digest = self.engine.plugin_get(&plugin("hostile")).unwrap().versions[0].digest.clone();
        let world = self
            .restart_after(async |world: &Self| {
                std::fs::remove_file(world.folder().join(format!("engine/plugins/{digest}.wasm"))).unwrap();
            })
            .await;
        let info = world.engine.plugin_get(&plugin("hostile")).unwrap();
        assert_eq!(info.state, trellis_engine::PluginState::Broken);
        world
    }

    fn lot(&self, ordinal: u64) -> Option<String> {
        self.columns.value_of(&Scope::everything(), LOT, ordinal)
    }

    fn points(&self, ordinal: u64) -> Option<f64> {
        self.columns.score_of(&Scope::everything(), POINTS, ordinal)
    }

    /// Waits until the results are shown as they are to be: supervision is heard of a moment later.
    async fn until_shown(&self, what: &str, lots: bool, points: bool, stale: bool) {
        let is_so = || async {
            let info = (self.columns.segmentation(LOT).unwrap(), self.columns.score(POINTS).unwrap());
            let shown = (self.lot(0).is_some(), self.points(0).is_some()) == (lots, points);
            shown
                && (info.0.stale, info.1.stale) == (stale, stale)
                && (info.0.cleared, info.1.cleared) == (!lots, !points)
        };
        self.until(what, is_so).await;
    }

    async fn campaign(&self, id: RecordId) -> trellis_engine::Result<Job> {
        let job = self.engine.campaign_run(&caller(), id).await?;
        self.engine.job_wait(job.id).await
    }

    async fn ordinal(&self, account: RecordId) -> u64 {
        let found = self.records.find(&Scope::everything(), &name("account"), account).await.unwrap();
        found.ordinal.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_stay_or_go_while_their_plugin_is_away_and_come_back_with_it() {
    for how in [Away::Disabled, Away::Quarantined, Away::Broken] {
        let world = World::new().await;
        let accounts = world.customers(4).await;
        assert_eq!(world.ordinal(accounts[0]).await, 0);
        let own = [(AbsentUse::Segmentation, Clear)];
        world.hostile("triage-nan", &own).await;
        world.run_well("hostile", ModelChoice::Fit).await;
        world.until_shown("they are there", true, true, false).await;
        let (lot, points) = (world.lot(0), world.points(0));

        let world = world.away(how).await;
        world.until_shown(&format!("{how:?}: one goes, one stays"), false, true, true).await;
        let explained = world.engine.explain(&caller(), LOT, accounts[0]).await.unwrap_err();
        assert!(explained.to_string().contains("until its plugin is back"), "{how:?}: {explained}");
        // A broken plugin is mended by its file, which a restart reads.
        let world = if how == Away::Broken { world } else { world.restart().await };
        world.until_shown(&format!("{how:?}: after a restart too"), false, true, true).await;
        match how {
            Away::Quarantined => {
                drop(world.engine.plugin_release(&caller(), &plugin("hostile")).await.unwrap())
            }
            _ => world.hostile("triage-nan", &own).await,
        }
        world.until_shown(&format!("{how:?}: they are back"), true, true, false).await;
        assert_eq!((world.lot(0), world.points(0)), (lot, points), "{how:?}: as they were");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_plugin_leaves_its_results_whatever_its_use_said() {
    let world = World::new().await;
    world.customers(2).await;
    world.hostile("none", &[(AbsentUse::Segmentation, Clear), (AbsentUse::Scoring, Clear)]).await;
    world.run_well("hostile", ModelChoice::Fit).await;
    let world = world.away(Away::Disabled).await;
    world.until_shown("disabled", false, false, true).await;
    let world = world.away(Away::Removed).await;
    world.until_shown("removed", true, true, true).await;
    let world = world.restart().await;
    world.until_shown("for good", true, true, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saves_are_refused_or_go_through_while_a_hook_cannot_judge() {
    for (own, goes_through) in [(None, false), (Some(Accept), true), (Some(Refuse), false)] {
        let world = World::new().await;
        let own: Vec<_> = own.into_iter().map(|policy| (AbsentUse::RecordHook, policy)).collect();
        world.hostile("hook-trap", &own).await;
        let lead = json!({ "name": "Li", "company": "Acme", "status": "new" });
        let mut codes = Vec::new();
        // It fails, backs off, is tried again, and is quarantined in the end.
        while !world.is_quarantined() || codes.len() < 8 {
            let saved = world.try_create("lead", lead.clone()).await;
            assert_eq!(saved.is_ok(), goes_through, "{own:?}: {saved:?}");
            codes.push(saved.err());
            if codes.len() % 2 == 0 {
                world.clock.advance_ms(MINUTE_MS);
            }
        }
        if !goes_through {
            let texts: Vec<_> = codes.into_iter().flatten().collect();
            assert!(texts.iter().any(|text| text.contains("told to trap")), "{texts:?}");
            assert!(texts.last().unwrap().contains("quarantined"), "{texts:?}");
        }
        let world = world.broken().await;
        let saved = world.try_create("lead", lead.clone()).await;
        assert_eq!(saved.is_ok(), goes_through, "{own:?}: {saved:?}");
        let kind = if goes_through { DecisionKind::Patch } else { DecisionKind::Veto };
        let query = trellis_engine::DecisionQuery { kind: Some(kind), ..Default::default() };
        let decisions = world.engine.decisions(query, None, 200).await.unwrap().decisions;
        let outcome = if goes_through { &decisions[0].outcome["not_judged"] } else { &decisions[0].outcome };
        let code = outcome["code"].as_str().unwrap().replace('-', "_");
        assert_eq!(code, "plugin_broken", "the ledger says so");
        assert!(decisions.len() >= 9);
        // A disabled plugin judges nothing.
        world.engine.plugin_disable(&caller(), &plugin("hostile")).await.unwrap();
        world.try_create("lead", lead).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_stay_open_or_are_closed_unchecked_while_a_workflow_cannot_check() {
    for (own, goes_through) in [(None, false), (Some(Accept), true)] {
        let world = World::new().await;
        let own: Vec<_> = own.into_iter().map(|policy| (AbsentUse::CloseCheck, policy)).collect();
        world.hostile("close-no-message", &own).await;
        let closed = async |world: &World| {
            let case = world.create("case", json!({ "subject": "Late", "status": "open" })).await.id;
            world.settle().await;
            world.try_update("case", case, json!({ "status": "closed" })).await.is_ok()
        };
        while !world.is_quarantined() {
            assert_eq!(closed(&world).await, goes_through, "{own:?}: it fails");
            // Triage goes well in between: a minute later that would clear the strikes.
            world.clock.advance_ms(STEP_MS);
        }
        assert_eq!(closed(&world).await, goes_through, "{own:?}: quarantined");
        let world = world.broken().await;
        assert_eq!(closed(&world).await, goes_through, "{own:?}: broken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_cannot_be_called_is_left_out_and_the_ledger_says_so() {
    let world = World::new().await;
    world.hostile("triage-nan", &[]).await;
    world.quarantine().await;
    let left_out = async |world: &World| {
        let case = world.create("case", json!({ "subject": "Torn", "status": "new" })).await.id;
        world.settle().await;
        world.update("case", case, json!({ "status": "open" })).await;
        world.settle().await;
        let decisions = world.decisions("case", case).await;
        let told = |decision: &trellis_engine::Decision| {
            (decision.kind, decision.outcome["error"]["code"].as_str().unwrap_or_default().to_owned())
        };
        decisions.iter().map(told).collect::<Vec<_>>()
    };
    let both = |code: &str| [(DecisionKind::Triage, code.to_owned()), (DecisionKind::Event, code.to_owned())];
    assert_eq!(left_out(&world).await, both("plugin_unavailable"));
    let world = world.broken().await;
    assert_eq!(left_out(&world).await, both("plugin_broken"));
    world.engine.plugin_disable(&caller(), &plugin("hostile")).await.unwrap();
    assert_eq!(left_out(&world).await, [], "a disabled one has no part in anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_fails_or_leaves_its_members_while_its_plugin_is_away() {
    for how in [Away::Disabled, Away::Quarantined, Away::Broken] {
        for (own, skips) in [(None, false), (Some(Skip), true)] {
            let world = World::new().await;
            let accounts = world.customers(4).await;
            let own: Vec<_> = own.into_iter().map(|policy| (AbsentUse::CampaignRules, policy)).collect();
            world.hostile("triage-nan", &own).await;
            let campaign =
                json!({ "name": "Offer", "status": "active", "channel": "email", "rules_plugin": "hostile" });
            let campaign = world.create("campaign", campaign).await.id;
            let first = world.campaign(campaign).await.unwrap();
            assert_eq!(first.state, JobState::Succeeded, "{:?}", first.error);
            assert_eq!(first.result["members"]["created"], json!(2));
            world.settle().await;
            let members = world.all("campaign_member").await;

            let world = world.away(how).await;
            let what = format!("{how:?}, {own:?}");
            let code = match how {
                Away::Quarantined => "plugin_unavailable",
                Away::Broken => "plugin_broken",
                Away::Disabled | Away::Removed => "plugin_not_enabled",
            };
            match world.campaign(campaign).await {
                Ok(job) if skips => {
                    assert_eq!(job.state, JobState::Succeeded, "{what}: {:?}", job.error);
                    assert_eq!(job.result["skipped"]["code"], code, "{what}");
                }
                Ok(job) => assert_eq!(job.error.unwrap().code, code, "{what}"),
                Err(error) => assert_eq!((error.code(), skips), (code, false), "{what}"),
            }
            if how == Away::Quarantined {
                world.update("account", accounts[0], json!({ "name": "Other" })).await;
            }
            world.settle().await;
            assert_eq!(world.all("campaign_member").await, members, "{what}: members stay as they are");
            let said: Vec<Json> =
                world.decisions("campaign", campaign).await.into_iter().map(|one| one.outcome).collect();
            let times = if skips { 1 + usize::from(how == Away::Quarantined) } else { 0 };
            assert_eq!(said.len(), times, "{what}: {said:?}");
            assert!(said.iter().all(|outcome| outcome["skipped"]["code"] == code), "{what}: {said:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_says_goes_before_the_manifest_and_stays_through_an_upgrade() {
    let world = World::new().await;
    world.hostile("none", &[(AbsentUse::RecordHook, Accept), (AbsentUse::Scoring, Keep)]).await;
    let shown = |world: &World| {
        let info = world.engine.plugin_get(&plugin("hostile")).unwrap();
        let said = info.absences.iter().filter(|absence| absence.by_settings);
        said.map(|absence| (absence.of, absence.policy, absence.declared)).collect::<Vec<_>>()
    };
    let own = [(AbsentUse::Scoring, Keep, Keep), (AbsentUse::RecordHook, Accept, Refuse)];
    assert_eq!(shown(&world), own);
    world.engine.plugin_upload(&caller(), as_version(&built("hostile"), "1.1.0")).await.unwrap();
    let id = plugin("hostile");
    let review = world.engine.plugin_review(&id, &"1.1.0".parse().unwrap()).await.unwrap();
    assert!(
        review.absences.iter().any(|absence| absence.of == AbsentUse::RecordHook && absence.policy == Accept)
    );
    assert!(review.hooks.iter().all(|hook| hook.refuses_on_failure == (hook.interface != "record-hook")));
    world.engine.plugin_switch_version(&caller(), &id, &"1.1.0".parse().unwrap(), None).await.unwrap();
    assert_eq!(shown(&world), own, "an upgrade says nothing of it");
    let world = world.restart().await;
    assert_eq!(shown(&world), own);
    let wrong = settings("none", &[(AbsentUse::Scoring, Skip)]);
    let refused = world.engine.plugin_enable(&caller(), &id, wrong).await.unwrap_err();
    assert!(refused.to_string().contains("`absent.scoring`: `skip` is none of `keep`, `clear`"), "{refused}");
    let kept = world.engine.plugin_get(&id).unwrap().settings.unwrap();
    assert_eq!((kept.absent.len(), kept.on_quarantine), (2, OnQuarantine::Stay), "nothing changed");
}
