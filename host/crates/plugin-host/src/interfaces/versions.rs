//! The versions of `trellis:plugin` that this host speaks, and how a plugin of each major version is linked.
//!
//! A new major version is a package beside the old one: bindings of its own, a row in [`MAJORS`], and in its `link` the adapter that offers
//! the old host interfaces on top of what the newest ones do. A minor version needs no row: what it adds is not asked for by older plugins.

use semver::Version;
use wasmtime::component::Linker;

use crate::Inspection;
use crate::call::CallState;

/// Gives a plugin the host interfaces of its major version, as far as they were granted.
type Link = fn(&mut Linker<CallState>, &Inspection) -> wasmtime::Result<()>;

/// A major version of the interfaces.
pub(crate) struct Major {
    /// Its newest minor version that this host has.
    newest: Version,
    pub(crate) link: Link,
}

/// The oldest first.
static MAJORS: [Major; 1] = [Major { newest: SUPPORTED_WIT, link: super::link_1 }];

/// The version of the interfaces that this host offers; older minor versions of the same major version run too.
pub const SUPPORTED_WIT: Version = Version::new(1, 0, 0);

/// The version of the engine that runs plugins.
pub const WASMTIME_VERSION: &str = "48.0.8";

/// Versions of the interfaces that run on this host: of one major version, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitRange {
    /// The oldest.
    pub from: Version,
    /// The newest.
    pub to: Version,
}

impl std::fmt::Display for WitRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

/// Every version of the interfaces that runs on this host, the oldest first.
pub fn supported_wit() -> Vec<WitRange> {
    MAJORS
        .iter()
        .map(|major| WitRange { from: Version::new(major.newest.major, 0, 0), to: major.newest.clone() })
        .collect()
}

/// The same in words.
pub(crate) fn supported_text() -> String {
    let ranges = supported_wit();
    ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The major version that a plugin built against `version` is linked with; `None` where this host has none, or only older minor versions.
pub(crate) fn major_of(version: &Version) -> Option<&'static Major> {
    let fits = |major: &&Major| {
        major.newest.major == version.major && major.newest.minor >= version.minor && version.pre.is_empty()
    };
    MAJORS.iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_linked_with_its_major_version() {
        for (version, fits) in [
            ("1.0.0", true),
            ("1.0.7", true),
            ("1.1.0", false),
            ("1.0.0-rc.1", false),
            ("0.9.0", false),
            ("2.0.0", false),
        ] {
            assert_eq!(major_of(&version.parse().unwrap()).is_some(), fits, "{version}");
        }
        assert_eq!(supported_text(), "1.0.0 to 1.0.0");
    }

    #[test]
    fn the_newest_version_is_that_of_the_interfaces() {
        let worlds = include_str!("../../../../../wit/worlds.wit");
        assert!(worlds.contains(&format!("package trellis:plugin@{SUPPORTED_WIT};")));
    }

    #[test]
    fn the_engine_is_the_one_that_is_built_in() {
        let lock = include_str!("../../../../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"\n")));
    }
}
