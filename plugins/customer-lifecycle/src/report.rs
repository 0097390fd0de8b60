//! What was counted, as tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, localized, panel, report as new_report};

use crate::labels::{CAUSES, Label, PATTERNS, STAGES};
use crate::model::{Group, Lifecycle};

const CUSTOMERS: (&str, &str) = ("Customers", "客户数");

/// The whole report.
pub(crate) fn report(model: &Lifecycle) -> Report {
    let mut report = new_report(model.summary());
    report.metrics = model.metrics();
    let lost = panel_of("patterns", ["Lifecycle patterns", "生命周期模式"], &PATTERNS, &model.patterns, model).about(
        "Relations by the stage in which they ended; in the last also those that still hold. Revenue lost a year is that of ended ones.",
        "按退出阶段归类的客户关系，最后一类包含仍在保持的关系；每年流失收入仅计已终止的关系。",
    );
    let stages = panel_of("stages", ["Lifecycle stages", "生命周期阶段"], &STAGES, &model.stages, model)
        .about(
            "How many relations are in each stage, and what they bring and cost.",
            "各阶段的客户数及其投入产出。",
        );
    report.panel(stages).panel(lost).panel(causes(model)).panel(decisions(model)).panel(strategy())
}

fn label(label: &Label) -> LocalizedText {
    localized(label.en, label.zh)
}

fn count(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

fn panel_of(name: &str, [en, zh]: [&str; 2], labels: &[Label], groups: &[Group], model: &Lifecycle) -> Panel {
    let whole: u64 = groups.iter().map(|group| group.customers).sum();
    let share = |group: &Group| (whole > 0).then(|| 100.0 * group.customers as f64 / whole as f64);
    let currency = &model.currency;
    let table = panel(name, en, zh)
        .words("group", ("Group", "分组"), labels.iter().map(label))
        .int64("customers", CUSTOMERS, "", groups.iter().map(|group| count(group.customers)))
        .float64("share", ("Share", "占比"), "%", groups.iter().map(share))
        .money(
            "revenue",
            ("Income so far", "累计收入"),
            currency,
            groups.iter().map(|group| Some(group.revenue)),
        )
        .money(
            "lost",
            ("Revenue lost a year", "每年流失收入"),
            currency,
            groups.iter().map(|group| Some(group.lost)),
        );
    let table = if model.config.cost.is_some() {
        table
            .money(
                "cost",
                ("Invested so far", "累计投入"),
                currency,
                groups.iter().map(|group| Some(group.cost)),
            )
            .int64(
                "costed",
                ("Customers with known cost", "成本已知的客户数"),
                "",
                groups.iter().map(|group| count(group.costed)),
            )
    } else {
        table
    };
    table.bar("group", ["customers"])
}

/// The causes of exit by pattern, and those noted on relations that have not ended.
fn causes(model: &Lifecycle) -> Panel {
    let rows = PATTERNS.iter().map(label).chain([localized("Not ended", "尚未终止")]);
    let cells: Vec<_> = rows
        .zip(&model.causes)
        .flat_map(|(pattern, counts)| {
            CAUSES
                .iter()
                .zip(counts)
                .map(move |((en, zh), count)| (pattern.clone(), localized(*en, *zh), *count))
        })
        .collect();
    panel("causes", "Causes of exit by pattern", "各模式的退出原因")
        .about("As noted on the accounts.", "按客户资料中记录的退出原因统计。")
        .words("pattern", ("Pattern", "模式"), cells.iter().map(|cell| cell.0.clone()))
        .words("cause", ("Cause", "原因"), cells.iter().map(|cell| cell.1.clone()))
        .int64("customers", CUSTOMERS, "", cells.iter().map(|cell| count(cell.2)))
        .matrix("cause", "pattern", "customers")
}

fn decisions(model: &Lifecycle) -> Panel {
    let groups = [&model.recover, &model.let_go];
    let currency = &model.currency;
    panel("decisions", "Recover or let go", "恢复或终结")
        .about(
            "Relations in decline or ended, by whether an attempt to recover is expected to bring more than it costs.",
            "退化或已终止的关系，按挽回的预期收益是否高于成本划分。",
        )
        .words("advice", ("Advice", "建议"), [localized("Recover", "恢复"), localized("Let go", "终结")])
        .int64("customers", CUSTOMERS, "", groups.map(|group| count(group.customers)))
        .money("lost", ("Revenue lost a year", "每年流失收入"), currency, groups.map(|group| Some(group.lost)))
        .money("benefit", ("Expected benefit", "预期收益"), currency, groups.map(|group| Some(group.benefit)))
        .bar("advice", ["lost", "benefit"])
}

fn strategy() -> Panel {
    let advice = |label: &Label| localized(label.advice_en, label.advice_zh);
    let all = || STAGES.iter().chain(&PATTERNS);
    panel("strategy", "What to do in each stage", "各阶段经营策略")
        .words("group", ("Stage or pattern", "阶段或模式"), all().map(label))
        .words("advice", ("Strategy", "策略"), all().map(advice))
}

/// The rules in words, as Markdown.
pub(crate) fn rules(model: &Lifecycle) -> LocalizedText {
    let config = &model.config;
    let before = config.history_days - config.window_days;
    let (window, drop, growth) = (config.window_days, config.drop_percent, config.growth_percent);
    let (cycles, exit, trial, trial_days) =
        (config.exit_cycles, config.exit_days, config.trial_orders, config.trial_days);
    let (early, late, tolerance) = (config.early_days, config.late_days, config.demand_tolerance_percent);
    localized(
        format!(
            "1. Ended: no order for {cycles} × its own mean interval, at least {exit} days.\n\
             2. Exploration: up to {trial} orders, or up to {trial_days} days.\n\
             3. Decline: volume a day of the last {window} days at least {drop} % below that of the {before} days before, unless the total demand fell by more than {tolerance} %.\n\
             4. Build-up: volume a day grew by {growth} % or more, or a customer for less than {early} days.\n\
             5. Stability: else; long-term from {late} days."
        ),
        format!(
            "1. 已终止：超过自身平均购买间隔 {cycles} 倍且至少 {exit} 天未下单。\n\
             2. 考察期：不超过 {trial} 笔订单，或不超过 {trial_days} 天。\n\
             3. 退化期：最近 {window} 天日均交易额比之前 {before} 天下降 {drop}% 以上，且总需求降幅不超过 {tolerance}%。\n\
             4. 形成期：日均交易额增长 {growth}% 以上，或成为客户不足 {early} 天。\n\
             5. 稳定期：其余情况；满 {late} 天为长期保持。"
        ),
    )
}
