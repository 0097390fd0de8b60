//! What happens next with members, as the plugin says.

use std::{collections::HashMap, sync::Arc};

use serde_json::json;
use trellis_model::{Action, Batch, Cause, Column, ColumnData, RecordId, TextColumn, Validity};
use trellis_plugin_host::{CallContext, RowActions};

use super::{deciding::Deciding, members::Member, object};
use crate::{
    Result,
    blocking::blocking,
    compare::{Asked as Shown, Observed, Shadows},
    decisions::{Capsule, DecisionKind, NewDecision, PluginInput, decided_output, next_output},
};

/// A member that the plugin is asked about, with its row in the batch.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) row: usize,
    /// As it will be once its change is saved.
    pub(super) member: Member,
}

/// What a decision about next actions belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Belongs<'a> {
    pub(super) cause: &'a Cause,
    pub(super) now_ms: i64,
}

/// Statuses in which something can come next.
pub(super) fn is_open(member: &Member) -> bool {
    matches!(member.status.as_str(), "planned" | "contacted" | "responded")
}

/// Asks the plugin what happens next with some rows of a batch. Returns a decision for each account for which something does.
pub(super) async fn decide(
    shadows: &Shadows,
    deciding: &Arc<Deciding>,
    at: &CallContext,
    batch: &Batch,
    asked: &[Asked],
    belongs: Belongs<'_>,
) -> Result<HashMap<RecordId, NewDecision>> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    // The plugin gets its rows in the order of ordinals, as ever.
    let mut asked = asked.to_vec();
    asked.sort_by_key(|asked| asked.row);
    let rows: Vec<usize> = asked.iter().map(|asked| asked.row).collect();
    let batch = with_membership(batch.pick(&rows), &asked);
    let (calling, told, context) = (Arc::clone(deciding), batch.clone(), at.clone());
    let answered = blocking("asking a plugin what happens next", move || {
        let rules = calling.rules()?;
        Ok::<_, crate::Error>(rules.next_action(&calling.seen, told, &calling.config, &context)?)
    })
    .await??;
    for error in &answered.failed {
        let account = asked.get(error.row as usize).map(|asked| asked.member.account.to_string());
        tracing::warn!(campaign = %deciding.id, account, "nothing happens next with a member: {}", error.message.en);
    }
    shadows.offer(&deciding.plugin, || Observed {
        plugin: deciding.plugin.clone(),
        asked: Shown::Next {
            campaign: deciding.seen.clone(),
            config: deciding.config.clone(),
            batch: batch.clone(),
            answer: next_output(&answered.rows),
        },
        at: at.clone(),
        answers: Default::default(),
    });
    let decision = |answer: RowActions| {
        let asked = asked.get(answer.row as usize)?;
        if answer.actions.is_empty() && answer.reasons.is_empty() {
            return None;
        }
        let one_row = batch.pick(&[answer.row as usize]);
        Some((asked.member.account, new_decision(deciding, at, &asked.member, one_row, answer, belongs)))
    };
    Ok(answered.rows.into_iter().filter_map(decision).collect())
}

fn new_decision(
    deciding: &Deciding,
    at: &CallContext,
    member: &Member,
    one_row: Batch,
    answer: RowActions,
    belongs: Belongs<'_>,
) -> NewDecision {
    let output = json!([{ "row": 0, "decided": decided_output(&answer.actions, &answer.reasons) }]);
    let input = PluginInput::NextAction { campaign: deciding.seen.clone(), batch: one_row };
    let fill = |action| with_defaults(action, member.account, deciding.id);
    NewDecision {
        kind: DecisionKind::NextAction,
        time_ms: belongs.now_ms,
        by: deciding.decider(),
        digest: deciding.digest(),
        object: object("campaign_member"),
        record: member.id,
        log: belongs.cause.log,
        depth: belongs.cause.depth,
        job: belongs.cause.job,
        outcome: json!({ "status": member.status, "variant": member.variant }),
        reasons: answer.reasons,
        actions: answer.actions.into_iter().map(fill).collect(),
        capsule: Some(Capsule::plugin(input, &deciding.config, at, Default::default(), &output)),
    }
}

/// The rows with the columns `variant` and `status` of their members.
pub(super) fn with_membership(mut batch: Batch, asked: &[Asked]) -> Batch {
    let variants = asked.iter().map(|asked| asked.member.variant.as_deref());
    batch.columns.push(dictionary("variant", variants));
    let statuses = asked.iter().map(|asked| Some(asked.member.status.as_str()));
    batch.columns.push(dictionary("status", statuses));
    batch
}

/// A dictionary column of texts.
pub(super) fn dictionary<'a>(name: &str, texts: impl Iterator<Item = Option<&'a str>> + Clone) -> Column {
    let mut different: Vec<&str> = texts.clone().flatten().collect();
    different.sort_unstable();
    different.dedup();
    let code = |text: Option<&str>| {
        let place = text.and_then(|text| different.binary_search(&text).ok()).unwrap_or(0);
        u32::try_from(place).expect("a batch has fewer rows than that")
    };
    let codes = texts.clone().map(code).collect();
    let values: TextColumn = different.iter().collect();
    let valid = Validity::from_flags(texts.map(|text| text.is_some()));
    Column { name: name.to_owned(), valid, data: ColumnData::Dictionary { codes, values } }
}

/// An action with what the plugin left out because it does not know it: rows have no ids.
fn with_defaults(action: Action, account: RecordId, campaign: RecordId) -> Action {
    match action {
        Action::CreateTask(mut task) => {
            task.account = task.account.or(Some(account));
            Action::CreateTask(task)
        }
        Action::SendMessage(mut message) => {
            message.account = message.account.or(Some(account));
            message.campaign = message.campaign.or(Some(campaign));
            Action::SendMessage(message)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_has_each_text_once_and_keeps_nulls() {
        let texts = [Some("b"), None, Some("a"), Some("b")];
        let column = dictionary("variant", texts.into_iter());
        let ColumnData::Dictionary { codes, values } = &column.data else { panic!("{column:?}") };
        let read = |row: usize| column.valid.get(row).then(|| values.get(codes[row] as usize).unwrap());
        assert_eq!((0..4).map(read).collect::<Vec<_>>(), texts);
        assert_eq!(values.len(), 2);
    }
}
