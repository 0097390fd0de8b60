//! What was known when something was decided, kept so that it can be decided again: the call, and what look-ups answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use trellis_model::{Batch, FieldName, NamedRecord, RecordId};
use trellis_plugin_host::{CallContext, HookChange, Occurrence, WorkItem};
use trellis_rules::{Transition, Trigger};

use super::answers::{StoredAnswer, StoredQuestion};
use super::mirror::{self, Refused, StoredBatch, StoredChanges, StoredFields, StoredNamed};
use crate::{
    Error, Result,
    lookups::{Answer, Question},
    rules::RuleCall,
    stored,
};

/// Capsules of more bytes are compressed.
const PLAIN_BYTES_MAX: usize = 4 << 10;
/// Bytes that a capsule may have before it is compressed.
const BYTES_MAX: usize = 8 << 20;

/// What was known when something was decided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Capsule {
    pub(crate) call: CapsuleCall,
    /// What look-ups answered.
    pub(crate) answers: BTreeMap<Question, Answer>,
    /// What the plugin or rule returned, in the form of `replay::output`.
    pub(crate) output: String,
}

/// What was asked of whom.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CapsuleCall {
    Plugin { input: PluginInput, config: String, at: CallContext },
    Rule(RuleCall),
}

/// A function of a plugin with what it is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PluginInput {
    Triage(WorkItem),
    Event(WorkItem, Occurrence),
    Suggest(WorkItem),
    CloseCheck(WorkItem),
    BeforeSave(HookChange),
    Eligible { campaign: NamedRecord, batch: Batch },
    Variant { campaign: NamedRecord, batch: Batch },
    NextAction { campaign: NamedRecord, batch: Batch },
}

impl Capsule {
    /// A call of a plugin, and the canonical form of what it answered.
    pub(crate) fn plugin(
        input: PluginInput,
        config: &str,
        at: &CallContext,
        answers: BTreeMap<Question, Answer>,
        output: &Json,
    ) -> Self {
        let call = CapsuleCall::Plugin { input, config: config.to_owned(), at: at.clone() };
        Self { call, answers, output: output.to_string() }
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredCapsule {
    V1(Vec<u8>),
    /// LZ4 of the same, with its length before it.
    V1Compressed(Vec<u8>),
}

#[derive(Debug, Serialize, Deserialize)]
struct CapsuleV1 {
    call: StoredCall,
    answers: Vec<(StoredQuestion, StoredAnswer)>,
    /// JSON text.
    output: String,
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredCall {
    Plugin { input: StoredInput, config: String, at: StoredContext },
    Rule(StoredRuleCall),
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredContext {
    run_id: String,
    as_of_days: i32,
    now_ms: i64,
    time_zone: String,
    base_currency: String,
    seed: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredItem(StoredNamed, Option<StoredNamed>);

#[derive(Debug, Serialize, Deserialize)]
enum StoredOccurrence {
    Changed(StoredChanges),
    Timer(String),
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredInput {
    Triage(StoredItem),
    Event(StoredItem, StoredOccurrence),
    Suggest(StoredItem),
    CloseCheck(StoredItem),
    BeforeSave(StoredNamed, Option<StoredFields>),
    Eligible(StoredNamed, StoredBatch),
    Variant(StoredNamed, StoredBatch),
    NextAction(StoredNamed, StoredBatch),
}

/// What a rule was called with; its script is kept, since a rule's source changes.
#[derive(Debug, Serialize, Deserialize)]
struct StoredRuleCall {
    trigger: String,
    source: String,
    record: StoredNamed,
    before: Option<StoredNamed>,
    event: Option<StoredTransition>,
    hidden: Vec<String>,
    now_ms: i64,
    time_zone: String,
    user: Option<[u8; 16]>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredTransition {
    watched: String,
    from: Option<String>,
    to: Option<String>,
    value: Option<f64>,
}

/// The bytes of a capsule.
pub(super) fn encode(capsule: &Capsule) -> Vec<u8> {
    let bytes = stored::encode(&CapsuleV1 {
        call: StoredCall::from(&capsule.call),
        answers: capsule.answers.iter().map(|(question, answer)| (question.into(), answer.into())).collect(),
        output: capsule.output.clone(),
    });
    stored::encode(&match bytes.len() {
        0..=PLAIN_BYTES_MAX => StoredCapsule::V1(bytes),
        _ => StoredCapsule::V1Compressed(lz4_flex::compress_prepend_size(&bytes)),
    })
}

/// Reads a capsule.
pub(super) fn decode(id: RecordId, bytes: &[u8]) -> Result<Capsule> {
    let what = || format!("capsule of decision {id}");
    let damaged = |reason: String| Error::Damaged { what: format!("{}: {reason}", what()) };
    let bytes = match stored::decode(bytes, what)? {
        StoredCapsule::V1(bytes) => bytes,
        StoredCapsule::V1Compressed(bytes) => {
            let (length, compressed) =
                lz4_flex::block::uncompressed_size(&bytes).map_err(|error| damaged(error.to_string()))?;
            if length > BYTES_MAX {
                return Err(damaged(format!("claims {length} bytes, at most {BYTES_MAX}")));
            }
            lz4_flex::decompress(compressed, length).map_err(|error| damaged(error.to_string()))?
        }
    };
    let capsule: CapsuleV1 = stored::decode(&bytes, what)?;
    capsule.try_into().map_err(|Refused(reason)| damaged(reason))
}

impl TryFrom<CapsuleV1> for Capsule {
    type Error = Refused;

    fn try_from(capsule: CapsuleV1) -> Result<Self, Refused> {
        let answer = |(question, answer): (StoredQuestion, StoredAnswer)| {
            Ok((Question::try_from(question)?, Answer::try_from(answer)?))
        };
        Ok(Self {
            call: capsule.call.try_into()?,
            answers: capsule.answers.into_iter().map(answer).collect::<Result<_, Refused>>()?,
            output: capsule.output,
        })
    }
}

impl From<&CapsuleCall> for StoredCall {
    fn from(call: &CapsuleCall) -> Self {
        match call {
            CapsuleCall::Plugin { input, config, at } => {
                Self::Plugin { input: input.into(), config: config.clone(), at: at.into() }
            }
            CapsuleCall::Rule(call) => Self::Rule(call.into()),
        }
    }
}

impl TryFrom<StoredCall> for CapsuleCall {
    type Error = Refused;

    fn try_from(call: StoredCall) -> Result<Self, Refused> {
        Ok(match call {
            StoredCall::Plugin { input, config, at } => {
                Self::Plugin { input: input.try_into()?, config, at: at.into() }
            }
            StoredCall::Rule(call) => Self::Rule(call.try_into()?),
        })
    }
}

impl From<&CallContext> for StoredContext {
    fn from(at: &CallContext) -> Self {
        Self {
            run_id: at.run_id.clone(),
            as_of_days: at.as_of_days,
            now_ms: at.now_ms,
            time_zone: at.time_zone.clone(),
            base_currency: at.base_currency.clone(),
            seed: at.seed,
        }
    }
}

impl From<StoredContext> for CallContext {
    fn from(at: StoredContext) -> Self {
        Self {
            run_id: at.run_id,
            as_of_days: at.as_of_days,
            now_ms: at.now_ms,
            time_zone: at.time_zone,
            base_currency: at.base_currency,
            seed: at.seed,
        }
    }
}

impl From<&WorkItem> for StoredItem {
    fn from(item: &WorkItem) -> Self {
        Self((&item.item).into(), item.account.as_ref().map(StoredNamed::from))
    }
}

impl TryFrom<StoredItem> for WorkItem {
    type Error = Refused;

    fn try_from(item: StoredItem) -> Result<Self, Refused> {
        Ok(Self { item: item.0.try_into()?, account: item.1.map(NamedRecord::try_from).transpose()? })
    }
}

impl From<&PluginInput> for StoredInput {
    fn from(input: &PluginInput) -> Self {
        match input {
            PluginInput::Triage(item) => Self::Triage(item.into()),
            PluginInput::Event(item, occurrence) => Self::Event(
                item.into(),
                match occurrence {
                    Occurrence::Changed(before) => StoredOccurrence::Changed(mirror::changes(before)),
                    Occurrence::Timer(name) => StoredOccurrence::Timer(name.clone()),
                },
            ),
            PluginInput::Suggest(item) => Self::Suggest(item.into()),
            PluginInput::CloseCheck(item) => Self::CloseCheck(item.into()),
            PluginInput::BeforeSave(change) => {
                Self::BeforeSave((&change.after).into(), change.before.as_ref().map(mirror::fields))
            }
            PluginInput::Eligible { campaign, batch } => Self::Eligible(campaign.into(), batch.into()),
            PluginInput::Variant { campaign, batch } => Self::Variant(campaign.into(), batch.into()),
            PluginInput::NextAction { campaign, batch } => Self::NextAction(campaign.into(), batch.into()),
        }
    }
}

impl TryFrom<StoredInput> for PluginInput {
    type Error = Refused;

    fn try_from(input: StoredInput) -> Result<Self, Refused> {
        Ok(match input {
            StoredInput::Triage(item) => Self::Triage(item.try_into()?),
            StoredInput::Event(item, occurrence) => Self::Event(
                item.try_into()?,
                match occurrence {
                    StoredOccurrence::Changed(before) => Occurrence::Changed(mirror::from_changes(before)?),
                    StoredOccurrence::Timer(name) => Occurrence::Timer(name),
                },
            ),
            StoredInput::Suggest(item) => Self::Suggest(item.try_into()?),
            StoredInput::CloseCheck(item) => Self::CloseCheck(item.try_into()?),
            StoredInput::BeforeSave(after, before) => Self::BeforeSave(HookChange {
                after: after.try_into()?,
                before: before.map(mirror::from_fields).transpose()?,
            }),
            StoredInput::Eligible(campaign, batch) => {
                Self::Eligible { campaign: campaign.try_into()?, batch: batch.into() }
            }
            StoredInput::Variant(campaign, batch) => {
                Self::Variant { campaign: campaign.try_into()?, batch: batch.into() }
            }
            StoredInput::NextAction(campaign, batch) => {
                Self::NextAction { campaign: campaign.try_into()?, batch: batch.into() }
            }
        })
    }
}

impl From<&RuleCall> for StoredRuleCall {
    fn from(call: &RuleCall) -> Self {
        Self {
            trigger: call.trigger.as_str().to_owned(),
            source: call.source.to_string(),
            record: (&call.record).into(),
            before: call.before.as_ref().map(StoredNamed::from),
            event: call.event.as_ref().map(|event| StoredTransition {
                watched: event.watched.clone(),
                from: event.from.clone(),
                to: event.to.clone(),
                value: event.value,
            }),
            hidden: call.hidden.iter().map(FieldName::to_string).collect(),
            now_ms: call.now_ms,
            time_zone: call.time_zone.clone(),
            user: call.user.map(|user| *user.as_bytes()),
        }
    }
}

impl TryFrom<StoredRuleCall> for RuleCall {
    type Error = Refused;

    fn try_from(call: StoredRuleCall) -> Result<Self, Refused> {
        let StoredRuleCall { trigger, source, record, before, event, hidden, now_ms, time_zone, user } = call;
        let name = |name: &String| FieldName::new(name).map_err(|error| Refused(error.to_string()));
        Ok(Self {
            trigger: Trigger::of(&trigger).ok_or_else(|| Refused(format!("trigger `{trigger}`")))?,
            source: source.into(),
            record: record.try_into()?,
            before: before.map(NamedRecord::try_from).transpose()?,
            event: event.map(|event| Transition {
                watched: event.watched,
                from: event.from,
                to: event.to,
                value: event.value,
            }),
            hidden: hidden.iter().map(name).collect::<Result<_, _>>()?,
            now_ms,
            time_zone,
            user: user.map(mirror::id),
        })
    }
}
