//! Wrapping a core module as a component that carries its manifest, and reading such a component back.

use std::borrow::Cow;

use wasm_encoder::{ComponentSection, CustomSection, Encode};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use crate::error::{Error, Result};

/// The custom section that holds the text of `plugin.toml`.
pub const MANIFEST_SECTION: &str = "trellis:manifest";
/// The custom section that names the SDK and its version, for example `trellis-sdk-rust 0.1.0`.
pub const SDK_SECTION: &str = "trellis:sdk";

/// What a component says about itself, without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The interfaces that it implements, for example `trellis:plugin/segmentation@1.0.0`.
    pub exports: Vec<String>,
    /// The interfaces that it needs from the host. Those that only name types are among them.
    pub imports: Vec<String>,
    /// The text of its manifest.
    pub manifest: Option<String>,
    /// The SDK that it was written with.
    pub sdk: Option<String>,
}

/// Makes a component of a core module that wit-bindgen prepared, and appends the manifest and the SDK's stamp.
///
/// # Errors
/// If the module lacks the type information of wit-bindgen, imports anything besides WIT interfaces, or exports no world.
pub fn encode(core_module: &[u8], manifest: &str) -> Result<Vec<u8>> {
    let stamp = sdk_stamp(core_module)?;
    let component = ComponentEncoder::default()
        .module(core_module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| Error::Component { message: format!("{error:#}") })?;
    finish(component, manifest, stamp.as_deref())
}

/// Appends the manifest and the SDK's stamp to a component, whichever tool made it.
///
/// # Errors
/// If it exports nothing, or is no valid component.
pub fn finish(mut component: Vec<u8>, manifest: &str, stamp: Option<&str>) -> Result<Vec<u8>> {
    append_section(&mut component, MANIFEST_SECTION, manifest.as_bytes());
    if let Some(stamp) = stamp {
        append_section(&mut component, SDK_SECTION, stamp.as_bytes());
    }
    if Summary::read(&component)?.exports.is_empty() {
        let message = "it exports no interface; is an export macro such as `export_segmentation!` called?";
        return Err(Error::Component { message: message.to_owned() });
    }
    wasmparser::Validator::new().validate_all(&component).map_err(unreadable)?;
    Ok(component)
}

/// Appends a custom section to a component.
pub fn append_section(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let section = CustomSection { name: Cow::Borrowed(name), data: Cow::Borrowed(data) };
    component.push(ComponentSection::id(&section));
    section.encode(component);
}

/// The first line of the stamp: a plugin that exports several interfaces is stamped once for each.
fn sdk_stamp(core_module: &[u8]) -> Result<Option<String>> {
    let sections = custom_sections(core_module, SDK_SECTION)?;
    let text = sections.first().map(|data| String::from_utf8_lossy(data).into_owned());
    Ok(text.and_then(|text| text.lines().next().map(str::to_owned)))
}

impl Summary {
    /// Reads the outermost layer of `component`.
    ///
    /// # Errors
    /// If the bytes are no component.
    pub fn read(component: &[u8]) -> Result<Self> {
        let mut summary = Self { exports: Vec::new(), imports: Vec::new(), manifest: None, sdk: None };
        for payload in outermost(component)? {
            match payload {
                Payload::ComponentImportSection(reader) => {
                    for import in reader {
                        summary.imports.push(import.map_err(unreadable)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(reader) => {
                    for export in reader {
                        summary.exports.push(export.map_err(unreadable)?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        let text = |name| -> Result<Option<String>> {
            Ok(custom_sections(component, name)?
                .first()
                .map(|data| String::from_utf8_lossy(data).into_owned()))
        };
        summary.manifest = text(MANIFEST_SECTION)?;
        summary.sdk = text(SDK_SECTION)?;
        Ok(summary)
    }
}

fn custom_sections<'a>(binary: &'a [u8], name: &str) -> Result<Vec<&'a [u8]>> {
    let payloads = outermost(binary)?;
    Ok(payloads
        .into_iter()
        .filter_map(|payload| match payload {
            Payload::CustomSection(section) if section.name() == name => Some(section.data()),
            _ => None,
        })
        .collect())
}

/// The payloads of `binary` itself, without those of the modules and components inside it.
fn outermost(binary: &[u8]) -> Result<Vec<Payload<'_>>> {
    let mut depth = 0_usize;
    let mut payloads = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload.map_err(unreadable)?;
        match &payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ if depth == 0 => payloads.push(payload),
            _ => {}
        }
    }
    Ok(payloads)
}

fn unreadable(error: wasmparser::BinaryReaderError) -> Error {
    Error::Component { message: error.to_string() }
}
