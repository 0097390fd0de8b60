//! `wit-check check FOLDER [COMPONENT...]` and `wit-check freeze FOLDER VERSION`; `cargo xtask wit` runs it.

#![expect(clippy::print_stderr, reason = "a command tells its result")]

use std::path::Path;
use std::process::ExitCode;

use trellis_wit_check::{check, check_plugins, freeze};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["check", wit, components @ ..] => everything(Path::new(wit), components),
        ["freeze", wit, version] => released(Path::new(wit), version),
        _ => Err("usage: wit-check check FOLDER [COMPONENT...] | wit-check freeze FOLDER VERSION".to_owned()),
    };
    match result {
        Ok(told) => {
            eprintln!("{told}");
            ExitCode::SUCCESS
        }
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::FAILURE
        }
    }
}

fn everything(wit: &Path, components: &[&str]) -> Result<String, String> {
    let mut problems = check(wit).map_err(|error| error.to_string())?;
    for component in components {
        let found = check_plugins(wit, Path::new(component)).map_err(|error| error.to_string())?;
        problems.extend(found.map(|problem| format!("{component}: {problem}")));
    }
    if problems.is_empty() {
        return Ok(format!("{} is compatible, and {} components fit", wit.display(), components.len()));
    }
    Err(problems.join("\n"))
}

fn released(wit: &Path, version: &str) -> Result<String, String> {
    let version = version.parse().map_err(|error| format!("`{version}` is no version: {error}"))?;
    let folder = freeze(wit, &version).map_err(|error| error.to_string())?;
    Ok(format!("released {}", folder.display()))
}
