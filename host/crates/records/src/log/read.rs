use trellis_storage::{ScanRange, Store};

use super::codec::{self, Header};
use super::{EntryBody, LogEntry, LoggedChange};
use crate::codec::chunks;
use crate::keys::{self, Key, KeyKind};
use crate::{Error, Result};

/// Rows of a page of log keys.
const PAGE_ROWS: usize = 200;

/// A header with the number and position that it was stamped with.
#[derive(Debug)]
pub(crate) struct StoredHeader {
    pub(crate) number: u64,
    pub(crate) position: u64,
    pub(crate) header: Header,
}

impl StoredHeader {
    fn new(body: Body) -> Result<Self> {
        let header = codec::read_header(&body.bytes)?;
        Ok(Self { number: body.number, position: body.stamp, header })
    }

    /// The entry with its payload, where that has not expired.
    fn with(self, payload: Option<&[u8]>) -> Result<LogEntry> {
        let Self { number, position, header } = self;
        Ok(LogEntry {
            number,
            position,
            time_ms: header.time_ms,
            actor: header.actor,
            cause: header.cause,
            body: codec::body(header.subject, payload)?,
        })
    }
}

/// Reads the entries after a number up to the first gap: what lies behind a gap was committed while the scan was under way.
pub(crate) async fn entries(store: &dyn Store, after: u64, entries_max: usize) -> Result<Vec<LogEntry>> {
    let headers = headers(store, after, entries_max).await?;
    let (Some(first), Some(last)) = (headers.first(), headers.last()) else { return Ok(Vec::new()) };
    let bodies = bodies(store, KeyKind::LogPayload, first.number, last.number + 1, usize::MAX).await?;
    let mut bodies = bodies.into_iter().peekable();
    let mut entries = Vec::with_capacity(headers.len());
    for header in headers {
        while bodies.next_if(|body| body.number < header.number).is_some() {}
        let payload = bodies.next_if(|body| body.number == header.number).map(|body| body.bytes);
        entries.push(header.with(payload.as_deref())?);
    }
    Ok(entries)
}

/// Reads one entry.
pub(crate) async fn entry(store: &dyn Store, number: u64) -> Result<Option<LogEntry>> {
    let header = bodies(store, KeyKind::LogHeader, number, number + 1, 1).await?.pop();
    let Some(header) = header.map(StoredHeader::new).transpose()? else { return Ok(None) };
    let payload = bodies(store, KeyKind::LogPayload, number, number + 1, 1).await?.pop();
    header.with(payload.as_ref().map(|payload| &*payload.bytes)).map(Some)
}

/// Reads headers without their payloads, up to the first gap.
pub(crate) async fn headers(store: &dyn Store, after: u64, entries_max: usize) -> Result<Vec<StoredHeader>> {
    let bodies = bodies(store, KeyKind::LogHeader, after + 1, u64::MAX, entries_max).await?;
    let mut headers = Vec::with_capacity(bodies.len());
    for (expected, body) in (after + 1..).zip(bodies) {
        if body.number != expected {
            break;
        }
        headers.push(StoredHeader::new(body)?);
    }
    Ok(headers)
}

/// Whether a payload is the one that its header was written with; an expired one is nobody's fault.
pub(crate) async fn payload_agrees(store: &dyn Store, number: u64, digest: &[u8; 32]) -> Result<bool> {
    match bodies(store, KeyKind::LogPayload, number, number + 1, 1).await {
        Err(Error::Damaged { .. }) => Ok(false),
        found => Ok(found?.first().is_none_or(|body| blake3::hash(&body.bytes) == *digest)),
    }
}

#[derive(Debug)]
struct Body {
    number: u64,
    stamp: u64,
    bytes: Vec<u8>,
}

/// Reads values that stand in parts, `from` included, `to` not.
async fn bodies(
    store: &dyn Store,
    kind: KeyKind,
    from: u64,
    to: u64,
    bodies_max: usize,
) -> Result<Vec<Body>> {
    let bound = |number| Key::new(kind).u64(number).done();
    let mut range = ScanRange { start: bound(from), end: Some(bound(to)), reverse: false };
    let mut bodies: Vec<Body> = Vec::new();
    let mut open: Option<(Body, chunks::Prefix)> = None;
    loop {
        let page = store.scan(range.clone(), PAGE_ROWS).await?;
        for row in &page.rows {
            let (body, prefix) = match open.take() {
                Some((mut body, mut prefix)) => {
                    body.bytes.extend_from_slice(&row.value);
                    prefix.parts -= 1;
                    (body, prefix)
                }
                None => {
                    let (prefix, first) = chunks::prefix(&row.value)?;
                    (
                        Body { number: number_of(&row.key)?, stamp: prefix.stamp, bytes: first.to_vec() },
                        prefix,
                    )
                }
            };
            if prefix.parts > 0 {
                open = Some((body, prefix));
                continue;
            }
            // The key of a stamped value is known only after the commit, so its checksum leaves the key out.
            prefix.verify(&[], &body.bytes)?;
            bodies.push(body);
            if bodies.len() >= bodies_max {
                return Ok(bodies);
            }
        }
        match page.rows.last() {
            Some(last) if page.more => range = range.after(&last.key),
            _ if open.is_some() => return Err(Error::damaged("a log entry ends too early")),
            _ => return Ok(bodies),
        }
    }
}

fn number_of(key: &[u8]) -> Result<u64> {
    let number = key.get(keys::LOG_NUMBER_AT..).and_then(|rest| rest.first_chunk::<8>());
    number.map(|bytes| u64::from_be_bytes(*bytes)).ok_or_else(|| Error::damaged("a log key is too short"))
}

impl LogEntry {
    /// The changed records; none for another event.
    pub fn changes(&self) -> &[LoggedChange] {
        match &self.body {
            EntryBody::Changes(changes) => changes,
            EntryBody::Event { .. } => &[],
        }
    }
}
