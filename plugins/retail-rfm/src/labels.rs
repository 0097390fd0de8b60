//! Names, labels and advice in two languages.

use trellis_sdk::{LocalizedText, SegmentationDescription, described, localized};

use crate::classes::{CLASS_NAMES, MATRIX_NAMES};
use crate::config::{Config, Middle, Weighting};
use crate::segments;
use crate::total;

pub(crate) const QUANTILE_NAMES: [&str; 3] = ["quantile_r", "quantile_f", "quantile_m"];
pub(crate) const NTILE_NAMES: [&str; 3] = ["ntile_r", "ntile_f", "ntile_m"];
pub(crate) const SEGMENT_NAME: &str = "segment";
pub(crate) const FIXED_NAMES: [&str; 3] = ["fixed_r", "fixed_f", "fixed_m"];

/// What recency, frequency and monetary value are called.
const DIMENSIONS: [(&str, &str); 3] = [("Recency", "近度"), ("Frequency", "频度"), ("Monetary", "额度")];

const QUANTILES: [&str; 4] = [
    "quantiles",
    "分位数",
    "Cut at the quantiles of the values; equal values have equal scores. The highest score is the best.",
    "按数值的分位数划分，数值相同则得分相同。分数越高越好。",
];
const EQUAL_GROUPS: [&str; 4] = [
    "equal groups",
    "等分组",
    "Customers ranked and cut into groups of equal size. The highest score is the best.",
    "客户排序后等分成组。分数越高越好。",
];

const FIXED: [&str; 4] = [
    "fixed bounds",
    "固定区间",
    "Cut at the bounds of the settings. The highest score is the best.",
    "按设置中的区间划分。分数越高越好。",
];

/// Label and advice of each class, in the order of [`CLASS_NAMES`].
const CLASSES: [[&str; 4]; 8] = [
    [
        "Important: value",
        "重要价值客户",
        "Bought lately, often and for much. Give the best service, early access and a named contact; do not discount.",
        "最近买过、买得勤、花得多。提供专属服务、新品优先和专人维护，不必打折。",
    ],
    [
        "Important: develop",
        "重要发展客户",
        "Bought lately and for much, but seldom. Cultivate: membership, cross-selling, reasons to come back sooner.",
        "最近买过、花得多，但买得少。深耕：发展会员、交叉销售，引导提高购买频率。",
    ],
    [
        "Important: keep",
        "重要保持客户",
        "Bought often and for much, but not lately. Win back: call in person, ask why, make an offer that fits past purchases.",
        "曾经买得勤、花得多，但最近没来。老客唤回：主动联系，了解原因，按以往购买给出合适的优惠。",
    ],
    [
        "Important: retain",
        "重要挽留客户",
        "Spent much, but seldom and long ago. Try once to retain them: find out what is missing before the customer is lost.",
        "花得多，但次数少且很久没来。重点挽留：在流失之前弄清原因，针对性召回。",
    ],
    [
        "General: value",
        "一般价值客户",
        "Buys lately and often, for little. Raise the basket: bundles, free delivery from an amount, better variants.",
        "最近常来，但花得少。提高客单价：组合销售、满额包邮、推荐升级款。",
    ],
    [
        "General: develop",
        "一般发展客户",
        "New or occasional, bought lately for little. Welcome series and a reason for the second purchase.",
        "新客或偶尔购买，最近来过，花得少。做好新客欢迎，促成第二次购买。",
    ],
    [
        "General: keep",
        "一般保持客户",
        "Came often for little, not lately. Keep in touch cheaply: automatic reminders, no personal effort.",
        "曾经常来、花得少，最近没来。低成本维系：自动提醒，不投入人工。",
    ],
    [
        "General: retain",
        "一般挽留客户",
        "Little, seldom and long ago. Include in seasonal mailings at most; spend nothing else.",
        "花得少、次数少、很久没来。最多纳入季节性群发，不另行投入。",
    ],
];

/// Label and advice of each field, in the order of [`MATRIX_NAMES`].
const MATRIX: [[&str; 4]; 4] = [
    [
        "Best",
        "优质型",
        "Spends more than average per order and orders more often. Protect this group first.",
        "每单金额和购买次数都高于平均。优先维护。",
    ],
    [
        "Spender",
        "乐于消费型",
        "Spends more than average per order, but orders seldom. Give reasons to order more often.",
        "每单金额高于平均，但购买次数少。提高购买频率。",
    ],
    [
        "Frequent",
        "经常型",
        "Orders more often than average, for less per order. Raise the value of an order.",
        "购买次数高于平均，但每单金额低。提高客单价。",
    ],
    [
        "Uncertain",
        "不确定型",
        "Below average in both. Watch how it develops before spending on it.",
        "每单金额和购买次数都不高。先观察，再决定是否投入。",
    ],
];

/// The scores as values: `1` (the worst) to the number of groups.
pub(crate) fn score_names(groups: usize) -> Vec<String> {
    (1..=groups).map(|score| score.to_string()).collect()
}

/// Three scores side by side, such as `544`. Re-scoring a single customer writes all of them, so they do without memory of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell([u8; 3]);

impl AsRef<str> for Cell {
    fn as_ref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are text")
    }
}

/// The cells as values, `111` first.
pub(crate) fn cells(groups: usize) -> impl Iterator<Item = Cell> {
    let digits = move || (b'1'..).take(groups);
    digits().flat_map(move |r| digits().flat_map(move |f| digits().map(move |m| Cell([r, f, m]))))
}

/// All segmentations, in the order in which `assign` fills them.
pub(crate) fn describe(config: &Config) -> Vec<SegmentationDescription> {
    let groups = config.groups;
    let mut all = Vec::new();
    all.extend(graded(QUANTILE_NAMES, QUANTILES, groups));
    all.extend(graded(NTILE_NAMES, EQUAL_GROUPS, groups));
    all.push(with_cells(described("quantile_cell", "RFM cell (quantiles)", "RFM 单元（分位数）"), groups));
    all.push(with_cells(described("ntile_cell", "RFM cell (equal groups)", "RFM 单元（等分组）"), groups));
    let class = described("class", "RFM class", "RFM 客户分类").about(
        "Eight classes: whether recency, frequency and monetary score lie above the mean score of all customers.",
        "八类客户：近度、频度、额度得分是否高于全体客户的平均得分。",
    );
    all.push(advised(class, CLASS_NAMES.into_iter().zip(CLASSES)));
    let (middle, middle_zh) = middle(config.matrix_by);
    let matrix = described("value_matrix", "Customer value matrix", "客户价值矩阵").about(
        &format!("Average spend per order and number of orders against the {middle}s of all customers."),
        &format!("平均每单金额和购买次数与全体客户{middle_zh}的比较。"),
    );
    all.push(advised(matrix, MATRIX_NAMES.into_iter().zip(MATRIX)));
    all.extend(named(config));
    if config.bounds.is_some() {
        all.extend(graded(FIXED_NAMES, FIXED, groups));
        all.push(with_cells(
            described("fixed_cell", "RFM cell (fixed bounds)", "RFM 单元（固定区间）"),
            groups,
        ));
    }
    if config.total != Weighting::None {
        all.push(with_totals(groups));
    }
    all
}

/// What figures are compared with.
pub(crate) fn middle(by: Middle) -> (&'static str, &'static str) {
    match by {
        Middle::Mean => ("mean", "平均值"),
        Middle::Median => ("median", "中位数"),
    }
}

/// The named segments; none where there are none.
fn named(config: &Config) -> Option<SegmentationDescription> {
    let named = segments::of(&config.segments, config.groups);
    let about = described(SEGMENT_NAME, "RFM segment", "RFM 细分群体").about(
        "Named segments by the scores of recency and frequency.",
        "按近度与频度得分组合命名的细分群体。",
    );
    let add = |description: SegmentationDescription, segment: &segments::NamedSegment| {
        let (en, zh) = segment.advice().unwrap_or_default();
        description.value_about(
            &segment.name,
            localized(&segment.label_en, &segment.label_zh),
            localized(en, zh),
        )
    };
    (!named.is_empty()).then(|| named.iter().fold(about, add))
}

/// The scores of the three dimensions by one `method`: its name and what it does.
fn graded(
    names: [&'static str; 3],
    method: [&'static str; 4],
    groups: usize,
) -> impl Iterator<Item = SegmentationDescription> {
    let [name_en, name_zh, about_en, about_zh] = method;
    names.into_iter().zip(DIMENSIONS).map(move |(name, (en, zh))| {
        let description =
            described(name, &format!("{en} score ({name_en})"), &format!("{zh}得分（{name_zh}）"));
        with_scores(description.about(about_en, about_zh), groups)
    })
}

fn with_scores(description: SegmentationDescription, groups: usize) -> SegmentationDescription {
    let add = |description: SegmentationDescription, score: String| {
        let (en, zh) = (format!("{score} of {groups}"), format!("{score} 分（满分 {groups} 分）"));
        description.value(&score, &en, &zh)
    };
    score_names(groups).into_iter().fold(description, add)
}

fn with_cells(description: SegmentationDescription, groups: usize) -> SegmentationDescription {
    let about = description.about(
        "The scores of recency, frequency and monetary value side by side.",
        "近度、频度、额度三个得分的组合。",
    );
    cells(groups)
        .fold(about, |description, cell| description.value(cell.as_ref(), cell.as_ref(), cell.as_ref()))
}

fn with_totals(groups: usize) -> SegmentationDescription {
    let about = described("total", "RFM total", "RFM 总分")
        .about("The weighted mean of the three scores, in tenths.", "三个得分的加权平均，精确到 0.1。");
    (0..total::count(groups)).fold(about, |description, total| {
        let shown = total::shown(total);
        description.value(&total::name(total), &shown, &format!("{shown} 分"))
    })
}

/// What a class is called.
pub(crate) fn class_labels() -> impl Iterator<Item = LocalizedText> {
    CLASSES.into_iter().map(|[en, zh, ..]| localized(en, zh))
}

/// What the fields of the value matrix are called.
pub(crate) fn matrix_labels() -> impl Iterator<Item = LocalizedText> {
    MATRIX.into_iter().map(|[en, zh, ..]| localized(en, zh))
}

/// What the dimensions are called.
pub(crate) fn dimension_labels() -> [LocalizedText; 3] {
    DIMENSIONS.map(|(en, zh)| localized(en, zh))
}

fn advised<'a>(
    description: SegmentationDescription,
    values: impl Iterator<Item = (&'a str, [&'a str; 4])>,
) -> SegmentationDescription {
    values.fold(description, |description, (name, [en, zh, advice_en, advice_zh])| {
        description.value_about(name, localized(en, zh), localized(advice_en, advice_zh))
    })
}
