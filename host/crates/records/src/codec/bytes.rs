use crate::{Error, Result};

/// Appends to stored bytes.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn u8(&mut self, number: u8) {
        self.0.push(number);
    }

    /// Seven bits a byte, lowest first; small numbers take one byte.
    pub(crate) fn varint(&mut self, number: u64) {
        self.varint_wide(u128::from(number));
    }

    pub(crate) fn varint_wide(&mut self, mut number: u128) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Signed numbers near 0 take one byte too.
    pub(crate) fn signed(&mut self, number: i64) {
        self.signed_wide(i128::from(number));
    }

    pub(crate) fn signed_wide(&mut self, number: i128) {
        self.varint_wide((number << 1 ^ number >> 127).cast_unsigned());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Bytes with their length before them.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A number that may be absent.
    pub(crate) fn option(&mut self, number: Option<u64>) {
        self.u8(u8::from(number.is_some()));
        if let Some(number) = number {
            self.varint(number);
        }
    }
}

/// Takes stored bytes apart. Whatever does not fit is [`Error::Damaged`], never a panic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        let (&first, rest) = self.0.split_first().ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(first)
    }

    pub(crate) fn varint(&mut self) -> Result<u64> {
        u64::try_from(self.varint_wide()?).map_err(|_| Error::damaged("a number is too large"))
    }

    pub(crate) fn varint_u32(&mut self) -> Result<u32> {
        u32::try_from(self.varint_wide()?).map_err(|_| Error::damaged("a number is too large"))
    }

    pub(crate) fn varint_wide(&mut self) -> Result<u128> {
        let mut number = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.u8()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Error::damaged("a number is too long"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64> {
        i64::try_from(self.signed_wide()?).map_err(|_| Error::damaged("a number is too large"))
    }

    pub(crate) fn signed_wide(&mut self) -> Result<i128> {
        let number = self.varint_wide()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = usize::try_from(self.varint()?).map_err(|_| cut_short())?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Error::damaged("a text is not UTF-8"))
    }

    pub(crate) fn option(&mut self) -> Result<Option<u64>> {
        Ok(if self.u8()? == 0 { None } else { Some(self.varint()?) })
    }

    pub(crate) fn id(&mut self) -> Result<trellis_model::RecordId> {
        Ok(trellis_model::RecordId(uuid::Uuid::from_bytes(self.array()?)))
    }
}

fn cut_short() -> Error {
    Error::damaged("a value ends too early")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(number: u64, signed: i64, wide: i128, option: Option<u64>, text: String) {
            let mut writer = Writer::default();
            writer.varint(number);
            writer.signed(signed);
            writer.signed_wide(wide);
            writer.option(option);
            writer.text(&text);
            let mut reader = Reader(&writer.0);
            prop_assert_eq!(reader.varint().unwrap(), number);
            prop_assert_eq!(reader.signed().unwrap(), signed);
            prop_assert_eq!(reader.signed_wide().unwrap(), wide);
            prop_assert_eq!(reader.option().unwrap(), option);
            prop_assert_eq!(reader.text().unwrap(), text);
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn nonsense_never_panics(bytes: Vec<u8>) {
            let mut reader = Reader(&bytes);
            while reader.text().is_ok() && !reader.is_empty() {}
        }
    }
}
