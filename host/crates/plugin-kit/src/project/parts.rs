//! The files of a new plugin, put together from one template an interface.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use trellis_model::PluginId;
use trellis_plugin_host::SUPPORTED_WIT;
use trellis_plugin_host::manifest::Interface;

/// Characters of a line of Rust.
const LINE_CHARACTERS_MAX: usize = 100;

/// The template of an interface.
pub(super) struct Part {
    library: &'static str,
    test: &'static str,
    golden: &'static str,
    manifest: &'static str,
}

macro_rules! part {
    ($folder:literal, $manifest:expr) => {
        Part {
            library: include_str!(concat!("../../../../../sdk/rust/template/", $folder, "/lib.rs")),
            test: include_str!(concat!("../../../../../sdk/rust/template/", $folder, "/test.rs")),
            golden: include_str!(concat!("../../../../../sdk/rust/template/", $folder, "/golden.json")),
            manifest: $manifest,
        }
    };
    ($folder:literal) => {
        part!($folder, include_str!(concat!("../../../../../sdk/rust/template/", $folder, "/plugin.toml")))
    };
}

pub(super) fn of(interface: Interface) -> Part {
    match interface {
        Interface::Segmentation => part!("segmentation", ""),
        Interface::Scoring => part!("scoring", ""),
        Interface::CampaignRules => part!("campaign-rules"),
        Interface::ServiceWorkflow => part!("service-workflow"),
        Interface::RecordHook => part!("record-hook"),
        Interface::ModelReport => part!("model-report", ""),
        Interface::Analysis => part!("analysis", ""),
    }
}

/// The golden case of an interface. Where it is about a model, that is one of the first interface that learns.
pub(super) fn golden(interface: Interface, provides: &[Interface]) -> String {
    let learner = provides.iter().find(|interface| is_learner(**interface));
    of(interface).golden.replace("{{learner}}", learner.map_or("", |learner| learner.name()))
}

/// Whether an interface learns models.
pub(super) fn is_learner(interface: Interface) -> bool {
    matches!(interface, Interface::Segmentation | Interface::Scoring)
}

const CUSTOMERS: &str = include_str!("../../../../../sdk/rust/template/customers.toml");
const README: &str = include_str!("../../../../../sdk/rust/template/README.md");

pub(super) fn cargo_toml(id: &PluginId) -> String {
    format!(
        "[package]\nname = \"{id}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
         [lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
         [dependencies]\ntrellis-sdk = {{ path = \"vendor/trellis/sdk/rust\" }}\n\n\
         [workspace]\nexclude = [\"vendor\"]\n"
    )
}

pub(super) fn lock_entry(id: &PluginId) -> String {
    format!("[[package]]\nname = \"{id}\"\nversion = \"0.1.0\"\ndependencies = [\n \"trellis-sdk\",\n]\n")
}

pub(super) fn readme(id: &PluginId) -> String {
    README.replace("{{name}}", &title(id)).replace("{{id}}", id.as_str())
}

/// What people may call it at first: `my-plugin` becomes `My plugin`.
fn title(id: &PluginId) -> String {
    let words = id.as_str().replace('-', " ");
    let mut characters = words.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

pub(super) fn plugin_toml(id: &PluginId, provides: &[Interface]) -> String {
    let names: Vec<String> = provides.iter().map(|interface| format!("\"{}\"", interface.name())).collect();
    let (names, title) = (names.join(", "), title(id));
    let mut text = format!(
        "id = \"{id}\"\nversion = \"0.1.0\"\nwit = \"{SUPPORTED_WIT}\"\nprovides = [{names}]\n\
         # What people call it and what it is for, in both languages.\n\
         name = {{ en = \"{title}\", zh-CN = \"{title}\" }}\n\
         description = {{ en = \"A new plugin.\", zh-CN = \"一个新插件。\" }}\n"
    );
    let reads = |interface: &Interface| interface.reads_customers() || *interface == Interface::Analysis;
    if provides.iter().any(reads) {
        text.push_str(CUSTOMERS);
    }
    provides.iter().for_each(|interface| text.push_str(of(*interface).manifest));
    text
}

pub(super) fn library(provides: &[Interface]) -> String {
    let parts: Vec<&str> = provides.iter().map(|interface| of(*interface).library).collect();
    let (uses, bodies) = gathered(&parts);
    let exports = |line: &&str| line.starts_with("export_");
    let mut text = format!(
        "//! A Trellis plugin: data in, decisions out.\n\n{uses}\n/// The plugin.\n#[derive(Debug)]\npub struct Plugin;\n"
    );
    for body in &bodies {
        let body: Vec<&str> = body.lines().filter(|line| !exports(line)).collect();
        text = format!("{text}\n{}\n", body.join("\n").trim());
    }
    let exported: Vec<&str> = bodies.iter().flat_map(|body| body.lines()).filter(exports).collect();
    format!("{text}\n{}\n", exported.join("\n"))
}

pub(super) fn tests(id: &PluginId, provides: &[Interface]) -> String {
    let parts: Vec<&str> = provides.iter().map(|interface| of(*interface).test).collect();
    let (uses, bodies) = gathered(&parts);
    let bodies: Vec<&str> = bodies.iter().map(|body| body.trim()).collect();
    let library = id.as_str().replace('-', "_");
    let own = format!("use {library}::Plugin;\n");
    let uses = if library.as_str() < "trellis_sdk" { format!("{own}{uses}") } else { format!("{uses}{own}") };
    format!("//! Runs natively: `cargo test`.\n\n{uses}\n{}\n", bodies.join("\n\n"))
}

/// The `use` lines of several files as one set of them, and what follows them in each.
fn gathered(parts: &[&str]) -> (String, Vec<String>) {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut bodies = Vec::new();
    for part in parts {
        let mut rest = *part;
        while let Some((path, after)) = rest.strip_prefix("use ").and_then(|rest| rest.split_once(';')) {
            let (module, list) = match path.split_once('{') {
                Some((module, list)) => (module.trim_end_matches("::"), list.trim_end_matches('}')),
                None => path.rsplit_once("::").unwrap_or((path, "")),
            };
            let list = list.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.entry(module.to_owned()).or_default().extend(list.map(str::to_owned));
            rest = after.trim_start_matches('\n');
        }
        bodies.push(rest.to_owned());
    }
    // Modules before what lies directly in the crate, as rustfmt has it.
    let mut modules: Vec<_> = names.into_iter().collect();
    modules.sort_by_key(|(module, _)| std::cmp::Reverse(module.len()));
    (modules.into_iter().map(|(module, names)| use_line(&module, &names)).collect(), bodies)
}

/// One `use`, on as many lines as it needs.
fn use_line(module: &str, names: &BTreeSet<String>) -> String {
    // Types, then constants, then functions are not how rustfmt sorts: it goes by letters, small ones last.
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_by_key(|name| (name.starts_with(|first: char| first.is_lowercase()), *name));
    if let [name] = names.as_slice() {
        return format!("use {module}::{name};\n");
    }
    let line = format!("use {module}::{{{}}};\n", names.join(", "));
    if line.len() <= LINE_CHARACTERS_MAX {
        return line;
    }
    let mut text = format!("use {module}::{{\n");
    let mut line = String::from("   ");
    for name in names {
        if line.len() + name.len() + 2 > LINE_CHARACTERS_MAX {
            text = format!("{text}{line}\n");
            line = String::from("   ");
        }
        line = format!("{line} {name},");
    }
    format!("{text}{line}\n}};\n")
}
