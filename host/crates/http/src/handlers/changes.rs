//! The change feed: what happened after a place, in order, nothing left out.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};
use trellis_model::bilingual;
use trellis_storage::Epoch;

use crate::extract::{Parameters, Requester};
use crate::problem::{ApiResult, Code, Problem};
use crate::state::App;
use crate::wire::{entry_json, json};

/// Returns the log entries after a cursor. An entry of which the caller may see nothing is left out; the cursor moves on all the same.
pub(crate) async fn list_changes(
    State(app): State<App>,
    requester: Requester,
    mut parameters: Parameters,
) -> ApiResult<Response> {
    let limit = parameters.take_limit(100, app.config.changes_max)?;
    let (after, last) = (parameters.take("after")?, take_last(&mut parameters)?);
    parameters.finish()?;
    let (epoch, head) = (app.records.store().epoch(), app.records.log_head());
    let after = match (after.as_deref(), last) {
        (Some(_), Some(_)) => {
            let either =
                bilingual!("`last` and `after` exclude each other", "`last` 与 `after` 不能同时使用");
            return Err(Problem::bad_query("last", either));
        }
        (None, Some(last)) => head.saturating_sub(last),
        (None | Some("0"), None) => 0,
        (Some(text), None) => place(text, epoch, head)?,
    };
    let entries = app.records.log_after(after, limit).await?;
    let last = entries.last().map_or(after, |entry| entry.number);
    let (schema, scope) = (app.records.schema(), &requester.caller.scope);
    let administrator = requester.principal.administrator;
    let data: Vec<Json> =
        entries.iter().filter_map(|entry| entry_json(entry, &schema, scope, administrator)).collect();
    let page = json!({ "next": cursor(epoch, last), "limit": limit, "more": last < head });
    json(StatusCode::OK, &json!({ "data": data, "page": page }))
}

/// How many of the newest entries the feed begins with; 0 is its end, to go on from.
fn take_last(parameters: &mut Parameters) -> ApiResult<Option<u64>> {
    let number = |text: String| {
        let wrong = bilingual!("`last` is a whole number from 0", "`last` 必须是不小于 0 的整数");
        text.parse().map_err(|_| Problem::bad_query("last", wrong))
    };
    parameters.take("last")?.map(number).transpose()
}

/// `<epoch>.<log number>`: the number alone would mean something else after a restore.
fn cursor(epoch: Epoch, number: u64) -> String {
    format!("{:032x}.{number}", u128::from_be_bytes(epoch.0))
}

fn place(text: &str, epoch: Epoch, head: u64) -> ApiResult<u64> {
    let parsed = text.split_once('.').and_then(|(epoch, number)| {
        Some((u128::from_str_radix(epoch, 16).ok()?.to_be_bytes(), number.parse::<u64>().ok()?))
    });
    let (of_epoch, number) = parsed.ok_or_else(Problem::bad_cursor)?;
    if of_epoch != epoch.0 || number > head {
        return Err(Problem::new(Code::HistoryRestarted).detail_in_both(
            "the data was restored from a backup; read everything anew and go on from the end of the feed",
            "数据已从备份恢复；请重新读取全部数据，然后从变更流末尾继续",
        ));
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_in_its_epoch_only() {
        let (epoch, other) = (Epoch([1; 16]), Epoch([2; 16]));
        assert_eq!(place(&cursor(epoch, 7), epoch, 9).ok(), Some(7));
        for (text, code) in [
            (cursor(other, 7), "HISTORY_RESTARTED"),
            (cursor(epoch, 10), "HISTORY_RESTARTED"),
            ("7".into(), "BAD_QUERY"),
            ("x.7".into(), "BAD_QUERY"),
        ] {
            let problem = place(&text, epoch, 9).unwrap_err();
            assert_eq!(problem.to_json(trellis_model::Language::En, "")["code"], code, "{text}");
        }
    }
}
