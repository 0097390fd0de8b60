//! A batch as bytes: column by column, so that it compresses well and costs no more than copying it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use trellis_model::{Batch, Column, ColumnData, TextColumn, Validity};

/// A batch in the form in which it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredBatch {
    rows: u32,
    /// Each as the distance to the one before: mostly 1, which compresses to nothing.
    ordinals: Bytes,
    columns: Vec<StoredColumn>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredColumn {
    name: String,
    valid: Bytes,
    data: StoredData,
}

/// Numbers are little-endian, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum StoredData {
    Float64(Bytes),
    Int64(Bytes),
    Boolean(Bytes),
    Date(Bytes),
    Time(Bytes),
    Money { currency: String, minor_units: Bytes },
    Text(StoredTexts),
    Dictionary { codes: Bytes, values: StoredTexts },
    Reference(Bytes),
    DictionaryList { offsets: Bytes, codes: Bytes, values: StoredTexts },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredTexts {
    offsets: Bytes,
    bytes: Bytes,
}

/// Bytes that are stored as such; serde would go through a `Vec<u8>` one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

impl From<&Batch> for StoredBatch {
    fn from(batch: &Batch) -> Self {
        let mut before = 0;
        let distances = batch.ordinals.iter().map(|&ordinal| {
            let distance = ordinal.wrapping_sub(before);
            before = ordinal;
            distance
        });
        let distances: Vec<u64> = distances.collect();
        Self {
            rows: batch.rows,
            ordinals: laid_out(&distances, u64::to_le_bytes),
            columns: batch.columns.iter().map(StoredColumn::from).collect(),
        }
    }
}

impl From<&Column> for StoredColumn {
    fn from(column: &Column) -> Self {
        let data = match &column.data {
            ColumnData::Float64(values) => StoredData::Float64(laid_out(values, f64::to_le_bytes)),
            ColumnData::Int64(values) => StoredData::Int64(laid_out(values, i64::to_le_bytes)),
            ColumnData::Boolean(values) => StoredData::Boolean(Bytes(values.clone())),
            ColumnData::Date(values) => StoredData::Date(laid_out(values, i32::to_le_bytes)),
            ColumnData::Time(values) => StoredData::Time(laid_out(values, i64::to_le_bytes)),
            ColumnData::Money { currency, minor_units } => StoredData::Money {
                currency: currency.clone(),
                minor_units: laid_out(minor_units, i64::to_le_bytes),
            },
            ColumnData::Text(texts) => StoredData::Text(texts.into()),
            ColumnData::Dictionary { codes, values } => {
                StoredData::Dictionary { codes: laid_out(codes, u32::to_le_bytes), values: values.into() }
            }
            ColumnData::Reference(ordinals) => StoredData::Reference(laid_out(ordinals, u64::to_le_bytes)),
            ColumnData::DictionaryList { offsets, codes, values } => StoredData::DictionaryList {
                offsets: laid_out(offsets, u32::to_le_bytes),
                codes: laid_out(codes, u32::to_le_bytes),
                values: values.into(),
            },
        };
        Self { name: column.name.clone(), valid: Bytes(column.valid.0.clone()), data }
    }
}

impl From<&TextColumn> for StoredTexts {
    fn from(texts: &TextColumn) -> Self {
        Self { offsets: laid_out(&texts.offsets, u32::to_le_bytes), bytes: Bytes(texts.bytes.clone()) }
    }
}

impl From<StoredBatch> for Batch {
    fn from(stored: StoredBatch) -> Self {
        let mut ordinal = 0_u64;
        let ordinals = picked_up(&stored.ordinals, u64::from_le_bytes).into_iter().map(|distance| {
            ordinal = ordinal.wrapping_add(distance);
            ordinal
        });
        Self {
            rows: stored.rows,
            ordinals: ordinals.collect(),
            columns: stored.columns.into_iter().map(Column::from).collect(),
        }
    }
}

impl From<StoredColumn> for Column {
    fn from(stored: StoredColumn) -> Self {
        let data = match stored.data {
            StoredData::Float64(bytes) => ColumnData::Float64(picked_up(&bytes, f64::from_le_bytes)),
            StoredData::Int64(bytes) => ColumnData::Int64(picked_up(&bytes, i64::from_le_bytes)),
            StoredData::Boolean(bytes) => ColumnData::Boolean(bytes.0),
            StoredData::Date(bytes) => ColumnData::Date(picked_up(&bytes, i32::from_le_bytes)),
            StoredData::Time(bytes) => ColumnData::Time(picked_up(&bytes, i64::from_le_bytes)),
            StoredData::Money { currency, minor_units } => {
                ColumnData::Money { currency, minor_units: picked_up(&minor_units, i64::from_le_bytes) }
            }
            StoredData::Text(texts) => ColumnData::Text(texts.into()),
            StoredData::Dictionary { codes, values } => {
                ColumnData::Dictionary { codes: picked_up(&codes, u32::from_le_bytes), values: values.into() }
            }
            StoredData::Reference(bytes) => ColumnData::Reference(picked_up(&bytes, u64::from_le_bytes)),
            StoredData::DictionaryList { offsets, codes, values } => ColumnData::DictionaryList {
                offsets: picked_up(&offsets, u32::from_le_bytes),
                codes: picked_up(&codes, u32::from_le_bytes),
                values: values.into(),
            },
        };
        Self { name: stored.name, valid: Validity(stored.valid.0), data }
    }
}

impl From<StoredTexts> for TextColumn {
    fn from(stored: StoredTexts) -> Self {
        Self { offsets: picked_up(&stored.offsets, u32::from_le_bytes), bytes: stored.bytes.0 }
    }
}

fn laid_out<T: Copy, const WIDTH: usize>(values: &[T], bytes: impl Fn(T) -> [u8; WIDTH]) -> Bytes {
    let mut laid_out = Vec::with_capacity(values.len() * WIDTH);
    values.iter().for_each(|&value| laid_out.extend_from_slice(&bytes(value)));
    Bytes(laid_out)
}

fn picked_up<T, const WIDTH: usize>(bytes: &Bytes, value: impl Fn([u8; WIDTH]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.0.as_chunks::<WIDTH>();
    chunks.iter().map(|&chunk| value(chunk)).collect()
}
