//! From the root cause to a corrective action to the proof that it worked (R48).

use trellis_sdk::{
    Context, Decision, Occurrence, Requirement, Result, WorkItem, json, localized, lookups, reason,
    requirement,
};

use crate::config::Config;
use crate::severity::Severity;
use crate::tasks;

/// Ends when somebody has to look whether the corrective action worked.
pub(crate) const VERIFY: &str = "verify";

const CAUSE: &str = "complaint_desk__root_cause";
const CAUSE_KIND: &str = "complaint_desk__root_cause_kind";
const ACTION: &str = "complaint_desk__corrective_action";
const DUE: &str = "complaint_desk__corrective_due";
const EFFECTIVE: &str = "complaint_desk__effective";
const DAY_MS: i64 = 86_400_000;

/// Whether a complaint is grave enough that its cause has to be found.
pub(crate) fn is_due(case: &WorkItem, config: &Config) -> bool {
    let severity = Severity::parse(case.choice("severity"));
    config.root_cause_from.is_some_and(|from| severity.is_some_and(|severity| severity >= from.severity()))
}

/// What follows from a change of cause, action or proof.
pub(crate) fn react(case: &WorkItem, event: &Occurrence, config: &Config, at: &Context) -> Decision {
    if event.has_changed(EFFECTIVE) {
        return judged(case, config);
    }
    if event.has_changed(ACTION) && !case.is_blank(ACTION) && case.is_blank(EFFECTIVE) {
        let due = case.date(DUE).map(|day| i64::from(day) - at.now_ms.div_euclid(DAY_MS));
        let days = due.and_then(|days| u16::try_from(days.max(0)).ok()).unwrap_or(config.corrective_days);
        let verify_ms = at.now_ms + i64::from(days) * DAY_MS + i64::from(config.verify_days) * DAY_MS;
        let text = localized("A corrective action was decided.", "已确定整改措施。");
        return Decision::because(reason("corrective-action", text, 0.8))
            .then(tasks::carry_out(case, days))
            .then(case.start_timer(VERIFY, verify_ms));
    }
    let found = event.has_changed(CAUSE) || event.has_changed(CAUSE_KIND);
    if found && !case.is_blank(CAUSE) && case.is_blank(ACTION) {
        let text = localized("The root cause is known.", "已查明根本原因。");
        return Decision::because(reason("root-cause", text, 0.8))
            .then(tasks::plan_action(case, config.corrective_days));
    }
    Decision::nothing()
}

/// Somebody has to look whether it worked: how many complaints of the same kind of cause came in since.
pub(crate) fn verify(case: &WorkItem, config: &Config, at: &Context) -> Result<Decision> {
    if case.is_blank(ACTION) || !case.is_blank(EFFECTIVE) {
        return Ok(Decision::nothing());
    }
    let days = config.verify_days;
    let since = at.now_ms - i64::from(days) * DAY_MS;
    let again = match case.choice(CAUSE_KIND) {
        Some(kind) => lookups::count(
            "case",
            json!({ "and": [
            { "field": CAUSE_KIND, "op": "eq", "value": kind },
            { "field": "kind", "op": "eq", "value": "complaint" },
            { "field": "created_at", "op": "gte", "value": crate::judgement::rfc3339(since) },
            { "field": "id", "op": "ne", "value": case.item.id },
        ] }),
        )?,
        None => 0,
    };
    let text = localized(
        format!(
            "{days} days have passed since the corrective action; {again} more complaints of the same cause came in."
        ),
        format!("整改已过 {days} 天，期间同类原因的投诉又有 {again} 件。"),
    );
    Ok(Decision::because(reason("verify", text, 0.8)).then(tasks::verify(case, again)))
}

/// What is missing before a grave complaint may be closed. Whether the action worked shows later.
pub(crate) fn requirements(case: &WorkItem, config: &Config) -> Vec<Requirement> {
    let asked = [
        (CAUSE, "root-cause-missing", "Say what the root cause is.", "请填写根本原因。"),
        (
            ACTION,
            "corrective-action-missing",
            "Say what is done so that it does not happen again.",
            "请填写整改措施。",
        ),
    ];
    let blank = asked.into_iter().filter(|(field, ..)| is_due(case, config) && case.is_blank(field));
    blank.map(|(field, code, en, zh)| requirement(code, en, zh).on_field(field)).collect()
}

fn judged(case: &WorkItem, config: &Config) -> Decision {
    match case.choice(EFFECTIVE) {
        Some("no") => {
            let text = localized("The corrective action did not work.", "整改措施未见成效。");
            let because =
                Decision::because(reason("not-effective", text, 1.0)).then(case.cancel_timer(VERIFY));
            because.then(tasks::plan_action(case, config.corrective_days))
        }
        Some(_) => {
            let text = localized("The corrective action worked.", "整改措施有效。");
            Decision::because(reason("effective", text, 1.0)).then(case.cancel_timer(VERIFY))
        }
        None => Decision::nothing(),
    }
}
