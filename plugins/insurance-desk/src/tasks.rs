//! The tasks that the desk hands out. Each goes to the owner of the customer unless somebody is named.

use trellis_sdk::{CreateTask, WorkItem, task};

use crate::config::Config;
use crate::step::Step;

fn about(case: &WorkItem, en: &str, zh: &str) -> CreateTask {
    let subject = case.text("subject").unwrap_or_default();
    let subject = match case.account.as_ref().and_then(|account| account.text("name")) {
        Some(name) => format!("{name}: {subject}"),
        None => subject.to_owned(),
    };
    let task = task(format!("{en} – {subject}"), format!("{zh}：{subject}")).case(&case.item.id);
    match case.reference("account") {
        Some(account) => task.account(account),
        None => task,
    }
}

/// What a step asks for.
pub(crate) fn of_step(case: &WorkItem, step: Step, config: &Config) -> CreateTask {
    match step {
        Step::Notice => about(case, "Complete the notice of loss", "补全报案信息")
            .about(
                "Call the customer: contract, cause, day and a first estimate. Say what happens next.",
                "致电客户补全：保险合同、出险原因、日期和初步估损，并说明后续流程。",
            )
            .due_in_days(1)
            .priority("high"),
        Step::Coverage => about(case, "Check the coverage", "核对保险责任")
            .about(
                "Read contract, exclusions and deductible, and say whether it is covered.",
                "核对合同条款、责任免除和免赔额，确认是否属于保险责任。",
            )
            .due_in_days(2)
            .priority("normal"),
        Step::Adjustment => {
            let adjust = about(case, "Assess the loss", "查勘定损")
                .about(
                    "Look at the damage, collect evidence, and enter the assessed loss.",
                    "现场查勘、收集证据，并填写定损金额。",
                )
                .due_in_days(5)
                .priority("normal");
            match case.reference("insurance_desk__adjuster") {
                Some(adjuster) => adjust.owner(adjuster),
                None => adjust,
            }
        }
        Step::Investigation => about(case, "Investigate signs of fraud", "调查欺诈迹象")
            .about(
                "Look into the signs that the claim shows. Clear it, or decline it with the reason. Do not accuse anybody.",
                "逐项核实案件显示的迹象，予以排除，或说明理由拒赔。调查期间不得指责客户。",
            )
            .due_in_days(10)
            .priority("high"),
        Step::Settlement => about(case, "Decide the settlement", "理算核赔")
            .about(
                "Pay or decline, and how much. Large payments need a second person.",
                "作出赔付或拒赔结论并确定金额；大额赔付须由第二人授权。",
            )
            .due_in_days(3)
            .priority("normal"),
        Step::Payment => about(case, "Pay the settlement", "办理赔付")
            .about("Pay, and enter the day.", "完成付款并填写赔付日期。")
            .due_in_days(config.pay_days)
            .priority("high"),
        Step::Finished => about(case, "Tell the customer the outcome", "告知客户理赔结果")
            .about(
                "Write down what the customer was told; a decline in writing with its reason. Then close the claim.",
                "记录答复内容；拒赔须书面说明理由。然后结案。",
            )
            .due_in_days(1)
            .priority("normal"),
    }
}

pub(crate) fn contact(case: &WorkItem) -> CreateTask {
    about(case, "Nobody has contacted the customer", "报案后无人联系客户")
        .about("Call now: a claim begins with the first contact.", "请立即联系客户：理赔服务始于首次联系。")
        .due_in_days(0)
        .priority("high")
}

pub(crate) fn overdue(case: &WorkItem, en: &str, zh: &str) -> CreateTask {
    about(case, en, zh)
        .about(
            "The deadline is over. Tell the customer why and when it will be done, and the manager.",
            "时限已过，请向客户说明原因和预计时间，并报告主管。",
        )
        .due_in_days(0)
        .priority("high")
}
