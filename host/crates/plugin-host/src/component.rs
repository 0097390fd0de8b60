//! Reads what a component says about itself, without compiling it.

use std::collections::BTreeSet;

use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload};

use crate::carried::{CARRIED_BYTES_MAX, Carried};
use crate::interfaces::versions::{major_of, supported_text};
use crate::interfaces::wasi;
use crate::manifest::{Interface, Request};
use crate::{Error, Manifest, Result, plain};

/// The custom section that holds the text of `plugin.toml`.
pub(crate) const MANIFEST_SECTION: &str = "trellis:manifest";
/// The custom section in which an SDK says what it is.
const SDK_SECTION: &str = "trellis:sdk";
/// Characters of the name of an import or export; no name that this host knows has half as many.
const NAME_CHARACTERS_MAX: usize = 200;
/// Characters of an SDK's name that are shown.
const SDK_CHARACTERS_MAX: usize = 100;
/// The package of all interfaces between host and plugin.
const PACKAGE: &str = "trellis:plugin/";
/// A component whose modules begin with more memory than this brings the runtime of its language along: what Rust compiles to begins with some
/// 1 MiB, the snapshot of an interpreter with 10 MiB and more.
const COMPILED_MEMORY_BYTES_MAX: u64 = 4 << 20;
/// The size of a page of linear memory.
const PAGE_BYTES: u64 = 64 << 10;
/// The host interfaces that every plugin may import. The first five hold types only.
const GRANTED: [&str; 7] = ["actions", "columns", "reports", "types", "values", "host-log", "row-streams"];
/// The host interface for which a manifest has to have `[[lookups]]`.
const LOOKUPS: &str = "host-lookups";

/// The BLAKE3 digest of a component file, which names its content for good.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What a component says about itself.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Its manifest.
    pub manifest: Manifest,
    /// Names its content.
    pub digest: Digest,
    /// Size of the file.
    pub bytes: usize,
    /// What it imports, with versions: what it asks the host for.
    pub imports: Vec<String>,
    /// What it exports, with versions.
    pub exports: Vec<String>,
    /// Its core modules.
    pub core_modules: usize,
    /// The SDK that it was built with, as the SDK names itself.
    pub sdk: Option<String>,
    /// Whether it imports WASI, which its toolchain needs and behind which there is nothing.
    pub wasi: bool,
    /// What it carries besides its manifest.
    pub carried: Carried,
    /// The linear memory that its modules begin with, in bytes.
    pub initial_memory_bytes: u64,
}

impl Inspection {
    /// Everything that the plugin asks for: what its manifest says, and `wasi` where it imports that.
    pub fn requests(&self) -> Vec<Request> {
        let mut requests = self.manifest.requests();
        requests.extend(self.wasi.then(Request::wasi));
        requests
    }

    /// What it says of itself under a configuration, which may name columns that it reads.
    #[must_use]
    pub fn configured(&self, config: &serde_json::Value) -> Self {
        Self { manifest: self.manifest.configured(config), ..self.clone() }
    }

    /// Whether it brings the runtime of its language along, which needs memory beside that of the plugin itself.
    pub fn brings_runtime(&self) -> bool {
        self.initial_memory_bytes > COMPILED_MEMORY_BYTES_MAX
    }
}

/// Reads and checks everything that can be checked without compiling: size, kind, manifest, imports, exports.
///
/// # Errors
/// The first reason to refuse the component.
pub fn inspect(wasm: &[u8]) -> Result<Inspection> {
    inspect_within(wasm, crate::Config::default().component_bytes_max)
}

/// Returns the text of the manifest that a component carries.
///
/// # Errors
/// [`Error::NotAComponent`], also where there are two manifests, and [`Error::MissingManifest`].
pub fn read_manifest(wasm: &[u8]) -> Result<String> {
    outline(wasm)?.manifest().map(str::to_owned)
}

pub(crate) fn inspect_within(wasm: &[u8], bytes_max: usize) -> Result<Inspection> {
    if wasm.len() > bytes_max {
        return Err(Error::TooLarge { bytes: wasm.len(), bytes_max });
    }
    let outline = outline(wasm)?;
    let manifest = Manifest::parse(outline.manifest()?)?;
    check_versions(&manifest, &outline)?;
    check_imports(&manifest, &outline.imports)?;
    check_exports(&manifest, &outline.exports)?;
    Ok(Inspection {
        digest: Digest::of(wasm),
        wasi: outline.imports.iter().any(|import| wasi::is_offered(import)),
        bytes: wasm.len(),
        imports: outline.imports,
        exports: outline.exports,
        core_modules: outline.core_modules,
        sdk: outline.sdk,
        carried: outline.carried,
        initial_memory_bytes: outline.initial_memory_bytes,
        manifest,
    })
}

/// The outermost layer of a component.
#[derive(Default)]
struct Outline<'a> {
    manifest: Option<&'a [u8]>,
    manifests: usize,
    sdk: Option<String>,
    imports: Vec<String>,
    exports: Vec<String>,
    core_modules: usize,
    carried: Carried,
    initial_memory_bytes: u64,
}

fn outline(wasm: &[u8]) -> Result<Outline<'_>> {
    let not_a_component = |reason: String| Error::NotAComponent { reason };
    let (mut outline, mut depth) = (Outline::default(), 0_usize);
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| not_a_component(error.to_string()))?;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(not_a_component("it is a core module".to_owned()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                outline.core_modules += usize::from(matches!(payload, Payload::ModuleSection { .. }));
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory.map_err(|error| not_a_component(error.to_string()))?;
                    let bytes = memory.initial.saturating_mul(PAGE_BYTES);
                    outline.initial_memory_bytes = outline.initial_memory_bytes.saturating_add(bytes);
                }
            }
            _ if depth == 0 => {
                if let Payload::CustomSection(section) = &payload {
                    outline.carried.take(section.name(), section.data()).map_err(not_a_component)?;
                }
                outline.add(&payload).map_err(|error| not_a_component(error.to_string()))?;
            }
            _ => {}
        }
    }
    Ok(outline)
}

impl<'a> Outline<'a> {
    /// The only manifest: of two, nobody could say which one holds.
    fn manifest(&self) -> Result<&'a str> {
        if self.manifests > 1 {
            return Err(Error::NotAComponent {
                reason: format!("it carries {} `{MANIFEST_SECTION}` sections", self.manifests),
            });
        }
        let manifest = self.manifest.ok_or(Error::MissingManifest)?;
        let wrong = |what: String| Error::NotAComponent {
            reason: format!("its `{MANIFEST_SECTION}` section {what}"),
        };
        if manifest.len() > CARRIED_BYTES_MAX {
            return Err(wrong(format!("has {} bytes, at most {CARRIED_BYTES_MAX}", manifest.len())));
        }
        std::str::from_utf8(manifest).map_err(|_| wrong("is not UTF-8".to_owned()))
    }

    fn add(&mut self, payload: &Payload<'a>) -> wasmparser::Result<()> {
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    self.imports.push(plain::line(import?.name.name, NAME_CHARACTERS_MAX));
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Instance {
                        self.exports.push(plain::line(export.name.name, NAME_CHARACTERS_MAX));
                    }
                }
            }
            Payload::CustomSection(section) => match section.name() {
                MANIFEST_SECTION => {
                    self.manifests += 1;
                    self.manifest = Some(section.data());
                }
                SDK_SECTION => {
                    let sdk = String::from_utf8_lossy(section.data());
                    self.sdk = Some(plain::line(&sdk, SDK_CHARACTERS_MAX));
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// Splits `trellis:plugin/segmentation@1.0.0`; `None` for what is not of our package.
fn ours(name: &str) -> Option<(&str, Option<semver::Version>)> {
    let name = name.strip_prefix(PACKAGE)?;
    Some(match name.split_once('@') {
        Some((interface, version)) => (interface, semver::Version::parse(version).ok()),
        None => (name, None),
    })
}

/// Every interface has to be of the version that the manifest names, and that one of a version that this host has.
fn check_versions(manifest: &Manifest, outline: &Outline<'_>) -> Result<()> {
    let unknown = |interface: String| Error::UnknownInterfaceVersion {
        plugin: manifest.plugin_version(),
        interface,
        supported: supported_text(),
    };
    if major_of(&manifest.wit).is_none() {
        return Err(unknown(format!("trellis:plugin@{}", manifest.wit)));
    }
    for name in outline.imports.iter().chain(&outline.exports) {
        match ours(name) {
            Some((_, Some(version))) if major_of(&version).is_none() => return Err(unknown(name.clone())),
            Some((_, None)) => return Err(unknown(name.clone())),
            Some((_, Some(version))) if version != manifest.wit => {
                return Err(Error::InvalidManifest {
                    plugin: manifest.plugin_version().to_string(),
                    place: "`wit`".to_owned(),
                    reason: format!("says {}, but the component uses `{name}`", manifest.wit),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_imports(manifest: &Manifest, imports: &[String]) -> Result<()> {
    let asks = !manifest.lookups.is_empty();
    let granted = |import: &&String| match ours(import) {
        Some((interface, _)) => GRANTED.contains(&interface) || (interface == LOOKUPS && asks),
        None => wasi::is_offered(import),
    };
    let Some(import) = imports.iter().find(|import| !granted(import)) else { return Ok(()) };
    let hint = if import.starts_with("wasi:sockets/") || import.starts_with("wasi:http/") {
        "plugins have no network; an action can have the host send something".to_owned()
    } else if import.starts_with("wasi:") {
        "it is none of the interfaces of wasi:cli, wasi:clocks, wasi:filesystem, wasi:io and wasi:random 0.2 that the host offers"
            .to_owned()
    } else if ours(import).is_some_and(|(interface, _)| interface == LOOKUPS) {
        "say in plugin.toml what it may look up: `[[lookups]]` with `object` and `fields`".to_owned()
    } else if import.starts_with(PACKAGE) {
        format!("no grant in plugin.toml gives it on this host, which offers {}", GRANTED.join(", "))
    } else {
        format!("the host offers interfaces of {PACKAGE} only: {}", GRANTED.join(", "))
    };
    Err(Error::ImportNotGranted { plugin: manifest.plugin_version(), import: import.clone(), hint })
}

/// Interfaces of other packages may be exported besides: some toolchains do.
fn check_exports(manifest: &Manifest, exports: &[String]) -> Result<()> {
    let found: BTreeSet<&str> = exports.iter().filter_map(|name| Some(ours(name)?.0)).collect();
    let said: BTreeSet<&str> = manifest.provides.iter().copied().map(Interface::name).collect();
    if found == said {
        return Ok(());
    }
    let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
    Err(Error::ExportsDisagree {
        plugin: manifest.plugin_version(),
        manifest: owned(said),
        found: owned(found),
    })
}
