//! Disputed card transactions and loan applications of a bank: required documents, the regulator's clock, a decision, a second pair of eyes.
//!
//! The step of a case follows from its record alone ([`Step::of`]); events only bring the field up to date and hand out what the new step asks for.

mod config;
mod matter;
mod step;
mod suggestions;
mod tasks;

use trellis_sdk::{
    Context, Decision, Occurrence, Reason, Requirement, Result, ServiceWorkflow, SetFields, Suggestion,
    WorkItem, export_service_workflow, localized, reason,
};

pub use config::Config;
pub use matter::{Document, Matter};
pub use step::Step;

/// Ends when documents should have come in.
pub const DOCUMENTS: &str = "documents";
/// Ends some days before the regulator's time is over.
pub const WARNING: &str = "regulator-warning";
/// Ends with the regulator's time.
pub const DEADLINE: &str = "regulator-deadline";

const DAY_MS: i64 = 86_400_000;

/// The plugin.
#[derive(Debug)]
pub struct BankDesk;

impl ServiceWorkflow for BankDesk {
    type Config = Config;

    fn triage(case: &WorkItem, config: &Config, at: &Context) -> Result<Decision> {
        let Some(matter) = open_matter(case) else { return Ok(Decision::nothing()) };
        let received_ms = case.time("created_at").unwrap_or(at.now_ms);
        let due_ms = received_ms + i64::from(config.days(matter)) * DAY_MS;
        let warning_ms = due_ms - i64::from(config.warning_days) * DAY_MS;
        let step = Step::of(case, matter, config);
        let mut set = changes(case, step);
        if case.time("due_at") != Some(due_ms) {
            set = set.time("due_at", due_ms);
        }
        let mut decision = Decision::because(clock(config.days(matter), matter));
        if let Some(late) = late_dispute(case, matter, received_ms, config) {
            decision = decision.and_because(late);
        }
        if !set.fields.is_empty() {
            decision = decision.then(set);
        }
        decision = decision.then_all(entered(case, matter, step, config));
        if step == Step::Documents {
            let due_ms = received_ms + i64::from(config.document_days) * DAY_MS;
            decision = decision.then(case.start_timer(DOCUMENTS, due_ms));
        }
        Ok(decision.then(case.start_timer(WARNING, warning_ms)).then(case.start_timer(DEADLINE, due_ms)))
    }

    fn on_event(case: &WorkItem, event: &Occurrence, config: &Config, at: &Context) -> Result<Decision> {
        if let Some(timer) = event.timer() {
            let matter = open_matter(case);
            return Ok(matter.map_or_else(Decision::nothing, |matter| ran_out(case, matter, timer, config)));
        }
        if event.has_changed("kind") && open_matter(case).is_some() {
            return Self::triage(case, config, at);
        }
        let Some(matter) = Matter::of(case) else { return Ok(Decision::nothing()) };
        if is_closed(case) {
            return Ok(if event.has_changed("status") { stop_the_clock(case) } else { Decision::nothing() });
        }
        Ok(moved(case, matter, config))
    }

    fn suggest(case: &WorkItem, config: &Config, _: &Context) -> Result<Vec<Suggestion>> {
        Ok(open_matter(case).map_or_else(Vec::new, |matter| suggestions::of(case, matter, config)))
    }

    fn close_check(case: &WorkItem, config: &Config, _: &Context) -> Result<Vec<Requirement>> {
        Ok(Matter::of(case).map_or_else(Vec::new, |matter| step::requirements(case, matter, config)))
    }
}

export_service_workflow!(BankDesk);

fn is_closed(case: &WorkItem) -> bool {
    case.choice("status") == Some("closed")
}

/// What an open case is about.
fn open_matter(case: &WorkItem) -> Option<Matter> {
    Matter::of(case).filter(|_| !is_closed(case))
}

/// The field of the step, where it is another one.
fn changes(case: &WorkItem, step: Step) -> SetFields {
    let set = case.set_fields();
    if case.choice("bank_desk__step") == Some(step.option()) {
        return set;
    }
    set.choice("bank_desk__step", step.option())
}

/// Brings the step up to date.
fn moved(case: &WorkItem, matter: Matter, config: &Config) -> Decision {
    let step = Step::of(case, matter, config);
    let set = changes(case, step);
    if set.fields.is_empty() {
        return Decision::nothing();
    }
    let (en, zh) = step.words();
    let text = localized(format!("Current step: {en}."), format!("当前环节：{zh}。"));
    let mut decision = Decision::because(reason("next-step", text, 1.0)).then(set);
    if step != Step::Documents && case.choice("bank_desk__step") == Some(Step::Documents.option()) {
        decision = decision.then(case.cancel_timer(DOCUMENTS));
    }
    if step == Step::Decided {
        decision = decision.then(case.cancel_timer(WARNING)).then(case.cancel_timer(DEADLINE));
    }
    decision.then_all(entered(case, matter, step, config))
}

/// What a step asks for when it is reached.
fn entered(case: &WorkItem, matter: Matter, step: Step, config: &Config) -> Option<trellis_sdk::CreateTask> {
    match step {
        Step::Documents => {
            let missing = matter.missing(case, config);
            (!missing.is_empty()).then(|| tasks::collect(case, &missing, config.document_days))
        }
        Step::Review => Some(tasks::review(case, matter)),
        Step::Approval => Some(tasks::approve(case)),
        Step::Decided => Some(tasks::tell(case)),
    }
}

fn stop_the_clock(case: &WorkItem) -> Decision {
    let text = localized("It is closed: the clock stops.", "已结案，停止计时。");
    let decision = Decision::because(reason("closed", text, 1.0));
    [DOCUMENTS, WARNING, DEADLINE]
        .into_iter()
        .fold(decision, |decision, timer| decision.then(case.cancel_timer(timer)))
}

/// A timer has run out.
fn ran_out(case: &WorkItem, matter: Matter, timer: &str, config: &Config) -> Decision {
    let step = Step::of(case, matter, config);
    let urgent = || {
        (case.choice("priority") != Some("urgent")).then(|| case.set_fields().choice("priority", "urgent"))
    };
    match timer {
        DOCUMENTS if step == Step::Documents => {
            let text = localized("Documents have not come in in time.", "客户未在期限内补齐材料。");
            let because = Decision::because(reason("documents-overdue", text, 0.8));
            because.then(tasks::remind(case, &matter.missing(case, config)))
        }
        WARNING if step < Step::Decided => {
            let days = config.warning_days;
            let text =
                localized(format!("{days} days are left to decide."), format!("距规定时限还有 {days} 天。"));
            Decision::because(reason("deadline-near", text, 0.9))
                .then_all(urgent())
                .then(tasks::warn(case, days))
        }
        DEADLINE if step < Step::Decided => {
            let text = localized("The time to decide is over.", "处理时限已过。");
            Decision::because(reason("deadline-passed", text, 1.0))
                .then_all(urgent())
                .then(tasks::overdue(case))
        }
        _ => Decision::nothing(),
    }
}

fn clock(days: u16, matter: Matter) -> Reason {
    let (en, zh) = matter.words();
    let text = localized(
        format!("A {en} has to be decided within {days} days."),
        format!("{zh}须在 {days} 天内作出决定。"),
    );
    reason("regulator-clock", text, 1.0)
}

/// A transaction that lies too long back. It is for a person to decide what that means.
fn late_dispute(case: &WorkItem, matter: Matter, received_ms: i64, config: &Config) -> Option<Reason> {
    let day = case.date("bank_desk__transaction_on").filter(|_| matter == Matter::CardDispute)?;
    let days = received_ms.div_euclid(DAY_MS) - i64::from(day);
    let window = config.dispute_window_days;
    (days > i64::from(window)).then(|| {
        let text = localized(
            format!("The transaction was {days} days before; it can be disputed for {window} days."),
            format!("交易发生在 {days} 天前，已超过 {window} 天的争议期限。"),
        );
        reason("disputed-late", text, 0.9)
    })
}
