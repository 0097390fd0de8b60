use trellis_model::{RecordId, bilingual};

use crate::{Error, Result};

/// A place in the results of one query: opaque to callers, refused by other queries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Digest of object, filter and sort.
    pub(crate) query: [u8; 8],
    /// The sort values, encoded as in indexes, one after the other.
    pub(crate) values: Vec<Vec<u8>>,
    /// The record.
    pub(crate) id: RecordId,
}

const FORMAT: u8 = 1;

impl Cursor {
    /// Reads the form that [`std::fmt::Display`] writes.
    ///
    /// # Errors
    /// [`Error::Query`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            let text: String = text.chars().take(60).collect();
            Error::Query(bilingual!("`{text}` is no cursor", "`{text}` 不是有效的游标"))
        };
        let bytes = from_base64url(text).ok_or_else(wrong)?;
        Self::from_bytes(&bytes).ok_or_else(wrong)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&format, rest) = bytes.split_first()?;
        let (query, rest) = rest.split_first_chunk::<8>()?;
        let (id, mut rest) = rest.split_first_chunk::<16>()?;
        let mut values = Vec::new();
        while let Some((&length, after)) = rest.split_first() {
            let (value, after) = after.split_at_checked(usize::from(length))?;
            values.push(value.to_vec());
            rest = after;
        }
        (format == FORMAT).then(|| Self { query: *query, values, id: RecordId(uuid::Uuid::from_bytes(*id)) })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.query);
        bytes.extend(self.id.as_bytes());
        for value in &self.values {
            bytes.push(u8::try_from(value.len()).expect("an encoded sort value is at most 130 bytes"));
            bytes.extend(value);
        }
        f.write_str(&to_base64url(&bytes))
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn to_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let index = bits >> (18 - 6 * place) & 63;
            text.extend(ALPHABET.get(index as usize).map(|letter| char::from(*letter)));
        }
    }
    text
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        if group.len() < 2 {
            return None;
        }
        let mut bits = 0_u32;
        for letter in group {
            bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|known| known == letter)?).ok()?;
        }
        bits <<= 6 * (4 - group.len());
        bytes.extend(bits.to_be_bytes().iter().skip(1).take(group.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went_out() {
        for values in [vec![], vec![vec![1, 2, 3]], vec![vec![], vec![255; 130]]] {
            let cursor = Cursor { query: [7; 8], values, id: RecordId(uuid::Uuid::from_u128(42)) };
            assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let check =
            |text: &str, message: &str| assert_eq!(Cursor::parse(text).unwrap_err().to_string(), message);
        check("", "`` is no cursor");
        check("!!", "`!!` is no cursor");
        check("AQ", "`AQ` is no cursor");
    }
}
