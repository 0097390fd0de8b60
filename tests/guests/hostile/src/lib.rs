//! A test guest that misbehaves on request, in every interface that there is.
//!
//! Its configuration `{"sin": "…"}` names one of [`SINS`]; the model that `fit` returns carries the name on to the calls on batches.
//! It is written on the raw bindings, since the SDK's types do not let a plugin return most of what is wrong here.

mod answers;
mod campaign;
mod hook;
mod reports;
mod resources;
mod scores;
mod workflow;

use serde::Deserialize;
use trellis_sdk::bindings::segmentation as bindings;
use trellis_sdk::parse_config;
use trellis_sdk::{
    Context, Model, PluginError, Reason, Result, SegmentationDescription, described, localized, metric,
    reason,
};

use bindings::exports::trellis::plugin::segmentation::{Assignments, Guest, RowStream};
use bindings::trellis::plugin::columns::Batch;

/// What the guest can do wrong, by the call that does it.
pub const SINS: [(&str, &[&str]); 17] = [
    (
        "segmentation.describe",
        &[
            "describe-loop",
            "describe-trap",
            "describe-error",
            "describe-many-values",
            "describe-bad-name",
            "describe-long-text",
            "describe-escapes",
        ],
    ),
    (
        "segmentation.fit",
        &[
            "fit-loop",
            "fit-memory",
            "fit-trap",
            "fit-error",
            "big-model",
            "fit-rewind",
            "fit-rewind-only",
            "fit-open-many",
            "fit-open-only",
            "fit-bad-metric",
            "fit-many-metrics",
        ],
    ),
    ("segmentation.assign or explain", &["loop", "memory", "trap", "stack", "log-flood"]),
    (
        "segmentation.assign",
        &[
            "huge-output",
            "wrong-lengths",
            "bad-codes",
            "bad-offsets",
            "bad-failed-row",
            "short-validity",
            "invalid-utf8",
            "unknown-value",
            "wrong-name",
            "wrong-type",
            "no-columns",
            "escapes",
            "failed-twice",
            "failed-bad-code",
            "error-escapes",
            "error-invalid-config",
            "error-unsuitable-data",
            "error-unreadable-model",
            "error-denied",
            "error-transient",
            "error-other",
        ],
    ),
    ("segmentation.explain", &["many-reasons", "nan-weight", "missing-reasons", "bad-reason-code"]),
    ("scoring", &scores::SINS),
    ("campaign-rules on a batch", &campaign::SINS),
    ("campaign-rules.evaluate", &["evaluate-nan", "evaluate-loop"]),
    ("service-workflow.triage", &workflow::TRIAGE_SINS),
    ("service-workflow.triage, by look-ups", &workflow::LOOKUP_SINS),
    ("service-workflow", &workflow::OTHER_SINS),
    ("record-hook.before-save", &hook::SINS),
    ("analysis.describe", &reports::DESCRIBE_SINS),
    ("analysis.analyse", &reports::ANSWER_SINS),
    ("model-report.describe-model", &reports::SHOWN_SINS),
    ("every call on a batch, where it holds an ordinal that ends in 07", &[POISON_ROW]),
    ("record-hook.before-save, where a company is called `poison`", &[hook::POISON_CHANGE]),
];

/// What clears a terminal, changes its title, turns what follows round and begins a new line.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;root\u{7}\u{202e}\nall is well";
/// Everything goes well but for one row in a hundred.
const POISON_ROW: &str = "poison-row";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "none")]
    sin: String,
}

/// The well-behaved default: `lot` is `even` or `odd` by the ordinal.
fn none() -> String {
    "none".to_owned()
}

struct Hostile;

impl Guest for Hostile {
    fn describe(config: String) -> Result<Vec<SegmentationDescription>> {
        let sin = sin_of_config(&config)?;
        let mut lot = described("lot", "Lot", "批次").value("even", "Even", "双").value("odd", "Odd", "单");
        match sin.as_str() {
            "describe-loop" => resources::endless_loop(),
            "describe-trap" => trap(),
            "describe-error" => {
                return Err(PluginError::InvalidConfig("`sin` is not to be described".into()));
            }
            "describe-many-values" => {
                for number in 0..1_000 {
                    lot = lot.value(&format!("v{number}"), "One more", "又一个");
                }
            }
            "describe-long-text" => lot.description = localized("long ".repeat(1 << 19), "长"),
            "describe-escapes" => lot.label = localized(ESCAPES, ESCAPES),
            "describe-bad-name" => lot.name = "Not a name!".to_owned(),
            _ => {}
        }
        Ok(vec![lot])
    }

    fn fit(rows: &RowStream, config: String, _: Context) -> Result<Model> {
        let sin = sin_of_config(&config)?;
        match sin.as_str() {
            "fit-loop" => resources::endless_loop(),
            "fit-memory" => resources::grow_memory(),
            "fit-trap" => trap(),
            "fit-rewind" => loop {
                rows.next();
                rows.rewind();
            },
            "fit-rewind-only" => loop {
                rows.rewind();
            },
            "fit-open-many" => {
                let open = std::iter::from_fn(|| rows.dataset("customers"));
                trellis_sdk::log::info(format!("{} datasets are open", open.collect::<Vec<_>>().len()));
            }
            "fit-open-only" => loop {
                rows.dataset("customers");
            },
            "fit-error" => return Err(PluginError::UnsuitableData("no data is good enough".into())),
            _ => {}
        }
        let count = count_rows(rows);
        trellis_sdk::log::info(format!("fitted on {count} rows"));
        Ok(model(sin, count))
    }

    fn assign(model: Vec<u8>, rows: Batch, _: Context) -> Result<Assignments> {
        let sin = sin_of_model(&model)?;
        commit(&sin);
        poisoned_by(&sin, &rows.ordinals);
        if let Some(error) = answers::error(&sin) {
            return Err(error);
        }
        Ok(answers::assignments(&sin, &rows))
    }

    fn explain(model: Vec<u8>, rows: Batch, _: Context) -> Result<Vec<Vec<Reason>>> {
        let sin = sin_of_model(&model)?;
        commit(&sin);
        poisoned_by(&sin, &rows.ordinals);
        let (count, weight) = match sin.as_str() {
            "many-reasons" => (6, 1.0),
            "nan-weight" => (1, f64::NAN),
            "bad-reason-code" => return Ok(vec![vec![coded(ESCAPES)]; rows.rows as usize]),
            _ => (1, 1.0),
        };
        let explained = rows.rows as usize - usize::from(sin == "missing-reasons").min(rows.rows as usize);
        Ok(vec![vec![why(weight); count]; explained])
    }
}

trellis_sdk::export_segmentation_guest!(Hostile);
trellis_sdk::export_scoring_guest!(Hostile);
trellis_sdk::export_campaign_rules_guest!(Hostile);
trellis_sdk::export_service_workflow_guest!(Hostile);
trellis_sdk::export_record_hook_guest!(Hostile);
trellis_sdk::export_model_report_guest!(Hostile);
trellis_sdk::export_analysis_guest!(Hostile);

fn sin_of_config(config: &str) -> Result<String> {
    let Config { sin } = parse_config(config)?;
    let known = sin == "none" || SINS.iter().any(|(_, sins)| sins.contains(&sin.as_str()));
    if known {
        Ok(sin)
    } else {
        Err(PluginError::InvalidConfig(format!("`sin`: there is no `{sin}`").into()))
    }
}

fn sin_of_model(model: &[u8]) -> Result<String> {
    let text =
        std::str::from_utf8(model).map_err(|error| PluginError::UnreadableModel(error.to_string().into()))?;
    Ok(text.trim_end().to_owned())
}

fn count_rows(rows: &RowStream) -> u32 {
    let mut count = 0;
    while let Some(batch) = rows.next() {
        count += batch.rows;
    }
    count
}

/// A model that carries the name of the sin.
fn model(sin: String, rows: u32) -> Model {
    let mut bytes = sin.into_bytes();
    if bytes == b"big-model" {
        bytes.resize(17 << 20, b' ');
    }
    let figure = |name: &str| metric(name, localized("A figure", "数值"), 1.0);
    let metrics = match bytes.as_slice() {
        b"fit-bad-metric" => vec![figure("Not a name!")],
        b"fit-many-metrics" => (0..101).map(|number| figure(&format!("m{number}"))).collect(),
        _ => Vec::new(),
    };
    Model { bytes, summary: localized(format!("{rows} rows"), format!("{rows} 行")), metrics }
}

fn why(weight: f64) -> Reason {
    Reason { weight, ..coded("ordinal") }
}

fn coded(code: &str) -> Reason {
    reason(code, localized("its ordinal says so", "由其序号决定"), 1.0)
}

/// The sins that need no answer to be committed.
fn commit(sin: &str) {
    match sin {
        "loop" => resources::endless_loop(),
        "memory" => resources::grow_memory(),
        "trap" => trap(),
        "stack" => resources::use_up_stack(),
        "log-flood" => resources::flood_log(),
        _ => {}
    }
}

/// Traps where a batch holds a row that it cannot take.
fn poisoned_by(sin: &str, ordinals: &[u64]) {
    if sin == POISON_ROW && ordinals.iter().any(|ordinal| ordinal % 100 == 7) {
        trap();
    }
}

fn trap() -> ! {
    trellis_sdk::log::report_panics();
    panic!("this guest was told to trap")
}

/// A text that is none: the host has to notice when it takes it over.
#[expect(unsafe_code, reason = "only invalid texts show what the host does with them")]
fn no_text() -> String {
    // SAFETY: nothing but its bytes is used before it crosses to the host.
    unsafe { String::from_utf8_unchecked(b"\xff\xfe\xfd".to_vec()) }
}
