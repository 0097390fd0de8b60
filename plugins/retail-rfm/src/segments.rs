//! Named segments: which pairs of recency and frequency grade make one.

use serde::Deserialize;
use trellis_sdk::{NO_VALUE, PluginError, Result};

use crate::model::RfmModel;

/// How many segments there can be; the manifest's schema says so too.
const SEGMENTS_MAX: usize = 30;
/// How many grades the usual scheme is made for.
const USUAL_GROUPS: usize = 5;

/// A segment: a name and the grades of recency and of frequency of which each pair belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedSegment {
    /// Lower-case letters, digits and `_`.
    pub name: String,
    /// What it is called in English.
    pub label_en: String,
    /// And in Chinese.
    pub label_zh: String,
    /// Recency grades, counted from 1, the worst.
    pub recency: Vec<u32>,
    /// Frequency grades, likewise.
    pub frequency: Vec<u32>,
}

/// A segment of the usual scheme: name, both labels, what to do in both languages, grades of recency and of frequency.
pub(crate) type Usual = ([&'static str; 5], &'static [u32], &'static [u32]);

/// The ten segments that are in use with quintiles, over recency and frequency.
pub(crate) const USUAL: [Usual; 10] = [
    (
        [
            "champions",
            "Champions",
            "冠军客户",
            "Bought lately and often. Reward them, show them novelties first, ask for referrals.",
            "最近常买。给予回馈，新品优先，邀请推荐。",
        ],
        &[5],
        &[4, 5],
    ),
    (
        [
            "loyal",
            "Loyal",
            "忠诚客户",
            "Buy often, the last time not long ago. Offer better variants and a membership.",
            "购买频繁，最近来过。推荐升级款，发展会员。",
        ],
        &[3, 4],
        &[4, 5],
    ),
    (
        [
            "potential_loyalists",
            "Potential loyalists",
            "潜在忠诚客户",
            "Bought lately and more than once. Membership, and what goes with past purchases.",
            "最近买过且不止一次。引导入会，推荐搭配商品。",
        ],
        &[4, 5],
        &[2, 3],
    ),
    (
        [
            "new",
            "New",
            "新客户",
            "Bought just now for the first time. Welcome series.",
            "刚刚首次购买。做好新客欢迎。",
        ],
        &[5],
        &[1],
    ),
    (
        [
            "promising",
            "Promising",
            "有潜力客户",
            "Bought not long ago, once. A reason for the second purchase.",
            "不久前买过一次。促成第二次购买。",
        ],
        &[4],
        &[1],
    ),
    (
        [
            "need_attention",
            "Need attention",
            "需关注客户",
            "Average in both. An offer for a limited time, by what they bought.",
            "近度和频度居中。按以往购买推送限时优惠。",
        ],
        &[3],
        &[3],
    ),
    (
        [
            "about_to_sleep",
            "About to sleep",
            "即将沉睡客户",
            "Below average in both. Remind them before they forget you.",
            "近度和频度偏低。在其遗忘之前及时提醒。",
        ],
        &[3],
        &[1, 2],
    ),
    (
        [
            "at_risk",
            "At risk",
            "流失风险客户",
            "Bought several times, not lately. Write in person, ask why, make an offer.",
            "曾多次购买，最近没来。个性化联系，了解原因，给予优惠。",
        ],
        &[1, 2],
        &[3, 4],
    ),
    (
        [
            "cannot_lose",
            "Cannot lose",
            "不能流失客户",
            "Bought most often, not lately. Call; let nobody win them.",
            "曾是最频繁的买家，最近没来。主动致电，全力挽回。",
        ],
        &[1, 2],
        &[5],
    ),
    (
        [
            "hibernating",
            "Hibernating",
            "休眠客户",
            "Seldom and long ago. Seasonal mailings at most.",
            "次数少且很久没来。最多纳入季节性群发。",
        ],
        &[1, 2],
        &[1, 2],
    ),
];

impl NamedSegment {
    fn usual(([name, en, zh, ..], recency, frequency): &Usual) -> Self {
        Self {
            name: (*name).to_owned(),
            label_en: (*en).to_owned(),
            label_zh: (*zh).to_owned(),
            recency: recency.to_vec(),
            frequency: frequency.to_vec(),
        }
    }

    /// What to do about it; none for segments of one's own.
    pub(crate) fn advice(&self) -> Option<(&'static str, &'static str)> {
        let usual = USUAL.iter().find(|([name, en, ..], ..)| *name == self.name && *en == self.label_en);
        usual.map(|([.., en, zh], ..)| (*en, *zh))
    }
}

/// The segments of a configuration: its own, or the usual ten where there are five grades; none otherwise.
pub(crate) fn of(own: &[NamedSegment], groups: usize) -> Vec<NamedSegment> {
    if own.is_empty() && groups == USUAL_GROUPS {
        return USUAL.iter().map(NamedSegment::usual).collect();
    }
    own.to_vec()
}

/// For each pair of grades the segment, recency first: a place in `segments`, or [`NO_VALUE`].
///
/// # Errors
/// [`PluginError::InvalidConfig`] where a name is unfit or stands twice, a grade does not exist, or a pair is in two segments.
pub(crate) fn map(segments: &[NamedSegment], groups: usize) -> Result<Vec<u32>> {
    let invalid = |en: String, zh: String| Err(PluginError::InvalidConfig((en, zh).into()));
    if segments.len() > SEGMENTS_MAX {
        let count = segments.len();
        return invalid(
            format!("`segments` has {count} entries; at most {SEGMENTS_MAX}"),
            format!("`segments` 有 {count} 项；最多 {SEGMENTS_MAX} 项"),
        );
    }
    let mut map = vec![NO_VALUE; groups * groups];
    for (place, segment) in segments.iter().enumerate() {
        let name = &segment.name;
        let is_lower = |mark: char| mark.is_ascii_lowercase() || mark.is_ascii_digit() || mark == '_';
        if !name.starts_with(|mark: char| mark.is_ascii_lowercase()) || !name.chars().all(is_lower) {
            return invalid(
                format!("`segments` names one `{name}`; lower-case letters, digits and _ make a name"),
                format!("`segments` 中的短名称 `{name}` 无效；只能用小写字母、数字和下划线，并以字母开头"),
            );
        }
        if segments.iter().take(place).any(|other| other.name == *name) {
            return invalid(
                format!("`segments` names `{name}` twice"),
                format!("`segments` 中 `{name}` 重复"),
            );
        }
        for recency in &segment.recency {
            for frequency in &segment.frequency {
                let cell = cell(*recency, *frequency, groups).and_then(|cell| map.get_mut(cell));
                let Some(cell) = cell else {
                    return invalid(
                        format!(
                            "segment `{name}` has recency {recency} and frequency {frequency}; there are grades 1 to {groups}"
                        ),
                        format!(
                            "细分群体 `{name}` 的近度 {recency}、频度 {frequency} 超出范围；得分为 1 到 {groups}"
                        ),
                    );
                };
                if *cell != NO_VALUE {
                    let other = segments.get(*cell as usize).map_or("", |other| other.name.as_str());
                    return invalid(
                        format!(
                            "recency {recency} with frequency {frequency} is in segment `{other}` and in `{name}`"
                        ),
                        format!("近度 {recency}、频度 {frequency} 同时属于 `{other}` 和 `{name}`"),
                    );
                }
                *cell = place as u32;
            }
        }
    }
    Ok(map)
}

/// The place of a pair of grades, counted from 1; none where there is no such grade.
fn cell(recency: u32, frequency: u32, groups: usize) -> Option<usize> {
    let grade = |grade: u32| (grade as usize).checked_sub(1).filter(|grade| *grade < groups);
    Some(grade(recency)? * groups + grade(frequency)?)
}

/// The segment of each row by its grades, counted from 0.
pub(crate) fn assign(model: &RfmModel, [recency, frequency, _]: &[Vec<u32>; 3]) -> Vec<u32> {
    let groups = model.groups as u32;
    let cells = recency.iter().zip(frequency).map(|(r, f)| r * groups + f);
    cells.map(|cell| model.segment_map.get(cell as usize).copied().unwrap_or(NO_VALUE)).collect()
}
