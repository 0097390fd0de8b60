use std::collections::BTreeMap;

use crate::bytes::Reader;

/// How many rows a kind has, and the xor of their digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KindSum {
    /// Number of rows; as a difference it may be negative.
    pub count: i64,
    /// Xor of the digests of key, position and value of each row.
    pub xor: u128,
}

/// [`KindSum`]s by kind, which is the first byte of a key (an empty key is of kind 0).
///
/// The digest is the first half of BLAKE3, not a CRC: xor over a linear code would not notice two values that swapped keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums(BTreeMap<u8, KindSum>);

impl Sums {
    /// The kinds that have rows, in ascending order.
    pub fn kinds(&self) -> impl Iterator<Item = (u8, KindSum)> {
        self.0.iter().map(|(kind, sum)| (*kind, *sum))
    }

    /// The sum of one kind; zero where it has no rows.
    pub fn kind(&self, kind: u8) -> KindSum {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    /// Rows of all kinds.
    pub fn rows(&self) -> i64 {
        self.0.values().map(|sum| sum.count).sum()
    }

    pub(crate) fn add_row(&mut self, key: &[u8], digest: u128) {
        self.change(key, 1, digest);
    }

    pub(crate) fn remove_row(&mut self, key: &[u8], digest: u128) {
        self.change(key, -1, digest);
    }

    fn change(&mut self, key: &[u8], count: i64, digest: u128) {
        self.add(key.first().copied().unwrap_or(0), KindSum { count, xor: digest });
    }

    pub(crate) fn add_all(&mut self, difference: &Self) {
        for (kind, sum) in difference.kinds() {
            self.add(kind, sum);
        }
    }

    /// A kind whose sum became zero is dropped, so that equal contents are equal sums.
    fn add(&mut self, kind: u8, difference: KindSum) {
        let sum = self.0.entry(kind).or_default();
        sum.count += difference.count;
        sum.xor ^= difference.xor;
        if *sum == KindSum::default() {
            self.0.remove(&kind);
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend((self.0.len() as u16).to_be_bytes());
        for (kind, sum) in self.kinds() {
            out.push(kind);
            out.extend(sum.count.to_be_bytes());
            out.extend(sum.xor.to_be_bytes());
        }
    }

    /// `None` also for what [`Sums::encode`] never writes: a kind that is there twice, or whose sum is zero.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let mut sums = Self::default();
        for _ in 0..reader.u16()? {
            let kind = reader.u8()?;
            let count = reader.array().map(i64::from_be_bytes)?;
            let xor = reader.array().map(u128::from_be_bytes)?;
            let sum = KindSum { count, xor };
            if sum == KindSum::default() || sums.0.insert(kind, sum).is_some() {
                return None;
            }
        }
        Some(sums)
    }
}

/// Computes digests of rows, reusing one buffer.
#[derive(Debug, Default)]
pub(crate) struct Digester {
    buffer: Vec<u8>,
}

impl Digester {
    /// The digest of a row as sled holds it: `stored` is position and value.
    pub(crate) fn stored(&mut self, key: &[u8], stored: &[u8]) -> u128 {
        self.parts(key, &[], stored)
    }

    /// The digest of a row whose position and value are apart.
    pub(crate) fn row(&mut self, key: &[u8], position: u64, value: &[u8]) -> u128 {
        self.parts(key, &position.to_be_bytes(), value)
    }

    fn parts(&mut self, key: &[u8], position: &[u8], value: &[u8]) -> u128 {
        self.buffer.clear();
        self.buffer.extend((key.len() as u64).to_be_bytes());
        for part in [key, position, value] {
            self.buffer.extend_from_slice(part);
        }
        let digest = blake3::hash(&self.buffer);
        let half = digest.as_bytes().first_chunk().expect("a BLAKE3 digest has 32 bytes");
        u128::from_be_bytes(*half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_that_nobody_wrote_are_refused() {
        let kind = |kind: u8, count: i64| [&[kind][..], &count.to_be_bytes(), &[0; 16]].concat();
        let decode = |kinds: &[Vec<u8>]| {
            let bytes = [&(kinds.len() as u16).to_be_bytes()[..], &kinds.concat()].concat();
            Sums::decode(&mut Reader::new(&bytes))
        };
        assert!(decode(&[kind(1, 5), kind(2, -5)]).is_some());
        assert!(decode(&[kind(1, i64::MAX), kind(1, 1)]).is_none());
        assert!(decode(&[kind(1, 0)]).is_none());
    }
}
