//! What `fit` learns and every later call reads.

use trellis_sdk::{
    LocalizedText, Metric, ModelReader, ModelWriter, NO_VALUE, PluginError, Result, format_money, localized,
    metric,
};

use crate::config::{Method, Middle};
use crate::dimensions::{Dimension, Direction};
use crate::labels;
use crate::rows::Rows;
use crate::segments::NamedSegment;
use crate::shape::{Point, Shape};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 3;

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
    /// What the value matrix is cut by: average spend in minor units, and orders.
    pub(crate) matrix_by: Middle,
    pub(crate) matrix_cuts: [f64; 2],
    /// The named segments, without the grades that make them.
    pub(crate) segments: Vec<NamedSegment>,
    /// The segment of each pair of grades, recency first; empty without segments.
    pub(crate) segment_map: Vec<u32>,
    /// Which scores decide on the class, the segment and the total.
    pub(crate) graded_by: Method,
    /// The weights of recency, frequency and monetary value in the total, together 1; none where there is no total.
    pub(crate) weights: Option<[f64; 3]>,
    pub(crate) shape: Shape,
}

impl RfmModel {
    /// The dimensions recency, frequency and monetary value.
    pub(crate) fn dimensions(&self) -> [&Dimension; 3] {
        [&self.recency, &self.frequency, &self.monetary]
    }

    /// Whether recency, frequency and monetary value tell nobody from anybody.
    pub(crate) fn is_uniform(&self) -> bool {
        self.dimensions().iter().all(|dimension| dimension.is_constant)
    }

    /// Whether an admin set bounds.
    pub(crate) fn has_bounds(&self) -> bool {
        !self.recency.bounds.is_empty()
    }

    /// The scores of each row that decide on the class and the total, counted from 0.
    pub(crate) fn scores(&self, rows: &Rows<'_>) -> [Vec<u32>; 3] {
        self.scores_by(self.graded_by, rows)
    }

    /// The scores of each row by `method`, counted from 0.
    pub(crate) fn scores_by(&self, method: Method, rows: &Rows<'_>) -> [Vec<u32>; 3] {
        let score = |dimension: &Dimension, values: &[i64]| dimension.scores(method, values, rows.ordinals);
        [
            score(&self.recency, &rows.recency),
            score(&self.frequency, &rows.orders),
            score(&self.monetary, &rows.spent),
        ]
    }

    /// Writes the model; some 8 kilobytes with the points of its picture.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let head = ModelWriter::new(FORMAT)
            .u64(self.groups as u64)
            .u64(self.customers)
            .text(&self.currency)
            .f64(self.mean_average_spend)
            .f64(self.mean_frequency);
        let write = |writer: ModelWriter, dimension: &Dimension| {
            let (keys, ordinals): (Vec<_>, Vec<_>) = dimension.boundaries.iter().copied().unzip();
            writer
                .f64s(&dimension.thresholds)
                .i64s(&keys)
                .u64s(&ordinals)
                .f64(dimension.mean_score)
                .f64s(&dimension.bounds)
                .f64(dimension.class_mean)
                .u64(u64::from(dimension.is_constant))
        };
        let cuts = self.dimensions().into_iter().fold(head, write);
        let shape = &self.shape;
        let column = |value: fn(&Point) -> i64| shape.points.iter().map(value).collect::<Vec<_>>();
        let settings = cuts
            .u64(self.graded_by as u64)
            .f64s(self.weights.as_ref().map_or(&[], <[f64; 3]>::as_slice))
            .u64(self.matrix_by as u64)
            .f64s(&self.matrix_cuts);
        write_segments(settings, self)
            .u64s(&shape.classes)
            .u64s(&shape.matrix)
            .u64s(&shape.cells)
            .i64s(&shape.spent)
            .i64s(&column(|point| point.orders))
            .i64s(&column(|point| point.spent))
            .u64s(&shape.points.iter().map(|point| point.field).collect::<Vec<_>>())
            .finish()
    }

    /// Reads a model that [`RfmModel::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let groups = reader.u64()?;
        if !(2..=9).contains(&groups) {
            return Err(PluginError::UnreadableModel(format!("the model has {groups} groups").into()));
        }
        let groups = groups as usize;
        let mut model = Self {
            groups,
            customers: reader.u64()?,
            currency: reader.text()?,
            mean_average_spend: reader.f64()?,
            mean_frequency: reader.f64()?,
            recency: read_dimension(&mut reader, groups, Direction::Down)?,
            frequency: read_dimension(&mut reader, groups, Direction::Up)?,
            monetary: read_dimension(&mut reader, groups, Direction::Up)?,
            graded_by: read_method(&mut reader)?,
            weights: reader.f64s()?.try_into().ok(),
            matrix_by: if reader.u64()? == Middle::Mean as u64 { Middle::Mean } else { Middle::Median },
            matrix_cuts: reader
                .f64s()?
                .try_into()
                .map_err(|_| damaged("the matrix has other cuts than two"))?,
            segments: Vec::new(),
            segment_map: Vec::new(),
            shape: Shape::default(),
        };
        (model.segments, model.segment_map) = read_segments(&mut reader, groups)?;
        model.shape = read_shape(&mut reader, groups)?;
        reader.finish()?;
        Ok(model)
    }

    pub(crate) fn require_currency(&self, currency: &str) -> Result<()> {
        if self.currency == currency {
            return Ok(());
        }
        let message = (
            format!("the model was fitted on amounts in {}, `spent` is in {currency}", self.currency),
            format!("模型学习时的金额币种为 {}，而 `spent` 的币种为 {currency}", self.currency),
        );
        Err(PluginError::UnsuitableData(message.into()))
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let [recency, frequency, monetary] = self.dimensions().map(|dimension| dimension.mean_score);
        let (customers, groups, orders) = (self.customers, self.groups, self.mean_frequency);
        let spend = format_money(&self.currency, self.mean_average_spend.round() as i64);
        let (mut en, mut zh) = (
            format!(
                "{customers} customers, {groups} groups per dimension. Mean scores: recency {recency:.2}, \
                 frequency {frequency:.2}, monetary {monetary:.2}. Mean: {orders:.2} orders of {spend}."
            ),
            format!(
                "{customers} 位客户，每个维度 {groups} 组。平均得分：近度 {recency:.2}，频度 {frequency:.2}，\
                 额度 {monetary:.2}。平均 {orders:.2} 笔订单，每笔 {spend}。"
            ),
        );
        if self.is_uniform() {
            en += " All customers are equal in recency, frequency and monetary value: they cannot be told apart, and there are no classes.";
            zh += "所有客户的近度、频度、额度均相同，无法区分，因此不划分类别。";
        } else {
            let labels = labels::dimension_labels();
            for (_, label) in self.dimensions().into_iter().zip(labels).filter(|(one, _)| one.is_constant) {
                en += &format!(" {} is the same for everybody and tells nobody apart.", label.en);
                zh += &format!("所有客户的{}相同，该维度不起区分作用。", label.zh_cn);
            }
        }
        localized(en, zh)
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
        return Err(PluginError::UnreadableModel("the cuts do not fit the number of groups".into()));
    }
    let boundaries = keys.into_iter().zip(ordinals).collect();
    let (mean_score, bounds) = (reader.f64()?, reader.f64s()?);
    if !bounds.is_empty() && bounds.len() != groups - 1 {
        return Err(PluginError::UnreadableModel("the bounds do not fit the number of groups".into()));
    }
    let (class_mean, is_constant) = (reader.f64()?, reader.u64()? > 0);
    Ok(Dimension { direction, thresholds, boundaries, bounds, mean_score, class_mean, is_constant })
}

fn read_method(reader: &mut ModelReader<'_>) -> Result<Method> {
    let code = reader.u64()?;
    let method =
        [Method::Quantile, Method::Ntile, Method::Fixed].into_iter().find(|method| *method as u64 == code);
    method.ok_or_else(|| PluginError::UnreadableModel(format!("the model is graded by method {code}").into()))
}

fn write_segments(writer: ModelWriter, model: &RfmModel) -> ModelWriter {
    let map: Vec<u64> = model.segment_map.iter().map(|segment| u64::from(*segment)).collect();
    let head = writer.u64s(&map).u64(model.segments.len() as u64);
    model.segments.iter().fold(head, |writer, segment| {
        writer.text(&segment.name).text(&segment.label_en).text(&segment.label_zh)
    })
}

fn read_segments(reader: &mut ModelReader<'_>, groups: usize) -> Result<(Vec<NamedSegment>, Vec<u32>)> {
    let map: Vec<u32> = reader.u64s()?.into_iter().map(|segment| segment as u32).collect();
    let count = reader.u64()?;
    let segment = |reader: &mut ModelReader<'_>| {
        Ok(NamedSegment {
            name: reader.text()?,
            label_en: reader.text()?,
            label_zh: reader.text()?,
            recency: Vec::new(),
            frequency: Vec::new(),
        })
    };
    let segments: Vec<NamedSegment> = (0..count).map(|_| segment(reader)).collect::<Result<_>>()?;
    let is_known = |place: &u32| *place == NO_VALUE || (*place as usize) < segments.len();
    if map.len() != groups * groups || !map.iter().all(is_known) {
        return Err(damaged("the segments do not fit the number of groups"));
    }
    Ok((segments, map))
}

fn damaged(problem: &str) -> PluginError {
    PluginError::UnreadableModel(problem.into())
}

fn read_shape(reader: &mut ModelReader<'_>, groups: usize) -> Result<Shape> {
    let (classes, matrix, cells, spent) = (reader.u64s()?, reader.u64s()?, reader.u64s()?, reader.i64s()?);
    let (orders, amounts, fields) = (reader.i64s()?, reader.i64s()?, reader.u64s()?);
    let empty = Shape::new(groups);
    let lengths = [classes.len(), matrix.len(), cells.len(), spent.len()];
    if lengths != [empty.classes.len(), empty.matrix.len(), empty.cells.len(), empty.spent.len()] {
        return Err(PluginError::UnreadableModel("the counts do not fit the number of groups".into()));
    }
    let points = orders.into_iter().zip(amounts).zip(fields);
    let points = points.map(|((orders, spent), field)| Point { orders, spent, field }).collect();
    Ok(Shape { classes, matrix, cells, spent, points })
}
