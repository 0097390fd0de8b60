//! Why a lead has its grade.

use trellis_sdk::{Context, Reason, localized, reason};

use crate::config::Config;
use crate::judgement::{Judgement, Met};
use crate::labels::{self, CRITERIA};
use crate::rows::{EDGES, Lead};

/// At most five, the strongest first.
pub(crate) fn explain(config: &Config, lead: &Lead<'_>, judgement: &Judgement, at: &Context) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(pin_reason(lead, judgement));
    reasons.push(grade_reason(judgement));
    reasons.push(fit_reason(judgement));
    reasons.push(engagement_reason(config, lead, judgement, at));
    reasons.push(man_reason(lead, judgement));
    reasons
}

fn pin_reason(lead: &Lead<'_>, judgement: &Judgement) -> Option<Reason> {
    lead.pinned?;
    let grade = labels::grade(judgement.grade?);
    let why = lead.pinned_reason.unwrap_or("–");
    let text =
        localized(format!("pinned to {grade} by a person: {why}"), format!("人工指定为 {grade}：{why}"));
    Some(reason("pinned", text, 1.0))
}

fn grade_reason(judgement: &Judgement) -> Reason {
    let text = match judgement.computed {
        None => localized(
            "no computed grade: nothing that fit asks for is known",
            "无法计算等级：匹配条件均未知或未设置",
        ),
        Some(place) => {
            let (grade, meaning) = (labels::grade(place), labels::meaning(place));
            localized(
                format!("computed grade {grade}: {}", meaning.en),
                format!("计算等级 {grade}：{}", meaning.zh_cn),
            )
        }
    };
    reason("grade", text, 0.9)
}

fn fit_reason(judgement: &Judgement) -> Reason {
    let names = |wanted: Met| {
        let found = judgement.criteria.iter().zip(CRITERIA).filter(move |(met, _)| **met == wanted);
        let (en, zh): (Vec<&str>, Vec<&str>) = found.map(|(_, name)| name).unzip();
        (en.join(", "), zh.join("、"))
    };
    let (mut en, mut zh) = match judgement.fit {
        None => ("fit unknown".to_owned(), "匹配度未知".to_owned()),
        Some(fit) => (format!("fit {fit:.0} of 100"), format!("匹配度 {fit:.0} 分")),
    };
    for (wanted, word, word_zh) in [
        (Met::Yes, "met", "满足"),
        (Met::No, "not met", "不满足"),
        (Met::Unknown, "unknown and without weight", "未知且不计权重"),
    ] {
        let (names, names_zh) = names(wanted);
        if !names.is_empty() {
            en += &format!("; {word}: {names}");
            zh += &format!("；{word_zh}：{names_zh}");
        }
    }
    reason("fit", localized(en, zh), 0.7)
}

fn engagement_reason(config: &Config, lead: &Lead<'_>, judgement: &Judgement, at: &Context) -> Reason {
    let all = |counts: &[i64; EDGES.len()]| counts.last().copied().unwrap_or_default();
    let (strong, light, points) = (all(&lead.strong), all(&lead.light), judgement.engagement);
    let half = config.half_life_days;
    let last = lead.last_touch.map(|day| (i64::from(at.as_of) - i64::from(day)).max(0));
    let (end, end_zh) = last.map_or((String::new(), String::new()), |days| {
        (format!("; last contact {days} days ago"), format!("；最近互动在 {days} 天前"))
    });
    let text = localized(
        format!(
            "engagement {points:.0} of 100: {strong} personal and {light} light contacts in a year, half-life {half} days{end}"
        ),
        format!(
            "参与度 {points:.0} 分：一年内人工互动 {strong} 次、轻度互动 {light} 次，半衰期 {half} 天{end_zh}"
        ),
    );
    reason("engagement", text, 0.6)
}

fn man_reason(lead: &Lead<'_>, judgement: &Judgement) -> Reason {
    let word = |grade: Option<&str>| match grade {
        Some("yes") => ("confirmed", "已确认"),
        Some("partly") => ("partly", "部分确认"),
        Some("no") => ("no", "不具备"),
        _ => ("unknown", "未知"),
    };
    let [money, authority, need] = lead.man.map(word);
    let points = judgement.man.map_or("–".to_owned(), |points| format!("{points:.0}"));
    let (evidence, evidence_zh) = if lead.has_evidence {
        ("evidence is noted", "已记录依据")
    } else {
        ("no evidence noted", "未记录依据")
    };
    let text = localized(
        format!(
            "MAN {points} of 100: money {}, authority {}, need {}; {evidence}",
            money.0, authority.0, need.0
        ),
        format!("MAN {points} 分：购买能力{}，决定权{}，需求{}；{evidence_zh}", money.1, authority.1, need.1),
    );
    reason("money-authority-need", text, 0.5)
}
