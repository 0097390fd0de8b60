//! What happens while a plugin cannot be called, as the API has it.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use trellis_engine::{Absence, AbsentPolicy, AbsentUse, OnQuarantine};
use trellis_model::{Text, bilingual};

use super::text_json;
use crate::problem::{ApiResult, Code, Problem};

/// Names as they come in a request: `{"record-hook": "accept"}`.
pub(super) type Named = BTreeMap<String, String>;

/// What an admin says instead of the manifest.
pub(super) fn settings(named: Named) -> ApiResult<BTreeMap<AbsentUse, AbsentPolicy>> {
    let entry = |(of, policy): (String, String)| {
        let field = format!("absent.{of}");
        let uses = AbsentUse::ALL.map(AbsentUse::name).join(", ");
        let known = AbsentUse::named(&of);
        let known = known.ok_or_else(|| {
            wrong(
                &field,
                bilingual!("`absent` has {uses}, not `{of}`", "`absent` 只接受 {uses}，不接受 `{of}`"),
            )
        })?;
        let policies = known.choices().iter().map(|policy| policy.name()).collect::<Vec<_>>().join(", ");
        let policy = AbsentPolicy::named(&policy).filter(|policy| known.choices().contains(policy));
        let policy = policy.ok_or_else(|| {
            wrong(&field, bilingual!("`{of}` is one of {policies}", "`{of}` 只接受 {policies}"))
        })?;
        Ok((known, policy))
    };
    named.into_iter().map(entry).collect()
}

/// What happens when the version in use is quarantined.
pub(super) fn on_quarantine(name: &str) -> ApiResult<OnQuarantine> {
    OnQuarantine::named(name).ok_or_else(|| {
        let text =
            Text::new("`on_quarantine` is stay or roll-back", "`on_quarantine` 只接受 stay 或 roll-back");
        wrong("on_quarantine", text)
    })
}

pub(super) fn settings_json(absent: &BTreeMap<AbsentUse, AbsentPolicy>) -> Json {
    let named = absent.iter().map(|(of, policy)| (of.name().to_owned(), json!(policy.name())));
    Json::Object(named.collect::<Map<_, _>>())
}

/// What happens, in words too, and who says so.
pub(super) fn absences_json(absences: &[Absence]) -> Json {
    absences.iter().map(absence_json).collect()
}

fn absence_json(absence: &Absence) -> Json {
    json!({
        "for": absence.of.name(),
        "object": absence.object.as_ref().map(trellis_model::ObjectName::as_str),
        "policy": absence.policy.name(),
        "text": text_json(&absence.in_words()),
        "from": if absence.by_settings { "settings" } else { "plugin" },
        "declared": absence.declared.name(),
        "choices": absence.of.choices().iter().map(|policy| policy.name()).collect::<Vec<_>>(),
    })
}

fn wrong(field: &str, text: Text) -> Problem {
    Problem::new(Code::ValidationError).field(field, "invalid", text)
}
