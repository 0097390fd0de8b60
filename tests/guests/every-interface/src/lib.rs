//! Implements every interface, each in a few lines: what the host does with a plugin of many kinds, and what crossing costs nobody.

use trellis_sdk::{
    Assignments, Batch, CampaignRules, Change, Context, Decision, Eligibilities, Fields, NoConfig,
    ObjectRecord, RecordHook, Result, RowActions, ScoreDescription, Scores, Scoring, Segmentation,
    SegmentationDescription, ServiceWorkflow, Verdict, WorkItem, described, export_campaign_rules,
    export_record_hook, export_scoring, export_segmentation, export_service_workflow, json, localized,
    lookups, reason, scored, task,
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

export_segmentation!(EveryInterface);
export_scoring!(EveryInterface);
export_campaign_rules!(EveryInterface);
export_service_workflow!(EveryInterface);
export_record_hook!(EveryInterface);
