//! The records that answer look-ups in a test.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::filter;
use super::records::RecordBuilder;
use crate::ObjectRecord;
use crate::lookups::LookupError;

thread_local! {
    static RECORDS: RefCell<Option<Vec<ObjectRecord>>> = const { RefCell::new(None) };
}

/// Has [`crate::lookups`] answer from `records` on this thread, for as long as the returned value lives. Without it every look-up is denied.
///
/// It understands filters of `and`, `or`, `not` and the operators `eq ne in nin gt gte lt lte between null` on texts, choices, references, numbers
/// and truth values; any other is an error that says so.
pub fn lookups(records: impl IntoIterator<Item = RecordBuilder>) -> Answers {
    let mut records: Vec<_> = records.into_iter().map(RecordBuilder::build).collect();
    records.sort_by(|one, other| one.id.cmp(&other.id));
    RECORDS.set(Some(records));
    Answers { on_this_thread: PhantomData }
}

/// See [`lookups`].
#[derive(Debug)]
#[must_use = "look-ups are answered as long as it lives"]
pub struct Answers {
    on_this_thread: PhantomData<*const ()>,
}

impl Drop for Answers {
    fn drop(&mut self) {
        RECORDS.set(None);
    }
}

pub(crate) fn get_record(object: &str, id: &str) -> Result<Option<ObjectRecord>, LookupError> {
    of_object(object).map(|records| records.into_iter().find(|record| record.id == id))
}

pub(crate) fn find_records(
    object: &str,
    filter: &str,
    records_max: u32,
) -> Result<Vec<ObjectRecord>, LookupError> {
    let filter: serde_json::Value =
        serde_json::from_str(filter).map_err(|error| LookupError::Invalid(error.to_string()))?;
    let mut found = Vec::new();
    for record in of_object(object)? {
        if filter::matches(&filter, &record).map_err(LookupError::Invalid)? == Some(true) {
            found.push(record);
        }
    }
    found.truncate(records_max as usize);
    Ok(found)
}

pub(crate) fn count_records(object: &str, filter: &str) -> Result<u64, LookupError> {
    find_records(object, filter, u32::MAX).map(|found| found.len() as u64)
}

fn of_object(object: &str) -> Result<Vec<ObjectRecord>, LookupError> {
    let denied = || LookupError::Denied(format!("read {object}: this test gave no answers"));
    let of = |records: &Vec<ObjectRecord>| {
        records.iter().filter(|record| record.object == object).cloned().collect()
    };
    RECORDS.with_borrow(|records| records.as_ref().map(of).ok_or_else(denied))
}
