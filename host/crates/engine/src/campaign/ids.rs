//! Ids that are the same whenever a run or reaction is done again, so that what it did before is found.

use trellis_model::RecordId;
use uuid::Uuid;

/// The highest bits of a UUIDv7's second half, and its version.
const VARIANT: u64 = 0x8000_0000_0000_0000;
const VERSION: u64 = 0x7000;

/// What a run or a reaction is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occasion {
    /// When it was asked for, or happened.
    pub(super) time_ms: i64,
    /// The job's id, or the entry's number in all its bytes.
    pub(super) key: [u8; 16],
    pub(super) campaign: RecordId,
}

impl Occasion {
    /// The occasion of a job.
    pub(super) fn of_job(job: RecordId, time_ms: i64, campaign: RecordId) -> Self {
        Self { time_ms, key: *job.as_bytes(), campaign }
    }

    /// The occasion of a log entry.
    pub(super) fn of_entry(number: u64, time_ms: i64, campaign: RecordId) -> Self {
        Self { time_ms, key: u128::from(number).to_be_bytes(), campaign }
    }

    /// The id of the decision about an account's next actions.
    pub(super) fn next_action(&self, account: RecordId) -> RecordId {
        self.id("next-action", account)
    }

    /// The id of the decision that an account takes part or not.
    pub(super) fn eligibility(&self, account: RecordId) -> RecordId {
        self.id("eligibility", account)
    }

    /// The id of the decision that says that the plugin was left out.
    pub(super) fn skipped(&self) -> RecordId {
        self.id("skipped", self.campaign)
    }

    /// The id of the member that an account becomes.
    pub(super) fn member(&self, account: RecordId) -> RecordId {
        self.id("member", account)
    }

    /// The id that calls are told as their run.
    pub(super) fn run(&self) -> RecordId {
        self.id("run", self.campaign)
    }

    /// A UUIDv7 of the occasion's time.
    fn id(&self, of: &str, account: RecordId) -> RecordId {
        let mut hash = blake3::Hasher::new_derive_key("trellis engine campaign v1");
        hash.update(&self.key)
            .update(self.campaign.as_bytes())
            .update(account.as_bytes())
            .update(of.as_bytes());
        let digest = hash.finalize();
        let (high, low) = digest.as_bytes().split_at(8);
        let number = |bytes: &[u8]| bytes.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
        let time = u64::try_from(self.time_ms).unwrap_or_default();
        RecordId(Uuid::from_u64_pair(time << 16 | VERSION | number(high) & 0xfff, VARIANT | number(low) >> 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_again_and_differ_by_what_they_are_of() {
        let id = |number: u128| RecordId(Uuid::from_u128(number));
        let occasion = Occasion::of_entry(7, 1_795_262_400_000, id(1));
        assert_eq!(occasion.member(id(2)), Occasion::of_entry(7, 1_795_262_400_000, id(1)).member(id(2)));
        let others = [
            occasion.member(id(3)),
            occasion.eligibility(id(2)),
            occasion.next_action(id(2)),
            Occasion::of_entry(8, 1_795_262_400_000, id(1)).member(id(2)),
            Occasion::of_entry(7, 1_795_262_400_000, id(9)).member(id(2)),
        ];
        assert!(others.iter().all(|&other| other != occasion.member(id(2))));
        let uuid = occasion.member(id(2)).0;
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(uuid.get_timestamp().unwrap().to_unix(), (1_795_262_400, 0));
    }
}
