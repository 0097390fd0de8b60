//! What `fit` learns and every later call reads.

use trellis_mining::frame::Frame;
use trellis_mining::learner::{Learned, Words};
use trellis_mining::outcome::{Reading, read_readings, write_readings};
use trellis_mining::profit::Profit;
use trellis_mining::survival::{LogRank, Point};
use trellis_sdk::{
    Batch, Context, LocalizedText, Metric, ModelReader, ModelWriter, Result, localized, metric,
};

use crate::orders::{Orders, TODAY};
use crate::value::Cuts;

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;

/// What the report calls things.
pub(crate) const WORDS: Words =
    Words { positives: ("Customers lost", "流失客户"), probability: ("Risk of leaving", "流失风险") };

/// A model of who leaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChurnModel {
    pub(crate) learned: Learned,
    /// The columns of the chosen fields.
    pub(crate) columns: Vec<String>,
    /// Whether the figures of orders come after them.
    pub(crate) uses_orders: bool,
    /// From which percent on the risk is medium.
    pub(crate) medium: f64,
    /// From which percent on it is high.
    pub(crate) high: f64,
    pub(crate) cuts: Cuts,
    /// Customers, what they are worth, and how many of them are expected to leave: risk by risk, within it value by value, low first.
    pub(crate) cells: [(u64, f64, f64); 9],
    pub(crate) survival: Survival,
    /// How the field that says who is lost was read; empty where orders say it.
    pub(crate) readings: Vec<Reading>,
    /// Whom it pays to retain, where costs are configured.
    pub(crate) retention: Option<Profit>,
}

/// How long customers stay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Survival {
    pub(crate) curves: Vec<Curve>,
    pub(crate) test: Option<LogRank>,
    /// Whether a field gave the times; else they are days from the first order.
    pub(crate) is_given: bool,
}

/// The curve of all customers or of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    pub(crate) name: LocalizedText,
    pub(crate) customers: u64,
    /// When half have left.
    pub(crate) median: Option<f64>,
    /// The share that is still there after the last time.
    pub(crate) staying: f64,
    /// The curve, thinned out.
    pub(crate) points: Vec<Point>,
}

impl ChurnModel {
    /// The rows of a batch as the model looks at them.
    pub(crate) fn frame(&self, batch: &Batch, at: &Context) -> Result<Frame> {
        let mut frame = Frame::of(&self.columns);
        frame.push(batch, at)?;
        if self.uses_orders {
            let mut orders = Orders::default();
            orders.push(batch, &TODAY)?;
            orders.add_features(&mut frame, at.as_of);
        }
        Ok(frame)
    }

    /// 0 low, 1 medium, 2 high.
    pub(crate) fn risk_class(&self, risk: f64) -> usize {
        if 100.0 * risk >= self.high { 2 } else { usize::from(100.0 * risk >= self.medium) }
    }

    /// Which of the nine cells a customer is in.
    pub(crate) fn cell(&self, risk: f64, value: f64) -> usize {
        3 * self.risk_class(risk) + self.cuts.class(value)
    }

    pub(crate) fn count_cells(&mut self, risks: &[f64], values: &[f64]) {
        for (risk, value) in risks.iter().zip(values) {
            let place = self.cell(*risk, *value);
            if let Some((customers, worth, expected)) = self.cells.get_mut(place) {
                *customers += 1;
                *worth += if value.is_nan() { 0.0 } else { *value };
                *expected += risk;
            }
        }
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let learned = self.learned.summary(&WORDS);
        let (high, worth) = self.high_risk();
        localized(
            format!("{} {high} customers are at high risk today, worth {worth:.2}.", learned.en),
            format!("{}目前高风险客户 {high} 位，价值合计 {worth:.2}。", learned.zh_cn),
        )
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let (high, worth) = self.high_risk();
        let expected: f64 = self.cells.iter().map(|cell| cell.2).sum();
        let mut metrics = self.learned.evaluation.metrics(&WORDS);
        metrics.extend([
            metric("high_risk_customers", localized("Customers at high risk", "高风险客户数"), high as f64),
            metric(
                "high_risk_value",
                localized("Worth of customers at high risk", "高风险客户价值合计"),
                worth,
            ),
            metric("expected_losses", localized("Customers expected to be lost", "预计流失客户数"), expected),
        ]);
        if let Some(retention) = &self.retention {
            metrics.extend(retention.metrics());
        }
        if let Some(test) = self.survival.test {
            metrics.push(metric(
                "log_rank",
                localized("Log-rank statistic of the groups", "各组对数秩统计量"),
                test.chi_square,
            ));
            metrics.push(metric(
                "log_rank_p",
                localized("Probability of that difference by chance", "差异由偶然造成的概率"),
                test.p,
            ));
        }
        metrics
    }

    fn high_risk(&self) -> (u64, f64) {
        let high = self.cells.iter().skip(6);
        high.fold((0, 0.0), |(customers, worth), cell| (customers + cell.0, worth + cell.1))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let writer = self.learned.write(ModelWriter::new(FORMAT)).u64(self.columns.len() as u64);
        let writer = self.columns.iter().fold(writer, |writer, column| writer.text(column));
        let writer = writer.u64(u64::from(self.uses_orders)).f64(self.medium).f64(self.high);
        let writer = self.cuts.write(writer);
        let writer =
            self.cells.iter().fold(writer, |writer, cell| writer.u64(cell.0).f64(cell.1).f64(cell.2));
        let Survival { curves, test, is_given } = &self.survival;
        let writer = writer.u64(u64::from(*is_given)).u64(u64::from(test.is_some()));
        let writer = test
            .iter()
            .fold(writer, |writer, test| writer.f64(test.chi_square).u64(test.freedom as u64).f64(test.p));
        let writer = curves.iter().fold(writer.u64(curves.len() as u64), |writer, curve| {
            let writer = writer.text(&curve.name.en).text(&curve.name.zh_cn).u64(curve.customers);
            let writer = writer.f64(curve.median.unwrap_or(f64::NAN)).f64(curve.staying);
            let writer = writer.u64(curve.points.len() as u64);
            curve.points.iter().fold(writer, |writer, point| {
                writer
                    .u64s(&[point.at_risk, point.events])
                    .f64(point.time)
                    .f64(point.survival)
                    .f64(point.lower)
                    .f64(point.upper)
            })
        });
        let writer = write_readings(&self.readings, writer).u64(u64::from(self.retention.is_some()));
        self.retention.iter().fold(writer, |writer, retention| retention.write(writer)).finish()
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let learned = Learned::read(&mut reader)?;
        let count = reader.u64()?;
        let columns: Result<Vec<String>> = (0..count).map(|_| reader.text()).collect();
        let columns = columns?;
        let (uses_orders, medium, high) = (reader.u64()? == 1, reader.f64()?, reader.f64()?);
        let cuts = Cuts::read(&mut reader)?;
        let mut cells = [(0, 0.0, 0.0); 9];
        for cell in &mut cells {
            *cell = (reader.u64()?, reader.f64()?, reader.f64()?);
        }
        let survival = read_survival(&mut reader)?;
        let readings = read_readings(&mut reader)?;
        let retention = if reader.u64()? == 1 { Some(Profit::read(&mut reader)?) } else { None };
        reader.finish()?;
        Ok(Self { learned, columns, uses_orders, medium, high, cuts, cells, survival, readings, retention })
    }
}

fn read_survival(reader: &mut ModelReader<'_>) -> Result<Survival> {
    let is_given = reader.u64()? == 1;
    let test = match reader.u64()? {
        0 => None,
        _ => Some(LogRank { chi_square: reader.f64()?, freedom: reader.u64()? as usize, p: reader.f64()? }),
    };
    let count = reader.u64()?;
    let mut curves = Vec::new();
    for _ in 0..count {
        let name = localized(reader.text()?, reader.text()?);
        let (customers, median, staying) = (reader.u64()?, reader.f64()?, reader.f64()?);
        let points = reader.u64()?;
        let points: Result<Vec<Point>> = (0..points).map(|_| read_point(reader)).collect();
        let median = (!median.is_nan()).then_some(median);
        curves.push(Curve { name, customers, median, staying, points: points? });
    }
    Ok(Survival { curves, test, is_given })
}

fn read_point(reader: &mut ModelReader<'_>) -> Result<Point> {
    let counts = reader.u64s()?;
    let count = |place: usize| counts.get(place).copied().unwrap_or_default();
    Ok(Point {
        at_risk: count(0),
        events: count(1),
        time: reader.f64()?,
        survival: reader.f64()?,
        lower: reader.f64()?,
        upper: reader.f64()?,
    })
}
