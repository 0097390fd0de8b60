use std::collections::VecDeque;

use jiff::civil::Date;
use trellis_model::{ObjectId, Value};
use trellis_records::Records;

use super::chunk::FeatureColumns;
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
        let mut columns = FeatureColumns::new(source);
        set::scan(records, source, config.events_page_rows, Some(until), &mut columns).await?;
        self.kept.retain(|kept| kept.events != source.events || kept.touched == touched);
        self.kept.push_front(Kept { events: source.events, until, touched, columns: columns.clone() });
        self.kept.truncate(config.as_of_kept);
        Ok(columns)
    }
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
