//! Learning in a component, natively and by a public tool, and printing the three beside each other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use trellis_plugin_host::{CallContext, CancelFlag, Fitted, PluginHost};

use super::python::Told;
use super::tables::{Datasets, Stream};
use crate::figures::print;

/// The day as of which everything is learned.
pub(crate) const TODAY: i32 = 10_720;
const SEED: u64 = 7;

/// Which interface a plugin learns through.
#[derive(Clone, Copy)]
pub(crate) enum Interface {
    Scoring,
    Segmentation,
}

/// By the clock, and of processors.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub wall: Duration,
    pub cpu: Duration,
}

/// What was learned, and what that took.
pub(crate) struct Learned {
    pub took: Took,
    pub model: Vec<u8>,
    pub figures: BTreeMap<String, f64>,
    /// The most memory of the component.
    pub memory_mib: f64,
}

/// Learns once in a component, with the limits of a server.
pub(crate) fn fit(
    host: &PluginHost,
    plugin: &str,
    interface: Interface,
    rows: &Stream,
    config: &str,
    today: i32,
) -> trellis_plugin_host::Result<Fitted> {
    let plugin = host.load(&crate::setup::guest(plugin)).expect("a plugin that loads");
    let (mut rows, cancel) = (rows.clone(), CancelFlag::default());
    match interface {
        Interface::Scoring => {
            let scoring = plugin.scoring().expect("a plugin that scores");
            scoring.fit(&mut rows, config, &context(today), &cancel)
        }
        Interface::Segmentation => {
            let segmentation = plugin.segmentation().expect("a plugin that segments");
            segmentation.fit(&mut rows, config, &context(today), &cancel)
        }
    }
}

/// Learns some times in a component; the least time counts.
pub(crate) fn in_component(
    host: &PluginHost,
    plugin: &str,
    interface: Interface,
    (rows, config, today): (&Stream, &str, i32),
    runs: u32,
) -> Learned {
    let mut best: Option<Learned> = None;
    for _ in 0..runs {
        let fitted = fit(host, plugin, interface, rows, config, today).expect("a model");
        let took = Took { wall: fitted.stats.wall, cpu: fitted.stats.cpu };
        if best.as_ref().is_none_or(|best| took.cpu < best.took.cpu) {
            let figures = fitted.model.metrics.iter().map(|metric| (metric.name.clone(), metric.value));
            best = Some(Learned {
                took,
                figures: figures.collect(),
                memory_mib: fitted.stats.memory_bytes_peak as f64 / 1_048_576.0,
                model: fitted.model.bytes,
            });
        }
    }
    best.expect("at least one run")
}

/// Learns some times by the same code in this process; the least time counts.
pub(crate) fn native(
    datasets: &Datasets,
    today: i32,
    runs: u32,
    mut learn: impl FnMut(
        &mut trellis_sdk::RowStream<'_>,
        &trellis_sdk::Context,
    ) -> trellis_sdk::Result<trellis_sdk::Model>,
) -> Learned {
    let mut rows = datasets.sdk();
    let at = native_context(today);
    let mut best: Option<Learned> = None;
    for _ in 0..runs {
        rows.rewind();
        let (wall, cpu) = (Instant::now(), ThreadTime::now());
        let model = learn(&mut rows, &at).expect("a model");
        let took = Took { wall: wall.elapsed(), cpu: cpu.elapsed() };
        if best.as_ref().is_none_or(|best| took.cpu < best.took.cpu) {
            let figures = model.metrics.iter().map(|metric| (metric.name.clone(), metric.value)).collect();
            best = Some(Learned { took, model: model.bytes, figures, memory_mib: 0.0 });
        }
    }
    best.expect("at least one run")
}

/// Prints the three beside each other.
///
/// # Panics
/// Where the component learned anything else than the same code natively.
pub(crate) fn print_beside(
    name: &str,
    component: &Learned,
    native: &Learned,
    tool: Option<(&str, &Told)>,
    aim: &str,
) {
    assert!(
        component.model == native.model,
        "{name}: a component learns the same bytes as its code does natively"
    );
    let seconds = |took: Took| took.cpu.as_secs_f64();
    let ratio = seconds(component.took) / seconds(native.took);
    let wall = component.took.wall.as_secs_f64();
    let beside = format!("{wall:.3} by the clock; {:.0} MiB; {aim}", component.memory_mib);
    print(&format!("{name}, component"), seconds(component.took), "s", &beside);
    print("  natively", seconds(native.took), "s", &format!("the component takes {ratio:.2} times as long"));
    if let Some((tool, told)) = tool {
        print_tool(tool, told, component);
    }
}

/// Prints what a tool takes, and how much of it the component.
pub(crate) fn print_tool(tool: &str, told: &Told, component: &Learned) {
    let (cpu, wall) = (component.took.cpu.as_secs_f64(), component.took.wall.as_secs_f64());
    let beside = format!(
        "{:.3} by the clock; the component takes {:.2} of it by processor, {:.2} by the clock",
        told.wall,
        cpu / told.cpu,
        wall / told.wall
    );
    print(&format!("  {tool}"), told.cpu, "s", &beside);
}

/// Checks that two figures agree within a share of the larger.
///
/// # Panics
/// Where they do not.
pub(crate) fn agree(what: &str, ours: Option<&f64>, theirs: Option<&f64>, share: f64) {
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        panic!("{what}: {ours:?} here, {theirs:?} there")
    };
    let apart = (ours - theirs).abs() / ours.abs().max(theirs.abs()).max(f64::MIN_POSITIVE);
    assert!(apart <= share, "{what}: {ours} here, {theirs} there, {apart:e} apart");
}

pub(crate) fn context(today: i32) -> CallContext {
    CallContext {
        run_id: "bench".into(),
        as_of_days: today,
        now_ms: 0,
        time_zone: "UTC".into(),
        base_currency: "USD".into(),
        seed: SEED,
    }
}

fn native_context(today: i32) -> trellis_sdk::Context {
    let mut at = trellis_sdk::testing::context();
    (at.as_of, at.seed) = (today, SEED);
    at
}
