//! What an admin can set.

use serde::Deserialize;

use crate::items::Item;
use crate::severity::Severity;

/// What an admin can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Hours to the first answer, by severity.
    pub hours_low: u16,
    /// See [`Config::hours_low`].
    pub hours_medium: u16,
    /// See [`Config::hours_low`].
    pub hours_high: u16,
    /// See [`Config::hours_low`].
    pub hours_critical: u16,
    /// Days within which another complaint of the customer raises the severity; 0 never does.
    pub repeat_days: u16,
    /// Days from the solution to the follow-up call.
    pub follow_up_days: u16,
    /// Items without which a complaint cannot be closed.
    pub required_items: Vec<Item>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hours_low: 72,
            hours_medium: 24,
            hours_high: 8,
            hours_critical: 2,
            repeat_days: 90,
            follow_up_days: 3,
            required_items: vec![
                Item::WhatHappened,
                Item::HowItHappened,
                Item::DissatisfactionReason,
                Item::CustomerReasonable,
                Item::DesiredResolution,
                Item::CustomerKind,
            ],
        }
    }
}

impl Config {
    /// Hours to the first answer.
    pub fn hours(&self, severity: Severity) -> u16 {
        match severity {
            Severity::Low => self.hours_low,
            Severity::Medium => self.hours_medium,
            Severity::High => self.hours_high,
            Severity::Critical => self.hours_critical,
        }
    }
}
