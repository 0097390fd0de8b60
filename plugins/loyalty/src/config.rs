//! What an admin can set.

use serde::Deserialize;

/// What an admin can set.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How many days back orders count. The host cuts the columns by it. Default 365.
    pub window_days: u32,
    /// Points of 100 from which the attitude is high. Default 60.
    pub attitude_high: f64,
    /// Points of 100 from which the behaviour is high. Default 50.
    pub behaviour_high: f64,
    /// Percent of the purchases from which loyalty is one of price or of incentive. Default 50.
    pub share_high: f64,
    /// Rating from which basic expectations are met. Default 7.
    pub trap_basic: f64,
    /// Rating up to which latent expectations are not met. Default 5.
    pub trap_latent: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window_days: 365,
            attitude_high: 60.0,
            behaviour_high: 50.0,
            share_high: 50.0,
            trap_basic: 7.0,
            trap_latent: 5.0,
        }
    }
}
