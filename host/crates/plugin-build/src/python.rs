//! Plugins in Python: made a component by componentize-py in the exact version that the project's `pyproject.toml` names, installed by pip
//! into a virtual environment in the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::manifest::required_text;
use crate::scripted::{BuildFolder, Ingredients, Project};
use crate::staging::{Sources, hash_part};
use crate::toolchain::run;
use crate::tools::{on_path, prepared, version_of};

/// What the SDK's section says of such a plugin.
pub(crate) const STAMP: &str = "trellis-sdk-python 0.1.0";
const SDK: [(&str, &str); 1] = [("trellis_sdk.py", include_str!("../../../../sdk/python/trellis_sdk.py"))];
const TOOL: &str = "componentize-py";
/// The oldest Python that componentize-py installs on.
const PYTHON_MIN: (u64, u64) = (3, 10);
const EXTENSIONS: [&str; 3] = ["py", "json", "pyi"];
const INSTALL: &str = "install Python 3.10 or later with pip and venv (Debian: apt-get install python3 python3-pip python3-venv; others: https://www.python.org)";
/// Variables that would have a build find other modules or other tools.
const CLEARED: [&str; 4] = ["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV"];

#[derive(Deserialize)]
struct PyProject {
    project: ProjectTable,
    #[serde(default, rename = "dependency-groups")]
    groups: Groups,
    #[serde(default)]
    tool: ToolTable,
}

#[derive(Deserialize)]
struct ProjectTable {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Groups {
    #[serde(default)]
    build: Vec<String>,
}

#[derive(Default, Deserialize)]
struct ToolTable {
    #[serde(default)]
    trellis: TrellisTable,
}

#[derive(Deserialize)]
struct TrellisTable {
    module: String,
}

impl Default for TrellisTable {
    fn default() -> Self {
        Self { module: "app".to_owned() }
    }
}

/// A Python project that was checked.
struct Package {
    /// What pip installs, each with an exact version.
    requirements: Vec<String>,
    /// The module that holds the classes of the interfaces.
    module: String,
}

/// The interpreter that a build starts.
struct Interpreter {
    program: PathBuf,
    version: String,
}

/// Builds the component of `project`; returns it with what built it, in words.
pub(crate) fn build(project: &Project) -> Result<(Vec<u8>, String)> {
    let package = Package::read(project)?;
    let sources = Sources::read(&project.folder, &EXTENSIONS)?;
    let main = format!("{}.py", package.module.replace('.', "/"));
    if !sources.contains(&main) {
        return Err(Error::Missing {
            path: project.folder.join(main),
            hint: "`module` in [tool.trellis] of pyproject.toml names the module with the interfaces",
        });
    }
    let python = Interpreter::find(on_path(&["python3", "python"]))?;
    let key = package.tools_key(&python);
    let settings = format!("{key} {}", package.module);
    let ingredients = Ingredients { sources: &sources, sdk: &SDK, settings: &settings };
    let component = project.component(&ingredients, |folder| {
        let tools = prepared(&project.tools_dir("python"), &key, |tools| package.install(&python, tools))?;
        package.compile(&tools, folder, &project.manifest.id)
    })?;
    let tool = package.requirements.iter().find(|requirement| requirement.starts_with(TOOL));
    let tool = tool.map(|tool| tool.replace("==", " ")).unwrap_or_default();
    Ok((component, format!("{tool} on {}", python.version)))
}

impl Package {
    fn read(project: &Project) -> Result<Self> {
        let path = project.folder.join("pyproject.toml");
        let wrong = |message: String| Error::Package { path: path.clone(), message };
        let text = required_text(&path, "it names the plugin and the version of componentize-py")?;
        let read: PyProject = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        project.manifest.require_equal("pyproject.toml", &read.project.name, &read.project.version)?;
        let requirements: Vec<_> = read.groups.build.into_iter().chain(read.project.dependencies).collect();
        if let Some(loose) = requirements.iter().find(|requirement| !is_exact(requirement)) {
            return Err(wrong(format!("`{loose}` is no exact version: write `name==1.2.3`")));
        }
        if !requirements.iter().any(|requirement| requirement.starts_with("componentize-py==")) {
            return Err(wrong(format!(
                "`build` in [dependency-groups] must name {TOOL}, for example build = [\"{TOOL}==0.25.1\"]"
            )));
        }
        Ok(Self { requirements, module: read.tool.trellis.module })
    }

    fn tools_key(&self, python: &Interpreter) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hash_part(&mut hasher, python.program.to_string_lossy().as_bytes());
        hash_part(&mut hasher, python.version.as_bytes());
        for requirement in &self.requirements {
            hash_part(&mut hasher, requirement.as_bytes());
        }
        hasher.finalize()
    }

    /// Makes a virtual environment. Only wheels are installed: nothing of a package runs before it is part of the plugin.
    fn install(&self, python: &Interpreter, tools: &Path) -> Result<()> {
        let mut venv = Command::new(&python.program);
        venv.args(["-m", "venv"]).arg(tools.join("venv"));
        run(cleared(&mut venv), "making a virtual environment", &self.module)?;
        let mut pip = Command::new(tools.join("venv/bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"])
            .args(&self.requirements);
        run(cleared(&mut pip), "installing the packages", &self.module).map(drop)
    }

    fn compile(&self, tools: &Path, folder: &BuildFolder, id: &str) -> Result<()> {
        let mut tool = Command::new(tools.join("venv/bin").join(TOOL));
        tool.arg("--quiet")
            .args(["--wit-path", "wit", "--world", "plugin"])
            .args([
                "componentize",
                "--stub-wasi",
                "--python-path",
                "source",
                "--python-path",
                "sdk",
                "--output",
            ])
            .arg(&folder.component)
            .arg(&self.module)
            .current_dir(&folder.root);
        cleared(&mut tool).env("VIRTUAL_ENV", tools.join("venv")).env("PYTHONHASHSEED", "0");
        run(&mut tool, "building", id).map(drop)
    }
}

impl Interpreter {
    fn find(program: Option<PathBuf>) -> Result<Self> {
        let missing = |lacks: String| Error::NoTool { language: "Python", lacks, install: INSTALL };
        let program =
            program.ok_or_else(|| missing("there is no `python3` on the search path".to_owned()))?;
        let version = version_of(&program, &["--version"]).unwrap_or_default();
        let number = |part: usize| {
            let text = version.trim_start_matches("Python ").split('.').nth(part)?;
            text.parse::<u64>().ok()
        };
        if number(0).zip(number(1)).is_none_or(|found| found < PYTHON_MIN) {
            return Err(missing(format!("{} is version `{version}`", program.display())));
        }
        let modules = ["-c", "import ensurepip, venv"];
        if version_of(&program, &modules).is_none() {
            return Err(missing(format!("{} has no module `venv` or `ensurepip`", program.display())));
        }
        Ok(Self { program, version })
    }
}

fn cleared(command: &mut Command) -> &mut Command {
    CLEARED.iter().fold(command, |command, variable| command.env_remove(variable))
}

/// Whether a requirement allows a single version and is nothing that pip would take for an option or an address.
fn is_exact(requirement: &str) -> bool {
    let plain = |text: &str, others: &str| {
        !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || others.contains(char))
    };
    requirement
        .split_once("==")
        .is_some_and(|(name, version)| !name.starts_with('-') && plain(name, "-_.") && plain(version, ".+!"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_requirements_are_exact() {
        assert!(is_exact("componentize-py==0.25.1") && is_exact("left_pad==1.0.0rc1"));
        for loose in
            ["a", "a>=1", "a==1.*", "a==1,<2", "--index-url==x", "a @ https://b", "a==1; python_version>'3'"]
        {
            assert!(!is_exact(loose), "{loose}");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_install() {
        let error = Interpreter::find(None).err().unwrap().to_string();
        assert!(error.contains("no `python3`") && error.contains("python3-venv"), "{error}");
        let error = Interpreter::find(Some("/nowhere/python3".into())).err().unwrap().to_string();
        assert!(error.contains("/nowhere/python3 is version ``"), "{error}");
    }
}
