//! The tasks that the desk hands out. Each goes to the owner of the customer unless somebody is named.

use trellis_sdk::{CreateTask, WorkItem, task};

use crate::matter::{Document, Matter, listed};

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

pub(crate) fn collect(case: &WorkItem, missing: &[Document], days: u16) -> CreateTask {
    let (en, zh) = listed(missing);
    about(case, "Ask the customer for documents", "请客户补交材料")
        .about(format!("Still missing: {en}."), format!("尚缺：{zh}。"))
        .due_in_days(days)
        .priority("normal")
}

pub(crate) fn remind(case: &WorkItem, missing: &[Document]) -> CreateTask {
    let (en, zh) = listed(missing);
    about(case, "Call about missing documents", "致电催交材料")
        .about(
            format!("The time to hand in documents is over. Still missing: {en}."),
            format!("补交材料期限已过，尚缺：{zh}。"),
        )
        .due_in_days(1)
        .priority("high")
}

pub(crate) fn review(case: &WorkItem, matter: Matter) -> CreateTask {
    let (en, zh) = matter.words();
    about(case, "Review and decide", "审查并决定")
        .about(
            format!("All documents of the {en} are there. Decide, and say who decided."),
            format!("{zh}的材料已齐全，请审查并作出决定，同时填写决定人。"),
        )
        .due_in_days(3)
        .priority("normal")
}

pub(crate) fn approve(case: &WorkItem) -> CreateTask {
    about(case, "Second approval", "双人复核")
        .about(
            "Look at the documents and the decision with your own eyes. Who decided cannot approve.",
            "请独立复核材料与决定。复核人不能与决定人为同一人。",
        )
        .due_in_days(1)
        .priority("high")
}

pub(crate) fn tell(case: &WorkItem) -> CreateTask {
    about(case, "Tell the customer the decision", "告知客户处理结果")
        .about(
            "Write down what the customer was told, with the reason of a refusal and where to complain, then close the case.",
            "请记录答复内容（拒绝时说明理由和申诉途径），然后结案。",
        )
        .due_in_days(1)
        .priority("normal")
}

pub(crate) fn warn(case: &WorkItem, days: u16) -> CreateTask {
    about(case, "The regulator's time is running out", "监管时限将至")
        .about(
            format!("{days} days are left to decide. Say what holds it up, or decide."),
            format!("距规定时限还有 {days} 天，请说明阻碍或尽快作出决定。"),
        )
        .due_in_days(1)
        .priority("high")
}

pub(crate) fn overdue(case: &WorkItem) -> CreateTask {
    about(case, "Overdue for the regulator", "已超监管时限")
        .about(
            "The time to decide is over. Tell the customer and the compliance officer today, with the new date.",
            "处理时限已过，请于今日告知客户与合规人员，并说明新的日期。",
        )
        .due_in_days(0)
        .priority("high")
}
