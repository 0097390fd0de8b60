//! The job that merges records.

use serde_json::{Value as Json, json};
use trellis_model::{Cause, FieldName, ObjectName, RecordId, Scope};
use trellis_records::{Caller, MergeRequest};

use crate::{Error, Result, core::Core, jobs::Request, jobs::Running};

/// A request as a job keeps it.
pub(crate) fn to_stored(request: &MergeRequest) -> Request {
    let bytes = |id: &RecordId| *id.as_bytes();
    Request::Merge {
        object: request.object.to_string(),
        winner: bytes(&request.winner),
        losers: request.losers.iter().map(bytes).collect(),
        choices: request.choices.iter().map(|(field, id)| (field.to_string(), bytes(id))).collect(),
    }
}

/// What [`to_stored`] kept.
pub(crate) fn from_stored(request: &Request) -> Result<MergeRequest> {
    let Request::Merge { object, winner, losers, choices } = request else {
        return Err(Error::Internal { doing: "merging records", reason: "the job is another".into() });
    };
    let damaged =
        |error: trellis_model::Error| Error::Damaged { what: format!("request of a merge: {error}") };
    let id = |bytes: &[u8; 16]| RecordId(uuid::Uuid::from_bytes(*bytes));
    let choice = |(field, of): &(String, [u8; 16])| Ok((FieldName::new(field).map_err(damaged)?, id(of)));
    Ok(MergeRequest {
        object: ObjectName::new(object).map_err(damaged)?,
        winner: id(winner),
        losers: losers.iter().map(id).collect(),
        choices: choices.iter().map(choice).collect::<Result<_>>()?,
    })
}

/// Merges. It can be cancelled until it begins; once the losers are gone it goes on to its end, also after a stop of the server, with the
/// rights that were checked when it was asked for.
pub(crate) fn run(core: &Core, job: &Running<'_>) -> Result<Json> {
    let request = from_stored(job.request())?;
    let MergeRequest { object, losers, .. } = &request;
    job.wait(core.records.merge_records(job.caller(), &request))?;
    // References are the host's to keep right, whoever sees the records; and nobody wants a task for each of them.
    let caller = job.caller();
    let cause = Cause { automations_off: true, ..caller.cause.clone() };
    let caller = Caller { scope: Scope::everything(), cause, ..caller.clone() };
    let progress = |done| job.progress(done, None, "references");
    let repointed = job.wait(core.records.repoint_references(&caller, object, losers, &progress))?;
    let settled = job.wait(core.records.settle_pairs(&caller, object, losers))?;
    Ok(json!({
        "object": object.as_str(),
        "winner": request.winner.to_string(),
        "merged": losers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "references": repointed.records,
        "references_cleared": repointed.cleared,
        "pairs_settled": settled,
    }))
}
