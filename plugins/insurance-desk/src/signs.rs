//! What the records say about a claim: whether the contract covers its day, and signs of fraud.
//!
//! The signs are those that adjusters are taught (for example by the US National Insurance Crime Bureau and in China's anti-fraud guidance of
//! 2018). None of them proves anything: together they call for somebody to look.

use trellis_sdk::{ObjectRecord, Reason, Result, WorkItem, json, localized, lookups, reason};

use crate::amounts::whole_units;
use crate::config::Config;

const DAY_MS: i64 = 86_400_000;

/// An option of the field `insurance_desk__fraud_signs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The loss lies soon after the contract began.
    NewContract,
    /// The notice lies long after the loss.
    LateNotice,
    /// There were many claims within a year.
    ManyClaims,
    /// A theft that the police do not know of.
    TheftUnreported,
    /// A very large estimate.
    LargeEstimate,
}

impl Sign {
    /// The option.
    pub fn option(self) -> &'static str {
        match self {
            Self::NewContract => "new_contract",
            Self::LateNotice => "late_notice",
            Self::ManyClaims => "many_claims",
            Self::TheftUnreported => "theft_unreported",
            Self::LargeEstimate => "large_estimate",
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NewContract => ("the contract had just begun", "承保不久即出险"),
            Self::LateNotice => ("the notice came late", "迟延报案"),
            Self::ManyClaims => ("many claims within a year", "一年内多次报案"),
            Self::TheftUnreported => ("a theft that was not reported to the police", "盗抢未报警"),
            Self::LargeEstimate => ("a very large estimate", "估损金额很大"),
        }
    }
}

/// What records say about a claim.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    pub(crate) signs: Vec<Sign>,
    /// Whether the contract ran on the day of the loss; none where that is not known.
    pub(crate) in_force: Option<bool>,
}

impl Findings {
    /// Looks the contract and earlier claims up.
    pub(crate) fn of(case: &WorkItem, config: &Config, received_ms: i64) -> Result<Self> {
        let contract = match case.reference("insurance_desk__contract") {
            Some(id) => lookups::get("contract", id)?,
            None => None,
        };
        let loss_on = case.date("insurance_desk__loss_on");
        let mut signs = Vec::new();
        let since_start = loss_on
            .zip(contract.as_ref().and_then(|contract| contract.date("starts_on")))
            .map(|(loss, start)| loss - start);
        if since_start.is_some_and(|days| (0..i32::from(config.new_contract_days)).contains(&days)) {
            signs.push(Sign::NewContract);
        }
        let notice = loss_on.map(|loss| received_ms.div_euclid(DAY_MS) - i64::from(loss));
        if notice.is_some_and(|days| days > i64::from(config.late_notice_days)) {
            signs.push(Sign::LateNotice);
        }
        if claims_in_year(case, received_ms)? >= u64::from(config.claims_in_year) {
            signs.push(Sign::ManyClaims);
        }
        let theft = case.choice("insurance_desk__cause") == Some("theft");
        if theft && case.boolean("insurance_desk__police_report") != Some(true) {
            signs.push(Sign::TheftUnreported);
        }
        let estimate = case.money("insurance_desk__estimate").map(whole_units);
        if estimate.is_some_and(|estimate| estimate >= config.large_estimate) {
            signs.push(Sign::LargeEstimate);
        }
        let in_force = contract.as_ref().zip(loss_on).map(|(contract, day)| ran_on(contract, case, day));
        Ok(Self { signs, in_force })
    }

    /// Why, in a sentence for each.
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if self.in_force == Some(false) {
            let text = localized(
                "The contract is another customer's, or did not run on the day of the loss.",
                "合同不属于该客户，或出险当日不在保险期间内。",
            );
            reasons.push(reason("not-in-force", text, 1.0));
        }
        if !self.signs.is_empty() {
            let (en, zh) = listed(&self.signs);
            let text = localized(format!("Signs to look at: {en}."), format!("需关注的迹象：{zh}。"));
            reasons.push(reason("fraud-signs", text, 0.9));
        }
        reasons
    }
}

/// A list for a sentence, in English and Chinese.
pub(crate) fn listed(signs: &[Sign]) -> (String, String) {
    let words = |pick: fn(Sign) -> &'static str| signs.iter().map(|one| pick(*one)).collect::<Vec<_>>();
    (words(|one| one.words().0).join(", "), words(|one| one.words().1).join("、"))
}

/// Both ends belong to the contract; an end that is missing is open.
fn ran_on(contract: &ObjectRecord, case: &WorkItem, day: i32) -> bool {
    let own =
        contract.reference("account").is_none() || contract.reference("account") == case.reference("account");
    let begun = contract.date("starts_on").is_none_or(|start| start <= day);
    own && begun && contract.date("ends_on").is_none_or(|end| day <= end)
}

/// Claims of the customer in the year up to this one, with it.
fn claims_in_year(case: &WorkItem, received_ms: i64) -> Result<u64> {
    let Some(account) = case.reference("account") else { return Ok(1) };
    let at = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MIN).to_string();
    let others = json!({ "and": [
        { "field": "account", "op": "eq", "value": account },
        { "field": "kind", "op": "eq", "value": "insurance_desk__claim" },
        { "field": "created_at", "op": "gte", "value": at(received_ms - 365 * DAY_MS) },
        { "field": "created_at", "op": "lte", "value": at(received_ms) },
        { "field": "id", "op": "ne", "value": case.item.id },
    ] });
    Ok(1 + lookups::count("case", others)?)
}
