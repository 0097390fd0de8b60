//! Columns that kept features give.

use trellis_model::{ColumnData, Validity};

use super::rows::{Picked, Rows};
use crate::dataset::{EventSource, EventValueKind, PlannedSource};
use crate::features::{CHUNK_ROWS, Chunk, FeatureColumns, Sums};

impl Rows {
    #[expect(clippy::indexing_slicing, reason = "a plan names sources and values that it holds")]
    pub(super) fn aggregate(&self, column: &PlannedSource, picked: &[Picked]) -> (Validity, ColumnData) {
        match *column {
            PlannedSource::Field(_) | PlannedSource::Related { .. } | PlannedSource::Published(_) => {
                unreachable!("fields, related records and results are read elsewhere")
            }
            PlannedSource::Count { source } => {
                let counts = gather(&self.sources[source], picked, |chunk| &chunk.counts, i64::from);
                (Validity::all(), ColumnData::Int64(counts))
            }
            PlannedSource::Sum { source, value } => self.sums(source, value, picked),
            PlannedSource::First { source } => self.times(source, picked, |chunk| &chunk.first),
            PlannedSource::Last { source } => self.times(source, picked, |chunk| &chunk.last),
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a plan names sources and values that it holds")]
    fn sums(&self, source: usize, value: usize, picked: &[Picked]) -> (Validity, ColumnData) {
        let features = &self.sources[source];
        let kind = self.plan.sources[source].values[value].kind;
        if kind == EventValueKind::Number {
            let mut values = Vec::with_capacity(picked.iter().map(|part| part.places.len()).sum());
            for part in picked {
                let Sums::Float(sums) = &features.chunk(part.chunk).sums[value] else { continue };
                values.extend(part.places.iter().map(|place| sums[usize::from(*place)]));
            }
            let valid = Validity::from_flags(values.iter().map(|value| value.is_finite()));
            return (valid, ColumnData::Float64(values));
        }
        let mut fits = true;
        let mut values = Vec::with_capacity(picked.iter().map(|picked| picked.places.len()).sum());
        for part in picked {
            let Sums::Exact(sums) = &features.chunk(part.chunk).sums[value] else { continue };
            values.extend(part.places.iter().map(|place| {
                let sum = sums[usize::from(*place)];
                fits &= i64::try_from(sum).is_ok();
                sum as i64
            }));
        }
        let valid = if fits { Validity::all() } else { self.fitting(features, value, picked) };
        let data = match kind {
            EventValueKind::Money => {
                ColumnData::Money { currency: self.base_currency.to_string(), minor_units: values }
            }
            _ => ColumnData::Int64(values),
        };
        (valid, data)
    }

    /// Which sums fit 64 bits.
    #[expect(clippy::indexing_slicing, reason = "a plan names sources and values that it holds")]
    fn fitting(&self, features: &FeatureColumns, value: usize, picked: &[Picked]) -> Validity {
        Validity::from_flags(picked.iter().flat_map(|part| {
            let sums = &features.chunk(part.chunk).sums[value];
            part.places.iter().map(move |place| match sums {
                Sums::Exact(sums) => i64::try_from(sums[usize::from(*place)]).is_ok(),
                Sums::Float(_) => false,
            })
        }))
    }

    #[expect(clippy::indexing_slicing, reason = "a plan names sources that it holds")]
    fn times(
        &self,
        source: usize,
        picked: &[Picked],
        times: impl Fn(&Chunk) -> &Vec<i64>,
    ) -> (Validity, ColumnData) {
        let features = &self.sources[source];
        let EventSource { time_is_date, .. } = self.plan.sources[source];
        // With a single source every row has an event of it.
        let valid = if self.sources.len() == 1 {
            Validity::all()
        } else {
            Validity::from_flags(gather(features, picked, |chunk| &chunk.counts, |count| count > 0))
        };
        let data = if time_is_date {
            ColumnData::Date(gather(features, picked, times, |day| day as i32))
        } else {
            ColumnData::Time(gather(features, picked, times, |time| time))
        };
        (valid, data)
    }
}

/// The values of the picked rows, one column.
#[expect(clippy::indexing_slicing, reason = "places are within a chunk")]
fn gather<T: Copy, U>(
    features: &FeatureColumns,
    picked: &[Picked],
    values: impl Fn(&Chunk) -> &Vec<T>,
    convert: impl Fn(T) -> U,
) -> Vec<U> {
    let mut gathered = Vec::with_capacity(picked.iter().map(|picked| picked.places.len()).sum());
    for part in picked {
        let values = values(features.chunk(part.chunk));
        if part.places.len() == CHUNK_ROWS {
            gathered.extend(values.iter().map(|value| convert(*value)));
        } else {
            gathered.extend(part.places.iter().map(|place| convert(values[usize::from(*place)])));
        }
    }
    gathered
}
