//! How far a case is. It follows from what the record says alone, so that no order of changes leads anywhere else, and there is no step
//! from which there is no way on.

use trellis_sdk::{Requirement, WorkItem, requirement};

use crate::config::Config;
use crate::matter::{Matter, amount};

/// The options of the field `bank_desk__step`, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Something that a decision rests on is missing.
    Documents,
    /// Everything is there; somebody has to decide.
    Review,
    /// Somebody decided; a second person has to approve.
    Approval,
    /// The decision stands.
    Decided,
}

impl Step {
    /// Where a case stands.
    pub fn of(case: &WorkItem, matter: Matter, config: &Config) -> Self {
        if !facts(case, matter).is_empty() || !matter.missing(case, config).is_empty() {
            Self::Documents
        } else if !decision(case).is_empty() {
            Self::Review
        } else if approval(case, config).is_some() {
            Self::Approval
        } else {
            Self::Decided
        }
    }

    /// The option of the field.
    pub fn option(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Review => "review",
            Self::Approval => "approval",
            Self::Decided => "decided",
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Documents => ("documents are missing", "待补材料"),
            Self::Review => ("in review", "审查中"),
            Self::Approval => ("waits for approval", "待复核"),
            Self::Decided => ("decided", "已决定"),
        }
    }
}

/// Everything that is missing before the case may be closed.
pub(crate) fn requirements(case: &WorkItem, matter: Matter, config: &Config) -> Vec<Requirement> {
    let mut missing = facts(case, matter);
    missing.extend(matter.missing(case, config).into_iter().map(|document| {
        let (en, zh) = document.words();
        let text = (format!("The {en} has not come in."), format!("尚未收到{zh}。"));
        requirement("document-missing", text.0, text.1).on_field("bank_desk__documents")
    }));
    missing.extend(decision(case));
    missing.extend(approval(case, config));
    if case.is_blank("resolution") {
        let of =
            requirement("resolution-missing", "Say what the customer was told.", "请填写答复客户的内容。");
        missing.push(of.on_field("resolution"));
    }
    missing
}

/// What the case itself has to say.
fn facts(case: &WorkItem, matter: Matter) -> Vec<Requirement> {
    let of_dispute = [
        ("bank_desk__reason", "Say why the transaction is disputed.", "请填写争议原因。"),
        ("bank_desk__transaction_on", "Give the day of the transaction.", "请填写交易日期。"),
    ];
    let always = [("bank_desk__amount", "Give the amount.", "请填写涉及金额。")];
    let asked = always.into_iter().chain(of_dispute.into_iter().filter(|_| matter == Matter::CardDispute));
    asked
        .filter(|(field, ..)| case.is_blank(field))
        .map(|(field, en, zh)| requirement("fact-missing", en, zh).on_field(field))
        .collect()
}

/// What a decision has to say. A refusal says why: the customer has a right to know.
fn decision(case: &WorkItem) -> Vec<Requirement> {
    let mut missing = Vec::new();
    if case.is_blank("bank_desk__decision") {
        missing.push(
            requirement("decision-missing", "Enter the decision.", "请填写决定。")
                .on_field("bank_desk__decision"),
        );
    }
    if case.is_blank("bank_desk__decided_by") {
        let of = requirement("decider-missing", "Say who decided.", "请填写决定人。");
        missing.push(of.on_field("bank_desk__decided_by"));
    }
    let explains = matches!(case.choice("bank_desk__decision"), Some("refused" | "partly"));
    if explains && case.is_blank("bank_desk__decision_reason") {
        let of = requirement(
            "decision-reason-missing",
            "Say why it is not granted in full.",
            "未全部同意时，请填写决定理由。",
        );
        missing.push(of.on_field("bank_desk__decision_reason"));
    }
    missing
}

/// The second pair of eyes, from an amount on.
fn approval(case: &WorkItem, config: &Config) -> Option<Requirement> {
    if amount(case).is_none_or(|amount| amount < config.four_eyes_amount) {
        return None;
    }
    let of = match (case.reference("bank_desk__decided_by"), case.reference("bank_desk__approved_by")) {
        (_, None) => requirement(
            "approval-missing",
            "An amount of this size needs the approval of a second person.",
            "该金额须由第二人复核。",
        ),
        (Some(decider), Some(approver)) if decider == approver => requirement(
            "approval-by-same-person",
            "Who decided cannot approve: somebody else has to.",
            "复核人不能与决定人为同一人。",
        ),
        _ => return None,
    };
    Some(of.on_field("bank_desk__approved_by"))
}
