//! Campaigns whose members a plugin chooses: who takes part, in which variant, and what happens next.
//!
//! A run goes over the whole audience; after it, the customers whom log entries concern are decided about again. Both settle members the
//! same way: the member's change is saved, what the plugin wants is recorded as a decision in the same commit, then carried out.

mod absent;
mod ask;
mod audience;
mod change;
mod deciding;
mod evaluate;
mod ids;
mod members;
mod next;
mod react;
mod replay;
mod run;
mod seen;
mod settle;
mod taking;
mod trial;

use trellis_model::{ObjectName, PluginId, Reason, RecordId};
use trellis_plugin_host::Report;

pub(crate) use absent::check;
pub(crate) use ask::eligibility;
pub(crate) use evaluate::evaluate;
pub(crate) use react::react;
pub(crate) use replay::replay;
pub(crate) use run::run;
pub(crate) use taking::take;
pub use taking::{SegmentCampaign, TakenSegment};
pub(crate) use trial::{dry_run, replay_with};

/// Whether a customer may take part in a campaign, as its plugin says now.
#[derive(Debug, Clone, PartialEq)]
pub struct Eligibility {
    /// The plugin that says so.
    pub plugin: PluginId,
    /// In which version.
    pub version: String,
    /// Whether the customer may take part.
    pub eligible: bool,
    /// A stable code for why not.
    pub cause: Option<String>,
    /// The variant that the customer gets, or has; `None` is the hold-out group where the customer takes part.
    pub variant: Option<String>,
    /// The customer's member record, if there is one.
    pub member: Option<RecordId>,
    /// At most five, the strongest first.
    pub reasons: Vec<Reason>,
}

/// What came of a campaign, as its plugin says.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignEvaluation {
    /// The plugin that says so.
    pub plugin: PluginId,
    /// In which version.
    pub version: String,
    /// What it says about it.
    pub report: Report,
    /// How many members there are.
    pub members: u64,
}

/// The cause of members who are no longer in the audience. Plugins have causes of their own.
const OUTSIDE_AUDIENCE: &str = "outside-audience";

fn object(name: &str) -> ObjectName {
    ObjectName::new(name).expect("names of standard objects are names")
}
