//! What was learned, as tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, localized, panel, report as new_report};

use crate::model::Relationships;
use crate::types::{self, CROWDS, MARGINS, ONE_TO_ONE, RELATIONSHIPS, Type};

const CUSTOMERS: (&str, &str) = ("Customers", "客户数");

/// The whole report.
pub(crate) fn report(model: &Relationships) -> Report {
    let mut report = new_report(model.summary());
    report.metrics = model.metrics();
    let five = ["Recommended relationships", "推荐关系类型"];
    let four = ["One-to-one types", "一对一类型"];
    report
        .panel(mix("relationships", five, &RELATIONSHIPS, &model.recommended()))
        .panel(levels(model))
        .panel(moves(model))
        .panel(mix("one_to_one", four, &ONE_TO_ONE, &model.one_to_one))
        .panel(groups(model))
}

fn label(one: &Type) -> LocalizedText {
    localized(one.en, one.zh)
}

fn count(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

fn mix(name: &str, [en, zh]: [&str; 2], all: &[Type], counts: &[u64]) -> Panel {
    panel(name, en, zh)
        .words("type", ("Type", "类型"), all.iter().map(label))
        .int64("customers", CUSTOMERS, "", counts.iter().map(|customers| count(*customers)))
        .int64(
            "days",
            ("Days between contacts", "联系间隔"),
            ("days", "天"),
            all.iter().map(|one| Some(one.days.into())),
        )
        .words(
            "advice",
            ("What to do", "建议"),
            all.iter().map(|one| localized(one.advice_en, one.advice_zh)),
        )
        .bar("type", ["customers"])
}

/// The table of the textbook, with how many customers are in each cell.
fn levels(model: &Relationships) -> Panel {
    let cells = || {
        CROWDS.iter().zip(model.cells).enumerate().flat_map(|(crowd, (row, counts))| {
            MARGINS.iter().zip(counts).enumerate().map(move |(margin, (column, customers))| {
                (
                    *row,
                    *column,
                    customers,
                    types::relationship(crowd, margin).and_then(|place| RELATIONSHIPS.get(place)),
                )
            })
        })
    };
    let words = |word: (&str, &str)| localized(word.0, word.1);
    panel("levels", "Customers and margin", "客户数量与边际利润")
        .about(
            "How many customers a group has, by what each brings.",
            "组内客户数量与单个客户边际利润的组合。",
        )
        .words("crowd", ("Number of customers", "客户数量"), cells().map(|cell| words(cell.0)))
        .words("margin", ("Margin", "边际利润"), cells().map(|cell| words(cell.1)))
        .words(
            "type",
            ("Relationship", "关系类型"),
            cells().map(|cell| cell.3.map_or_else(|| localized("", ""), label)),
        )
        .int64("customers", CUSTOMERS, "", cells().map(|cell| count(cell.2)))
        .matrix("crowd", "margin", "customers")
}

fn moves(model: &Relationships) -> Panel {
    let rows = || RELATIONSHIPS.iter().map(label).chain([localized("Not set", "未设置")]);
    let cells = || {
        rows().zip(model.moves).flat_map(|(present, counts)| {
            RELATIONSHIPS
                .iter()
                .zip(counts)
                .map(move |(one, customers)| (present.clone(), label(one), customers))
        })
    };
    panel("moves", "Relationship now and recommended", "现有关系与推荐关系")
        .words("present", ("Now", "现有"), cells().map(|cell| cell.0))
        .words("recommended", ("Recommended", "推荐"), cells().map(|cell| cell.1))
        .int64("customers", CUSTOMERS, "", cells().map(|cell| count(cell.2)))
        .matrix("present", "recommended", "customers")
}

/// The largest hundred groups.
fn groups(model: &Relationships) -> Panel {
    let mut groups: Vec<(&String, u64)> = model.groups.iter().map(|(name, count)| (name, *count)).collect();
    groups.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    groups.truncate(100);
    let name = |name: &str| if name.is_empty() { "–".to_owned() } else { name.to_owned() };
    panel("groups", "Groups", "客户分组")
        .names("group", ("Group", "分组"), groups.iter().map(|(group, _)| Some(name(group))))
        .int64("customers", CUSTOMERS, "", groups.iter().map(|(_, customers)| count(*customers)))
        .bar("group", ["customers"])
}
