//! Answers that break what the interface says about them.

use trellis_sdk::bindings::segmentation::exports::trellis::plugin::segmentation::Assignments;
use trellis_sdk::bindings::segmentation::trellis::plugin::columns::{
    Batch, Column, ColumnData, DictionaryColumn, TextColumn,
};
use trellis_sdk::{PluginError, RowError, localized};

pub(crate) fn error(sin: &str) -> Option<PluginError> {
    let text = "as the test asked".to_owned();
    Some(match sin {
        "error-invalid-config" => PluginError::InvalidConfig(text.into()),
        "error-unsuitable-data" => PluginError::UnsuitableData(text.into()),
        "error-unreadable-model" => PluginError::UnreadableModel(text.into()),
        "error-denied" => PluginError::Denied(text.into()),
        "error-transient" => PluginError::Transient(text.into()),
        "error-escapes" => {
            PluginError::Other((crate::ESCAPES.to_owned(), crate::ESCAPES.repeat(10_000).into()))
        }
        "error-other" => PluginError::Other(("as-asked".to_owned(), text.into())),
        _ => return None,
    })
}

pub(crate) fn assignments(sin: &str, rows: &Batch) -> Assignments {
    let mut answer = good(rows);
    let Some(column) = answer.columns.first_mut() else { return answer };
    let ColumnData::Dictionary(lots) = &mut column.data else { return answer };
    match sin {
        "huge-output" => {
            lots.values.bytes = vec![b'x'; 40 << 20];
            lots.values.offsets = vec![0, 1, 40 << 20];
        }
        "wrong-lengths" => drop(lots.codes.pop()),
        "bad-codes" => lots.codes.fill(99),
        "bad-offsets" => lots.values.offsets = vec![0, 4_000_000_000, 7],
        "invalid-utf8" => lots.values.bytes = b"\xff\xfe\xfd\xfcodd".to_vec(),
        "unknown-value" => lots.values.bytes = b"evenodr".to_vec(),
        // One byte too few, or, for a batch of up to eight rows, one too many: none at all would mean no nulls.
        "short-validity" => {
            let bytes = rows.ordinals.len().div_ceil(8);
            column.valid = vec![0xff; if bytes > 1 { bytes - 1 } else { bytes + 1 }];
        }
        "escapes" => column.name = crate::ESCAPES.repeat(10_000),
        "failed-twice" => {
            answer.failed = (0..100_000).map(|number| failed(number % 2, "twice")).collect();
        }
        "failed-bad-code" => answer.failed.push(failed(0, "Because I say so")),
        "wrong-name" => column.name = "lottery".to_owned(),
        "wrong-type" => column.data = ColumnData::Int64(vec![0; rows.rows as usize]),
        "no-columns" => answer.columns.clear(),
        "bad-failed-row" => {
            answer.failed.push(failed(rows.rows, "no-such-row"));
        }
        _ => {}
    }
    answer
}

fn failed(row: u32, code: &str) -> RowError {
    RowError { row, code: code.to_owned(), message: localized(crate::ESCAPES, "没有这一行") }
}

fn good(rows: &Batch) -> Assignments {
    let codes = rows.ordinals.iter().map(|ordinal| u32::from(ordinal % 2 == 1)).collect();
    let values = TextColumn { offsets: vec![0, 4, 7], bytes: b"evenodd".to_vec() };
    let data = ColumnData::Dictionary(DictionaryColumn { codes, values });
    Assignments {
        columns: vec![Column { name: "lot".to_owned(), valid: Vec::new(), data }],
        failed: Vec::new(),
    }
}
