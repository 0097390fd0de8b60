use trellis_sdk::{
    Batch, CampaignRules, Context, Decision, Eligibilities, NoConfig, ObjectRecord, Result, RowActions,
    export_campaign_rules, message,
};

/// Who has not bought for half a year takes part, and gets one message.
impl CampaignRules for Plugin {
    type Config = NoConfig;

    fn eligible(_: &ObjectRecord, rows: &Batch, _: &NoConfig, at: &Context) -> Result<Eligibilities> {
        let last_order = rows.date("last_order")?;
        Ok(Eligibilities::each(rows, |row| match last_order.get(row) {
            None => Err("no-orders"),
            Some(day) if at.as_of.saturating_sub(day) < 180 => Err("too-recent"),
            Some(_) => Ok(()),
        }))
    }

    fn next_action(_: &ObjectRecord, rows: &Batch, _: &NoConfig, _: &Context) -> Result<Vec<RowActions>> {
        let (status, variant) = (rows.dictionary("status")?, rows.dictionary("variant")?);
        let due = |row: &usize| status.get(*row) == Some("planned") && variant.get(*row).is_some();
        let greet = || message("email").subject("We miss you", "好久不见").body("Come back!", "欢迎回来！");
        Ok((0..rows.rows()).filter(due).map(|row| Decision::nothing().then(greet()).for_row(row)).collect())
    }
}
export_campaign_rules!(Plugin);
