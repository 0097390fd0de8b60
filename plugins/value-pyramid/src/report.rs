//! The pyramid as tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, localized, panel, report as new_report};

use crate::model::{Movement, Pyramid, TierFigures};
use crate::profit::CAUSES;
use crate::tiers::{TIERS, Tier};

const TIER: (&str, &str) = ("Tier", "层级");
const CUSTOMERS: (&str, &str) = ("Customers", "客户数");

/// The whole report.
pub(crate) fn report(pyramid: &Pyramid) -> Report {
    let mut report = new_report(pyramid.summary());
    report.metrics = pyramid.metrics();
    let report = report.panel(tiers(pyramid)).panel(pareto(pyramid));
    let report = match &pyramid.movement {
        Some(movement) => report.panel(moved(movement)),
        None => report,
    };
    let report = match pyramid.averages {
        Some(_) => report.panel(profit(pyramid)).panel(causes(pyramid)),
        None => report,
    };
    report.panel(strategy())
}

fn label(tier: &Tier) -> LocalizedText {
    localized(tier.en, tier.zh)
}

fn count(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

fn tiers(pyramid: &Pyramid) -> Panel {
    let tiers = &pyramid.tiers;
    let customers =
        |tier: &TierFigures| Some(100.0 * tier.customers as f64 / pyramid.customers.max(1) as f64);
    panel("tiers", "Value pyramid", "价值金字塔")
        .about(
            "Each tier from the top: how many customers it has, and what they bring.",
            "自上而下的各层：客户数量及其贡献。",
        )
        .words("tier", TIER, TIERS.iter().map(label))
        .int64("customers", CUSTOMERS, "", tiers.iter().map(|tier| count(tier.customers)))
        .float64(
            "customers_percent",
            ("Share of the customers", "客户占比"),
            "%",
            tiers.iter().map(customers),
        )
        .money(
            "revenue",
            ("Revenue", "销售额"),
            &pyramid.currency,
            tiers.iter().map(|tier| Some(tier.revenue)),
        )
        .float64(
            "revenue_percent",
            ("Share of the revenue", "销售额占比"),
            "%",
            pyramid.revenue_percents().into_iter().map(Some),
        )
        .money(
            "cut",
            ("Lowest lifetime value", "最低终身价值"),
            &pyramid.currency,
            tiers.iter().map(|tier| tier.cut),
        )
        .bar("tier", ["customers_percent", "revenue_percent"])
}

fn pareto(pyramid: &Pyramid) -> Panel {
    panel("pareto", "Pareto line", "帕累托曲线")
        .about("How much of the revenue the best customers bring.", "排名最前的客户贡献了多少销售额。")
        .float64(
            "customers",
            ("Best customers", "排名靠前的客户"),
            "%",
            (1..=100).map(|percent| Some(f64::from(percent))),
        )
        .float64(
            "revenue",
            ("Share of the revenue", "销售额占比"),
            "%",
            pyramid.pareto.iter().copied().map(Some),
        )
        .line("customers", ["revenue"])
}

fn moved(movement: &Movement) -> Panel {
    let new = localized("No order yet", "尚无订单");
    let earlier = || TIERS.iter().map(label).chain([new.clone()]);
    let cells = || {
        movement.iter().zip(earlier()).flat_map(|(row, from)| {
            row.iter().zip(&TIERS).map(move |(count, to)| (from.clone(), label(to), *count))
        })
    };
    panel("movement", "Movement between tiers", "层级流动")
        .about(
            "How many customers were in which tier at the beginning of the window, ranked among those of then, and are in which tier now.",
            "窗口期初（按当时全体客户排名）所在层级与当前层级的对照。",
        )
        .words("before", ("Tier before", "期初层级"), cells().map(|cell| cell.0))
        .words("now", ("Tier now", "当前层级"), cells().map(|cell| cell.1))
        .int64("customers", CUSTOMERS, "", cells().map(|cell| count(cell.2)))
        .matrix("before", "now", "customers")
}

fn profit(pyramid: &Pyramid) -> Panel {
    let (tiers, currency) = (&pyramid.tiers, &pyramid.currency);
    let income = |tier: &TierFigures| Some(tier.profit.saturating_add(tier.cost));
    let margin = |tier: &TierFigures| {
        let income = income(tier)?;
        (income > 0).then(|| 100.0 * tier.profit as f64 / income as f64)
    };
    let unprofitable = |tier: &TierFigures| count(tier.unprofitable.iter().sum());
    panel("profit", "Cost and income by tier", "各层投入产出")
        .about("Of the customers whose cost is known.", "仅统计成本已知的客户。")
        .words("tier", TIER, TIERS.iter().map(label))
        .int64("customers", CUSTOMERS, "", tiers.iter().map(|tier| count(tier.costed)))
        .money("revenue", ("Revenue", "销售额"), currency, tiers.iter().map(income))
        .money("cost", ("Cost", "成本"), currency, tiers.iter().map(|tier| Some(tier.cost)))
        .money(
            "profit",
            ("Revenue less cost", "销售额减成本"),
            currency,
            tiers.iter().map(|tier| Some(tier.profit)),
        )
        .float64("margin", ("Margin", "利润率"), "%", tiers.iter().map(margin))
        .int64("unprofitable", ("Do not pay", "无利可图"), "", tiers.iter().map(unprofitable))
        .bar("tier", ["revenue", "cost", "profit"])
}

fn causes(pyramid: &Pyramid) -> Panel {
    let cells = || {
        TIERS.iter().zip(&pyramid.tiers).flat_map(|(tier, figures)| {
            CAUSES.iter().zip(figures.unprofitable).map(move |(cause, count)| (tier, cause, count))
        })
    };
    panel("causes", "Why customers do not pay", "无利可图的原因")
        .about(
            "The accounts themselves: filter the list by the band “does not pay” of this plugin's profit.",
            "具体客户：在客户列表中按本插件利润得分的“无利可图”区间筛选。",
        )
        .words("tier", TIER, cells().map(|cell| label(cell.0)))
        .words("cause", ("Cause", "原因"), cells().map(|cell| localized(cell.1.en, cell.1.zh)))
        .names("code", ("Code", "代码"), cells().map(|cell| Some(cell.1.code)))
        .int64("customers", CUSTOMERS, "", cells().map(|cell| count(cell.2)))
        .matrix("cause", "tier", "customers")
}

fn strategy() -> Panel {
    panel("strategy", "What to do with each tier", "各层经营策略")
        .words("tier", TIER, TIERS.iter().map(label))
        .words(
            "advice",
            ("Strategy", "策略"),
            TIERS.iter().map(|tier| localized(tier.advice_en, tier.advice_zh)),
        )
}
