//! Prints what the host reaches on this machine. It judges nothing: figures are compared with the aims by people.
//!
//! `cargo xtask bench [audience] [calls] [commits] [decisions] [http] [isolation] [learning] [packs] [records] [rfm] [run] [scoring] [startup]`
//! builds it in release mode and runs all parts or those named.

mod audience;
mod calls;
mod commits;
mod company;
mod day;
mod decisions;
mod figures;
mod http;
mod isolation;
mod memory;
mod packs;
mod population;
mod records;
mod rfm;
mod scoring;
mod setup;
mod startup;

use std::collections::BTreeSet;

type Part = (&'static str, fn());

const PARTS: [Part; 13] = [
    ("audience", audience::measure),
    ("calls", calls::measure),
    ("commits", commits::measure),
    ("decisions", decisions::measure),
    ("http", http::measure),
    ("isolation", isolation::measure),
    ("learning", packs::million::measure),
    ("packs", packs::measure),
    ("records", records::measure),
    ("rfm", rfm::end_to_end),
    ("run", rfm::warm_run),
    ("scoring", scoring::measure),
    ("startup", startup::measure),
];

fn main() {
    let wanted: BTreeSet<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted.iter().find(|name| !PARTS.iter().any(|(part, _)| part == name)) {
        let known: Vec<&str> = PARTS.iter().map(|(part, _)| *part).collect();
        eprintln!("unknown part `{unknown}`; known are {}", known.join(", "));
        std::process::exit(2);
    }
    println!(
        "{} cores; each figure names what it is a minimum or median of",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.contains(name) {
            println!("\n{name}");
            measure();
        }
    }
}
