//! What a person could do now.

use trellis_sdk::{Suggestion, WorkItem, localized, reason, suggestion};

use crate::config::Config;
use crate::matter::{Matter, listed};
use crate::step::{Step, requirements};
use crate::tasks;

/// The best first.
pub(crate) fn of(case: &WorkItem, matter: Matter, config: &Config) -> Vec<Suggestion> {
    let step = Step::of(case, matter, config);
    let (en, zh) = step.words();
    let because = reason("step", localized(format!("Current step: {en}."), format!("当前环节：{zh}。")), 1.0);
    match step {
        Step::Documents => {
            let missing = matter.missing(case, config);
            if missing.is_empty() {
                return Vec::new();
            }
            let (en, zh) = listed(&missing);
            let text = localized(format!("Still missing: {en}."), format!("尚缺：{zh}。"));
            let ask = suggestion("ask_documents", "Ask for the missing documents", "请客户补交材料");
            vec![ask.because(reason("documents-missing", text, 1.0)).then(tasks::collect(
                case,
                &missing,
                config.document_days,
            ))]
        }
        Step::Review => {
            let review = suggestion("review", "Have it reviewed", "安排审查");
            vec![review.because(because).then(tasks::review(case, matter))]
        }
        Step::Approval => {
            let approve = suggestion("approve", "Ask a second person to approve", "请第二人复核");
            vec![approve.because(because).then(tasks::approve(case))]
        }
        Step::Decided if requirements(case, matter, config).is_empty() => {
            let close = suggestion("close", "Close the case", "结案");
            vec![close.because(because).then(case.set_fields().choice("status", "closed"))]
        }
        Step::Decided => {
            let tell = suggestion("tell", "Tell the customer", "告知客户");
            vec![tell.because(because).then(tasks::tell(case))]
        }
    }
}
