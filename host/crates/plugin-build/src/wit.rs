//! The interfaces between host and plugin, carried so that a plugin can be built in an empty folder.

use std::path::Path;

use crate::error::{Error, Result};
use crate::write;

macro_rules! carried {
    ($($name:literal,)*) => {
        /// The files of `wit/`, each with its name, sorted by it.
        pub const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../wit/", $name)))),*];
    };
}

carried! {
    "actions.wit",
    "analysis.wit",
    "campaign-rules.wit",
    "columns.wit",
    "host-log.wit",
    "host-lookups.wit",
    "model-report.wit",
    "record-hook.wit",
    "reports.wit",
    "row-streams.wit",
    "scoring.wit",
    "segmentation.wit",
    "service-workflow.wit",
    "types.wit",
    "values.wit",
    "worlds.wit",
}

/// The version of these interfaces.
pub const VERSION: &str = "1.0.0";

/// What a plugin wants of the interfaces.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// The version that its manifest names.
    pub(crate) version: &'a str,
    /// The interfaces that it provides.
    pub(crate) provides: &'a [String],
    /// Whether it may ask about records.
    pub(crate) asks: bool,
}

impl Wanted<'_> {
    /// The text of a world that exports what the plugin provides. It imports no more than the manifest asks for: a toolchain that
    /// imports the whole world would otherwise ask for what nobody granted.
    pub(crate) fn world(&self, manifest: &Path) -> Result<String> {
        let wrong = |message: String| Error::Manifest { path: manifest.to_owned(), message };
        if self.version != VERSION {
            return Err(wrong(format!(
                "`wit` is \"{}\", but this build tool carries trellis:plugin {VERSION}",
                self.version
            )));
        }
        if self.provides.is_empty() {
            return Err(wrong("`provides` names no interface".to_owned()));
        }
        let mut world = format!(
            "package trellis:build;\n\nworld plugin {{\n  import trellis:plugin/host-log@{VERSION};\n"
        );
        if self.asks {
            world.push_str(&format!("  import trellis:plugin/host-lookups@{VERSION};\n"));
        }
        for interface in self.provides {
            let known = interfaces();
            if !known.contains(&interface.as_str()) {
                return Err(wrong(format!(
                    "`provides` names `{interface}`; the interfaces are {}",
                    known.join(", ")
                )));
            }
            world.push_str(&format!("  export trellis:plugin/{interface}@{VERSION};\n"));
        }
        world.push_str("}\n");
        Ok(world)
    }
}

/// The interfaces that a plugin can implement: those that have a world of their own.
fn interfaces() -> Vec<&'static str> {
    let worlds = FILES.iter().find(|(name, _)| *name == "worlds.wit").map_or("", |(_, text)| text);
    worlds
        .lines()
        .filter_map(|line| line.strip_prefix("world ")?.split_whitespace().next()?.strip_suffix("-plugin"))
        .collect()
}

/// Writes the world and the package that it is made of into `folder`, in the layout that every WIT tool reads.
pub(crate) fn write_package(folder: &Path, world: &str) -> Result<()> {
    write(&folder.join("world.wit"), world.as_bytes())?;
    for (name, text) in FILES {
        write(&folder.join("deps/trellis-plugin").join(name), text.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(version: &str, provides: &[&str], asks: bool) -> Result<String> {
        let provides: Vec<_> = provides.iter().map(|name| (*name).to_owned()).collect();
        Wanted { version, provides: &provides, asks }.world(Path::new("plugin.toml"))
    }

    #[test]
    fn every_file_of_the_package_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit");
        let mut found: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".wit"))
            .collect();
        found.sort();
        assert_eq!(found, FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let worlds = FILES.iter().find(|(name, _)| *name == "worlds.wit").unwrap().1;
        assert!(worlds.contains(&format!("package trellis:plugin@{VERSION};")));
    }

    #[test]
    fn a_world_asks_for_no_more_than_the_manifest() {
        let quiet = world(VERSION, &["scoring", "segmentation"], false).unwrap();
        assert!(
            quiet.contains(
                "export trellis:plugin/scoring@1.0.0;\n  export trellis:plugin/segmentation@1.0.0;"
            )
        );
        assert!(!quiet.contains("host-lookups"));
        assert!(
            world(VERSION, &["record-hook"], true)
                .unwrap()
                .contains("import trellis:plugin/host-lookups@1.0.0;")
        );
    }

    #[test]
    fn what_a_manifest_wants_wrongly_is_named() {
        for (version, provides, expected) in [
            (
                "2.0.0",
                &["scoring"][..],
                "`wit` is \"2.0.0\", but this build tool carries trellis:plugin 1.0.0",
            ),
            (VERSION, &[], "`provides` names no interface"),
            (VERSION, &["imports"], "`provides` names `imports`; the interfaces are segmentation, scoring,"),
        ] {
            let error = world(version, provides, false).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected} is not in: {error}");
        }
    }
}
