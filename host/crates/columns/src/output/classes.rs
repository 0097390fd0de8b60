use std::sync::Arc;

use crate::generation::Cell;

/// What values are counted as and what its crossing is told of: 0 is null, n the n-th value of a segmentation or band of a score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Classes {
    /// Codes of so many values.
    Values(usize),
    /// Numbers, each in the last band whose lowest number it reaches or else in the first. Without bands all numbers are of one class.
    Bands(Arc<[f64]>),
}

impl Classes {
    /// How many there are, null aside.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Values(values) => *values,
            Self::Bands(lowest) => lowest.len().max(1),
        }
    }

    /// The class of a value.
    pub(crate) fn of(&self, cell: Cell) -> u16 {
        match (self, cell) {
            (Self::Bands(lowest), Cell::Number(number)) => number.get().map_or(0, |number| {
                let reached = lowest.partition_point(|lowest| *lowest <= number);
                reached.max(1) as u16
            }),
            (_, Cell::Code(code)) => code,
            (Self::Values(_), Cell::Number(_)) => unreachable!("a segmentation has codes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::Number;

    #[test]
    fn a_band_begins_with_its_lowest_number_and_the_first_has_no_lower_end() {
        let bands = Classes::Bands([10.0, 20.0, 30.5].into());
        let band = |number: f64| bands.of(Cell::Number(Number::new(number).unwrap()));
        let check = |number: f64, expected: u16| assert_eq!(band(number), expected, "{number}");
        check(f64::MIN, 1);
        check(-0.0, 1);
        check(10.0, 1);
        check(20.0_f64.next_down(), 1);
        check(20.0, 2);
        check(30.499, 2);
        check(30.5, 3);
        check(f64::MAX, 3);
        assert_eq!(bands.of(Cell::Number(Number::NULL)), 0);
        assert_eq!(bands.count(), 3);
    }

    #[test]
    fn without_bands_a_number_is_only_not_null() {
        let none = Classes::Bands([].into());
        assert_eq!(none.of(Cell::Number(Number::new(-7.0).unwrap())), 1);
        assert_eq!((none.of(Cell::Number(Number::NULL)), none.count()), (0, 1));
    }
}
