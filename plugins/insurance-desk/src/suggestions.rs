//! What a person could do now.

use trellis_sdk::{Suggestion, WorkItem, localized, reason, suggestion};

use crate::amounts::reserve;
use crate::config::Config;
use crate::step::{Step, requirements};
use crate::tasks;

/// The best first.
pub(crate) fn of(case: &WorkItem, config: &Config) -> Vec<Suggestion> {
    let step = Step::of(case, config);
    let (en, zh) = step.words();
    let because = reason("step", localized(format!("Current step: {en}."), format!("当前环节：{zh}。")), 1.0);
    let next = |name: &str, en: &str, zh: &str| {
        suggestion(name, en, zh).because(because.clone()).then(tasks::of_step(case, step, config))
    };
    match step {
        Step::Notice => vec![next("complete_notice", "Complete the notice", "补全报案信息")],
        Step::Coverage => vec![next("check_coverage", "Have the coverage checked", "安排责任核对")],
        Step::Adjustment => vec![next("assess", "Have the loss assessed", "安排查勘定损")],
        Step::Investigation => vec![next("investigate", "Have it investigated", "安排专项调查")],
        Step::Settlement => vec![settle(case, next("settle", "Decide the settlement", "作出核赔结论"))],
        Step::Payment => vec![next("pay", "Pay it", "办理赔付")],
        Step::Finished if requirements(case, config).is_empty() => {
            let close = suggestion("close", "Close the claim", "结案").because(because);
            vec![close.then(case.set_fields().choice("status", "closed"))]
        }
        Step::Finished => vec![next("tell", "Tell the customer", "告知客户")],
    }
}

/// Says what the assessment less the deductible comes to.
fn settle(case: &WorkItem, settle: Suggestion) -> Suggestion {
    let Some(amount) = reserve(case, false) else { return settle };
    let written = trellis_sdk::format_money(&amount.currency, amount.minor_units);
    let text = localized(
        format!("The assessed loss less the deductible is {written}."),
        format!("定损金额减免赔额为 {written}。"),
    );
    settle.because(reason("assessed-less-deductible", text, 0.8))
}
