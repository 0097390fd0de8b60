//! Long values in parts: a value of the store has at most 6 KiB, and short ones keep the tree fast.

use crate::{Error, Result};

/// A part is at most this long.
pub(crate) const CHUNK_BYTES_MAX: usize = 4 << 10;

/// Where the prefix of a value ends and its body begins: format (1), further parts (2), stamp (8), checksum (4).
pub(crate) const PREFIX_BYTES: usize = 15;
/// Where the stamp stands.
pub(crate) const STAMP_AT: usize = 3;
const FORMAT: u8 = 1;

/// Splits a body into the first value, with its prefix, and the values of further parts.
///
/// The checksum covers `key` and the whole body, so a value under a wrong key is found too. It leaves out the stamp, which the writer fills in later.
pub(crate) fn split(key: &[u8], body: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (first, rest) = body.split_at(body.len().min(CHUNK_BYTES_MAX - PREFIX_BYTES));
    let further: Vec<Vec<u8>> = rest.chunks(CHUNK_BYTES_MAX).map(<[u8]>::to_vec).collect();
    let parts = u16::try_from(further.len()).expect("a body is at most some MiB");
    let mut value = Vec::with_capacity(PREFIX_BYTES + first.len());
    value.push(FORMAT);
    value.extend(parts.to_be_bytes());
    value.extend([0; 8]);
    value.extend(checksum(key, body).to_be_bytes());
    value.extend(first);
    (value, further)
}

/// The prefix of a first value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prefix {
    /// How many further parts there are.
    pub(crate) parts: u16,
    /// What the writer stamped.
    pub(crate) stamp: u64,
    checksum: u32,
}

/// Reads the prefix; returns it with the part of the body that stands in the first value.
pub(crate) fn prefix(value: &[u8]) -> Result<(Prefix, &[u8])> {
    let (prefix, body) =
        value.split_first_chunk::<PREFIX_BYTES>().ok_or_else(|| Error::damaged("a value is too short"))?;
    let [format, p0, p1, s0, s1, s2, s3, s4, s5, s6, s7, c0, c1, c2, c3] = *prefix;
    if format != FORMAT {
        return Err(Error::damaged(format!("a value has the unknown format {format}")));
    }
    let stamp = u64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    let prefix =
        Prefix { parts: u16::from_be_bytes([p0, p1]), stamp, checksum: u32::from_be_bytes([c0, c1, c2, c3]) };
    Ok((prefix, body))
}

impl Prefix {
    /// Checks the whole body.
    pub(crate) fn verify(&self, key: &[u8], body: &[u8]) -> Result<()> {
        if checksum(key, body) == self.checksum {
            return Ok(());
        }
        Err(Error::damaged(format!("checksum of the value of key {} does not match", key.escape_ascii())))
    }
}

fn checksum(key: &[u8], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), body)
}
