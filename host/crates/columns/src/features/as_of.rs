use std::collections::VecDeque;

use jiff::{Timestamp, civil::Date};
use trellis_model::{ObjectId, Value};
use trellis_records::Records;

use super::chunk::{CHUNK_ROWS, FeatureColumns};
use super::set;
use crate::dataset::EventSource;
use crate::{Config, Error, Result};

/// Features as of past dates: each its own scan, the last few kept until an event changes.
#[derive(Debug, Default)]
pub(super) struct PastFeatures {
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    events: ObjectId,
    until: i64,
    /// Number of the last entry about these events when the scan began.
    touched: u64,
    columns: FeatureColumns,
}

impl PastFeatures {
    pub(super) async fn columns(
        &mut self,
        records: &Records,
        config: &Config,
        source: &EventSource,
        date: Date,
        touched: u64,
    ) -> Result<FeatureColumns> {
        let until = last_moment(records, source, date)?;
        let known = self
            .kept
            .iter()
            .find(|kept| kept.events == source.events && kept.until == until && kept.touched == touched);
        if let Some(known) = known {
            return Ok(known.columns.clone());
        }
        let (columns, _) = set::scan(records, source, config.events_page_rows, Some(until))?;
        self.kept.retain(|kept| kept.events != source.events || kept.touched == touched);
        self.kept.push_front(Kept { events: source.events, until, touched, columns: columns.clone() });
        self.kept.truncate(config.as_of_kept);
        Ok(columns)
    }
}

/// Warm features without the events that are dated later than a day, today: they do not exist yet. Customers who have none cost nothing.
pub(super) async fn up_to(
    records: &Records,
    config: &Config,
    source: &EventSource,
    mut columns: FeatureColumns,
    day: Date,
) -> Result<FeatureColumns> {
    let until = last_moment(records, source, day)?;
    let later = columns.ordinals_with_events_after(until);
    // As in `FeatureSet::resolve`: a scan of everything costs less than many scans of one ordinal each.
    if later.len() > CHUNK_ROWS.max(columns.chunks().len() * CHUNK_ROWS / 16) {
        let (columns, _) = set::scan(records, source, config.events_page_rows, Some(until))?;
        return Ok(columns);
    }
    for ordinal in later {
        columns.clear(ordinal);
        let one = ordinal..ordinal + 1;
        set::scan_range(records, source, one, config.events_page_rows, Some(until), &mut columns).await?;
    }
    Ok(columns)
}

/// The day that it is in the organisation's time zone.
pub(crate) fn today(records: &Records) -> Result<Date> {
    let now =
        Timestamp::from_millisecond(records.clock().now_ms()).map_err(|error| Error::InvalidDataset {
            column: "now".into(),
            reason: format!("the clock gives no moment that a calendar has: {error}"),
        })?;
    Ok(now.to_zoned(records.config().time_zone.clone()).date())
}

/// The last day or millisecond that counts, in the unit of the events' time.
fn last_moment(records: &Records, source: &EventSource, date: Date) -> Result<i64> {
    if source.time_is_date {
        return Ok(i64::from(Value::days_of(date)));
    }
    let next_day = date.tomorrow().and_then(|day| day.to_zoned(records.config().time_zone.clone()));
    let next_day = next_day.map_err(|error| Error::InvalidDataset {
        column: source.events_name.to_string(),
        reason: format!("{date} is no day that can be counted to: {error}"),
    })?;
    Ok(next_day.timestamp().as_millisecond() - 1)
}
