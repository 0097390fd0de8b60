//! Results row by row, in a form of fixed width: the same bytes however the rows were divided into batches, so that they can be
//! hashed, kept in a capsule and compared.

use serde_json::{Value as Json, json};

use trellis_model::{TextColumn, Validity};
use trellis_plugin_host::{AssignedColumn, ScoredColumn};

use super::evaluator::{Described, Evaluated};

/// Bytes of a row's ordinal.
const ORDINAL_BYTES: usize = 8;
/// Bytes of a value of a segmentation: 0 for none, n for the n-th that was described.
const VALUE_BYTES: usize = 2;
/// Bytes of a score: 1 for a value or 0 for none, then the number's bits.
const SCORE_BYTES: usize = 9;

/// How the results of a row are laid out.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Full name and values of each segmentation.
    segmentations: Vec<(String, Vec<String>)>,
    /// Full name of each score.
    scores: Vec<String>,
}

impl Layout {
    /// The layout of what was described; `name` makes the full name of an output.
    pub(super) fn of(described: &Described, name: impl Fn(&str) -> String) -> Self {
        let values = described.segmentations.iter().map(|segmentation| {
            let values = segmentation.values.iter().map(|value| value.name.clone()).collect();
            (name(&segmentation.name), values)
        });
        let scores = described.scores.iter().map(|score| name(&score.name));
        Self { segmentations: values.collect(), scores: scores.collect() }
    }

    /// Bytes of a row.
    pub(super) fn width(&self) -> usize {
        ORDINAL_BYTES + VALUE_BYTES * self.segmentations.len() + SCORE_BYTES * self.scores.len()
    }

    /// The results of some rows.
    pub(super) fn encode(&self, ordinals: &[u64], evaluated: &Evaluated) -> Vec<u8> {
        let columns: Vec<_> = self
            .segmentations
            .iter()
            .zip(&evaluated.segmentations)
            .map(|((_, values), column)| {
                let numbers = (0..column.values.len()).map(|index| number(values, column.values.get(index)));
                (column, numbers.collect::<Vec<_>>())
            })
            .collect();
        let mut bytes = Vec::with_capacity(ordinals.len() * self.width());
        for (row, ordinal) in ordinals.iter().enumerate() {
            bytes.extend_from_slice(&ordinal.to_le_bytes());
            for (column, numbers) in &columns {
                let code = column.codes.get(row).filter(|_| column.valid.get(row));
                let number = code.and_then(|&code| numbers.get(code as usize)).copied().unwrap_or(0);
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            for column in &evaluated.scores {
                let value = column.values.get(row).copied().filter(|_| column.valid.get(row));
                bytes.push(u8::from(value.is_some()));
                bytes.extend_from_slice(&value.unwrap_or(0.0).to_le_bytes());
            }
        }
        bytes
    }

    /// The rows that [`Layout::encode`] made; `None` where the bytes are of another form. Names of columns are left empty.
    pub(super) fn decode(&self, bytes: &[u8]) -> Option<(Vec<u64>, Evaluated)> {
        let rows = bytes.chunks_exact(self.width());
        if !rows.remainder().is_empty() {
            return None;
        }
        let mut ordinals = Vec::with_capacity(rows.len());
        let mut codes =
            vec![(Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len())); self.segmentations.len()];
        let mut scores =
            vec![(Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len())); self.scores.len()];
        for row in rows {
            ordinals.push(ordinal(row));
            let mut rest = row.get(ORDINAL_BYTES..)?;
            for ((codes, valid), (_, values)) in codes.iter_mut().zip(&self.segmentations) {
                let (number, after) = rest.split_first_chunk::<VALUE_BYTES>()?;
                let number = u32::from(u16::from_le_bytes(*number));
                if number as usize > values.len() {
                    return None;
                }
                codes.push(number.saturating_sub(1));
                valid.push(number > 0);
                rest = after;
            }
            for (numbers, valid) in &mut scores {
                let (score, after) = rest.split_first_chunk::<SCORE_BYTES>()?;
                let [present, bits @ ..] = *score;
                numbers.push(f64::from_le_bytes(bits));
                valid.push(present == 1);
                rest = after;
            }
        }
        let segmentations =
            codes.into_iter().zip(&self.segmentations).map(|((codes, valid), (_, values))| {
                let values = TextColumn::from_iter(values.iter().map(String::as_str));
                AssignedColumn { name: String::new(), codes, valid: Validity::from_flags(valid), values }
            });
        let scores = scores.into_iter().map(|(values, valid)| ScoredColumn {
            name: String::new(),
            valid: Validity::from_flags(valid),
            values,
        });
        let evaluated = Evaluated {
            segmentations: segmentations.collect(),
            scores: scores.collect(),
            failed: Vec::new(),
        };
        Some((ordinals, evaluated))
    }

    /// The results of one row, for people.
    pub(super) fn show(&self, row: &[u8]) -> Json {
        let mut rest = row.get(ORDINAL_BYTES..).unwrap_or_default();
        let mut shown = serde_json::Map::new();
        for (name, values) in &self.segmentations {
            let (number, after) = rest.split_first_chunk::<VALUE_BYTES>().unwrap_or((&[0; VALUE_BYTES], &[]));
            let value =
                usize::from(u16::from_le_bytes(*number)).checked_sub(1).and_then(|index| values.get(index));
            shown.insert(name.clone(), json!(value));
            rest = after;
        }
        for name in &self.scores {
            let (score, after) = rest.split_first_chunk::<SCORE_BYTES>().unwrap_or((&[0; SCORE_BYTES], &[]));
            let [present, bits @ ..] = *score;
            shown.insert(name.clone(), json!((present == 1).then(|| f64::from_le_bytes(bits))));
            rest = after;
        }
        Json::Object(shown)
    }
}

/// The ordinal of a row.
pub(super) fn ordinal(row: &[u8]) -> u64 {
    row.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn number(values: &[String], value: Option<&str>) -> u16 {
    let index = value.and_then(|value| values.iter().position(|known| known == value));
    index.and_then(|index| u16::try_from(index + 1).ok()).unwrap_or(0)
}

/// A hasher for the results of a run.
pub(super) fn hasher() -> blake3::Hasher {
    blake3::Hasher::new_derive_key("trellis engine run outputs v1")
}

#[cfg(test)]
mod tests {
    use trellis_model::{TextColumn, Validity};
    use trellis_plugin_host::{AssignedColumn, ScoredColumn};

    use super::*;

    fn layout() -> Layout {
        let segmentations = vec![("p__tier".to_owned(), vec!["low".to_owned(), "high".to_owned()])];
        Layout { segmentations, scores: vec!["p__value".to_owned()] }
    }

    fn evaluated(codes: &[u32], values: &[&str], scores: &[f64], valid: Validity) -> Evaluated {
        let values = values.iter().collect::<TextColumn>();
        let tier =
            AssignedColumn { name: "tier".into(), codes: codes.to_vec(), valid: valid.clone(), values };
        let value = ScoredColumn { name: "value".into(), valid, values: scores.to_vec() };
        Evaluated { segmentations: vec![tier], scores: vec![value], failed: Vec::new() }
    }

    #[test]
    fn rows_are_the_same_bytes_whatever_the_batch_and_its_dictionary() {
        let whole = evaluated(&[0, 1, 0], &["high", "low"], &[1.0, 2.0, 3.0], Validity::all());
        let whole = layout().encode(&[4, 5, 9], &whole);
        let first =
            layout().encode(&[4, 5], &evaluated(&[1, 0], &["low", "high"], &[1.0, 2.0], Validity::all()));
        let second = layout().encode(&[9], &evaluated(&[0], &["high"], &[3.0], Validity::all()));
        assert_eq!(whole, [first, second].concat());
        assert_eq!(whole.len(), 3 * layout().width());
    }

    #[test]
    fn a_row_says_what_came_out() {
        let valid = Validity::from_flags([true, false]);
        let bytes = layout().encode(&[4, 7], &evaluated(&[0, 0], &["high"], &[1.5, 9.0], valid));
        let rows: Vec<_> = bytes.chunks(layout().width()).collect();
        assert_eq!(layout().show(rows[0]), json!({ "p__tier": "high", "p__value": 1.5 }));
        assert_eq!(layout().show(rows[1]), json!({ "p__tier": null, "p__value": null }));
        assert_eq!(rows.iter().map(|row| ordinal(row)).collect::<Vec<_>>(), [4, 7]);
    }
}
