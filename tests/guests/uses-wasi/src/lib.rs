//! A test guest that uses WASI, as a toolchain makes guests do that never asked for it, and tells what it found there.
//!
//! What it finds goes into its model as text. A host that gives it anything of the machine, or another time or other random numbers
//! in a second call, shows in that text.

use trellis_sdk::serde::Deserialize;
use trellis_sdk::{
    Assignments, Batch, Context, Model, Result, RowStream, Segmentation, SegmentationDescription, described,
    export_segmentation, localized,
};

mod bindings {
    trellis_sdk::wit_bindgen::generate!({
        world: "looks-around",
        path: "wit",
        generate_all,
        runtime_path: "trellis_sdk::wit_bindgen::rt",
    });
}

use bindings::wasi::{cli, clocks, filesystem, random};

#[derive(Deserialize)]
#[serde(crate = "trellis_sdk::serde", deny_unknown_fields)]
struct Config {
    #[serde(default = "look")]
    what: String,
}

fn look() -> String {
    "look".to_owned()
}

struct Wasi;

impl Segmentation for Wasi {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<SegmentationDescription>> {
        Ok(vec![
            described("view", "View", "所见")
                .value("same", "As before", "与之前相同")
                .value("other", "Other", "不同"),
        ])
    }

    fn fit(_: &mut RowStream<'_>, config: &Config, _: &Context) -> Result<Model> {
        match config.what.as_str() {
            "exit" => cli::exit::exit(Err(())),
            "much-random" => drop(random::random::get_random_bytes(1 << 40)),
            "hoard" => hoard(),
            _ => {}
        }
        let stdout = cli::stdout::get_stdout();
        let written = stdout.blocking_write_and_flush("first line\nsecond 行\nno end".as_bytes());
        let bytes = format!("{}; written {}", view(), written.is_ok()).into_bytes();
        Ok(Model { bytes, summary: localized("what there is", "所见内容"), metrics: Vec::new() })
    }

    fn assign(model: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let other = !model.starts_with(view().as_bytes());
        let mut assignments = Assignments::default();
        assignments.push("view", ["same", "other"], vec![u32::from(other); rows.rows()]);
        Ok(assignments)
    }
}

export_segmentation!(Wasi);

/// Everything that there is, in words.
fn view() -> String {
    let now = clocks::wall_clock::now();
    let began = clocks::monotonic_clock::now();
    clocks::monotonic_clock::subscribe_duration(3_600_000_000_000).block();
    let passed = clocks::monotonic_clock::now() - began;
    let random: String =
        random::random::get_random_bytes(8).iter().map(|byte| format!("{byte:02x}")).collect();
    let input = cli::stdin::get_stdin().blocking_read(10);
    format!(
        "at {}.{:09}; passed {passed}; random {random} {:x} {:x}; environment {:?} {:?} {:?}; folders {}; input {}",
        now.seconds,
        now.nanoseconds,
        random::random::get_random_u64(),
        random::insecure_seed::insecure_seed().0,
        cli::environment::get_environment(),
        cli::environment::get_arguments(),
        cli::environment::initial_cwd(),
        filesystem::preopens::get_directories().len(),
        input.is_ok(),
    )
}

/// Holds more streams than a guest may.
fn hoard() {
    let streams: Vec<_> = (0..10_000).map(|_| cli::stdout::get_stdout()).collect();
    drop(streams);
}
