//! Plugins in JavaScript: bundled by esbuild, made a component by componentize-js. Both are what the project's `package.json` names, in exact
//! versions; npm installs them into the target folder and never into the project.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::manifest::required_text;
use crate::scripted::{BuildFolder, Ingredients, Project};
use crate::staging::{Sources, hash_part};
use crate::toolchain::run;
use crate::tools::{on_path, prepared, version_of};
use crate::write;

/// What the SDK's section says of such a plugin.
pub(crate) const STAMP: &str = "trellis-sdk-js 0.1.0";
const SDK: [(&str, &str); 1] = [("trellis-sdk.js", include_str!("../../../../sdk/js/trellis-sdk.js"))];
/// The script that runs both tools.
const SCRIPT: (&str, &str) = ("build.mjs", include_str!("javascript/build.mjs"));
/// The packages that a project must name.
const TOOLS: [&str; 2] = ["@bytecodealliance/componentize-js", "esbuild"];
/// The oldest Node.js that componentize-js runs on.
const NODE_MAJOR_MIN: u64 = 20;
const EXTENSIONS: [&str; 4] = ["js", "mjs", "json", "ts"];
const INSTALL: &str =
    "install Node.js 20 or later with npm (Debian: apt-get install nodejs npm; others: https://nodejs.org)";

/// A JavaScript project that was checked.
struct Package {
    /// Its `package.json` and, where there is one, `package-lock.json`.
    text: String,
    lock: Option<String>,
    json: Map<String, Value>,
    /// The file that exports the interfaces.
    main: String,
}

/// The programs that a build starts.
struct Programs {
    node: PathBuf,
    npm: PathBuf,
    version: String,
}

/// Builds the component of `project`; returns it with what built it, in words.
pub(crate) fn build(project: &Project) -> Result<(Vec<u8>, String)> {
    let package = Package::read(project)?;
    let sources = Sources::read(&project.folder, &EXTENSIONS)?;
    if !sources.contains(&package.main) {
        return Err(Error::Missing {
            path: project.folder.join(&package.main),
            hint: "`main` in package.json names the file that exports the interfaces",
        });
    }
    let programs = Programs::find(on_path(&["node"]), on_path(&["npm"]))?;
    let key = package.tools_key(&programs.version);
    let settings = format!("{key} {}", package.main);
    let ingredients = Ingredients { sources: &sources, sdk: &SDK, settings: &settings };
    let component = project.component(&ingredients, |folder| {
        let tools = prepared(&project.tools_dir("js"), &key, |tools| package.install(&programs, tools))?;
        package.compile(&programs, &tools, folder, &project.manifest.id)
    })?;
    let version = |tool: &str| package.tool(tool).unwrap_or_default().to_owned();
    Ok((component, format!("componentize-js {} on Node.js {}", version(TOOLS[0]), programs.version)))
}

impl Package {
    fn read(project: &Project) -> Result<Self> {
        let path = project.folder.join("package.json");
        let wrong = |message: String| Error::Package { path: path.clone(), message };
        let text = required_text(&path, "a plugin written in JavaScript is an npm package")?;
        let json: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let string = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
        let required = |key: &str| string(key).ok_or_else(|| wrong(format!("`{key}` is missing")));
        project.manifest.require_equal("package.json", &required("name")?, &required("version")?)?;
        let main = string("main").unwrap_or_else(|| "plugin.js".to_owned());
        let main = main.trim_start_matches("./").to_owned();
        let lock = std::fs::read_to_string(project.folder.join("package-lock.json")).ok();
        let package = Self { text, lock, main, json };
        for tool in TOOLS {
            let version = package.tool(tool).unwrap_or_default();
            if semver_exact(version).is_none() {
                return Err(wrong(format!(
                    "`devDependencies` must name an exact version of `{tool}`, for example \"{tool}\": \"{}\"",
                    if tool == TOOLS[0] { "0.23.0" } else { "0.25.11" }
                )));
            }
        }
        Ok(package)
    }

    fn tool(&self, name: &str) -> Option<&str> {
        self.json.get("devDependencies")?.get(name)?.as_str()
    }

    /// Names what is installed: two plugins that want the same share it, whatever their own names.
    fn tools_key(&self, node: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for part in [SCRIPT.1, node] {
            hash_part(&mut hasher, part.as_bytes());
        }
        for key in ["dependencies", "devDependencies", "optionalDependencies", "overrides"] {
            let part = self.json.get(key).map(Value::to_string).unwrap_or_default();
            hash_part(&mut hasher, part.as_bytes());
        }
        hash_part(&mut hasher, self.locked_packages().as_bytes());
        hasher.finalize()
    }

    /// What the lock file says of every package but this one.
    fn locked_packages(&self) -> String {
        let lock =
            self.lock.as_deref().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
        let packages = lock.and_then(|mut lock| match lock.remove("packages") {
            Some(Value::Object(mut packages)) => {
                packages.remove("");
                Some(Value::Object(packages))
            }
            _ => None,
        });
        packages.map(|packages| packages.to_string()).unwrap_or_default()
    }

    /// Has npm install the packages. Their scripts do not run: none of the tools needs one.
    fn install(&self, programs: &Programs, tools: &Path) -> Result<()> {
        write(&tools.join("package.json"), self.text.as_bytes())?;
        write(&tools.join(SCRIPT.0), SCRIPT.1.as_bytes())?;
        let mut npm = Command::new(&programs.npm);
        if let Some(lock) = &self.lock {
            write(&tools.join("package-lock.json"), lock.as_bytes())?;
            npm.arg("ci");
        } else {
            npm.arg("install");
        }
        npm.args(["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(tools);
        run(&mut npm, "installing the packages", &self.main).map(drop)
    }

    fn compile(&self, programs: &Programs, tools: &Path, folder: &BuildFolder, id: &str) -> Result<()> {
        let temporary = folder.root.join("tmp");
        std::fs::create_dir_all(&temporary)
            .map_err(|source| Error::Write { path: temporary.clone(), source })?;
        let mut node = Command::new(&programs.node);
        node.arg(tools.join(SCRIPT.0))
            .arg(&self.main)
            .arg(&folder.component)
            .current_dir(&folder.root)
            .env("TMPDIR", &temporary)
            .env_remove("NODE_OPTIONS");
        run(&mut node, "building", id).map(drop)
    }
}

impl Programs {
    fn find(node: Option<PathBuf>, npm: Option<PathBuf>) -> Result<Self> {
        let missing = |lacks: String| Error::NoTool { language: "JavaScript", lacks, install: INSTALL };
        let node = node.ok_or_else(|| missing("there is no `node` on the search path".to_owned()))?;
        let npm = npm.ok_or_else(|| missing("there is no `npm` on the search path".to_owned()))?;
        let version = version_of(&node, &["--version"]).unwrap_or_default();
        let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
        if major.is_none_or(|major: u64| major < NODE_MAJOR_MIN) {
            return Err(missing(format!("{} is version `{version}`", node.display())));
        }
        Ok(Self { node, npm, version: version.trim_start_matches('v').to_owned() })
    }
}

/// An exact version, such as `1.2.3` or `1.2.3-beta.1`.
fn semver_exact(version: &str) -> Option<&str> {
    let numbers: Vec<_> = version.split(['-', '+']).next()?.split('.').collect();
    let all_numbers = numbers.iter().all(|number| number.parse::<u64>().is_ok());
    (numbers.len() == 3 && all_numbers).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_versions_are_exact() {
        assert_eq!(semver_exact("0.23.0"), Some("0.23.0"));
        assert!(semver_exact("1.2.3-beta.1").is_some());
        for loose in ["", "^0.23.0", "~1.2.3", "1.2", "latest", "1.x.0", "*"] {
            assert_eq!(semver_exact(loose), None, "{loose}");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_install() {
        let error = Programs::find(None, None).err().unwrap().to_string();
        assert!(error.contains("no `node`") && error.contains("apt-get install nodejs npm"), "{error}");
        let some = Some(PathBuf::from("/nowhere/node"));
        let error = Programs::find(some.clone(), None).err().unwrap().to_string();
        assert!(error.contains("no `npm`"), "{error}");
        let error = Programs::find(some.clone(), some).err().unwrap().to_string();
        assert!(error.contains("/nowhere/node is version ``"), "{error}");
    }
}
