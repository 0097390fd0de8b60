//! Whether a customer may take part, asked of the plugin when somebody wants to know.

use std::sync::Arc;

use trellis_model::RecordId;
use trellis_records::Caller;

use super::{Eligibility, OUTSIDE_AUDIENCE, change::Verdict, deciding::Deciding, members, object};
use crate::{Error, Result, blocking::blocking, core::Core, lookups::sees_datasets};

/// Asks the plugin about a customer, as the data is now. Changes nothing.
pub(crate) async fn eligibility(
    core: &Core,
    caller: &Caller,
    campaign: RecordId,
    account: RecordId,
) -> Result<Eligibility> {
    let deciding = Arc::new(Deciding::find(core, caller, campaign).await?);
    let record = core.records.find(&caller.scope, &object("account"), account).await?;
    let member = members::of_account(core, campaign, account).await?;
    let in_audience = deciding.is_in_audience(core, &record).await?;
    core.columns.catch_up().await?;
    let ordinal = record.ordinal.filter(|_| in_audience);
    let batch = core.columns.dataset_row(&deciding.spec, deciding.as_of, ordinal).await?;
    let at = deciding.context(core, core.records.ids().record_id(core.records.clock().now_ms()));
    let asking = Arc::clone(&deciding);
    // Reasons may quote all that the plugin reads of a customer.
    let explains = {
        let manifest = crate::run::configured(deciding.enabled.manifest(), &deciding.config)?;
        sees_datasets(&caller.scope, &core.records.schema(), &manifest)
    };
    let (verdict, reasons) = blocking("asking a plugin who takes part", move || {
        let verdict = asking.decide(&batch, &at)?.pop();
        let reasons = if batch.rows == 0 || !explains { Vec::new() } else { asking.explain(batch, &at)? };
        Ok::<_, Error>((verdict, reasons))
    })
    .await??;
    let outside = Verdict::StaysOut { cause: Some(OUTSIDE_AUDIENCE.to_owned()) };
    let (eligible, cause, variant) = match verdict.unwrap_or(outside) {
        Verdict::TakesPart { variant } => (true, None, variant),
        Verdict::StaysOut { cause } => (false, cause, None),
        Verdict::Failed { code } => (false, Some(code), None),
    };
    Ok(Eligibility {
        plugin: deciding.plugin.clone(),
        version: deciding.version(),
        eligible,
        cause,
        variant: member.as_ref().map_or(variant, |member| member.variant.clone()),
        member: member.map(|member| member.id),
        reasons,
    })
}
