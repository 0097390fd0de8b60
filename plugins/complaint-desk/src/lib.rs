//! Complaints: how severe they are (R45), what their record lacks (R47), what to do about them (R46), when they may be closed, and what is
//! learned from them (R48).

mod config;
mod improvement;
mod items;
mod judgement;
mod recovery;
mod replies;
mod severity;
mod suggestions;
mod tasks;
mod wants;

use trellis_sdk::{
    Context, Decision, Occurrence, Requirement, Result, ServiceWorkflow, Suggestion, WorkItem,
    export_service_workflow, localized, reason, requirement,
};

pub use config::{Config, Threshold};
pub use items::Item;
use judgement::Judgement;
pub use severity::Severity;
pub use wants::Want;

/// The timer that runs until somebody takes up a new complaint.
const FIRST_RESPONSE: &str = "first-response";
/// When the complaint came in: what the host notes about a record is no column of a dataset.
const RECEIVED: &str = "complaint_desk__received_at";

/// When it was last made new again: from then on its first answer is awaited.
pub(crate) const REOPENED: &str = "complaint_desk__reopened_at";

/// The plugin.
#[derive(Debug)]
pub struct ComplaintDesk;

impl ServiceWorkflow for ComplaintDesk {
    type Config = Config;

    fn triage(case: &WorkItem, config: &Config, at: &Context) -> Result<Decision> {
        if !is_complaint(case) || is_over(case) {
            return Ok(Decision::nothing());
        }
        let judgement = Judgement::of(case, config, at)?;
        let mut set = judgement.changes(case).unwrap_or_else(|| case.set_fields());
        if case.time(RECEIVED).is_none() {
            set = set.time(RECEIVED, case.time("created_at").unwrap_or(at.now_ms));
        }
        let mut decision = Decision { actions: Vec::new(), reasons: judgement.reasons.clone() };
        if !set.fields.is_empty() {
            decision = decision.then(set);
        }
        let missing = items::missing(case);
        // Whether the customer is new is filled in by this very decision.
        let asked: Vec<Item> = missing.into_iter().filter(|item| *item != Item::CustomerKind).collect();
        if !asked.is_empty() {
            let (en, zh) = items::listed(&asked);
            let text = localized(format!("The record lacks {en}."), format!("投诉记录尚缺：{zh}。"));
            decision = decision
                .and_because(reason("incomplete-record", text, 0.5))
                .then(tasks::complete_record(case, &asked));
        }
        if judgement.severity >= Severity::High {
            decision = decision.then(tasks::alert(case, judgement.severity));
        }
        Ok(decision.then(case.start_timer(FIRST_RESPONSE, judgement.due_ms)))
    }

    fn on_event(case: &WorkItem, event: &Occurrence, config: &Config, at: &Context) -> Result<Decision> {
        if let Some(timer) = event.timer() {
            return match timer {
                FIRST_RESPONSE => Ok(unanswered(case)),
                improvement::VERIFY if is_complaint(case) => improvement::verify(case, config, at),
                _ => Ok(Decision::nothing()),
            };
        }
        if event.has_changed("kind") && is_complaint(case) {
            return Self::triage(case, config, at);
        }
        if !is_complaint(case) {
            return Ok(Decision::nothing());
        }
        // One save may move it, change what it is about, and name its cause: each has its own consequences.
        let mut decision = Decision::nothing();
        if event.has_changed("status") {
            decision = joined(decision, moved(case, config, at)?);
        }
        decision = joined(decision, improvement::react(case, event, config, at));
        let is_reopened = event.has_changed("status") && case.choice("status") == Some("new");
        let is_other = event.has_changed("dissatisfaction") || event.has_changed("account");
        if is_other && !is_over(case) && !is_reopened {
            decision = joined(decision, judged_again(case, config, at)?);
        }
        Ok(decision)
    }

    fn suggest(case: &WorkItem, config: &Config, _: &Context) -> Result<Vec<Suggestion>> {
        Ok(if is_complaint(case) { suggestions::of(case, config) } else { Vec::new() })
    }

    fn close_check(case: &WorkItem, config: &Config, _: &Context) -> Result<Vec<Requirement>> {
        Ok(if is_complaint(case) { requirements(case, config) } else { Vec::new() })
    }
}

export_service_workflow!(ComplaintDesk);

fn is_complaint(case: &WorkItem) -> bool {
    case.choice("kind") == Some("complaint")
}

/// Whether it was solved or closed.
fn is_over(case: &WorkItem) -> bool {
    matches!(case.choice("status"), Some("resolved" | "closed"))
}

/// Both, what is done first coming first.
fn joined(one: Decision, other: Decision) -> Decision {
    let reasons = one.reasons.into_iter().chain(other.reasons).collect();
    Decision { actions: one.actions, reasons }.then_all(other.actions)
}

/// Something changed that its severity depends on. The clock runs anew where nobody has answered yet and another time holds.
fn judged_again(case: &WorkItem, config: &Config, at: &Context) -> Result<Decision> {
    let judgement = Judgement::of(case, config, at)?;
    let before = Severity::parse(case.choice("severity"));
    let severe = judgement.severity >= Severity::High;
    let rises = severe && before.is_none_or(|before| before < Severity::High);
    let waits = case.choice("status") == Some("new") && case.time("due_at") != Some(judgement.due_ms);
    Ok(Decision { actions: Vec::new(), reasons: judgement.reasons.clone() }
        .then_all(judgement.changes(case))
        .then_all(rises.then(|| tasks::alert(case, judgement.severity)))
        .then_all(waits.then(|| case.start_timer(FIRST_RESPONSE, judgement.due_ms))))
}

/// It is new again: the time for an answer begins now.
fn reopened(case: &WorkItem, config: &Config, at: &Context) -> Result<Decision> {
    let judgement = Judgement::reopened(case, config, at)?;
    let text = localized(
        "The complaint was reopened: the time for an answer begins anew.",
        "投诉被重新打开，响应时限重新计算。",
    );
    let set = judgement.changes(case).unwrap_or_else(|| case.set_fields()).time(REOPENED, at.now_ms);
    let because = Decision::because(reason("reopened", text, 1.0));
    let because = joined(because, Decision { actions: Vec::new(), reasons: judgement.reasons.clone() });
    Ok(because.then(set).then(case.start_timer(FIRST_RESPONSE, judgement.due_ms)))
}

/// The time for the first answer is over.
fn unanswered(case: &WorkItem) -> Decision {
    if case.choice("status") != Some("new") {
        return Decision::nothing();
    }
    let text = localized("Nobody has taken it up in time.", "投诉在时限内无人受理。");
    let urgent = case.choice("priority") == Some("urgent");
    let raise = (!urgent).then(|| case.set_fields().choice("priority", "urgent"));
    Decision::because(reason("first-response-overdue", text, 1.0)).then_all(raise).then(tasks::escalate(case))
}

/// Its status was changed.
fn moved(case: &WorkItem, config: &Config, at: &Context) -> Result<Decision> {
    Ok(match case.choice("status") {
        Some("resolved") => {
            let text = localized(
                "The complaint was resolved: ask whether the customer is satisfied.",
                "投诉已解决，请回访客户是否满意。",
            );
            Decision::because(reason("resolved", text, 1.0))
                .then(case.cancel_timer(FIRST_RESPONSE))
                .then(tasks::follow_up(case, config.follow_up_days))
                .then_all(
                    improvement::is_due(case, config)
                        .then(|| tasks::find_cause(case, config.corrective_days)),
                )
        }
        Some("new") => reopened(case, config, at)?,
        None => Decision::nothing(),
        Some(_) => {
            let text = localized("Somebody has taken it up.", "已有人受理该投诉。");
            Decision::because(reason("taken-up", text, 1.0)).then(case.cancel_timer(FIRST_RESPONSE))
        }
    })
}

/// What is missing before it may be closed.
fn requirements(case: &WorkItem, config: &Config) -> Vec<Requirement> {
    let mut missing = Vec::new();
    if case.is_blank("resolution") {
        let of = requirement(
            "resolution-missing",
            "Say how the complaint was resolved.",
            "请填写投诉的解决办法。",
        );
        missing.push(of.on_field("resolution"));
    }
    let items = items::missing(case).into_iter().filter(|item| config.required_items.contains(item));
    missing.extend(items.map(|item| {
        let (en, zh) = item.words();
        let of = requirement(
            "item-missing",
            format!("The complaint record lacks {en}."),
            format!("投诉记录尚缺：{zh}。"),
        );
        of.on_field(item.field())
    }));
    let severity = Severity::parse(case.choice("severity"));
    let asks =
        config.wants_required_from.is_some_and(|from| severity.is_some_and(|found| found >= from.severity()));
    if asks && case.choices(wants::FIELD).is_empty() {
        let of = requirement(
            "wants-missing",
            "Tick which of the five things that the customer wanted were met.",
            "请勾选顾客的五项期望中已满足的项目。",
        );
        missing.push(of.on_field(wants::FIELD));
    }
    missing.extend(improvement::requirements(case, config));
    missing
}
