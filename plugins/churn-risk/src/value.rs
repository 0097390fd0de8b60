//! What customers are worth, and which of them are worth much.

use trellis_mining::frame::{Cells, Frame};
use trellis_sdk::{Batch, Context, ModelReader, ModelWriter, PluginError, Result, decimal_places};

use crate::config::Config;

/// From which worth on a customer is of medium or high value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cuts {
    pub(crate) medium: f64,
    pub(crate) high: f64,
}

impl Cuts {
    /// Customers of equal worth are in the same class. Where a tie lies across the upper cut they are all below it, so that no more are of high value than the
    /// setting says; where it lies across the lower cut they are of medium value, unless nobody is worth less: then they are of low value, and of medium
    /// value where all are worth the same.
    pub(crate) fn learn(values: &[f64], config: &Config) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let place = |percent: f64| (percent / 100.0 * sorted.len() as f64).ceil() as usize;
        let above = |value: f64| sorted.get(sorted.partition_point(|one| *one <= value)).copied();
        let high = match place(100.0 - config.high_value_percent).checked_sub(1) {
            Some(below) => sorted.get(below).and_then(|below| above(*below)),
            None => sorted.first().copied(),
        };
        let medium = sorted.get(place(config.low_value_percent)).copied();
        let is_lowest =
            config.low_value_percent > 0.0 && medium.is_some() && medium == sorted.first().copied();
        let medium = medium.filter(|_| !is_lowest).or_else(|| medium.and_then(above)).or(medium);
        Self { medium: medium.unwrap_or(f64::MAX), high: high.unwrap_or(f64::MAX) }
    }

    /// 0 low, 1 medium, 2 high. Somebody of unknown worth is of low value.
    pub(crate) fn class(&self, value: f64) -> usize {
        if value >= self.high { 2 } else { usize::from(value >= self.medium) }
    }

    pub(crate) fn write(&self, writer: ModelWriter) -> ModelWriter {
        writer.f64(self.medium).f64(self.high)
    }

    pub(crate) fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        Ok(Self { medium: reader.f64()?, high: reader.f64()? })
    }
}

/// The worth of each row: the configured field, or what the customer spent, in whole units; NaN where it is unknown, as that of somebody without an order.
pub(crate) fn read_values(batch: &Batch, at: &Context) -> Result<Vec<f64>> {
    if batch.has_column("value") {
        let frame = Frame::read(&["value".to_owned()], batch, at)?;
        return match frame.columns().first().map(|column| &column.cells) {
            Some(Cells::Numbers(numbers)) => Ok(numbers.clone()),
            _ => Err(PluginError::UnsuitableData(
                ("`value` is no field with numbers", "`value` 不是数字字段").into(),
            )),
        };
    }
    let (spent, orders) = (batch.money("spent")?, batch.int64("orders")?);
    let unit = 10_u64.pow(decimal_places(spent.currency())) as f64;
    let worth = |(cents, orders): (Option<i64>, Option<i64>)| match orders {
        Some(1..) => cents.map_or(0.0, |cents| cents as f64 / unit),
        _ => f64::NAN,
    };
    Ok(spent.minor_units().iter().zip(orders.iter()).map(worth).collect())
}

#[cfg(test)]
mod tests {
    use trellis_sdk::parse_config;

    use super::*;

    /// How many of the values are of low, medium and high value when half are to be low and a fifth high.
    fn classes(values: &[f64]) -> [usize; 3] {
        let config: Config = parse_config("{}").expect("every setting has a default");
        let cuts = Cuts::learn(values, &config);
        let mut found = [0; 3];
        values.iter().for_each(|value| found[cuts.class(*value)] += 1);
        found
    }

    #[test]
    fn customers_of_equal_worth_are_in_the_same_class() {
        let tens = |zeros: usize, one: f64| {
            (0..10).map(|row| if row < zeros { 0.0 } else { one + row as f64 }).collect::<Vec<_>>()
        };
        assert_eq!(classes(&tens(0, 1.0)), [5, 3, 2], "no ties");
        assert_eq!(classes(&tens(9, 1.0)), [9, 0, 1], "nine spent nothing");
        assert_eq!(classes(&[0.0; 10]), [0, 10, 0], "nobody is worth more than another");
        assert_eq!(classes(&[7.0; 10]), [0, 10, 0]);
        assert_eq!(classes(&[1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]), [1, 9, 0]);
        assert_eq!(classes(&[f64::NAN; 4]), [4, 0, 0], "nobody's worth is known");
        assert_eq!(classes(&[]), [0, 0, 0]);
    }
}
