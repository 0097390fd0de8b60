//! Random sequences of what happens to a plugin, beside a model that does it the slow way: which version answers, whether it is
//! left alone, what is refused.
//!
//! `TRELLIS_SOAK_OPERATIONS` makes the sequence longer (`cargo xtask soak`), `TRELLIS_SOAK_SEED` another one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use trellis_columns::Columns;
use trellis_engine::{Config, Engine, PluginState, Result, SwitchOptions, UpgradeRequest, UseSettings};
use trellis_model::{ObjectName, PluginId, Value};
use trellis_plugin_host::{Digest, HealthState, PluginHost, Supervision};
use trellis_records::{Records, SystemClock, SystemIds};
use trellis_storage::MemoryStore;

use crate::sections::as_version;
use crate::support::{built, caller, plugin_id};

const OPERATIONS: u64 = 500;
/// Strikes that quarantine a version.
const STRIKES_MAX: u32 = 3;
/// How much the memory of the process may grow over the second half of a sequence: far less than that of the versions that come and go.
const GROWTH_BYTES_MAX: u64 = 96 << 20;
/// What each version answers is this with its number in the place of the last characters.
const ORIGINAL: &[u8] = b"company-missing";

type Version = u64;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Install(Version),
    Enable(Version, Sin),
    Upgrade(Version),
    RollBack,
    Disable,
    RemoveVersion(Version),
    Remove { force: bool },
    Release(Version),
    Call,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sin {
    Veto,
    Trap,
}

impl Sin {
    fn name(self) -> &'static str {
        match self {
            Self::Veto => "hook-veto",
            Self::Trap => "hook-trap",
        }
    }
}

/// What a call leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// Nobody judged: the record was saved.
    Saved,
    /// That version answered.
    Of(Version),
    /// It failed, or is left alone, so nothing may be saved.
    Unavailable,
}

/// A use: number of its switch, version, sin, and the switch before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    switch: u64,
    version: Version,
    sin: Sin,
    previous: Option<u64>,
}

#[derive(Debug, Default)]
struct Model {
    installed: BTreeSet<Version>,
    usage: Option<Use>,
    enabled: bool,
    switches: BTreeMap<u64, Use>,
    strikes: BTreeMap<Version, u32>,
}

impl Model {
    /// Does a step; says the code of its refusal.
    fn make(&mut self, step: Step) -> std::result::Result<(), &'static str> {
        match step {
            Step::Install(version) => {
                self.installed.insert(version);
                Ok(())
            }
            Step::Enable(version, sin) => {
                self.check_installed(version)?;
                self.switch(version, sin, None)
            }
            Step::Upgrade(version) => {
                if self.installed.is_empty() {
                    return Err("not_found");
                }
                let usage = self.usage.filter(|_| self.enabled).ok_or("plugin_not_enabled")?;
                self.check_installed(version)?;
                self.switch(version, usage.sin, None)
            }
            Step::RollBack => {
                if self.installed.is_empty() {
                    return Err("not_found");
                }
                let target = self.usage.and_then(|usage| usage.previous).ok_or("conflict")?;
                let target = self.switches[&target];
                self.switch(target.version, target.sin, Some(target))
            }
            Step::Disable => {
                if self.installed.is_empty() {
                    return Err("not_found");
                }
                self.enabled = false;
                Ok(())
            }
            Step::RemoveVersion(version) => {
                self.check_installed(version)?;
                let previous =
                    self.usage.and_then(|usage| usage.previous).map(|number| self.switches[&number]);
                let used = [self.usage, previous].into_iter().flatten();
                if used.into_iter().any(|usage| usage.version == version) {
                    return Err("plugin_in_use");
                }
                self.installed.remove(&version);
                self.strikes.remove(&version);
                Ok(())
            }
            Step::Remove { force } => {
                if self.installed.is_empty() {
                    return Err("not_found");
                }
                if self.enabled && !force {
                    return Err("plugin_in_use");
                }
                *self = Self::default();
                Ok(())
            }
            Step::Release(version) => {
                self.strikes.remove(&version);
                Ok(())
            }
            Step::Call => Ok(()),
        }
    }

    fn check_installed(&self, version: Version) -> std::result::Result<(), &'static str> {
        if self.installed.contains(&version) { Ok(()) } else { Err("not_found") }
    }

    /// A version that is quarantined cannot take over: it is not even asked about its settings.
    fn switch(
        &mut self,
        version: Version,
        sin: Sin,
        target: Option<Use>,
    ) -> std::result::Result<(), &'static str> {
        if self.is_quarantined(version) {
            return Err("plugin_unavailable");
        }
        let same = self.usage.is_some_and(|usage| usage.version == version && usage.sin == sin);
        if !same {
            let previous = match target {
                Some(target) => target.previous,
                None => self.usage.map(|usage| usage.switch),
            };
            let there = |number: &u64| self.installed.contains(&self.switches[number].version);
            let previous = previous.filter(there);
            let switch = self.switches.last_key_value().map_or(0, |(number, _)| *number) + 1;
            let usage = Use { switch, version, sin, previous };
            self.switches.insert(switch, usage);
            self.usage = Some(usage);
        }
        self.enabled = true;
        Ok(())
    }

    fn is_quarantined(&self, version: Version) -> bool {
        self.strikes.get(&version).is_some_and(|strikes| *strikes >= STRIKES_MAX)
    }

    fn call(&mut self) -> Answer {
        let Some(usage) = self.usage.filter(|_| self.enabled) else { return Answer::Saved };
        let strikes = self.strikes.entry(usage.version).or_default();
        if *strikes >= STRIKES_MAX {
            return Answer::Unavailable;
        }
        match usage.sin {
            Sin::Veto => Answer::Of(usage.version),
            Sin::Trap => {
                *strikes += 1;
                Answer::Unavailable
            }
        }
    }
}

/// A server whose plugin host the test holds too.
struct Server {
    _dir: tempfile::TempDir,
    host: Arc<PluginHost>,
    records: Arc<Records>,
    engine: Arc<Engine>,
    id: PluginId,
    components: BTreeMap<Version, Vec<u8>>,
}

impl Server {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds::default()));
        let records =
            Records::open(Arc::new(MemoryStore::new()), clock, ids, trellis_records::Config::default())
                .await
                .unwrap();
        let columns = Columns::open(
            Arc::clone(&records),
            dir.path().join("columns"),
            trellis_columns::Config::default(),
        )
        .await
        .unwrap();
        records.set_derived(columns.clone());
        // Nothing that depends on a clock: strikes count for good, and a version that backs off is tried again at once.
        let supervision = Supervision {
            strikes_max: STRIKES_MAX,
            strike_window_ms: u64::MAX / 4,
            healthy_ms: u64::MAX / 4,
            backoff_ms: 0,
            ..Supervision::default()
        };
        let cache_dir = Some(std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache"));
        let host = trellis_plugin_host::Config { permits: 2, cache_dir, supervision, ..Default::default() };
        let host = PluginHost::new(host).unwrap();
        let config = Config { switches_kept_per_plugin: usize::MAX / 2, ..Config::default() };
        let engine = Engine::start(
            Arc::clone(&records),
            columns,
            Arc::clone(&host),
            dir.path().join("engine"),
            config,
        );
        let engine = engine.await.unwrap();
        let components = (1..=4).map(|version| (version, component(version))).collect();
        Self { _dir: dir, host, records, engine, id: plugin_id("hostile"), components }
    }

    async fn make(&self, step: Step) -> Result<()> {
        let (engine, id, by) = (&self.engine, &self.id, caller());
        match step {
            Step::Install(version) => {
                engine.plugin_upload(&by, self.components[&version].clone()).await.map(drop)
            }
            Step::Enable(number, sin) => {
                let config = json!({ "sin": sin.name() });
                let settings =
                    UseSettings { config, version: Some(version(number)), ..UseSettings::default() };
                engine.plugin_enable(&by, id, settings).await.map(drop)
            }
            Step::Upgrade(number) => {
                let request = UpgradeRequest { version: Some(version(number)), ..UpgradeRequest::default() };
                engine.plugin_upgrade(&by, id, request).await.map(drop)
            }
            Step::RollBack => {
                engine.plugin_roll_back(&by, id, None, SwitchOptions::default()).await.map(drop)
            }
            Step::Disable => engine.plugin_disable(&by, id).await.map(drop),
            Step::RemoveVersion(number) => engine.plugin_remove_version(&by, id, &version(number)).await,
            Step::Remove { force } => engine.plugin_remove(&by, id, force).await.map(drop),
            Step::Release(number) => {
                self.host.release(&self.digest(number));
                Ok(())
            }
            Step::Call => Ok(()),
        }
    }

    fn digest(&self, version: Version) -> Digest {
        trellis_plugin_host::inspect(&self.components[&version]).unwrap().digest
    }

    async fn call(&self) -> Answer {
        let lead = ObjectName::new("lead").unwrap();
        let schema = self.records.schema();
        let field = |name: &str| schema.object("lead").unwrap().field(name).unwrap().id;
        let fields =
            [(field("name"), Value::Text("Ann".into())), (field("status"), Value::Choice("new".into()))];
        match self.records.create(&caller(), &lead, fields.into()).await {
            Ok(_) => Answer::Saved,
            Err(trellis_records::Error::Veto { unavailable: true, .. }) => Answer::Unavailable,
            Err(trellis_records::Error::Veto { code, .. }) => {
                Answer::Of(code.rsplit('-').next().unwrap().parse().unwrap())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// What the server says of itself, against the model.
    fn check(&self, model: &Model) {
        let info = self.engine.plugin_get(&self.id);
        let Some(info) = info else {
            assert!(model.installed.is_empty(), "it is gone, and should not be");
            return;
        };
        let versions: BTreeSet<_> = info.versions.iter().map(|known| known.version.patch).collect();
        assert_eq!(versions, model.installed);
        let state = match (model.usage, model.enabled) {
            (_, true) => PluginState::Enabled,
            (Some(_), false) => PluginState::Disabled,
            (None, false) => PluginState::Installed,
        };
        assert_eq!((info.state, info.broken), (state, None));
        if let Some(usage) = model.usage {
            assert_eq!(info.version.patch, usage.version);
            let previous = usage.previous.map(|number| model.switches[&number].version);
            assert_eq!(info.previous.map(|version| version.patch), previous);
        }
        for version in &model.installed {
            let quarantined = model.is_quarantined(*version);
            let health = self.host.health(&self.digest(*version)).map(|health| health.state);
            let is = matches!(health, Some(HealthState::Quarantined { .. }));
            assert_eq!(is, quarantined, "version {version}: {health:?}");
        }
        assert_eq!(self.host.stats().permits_in_use, 0);
    }
}

fn version(number: Version) -> semver::Version {
    semver::Version::new(1, 0, number)
}

/// `hostile` as a version whose code answers with its number.
fn component(number: Version) -> Vec<u8> {
    let mut component = as_version(&built("hostile"), &version(number).to_string());
    let answer = format!("version-{number:07}");
    assert_eq!(answer.len(), ORIGINAL.len());
    let places: Vec<_> = component
        .windows(ORIGINAL.len())
        .enumerate()
        .filter(|(_, bytes)| *bytes == ORIGINAL)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "the guest has no `company-missing` any more");
    for place in places {
        component[place..place + ORIGINAL.len()].copy_from_slice(answer.as_bytes());
    }
    component
}

/// Numbers that look random and are the same for the same seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn step(&mut self) -> Step {
        let version = self.below(4) + 1;
        match self.below(100) {
            0..16 => Step::Install(version),
            16..26 => Step::Enable(version, if self.below(3) == 0 { Sin::Trap } else { Sin::Veto }),
            26..40 => Step::Upgrade(version),
            40..50 => Step::RollBack,
            50..54 => Step::Disable,
            54..60 => Step::RemoveVersion(version),
            60..62 => Step::Remove { force: self.below(2) == 0 },
            62..66 => Step::Release(version),
            _ => Step::Call,
        }
    }
}

/// Resident memory of this process.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_a_plugin_the_right_version_answers() {
    let operations = setting("TRELLIS_SOAK_OPERATIONS", OPERATIONS);
    let mut numbers = Numbers(setting("TRELLIS_SOAK_SEED", 5));
    let (server, mut model) = (Server::start().await, Model::default());
    let (mut half, mut done) = (0, [0_u32; 3]);
    for number in 0..operations {
        let step = numbers.step();
        let expected = model.make(step);
        let found = server.make(step).await;
        let found = found.map_err(|error| error.code().to_owned());
        assert_eq!(found, expected.map_err(str::to_owned), "operation {number}: {step:?}, {model:?}");
        let answer = model.call();
        assert_eq!(server.call().await, answer, "operation {number}: {step:?}, {model:?}");
        done[match answer {
            Answer::Saved => 0,
            Answer::Of(_) => 1,
            Answer::Unavailable => 2,
        }] += 1;
        server.check(&model);
        if number == operations / 2 {
            half = resident_bytes();
        }
    }
    assert!(done.iter().all(|count| *count > 20), "the sequence shows little: {done:?}");
    let growth = resident_bytes().saturating_sub(half);
    assert!(growth < GROWTH_BYTES_MAX, "memory grew by {growth} bytes over {} operations", operations / 2);
}
