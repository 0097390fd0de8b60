//! What was learned, as tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, localized, panel, report as new_report};

use crate::labels::{CONTRIBUTIONS, PARTS, QUADRANTS, WALLETS};
use crate::model::ValueModel;

const CUSTOMERS: (&str, &str) = ("Customers", "客户数");
const RATINGS: [(&str, &str); 8] = [
    ("Product value", "产品价值"),
    ("Service value", "服务价值"),
    ("People value", "人员价值"),
    ("Image value", "形象价值"),
    ("Time cost", "时间成本"),
    ("Mental cost", "精神成本"),
    ("Physical cost", "体力成本"),
    ("Money cost", "资金成本"),
];

/// The whole report.
pub(crate) fn report(model: &ValueModel) -> Report {
    let figures = &model.figures;
    let mut report = new_report(model.summary());
    report.metrics = model.metrics();
    report
        .panel(spread(model))
        .panel(means(
            "parts",
            ["Parts of the value", "客户价值的构成"],
            &PARTS,
            &figures.parts,
            &model.config.value_weights(),
        ))
        .panel(means(
            "contributions",
            ["Contributions", "综合贡献的构成"],
            &CONTRIBUTIONS,
            &figures.contributions,
            &model.config.composite_weights(),
        ))
        .panel(quadrants(model))
        .panel(ratings(model))
        .panel(figures.trend.panel())
        .panel(wallets(model))
        .panel(wallet_changes(model))
}

fn words((en, zh): (&str, &str)) -> LocalizedText {
    localized(en, zh)
}

fn count(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

fn spread(model: &ValueModel) -> Panel {
    panel("spread", "Customer value", "客户价值分布")
        .names(
            "points",
            ("Points", "分数段"),
            (0..10).map(|tenth| Some(format!("{}–{}", tenth * 10, tenth * 10 + 10))),
        )
        .int64("customers", CUSTOMERS, "", model.figures.spread.into_iter().map(count))
        .bar("points", ["customers"])
}

fn means(
    name: &str,
    [en, zh]: [&str; 2],
    names: &[(&str, &str)],
    means: &[(f64, u64)],
    weights: &[f64],
) -> Panel {
    panel(name, en, zh)
        .words("part", ("Part", "部分"), names.iter().copied().map(words))
        .float64("weight", ("Weight", "权重"), "%", weights.iter().copied().map(Some))
        .float64(
            "mean",
            ("Mean", "平均分"),
            "/ 100",
            means.iter().map(|(mean, count)| (*count > 0).then_some(*mean)),
        )
        .int64(
            "customers",
            ("Customers with it", "有数据的客户数"),
            "",
            means.iter().map(|(_, customers)| count(*customers)),
        )
        .bar("part", ["mean"])
}

fn quadrants(model: &ValueModel) -> Panel {
    let level = |is_high: bool| if is_high { localized("High", "高") } else { localized("Low", "低") };
    panel("quadrants", "Value created and captured", "价值创造与获取")
        .about(
            "What customers get for what they give, by what they bring in the period; both against the median of those who were asked.",
            "客户让渡价值与期间销售额的组合，均与已调查客户的中位数比较。",
        )
        .words("delivered", ("Created for the customer", "为客户创造"), [true, true, false, false].map(level))
        .words("captured", ("Captured by us", "企业获取"), [true, false, true, false].map(level))
        .int64("customers", CUSTOMERS, "", model.figures.quadrants.map(count))
        .words("quadrant", ("Quadrant", "象限"), QUADRANTS.iter().map(|label| localized(label.en, label.zh)))
        .words("advice", ("What to do", "建议"), QUADRANTS.iter().map(|label| localized(label.advice_en, label.advice_zh)))
        .matrix("delivered", "captured", "customers")
}

fn ratings(model: &ValueModel) -> Panel {
    let means = &model.figures.ratings;
    panel("ratings", "What customers get and give", "客户总价值与总成本")
        .words("rating", ("Rating", "评分项"), RATINGS.iter().copied().map(words))
        .float64(
            "mean",
            ("Mean", "平均分"),
            "/ 10",
            means.iter().map(|(mean, count)| (*count > 0).then_some(*mean)),
        )
        .int64("customers", CUSTOMERS, "", means.iter().map(|(_, customers)| count(*customers)))
        .bar("rating", ["mean"])
}

fn wallets(model: &ValueModel) -> Panel {
    let (medium, high) = (model.config.wallet_medium, model.config.wallet_high);
    panel("wallets", "Share of wallet", "钱包份额")
        .about("Customers with an estimate of what they spend in all.", "有预计总支出的客户。")
        .words("band", ("Band", "区间"), WALLETS.into_iter().map(words))
        .float64("from", ("From", "起点"), "%", [0.0, medium, high].map(Some))
        .int64("customers", CUSTOMERS, "", model.figures.wallets.map(count))
        .bar("band", ["customers"])
}

fn wallet_changes(model: &ValueModel) -> Panel {
    let directions = [("Fell", "下降"), ("Stayed", "持平"), ("Rose", "上升")];
    panel("wallet_changes", "Shares of wallet against the period before", "钱包份额与上期相比")
        .about(
            "By at least a percentage point, at the same estimate: who falls buys elsewhere.",
            "以一个百分点为界，采用同一估算值；份额下降的客户正转向他处购买。",
        )
        .words("direction", ("Direction", "变化"), directions.into_iter().map(words))
        .int64("customers", CUSTOMERS, "", model.figures.wallet_changes.map(count))
        .bar("direction", ["customers"])
}

/// The rules in words, as Markdown.
pub(crate) fn rules(model: &ValueModel) -> LocalizedText {
    let (mut en, mut zh) =
        ("| part | weight |\n|---|---|\n".to_owned(), "| 部分 | 权重 |\n|---|---|\n".to_owned());
    let value = PARTS.iter().zip(model.config.value_weights());
    let composite = CONTRIBUTIONS.iter().zip(model.config.composite_weights());
    for ((name, name_zh), weight) in value.chain(composite) {
        en += &format!("| {name} | {weight} % |\n");
        zh += &format!("| {name_zh} | {weight}% |\n");
    }
    let (delivered, captured) = (
        model.delivered_middle,
        trellis_sdk::format_money(&model.currency, model.captured_middle.round() as i64),
    );
    en += &format!(
        "\nMedians: delivered value {delivered:.1}, sales of the period {captured}. What is not known has no weight."
    );
    zh += &format!("\n中位数：让渡价值 {delivered:.1}，期间销售额 {captured}。未知部分不计权重。");
    localized(en, zh)
}
