use std::collections::HashMap;

use trellis_model::{ObjectId, Record, RecordId};
use trellis_storage::{Row, ScanRange};

use crate::index::entries::{self, Entries};
use crate::keys::{self, Key, KeyKind};
use crate::log::EventRef;
use crate::ordinals::id_of;
use crate::records::{Loaded, counter};
use crate::schema::Object;
use crate::{Error, Records, Result, log};

/// Rows of a page of a check.
const PAGE_ROWS: usize = 200;
/// Log entries of a page of a check.
const PAGE_ENTRIES: usize = 100;
/// Differences that are named; further ones are counted.
const DIFFERENCES_MAX: usize = 1_000;

/// What a check of all records, indexes and the log found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Records that were read, deleted ones too.
    pub records: u64,
    /// Index entries, unique keys, events and ordinals that were read.
    pub index_rows: u64,
    /// Log entries that were read.
    pub log_entries: u64,
    /// What does not agree, each named; the first 1,000.
    pub differences: Vec<String>,
    /// How many differences there are.
    pub differences_total: u64,
}

impl CheckReport {
    /// Whether everything agrees.
    pub fn is_clean(&self) -> bool {
        self.differences_total == 0
    }

    fn differs(&mut self, what: String) {
        self.differences_total += 1;
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(what);
        }
    }
}

/// The last log entry of each record, as the log tells it.
type LastEntries = HashMap<(ObjectId, RecordId), u64>;

impl Records {
    /// Reads everything and compares records with indexes, unique keys, events, ordinals and the log.
    ///
    /// Takes about 40 bytes of memory a record. Nothing may be written meanwhile.
    ///
    /// # Errors
    /// Those of the store; what does not agree is no error but in the report.
    pub async fn check(&self) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        let mut last = self.check_log(&mut report).await?;
        let schema = self.schema();
        let objects: Vec<Object> = schema.objects().filter_map(|object| schema.full(object.id)).collect();
        for object in &objects {
            self.check_object(object, &mut last, &mut report).await?;
        }
        for ((object, id), number) in last {
            report
                .differs(format!("log entry {number}: its record {id} of object {} is not there", object.0));
        }
        self.check_beside(&objects, &mut report).await?;
        Ok(report)
    }

    async fn check_log(&self, report: &mut CheckReport) -> Result<LastEntries> {
        let mut last = LastEntries::new();
        let mut after = 0;
        loop {
            let headers = match log::read::headers(&**self.store(), after, PAGE_ENTRIES).await {
                Err(Error::Damaged { what }) => {
                    report.differs(format!("the log after entry {after} cannot be read: {what}"));
                    return Ok(last);
                }
                headers => headers?,
            };
            let Some(end) = headers.last().map(|header| header.number) else { break };
            for header in headers {
                report.log_entries += 1;
                if !log::read::payload_agrees(&**self.store(), header.number, &header.header.digest).await? {
                    report.differs(format!(
                        "log entry {}: its payload does not match its digest",
                        header.number
                    ));
                }
                let log::codec::Subject::Changes(changes) = header.header.subject else { continue };
                for change in changes {
                    let before = last.insert((change.object, change.id), header.number).unwrap_or_default();
                    if before != change.previous {
                        report.differs(format!(
                            "log entry {}: the one before for {} is {before}, not {}",
                            header.number, change.id, change.previous
                        ));
                    }
                }
            }
            after = end;
        }
        let counted = match self.store().get(&keys::log_counter()).await? {
            Some(found) => counter(&found)?,
            None => 0,
        };
        if counted != after {
            report.differs(format!("the log ends at {after}, its counter says {counted}"));
        }
        Ok(last)
    }

    /// Every record has its entries, and its last log entry is the one that the log knows.
    async fn check_object(
        &self,
        object: &Object,
        last: &mut LastEntries,
        report: &mut CheckReport,
    ) -> Result<()> {
        let mut range = ScanRange::prefix(&keys::records_of(object.id).done());
        let pending = self.pending_prefixes(object.id);
        loop {
            let page = self.store().scan(range.clone(), PAGE_ROWS).await?;
            for row in &page.rows {
                report.records += 1;
                let id =
                    keys::id_at_end(&row.key).ok_or_else(|| Error::damaged("a record's key is too short"))?;
                let Some(Loaded { record, .. }) = self.intact(object.id, id, report).await? else { continue };
                let logged = last.remove(&(object.id, record.id));
                if logged != Some(record.last_log) {
                    report.differs(format!(
                        "{} {}: its last log entry is {logged:?}, the record says {}",
                        object.name, record.id, record.last_log
                    ));
                }
                for (key, value) in self.expected(object, &record, report).await? {
                    let found = self.store().get(&key).await?.map(|found| found.value);
                    // An index that is being built lacks entries.
                    let is_pending = pending.iter().any(|prefix| key.starts_with(prefix));
                    if found.as_deref() != Some(&value[..]) && !is_pending {
                        report.differs(format!(
                            "{} {}: {} is missing or differs",
                            object.name,
                            record.id,
                            describe(&key)
                        ));
                    }
                }
            }
            match page.rows.last() {
                Some(end) if page.more => range = range.after(&end.key),
                _ => return Ok(()),
            }
            tokio::task::yield_now().await;
        }
    }

    /// A record that can be read; what is damaged is in the report.
    async fn intact(
        &self,
        object: ObjectId,
        id: RecordId,
        report: &mut CheckReport,
    ) -> Result<Option<Loaded>> {
        match self.load(object, id).await {
            Err(Error::Damaged { what }) => {
                report.differs(format!("record {id} of object {}: {what}", object.0));
                Ok(None)
            }
            loaded => loaded,
        }
    }

    /// What the keys begin with that are being built or deleted, about which nothing can be said.
    fn pending_prefixes(&self, object: ObjectId) -> Vec<Vec<u8>> {
        self.schema().kept(object).map(|kept| kept.pending_prefixes(object)).unwrap_or_default()
    }

    /// All keys that a record must have beside it.
    async fn expected(&self, object: &Object, record: &Record, report: &mut CheckReport) -> Result<Entries> {
        let event = self.event_of(object, record, report).await?;
        let mut expected = entries::of_record(&object.indexes, record, event, self.config().base_currency);
        expected.extend(
            entries::unique(&object.indexes, record)
                .into_keys()
                .map(|key| (key, record.id.as_bytes().to_vec())),
        );
        if let Some(ordinal) = record.ordinal {
            expected.insert(keys::ordinal(object.id, ordinal), record.id.as_bytes().to_vec());
        }
        Ok(expected)
    }

    async fn event_of(
        &self,
        object: &Object,
        record: &Record,
        report: &mut CheckReport,
    ) -> Result<Option<EventRef>> {
        let Some(events) = &object.indexes.events else { return Ok(None) };
        let Some(trellis_model::Value::Reference(target)) = record.fields.get(&events.target) else {
            return Ok(None);
        };
        let time = record.fields.get(&events.time).and_then(entries::event_time);
        let target = self.intact(events.target_object, *target, report).await?;
        let ordinal = target.and_then(|target| target.record.ordinal);
        let event = time.zip(ordinal);
        Ok(event.map(|(time, target_ordinal)| EventRef {
            target_object: events.target_object,
            target_ordinal,
            time,
        }))
    }

    /// Every entry beside the records belongs to one.
    async fn check_beside(&self, objects: &[Object], report: &mut CheckReport) -> Result<()> {
        for kind in [
            KeyKind::Index,
            KeyKind::OrdinalToId,
            KeyKind::Unique,
            KeyKind::Event,
            KeyKind::RecordChunk,
            KeyKind::MatchKey,
            KeyKind::Alias,
        ] {
            let mut range = ScanRange::prefix(&Key::new(kind).done());
            loop {
                let page = self.store().scan(range.clone(), PAGE_ROWS).await?;
                for row in &page.rows {
                    report.index_rows += 1;
                    if !self.belongs(kind, objects, row, report).await? {
                        report.differs(format!("{} belongs to no record", describe(&row.key)));
                    }
                }
                match page.rows.last() {
                    Some(end) if page.more => range = range.after(&end.key),
                    _ => break,
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn belongs(
        &self,
        kind: KeyKind,
        objects: &[Object],
        row: &Row,
        report: &mut CheckReport,
    ) -> Result<bool> {
        let number = row
            .key
            .get(1..5)
            .and_then(|bytes| bytes.first_chunk::<4>())
            .map(|bytes| ObjectId(u32::from_be_bytes(*bytes)));
        let Some(object) = objects.iter().find(|object| Some(object.id) == number) else { return Ok(false) };
        if self.pending_prefixes(object.id).iter().any(|prefix| row.key.starts_with(prefix)) {
            return Ok(true);
        }
        let id = match kind {
            KeyKind::OrdinalToId | KeyKind::Unique => Some(id_of(&row.value)?),
            KeyKind::RecordChunk => row.key.get(..row.key.len().saturating_sub(2)).and_then(keys::id_at_end),
            _ => keys::id_at_end(&row.key),
        };
        let Some(id) = id else { return Ok(false) };
        let Some(loaded) = self.intact(object.id, id, report).await? else { return Ok(false) };
        if kind == KeyKind::RecordChunk {
            let part = row.key.last_chunk::<2>().map_or(0, |part| u16::from_be_bytes(*part));
            return Ok((1..=loaded.parts).contains(&part));
        }
        if kind == KeyKind::Alias {
            let into = self.intact(object.id, id_of(&row.value)?, report).await?;
            return Ok(loaded.record.is_deleted() && into.is_some());
        }
        Ok(self.expected(object, &loaded.record, report).await?.contains_key(&row.key[..]))
    }
}

/// A key for people: its kind and its bytes.
fn describe(key: &[u8]) -> String {
    let kinds = [
        (KeyKind::Index, "index entry"),
        (KeyKind::OrdinalToId, "ordinal"),
        (KeyKind::Unique, "unique key"),
        (KeyKind::Event, "event"),
        (KeyKind::RecordChunk, "part"),
        (KeyKind::MatchKey, "match key"),
        (KeyKind::Alias, "alias"),
    ];
    let kind =
        kinds.iter().find(|(kind, _)| key.first() == Some(&(*kind as u8))).map_or("key", |(_, name)| name);
    format!("{kind} {}", key.escape_ascii())
}
