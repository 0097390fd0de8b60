//! Compiles the program again when the files of the workbench are others, or come to be there.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=web/dist");
}
