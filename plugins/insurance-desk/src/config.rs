//! What an admin can set.

use serde::Deserialize;

/// What an admin can set. Amounts are whole units of the currency that they are compared with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Hours to the first contact.
    pub acknowledge_hours: u16,
    /// Days from the notice to the decision.
    pub decide_days: u16,
    /// Days from the decision to the payment.
    pub pay_days: u16,
    /// A loss so soon after the contract began is a sign of fraud.
    pub new_contract_days: u16,
    /// A notice so long after the loss is one.
    pub late_notice_days: u16,
    /// So many claims within a year are one.
    pub claims_in_year: u16,
    /// An estimate of this amount is one.
    pub large_estimate: f64,
    /// How many signs call for an investigation.
    pub signs_for_investigation: usize,
    /// Payments from this amount on are authorised by a second person.
    pub authority_amount: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            acknowledge_hours: 24,
            decide_days: 30,
            pay_days: 10,
            new_contract_days: 30,
            late_notice_days: 14,
            claims_in_year: 3,
            large_estimate: 100_000.0,
            signs_for_investigation: 2,
            authority_amount: 50_000.0,
        }
    }
}
