//! The tasks that the desk hands out. Each goes to the owner of the customer.

use trellis_sdk::CreateTask;
use trellis_sdk::{WorkItem, task};

use crate::items::{self, Item};
use crate::severity::Severity;

/// The complaint and its customer, for the subject of a task.
fn subject(case: &WorkItem) -> String {
    let subject = case.text("subject").unwrap_or_default();
    match case.account.as_ref().and_then(|account| account.text("name")) {
        Some(name) => format!("{name}: {subject}"),
        None => subject.to_owned(),
    }
}

fn about(case: &WorkItem, en: &str, zh: &str) -> CreateTask {
    let subject = subject(case);
    let task = task(format!("{en} – {subject}"), format!("{zh}：{subject}")).case(&case.item.id);
    match case.reference("account") {
        Some(account) => task.account(account),
        None => task,
    }
}

/// Somebody has to ask for what the record lacks.
pub(crate) fn complete_record(case: &WorkItem, missing: &[Item]) -> CreateTask {
    let (en, zh) = items::listed(missing);
    about(case, "Complete the complaint record", "补全投诉记录")
        .about(format!("Still missing: {en}."), format!("尚缺：{zh}。"))
        .due_in_days(1)
        .priority("normal")
}

/// Somebody has to do what closing asks for.
pub(crate) fn before_closing(case: &WorkItem, en: &str, zh: &str) -> CreateTask {
    about(case, "Complete the complaint record", "补全投诉记录")
        .about(en, zh)
        .due_in_days(1)
        .priority("normal")
}

/// The owner of the customer has to know (R25).
pub(crate) fn alert(case: &WorkItem, severity: Severity) -> CreateTask {
    let (en, zh) = severity.words();
    about(case, "Severe complaint of your customer", "您的客户提出严重投诉")
        .about(
            format!("Severity: {en}. Hold back campaigns and visits until it is settled, and call yourself."),
            format!("严重程度：{zh}。在妥善解决之前请暂停营销和拜访，并亲自致电。"),
        )
        .due_in_days(0)
        .priority("high")
}

/// Nobody answered in time.
pub(crate) fn escalate(case: &WorkItem) -> CreateTask {
    about(case, "Complaint without an answer", "投诉超时未受理")
        .about("The time for the first answer is over. Take it up now.", "首次响应时限已过，请立即受理。")
        .due_in_days(0)
        .priority("high")
}

/// A call after the solution, with what people who complain want (R46).
pub(crate) fn follow_up(case: &WorkItem, days: u16) -> CreateTask {
    about(case, "Follow-up call", "投诉回访")
        .about(
            "Ask: was the customer taken seriously? listened to? did somebody act? was the damage made good? was the customer respected? Write down which of the five were met.",
            "请询问顾客：是否受到认真对待？是否得到聆听？是否及时采取行动？是否得到补偿？是否受到认同和尊重？并记录五项中达到了哪几项。",
        )
        .due_in_days(days)
        .priority("normal")
}

/// A call that apologises.
pub(crate) fn apologise(case: &WorkItem) -> CreateTask {
    about(case, "Call back and apologise", "回电致歉")
        .about(
            "Listen first, sum up what happened, apologise, and say what happens next and when.",
            "先聆听，再复述经过，诚恳致歉，并说明接下来的处理和时间。",
        )
        .due_in_days(0)
        .priority("high")
}

/// What the customer asked for.
pub(crate) fn settle(case: &WorkItem) -> CreateTask {
    let wanted = case.text("desired_resolution").unwrap_or_default().to_owned();
    about(case, "Do what the customer asked for", "落实顾客的诉求")
        .about(format!("The customer wants: {wanted}"), format!("顾客的诉求：{wanted}"))
        .due_in_days(2)
        .priority("normal")
}

/// Something on top.
pub(crate) fn compensate(case: &WorkItem) -> CreateTask {
    about(case, "Offer a compensation", "提供补偿")
        .about(
            "The damage goes beyond the product: offer something that makes up for time and annoyance.",
            "损失已超出商品本身，请为顾客的时间和不快提供适当补偿。",
        )
        .due_in_days(1)
        .priority("high")
}

/// What lies behind a grave complaint (R48).
pub(crate) fn find_cause(case: &WorkItem, days: u16) -> CreateTask {
    about(case, "Find the root cause", "查明根本原因")
        .about(
            "Ask why until the answer is something that can be changed, and enter it with its kind.",
            "连续追问“为什么”，直到找到可以改变的原因，并填写原因及其类别。",
        )
        .due_in_days(days)
        .priority("normal")
}

/// What is to be done so that it does not happen again.
pub(crate) fn plan_action(case: &WorkItem, days: u16) -> CreateTask {
    about(case, "Decide a corrective action", "制定整改措施")
        .about(
            "Say what is changed so that it does not happen again, and by when.",
            "明确为防止再次发生而作出的改变，以及完成日期。",
        )
        .due_in_days(days)
        .priority("normal")
}

/// Somebody has to do it.
pub(crate) fn carry_out(case: &WorkItem, days: u16) -> CreateTask {
    let action = case.text("complaint_desk__corrective_action").unwrap_or_default();
    about(case, "Carry out the corrective action", "落实整改措施")
        .about(format!("To be done: {action}"), format!("整改内容：{action}"))
        .due_in_days(days)
        .priority("normal")
}

/// Somebody has to look whether it worked.
pub(crate) fn verify(case: &WorkItem, again: u64) -> CreateTask {
    about(case, "Check whether the corrective action worked", "验证整改效果")
        .about(
            format!("{again} more complaints of the same cause came in since. Enter whether it worked."),
            format!("整改后同类原因的投诉又有 {again} 件，请填写整改是否有效。"),
        )
        .due_in_days(5)
        .priority("normal")
}
