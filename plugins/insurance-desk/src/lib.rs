//! Claims of an insurer, from the first notice of loss to the payment: coverage check, adjuster, reserve, signs of fraud, deadlines.
//!
//! The step of a claim follows from its record alone ([`Step::of`]); events only bring step, reserve and signs up to date and hand out what the new
//! step asks for.

mod amounts;
mod config;
mod signs;
mod step;
mod suggestions;
mod tasks;

use trellis_sdk::{
    Context, Decision, Occurrence, Requirement, Result, ServiceWorkflow, SetFields, Suggestion, Value,
    WorkItem, export_service_workflow, localized, reason,
};

pub use config::Config;
pub use signs::Sign;
pub use step::Step;

use signs::Findings;

/// Ends when somebody should have contacted the customer.
pub const CONTACT: &str = "first-contact";
/// Ends with the time to decide.
pub const DECISION: &str = "decision";
/// Ends with the time to pay.
pub const PAYMENT: &str = "payment";

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The plugin.
#[derive(Debug)]
pub struct InsuranceDesk;

impl ServiceWorkflow for InsuranceDesk {
    type Config = Config;

    fn triage(case: &WorkItem, config: &Config, at: &Context) -> Result<Decision> {
        if !is_open_claim(case) {
            return Ok(Decision::nothing());
        }
        let received_ms = received_ms(case, at);
        let due_ms = received_ms + i64::from(config.decide_days) * DAY_MS;
        let days = config.decide_days;
        let text = localized(
            format!("A claim has to be decided within {days} days."),
            format!("理赔须在 {days} 天内核定。"),
        );
        let contact_ms = received_ms + i64::from(config.acknowledge_hours) * HOUR_MS;
        let mut decision = Decision::because(reason("decision-clock", text, 1.0));
        if case.time("due_at") != Some(due_ms) {
            decision = decision.then(case.set_fields().time("due_at", due_ms));
        }
        let (brought, step) = brought_up(case, config, received_ms)?;
        decision.reasons.extend(brought.reasons);
        let decision = decision.then_all(brought.actions).then(tasks::of_step(case, step, config));
        Ok(decision.then(case.start_timer(CONTACT, contact_ms)).then(case.start_timer(DECISION, due_ms)))
    }

    fn on_event(case: &WorkItem, event: &Occurrence, config: &Config, at: &Context) -> Result<Decision> {
        if let Some(timer) = event.timer() {
            return Ok(if is_open_claim(case) { ran_out(case, timer, config) } else { Decision::nothing() });
        }
        if event.has_changed("kind") && is_open_claim(case) {
            return Self::triage(case, config, at);
        }
        if !is_claim(case) {
            return Ok(Decision::nothing());
        }
        let moves = event.has_changed("status") && case.choice("status") != Some("new");
        let taken = if moves { taken_up(case) } else { Decision::nothing() };
        if is_closed(case) {
            return Ok(taken);
        }
        // The save that takes it up may say more about it.
        let before = case.choice("insurance_desk__step");
        let (brought, step) = brought_up(case, config, received_ms(case, at))?;
        let reasons = taken.reasons.into_iter().chain(brought.reasons).collect();
        let decision = Decision { actions: taken.actions, reasons }.then_all(brought.actions);
        if before == Some(step.option()) {
            return Ok(decision);
        }
        let decision =
            decision.then_all(clock(case, step, config, at)).then(tasks::of_step(case, step, config));
        Ok(decision)
    }

    fn suggest(case: &WorkItem, config: &Config, _: &Context) -> Result<Vec<Suggestion>> {
        Ok(if is_open_claim(case) { suggestions::of(case, config) } else { Vec::new() })
    }

    fn close_check(case: &WorkItem, config: &Config, _: &Context) -> Result<Vec<Requirement>> {
        Ok(if is_claim(case) { step::requirements(case, config) } else { Vec::new() })
    }
}

export_service_workflow!(InsuranceDesk);

fn is_claim(case: &WorkItem) -> bool {
    case.choice("kind") == Some("insurance_desk__claim")
}

fn is_closed(case: &WorkItem) -> bool {
    case.choice("status") == Some("closed")
}

fn is_open_claim(case: &WorkItem) -> bool {
    is_claim(case) && !is_closed(case)
}

fn received_ms(case: &WorkItem, at: &Context) -> i64 {
    case.time("created_at").unwrap_or(at.now_ms)
}

/// Signs, coverage, reserve and step as they should be; the actions set what is otherwise.
fn brought_up(case: &WorkItem, config: &Config, received_ms: i64) -> Result<(Decision, Step)> {
    let findings = Findings::of(case, config, received_ms)?;
    let signs: Vec<String> = findings.signs.iter().map(|sign| sign.option().to_owned()).collect();
    let mut set = case.set_fields();
    let mut known = case.choices("insurance_desk__fraud_signs").to_vec();
    let mut wanted = signs.clone();
    known.sort();
    wanted.sort();
    if known != wanted {
        set = set.choices("insurance_desk__fraud_signs", signs);
    }
    // A person may know better, so what somebody said about the coverage stays.
    if findings.in_force == Some(false) && case.choice("insurance_desk__coverage").is_none() {
        set = set.choice("insurance_desk__coverage", "not_covered");
    }
    let step = Step::of(&with(case, &set), config);
    let reserve = amounts::reserve(case, step == Step::Finished);
    if let Some(reserve) = reserve.filter(|reserve| case.money("insurance_desk__reserve") != Some(reserve)) {
        set = set.money("insurance_desk__reserve", &reserve.currency, reserve.minor_units);
    }
    let moves = case.choice("insurance_desk__step") != Some(step.option());
    if moves {
        set = set.choice("insurance_desk__step", step.option());
    }
    if set.fields.is_empty() {
        return Ok((Decision::nothing(), step));
    }
    let (en, zh) = step.words();
    let text = localized(format!("Current step: {en}."), format!("当前环节：{zh}。"));
    let decision = Decision { actions: vec![set.into()], reasons: findings.reasons() };
    Ok((if moves { decision.and_because(reason("next-step", text, 0.7)) } else { decision }, step))
}

/// The record as it will be.
fn with(case: &WorkItem, set: &SetFields) -> WorkItem {
    let mut case = case.clone();
    for field in &set.fields {
        case.item.fields.retain(|known| known.name != field.name);
        if field.value.as_ref().is_some_and(|value| *value != Value::Choices(Vec::new())) {
            case.item.fields.push(field.clone());
        }
    }
    case
}

/// The clocks that a new step starts and stops.
fn clock(case: &WorkItem, step: Step, config: &Config, at: &Context) -> Vec<trellis_sdk::Action> {
    match step {
        Step::Payment => {
            let due_ms = at.now_ms + i64::from(config.pay_days) * DAY_MS;
            vec![case.cancel_timer(DECISION).into(), case.start_timer(PAYMENT, due_ms).into()]
        }
        Step::Finished => vec![case.cancel_timer(DECISION).into(), case.cancel_timer(PAYMENT).into()],
        _ => Vec::new(),
    }
}

/// Somebody works on it, or it is closed.
fn taken_up(case: &WorkItem) -> Decision {
    if is_closed(case) {
        let text = localized("It is closed: the clocks stop.", "已结案，停止计时。");
        let decision = Decision::because(reason("closed", text, 1.0));
        return [CONTACT, DECISION, PAYMENT]
            .into_iter()
            .fold(decision, |decision, timer| decision.then(case.cancel_timer(timer)));
    }
    let text = localized("Somebody has taken it up.", "已有人受理。");
    Decision::because(reason("taken-up", text, 1.0)).then(case.cancel_timer(CONTACT))
}

/// A timer has run out.
fn ran_out(case: &WorkItem, timer: &str, config: &Config) -> Decision {
    let step = Step::of(case, config);
    let urgent =
        (case.choice("priority") != Some("urgent")).then(|| case.set_fields().choice("priority", "urgent"));
    let (code, text, task) = match timer {
        CONTACT if case.choice("status") == Some("new") => (
            "no-contact",
            localized("Nobody has contacted the customer in time.", "未在时限内联系客户。"),
            tasks::contact(case),
        ),
        DECISION if step < Step::Payment => (
            "decision-overdue",
            localized("The time to decide is over.", "核定时限已过。"),
            tasks::overdue(case, "Claim not decided in time", "理赔超时未核定"),
        ),
        PAYMENT if step == Step::Payment => (
            "payment-overdue",
            localized("The time to pay is over.", "赔付时限已过。"),
            tasks::overdue(case, "Claim not paid in time", "理赔超时未赔付"),
        ),
        _ => return Decision::nothing(),
    };
    Decision::because(reason(code, text, 1.0)).then_all(urgent).then(task)
}
