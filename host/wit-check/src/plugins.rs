//! Whether components that were built fit the interfaces that they name.

use std::path::Path;

use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldItem};

use crate::RELEASED;
use crate::error::{Error, Result};
use crate::package::push;

const PACKAGE: &str = "trellis:plugin/";

/// Everything in which the component in `file` does not fit the interfaces of the version that it was built against, which is the one in
/// `wit` or a released one. `Ok(None)` if it fits.
///
/// # Errors
/// A file that cannot be read, is no component, or exports nothing of ours.
pub fn check_plugins(wit: &Path, file: &Path) -> Result<Option<String>> {
    let message = |message: String| Error::Wit { path: file.to_owned(), message };
    let component = std::fs::read(file).map_err(|source| Error::Read { path: file.to_owned(), source })?;
    let exports = exports(&component).map_err(message)?;
    let Some(version) = exports.first().and_then(|name| name.split_once('@')).map(|(_, version)| version)
    else {
        return Err(message(format!("it exports no interface of {PACKAGE}")));
    };
    let mut resolve = Resolve::default();
    let released = wit.join(RELEASED).join(version);
    push(&mut resolve, if released.is_dir() { &released } else { wit })?;
    let world = world(&exports, version);
    let package = resolve.push_str("fits.wit", &world).map_err(|error| message(format!("{error:#}")))?;
    let world =
        resolve.select_world(&[package], Some("fits")).map_err(|error| message(format!("{error:#}")))?;
    Ok(wit_component::targets(&resolve, world, &component).err().map(|error| format!("{error:#}")))
}

/// The names of the interfaces of ours that it exports.
fn exports(component: &[u8]) -> Result<Vec<String>, String> {
    let decoded = wit_component::decode(component).map_err(|error| format!("{error:#}"))?;
    let DecodedWasm::Component(resolve, world) = decoded else { return Err("it is no component".to_owned()) };
    let world = resolve.worlds.get(world).ok_or("it has no world")?;
    let names = world.exports.iter().filter_map(|(key, item)| match item {
        WorldItem::Interface { .. } => Some(resolve.name_world_key(key)),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    });
    Ok(names.filter(|name| name.starts_with(PACKAGE)).collect())
}

/// A world with every interface that the host offers, and those that the plugin has.
fn world(exports: &[String], version: &str) -> String {
    let exports: String = exports.iter().map(|name| format!("  export {name};\n")).collect();
    format!(
        "package trellis:fits;\nworld fits {{\n  include {PACKAGE}asking-imports@{version};\n{exports}}}\n"
    )
}
