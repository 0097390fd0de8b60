//! What grades and scores are called, and what to do about each.

use trellis_sdk::{LocalizedText, ScoreDescription, SegmentationDescription, described, localized, scored};

use crate::judgement::GRADES;

/// The criteria of fit: English and Chinese.
pub(crate) const CRITERIA: [(&str, &str); 5] = [
    ("industry", "行业"),
    ("country", "国家/地区"),
    ("job title", "职务"),
    ("size", "规模"),
    ("source", "来源"),
];

/// By fit: A to D.
const FITS: [(&str, &str); 4] = [
    ("fits very well", "匹配度很高"),
    ("fits well", "匹配度较高"),
    ("fits partly", "部分匹配"),
    ("hardly fits", "匹配度低"),
];

/// By engagement: 1 to 4.
const ENGAGEMENTS: [(&str, &str); 4] = [
    ("very engaged", "参与度很高"),
    ("engaged", "参与度较高"),
    ("little engaged", "参与度较低"),
    ("not engaged", "几乎无参与"),
];

/// A place in the grades as people write it: `A1`.
pub(crate) fn grade(place: usize) -> String {
    GRADES.get(place).map(|grade| grade.to_uppercase()).unwrap_or_default()
}

/// What a grade means and asks for.
pub(crate) fn meaning(place: usize) -> LocalizedText {
    let (fit, engagement) = (place / 4, place % 4);
    let (en, zh) = FITS.get(fit).copied().unwrap_or_default();
    let (engaged, engaged_zh) = ENGAGEMENTS.get(engagement).copied().unwrap_or_default();
    let (advice, advice_zh) = match (fit, engagement) {
        (0 | 1, 0 | 1) => ("Call within a day.", "一天内致电。"),
        (0 | 1, _) => ("Nurture: it fits, wake its interest.", "持续培育：匹配度好，激发兴趣。"),
        (_, 0 | 1) => ("Check why it is interested; let it serve itself.", "核实其兴趣来源，引导自助。"),
        _ => ("No personal effort.", "不投入人工。"),
    };
    localized(format!("{en}, {engaged}. {advice}"), format!("{zh}，{engaged_zh}。{advice_zh}"))
}

pub(crate) fn segmentations() -> Vec<SegmentationDescription> {
    let grades = described("grade", "Lead grade", "线索等级").about(
        "Fit as a letter, engagement as a figure; a grade that somebody pinned goes before.",
        "字母表示匹配度，数字表示参与度；人工指定的等级优先。",
    );
    let fill = |description: SegmentationDescription, place: usize| {
        let name = GRADES.get(place).copied().unwrap_or_default();
        description.value_about(name, localized(grade(place), grade(place)), meaning(place))
    };
    vec![(0..GRADES.len()).fold(grades, fill)]
}

pub(crate) fn scores() -> Vec<ScoreDescription> {
    let points = |name: &str, en: &str, zh: &str| scored(name, en, zh).range(0.0, 100.0);
    vec![
        points("fit", "Fit", "匹配度").about(
            "The weight of the criteria that the lead meets, of those that are asked for and known.",
            "线索满足的条件所占权重（仅计已设置且已知的条件）。",
        ),
        points("engagement", "Engagement", "参与度").about(
            "Contacts in which the lead took part by itself, each losing half of its weight in a half-life.",
            "线索主动参与的互动，每经过一个半衰期分量减半。",
        ),
        points("man", "Money, authority, need", "购买能力、决定权、需求")
            .about(
                "Confirmed counts fully, partly half, unknown nothing.",
                "已确认计满分，部分确认计一半，未知不计分。",
            )
            .band("unqualified", 0.0, "Unqualified", "不合格")
            .band("promising", 50.0, "Promising", "有希望")
            .band("qualified", 100.0, "Qualified", "合格"),
    ]
}
