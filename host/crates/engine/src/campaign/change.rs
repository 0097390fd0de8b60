//! What becomes of a member because of what the plugin says.

use serde::{Deserialize, Serialize};
use trellis_model::RecordId;

use super::members::Member;

/// What the plugin says about a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// The customer takes part; without a variant in the hold-out group.
    TakesPart { variant: Option<String> },
    /// The customer does not, for a stable cause.
    StaysOut { cause: Option<String> },
    /// Nothing could be said.
    Failed { code: String },
}

/// A change of a campaign's members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// The customer becomes a member.
    Create { account: RecordId, variant: Option<String> },
    /// The member is not contacted after all.
    Suppress { member: Member, cause: Option<String> },
    /// The member is contacted after all. It keeps its variant.
    Plan { member: Member },
}

/// What becomes of a customer. A member who was contacted already stays as it is, whatever the plugin says now.
pub(super) fn change(account: RecordId, member: Option<&Member>, verdict: &Verdict) -> Option<Change> {
    match (member, verdict) {
        (None, Verdict::TakesPart { variant }) => Some(Change::Create { account, variant: variant.clone() }),
        (Some(member), Verdict::StaysOut { cause }) if member.status == "planned" => {
            Some(Change::Suppress { member: member.clone(), cause: cause.clone() })
        }
        (Some(member), Verdict::TakesPart { .. }) if member.status == "suppressed" => {
            Some(Change::Plan { member: member.clone() })
        }
        _ => None,
    }
}

impl Change {
    /// The member after the change; `id` is the one of a new member.
    pub(super) fn after(&self, id: RecordId) -> Member {
        let status = |status: &str, member: &Member| Member { status: status.to_owned(), ..member.clone() };
        match self {
            Self::Create { account, variant } => Member {
                id,
                account: *account,
                status: "planned".to_owned(),
                variant: variant.clone(),
                responded: false,
                version: 0,
            },
            Self::Suppress { member, .. } => status("suppressed", member),
            Self::Plan { member } => status("planned", member),
        }
    }

    /// Its name in the result of a run.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "created",
            Self::Suppress { .. } => "suppressed",
            Self::Plan { .. } => "planned_again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: RecordId = RecordId(uuid::Uuid::from_u128(1));

    fn member(status: &str) -> Member {
        Member {
            id: RecordId(uuid::Uuid::from_u128(2)),
            account: ACCOUNT,
            status: status.to_owned(),
            variant: Some("a".to_owned()),
            responded: false,
            version: 3,
        }
    }

    fn name(member: Option<&Member>, verdict: &Verdict) -> Option<&'static str> {
        change(ACCOUNT, member, verdict).map(|change| change.name())
    }

    #[test]
    fn only_members_whom_nobody_contacted_change() {
        let takes = Verdict::TakesPart { variant: Some("b".to_owned()) };
        let stays = Verdict::StaysOut { cause: Some("too-recent".to_owned()) };
        let failed = Verdict::Failed { code: "no-data".to_owned() };
        assert_eq!(name(None, &takes), Some("created"));
        assert_eq!(name(None, &stays), None);
        assert_eq!(name(Some(&member("planned")), &stays), Some("suppressed"));
        assert_eq!(name(Some(&member("planned")), &takes), None);
        assert_eq!(name(Some(&member("suppressed")), &takes), Some("planned_again"));
        assert_eq!(name(Some(&member("suppressed")), &stays), None);
        for status in ["contacted", "responded", "converted", "declined"] {
            assert_eq!(
                (name(Some(&member(status)), &takes), name(Some(&member(status)), &stays)),
                (None, None)
            );
        }
        for status in ["planned", "suppressed"] {
            assert_eq!(name(Some(&member(status)), &failed), None, "{status}: nothing is known");
        }
    }

    #[test]
    fn a_member_who_is_planned_again_keeps_its_variant() {
        let takes = Verdict::TakesPart { variant: Some("b".to_owned()) };
        let change = change(ACCOUNT, Some(&member("suppressed")), &takes).unwrap();
        let after = change.after(RecordId(uuid::Uuid::nil()));
        assert_eq!(
            (after.status.as_str(), after.variant.as_deref(), after.id),
            ("planned", Some("a"), member("").id)
        );
    }
}
