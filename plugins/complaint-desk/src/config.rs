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
    /// From which severity on somebody has to tick which of the five wants were met; none never.
    #[serde(deserialize_with = "threshold")]
    pub wants_required_from: Option<Threshold>,
    /// From which severity on root cause and corrective action are asked for; none never.
    #[serde(deserialize_with = "threshold")]
    pub root_cause_from: Option<Threshold>,
    /// Days to find the cause, to decide an action, and to carry it out.
    pub corrective_days: u16,
    /// Days after a corrective action until somebody looks whether it worked.
    pub verify_days: u16,
}

/// A severity from which on something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// Of every complaint.
    Low,
    /// See [`Severity::Medium`].
    Medium,
    /// See [`Severity::High`].
    High,
    /// See [`Severity::Critical`].
    Critical,
}

impl Threshold {
    /// The severity itself.
    pub fn severity(self) -> Severity {
        match self {
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}

/// `never` is none.
fn threshold<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Threshold>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Setting {
        From(Threshold),
        Never(Never),
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Never {
        Never,
    }
    Ok(match Setting::deserialize(deserializer)? {
        Setting::From(threshold) => Some(threshold),
        Setting::Never(Never::Never) => None,
    })
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
            wants_required_from: Some(Threshold::High),
            root_cause_from: Some(Threshold::High),
            corrective_days: 7,
            verify_days: 30,
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
