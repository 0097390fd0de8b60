use serde_json::{Value as Json, json};
use trellis_model::{Language, Reason};

/// Reasons in one language.
pub(crate) fn reasons_json(reasons: &[Reason], language: Language) -> Json {
    let reason = |reason: &Reason| json!({ "code": reason.code, "text": reason.text.get(language), "weight": reason.weight });
    reasons.iter().map(reason).collect()
}
