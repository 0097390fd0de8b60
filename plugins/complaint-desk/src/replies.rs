//! Drafts of an answer to the customer, by severity and by what the customer still wants.

use trellis_sdk::{SendMessage, WorkItem, message};

use crate::severity::Severity;
use crate::wants;

/// A draft over the channel by which the customer complained, if messages can go there.
pub(crate) fn draft(case: &WorkItem, severity: Severity) -> SendMessage {
    let takes_messages = |channel: &&str| matches!(*channel, "email" | "sms" | "wechat" | "phone");
    let channel = case.choice("channel").filter(takes_messages).unwrap_or("email");
    let subject = case.text("subject").unwrap_or_default();
    let ((opening_en, opening_zh), (closing_en, closing_zh)) = (opening(severity), closing(severity));
    let open = wants::open(case);
    let mut english = vec![opening_en];
    let mut chinese = vec![opening_zh];
    for want in open {
        let (en, zh) = want.sentence();
        english.push(en);
        chinese.push(zh);
    }
    english.push(closing_en);
    chinese.push(closing_zh);
    let draft = message(channel)
        .subject(format!("Your complaint: {subject}"), format!("关于您的投诉：{subject}"))
        .body(english.join("\n"), chinese.join("\n"));
    match case.reference("account") {
        Some(account) => draft.account(account),
        None => draft,
    }
}

fn opening(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Low => (
            "Thank you for telling us what you were not content with. We are sorry that it happened.",
            "感谢您告诉我们令您不满意的地方，对此我们深表歉意。",
        ),
        Severity::Medium => (
            "We are sorry for what happened to you, and apologise.",
            "对您的遭遇我们深感抱歉，并郑重向您致歉。",
        ),
        Severity::High => (
            "We apologise. The manager in charge has taken over your complaint personally.",
            "我们郑重向您致歉，您的投诉已由负责经理亲自处理。",
        ),
        Severity::Critical => (
            "We apologise. Our management looks after your complaint and will call you today.",
            "我们郑重向您致歉，公司管理层已介入处理，并将于今日致电与您沟通。",
        ),
    }
}

fn closing(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Low | Severity::Medium => (
            "If anything is left open, answer this message: it reaches the person who looks after it.",
            "如仍有疑问，请直接回复本消息，专人会为您处理。",
        ),
        Severity::High | Severity::Critical => (
            "You find the direct number of the person in charge below.",
            "负责人的直拨电话附后，您可随时联系。",
        ),
    }
}
