//! Writing a model as bytes and reading it back.

use crate::PluginError;
use crate::error::Result;

/// Writes the numbers and texts of a model one after the other, little-endian, after a version byte.
///
/// ```
/// use trellis_sdk::{ModelReader, ModelWriter};
///
/// let bytes = ModelWriter::new(1).u64(3).f64s(&[0.5, 2.0]).text("USD").finish();
/// let mut model = ModelReader::new(&bytes, 1)?;
/// assert_eq!((model.u64()?, model.f64s()?, model.text()?), (3, vec![0.5, 2.0], "USD".to_owned()));
/// model.finish()?;
/// assert!(ModelReader::new(&bytes, 2).is_err());
/// # Ok::<(), trellis_sdk::PluginError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModelWriter {
    bytes: Vec<u8>,
}

/// Reads what a [`ModelWriter`] wrote, in the same order. Every method fails with [`PluginError::UnreadableModel`].
#[derive(Debug, Clone)]
pub struct ModelReader<'a> {
    rest: &'a [u8],
}

impl ModelWriter {
    /// Begins a model in the plugin's format `version`. A change of what is written after it needs a new number.
    pub fn new(version: u8) -> Self {
        Self { bytes: vec![version] }
    }

    /// Writes a natural number.
    pub fn u64(self, value: u64) -> Self {
        self.raw(&value.to_le_bytes())
    }

    /// Writes a whole number.
    pub fn i64(self, value: i64) -> Self {
        self.raw(&value.to_le_bytes())
    }

    /// Writes a number.
    pub fn f64(self, value: f64) -> Self {
        self.raw(&value.to_le_bytes())
    }

    /// Writes a text.
    pub fn text(self, value: &str) -> Self {
        self.length(value.len()).raw(value.as_bytes())
    }

    /// Writes a list of natural numbers.
    pub fn u64s(self, values: &[u64]) -> Self {
        values.iter().fold(self.length(values.len()), |writer, value| writer.u64(*value))
    }

    /// Writes a list of whole numbers.
    pub fn i64s(self, values: &[i64]) -> Self {
        values.iter().fold(self.length(values.len()), |writer, value| writer.i64(*value))
    }

    /// Writes a list of numbers.
    pub fn f64s(self, values: &[f64]) -> Self {
        values.iter().fold(self.length(values.len()), |writer, value| writer.f64(*value))
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn length(self, length: usize) -> Self {
        let length = u32::try_from(length).expect("a model is at most 16 MiB");
        self.raw(&length.to_le_bytes())
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
}

impl<'a> ModelReader<'a> {
    /// Begins to read a model of the plugin's format `version`.
    ///
    /// # Errors
    /// If it is of another version, or empty.
    pub fn new(bytes: &'a [u8], version: u8) -> Result<Self> {
        match bytes.split_first() {
            Some((found, rest)) if *found == version => Ok(Self { rest }),
            Some((found, _)) => {
                Err(unreadable(format!("the model has format {found}, this plugin reads {version}")))
            }
            None => Err(unreadable("the model is empty".to_owned())),
        }
    }

    /// Reads a natural number.
    ///
    /// # Errors
    /// If the model ends before it.
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Reads a whole number.
    ///
    /// # Errors
    /// If the model ends before it.
    pub fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// Reads a number.
    ///
    /// # Errors
    /// If the model ends before it.
    pub fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// If the model ends before it, or it is not UTF-8.
    pub fn text(&mut self) -> Result<String> {
        let length = self.length()?;
        let bytes = self.raw(length)?;
        String::from_utf8(bytes.to_vec()).map_err(|error| unreadable(format!("a text of the model: {error}")))
    }

    /// Reads a list of natural numbers.
    ///
    /// # Errors
    /// If the model ends before its end.
    pub fn u64s(&mut self) -> Result<Vec<u64>> {
        self.list(u64::from_le_bytes)
    }

    /// Reads a list of whole numbers.
    ///
    /// # Errors
    /// If the model ends before its end.
    pub fn i64s(&mut self) -> Result<Vec<i64>> {
        self.list(i64::from_le_bytes)
    }

    /// Reads a list of numbers.
    ///
    /// # Errors
    /// If the model ends before its end.
    pub fn f64s(&mut self) -> Result<Vec<f64>> {
        self.list(f64::from_le_bytes)
    }

    /// Checks that all was read.
    ///
    /// # Errors
    /// If bytes are left.
    pub fn finish(self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(unreadable(format!("{left} bytes of the model are left over"))),
        }
    }

    fn list<T>(&mut self, decode: fn([u8; 8]) -> T) -> Result<Vec<T>> {
        let length = self.length()?;
        // The bytes are fetched first, so that a wrong length cannot ask for memory that the model does not fill.
        let bytes = self.raw(length.saturating_mul(8))?;
        let (values, _) = bytes.as_chunks();
        Ok(values.iter().map(|value| decode(*value)).collect())
    }

    fn length(&mut self) -> Result<usize> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(*array)
    }

    fn raw(&mut self, length: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(too_short)?;
        self.rest = rest;
        Ok(bytes)
    }
}

fn too_short() -> PluginError {
    unreadable("the model ends too early".to_owned())
}

fn unreadable(message: String) -> PluginError {
    PluginError::UnreadableModel(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Vec<u8> {
        ModelWriter::new(4)
            .i64(-7)
            .text("客户")
            .u64s(&[1, u64::MAX])
            .i64s(&[])
            .f64s(&[f64::MIN_POSITIVE])
            .finish()
    }

    fn read(bytes: &[u8]) -> Result<()> {
        let mut model = ModelReader::new(bytes, 4)?;
        assert_eq!(model.i64()?, -7);
        assert_eq!(model.text()?, "客户");
        assert_eq!(model.u64s()?, [1, u64::MAX]);
        assert!(model.i64s()?.is_empty());
        assert_eq!(model.f64s()?, [f64::MIN_POSITIVE]);
        model.finish()
    }

    #[test]
    fn what_was_written_reads_back_and_nothing_else_does() {
        let bytes = written();
        assert_eq!(read(&bytes), Ok(()));
        for length in 0..bytes.len() {
            assert!(
                matches!(read(&bytes[..length]), Err(PluginError::UnreadableModel(_))),
                "cut to {length} bytes"
            );
        }
        assert!(matches!(read(&[&*bytes, &[0]].concat()), Err(PluginError::UnreadableModel(_))));
    }

    #[test]
    fn a_length_beyond_the_model_asks_for_no_memory() {
        let bytes = [&[4][..], &u32::MAX.to_le_bytes(), &[0; 64]].concat();
        assert!(ModelReader::new(&bytes, 4).expect("version 4").f64s().is_err());
    }
}
