//! What a care says. Messages are counted by the campaign that they belong to and so say nothing but what is meant for the customer; tasks belong
//! to none, and their subjects begin with words that the counts of calls look for.

use trellis_sdk::{Action, CreateTask, SendMessage, message, task};

use crate::config::{Entry, Occasion};

/// Days in which a call is due: the day of a care that was a call lies so long before.
pub(crate) const CALL_DAYS: u16 = 3;

/// A call for the owner's list, or a message. Both are for the row's customer.
pub(crate) fn care(entry: &Entry, campaign: &str) -> Action {
    if entry.channel == "phone" { call(entry, campaign).into() } else { send(entry).into() }
}

fn call(entry: &Entry, campaign: &str) -> CreateTask {
    let ((en, zh), (about_en, about_zh)) = words(entry, points(entry.occasion));
    let (ask_en, ask_zh) = if entry.asks_opinion {
        (
            " Ask how satisfied the customer is, from 1 to 5, and what could be better, even though nobody complained. Note the answer as a survey response.",
            "请主动询问满意度（1–5 分）和改进建议（即使客户没有投诉），并记录为调研回复。",
        )
    } else {
        ("", "")
    };
    task(format!("Care: {en}"), format!("客户关怀：{zh}"))
        .about(
            format!("Campaign “{campaign}”. {about_en}{ask_en}"),
            format!("营销活动“{campaign}”。{about_zh}{ask_zh}"),
        )
        .due_in_days(CALL_DAYS)
        .priority("normal")
}

fn send(entry: &Entry) -> SendMessage {
    let ((en, zh), (text_en, text_zh)) = words(entry, text(entry.occasion));
    let (ask_en, ask_zh) = if entry.asks_opinion {
        (
            "\nHow satisfied are you with us, from 1 (not at all) to 5 (very)? And what should we do better? Just answer this message.",
            "\n您对我们的满意度如何（1 分为很不满意，5 分为非常满意）？有哪些地方希望我们改进？直接回复即可。",
        )
    } else {
        ("", "")
    };
    message(&entry.channel).subject(en, zh).body(format!("{text_en}{ask_en}"), format!("{text_zh}{ask_zh}"))
}

type Words<'a> = (&'a str, &'a str);

/// The subject and the text of the settings, in each language, or else the usual ones.
fn words<'a>(entry: &'a Entry, usual: Words<'a>) -> (Words<'a>, Words<'a>) {
    let or = |own: &'a Option<String>, usual: &'a str| own.as_deref().unwrap_or(usual);
    let subject = heading(entry.occasion);
    (
        (or(&entry.subject_en, subject.0), or(&entry.subject_zh, subject.1)),
        (or(&entry.body_en, usual.0), or(&entry.body_zh, usual.1)),
    )
}

fn heading(occasion: Occasion) -> (&'static str, &'static str) {
    match occasion {
        Occasion::Birthday => ("Best wishes for your birthday", "生日祝福"),
        Occasion::Renewal => ("Your contract ends soon", "合同即将到期"),
        Occasion::Delivery => ("Is everything right with your delivery?", "送达回访"),
        Occasion::OrderPlaced => ("Your order is being prepared", "订单进展"),
        Occasion::Inactivity => ("How are you doing?", "近况问候"),
        Occasion::OpenDeal => ("Can we help you decide?", "选购协助"),
    }
}

fn text(occasion: Occasion) -> (&'static str, &'static str) {
    match occasion {
        Occasion::Birthday => {
            ("Happy birthday! Thank you for being with us.", "祝您生日快乐！感谢您一直以来的信任与支持。")
        }
        Occasion::Renewal => (
            "Your contract ends soon. Tell us what you would like to keep and what to change.",
            "您的合同即将到期，如需续约或调整内容，请告诉我们。",
        ),
        Occasion::Delivery => (
            "Your order has arrived. Is everything as you expected? If not, we will put it right.",
            "您的订单已送达，一切是否符合预期？如有任何问题，我们会尽快为您处理。",
        ),
        Occasion::OrderPlaced => (
            "Thank you for your order. We are preparing it and will tell you when it is on its way.",
            "感谢您的订购，我们会尽快处理，发货后通知您。",
        ),
        Occasion::Inactivity => (
            "We have not heard from you for a while. Is there anything that we can do for you?",
            "有一段时间没有您的消息了，有什么可以为您效劳的吗？",
        ),
        Occasion::OpenDeal => (
            "You are thinking about a purchase. We are glad to answer questions and to show you what others chose.",
            "您正在考虑选购，如有疑问欢迎随时咨询，我们也可为您介绍其他客户的选择。",
        ),
    }
}

/// What to say on the phone.
fn points(occasion: Occasion) -> (&'static str, &'static str) {
    match occasion {
        Occasion::Birthday => ("Call and congratulate; offer nothing.", "致电祝贺生日，不作推销。"),
        Occasion::Renewal => (
            "Call before the contract ends: what was good, what is to change, and renew.",
            "在合同到期前致电：了解使用情况与调整需求，商议续约。",
        ),
        Occasion::Delivery => {
            ("Call: has everything arrived, does it work?", "致电回访：是否收到、使用是否正常。")
        }
        Occasion::OrderPlaced => {
            ("Call: thank for the order, say when it comes.", "致电致谢，告知送达时间。")
        }
        Occasion::Inactivity => {
            ("Call: how is the customer, is anything wrong?", "致电问候：近况如何，是否遇到问题。")
        }
        Occasion::OpenDeal => ("Call: which questions are open?", "致电了解：还有哪些疑问。"),
    }
}
