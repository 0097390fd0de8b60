//! What `fit` learns and every later call reads.

use trellis_sdk::{
    LocalizedText, Metric, ModelReader, ModelWriter, PluginError, Result, format_money, localized, metric,
};

use crate::dimensions::{Dimension, Direction};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;

/// The cuts and means of a population.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RfmModel {
    pub(crate) groups: usize,
    pub(crate) customers: u64,
    /// The ISO 4217 code of the amounts.
    pub(crate) currency: String,
    pub(crate) recency: Dimension,
    pub(crate) frequency: Dimension,
    pub(crate) monetary: Dimension,
    /// The mean over customers of what they spent per order, in minor units.
    pub(crate) mean_average_spend: f64,
    /// The mean over customers of their number of orders.
    pub(crate) mean_frequency: f64,
}

impl RfmModel {
    /// The dimensions recency, frequency and monetary value.
    pub(crate) fn dimensions(&self) -> [&Dimension; 3] {
        [&self.recency, &self.frequency, &self.monetary]
    }

    /// Writes the model; some 700 bytes with five groups.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let head = ModelWriter::new(FORMAT)
            .u64(self.groups as u64)
            .u64(self.customers)
            .text(&self.currency)
            .f64(self.mean_average_spend)
            .f64(self.mean_frequency);
        let write = |writer: ModelWriter, dimension: &Dimension| {
            let (keys, ordinals): (Vec<_>, Vec<_>) = dimension.boundaries.iter().copied().unzip();
            writer.f64s(&dimension.thresholds).i64s(&keys).u64s(&ordinals).f64(dimension.mean_score)
        };
        self.dimensions().into_iter().fold(head, write).finish()
    }

    /// Reads a model that [`RfmModel::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let groups = reader.u64()?;
        if !(2..=9).contains(&groups) {
            return Err(PluginError::UnreadableModel(format!("the model has {groups} groups")));
        }
        let model = Self {
            groups: groups as usize,
            customers: reader.u64()?,
            currency: reader.text()?,
            mean_average_spend: reader.f64()?,
            mean_frequency: reader.f64()?,
            recency: read_dimension(&mut reader, groups as usize, Direction::Down)?,
            frequency: read_dimension(&mut reader, groups as usize, Direction::Up)?,
            monetary: read_dimension(&mut reader, groups as usize, Direction::Up)?,
        };
        reader.finish()?;
        Ok(model)
    }

    pub(crate) fn require_currency(&self, currency: &str) -> Result<()> {
        if self.currency == currency {
            return Ok(());
        }
        let message =
            format!("the model was fitted on amounts in {}, `spent` is in {currency}", self.currency);
        Err(PluginError::UnsuitableData(message))
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let [recency, frequency, monetary] = self.dimensions().map(|dimension| dimension.mean_score);
        let (customers, groups, orders) = (self.customers, self.groups, self.mean_frequency);
        let spend = format_money(&self.currency, self.mean_average_spend.round() as i64);
        localized(
            format!(
                "{customers} customers, {groups} groups per dimension. Mean scores: recency {recency:.2}, \
                 frequency {frequency:.2}, monetary {monetary:.2}. Mean: {orders:.2} orders of {spend}."
            ),
            format!(
                "{customers} 位客户，每个维度 {groups} 组。平均得分：近度 {recency:.2}，频度 {frequency:.2}，\
                 额度 {monetary:.2}。平均 {orders:.2} 笔订单，每笔 {spend}。"
            ),
        )
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let [recency, frequency, monetary] = self.dimensions().map(|dimension| dimension.mean_score);
        vec![
            metric(
                "customers",
                localized("Customers with an order", "有订单的客户数"),
                self.customers as f64,
            ),
            metric("mean_recency_score", localized("Mean recency score", "平均近度得分"), recency),
            metric("mean_frequency_score", localized("Mean frequency score", "平均频度得分"), frequency),
            metric("mean_monetary_score", localized("Mean monetary score", "平均额度得分"), monetary),
            metric("mean_frequency", localized("Mean number of orders", "平均订单数"), self.mean_frequency),
            metric(
                "mean_average_spend",
                localized("Mean spend per order, minor units", "平均每笔金额（最小货币单位）"),
                self.mean_average_spend,
            ),
        ]
    }
}

/// Checks what the scoring relies on: no more cuts than groups leave room for.
fn read_dimension(reader: &mut ModelReader<'_>, groups: usize, direction: Direction) -> Result<Dimension> {
    let thresholds = reader.f64s()?;
    let (keys, ordinals) = (reader.i64s()?, reader.u64s()?);
    if thresholds.len() != groups - 1 || keys.len() >= groups || keys.len() != ordinals.len() {
        return Err(PluginError::UnreadableModel("the cuts do not fit the number of groups".to_owned()));
    }
    let boundaries = keys.into_iter().zip(ordinals).collect();
    Ok(Dimension { direction, thresholds, boundaries, mean_score: reader.f64()? })
}
