//! What happens while a plugin cannot be called, for each thing that it is asked for: what its author declares, and what an admin may
//! say instead.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trellis_model::{ObjectName, Text, bilingual};

use super::parse::{Parse, problem};
use super::{Interface, Manifest, OnFailure};

/// Something that a plugin is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AbsentUse {
    /// The values of its segmentations.
    Segmentation,
    /// The values of its scores.
    Scoring,
    /// Who takes part in a campaign, and what comes next.
    CampaignRules,
    /// What to do about a new record, a change or a timer.
    ServiceWorkflow,
    /// Whether a record may be closed.
    CloseCheck,
    /// Whether a record may be saved.
    RecordHook,
}

/// What happens instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AbsentPolicy {
    /// The last values stay, and are marked stale.
    Keep,
    /// Nobody has a value until the plugin is back.
    Clear,
    /// What would need it is refused for now.
    Refuse,
    /// It goes on without having been asked, and the ledger says so.
    Accept,
    /// It is left out, and the ledger says so.
    Skip,
}

/// What happens while a plugin cannot be called, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// What it is asked for.
    pub of: AbsentUse,
    /// Whose records that is about, where the manifest says it for each object.
    pub object: Option<ObjectName>,
    /// What happens.
    pub policy: AbsentPolicy,
    /// What the manifest says, or holds where it says nothing.
    pub declared: AbsentPolicy,
    /// Whether an admin says it.
    pub by_settings: bool,
}

impl AbsentUse {
    /// Everything that plugins are asked for.
    pub const ALL: [Self; 6] = [
        Self::Segmentation,
        Self::Scoring,
        Self::CampaignRules,
        Self::ServiceWorkflow,
        Self::CloseCheck,
        Self::RecordHook,
    ];

    /// Its name in manifests, in settings and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Segmentation => "segmentation",
            Self::Scoring => "scoring",
            Self::CampaignRules => "campaign-rules",
            Self::ServiceWorkflow => "service-workflow",
            Self::CloseCheck => "close-check",
            Self::RecordHook => "record-hook",
        }
    }

    /// The use of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.name() == name)
    }

    /// What may be said of it; the first holds where nothing is said.
    pub fn choices(self) -> &'static [AbsentPolicy] {
        use AbsentPolicy::{Accept, Clear, Keep, Refuse, Skip};
        match self {
            Self::Segmentation | Self::Scoring => &[Keep, Clear],
            Self::CampaignRules => &[Refuse, Skip],
            Self::ServiceWorkflow => &[Skip],
            Self::CloseCheck | Self::RecordHook => &[Refuse, Accept],
        }
    }

    /// What holds where nothing is said.
    pub fn usual(self) -> AbsentPolicy {
        match self {
            Self::Segmentation | Self::Scoring => AbsentPolicy::Keep,
            Self::ServiceWorkflow => AbsentPolicy::Skip,
            Self::CampaignRules | Self::CloseCheck | Self::RecordHook => AbsentPolicy::Refuse,
        }
    }

    /// Whether a plugin is asked for it.
    pub fn is_of(self, manifest: &Manifest) -> bool {
        let interface = match self {
            Self::Segmentation => Interface::Segmentation,
            Self::Scoring => Interface::Scoring,
            Self::CampaignRules => Interface::CampaignRules,
            Self::ServiceWorkflow => Interface::ServiceWorkflow,
            Self::CloseCheck => {
                let workflow = manifest.service_workflow.as_ref();
                return workflow.is_some_and(|workflow| workflow.closed.is_some());
            }
            Self::RecordHook => Interface::RecordHook,
        };
        manifest.provides.contains(&interface)
    }
}

impl AbsentPolicy {
    /// Every policy.
    pub const ALL: [Self; 5] = [Self::Keep, Self::Clear, Self::Refuse, Self::Accept, Self::Skip];

    /// Its name in manifests, in settings and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Clear => "clear",
            Self::Refuse => "refuse",
            Self::Accept => "accept",
            Self::Skip => "skip",
        }
    }

    /// The policy of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

impl From<OnFailure> for AbsentPolicy {
    fn from(policy: OnFailure) -> Self {
        match policy {
            OnFailure::Refuse => Self::Refuse,
            OnFailure::Accept => Self::Accept,
        }
    }
}

impl Absence {
    /// What it means, for the admin who reads it.
    pub fn in_words(&self) -> Text {
        use AbsentPolicy::{Accept, Clear, Refuse};
        let (en, zh) = match (self.of, self.policy) {
            (AbsentUse::Segmentation, Clear) => {
                ("nobody is in its segments until it is back", "插件恢复之前，客户不属于它的任何细分")
            }
            (AbsentUse::Segmentation, _) => (
                "customers stay in its segments, which are marked stale",
                "客户保留在原细分中，并标记为已过期",
            ),
            (AbsentUse::Scoring, Clear) => {
                ("nobody has its scores until it is back", "插件恢复之前，客户没有它的评分")
            }
            (AbsentUse::Scoring, _) => {
                ("customers keep its scores, which are marked stale", "客户保留原有评分，并标记为已过期")
            }
            (AbsentUse::CampaignRules, Refuse) => (
                "runs of its campaigns fail; members stay as they are",
                "它负责的营销活动运行失败，成员保持不变",
            ),
            (AbsentUse::CampaignRules, _) => (
                "runs of its campaigns change no members and say so",
                "它负责的营销活动照常结束，成员保持不变，并记入决策记录",
            ),
            (AbsentUse::ServiceWorkflow, _) => (
                "nothing is done about records, and the ledger says so",
                "不对记录做任何处理，并记入决策记录",
            ),
            (AbsentUse::CloseCheck, Accept) => (
                "records are closed unchecked, and the ledger says so",
                "记录不经检查即可关闭，并记入决策记录",
            ),
            (AbsentUse::CloseCheck, _) => ("records cannot be closed for now", "记录暂时无法关闭"),
            (AbsentUse::RecordHook, Accept) => {
                ("records are saved unjudged, and the ledger says so", "记录不经检查即可保存，并记入决策记录")
            }
            (AbsentUse::RecordHook, _) => ("records cannot be saved for now", "记录暂时无法保存"),
        };
        Text::new(en, zh)
    }
}

impl Manifest {
    /// What happens while the plugin cannot be called, where an admin says `instead`.
    pub fn absences(&self, instead: &BTreeMap<AbsentUse, AbsentPolicy>) -> Vec<Absence> {
        let mut absences = Vec::new();
        let mut push = |of: AbsentUse, object: Option<&ObjectName>, declared: AbsentPolicy| {
            let own = instead.get(&of).copied();
            absences.push(Absence {
                of,
                object: object.cloned(),
                policy: own.unwrap_or(declared),
                declared,
                by_settings: own.is_some(),
            });
        };
        for of in AbsentUse::ALL.into_iter().filter(|of| of.is_of(self)) {
            match of {
                AbsentUse::RecordHook => {
                    self.record_hooks
                        .iter()
                        .for_each(|hook| push(of, Some(&hook.object), hook.on_failure.into()));
                }
                AbsentUse::CloseCheck => {
                    if let Some(workflow) = &self.service_workflow {
                        let declared = workflow.closed.as_ref().map(|closed| closed.on_failure);
                        push(of, Some(&workflow.object), declared.unwrap_or_default().into());
                    }
                }
                _ => push(of, None, self.absent.get(&of).copied().unwrap_or(of.usual())),
            }
        }
        absences
    }

    /// What happens to something that the plugin is asked for once, not for each object, where an admin says `instead`.
    pub fn absence(&self, of: AbsentUse, instead: &BTreeMap<AbsentUse, AbsentPolicy>) -> AbsentPolicy {
        let declared = || self.absent.get(&of).copied().unwrap_or(of.usual());
        instead.get(&of).copied().unwrap_or_else(declared)
    }

    /// Says what is wrong with what an admin says instead.
    ///
    /// # Errors
    /// The name of a use that the plugin does not have, or of a policy that it cannot have.
    pub fn check_absent(&self, instead: &BTreeMap<AbsentUse, AbsentPolicy>) -> Result<(), Text> {
        instead.iter().try_for_each(|(of, policy)| {
            if !of.is_of(self) {
                let name = of.name();
                return Err(bilingual!(
                    "`absent.{name}`: the plugin is not asked for that",
                    "`absent.{name}`：插件不承担该用途"
                ));
            }
            fits(*of, *policy).map_err(|reason| {
                let (name, chosen, choices) = (of.name(), policy.name(), of.choices());
                let choices: Vec<_> = choices.iter().map(|choice| format!("`{}`", choice.name())).collect();
                let zh = format!("`absent.{name}`：`{chosen}` 不在 {} 之中", choices.join("、"));
                Text::new(format!("`absent.{name}`: {reason}"), zh)
            })
        })
    }
}

fn fits(of: AbsentUse, policy: AbsentPolicy) -> Result<(), String> {
    if of.choices().contains(&policy) {
        return Ok(());
    }
    let choices: Vec<_> = of.choices().iter().map(|choice| format!("`{}`", choice.name())).collect();
    Err(format!("`{}` is none of {}", policy.name(), choices.join(", ")))
}

/// Checks the table. What hooks and close checks do stands beside them, for each object.
pub(super) fn absent(
    raw: BTreeMap<String, String>,
    provides: &[Interface],
) -> Parse<BTreeMap<AbsentUse, AbsentPolicy>> {
    let entry = |(name, policy): (String, String)| {
        let key = format!("absent.{name}");
        let of =
            AbsentUse::named(&name).ok_or_else(|| problem(&key, "is nothing that a plugin is asked for"))?;
        let elsewhere = match of {
            AbsentUse::RecordHook => Some("`on-failure` of `[[record-hook]]` says it"),
            AbsentUse::CloseCheck => Some("`closed.on-failure` of `[service-workflow]` says it"),
            _ => None,
        };
        if let Some(reason) = elsewhere {
            return Err(problem(&key, reason));
        }
        if !provides.iter().any(|interface| interface.name() == name) {
            return Err(problem(&key, format!("is there, but `provides` does not name `{name}`")));
        }
        let known = AbsentPolicy::named(&policy);
        let policy = known.ok_or_else(|| problem(&key, format!("`{policy}` is no policy")))?;
        fits(of, policy).map_err(|reason| problem(&key, reason))?;
        Ok((of, policy))
    };
    raw.into_iter().map(entry).collect()
}
