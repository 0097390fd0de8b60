//! What a token looks like: `trellis_<id>_<secret><checksum>`, lower-case letters and digits only, so that a double click selects it.
//!
//! The id is public and names the token in lists and in the log. The checksum lets a scanner tell a token from a look-alike without
//! asking a server; it protects nothing.

use crate::Result;

/// The public part of a token: 64 random bits, shown as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId([u8; 8]);

/// A new token in full. It leaves the server once and is never stored.
pub(crate) struct Secret {
    pub(crate) id: TokenId,
    pub(crate) text: String,
}

const PREFIX: &str = "trellis_";
/// 160 random bits in base 32.
const SECRET_CHARACTERS: usize = 32;
/// 25 bits of BLAKE3 over everything before.
const CHECKSUM_CHARACTERS: usize = 5;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl TokenId {
    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// Reads the sixteen hex digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        hex.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(|number| Self(number.to_be_bytes()))
    }
}

impl std::fmt::Display for TokenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl std::fmt::Debug for TokenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenId({self})")
    }
}

impl Secret {
    /// Draws a token from the operating system's randomness.
    pub(crate) fn draw() -> Result<Self> {
        let (mut id, mut secret) = ([0_u8; 8], [0_u8; 20]);
        getrandom::fill(&mut id).map_err(|source| crate::Error::NoRandomness { source })?;
        getrandom::fill(&mut secret).map_err(|source| crate::Error::NoRandomness { source })?;
        let id = TokenId(id);
        let text = format!("{PREFIX}{id}_{}", base32(&secret, SECRET_CHARACTERS));
        let checksum = checksum(&text);
        Ok(Self { id, text: text + &checksum })
    }
}

/// The id of a text that has the form of a token, checksum included. Says nothing about whether such a token exists.
pub(crate) fn id_of(text: &str) -> Option<TokenId> {
    let id = text.strip_prefix(PREFIX)?.split_once('_')?.0;
    let (body, end) = text.split_at_checked(text.len().checked_sub(CHECKSUM_CHARACTERS)?)?;
    let length = PREFIX.len() + 16 + 1 + SECRET_CHARACTERS;
    (body.len() == length && end == checksum(body)).then(|| TokenId::parse(id)).flatten()
}

/// What is stored of a token. The secret has 160 random bits, so that a slow password hash would add nothing.
pub(crate) fn hash(text: &str) -> blake3::Hash {
    blake3::hash(text.as_bytes())
}

fn checksum(text: &str) -> String {
    base32(hash(text).as_bytes(), CHECKSUM_CHARACTERS)
}

/// The first `characters` base-32 digits of `bytes`.
fn base32(bytes: &[u8], characters: usize) -> String {
    let bit = |place: usize| bytes.get(place / 8).is_some_and(|byte| byte >> (7 - place % 8) & 1 == 1);
    let digit = |place: usize| (0..5).fold(0_usize, |digit, i| digit << 1 | usize::from(bit(place * 5 + i)));
    (0..characters).filter_map(|place| ALPHABET.get(digit(place))).map(|&letter| char::from(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_token_has_its_form_and_names_its_id() {
        let (one, other) = (Secret::draw().unwrap(), Secret::draw().unwrap());
        assert_eq!(one.text.len(), 8 + 16 + 1 + 32 + 5);
        assert_eq!(id_of(&one.text), Some(one.id));
        assert_ne!(one.text, other.text);
        assert!(one.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    }

    #[test]
    fn a_text_that_is_no_token_has_no_id() {
        let token = Secret::draw().unwrap().text;
        let mut changed = token.clone();
        let last = if changed.pop() == Some('a') { 'b' } else { 'a' };
        changed.push(last);
        for text in [
            "",
            "trellis_",
            "trellis_0123456789abcdef_x",
            &token[1..],
            &token.to_uppercase(),
            &changed,
            "trellis_é",
        ] {
            assert_eq!(id_of(text), None, "{text}");
        }
    }

    #[test]
    fn base_32_is_that_of_rfc_4648() {
        assert_eq!(base32(b"foobar", 10), "mzxw6ytboi");
    }
}
