//! How many rows a batch has room for.

use trellis_model::ColumnData;

/// The bytes that a batch of so many rows takes, as far as they are known before fields are read. A batch has at least one row, however
/// large that is.
#[derive(Debug)]
pub(crate) struct Room {
    bytes_max: usize,
    /// What the first row and all up to each take.
    bytes: Vec<usize>,
}

impl Room {
    /// What a row takes in `columns` columns without its texts: an ordinal, and of each column a value of at most 8 bytes with its validity.
    pub(crate) fn row_bytes(columns: usize) -> usize {
        8 + 9 * columns
    }

    /// For at most so many rows.
    pub(crate) fn new(rows_max: usize, columns: usize, bytes_max: usize) -> Self {
        // A column of texts or lists has an end more than it has rows, and so has its dictionary.
        let ends = 8 * columns;
        let bytes = (1..=rows_max.max(1)).map(|rows| ends + rows * Self::row_bytes(columns));
        let mut room = Self { bytes_max, bytes: bytes.collect() };
        room.cut();
        room
    }

    /// How many rows fit.
    pub(crate) fn rows(&self) -> usize {
        self.bytes.len()
    }

    /// Takes what each row needs besides, the rows one after the other, as far as they fit.
    pub(crate) fn take(&mut self, rows: impl Iterator<Item = usize>) {
        let mut taken = 0;
        for (row, (bytes, more)) in self.bytes.iter_mut().zip(rows).enumerate() {
            taken += more;
            *bytes += taken;
            if *bytes > self.bytes_max {
                self.bytes.truncate(row.max(1));
                return;
            }
        }
    }

    /// Whether the batch may end after a row, with so many bytes besides.
    pub(crate) fn has(&self, row: usize, besides: usize) -> bool {
        row == 0 || self.bytes.get(row).is_some_and(|bytes| bytes + besides <= self.bytes_max)
    }

    fn cut(&mut self) {
        let fit = self.bytes.partition_point(|bytes| *bytes <= self.bytes_max);
        self.bytes.truncate(fit.max(1));
    }
}

/// What a text takes that is new in a dictionary.
pub(crate) fn text_bytes(text: &str) -> usize {
    text.len() + 4
}

/// What a further item of a list takes.
pub(crate) const ITEM_BYTES: usize = size_of::<u32>();

/// What texts add to a column beside the 8 bytes of each row; `is_new` says which of them its dictionary lacks.
pub(crate) fn texts_bytes(data: &ColumnData, texts: &[String], is_new: impl Fn(&String) -> bool) -> usize {
    let new = || texts.iter().filter(|text| is_new(text)).map(|text| text_bytes(text)).sum::<usize>();
    match data {
        ColumnData::Text(_) => texts.iter().map(String::len).sum(),
        ColumnData::Dictionary { .. } => new(),
        ColumnData::DictionaryList { .. } => texts.len() * ITEM_BYTES + new(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_columns_share_what_there_is() {
        // 8 for the ends, and 17 a row.
        let room = || Room::new(10, 1, 8 + 17 * 4 + 30);
        assert_eq!(room().rows(), 5);
        let mut one = room();
        one.take([10; 10].into_iter());
        assert_eq!(one.rows(), 3);
        one.take([10; 10].into_iter());
        assert_eq!(one.rows(), 2, "what one took is gone for the other");
        assert!(one.has(1, 5) && !one.has(1, 40) && one.has(0, 1_000), "at least one row");
    }

    #[test]
    fn a_row_that_does_not_fit_comes_alone() {
        assert_eq!(Room::new(10, 100, 50).rows(), 1);
        let mut room = Room::new(10, 1, 60);
        room.take([1_000, 1].into_iter());
        assert_eq!(room.rows(), 1);
    }
}
