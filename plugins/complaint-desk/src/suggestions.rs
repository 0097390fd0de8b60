//! What a person could do about a complaint, the best first.

use trellis_sdk::{Suggestion, WorkItem, localized, reason, suggestion};

use crate::config::Config;
use crate::severity::Severity;
use crate::{items, replies, requirements, tasks, wants};

pub(crate) fn of(case: &WorkItem, config: &Config) -> Vec<Suggestion> {
    match case.choice("status") {
        Some("closed") => Vec::new(),
        Some("resolved") => vec![finish(case, config)],
        _ => open(case),
    }
}

fn open(case: &WorkItem) -> Vec<Suggestion> {
    let severity = Severity::parse(case.choice("severity")).unwrap_or(Severity::Medium);
    let (en, zh) = severity.words();
    let mut suggestions = Vec::new();
    let heard = localized(
        "Who complains wants to be taken seriously and listened to first.",
        "投诉者首先希望得到认真对待和聆听。",
    );
    let mut call = suggestion("apologise", "Call back and apologise", "回电致歉")
        .because(reason("heard-first", heard, 1.0))
        .then(tasks::apologise(case));
    if case.choice("status") == Some("new") {
        call = call.then(case.set_fields().choice("status", "open"));
    }
    suggestions.push(call);
    if matches!(case.choice("status"), Some("open" | "waiting")) {
        let missing: Vec<_> = wants::open(case).into_iter().map(wants::Want::words).collect();
        let (en, zh): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
        if !en.is_empty() {
            let text = localized(
                format!("The customer still wants {}.", en.join(", ")),
                format!("顾客尚待满足的期望：{}。", zh.join("、")),
            );
            let reply =
                suggestion("reply", "Send an answer", "发送答复").because(reason("wants-open", text, 0.95));
            suggestions.push(reply.then(replies::draft(case, severity)));
        }
    }
    if severity >= Severity::High {
        let text = localized(format!("Severity is {en}."), format!("严重程度为{zh}。"));
        if case.choice("priority") != Some("urgent") {
            let escalate =
                suggestion("escalate", "Escalate", "升级处理").because(reason("severe", text.clone(), 0.9));
            let urgent = case.set_fields().choice("priority", "urgent");
            suggestions.push(escalate.then(urgent).then(tasks::alert(case, severity)));
        }
        let compensate = suggestion("compensate", "Offer a compensation", "提供补偿");
        suggestions.push(compensate.because(reason("severe", text, 0.8)).then(tasks::compensate(case)));
    }
    if !case.is_blank("desired_resolution") {
        let text = localized("The customer has said what would settle it.", "顾客已说明希望怎样解决。");
        let settle = suggestion("settle", "Do what the customer asked for", "落实顾客的诉求");
        suggestions.push(settle.because(reason("wish-is-known", text, 0.7)).then(tasks::settle(case)));
    }
    let missing = items::missing(case);
    if !missing.is_empty() {
        let (en, zh) = items::listed(&missing);
        let text = localized(format!("The record lacks {en}."), format!("投诉记录尚缺：{zh}。"));
        let complete = suggestion("complete_record", "Complete the record", "补全投诉记录");
        suggestions.push(
            complete
                .because(reason("incomplete-record", text, 0.5))
                .then(tasks::complete_record(case, &missing)),
        );
    }
    suggestions
}

/// Closes a complaint, or says what to do first.
fn finish(case: &WorkItem, config: &Config) -> Suggestion {
    let needed = requirements(case, config);
    if needed.is_empty() {
        let text = localized("It is resolved and its record is complete.", "投诉已解决且记录完整。");
        let close = suggestion("close", "Close the complaint", "结案").because(reason("complete", text, 1.0));
        return close.then(case.set_fields().choice("status", "closed"));
    }
    let messages: Vec<(&str, &str)> =
        needed.iter().map(|one| (one.message.en.as_str(), one.message.zh_cn.as_str())).collect();
    let (en, zh): (Vec<&str>, Vec<&str>) = messages.into_iter().unzip();
    let (en, zh) = (en.join(" "), zh.concat());
    let text = localized(format!("Before it can be closed: {en}"), format!("结案前需完成：{zh}"));
    suggestion("complete_record", "Complete the record", "补全投诉记录")
        .because(reason("incomplete-record", text, 1.0))
        .then(tasks::before_closing(case, &en, &zh))
}
