//! Values of the engine in the store: postcard of an enum with one variant a format version, cut into parts where it is long.
//! The backends check the bytes that they keep; what is cut short or of another form all the same is named.

use serde::{Serialize, de::DeserializeOwned};
use trellis_storage::{Store, WriteSet};

use crate::{Error, Result, keys};

/// Bytes of a part; the store takes a little more in one value.
const PART_BYTES_MAX: usize = 4 << 10;
/// How many further parts there are: the first four bytes of the value under the key itself.
const COUNT_BYTES: usize = 4;
/// Where the value itself begins under its key.
pub(crate) const HEAD_BYTES: usize = COUNT_BYTES;

pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain structs of numbers and texts are always encodable")
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], what: impl FnOnce() -> String) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|error| Error::Damaged { what: format!("{}: {error}", what()) })
}

/// The keys and values of a value that may be longer than the store takes in one. A longer value that was there before leaves parts that
/// nobody reads.
pub(crate) fn puts(key: &[u8], bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (first, rest) = bytes.split_at(bytes.len().min(PART_BYTES_MAX));
    let parts = (0_u32..).zip(rest.chunks(PART_BYTES_MAX));
    let mut puts: Vec<_> = parts.map(|(part, chunk)| (keys::part(key, part), chunk.to_vec())).collect();
    let count = u32::try_from(puts.len()).expect("fewer parts than bytes, and bytes are in memory");
    puts.push((key.to_vec(), [count.to_be_bytes().as_slice(), first].concat()));
    puts
}

/// Puts a value that may be longer than the store takes. `parts_before` is what the last put of this key returned, 0 for a new one.
pub(crate) fn put(set: &mut WriteSet, key: &[u8], bytes: &[u8], parts_before: u32) -> u32 {
    let puts = puts(key, bytes);
    let parts = u32::try_from(puts.len() - 1).expect("fewer parts than bytes, and bytes are in memory");
    for (key, value) in puts {
        set.put(key, value);
    }
    (parts..parts_before).for_each(|part| {
        set.delete(keys::part(key, part));
    });
    parts
}

/// Deletes a value with its parts.
pub(crate) fn delete(set: &mut WriteSet, key: &[u8], parts: u32) {
    (0..parts).for_each(|part| {
        set.delete(keys::part(key, part));
    });
    set.delete(key);
}

/// As [`put`], for whoever does not know how many parts are there.
pub(crate) async fn replace(store: &dyn Store, set: &mut WriteSet, key: &[u8], bytes: &[u8]) -> Result<()> {
    let parts = get(store, key).await?.map_or(0, |(_, parts)| parts);
    put(set, key, bytes, parts);
    Ok(())
}

/// As [`delete`], for whoever does not know how many parts are there; nothing where there is no value.
pub(crate) async fn remove(store: &dyn Store, set: &mut WriteSet, key: &[u8]) -> Result<()> {
    if let Some((_, parts)) = get(store, key).await? {
        delete(set, key, parts);
    }
    Ok(())
}

/// A value with its number of further parts, or `None` where there is none.
pub(crate) async fn get(store: &dyn Store, key: &[u8]) -> Result<Option<(Vec<u8>, u32)>> {
    match store.get(key).await? {
        Some(found) => join(store, key, &found.value).await.map(Some),
        None => Ok(None),
    }
}

/// What [`get`] returns, for a value that a scan has already found.
pub(crate) async fn join(store: &dyn Store, key: &[u8], value: &[u8]) -> Result<(Vec<u8>, u32)> {
    let damaged = |why: &str| Error::Damaged { what: format!("engine value under key {key:02x?}: {why}") };
    let (count, first) = value.split_first_chunk::<COUNT_BYTES>().ok_or_else(|| damaged("no part count"))?;
    let parts = u32::from_be_bytes(*count);
    let mut bytes = first.to_vec();
    for part in 0..parts {
        let found = store
            .get(&keys::part(key, part))
            .await?
            .ok_or_else(|| damaged(&format!("part {part} is missing")))?;
        bytes.extend_from_slice(&found.value);
    }
    Ok((bytes, parts))
}

#[cfg(test)]
mod tests {
    use trellis_storage::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn long_values_come_back_whole_and_shrink_without_leftovers() {
        let store = MemoryStore::new();
        let mut parts = 0;
        for bytes in [0, 10, PART_BYTES_MAX, PART_BYTES_MAX + 1, 5 * PART_BYTES_MAX, 3] {
            let value = vec![7; bytes];
            let mut set = WriteSet::new();
            parts = put(&mut set, b"\x50key", &value, parts);
            store.commit(set).await.unwrap();
            assert_eq!(get(&store, b"\x50key").await.unwrap(), Some((value, parts)), "{bytes} bytes");
        }
        let mut set = WriteSet::new();
        delete(&mut set, b"\x50key", parts);
        store.commit(set).await.unwrap();
        let all = store.scan(trellis_storage::ScanRange::prefix(b""), 10).await.unwrap();
        assert_eq!(all.rows, [], "nothing is left");
    }

    #[tokio::test]
    async fn a_missing_part_is_named() {
        let store = MemoryStore::new();
        let mut set = WriteSet::new();
        put(&mut set, b"\x50key", &vec![7; 3 * PART_BYTES_MAX], 0);
        set.delete(keys::part(b"\x50key", 1));
        store.commit(set).await.unwrap();
        let mut set = WriteSet::new();
        set.delete(keys::part(b"\x50key", 1));
        store.commit(set).await.unwrap();
        let error = get(&store, b"\x50key").await.unwrap_err();
        assert!(error.to_string().contains("part 1 is missing"), "{error}");
    }
}
