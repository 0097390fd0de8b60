//! Public tools, in a virtual environment of Python that the benchmark makes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

const SCRIPT: &str = include_str!("packs.py");
/// What the figures are compared with.
const PACKAGES: [&str; 5] =
    ["numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1", "mlxtend==0.25.0", "Lifetimes==0.11.3"];
const IMPORTS: &str = "import numpy, pandas, sklearn, mlxtend, lifetimes";

/// An interpreter that has the tools.
pub(crate) struct Python {
    interpreter: PathBuf,
    script: PathBuf,
    data: PathBuf,
}

/// What a tool took, in seconds, and what it found.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    pub wall: f64,
    pub cpu: f64,
    pub figures: BTreeMap<String, f64>,
}

impl Python {
    /// The environment of the folder `TRELLIS_BENCH_PYTHON` (by default `target/bench-python`), made with `python3` where there is none; `data` is
    /// where measures find what the benchmark wrote. `None`, with a word about what to install, where it cannot be had: figures of the host are
    /// printed without it.
    pub(crate) fn prepare(data: &Path) -> Option<Self> {
        let set = std::env::var_os("TRELLIS_BENCH_PYTHON");
        if set.as_ref().is_some_and(|set| set.is_empty()) {
            println!("  no comparison with public tools: TRELLIS_BENCH_PYTHON is empty");
            return None;
        }
        let folder = set.map_or_else(|| PathBuf::from("target/bench-python"), PathBuf::from);
        let interpreter = folder.join("bin/python");
        if let Err(problem) = ensure(&folder, &interpreter) {
            println!("  no comparison with public tools: {problem}");
            println!(
                "  install Python 3.12 or later with venv and pip, with a network, and these packages: {}",
                PACKAGES.join(" ")
            );
            return None;
        }
        let script = data.join("packs.py");
        std::fs::write(&script, SCRIPT).expect("a script");
        Some(Self { interpreter, script, data: data.to_owned() })
    }

    /// Runs a measure of the script.
    ///
    /// # Panics
    /// Where it fails: then the comparison is wrong, not the machine.
    pub(crate) fn ask(&self, measure: &str, source: Option<&Path>) -> Told {
        let mut command = Command::new(&self.interpreter);
        command.arg(&self.script).arg(&self.data).arg(measure).args(source);
        let output = command.output().expect("an interpreter that starts");
        let (told, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{measure}: {errors}");
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{measure}: {error} in `{told}`"))
    }
}

fn ensure(folder: &Path, interpreter: &Path) -> Result<(), String> {
    if run(Command::new(interpreter).args(["-c", IMPORTS])).is_ok() {
        return Ok(());
    }
    println!("  making an environment for {} in {}", PACKAGES.join(" "), folder.display());
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    run(Command::new(interpreter)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(PACKAGES))?;
    run(Command::new(interpreter).args(["-c", IMPORTS]))
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("`{program}` does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{program}` failed: {}", errors.lines().last().unwrap_or("without a word")))
}
