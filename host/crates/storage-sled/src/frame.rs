//! Frames of the journal: encoding, and decoding that trusts nothing.

use trellis_storage::{Change, Epoch};

use crate::bytes::{Reader, crc, length_u32};
use crate::sums::Sums;

/// Starts every frame, so that a frame behind a damaged one can be found.
pub(crate) const MAGIC: [u8; 4] = *b"TJF\x01";
/// Magic, length, checksum.
pub(crate) const HEAD_BYTES: usize = 12;

const FORMAT: u8 = 1;
const KIND_GROUP: u8 = 1;
const KIND_SEAL: u8 = 2;
/// Stands for "deleted" where the length of a value stands otherwise.
const DELETED: u32 = u32::MAX;

/// A place in the journal: the segment's number and a byte offset in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

/// A decoded frame.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    Group(GroupFrame<'a>),
    /// The last frame of a segment that has a successor, which starts with this position.
    Seal(u64),
}

/// Write sets that became durable together; the i-th has the position `first_position + i`.
#[derive(Debug)]
pub(crate) struct GroupFrame<'a> {
    pub(crate) first_position: u64,
    /// How the group changes counts and digests.
    pub(crate) sums: Sums,
    pub(crate) sets: Vec<Vec<RawChange<'a>>>,
}

/// A key and its new value; `None` deletes it.
pub(crate) type RawChange<'a> = (&'a [u8], Option<&'a [u8]>);

/// Appends the frame of a group to `out`.
pub(crate) fn encode_group(
    out: &mut Vec<u8>,
    epoch: Epoch,
    at: Place,
    first_position: u64,
    sums: &Sums,
    sets: &[Vec<Change>],
) {
    encode(out, epoch, at, |body| {
        body.extend([FORMAT, KIND_GROUP]);
        body.extend(first_position.to_be_bytes());
        sums.encode(body);
        body.extend((sets.len() as u32).to_be_bytes());
        for set in sets {
            body.extend((set.len() as u32).to_be_bytes());
            for change in set {
                body.extend(length_u32(&change.key).to_be_bytes());
                body.extend(change.value.as_ref().map_or(DELETED, |value| length_u32(value)).to_be_bytes());
                body.extend_from_slice(&change.key);
                body.extend_from_slice(change.value.as_deref().unwrap_or_default());
            }
        }
    });
}

/// Appends the frame that ends a segment to `out`.
pub(crate) fn encode_seal(out: &mut Vec<u8>, epoch: Epoch, at: Place, next_position: u64) {
    encode(out, epoch, at, |body| {
        body.extend([FORMAT, KIND_SEAL]);
        body.extend(next_position.to_be_bytes());
    });
}

#[expect(clippy::indexing_slicing, reason = "the head was reserved just above")]
fn encode(out: &mut Vec<u8>, epoch: Epoch, at: Place, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; HEAD_BYTES]);
    body(out);
    let (head, body) = out[start..].split_at_mut(HEAD_BYTES);
    head[..4].copy_from_slice(&MAGIC);
    head[4..8].copy_from_slice(&length_u32(body).to_be_bytes());
    head[8..].copy_from_slice(&checksum(epoch, at, body).to_be_bytes());
}

/// Epoch and place are part of the checksum: a frame is valid only where it was written. So bytes that a caller stored as a
/// value can never pass for a frame.
fn checksum(epoch: Epoch, at: Place, body: &[u8]) -> u32 {
    crc(&[
        &epoch.0,
        &at.segment.to_be_bytes(),
        &at.offset.to_be_bytes(),
        &length_u32(body).to_be_bytes(),
        body,
    ])
}

/// Decodes the frame at the start of `bytes`, which lie at `at`. Returns it with its length.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn decode(bytes: &[u8], epoch: Epoch, at: Place) -> Result<(Frame<'_>, usize), String> {
    let mut reader = Reader::new(bytes);
    let head = (reader.array::<4>(), reader.u32(), reader.u32());
    let (Some(magic), Some(length), Some(expected)) = head else {
        return Err("it ends within a frame's head".into());
    };
    if magic != MAGIC {
        return Err("no frame starts there".into());
    }
    let Some(body) = reader.take(length as usize) else {
        return Err(format!("the frame should have {length} more bytes than there are"));
    };
    if checksum(epoch, at, body) != expected {
        return Err("the checksum does not match".into());
    }
    let frame = decode_body(body).ok_or("the contents are not of a known format")?;
    Ok((frame, HEAD_BYTES + body.len()))
}

fn decode_body(body: &[u8]) -> Option<Frame<'_>> {
    let mut reader = Reader::new(body);
    let frame = match (reader.u8()?, reader.u8()?) {
        (FORMAT, KIND_SEAL) => Frame::Seal(reader.u64()?),
        (FORMAT, KIND_GROUP) => {
            let first_position = reader.u64()?;
            let sums = Sums::decode(&mut reader)?;
            let sets = (0..reader.u32()?).map(|_| decode_set(&mut reader)).collect::<Option<Vec<_>>>()?;
            Frame::Group(GroupFrame { first_position, sums, sets })
        }
        _ => return None,
    };
    reader.is_empty().then_some(frame)
}

fn decode_set<'a>(reader: &mut Reader<'a>) -> Option<Vec<RawChange<'a>>> {
    (0..reader.u32()?).map(|_| decode_change(reader)).collect()
}

fn decode_change<'a>(reader: &mut Reader<'a>) -> Option<RawChange<'a>> {
    let (key_length, value_length) = (reader.u32()?, reader.u32()?);
    let key = reader.take(key_length as usize)?;
    if value_length == DELETED {
        return Some((key, None));
    }
    Some((key, Some(reader.take(value_length as usize)?)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const EPOCH: Epoch = Epoch([7; 16]);
    const AT: Place = Place { segment: 3, offset: 99 };

    fn bytes(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), length)
    }

    fn sets() -> impl Strategy<Value = Vec<Vec<Change>>> {
        let change = (bytes(0..9), prop::option::of(bytes(0..40)))
            .prop_map(|(key, value)| Change { key: Arc::from(key), value: value.map(Arc::from) });
        prop::collection::vec(prop::collection::vec(change, 0..5), 0..5)
    }

    proptest! {
        #[test]
        fn a_group_is_read_back_where_it_was_written_and_nowhere_else(sets in sets(), first in any::<u64>()) {
            let mut sums = Sums::default();
            sums.add_row(b"k", 5);
            let mut out = vec![1, 2, 3];
            encode_group(&mut out, EPOCH, AT, first, &sums, &sets);
            let (frame, length) = decode(&out[3..], EPOCH, AT).unwrap();
            let Frame::Group(group) = frame else { panic!("not a group") };
            assert_eq!((group.first_position, &group.sums, length), (first, &sums, out.len() - 3));
            let read = group.sets.iter().map(|set| set.iter().map(|(key, value)| Change {
                key: Arc::from(*key),
                value: value.map(Arc::from),
            }).collect::<Vec<_>>());
            assert_eq!(read.collect::<Vec<_>>(), sets);
            for (epoch, at) in [
                (Epoch([8; 16]), AT),
                (EPOCH, Place { segment: 4, ..AT }),
                (EPOCH, Place { offset: 98, ..AT }),
            ] {
                assert!(decode(&out[3..], epoch, at).is_err());
            }
        }

        #[test]
        fn no_bytes_make_decoding_panic(body in bytes(0..200), kind in 0..4_u8) {
            let body = [&[FORMAT, kind][..], &body].concat();
            _ = decode_body(&body);
            _ = decode(&body, EPOCH, AT);
            _ = decode(&[&MAGIC[..], &body].concat(), EPOCH, AT);
        }
    }
}
