//! What stands behind the keys. Values are versioned; an old version is upgraded when it is read.

use serde::{Deserialize, Serialize};
use trellis_model::RecordId;
use uuid::Uuid;

use crate::{Error, Result};

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) user: RecordId,
    pub(crate) hash: [u8; 32],
    pub(crate) label: String,
    pub(crate) created_at_ms: i64,
    pub(crate) expires_at_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
enum StoredToken {
    V1 { user: [u8; 16], hash: [u8; 32], label: String, created_at_ms: i64, expires_at_ms: Option<i64> },
}

impl Token {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let stored = StoredToken::V1 {
            user: *self.user.as_bytes(),
            hash: self.hash,
            label: self.label.clone(),
            created_at_ms: self.created_at_ms,
            expires_at_ms: self.expires_at_ms,
        };
        postcard::to_allocvec(&stored).expect("a token is within what postcard can write")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored = postcard::from_bytes(bytes)
            .map_err(|error| Error::Damaged { what: format!("token: {error}") })?;
        let StoredToken::V1 { user, hash, label, created_at_ms, expires_at_ms } = stored;
        Ok(Self { user: RecordId(Uuid::from_bytes(user)), hash, label, created_at_ms, expires_at_ms })
    }
}

pub(crate) fn encode_user(user: RecordId) -> Vec<u8> {
    user.as_bytes().to_vec()
}

pub(crate) fn decode_user(bytes: &[u8]) -> Result<RecordId> {
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| damaged("administrator", bytes, 16))?;
    Ok(RecordId(Uuid::from_bytes(bytes)))
}

pub(crate) fn encode_time(ms: i64) -> Vec<u8> {
    ms.to_be_bytes().to_vec()
}

pub(crate) fn decode_time(bytes: &[u8]) -> Result<i64> {
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| damaged("last use of a token", bytes, 8))?;
    Ok(i64::from_be_bytes(bytes))
}

fn damaged(what: &str, bytes: &[u8], expected: usize) -> Error {
    Error::Damaged { what: format!("{what}: {} bytes instead of {expected}", bytes.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_token_of_version_1_stays_readable() {
        let token = Token {
            user: RecordId(Uuid::from_bytes([1; 16])),
            hash: [2; 32],
            label: "till".into(),
            created_at_ms: 3,
            expires_at_ms: Some(-1),
        };
        let bytes = [&[0][..], &[1; 16], &[2; 32], &[4], b"till", &[6, 1, 1]].concat();
        assert_eq!(token.encode(), bytes);
        assert_eq!(Token::decode(&bytes).unwrap(), token);
        assert!(Token::decode(&bytes[..10]).is_err());
    }
}
