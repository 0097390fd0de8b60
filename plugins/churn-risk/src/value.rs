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
    pub(crate) fn learn(values: &[f64], config: &Config) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let from_top = |percent: f64| {
            let place = ((100.0 - percent) / 100.0 * sorted.len() as f64).ceil() as usize;
            sorted.get(place).copied().unwrap_or(f64::MAX)
        };
        Self { medium: from_top(100.0 - config.low_value_percent), high: from_top(config.high_value_percent) }
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

/// The worth of each row: the configured field, or what the customer spent, in whole units; NaN where it is unknown.
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
    let spent = batch.money("spent")?;
    let unit = 10_u64.pow(decimal_places(spent.currency())) as f64;
    Ok(spent.minor_units().iter().map(|cents| cents.map_or(0.0, |cents| cents as f64 / unit)).collect())
}
