//! What plugins in languages that are not compiled by cargo have in common: staged sources, tools that are installed once, and a component that
//! is built again only when something changed. Their toolchains take many seconds.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::staging::{Sources, hash_part};
use crate::tools::target_dir;
use crate::{read, wit, write};

/// Changes when this crate builds differently from the same sources.
const BUILDER: &str = "trellis-plugin-build scripted 1";

/// A project folder in a scripted language.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) manifest: Manifest,
    /// Absolute.
    pub(crate) folder: PathBuf,
    pub(crate) target_dir: PathBuf,
}

/// What a component is made of.
pub(crate) struct Ingredients<'a> {
    pub(crate) sources: &'a Sources,
    /// Files of the SDK with their names.
    pub(crate) sdk: &'a [(&'a str, &'a str)],
    /// Everything else that decides what is built: the tools' versions and the project's settings.
    pub(crate) settings: &'a str,
}

/// Where a toolchain finds its inputs.
#[derive(Debug)]
pub(crate) struct BuildFolder {
    pub(crate) root: PathBuf,
    pub(crate) sources: PathBuf,
    pub(crate) sdk: PathBuf,
    pub(crate) wit: PathBuf,
    /// The file that the toolchain writes.
    pub(crate) component: PathBuf,
}

impl Project {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let folder =
            folder.canonicalize().map_err(|source| Error::Read { path: folder.to_owned(), source })?;
        let manifest = Manifest::read(&folder)?;
        let target_dir = target_dir(&folder, std::env::var_os("CARGO_TARGET_DIR").as_deref());
        Ok(Self { manifest, folder, target_dir })
    }

    /// The folder in which tools of `language` are kept.
    pub(crate) fn tools_dir(&self, language: &str) -> PathBuf {
        self.target_dir.join("plugin-tools").join(language)
    }

    /// Returns the component that `compile` makes of these ingredients, or the one that it made of the same before.
    pub(crate) fn component(
        &self,
        ingredients: &Ingredients<'_>,
        compile: impl FnOnce(&BuildFolder) -> Result<()>,
    ) -> Result<Vec<u8>> {
        let world = self.manifest.world()?;
        let root = self.target_dir.join("plugin-build").join(&self.manifest.id);
        let stamp = root.join("stamp");
        let inputs = ingredients.digest(&world);
        let folder = BuildFolder {
            sources: root.join("source"),
            sdk: root.join("sdk"),
            wit: root.join("wit"),
            component: root.join("component.wasm"),
            root,
        };
        if let (Ok(component), Ok(found)) =
            (std::fs::read(&folder.component), std::fs::read_to_string(&stamp))
            && found == stamp_text(&inputs, &component)
        {
            return Ok(component);
        }
        ingredients.sources.write(&folder.sources)?;
        for (name, text) in ingredients.sdk {
            write(&folder.sdk.join(name), text.as_bytes())?;
        }
        wit::write_package(&folder.wit, &world)?;
        compile(&folder)?;
        let component = read(&folder.component)?;
        write(&stamp, stamp_text(&inputs, &component).as_bytes())?;
        Ok(component)
    }
}

impl Ingredients<'_> {
    fn digest(&self, world: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hash_part(&mut hasher, BUILDER.as_bytes());
        self.sources.hash(&mut hasher);
        for (name, text) in self.sdk.iter().chain(wit::FILES) {
            hash_part(&mut hasher, name.as_bytes());
            hash_part(&mut hasher, text.as_bytes());
        }
        hash_part(&mut hasher, self.settings.as_bytes());
        hash_part(&mut hasher, world.as_bytes());
        hasher.finalize()
    }
}

/// Names what was built of what.
fn stamp_text(inputs: &blake3::Hash, component: &[u8]) -> String {
    format!("{inputs} {}\n", blake3::hash(component))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLUGIN_TOML: &str =
        "id = \"small\"\nversion = \"1.0.0\"\nwit = \"1.0.0\"\nprovides = [\"scoring\"]\n";

    #[test]
    fn what_did_not_change_is_not_built_again() {
        let root = tempfile::tempdir().unwrap();
        write(&root.path().join("plugin.toml"), PLUGIN_TOML.as_bytes()).unwrap();
        write(&root.path().join("plugin.js"), b"1").unwrap();
        let project = Project::open(root.path()).unwrap();
        let project = Project { target_dir: root.path().join("target"), ..project };
        let build = |settings: &str| {
            let (mut built, sources) = (false, Sources::read(&project.folder, &["js"]).unwrap());
            let ingredients = Ingredients { sources: &sources, sdk: &[("sdk.js", "2")], settings };
            let component = project.component(&ingredients, |folder| {
                built = true;
                assert!(
                    folder.sdk.join("sdk.js").exists()
                        && folder.wit.join("deps/trellis-plugin/types.wit").exists()
                );
                write(&folder.component, &read(&folder.sources.join("plugin.js"))?)
            });
            (component.unwrap(), built)
        };
        assert_eq!(build("a"), (b"1".to_vec(), true));
        assert_eq!(build("a"), (b"1".to_vec(), false));
        assert_eq!(build("b"), (b"1".to_vec(), true), "other tools");
        write(&root.path().join("plugin.js"), b"22").unwrap();
        assert_eq!(build("b"), (b"22".to_vec(), true), "other sources");
        write(&root.path().join("target/plugin-build/small/component.wasm"), b"33").unwrap();
        assert_eq!(build("b"), (b"22".to_vec(), true), "a component that somebody changed");
    }
}
