//! What plugins need beside cargo: a Rust that compiles to WebAssembly.
//!
//! `trellis plugin build` finds it or says what to install; here it is installed where that needs no question.

use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::command::step;

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/// Makes sure that plugins can be built.
pub(crate) fn ensure() -> Result {
    if rustup_has_target() || debian_has_packages() {
        return Ok(());
    }
    let rustup = Command::new("rustup").args(["target", "add", TARGET]).output();
    if rustup.is_ok_and(|output| output.status.success()) && rustup_has_target() {
        return Ok(());
    }
    install_debian(&DEBIAN_PACKAGES)?;
    if debian_has_packages() {
        return Ok(());
    }
    Err(format!(
        "plugins need a Rust that compiles to WebAssembly. Install one of:\n  rustup target add {TARGET}\n  sudo apt-get install {}",
        DEBIAN_PACKAGES.join(" ")
    ))
}

/// Installs packages where that needs no question: on Debian, as root. Elsewhere it does nothing.
pub(crate) fn install_debian(packages: &[&str]) -> Result {
    if !Path::new("/usr/bin/apt-get").exists() || !is_root() {
        return Ok(());
    }
    step("apt-get update", Command::new("apt-get").args(["update", "-qq"]))?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    step("apt-get install", Command::new("apt-get").args(install).args(packages))
}

fn rustup_has_target() -> bool {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let Ok(output) = output else { return false };
    Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
}

fn debian_has_packages() -> bool {
    ["/usr/bin/cargo", "/usr/bin/rustc", "/usr/bin/wasm-ld-19"].iter().all(|path| Path::new(path).exists())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
