//! Whether this machine has the tools of a plugin's language. `trellis plugin build` would say what is missing; here it decides whether to try.

use std::path::Path;
use std::process::Command;

use crate::Result;

/// The tools of a language: the file by which its plugins are known, what to start, and what to install.
struct Tools {
    mark: &'static str,
    programs: &'static [(&'static str, &'static [&'static str])],
    install: &'static str,
}

const LANGUAGES: [Tools; 2] = [
    Tools {
        mark: "package.json",
        programs: &[("node", &["--version"]), ("npm", &["--version"])],
        install: "plugins in JavaScript need Node.js 20 or later with npm: apt-get install nodejs npm, or https://nodejs.org",
    },
    Tools {
        mark: "pyproject.toml",
        programs: &[("python3", &["-c", "import ensurepip, venv"])],
        install: "plugins in Python need Python 3.10 or later with pip and venv: apt-get install python3 python3-pip python3-venv",
    },
];

/// Says what is missing to build the plugin in `folder`, if anything is.
pub(crate) fn ready(folder: &Path) -> Result {
    for language in LANGUAGES.iter().filter(|language| folder.join(language.mark).is_file()) {
        let starts = |(program, arguments): &(&str, &[&str])| {
            Command::new(program).args(*arguments).output().is_ok_and(|output| output.status.success())
        };
        if !language.programs.iter().all(starts) {
            return Err(language.install.to_owned());
        }
    }
    Ok(())
}
