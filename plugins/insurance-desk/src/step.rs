//! How far a claim is. It follows from what the record says alone, so that no order of changes leads anywhere else, and there is no step
//! from which there is no way on.

use trellis_sdk::{Requirement, WorkItem, requirement};

use crate::amounts::whole_units;
use crate::config::Config;

/// The options of the field `insurance_desk__step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The notice lacks something.
    Notice,
    /// Does the contract cover it?
    Coverage,
    /// What is the loss?
    Adjustment,
    /// There are signs of fraud that nobody has cleared.
    Investigation,
    /// Pay or decline, and how much?
    Settlement,
    /// It is to be paid.
    Payment,
    /// Paid or declined.
    Finished,
}

impl Step {
    /// Where a claim stands.
    pub fn of(case: &WorkItem, config: &Config) -> Self {
        let covered = case.choice("insurance_desk__coverage");
        let checks = [
            (notice(case).is_empty(), Self::Notice),
            (covered.is_some(), Self::Coverage),
            (adjustment(case).is_empty(), Self::Adjustment),
            (!is_suspicious(case, config), Self::Investigation),
            (settlement(case, config).is_empty(), Self::Settlement),
            (payment(case).is_none(), Self::Payment),
        ];
        checks.into_iter().find(|(done, _)| !done).map_or(Self::Finished, |(_, step)| step)
    }

    /// The option of the field.
    pub fn option(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Coverage => "coverage",
            Self::Adjustment => "adjustment",
            Self::Investigation => "investigation",
            Self::Settlement => "settlement",
            Self::Payment => "payment",
            Self::Finished => "finished",
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Notice => ("the notice is incomplete", "报案信息待补"),
            Self::Coverage => ("coverage check", "责任核对"),
            Self::Adjustment => ("adjustment", "查勘定损"),
            Self::Investigation => ("investigation", "专项调查"),
            Self::Settlement => ("settlement", "理算核赔"),
            Self::Payment => ("payment", "赔付"),
            Self::Finished => ("finished", "已完成"),
        }
    }
}

/// Everything that is missing before the claim may be closed, in the order in which it comes up.
pub(crate) fn requirements(case: &WorkItem, config: &Config) -> Vec<Requirement> {
    let mut missing = notice(case);
    if case.choice("insurance_desk__coverage").is_none() {
        let of = requirement(
            "coverage-missing",
            "Say whether the contract covers it.",
            "请核定是否属于保险责任。",
        );
        missing.push(of.on_field("insurance_desk__coverage"));
    }
    missing.extend(adjustment(case));
    if is_suspicious(case, config) {
        let of = requirement(
            "investigation-missing",
            "Signs of fraud have to be investigated and cleared first, or the claim declined.",
            "须先完成欺诈迹象调查并排除，或作出拒赔结论。",
        );
        missing.push(of.on_field("insurance_desk__fraud_cleared"));
    }
    missing.extend(settlement(case, config));
    missing.extend(payment(case));
    if case.is_blank("resolution") {
        let of =
            requirement("resolution-missing", "Say what the customer was told.", "请填写答复客户的内容。");
        missing.push(of.on_field("resolution"));
    }
    missing
}

fn is_declined(case: &WorkItem) -> bool {
    case.choice("insurance_desk__outcome") == Some("decline")
}

fn is_covered(case: &WorkItem) -> bool {
    case.choice("insurance_desk__coverage") == Some("covered")
}

/// Enough signs that nobody has cleared. A claim that is declined need not be investigated.
fn is_suspicious(case: &WorkItem, config: &Config) -> bool {
    let signs = case.choices("insurance_desk__fraud_signs").len();
    let cleared = case.boolean("insurance_desk__fraud_cleared") == Some(true);
    is_covered(case) && !is_declined(case) && !cleared && signs >= config.signs_for_investigation
}

fn notice(case: &WorkItem) -> Vec<Requirement> {
    let asked = [
        ("account", "Name the customer.", "请填写客户。"),
        ("insurance_desk__contract", "Name the contract.", "请填写保险合同。"),
        ("insurance_desk__line", "Choose the line of insurance.", "请选择险种。"),
        ("insurance_desk__cause", "Give the cause of the loss.", "请填写出险原因。"),
        ("insurance_desk__loss_on", "Give the day of the loss.", "请填写出险日期。"),
        ("insurance_desk__estimate", "Give a first estimate.", "请填写初步估损。"),
    ];
    let blank = asked.into_iter().filter(|(field, ..)| case.is_blank(field));
    blank.map(|(field, en, zh)| requirement("notice-incomplete", en, zh).on_field(field)).collect()
}

/// What is not covered need not be assessed.
fn adjustment(case: &WorkItem) -> Vec<Requirement> {
    if !is_covered(case) || is_declined(case) {
        return Vec::new();
    }
    let asked = [
        ("insurance_desk__adjuster", "Name the adjuster.", "请指定查勘定损人。"),
        ("insurance_desk__assessed", "Give the assessed loss.", "请填写定损金额。"),
    ];
    let blank = asked.into_iter().filter(|(field, ..)| case.is_blank(field));
    blank.map(|(field, en, zh)| requirement("adjustment-missing", en, zh).on_field(field)).collect()
}

fn settlement(case: &WorkItem, config: &Config) -> Vec<Requirement> {
    let of = |code: &str, field: &str, en: &str, zh: &str| vec![requirement(code, en, zh).on_field(field)];
    match case.choice("insurance_desk__outcome") {
        Some("decline") if case.is_blank("insurance_desk__decline_reason") => of(
            "decline-reason-missing",
            "insurance_desk__decline_reason",
            "Say why it is declined: the customer has to be told in writing.",
            "请填写拒赔理由：须书面告知客户。",
        ),
        Some("decline") => Vec::new(),
        Some(_) if !is_covered(case) => of(
            "pays-without-coverage",
            "insurance_desk__outcome",
            "What is not covered cannot be paid: decline it, or correct the coverage.",
            "不属于保险责任的不能赔付：请拒赔，或更正责任核定。",
        ),
        Some(_) if case.is_blank("insurance_desk__settlement") => of(
            "settlement-missing",
            "insurance_desk__settlement",
            "Give the amount that is paid.",
            "请填写赔付金额。",
        ),
        Some(_) => authority(case, config).into_iter().collect(),
        None => of(
            "outcome-missing",
            "insurance_desk__outcome",
            "Decide: pay or decline.",
            "请作出赔付或拒赔结论。",
        ),
    }
}

/// Large payments need somebody who is not the adjuster.
fn authority(case: &WorkItem, config: &Config) -> Option<Requirement> {
    let amount = whole_units(case.money("insurance_desk__settlement")?);
    if amount < config.authority_amount {
        return None;
    }
    let of =
        match (case.reference("insurance_desk__adjuster"), case.reference("insurance_desk__authorised_by")) {
            (_, None) => requirement(
                "authority-missing",
                "A payment of this size has to be authorised.",
                "该金额的赔付须经授权。",
            ),
            (Some(adjuster), Some(other)) if adjuster == other => requirement(
                "authority-by-adjuster",
                "Who assessed the loss cannot authorise its payment.",
                "授权人不能与查勘定损人为同一人。",
            ),
            _ => return None,
        };
    Some(of.on_field("insurance_desk__authorised_by"))
}

fn payment(case: &WorkItem) -> Option<Requirement> {
    if is_declined(case) || !case.is_blank("insurance_desk__paid_on") {
        return None;
    }
    let of = requirement("payment-missing", "Give the day on which it was paid.", "请填写赔付日期。");
    Some(of.on_field("insurance_desk__paid_on"))
}
