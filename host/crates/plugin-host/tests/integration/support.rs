//! Components, hosts and data for the tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use trellis_model::{
    Batch, Column, ColumnData, FieldName, NamedRecord, ObjectName, RecordId, Text, Validity, Value,
};
use trellis_plugin_host::{
    CallContext, ColumnDescription, Config, Error, FaultKind, Fitted, Limits, Plugin, PluginHost, RowStream,
    SegmentationDescription, Supervision,
};
use wasm_encoder::{ComponentSection, CustomSection};

/// Reads a component that `cargo xtask plugins` built.
pub(crate) fn built(name: &str) -> Vec<u8> {
    let path = plugins_dir().join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", path.display()))
}

/// Reads a component in another language than Rust, if its toolchain was there to build it. CI has to have it.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is told what was left out")]
pub(crate) fn built_with(name: &str) -> Option<Vec<u8>> {
    let path = plugins_dir().join(format!("{name}.wasm"));
    let read = std::fs::read(&path);
    if read.is_err() && std::env::var_os("CI").is_none() {
        eprintln!("skipped: {} was not built, since this machine lacks its toolchain", path.display());
        return None;
    }
    Some(read.unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", path.display())))
}

/// Loads such a component. Its compilation takes seconds, so the tests share what one of them compiled.
pub(crate) fn load_cached(name: &str) -> Option<(Arc<PluginHost>, Arc<Plugin>)> {
    let wasm = built_with(name)?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("compiled-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let mut config = Config { cache_dir: Some(folder), ..config() };
    // An interpreter needs a while on a machine that does other things too.
    config.limits.call.cpu_ms_max = 2_000;
    config.limits.batch.cpu_ms_max = 2_000;
    config.limits.training.cpu_ms_max = 2_000;
    // Little enough to return too much of it in a moment.
    config.limits.batch.output_bytes_max = 1 << 20;
    let host = PluginHost::new(config).unwrap();
    let plugin = host.load(&wasm).unwrap();
    Some((host, plugin))
}

fn plugins_dir() -> PathBuf {
    std::env::var_os("TRELLIS_TEST_PLUGINS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/plugins")),
        PathBuf::from,
    )
}

/// A manifest that is good as long as the component exports `segmentation`.
pub(crate) const MANIFEST: &str = r#"
id = "made-up"
version = "0.3.0"
wit = "1.0.0"
provides = ["segmentation"]
name = { en = "Made up" }
datasets = [{ name = "customers", kind = "per-customer", object = "account", columns = [{ name = "n", field = "name" }] }]
"#;

/// A component from its text, with a manifest.
pub(crate) fn made(text: &str, manifest: &str) -> Vec<u8> {
    with_manifest(wat::parse_str(text).unwrap(), manifest)
}

pub(crate) fn with_manifest(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    let section = CustomSection { name: "trellis:manifest".into(), data: manifest.as_bytes().into() };
    section.append_to_component(&mut component);
    component
}

/// The default limits, two permits on every machine, and nobody who minds faults or looks for the rows behind them.
pub(crate) fn config() -> Config {
    let supervision = Supervision { bisect_calls_max: 0, ..Supervision::off() };
    Config { permits: 2, supervision, ..Config::default() }
}

/// Less time, for what is meant to take too long.
pub(crate) fn impatient() -> Config {
    let mut limits = Limits::default();
    limits.batch.cpu_ms_max = 300;
    limits.training.cpu_ms_max = 300;
    Config { limits, ..config() }
}

pub(crate) fn load(name: &str) -> (Arc<PluginHost>, Arc<Plugin>) {
    let host = PluginHost::new(config()).unwrap();
    let plugin = host.load(&built(name)).unwrap();
    (host, plugin)
}

/// As of 1997-09-30.
pub(crate) const AS_OF: i32 = 10_134;

pub(crate) fn at() -> CallContext {
    CallContext {
        run_id: "run".to_owned(),
        as_of_days: AS_OF,
        now_ms: 875_577_600_000,
        time_zone: "UTC".to_owned(),
        base_currency: "USD".to_owned(),
        seed: 7,
    }
}

/// Customers whose figures all depend on their ordinals: the columns of the RFM plugin and of the hostile one.
pub(crate) fn customers(ordinals: impl IntoIterator<Item = u64>) -> Batch {
    let ordinals: Vec<u64> = ordinals.into_iter().collect();
    let each = |value: fn(u64) -> i64| ordinals.iter().map(|&ordinal| value(ordinal)).collect::<Vec<_>>();
    let column = |name: &str, data| Column { name: name.to_owned(), valid: Validity::all(), data };
    let days =
        each(|ordinal| (ordinal as i64 * 37) % 270).into_iter().map(|days| AS_OF - days as i32).collect();
    let columns = vec![
        column("last_order", ColumnData::Date(days)),
        column("orders", ColumnData::Int64(each(|ordinal| 1 + (ordinal as i64 * 7) % 11))),
        column(
            "spent",
            ColumnData::Money {
                currency: "USD".to_owned(),
                minor_units: each(|ordinal| 500 + (ordinal as i64 * 7_919) % 90_000),
            },
        ),
    ];
    Batch { rows: ordinals.len() as u32, ordinals, columns }
}

/// Batches of customers.
pub(crate) struct Customers {
    batches: Vec<Batch>,
    next: usize,
}

impl Customers {
    pub(crate) fn new(batches: Vec<Batch>) -> Self {
        Self { batches, next: 0 }
    }
}

impl RowStream for Customers {
    fn next(&mut self) -> Result<Option<Batch>, String> {
        self.next += 1;
        Ok(self.batches.get(self.next - 1).cloned())
    }

    fn rewind(&mut self) {
        self.next = 0;
    }

    fn rows(&self) -> u64 {
        self.batches.iter().map(|batch| u64::from(batch.rows)).sum()
    }

    fn columns(&self) -> Vec<ColumnDescription> {
        let orders = ColumnDescription {
            name: "orders".to_owned(),
            label: Text::new("Orders so far", "至今订单数"),
            ..ColumnDescription::default()
        };
        vec![orders]
    }

    /// Every dataset is the same customers.
    fn dataset(&mut self, name: &str) -> Result<Option<Box<dyn RowStream>>, String> {
        Ok((name == "customers").then(|| Box::new(Self::new(self.batches.clone())) as Box<dyn RowStream>))
    }
}

/// A hundred customers in three batches.
pub(crate) fn hundred() -> Customers {
    Customers::new(vec![customers(0..40), customers(40..41), customers(41..100)])
}

pub(crate) fn describe(plugin: &Plugin, config: &str) -> Vec<SegmentationDescription> {
    plugin.segmentation().unwrap().describe(config).unwrap()
}

pub(crate) fn fit(plugin: &Plugin, config: &str) -> Fitted {
    plugin.segmentation().unwrap().fit(&mut hundred(), config, &at(), &Default::default()).unwrap()
}

/// The configuration of the hostile guest.
pub(crate) fn sin(sin: &str) -> String {
    format!("{{\"sin\":\"{sin}\"}}")
}

/// What the hostile guest did wrong; the error has to say who did it, where.
pub(crate) fn fault(error: Error, function: &str) -> FaultKind {
    let Error::Fault(fault) = error else { panic!("{error}") };
    let start = format!("plugin `hostile` 1.0.0, {function}: ");
    assert!(fault.to_string().starts_with(&start), "{fault}");
    fault.kind
}

/// What the check of a result says.
pub(crate) fn invalid(reason: &str) -> FaultKind {
    FaultKind::InvalidResult(reason.to_owned())
}

pub(crate) fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub(crate) fn id(number: u64) -> RecordId {
    RecordId::parse(&format!("01926b5e-0000-7000-8000-{number:012}")).unwrap()
}

/// A record whose fields are all texts.
pub(crate) fn record(object: &str, number: u64, fields: &[(&str, &str)]) -> NamedRecord {
    let value = |(name, text): &(&str, &str)| (field(name), Value::Text((*text).to_owned()));
    NamedRecord {
        object: ObjectName::new(object).unwrap(),
        id: id(number),
        version: 1,
        fields: fields.iter().map(value).collect::<BTreeMap<_, _>>(),
    }
}
