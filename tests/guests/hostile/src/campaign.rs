//! Answers about campaigns that break what the interface says about them.

use trellis_sdk::bindings::campaign_rules::exports::trellis::plugin::campaign_rules::{
    Eligibilities, Guest, RowStream, Variants,
};
use trellis_sdk::bindings::shared::trellis::plugin::columns::{
    Batch, Column, ColumnData, DictionaryColumn, TextColumn,
};
use trellis_sdk::{
    Action, Context, ObjectRecord, Reason, Report, Result, RowActions, RowError, localized, metric, report,
    task,
};

use crate::{Hostile, count_rows, resources, sin_of_config, why};

pub(crate) const SINS: [&str; 17] = [
    "eligible-wrong-lengths",
    "eligible-two",
    "eligible-no-cause",
    "eligible-bad-cause",
    "eligible-wrong-name",
    "eligible-invalid-utf8",
    "eligible-bad-failed-row",
    "eligible-loop",
    "variant-many",
    "variant-bad-name",
    "variant-bad-codes",
    "variant-wrong-lengths",
    "action-other-row",
    "action-row-twice",
    "action-storm",
    "action-bad-id",
    "campaign-many-reasons",
];

impl Guest for Hostile {
    /// Even ordinals take part.
    fn eligible(_: ObjectRecord, rows: Batch, config: String, _: Context) -> Result<Eligibilities> {
        let sin = sin_of_config(&config)?;
        crate::poisoned_by(&sin, &rows.ordinals);
        let odd = |ordinal: &u64| ordinal % 2 == 1;
        let mut eligible: Vec<u8> = rows.ordinals.iter().map(|ordinal| u8::from(!odd(ordinal))).collect();
        let valid = rows.ordinals.iter().map(odd).collect();
        let codes = vec![0; rows.ordinals.len()];
        let mut causes = dictionary("cause", codes, Some(valid), &["odd-ordinal"]);
        let mut failed = Vec::new();
        match sin.as_str() {
            "eligible-wrong-lengths" => drop(eligible.pop()),
            "eligible-two" => eligible.fill(2),
            "eligible-no-cause" => causes.valid = vec![0; rows.ordinals.len().div_ceil(8)],
            "eligible-bad-cause" => {
                let codes = vec![0; rows.ordinals.len()];
                causes = dictionary("cause", codes, None, &["Because I say so"]);
            }
            "eligible-wrong-name" => causes.name = "excuse".to_owned(),
            "eligible-invalid-utf8" => set_bytes(&mut causes, b"\xff\xfe\xfd\xfc-ordinal"),
            "eligible-bad-failed-row" => {
                let message = localized("no such row", "没有这一行");
                failed.push(RowError { row: rows.rows, code: "no-such-row".to_owned(), message });
            }
            "eligible-loop" => resources::endless_loop(),
            _ => {}
        }
        Ok(Eligibilities { eligible, causes, failed })
    }

    /// Two variants by turns.
    fn assign_variant(_: ObjectRecord, rows: Batch, config: String, _: Context) -> Result<Variants> {
        let sin = sin_of_config(&config)?;
        crate::poisoned_by(&sin, &rows.ordinals);
        let mut codes: Vec<u32> = rows.ordinals.iter().map(|ordinal| (ordinal % 2) as u32).collect();
        let many: Vec<String> = (0..21).map(|number| format!("v{number}")).collect();
        let mut names = vec!["a", "b"];
        match sin.as_str() {
            "variant-many" => names = many.iter().map(String::as_str).collect(),
            "variant-bad-name" => names = vec!["a", "Plan B"],
            "variant-bad-codes" => codes.fill(9),
            "variant-wrong-lengths" => drop(codes.pop()),
            _ => {}
        }
        Ok(Variants { column: dictionary("variant", codes, None, &names), failed: Vec::new() })
    }

    /// A task for the first row.
    fn next_action(_: ObjectRecord, rows: Batch, config: String, _: Context) -> Result<Vec<RowActions>> {
        let sin = sin_of_config(&config)?;
        crate::poisoned_by(&sin, &rows.ordinals);
        let call = |owner: Option<&str>| {
            let mut call = task("Call", "致电");
            call.owner = owner.map(str::to_owned);
            Action::CreateTask(call)
        };
        let row = |row, actions| RowActions { row, actions, reasons: vec![why(1.0)] };
        Ok(match sin.as_str() {
            "action-other-row" => vec![row(rows.rows, vec![call(None)])],
            "action-row-twice" => vec![row(0, vec![call(None)]), row(0, vec![call(None)])],
            "action-storm" => vec![row(0, vec![call(None); 21])],
            "action-bad-id" => vec![row(0, vec![call(Some("whoever is there"))])],
            crate::POISON_ROW => (0..rows.rows).map(|place| row(place, vec![call(None)])).collect(),
            _ => vec![row(0, vec![call(None)])],
        })
    }

    fn explain(_: ObjectRecord, rows: Batch, config: String, _: Context) -> Result<Vec<Vec<Reason>>> {
        let count = if sin_of_config(&config)? == "campaign-many-reasons" { 6 } else { 1 };
        Ok(vec![vec![why(1.0); count]; rows.rows as usize])
    }

    fn evaluate(campaign: ObjectRecord, members: &RowStream, config: String, _: Context) -> Result<Report> {
        let sin = sin_of_config(&config)?;
        if sin == "evaluate-loop" {
            resources::endless_loop();
        }
        let count = f64::from(count_rows(members));
        let value = if sin == "evaluate-nan" { f64::NAN } else { count };
        let fields = campaign.fields.len();
        let summary = localized(
            format!("{count} members, {fields} fields"),
            format!("{count} 名成员，{fields} 个字段"),
        );
        Ok(report(summary).metric(metric("members", localized("Members", "成员数"), value)))
    }
}

fn dictionary(name: &str, codes: Vec<u32>, valid: Option<Vec<bool>>, texts: &[&str]) -> Column {
    let mut values = TextColumn { offsets: vec![0], bytes: Vec::new() };
    for text in texts {
        values.bytes.extend_from_slice(text.as_bytes());
        values.offsets.push(values.bytes.len() as u32);
    }
    let bit = |(place, flag): (usize, &bool)| u8::from(*flag) << place;
    let byte = |flags: &[bool]| flags.iter().enumerate().map(bit).sum();
    let valid = valid.map_or(Vec::new(), |flags| flags.chunks(8).map(byte).collect());
    let data = ColumnData::Dictionary(DictionaryColumn { codes, values });
    Column { name: name.to_owned(), valid, data }
}

fn set_bytes(column: &mut Column, bytes: &[u8]) {
    if let ColumnData::Dictionary(dictionary) = &mut column.data {
        dictionary.values = TextColumn { offsets: vec![0, bytes.len() as u32], bytes: bytes.to_vec() };
    }
}
