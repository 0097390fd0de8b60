//! The keys of this crate: range 0x60 to 0x6f of the store. A number is never reused; a retired kind stays here.

use trellis_model::RecordId;

use crate::token::TokenId;

/// The first byte of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum KeyKind {
    /// `Token{token id}`: whose it is and the hash of its secret.
    Token = 0x60,
    /// `TokenUse{token id}`: when it was last used.
    TokenUse = 0x61,
    /// `Administrator`: the user that first start made; also the mark that first start is done.
    Administrator = 0x62,
    /// `Answer{user, digest of the idempotency key}`: what was answered to a request.
    Answer = 0x63,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Token, Self::TokenUse, Self::Administrator, Self::Answer];
}

pub(crate) fn tokens() -> Vec<u8> {
    vec![KeyKind::Token as u8]
}

pub(crate) fn token(id: TokenId) -> Vec<u8> {
    [&[KeyKind::Token as u8], id.as_bytes().as_slice()].concat()
}

pub(crate) fn token_use(id: TokenId) -> Vec<u8> {
    [&[KeyKind::TokenUse as u8], id.as_bytes().as_slice()].concat()
}

pub(crate) fn administrator() -> Vec<u8> {
    vec![KeyKind::Administrator as u8]
}

pub(crate) fn answers() -> Vec<u8> {
    vec![KeyKind::Answer as u8]
}

pub(crate) fn answer(user: RecordId, key_digest: &[u8; 32]) -> Vec<u8> {
    [&[KeyKind::Answer as u8], user.as_bytes().as_slice(), key_digest.as_slice()].concat()
}

/// The id in a key made by [`token`] or [`token_use`].
pub(crate) fn token_id(key: &[u8]) -> Option<TokenId> {
    key.get(1..).and_then(|id| id.try_into().ok()).map(TokenId::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_kinds_keep_their_numbers() {
        assert_eq!(KeyKind::ALL.map(|kind| kind as u8), [0x60, 0x61, 0x62, 0x63]);
    }

    #[test]
    fn the_id_comes_back_from_its_key() {
        let id = TokenId::from_bytes([7; 8]);
        assert_eq!(token_id(&token(id)), Some(id));
        assert_eq!(token_id(&tokens()), None);
    }
}
