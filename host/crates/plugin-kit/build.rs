//! Gathers the files of the Rust SDK, so that the binary carries them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let crate_dir = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = crate_dir.ancestors().nth(3).expect("the crate lies three below the root").to_owned();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut files = vec![root.join("sdk/rust/README.md")];
    gather(&root.join("sdk/rust/src"), "rs", &mut files);
    gather(&root.join("wit"), "wit", &mut files);
    files.retain(|file| !file.starts_with(root.join("wit/released")));
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root).expect("it was found below the root").display();
        writeln!(table, "    ({:?}, include_str!({:?})),", name.to_string(), file.display().to_string())
            .expect("a string takes anything");
    }
    table.push(']');
    fs::write(out.join("sdk_files.rs"), table).expect("cargo's folder can be written");
    let lock = root.join("Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let lock = fs::read_to_string(&lock).expect("the workspace has a lock file");
    fs::write(out.join("sdk.lock"), pruned(&lock)).expect("cargo's folder can be written");
}

/// Adds the files of a folder and those below it.
fn gather(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).expect("the folder is part of the source").flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}

/// The packages of a lock file that the SDK needs, with the versions that it was tested with.
fn pruned(lock: &str) -> String {
    let packages: Vec<&str> = lock.split("\n[[package]]\n").skip(1).collect();
    let quoted = |package: &str, key: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
        line.and_then(|rest| rest.strip_suffix('"')).map(str::to_owned)
    };
    let mut wanted: Vec<String> = vec!["trellis-sdk".to_owned()];
    let mut kept = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        // `name`, or `name version` where there are several.
        let (name, version) = name.split_once(' ').map_or((name.as_str(), None), |(n, v)| (n, Some(v)));
        for (place, package) in packages.iter().enumerate() {
            let found = quoted(package, "name").as_deref() == Some(name)
                && version.is_none_or(|version| quoted(package, "version").as_deref() == Some(version));
            if found && kept.insert(place) {
                let dependencies = package.split_once("dependencies = [\n").map_or("", |(_, rest)| rest);
                let names = dependencies.lines().take_while(|line| *line != "]");
                wanted.extend(names.map(|line| line.trim().trim_matches([',', '"']).to_owned()));
            }
        }
    }
    let kept = kept.into_iter().filter_map(|place| packages.get(place));
    let mut text = String::from("version = 4\n");
    for package in kept {
        write!(text, "\n[[package]]\n{}\n", package.trim_end()).expect("a string takes anything");
    }
    text
}
