//! What the author of a plugin does without a server: `new`, `check`, `test`, `bench`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::{Value as Json, json};
use trellis_model::Text;
use trellis_plugin_host::manifest::Interface;
use trellis_plugin_host::{LimitClass, Limits, Plugin, PluginHost};
use trellis_plugin_kit::golden::{self, Cases};
use trellis_plugin_kit::laws::{FieldTypes, LawOutcome, LawReport};
use trellis_plugin_kit::{bench, check, laws, project};

use super::super::{Failure, Result, output};
use super::brought::both;

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The plugin's id and the name of its folder.
    name: String,
    /// The interfaces that it provides: segmentation, scoring, campaign-rules, service-workflow, record-hook.
    #[arg(long, value_name = "INTERFACES", value_delimiter = ',', required = true, value_parser = interface)]
    provides: Vec<Interface>,
    /// The folder to make it in.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A plugin's folder, which is built first, or a .wasm file.
    #[arg(default_value = ".")]
    plugin: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// A plugin's folder, which is built first, or a .wasm file.
    #[arg(default_value = ".")]
    plugin: PathBuf,
    /// Decides the made-up data of the laws.
    #[arg(long, default_value_t = laws::Options::default().seed)]
    seed: u64,
    /// How often each law is tried on new data.
    #[arg(long, default_value_t = laws::Options::default().rounds)]
    rounds: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// A plugin's folder, which is built first, or a .wasm file.
    #[arg(default_value = ".")]
    plugin: PathBuf,
    /// Rows of a batch.
    #[arg(long, default_value_t = bench::Options::default().rows)]
    rows: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn interface(name: &str) -> Result<Interface, String> {
    let known = || Interface::ALL.map(Interface::name).join(", ");
    let found = Interface::ALL.into_iter().find(|interface| interface.name() == name);
    found.ok_or_else(|| format!("`{name}` is none of {}", known()))
}

fn message(error: impl std::fmt::Display) -> Failure {
    Failure::Message(error.to_string())
}

impl New {
    pub(super) fn run(&self) -> Result {
        let folder = project::create(&self.dir, &self.name, &self.provides).map_err(message)?;
        let (folder, name) = (folder.display(), &self.name);
        output::line(&format!(
            "{name}: a new plugin in {folder}; src/lib.rs decides, plugin.toml says what it reads"
        ));
        output::note(&format!(
            "next:\n  trellis plugin test {folder}\n  trellis plugin build {folder}\n  \
             trellis plugin install {folder}/target/plugins/{name}.wasm --enable"
        ));
        self.provides.iter().for_each(|interface| output::note(&asked(*interface, name)));
        Ok(())
    }
}

/// When an interface of an enabled plugin is asked.
fn asked(interface: Interface, name: &str) -> String {
    match interface {
        Interface::Segmentation | Interface::Scoring => format!("  trellis plugin run {name}"),
        Interface::CampaignRules => {
            "it is asked about campaigns whose field `rules_plugin` names it".to_owned()
        }
        Interface::ServiceWorkflow => {
            "it is asked when a record of its object is created or changed".to_owned()
        }
        Interface::ModelReport => format!("  trellis plugin report {name}"),
        Interface::Analysis => format!("  trellis plugin analyse {name}"),
        Interface::RecordHook => "it is asked before a record of its object is saved".to_owned(),
    }
}

/// A plugin that was loaded for its author.
struct Loaded {
    host: Arc<PluginHost>,
    wasm: Vec<u8>,
    plugin: Arc<Plugin>,
    cases: Cases,
    types: FieldTypes,
}

impl Loaded {
    /// Builds a folder or takes a file, checks it, links it.
    fn open(path: &Path, limits: Limits) -> Result<Self> {
        let file = if path.is_dir() { super::folder::built(path, None)?.path } else { path.to_owned() };
        let wasm = std::fs::read(&file)
            .map_err(|error| Failure::Message(format!("cannot read {}: {error}", file.display())))?;
        let host = trellis_plugin_kit::host(limits).map_err(message)?;
        let plugin = host.load(&wasm).map_err(message)?;
        let cases = match &plugin.inspection().carried.tests {
            Some(text) => {
                Cases::parse(text, plugin.manifest(), golden::Limits::default().cases_max).map_err(message)?
            }
            None => Cases::default(),
        };
        let mut types = FieldTypes::default();
        for definition in trellis_records::standard_definitions() {
            types.add_toml(definition).map_err(message)?;
        }
        if let Some(section) = &plugin.inspection().carried.schema {
            types.add_schema(section).map_err(message)?;
        }
        Ok(Self { host, wasm, plugin, cases, types })
    }
}

impl Check {
    pub(super) fn run(&self) -> Result {
        let loaded = Loaded::open(&self.plugin, Limits::default())?;
        let warnings = check::warnings(&loaded.plugin, &loaded.cases);
        if self.json {
            return print(&facts(&loaded, &warnings));
        }
        show(&loaded);
        warnings.iter().for_each(|warning| output::line(&format!("  warning  {}", both(warning))));
        Ok(())
    }
}

/// What a plugin is and asks for.
fn facts(loaded: &Loaded, warnings: &[Text]) -> Json {
    let (inspection, manifest) = (loaded.plugin.inspection(), loaded.plugin.manifest());
    let imports = inspection.imports.iter();
    let imports = imports.map(|import| json!({ "name": import, "means": text(&check::import_text(import)) }));
    let requests = inspection.requests().into_iter();
    let requests = requests.map(|request| json!({ "grant": request.grant, "means": text(&request.text) }));
    json!({
        "id": manifest.id.as_str(),
        "version": manifest.version.to_string(),
        "wit": manifest.wit.to_string(),
        "exports": inspection.exports,
        "imports": imports.collect::<Vec<_>>(),
        "asks_for": requests.collect::<Vec<_>>(),
        "bytes": inspection.bytes,
        "bytes_max": trellis_plugin_host::Config::default().component_bytes_max,
        "core_modules": inspection.core_modules,
        "sdk": inspection.sdk,
        "digest": inspection.digest.to_string(),
        "golden_cases": loaded.cases.len(),
        "warnings": warnings.iter().map(text).collect::<Vec<_>>(),
    })
}

fn show(loaded: &Loaded) {
    let (inspection, manifest) = (loaded.plugin.inspection(), loaded.plugin.manifest());
    let name = &manifest.name;
    output::line(&format!("{} {}: {} ({})", manifest.id, manifest.version, name.en, name.zh_cn));
    output::line(&format!("  exports  {}", inspection.exports.join(", ")));
    for import in &inspection.imports {
        output::line(&format!("  imports  {import}: {}", both(&check::import_text(import))));
    }
    for request in inspection.requests() {
        output::line(&format!("  asks for {}: {}", request.grant, both(&request.text)));
    }
    let share = inspection.bytes * 100 / trellis_plugin_host::Config::default().component_bytes_max.max(1);
    output::line(&format!(
        "  size     {} KiB in {} core modules, {share} % of what a server takes",
        inspection.bytes.div_ceil(1024),
        inspection.core_modules
    ));
    let sdk = inspection.sdk.as_deref().unwrap_or("by an SDK that does not name itself");
    output::line(&format!("  built    {sdk}, for trellis:plugin {}", manifest.wit));
    output::line(&format!("  digest   {}", inspection.digest));
    output::line(&format!("  golden   {} cases", loaded.cases.len()));
}

impl Test {
    pub(super) fn run(&self) -> Result {
        let loaded = Loaded::open(&self.plugin, patient())?;
        let report = golden::run(&loaded.plugin, &loaded.cases, &golden::Limits::default());
        let options = laws::Options { seed: self.seed, rounds: self.rounds };
        let laws = laws::check(&loaded.plugin, &loaded.cases, &loaded.types, &options);
        if self.json {
            let laws: Vec<Json> = laws.iter().map(LawReport::to_json).collect();
            print(&json!({ "golden": report.to_json(), "laws": laws }))?;
        } else {
            show_golden(&report);
            laws.iter().for_each(show_law);
        }
        let broken = laws.iter().filter(|law| !law.passed()).count();
        let failed = report.cases.len() - report.passed_count();
        if broken + failed == 0 {
            return Ok(());
        }
        Err(Failure::Incomplete(format!("{failed} golden cases failed, {broken} laws are broken")))
    }
}

/// A slow machine breaks no law; `bench` says what calls cost.
fn patient() -> Limits {
    let mut limits = Limits::default();
    for class in [&mut limits.record_hook, &mut limits.call, &mut limits.batch] {
        class.cpu_ms_max = class.cpu_ms_max.saturating_mul(20);
    }
    limits
}

fn show_golden(report: &golden::Report) {
    for case in &report.cases {
        let problems = case.outcome.texts();
        let passed = if problems.is_empty() { "ok" } else { "FAILED" };
        output::line(&format!("golden {}: {passed}  {}", case.name, case.title));
        problems.iter().for_each(|problem| output::line(&format!("    {}", both(problem))));
    }
    output::line(&both(&report.summary()));
}

fn show_law(law: &LawReport) {
    output::line(&format!("law {}", both(&law.text())));
    if let LawOutcome::Broken(broken) = &law.outcome {
        output::line(&format!("    {}", both(&law.law.text())));
        broken.rows.iter().for_each(|row| output::line(&format!("    with {row}")));
    }
}

impl Bench {
    pub(super) fn run(&self) -> Result {
        let limits = Limits::default();
        let rows_max = limits.batch.rows_max as usize;
        if !(1..=rows_max).contains(&self.rows) {
            return Err(Failure::Message(format!("--rows is 1 to {rows_max}")));
        }
        let loaded = Loaded::open(&self.plugin, patient())?;
        let metered = loaded.host.load_metered(&loaded.wasm).map_err(message)?;
        let pair = bench::Pair { timed: &loaded.plugin, metered: &metered };
        let options = bench::Options { rows: self.rows, ..bench::Options::default() };
        let figures = bench::run(pair, &limits, &loaded.cases, &loaded.types, &options);
        if self.json {
            return print(&figures.iter().map(figure_json).collect());
        }
        let header = ["FUNCTION", "ROWS", "NS/ROW", "FUEL/ROW", "MEMORY", "OF ITS TIME", "CLASS"];
        let rows: Vec<_> = figures.iter().filter_map(|figure| figure.as_ref().ok()).map(figure_row).collect();
        output::table(header, &rows);
        for (function, why) in figures.iter().filter_map(|figure| figure.as_ref().err()) {
            output::line(&format!("{function}: not measured: {}", both(why)));
        }
        Ok(())
    }
}

fn class(class: LimitClass) -> &'static str {
    match class {
        LimitClass::RecordHook => "record-hook",
        LimitClass::Call => "call",
        LimitClass::Batch => "batch",
        LimitClass::Training => "training",
    }
}

fn figure_row(figure: &bench::Figure) -> [String; 7] {
    let memory = figure.memory_bytes as f64 / f64::from(1 << 20);
    [
        figure.function.to_string(),
        figure.rows.to_string(),
        format!("{:.1}", figure.ns_per_row()),
        format!("{:.1}", figure.fuel_per_row()),
        format!("{memory:.1} MiB of {}", figure.memory_bytes_max >> 20),
        format!("{:.1} % of {} ms", figure.time_share() * 100.0, figure.time_max.as_millis()),
        class(figure.class).to_owned(),
    ]
}

fn figure_json(figure: &std::result::Result<bench::Figure, bench::Unmeasured>) -> Json {
    match figure {
        Ok(figure) => json!({
            "function": figure.function.to_string(),
            "rows": figure.rows,
            "ns_per_row": figure.ns_per_row(),
            "fuel_per_row": figure.fuel_per_row(),
            "memory_bytes": figure.memory_bytes,
            "memory_bytes_max": figure.memory_bytes_max,
            "time_ms_max": u64::try_from(figure.time_max.as_millis()).unwrap_or(u64::MAX),
            "time_share": figure.time_share(),
            "class": class(figure.class),
        }),
        Err((function, why)) => json!({ "function": function.to_string(), "not_measured": text(why) }),
    }
}

fn text(text: &Text) -> Json {
    json!({ "en": text.en, "zh-CN": text.zh_cn })
}

fn print(json: &Json) -> Result {
    output::line(&serde_json::to_string_pretty(json).map_err(message)?);
    Ok(())
}
