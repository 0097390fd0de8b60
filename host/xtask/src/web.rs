//! The workbench: built before the server that carries it, checked and driven by a browser in `test`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::command::{root, step, target_dir, trellis_binary};
use crate::toolchain::install_debian;

const INSTALL_NODE: &str =
    "the workbench needs Node.js 20 or later with npm: apt-get install nodejs npm, or https://nodejs.org";
/// Chromium, and a font with Chinese characters for its pictures.
const BROWSER_PACKAGES: [&str; 2] = ["chromium", "fonts-noto-cjk"];
const BROWSERS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// Builds the files that the server carries.
pub(crate) fn build() -> Result {
    install()?;
    step("workbench", &mut npm(&["run", "--silent", "build"]))
}

/// A lock file that names the packages of every platform, types that fit the API, lints, and tests without a browser.
pub(crate) fn check() -> Result {
    install()?;
    step(
        "workbench: lock file",
        &mut npm(&["ci", "--dry-run", "--no-audit", "--no-fund", "--loglevel=error"]),
    )?;
    step("workbench: types of the API", &mut npm(&["run", "--silent", "types:check"]))?;
    step("workbench: lint", &mut npm(&["run", "--silent", "lint"]))?;
    step("workbench: tests", &mut npm(&["test", "--silent"]))
}

/// Uses the built server through a browser.
pub(crate) fn browse() -> Result {
    step("workbench: browser tests", &mut browsing("e2e")?)
}

/// Prints how fast the workbench feels, by the browser's own clocks.
pub(crate) fn bench() -> Result {
    step("workbench: figures", &mut browsing("bench")?)
}

/// A script of the workbench that needs a browser and the built server.
fn browsing(script: &str) -> Result<Command> {
    install()?;
    let browser = browser()?;
    let mut command = npm(&["run", "--silent", script]);
    command
        .env("TRELLIS_CHROMIUM", browser)
        .env("TRELLIS_TEST_BINARY", trellis_binary())
        .env("TRELLIS_TEST_PLUGINS", target_dir().join("plugins"))
        .env("TRELLIS_SCREENSHOTS", target_dir().join("screenshots"));
    Ok(command)
}

/// Installs what the lock file names, unless that is done.
fn install() -> Result {
    if !starts("node") || !starts("npm") {
        return Err(INSTALL_NODE.to_owned());
    }
    let done = folder().join("node_modules/.package-lock.json");
    let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    if changed(&done).is_some_and(|at| Some(at) >= changed(&folder().join("package-lock.json"))) {
        return Ok(());
    }
    step("workbench: packages", &mut npm(&["ci", "--no-audit", "--no-fund", "--loglevel=error"]))
}

fn browser() -> Result<PathBuf> {
    let find = || {
        let named = std::env::var_os("TRELLIS_CHROMIUM").map(PathBuf::from);
        named.or_else(|| BROWSERS.iter().map(PathBuf::from).find(|path| path.exists()))
    };
    if find().is_none() {
        install_debian(&BROWSER_PACKAGES)?;
    }
    find().ok_or_else(|| {
        "browser tests need Chromium: sudo apt-get install chromium, or name it in TRELLIS_CHROMIUM"
            .to_owned()
    })
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder());
    command
}

fn starts(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn folder() -> PathBuf {
    root().join("host/web")
}
