//! How two answers to the same question about one record differ: patches, vetoes, actions by kind.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

/// How answers to single questions differ.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AnswersDiff {
    pub(crate) compared: u64,
    pub(crate) changed: u64,
    /// Answers that are none because the version failed.
    pub(crate) failed: u64,
    pub(crate) patches_changed: u64,
    pub(crate) vetoes_added: u64,
    pub(crate) vetoes_removed: u64,
    /// By kind.
    pub(crate) actions_added: BTreeMap<String, u64>,
    pub(crate) actions_removed: BTreeMap<String, u64>,
}

impl AnswersDiff {
    /// Adds a pair of answers in the form of `decisions::ask`; says whether they differ.
    pub(crate) fn add(&mut self, before: &Json, after: &Json) -> bool {
        self.compared += 1;
        self.failed += u64::from(after.get("failed").is_some());
        if before == after {
            return false;
        }
        self.changed += 1;
        self.patches_changed += u64::from(before.get("patch") != after.get("patch"));
        let (was, is) = (refuses(before), refuses(after));
        self.vetoes_added += u64::from(!was && is);
        self.vetoes_removed += u64::from(was && !is);
        let (mut was, mut is) = (BTreeMap::new(), BTreeMap::new());
        actions(before, &mut was);
        actions(after, &mut is);
        for (action, count) in &is {
            let more = count.saturating_sub(was.get(action).copied().unwrap_or(0));
            add(&mut self.actions_added, &action.0, more);
        }
        for (action, count) in &was {
            let fewer = count.saturating_sub(is.get(action).copied().unwrap_or(0));
            add(&mut self.actions_removed, &action.0, fewer);
        }
        true
    }

    pub(crate) fn to_json(&self) -> Map<String, Json> {
        let shown = json!({
            "compared": self.compared,
            "changed": self.changed,
            "failed": self.failed,
            "patches_changed": self.patches_changed,
            "vetoes_added": self.vetoes_added,
            "vetoes_removed": self.vetoes_removed,
            "actions_added": self.actions_added,
            "actions_removed": self.actions_removed,
        });
        match shown {
            Json::Object(shown) => shown,
            _ => Map::new(),
        }
    }
}

fn add(counts: &mut BTreeMap<String, u64>, kind: &str, count: u64) {
    if count > 0 {
        *counts.entry(kind.to_owned()).or_default() += count;
    }
}

/// Whether an answer refuses something: a veto, or a list of requirements that a record does not meet.
fn refuses(answer: &Json) -> bool {
    let is_requirement = |item: &Json| item.get("code").is_some() && item.get("actions").is_none();
    answer.get("veto").is_some()
        || answer.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_requirement))
}

/// Every action of an answer with its kind, wherever it stands: of the decision, a suggestion or a row.
fn actions(answer: &Json, found: &mut BTreeMap<(String, String), u64>) {
    match answer {
        Json::Array(items) => items.iter().for_each(|item| actions(item, found)),
        Json::Object(members) => {
            for action in members.get("actions").and_then(Json::as_array).into_iter().flatten() {
                let kind = action.get("kind").and_then(Json::as_str).unwrap_or("other").to_owned();
                *found.entry((kind, action.to_string())).or_default() += 1;
            }
            members.get("decided").into_iter().for_each(|decided| actions(decided, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_lead_to_is_told_apart() {
        let task = json!({ "kind": "create-task", "subject": "x" });
        let message = json!({ "kind": "send-message" });
        let accept = json!({ "accept": true });
        let veto = json!({ "veto": { "code": "no" } });
        let mut diff = AnswersDiff::default();
        assert!(!diff.add(&accept, &accept));
        assert!(diff.add(&accept, &veto) && diff.add(&veto, &accept));
        assert!(diff.add(&accept, &json!({ "patch": { "a": 1 } })));
        assert!(diff.add(&json!([]), &json!([{ "code": "reason-missing", "field": null }])));
        let decided = |actions: &[&Json]| json!({ "actions": actions, "reasons": [] });
        assert!(diff.add(&decided(&[&task, &task]), &decided(&[&task, &message])));
        let row = |actions: &[&Json]| json!([{ "row": 0, "decided": decided(actions) }]);
        assert!(diff.add(&row(&[]), &row(&[&message])));
        assert_eq!((diff.compared, diff.changed), (7, 6));
        assert_eq!((diff.patches_changed, diff.vetoes_added, diff.vetoes_removed), (1, 2, 1));
        assert_eq!(diff.actions_added, BTreeMap::from([("send-message".to_owned(), 2)]));
        assert_eq!(diff.actions_removed, BTreeMap::from([("create-task".to_owned(), 1)]));
    }
}
