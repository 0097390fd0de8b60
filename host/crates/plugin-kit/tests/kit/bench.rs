//! Figures, and what a check says of built plugins.

use trellis_plugin_host::Limits;
use trellis_plugin_kit::bench::{Options, Pair, run};
use trellis_plugin_kit::check::warnings;
use trellis_plugin_kit::golden::Cases;

use crate::laws::types;
use crate::support::{built, host, plugin};

#[test]
fn every_function_is_measured_and_fuel_is_the_same_each_time() {
    let (timed, limits) = (plugin("every-interface"), Limits::default());
    let metered = host().load_metered(&built("every-interface")).unwrap();
    let pair = Pair { timed: &timed, metered: &metered };
    let figures = || run(pair, &limits, &Cases::default(), &types(), &Options { rows: 300, seed: 1 });
    let first: Vec<_> = figures().into_iter().map(|figure| figure.unwrap()).collect();
    assert_eq!(first.len(), 22, "one for each function");
    let score = first.iter().find(|figure| figure.function.to_string() == "scoring.score").unwrap();
    assert!(score.fuel_per_row() > 1.0 && score.memory_bytes > 0, "{score:?}");
    assert_eq!((score.rows, score.time_max), (300, limits.batch.time_max(300)));
    let fuel = |figures: &[trellis_plugin_kit::bench::Figure]| {
        figures.iter().map(|figure| (figure.function.to_string(), figure.fuel)).collect::<Vec<_>>()
    };
    let second: Vec<_> = figures().into_iter().map(|figure| figure.unwrap()).collect();
    assert_eq!(fuel(&first), fuel(&second));
}

#[test]
fn first_party_plugins_have_nothing_to_be_warned_of_but_their_cases() {
    for name in ["b2b-gate", "complaint-desk", "retail-rfm", "value-pyramid", "win-back"] {
        let plugin = plugin(name);
        let warnings = warnings(&plugin, &Cases::default());
        let warnings: Vec<_> = warnings.iter().map(|text| text.en.as_str()).collect();
        assert_eq!(warnings, ["it carries no golden cases (tests/golden/*.json)"], "{name}");
    }
}
