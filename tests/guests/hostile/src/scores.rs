//! Scores that break what the interface says about them.

use trellis_sdk::bindings::scoring::exports::trellis::plugin::scoring::{
    Guest, RowStream, ScoreColumn, Scores,
};
use trellis_sdk::bindings::shared::trellis::plugin::columns::Batch;
use trellis_sdk::{
    Context, LocalizedText, Model, Reason, Result, RowError, ScoreDescription, localized, scored,
};

use crate::{Hostile, count_rows, model, resources, sin_of_config, sin_of_model, why};

pub(crate) const SINS: [&str; 17] = [
    "score-describe-bands",
    "score-describe-range",
    "score-describe-bad-name",
    "score-nan",
    "score-infinite",
    "score-out-of-range",
    "score-wrong-lengths",
    "score-missing-column",
    "score-wrong-name",
    "score-bad-failed-row",
    "score-short-validity",
    "score-loop",
    "score-null-nan",
    "score-nan-weight",
    "score-missing-reasons",
    "score-huge-rules",
    "score-invalid-utf8",
];

impl Guest for Hostile {
    fn describe(config: String) -> Result<Vec<ScoreDescription>> {
        let sin = sin_of_config(&config)?;
        let mut points = scored("points", "Points", "分数")
            .range(0.0, 100.0)
            .band("low", 0.0, "Low", "低")
            .band("high", 5.0, "High", "高");
        match sin.as_str() {
            "score-describe-bands" => points = points.band("top", 5.0, "Top", "顶"),
            "score-describe-range" => points.minimum = Some(101.0),
            "score-describe-bad-name" => points.name = "Not a name!".to_owned(),
            _ => {}
        }
        Ok(vec![points])
    }

    fn fit(rows: &RowStream, config: String, _: Context) -> Result<Model> {
        let sin = sin_of_config(&config)?;
        Ok(model(sin, count_rows(rows)))
    }

    fn score(model: Vec<u8>, rows: Batch, _: Context) -> Result<Scores> {
        let sin = sin_of_model(&model)?;
        crate::poisoned_by(&sin, &rows.ordinals);
        Ok(scores(&sin, &rows))
    }

    fn explain(model: Vec<u8>, rows: Batch, _: Context) -> Result<Vec<Vec<Reason>>> {
        let (weight, missing) = match sin_of_model(&model)?.as_str() {
            "score-nan-weight" => (f64::NAN, 0),
            "score-missing-reasons" => (1.0, 1),
            _ => (1.0, 0),
        };
        Ok(vec![vec![why(weight)]; (rows.rows as usize).saturating_sub(missing)])
    }

    fn rules(model: Vec<u8>) -> Result<LocalizedText> {
        let sin = sin_of_model(&model)?;
        let lines = if sin == "score-huge-rules" { 10_000 } else { 1 };
        Ok(localized("points are the last digit\n".repeat(lines), "分数为末位数字\n".repeat(lines)))
    }
}

/// The well-behaved scores are the last digits of the ordinals.
fn scores(sin: &str, rows: &Batch) -> Scores {
    let values = rows.ordinals.iter().map(|ordinal| (ordinal % 10) as f64).collect();
    let mut column = ScoreColumn { name: "points".to_owned(), valid: Vec::new(), values };
    let mut failed = Vec::new();
    let last = column.values.len().saturating_sub(1);
    let mut set_last = |value| column.values.iter_mut().skip(last).for_each(|last| *last = value);
    match sin {
        "score-nan" => set_last(f64::NAN),
        "score-infinite" => set_last(f64::NEG_INFINITY),
        "score-out-of-range" => set_last(100.5),
        // No row has a value, so what stands there means nothing.
        "score-null-nan" => {
            set_last(f64::NAN);
            column.valid = vec![0; rows.ordinals.len().div_ceil(8)];
        }
        "score-wrong-lengths" => column.values.push(1.0),
        "score-wrong-name" => column.name = "marks".to_owned(),
        "score-short-validity" => column.valid = vec![0xff; rows.ordinals.len().div_ceil(8) + 1],
        "score-bad-failed-row" => {
            let message = localized("no such row", "没有这一行");
            failed.push(RowError { row: rows.rows, code: "no-such-row".to_owned(), message });
        }
        "score-invalid-utf8" => column.name = crate::no_text(),
        "score-loop" => resources::endless_loop(),
        _ => {}
    }
    let columns = if sin == "score-missing-column" { Vec::new() } else { vec![column] };
    Scores { columns, failed }
}
