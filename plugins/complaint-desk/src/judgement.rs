//! What a complaint is found to be.

use trellis_sdk::SetFields;
use trellis_sdk::{Context, Reason, Result, WorkItem, json, localized, lookups, reason};

use crate::REOPENED;
use crate::config::Config;
use crate::severity::{Severity, form_words};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What the desk thinks of a complaint.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) severity: Severity,
    /// When somebody has to have answered.
    pub(crate) due_ms: i64,
    /// `existing` or `new`; none where the customer is not known.
    customer_kind: Option<&'static str>,
    pub(crate) reasons: Vec<Reason>,
}

impl Judgement {
    /// Judges a complaint as it is. Its time for an answer began when it came in, or when it was last reopened.
    pub(crate) fn of(case: &WorkItem, config: &Config, at: &Context) -> Result<Self> {
        let began_ms = case.time(REOPENED).or(case.time("created_at")).unwrap_or(at.now_ms);
        Self::since(case, config, at, began_ms)
    }

    /// Judges a complaint that is being reopened.
    pub(crate) fn reopened(case: &WorkItem, config: &Config, at: &Context) -> Result<Self> {
        Self::since(case, config, at, at.now_ms)
    }

    fn since(case: &WorkItem, config: &Config, at: &Context, began_ms: i64) -> Result<Self> {
        let form = case.choice("dissatisfaction");
        let (form_en, form_zh) = form_words(form);
        let base = Severity::of(form);
        let received_ms = case.time("created_at").unwrap_or(at.now_ms);
        let repeats = repeats(case, config, received_ms)?;
        let severity = if repeats > 0 { base.raised() } else { base };
        let (en, zh) = severity.words();
        let mut reasons = vec![reason(
            "form-of-dissatisfaction",
            localized(
                format!("The customer {form_en}: severity {en}."),
                format!("客户的不满表现为“{form_zh}”，严重程度：{zh}。"),
            ),
            1.0,
        )];
        if repeats > 0 {
            let days = config.repeat_days;
            let text = localized(
                format!(
                    "{repeats} more complaints of this customer within {days} days: one level more severe."
                ),
                format!("该客户 {days} 天内另有 {repeats} 次投诉，严重程度提高一级。"),
            );
            reasons.push(reason("repeated-complaint", text, 0.8));
        }
        let due_ms = began_ms + i64::from(config.hours(severity)) * HOUR_MS;
        Ok(Self { severity, due_ms, customer_kind: customer_kind(case)?, reasons })
    }

    /// The fields that are other than they should be; none where all is as it should be, so that nothing is done twice.
    pub(crate) fn changes(&self, case: &WorkItem) -> Option<SetFields> {
        let mut set = case.set_fields();
        let choices = [
            ("severity", Some(self.severity.option())),
            ("priority", Some(self.severity.priority())),
            ("customer_kind", self.customer_kind),
        ];
        for (field, option) in choices {
            if let Some(option) = option.filter(|option| case.choice(field) != Some(option)) {
                set = set.choice(field, option);
            }
        }
        if case.time("due_at") != Some(self.due_ms) {
            set = set.time("due_at", self.due_ms);
        }
        (!set.fields.is_empty()).then_some(set)
    }
}

/// How many other complaints the customer made in the days before.
fn repeats(case: &WorkItem, config: &Config, received_ms: i64) -> Result<u64> {
    let Some(account) = case.reference("account").filter(|_| config.repeat_days > 0) else { return Ok(0) };
    let since = rfc3339(received_ms - i64::from(config.repeat_days) * DAY_MS);
    let others = json!({ "and": [
        { "field": "account", "op": "eq", "value": account },
        { "field": "kind", "op": "eq", "value": "complaint" },
        { "field": "created_at", "op": "gte", "value": since },
        { "field": "id", "op": "ne", "value": case.item.id },
    ] });
    Ok(lookups::count("case", others)?)
}

fn customer_kind(case: &WorkItem) -> Result<Option<&'static str>> {
    let Some(account) = case.reference("account") else { return Ok(None) };
    let orders = lookups::count("order", json!({ "field": "account", "op": "eq", "value": account }))?;
    Ok(Some(if orders > 0 { "existing" } else { "new" }))
}

/// A moment as filters have it. What no calendar has is as long ago as a calendar goes.
pub(crate) fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn moments_are_written_as_filters_have_them() {
        assert_eq!(rfc3339(1_795_265_280_125), "2026-11-21T12:48:00.125Z");
        assert_eq!(rfc3339(i64::MIN), rfc3339(jiff::Timestamp::MIN.as_millisecond()));
    }
}
