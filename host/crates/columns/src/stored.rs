//! The envelope of small stored values: `version u8 · postcard · CRC32C u32 little-endian over both`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

const VERSION: u8 = 1;

/// Encodes a value of this crate's stored types.
pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut bytes =
        postcard::to_extend(value, vec![VERSION]).expect("stored types have nothing postcard refuses");
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

/// Decodes what [`encode`] wrote; `what` names it in errors.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    let (body, crc) =
        bytes.split_last_chunk::<4>().ok_or_else(|| Error::damaged(format!("{what} is cut short")))?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
        return Err(Error::damaged(format!("{what} does not match its checksum")));
    }
    match body.split_first() {
        Some((&VERSION, body)) => {
            postcard::from_bytes(body).map_err(|error| Error::damaged(format!("{what}: {error}")))
        }
        version => {
            let version = version.map_or(0, |(version, _)| *version);
            Err(Error::damaged(format!("{what} has format version {version}, this program knows {VERSION}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_named() {
        let good = encode(&(7_u64, "text".to_owned()));
        assert_eq!(decode::<(u64, String)>(&good, "it").unwrap(), (7, "text".to_owned()));
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0x40;
            assert!(decode::<(u64, String)>(&bad, "it").is_err(), "flipped a bit of byte {place}");
        }
        assert!(decode::<u64>(&[1, 2], "it").unwrap_err().to_string().contains("cut short"));
    }
}
