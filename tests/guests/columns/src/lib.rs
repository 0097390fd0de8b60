//! Reads every value of every column and decides by the sum. The benchmark calls [`decide`] natively and in a component.

use std::collections::BTreeMap;

use trellis_sdk::{
    Assignments, Batch, Context, Result, Segmentation, SegmentationDescription, described,
    export_segmentation,
};

/// The plugin.
#[derive(Debug)]
pub struct Columns;

impl Segmentation for Columns {
    /// Numbers that columns may depend on; the plugin itself looks at none.
    type Config = BTreeMap<String, u32>;

    fn describe(_: &Self::Config) -> Result<Vec<SegmentationDescription>> {
        Ok(vec![described("sum", "Sum", "合计").value("low", "Low", "低").value("high", "High", "高")])
    }

    fn assign(_: &[u8], rows: &Batch, _: &Context) -> Result<Assignments> {
        let mut assignments = Assignments::default();
        assignments.push("sum", ["low", "high"], decide(rows)?);
        Ok(assignments)
    }
}

/// 1 for each row whose numbers, text lengths and numbers of listed texts add up to more than the number of columns, else 0.
///
/// # Errors
/// Where a column named `text` is none, and where another is neither numbers nor lists.
pub fn decide(rows: &Batch) -> Result<Vec<u32>> {
    let mut sums = vec![0.0; rows.rows()];
    let mut columns = 0.0;
    for name in rows.column_names().filter(|name| *name != "text") {
        columns += 1.0;
        if let Ok(values) = rows.float64(name) {
            sums.iter_mut().zip(values.as_slice()).for_each(|(sum, value)| *sum += value);
        } else if let Ok(values) = rows.int64(name) {
            sums.iter_mut().zip(values.as_slice()).for_each(|(sum, value)| *sum += *value as f64);
        } else {
            let lists = rows.lists(name)?;
            let lengths = (0..rows.rows()).map(|row| lists.get(row).map_or(0, Iterator::count));
            sums.iter_mut().zip(lengths).for_each(|(sum, length)| *sum += length as f64);
        }
    }
    if rows.has_column("text") {
        let texts = rows.dictionary("text")?;
        let lengths: Vec<f64> =
            texts.texts().iter().map(|text| text.map_or(0.0, |text| text.len() as f64)).collect();
        let of = |code: &u32| lengths.get(*code as usize).copied().unwrap_or(0.0);
        sums.iter_mut().zip(texts.codes().as_slice()).for_each(|(sum, code)| *sum += of(code));
    }
    Ok(sums.into_iter().map(|sum| u32::from(sum > columns)).collect())
}

export_segmentation!(Columns);

#[cfg(test)]
mod tests {
    use super::*;
    use trellis_sdk::testing::BatchBuilder;

    #[test]
    fn every_column_counts() {
        let batch = BatchBuilder::new([1, 2])
            .float64("a", [Some(0.5), Some(3.0)])
            .dictionary("text", [Some("ab"), None])
            .build();
        assert_eq!(decide(&batch).unwrap(), [1, 1]);
        let batch = BatchBuilder::new([1, 2]).float64("a", [Some(0.5), Some(3.0)]).build();
        assert_eq!(decide(&batch).unwrap(), [0, 1]);
        let batch = BatchBuilder::new([1, 2]).lists("tags", [Some(vec!["a", "b"]), Some(vec!["a"])]).build();
        assert_eq!(decide(&batch).unwrap(), [1, 0]);
    }
}
