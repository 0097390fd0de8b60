//! What an admin can set.

use serde::Deserialize;

use crate::matter::Matter;

/// What an admin can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Days to decide a dispute.
    pub dispute_days: u16,
    /// Days to decide a loan application.
    pub loan_days: u16,
    /// Days before the end of the time at which somebody is warned.
    pub warning_days: u16,
    /// Days in which documents should come in.
    pub document_days: u16,
    /// From this amount on a second person approves; in whole units of the case's currency.
    pub four_eyes_amount: f64,
    /// From this amount on a loan needs a valued collateral.
    pub collateral_amount: f64,
    /// Days for which a transaction can be disputed.
    pub dispute_window_days: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dispute_days: 15,
            loan_days: 10,
            warning_days: 3,
            document_days: 5,
            four_eyes_amount: 50_000.0,
            collateral_amount: 200_000.0,
            dispute_window_days: 120,
        }
    }
}

impl Config {
    /// Days to decide.
    pub fn days(&self, matter: Matter) -> u16 {
        match matter {
            Matter::CardDispute => self.dispute_days,
            Matter::LoanApplication => self.loan_days,
        }
    }
}
