//! Implements every interface, each in a few lines: what the host does with a plugin of many kinds, and what crossing costs nobody.

use std::collections::BTreeMap;

use trellis_sdk::serde::Deserialize;
use trellis_sdk::{
    Analysis, AnalysisDescription, Assignments, Batch, CampaignRules, Change, Context, Decision,
    Eligibilities, Fields, LearnedBy, ModelReport, NoConfig, ObjectRecord, RecordHook, Report, Result,
    RowActions, RowStream, ScoreDescription, Scores, Scoring, Segmentation, SegmentationDescription,
    ServiceWorkflow, Verdict, WorkItem, analysis, described, export_analysis, export_campaign_rules,
    export_model_report, export_record_hook, export_scoring, export_segmentation, export_service_workflow,
    json, localized, lookups, metric, panel, parse_parameters, reason, report, scored, task,
};

/// The plugin.
#[derive(Debug)]
pub struct EveryInterface;

impl Segmentation for EveryInterface {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<SegmentationDescription>> {
        Ok(vec![described("buys", "Buys", "是否购买").value("no", "No", "否").value("yes", "Yes", "是")])
    }

    fn assign(_: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let mut assignments = Assignments::default();
        let orders = rows.int64("orders")?;
        assignments.push(
            "buys",
            ["no", "yes"],
            orders.iter().map(|orders| u32::from(orders > Some(0))).collect(),
        );
        Ok(assignments)
    }
}

impl Scoring for EveryInterface {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<ScoreDescription>> {
        let score = scored("orders", "Orders", "订单数").range(0.0, 1e6);
        Ok(vec![score.band("few", 0.0, "Few", "少").band("many", 3.0, "Many", "多")])
    }

    fn score(_: &[u8], rows: &Batch, _: &Context) -> Result<Scores> {
        let mut scores = Scores::default();
        scores.push("orders", rows.int64("orders")?.iter().map(|orders| orders.map(|orders| orders as f64)));
        Ok(scores)
    }
}

impl CampaignRules for EveryInterface {
    type Config = NoConfig;

    fn eligible(_: &ObjectRecord, rows: &Batch, _: &NoConfig, _: &Context) -> Result<Eligibilities> {
        let orders = rows.int64("orders")?;
        Ok(Eligibilities::each(rows, |row| orders.get(row).map(drop).ok_or("no-orders")))
    }

    fn next_action(_: &ObjectRecord, rows: &Batch, _: &NoConfig, _: &Context) -> Result<Vec<RowActions>> {
        let status = rows.dictionary("status")?;
        let planned = (0..rows.rows()).filter(|row| status.get(*row) == Some("planned"));
        Ok(planned.map(|row| Decision::nothing().then(task("Call", "致电")).for_row(row)).collect())
    }
}

impl ServiceWorkflow for EveryInterface {
    type Config = NoConfig;

    /// A case of a customer who has another open one is urgent.
    fn triage(item: &WorkItem, _: &NoConfig, _: &Context) -> Result<Decision> {
        let Some(account) = item.reference("account") else { return Ok(Decision::nothing()) };
        let open = json!({"and": [
            {"field": "account", "op": "eq", "value": account},
            {"field": "status", "op": "eq", "value": "open"},
        ]});
        let others = lookups::count("case", open)?;
        if others == 0 {
            return Ok(Decision::nothing());
        }
        let text = localized(format!("{others} other open cases"), format!("另有 {others} 个未结工单"));
        Ok(Decision::because(reason("other-cases", text, 1.0))
            .then(item.set_fields().choice("priority", "urgent")))
    }
}

impl RecordHook for EveryInterface {
    type Config = NoConfig;

    fn before_save(change: &Change, _: &NoConfig, _: &Context) -> Result<Verdict> {
        let Some(subject) = change.after.text("subject") else { return Ok(Verdict::Accept) };
        Ok(match subject.trim() {
            "" => Verdict::veto("no-subject", "say what it is about", "请填写主题").on_field("subject"),
            trimmed if trimmed != subject => Verdict::patch(Fields::default().text("subject", trimmed)),
            _ => Verdict::Accept,
        })
    }
}

/// How large a model is, and whose it is.
impl ModelReport for EveryInterface {
    fn describe_model(learned_by: LearnedBy, model: &[u8]) -> Result<Report> {
        let whose = match learned_by {
            LearnedBy::Segmentation => localized("Learned by segmentation", "由分群学习"),
            LearnedBy::Scoring => localized("Learned by scoring", "由打分学习"),
        };
        Ok(report(whose).metric(metric("bytes", localized("Bytes", "字节数"), model.len() as f64)))
    }
}

/// What is said with the question about orders.
#[derive(Deserialize)]
#[serde(crate = "trellis_sdk::serde")]
struct AtLeast {
    at_least: i64,
}

impl Analysis for EveryInterface {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<AnalysisDescription>> {
        let at_least = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": { "at_least": {
                "type": "integer", "minimum": 0, "maximum": 1_000, "default": 1,
                "title": { "en": "At least so many orders", "zh-CN": "最少订单数" },
            } },
        });
        let orders = analysis("orders", "Customers by number of orders", "按订单数统计客户");
        Ok(vec![orders.of("customers").asking(&at_least), analysis("today", "The day", "日期")])
    }

    fn analyse(
        name: &str,
        rows: &mut RowStream<'_>,
        said: &str,
        _: &NoConfig,
        at: &Context,
    ) -> Result<Report> {
        if name == "today" {
            let day = panel("days", "Days", "日期").date("day", ("Day", "日"), [Some(at.as_of)]);
            return Ok(report(localized("One day", "一天")).panel(day));
        }
        let AtLeast { at_least } = parse_parameters(said)?;
        // As the company calls it, and not as the manifest names it.
        let called = rows.columns().into_iter().find(|column| column.name == "orders");
        let called = called.map_or_else(|| localized("Orders", "订单数"), |column| column.label);
        let mut counts = BTreeMap::<i64, i64>::new();
        for batch in rows {
            for orders in batch.int64("orders")?.iter().flatten().filter(|orders| *orders >= at_least) {
                *counts.entry(orders).or_default() += 1;
            }
        }
        let customers: i64 = counts.values().sum();
        let counted = panel("counts", "Customers by orders", "客户数分布")
            .int64("orders", (&called.en, &called.zh_cn), "", counts.keys().copied().map(Some))
            .int64("customers", ("Customers", "客户数"), "", counts.values().copied().map(Some))
            .bar("orders", ["customers"]);
        let summary = localized(format!("{customers} customers"), format!("{customers} 位客户"));
        Ok(report(summary)
            .metric(metric("customers", localized("Customers", "客户数"), customers as f64))
            .panel(counted))
    }
}

export_segmentation!(EveryInterface);
export_scoring!(EveryInterface);
export_campaign_rules!(EveryInterface);
export_service_workflow!(EveryInterface);
export_record_hook!(EveryInterface);
export_model_report!(EveryInterface);
export_analysis!(EveryInterface);
