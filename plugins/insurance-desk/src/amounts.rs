//! Amounts of a claim.

use trellis_sdk::bindings::shared::trellis::plugin::values::Money;
use trellis_sdk::{WorkItem, decimal_places};

/// An amount in whole units of its currency.
pub(crate) fn whole_units(money: &Money) -> f64 {
    let units = 10_f64.powi(i32::try_from(decimal_places(&money.currency)).unwrap_or(2));
    money.minor_units as f64 / units
}

/// What the insurer has to expect to pay: the assessment, before it the estimate, less the deductible in the same currency. Nothing once
/// it is paid or declined. None where nothing is known yet.
pub(crate) fn reserve(case: &WorkItem, finished: bool) -> Option<Money> {
    let loss = case.money("insurance_desk__assessed").or_else(|| case.money("insurance_desk__estimate"))?;
    let deductible = case
        .money("insurance_desk__deductible")
        .filter(|deductible| deductible.currency == loss.currency)
        .map_or(0, |deductible| deductible.minor_units);
    let declined = case.choice("insurance_desk__outcome") == Some("decline");
    let minor_units =
        if finished || declined { 0 } else { loss.minor_units.saturating_sub(deductible).max(0) };
    Some(Money { currency: loss.currency.clone(), minor_units })
}
