//! How much those who use the service use it: a regression tree, and how far off it is.

use trellis_mining::encoding::Encoding;
use trellis_mining::frame::{Cells, Frame};
use trellis_mining::tree::{Growth, LeafRule, Tree, grow_tree};
use trellis_sdk::{
    Metric, ModelReader, ModelWriter, Panel, PluginError, Result, Rng, localized, metric, panel,
};

use crate::config::Config;

/// So that the customers held out here are not those of the other tree.
const PART: u64 = 0x0075_7361_6765;

/// The second tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Usage {
    pub(crate) tree: Tree,
    /// Customers that it learned from.
    rows: u64,
    /// Customers that its figures are of.
    tested: u64,
    /// The mean distance between expected and actual usage (mean absolute error), in the unit of the field.
    mean_error: f64,
    /// How much of the variance it explains (R²); none where all use it alike.
    explained: Option<f64>,
}

impl Usage {
    /// Learns from the customers of whom the usage is known; none where it is known of nobody. So many percent as the settings say are held out, and the
    /// figures are of them, unless there are too few to do so.
    pub(crate) fn learn(
        encoding: &Encoding,
        frame: &Frame,
        usage: &Frame,
        ordinals: &[u64],
        config: &Config,
        seed: u64,
    ) -> Result<Option<Self>> {
        let numbers = match usage.columns().first().map(|column| &column.cells) {
            Some(Cells::Numbers(numbers)) => numbers,
            Some(Cells::Unknown) | None => return Ok(None),
            Some(Cells::Texts { .. } | Cells::Sets { .. }) => {
                let text = ("`usage` is no field with numbers", "`usage` 不是数字字段");
                return Err(PluginError::UnsuitableData(text.into()));
            }
        };
        let known: Vec<(u32, f64)> =
            (0_u32..).zip(numbers.iter().copied()).filter(|(_, number)| !number.is_nan()).collect();
        if known.is_empty() {
            return Ok(None);
        }
        let is_held = |row: &(u32, f64)| {
            let ordinal = ordinals.get(row.0 as usize).copied().unwrap_or_default();
            Rng::for_part(seed ^ PART, ordinal).unit() * 100.0 < config.holdout_percent
        };
        let (mut held, mut train): (Vec<_>, Vec<_>) = known.iter().copied().partition(is_held);
        if held.is_empty() || train.is_empty() {
            (train, held) = (known.clone(), known);
        }
        let all = encoding.encode(frame);
        let part = |rows: &[(u32, f64)]| all.take(&rows.iter().map(|(row, _)| *row).collect::<Vec<_>>());
        let growth = Growth { max_depth: config.max_depth, min_leaf: config.min_leaf, ..Growth::default() };
        let target: Vec<f64> = train.iter().map(|(_, number)| *number).collect();
        let tree = grow_tree(&part(&train), &target, &growth, seed).pruned(config.prune_percent / 100.0);
        let expected = tree.values_of(&part(&held));
        let (mean_error, explained) = quality(&expected, &held);
        let (rows, tested) = (train.len() as u64, held.len() as u64);
        Ok(Some(Self { tree, rows, tested, mean_error, explained }))
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let error = localized("Expected usage: mean absolute error", "预计使用量：平均绝对误差（MAE）");
        let explained = localized("Expected usage: variance explained (R²)", "预计使用量：决定系数（R²）");
        let mut metrics = vec![metric("usage_mae", error, self.mean_error)];
        metrics.extend(self.explained.map(|share| metric("usage_r2", explained, share)));
        metrics
    }

    /// The rules of its leaves, the highest usage first.
    pub(crate) fn panel(&self, encoding: &Encoding) -> Panel {
        let mut rules: Vec<LeafRule> = self.tree.rules(encoding);
        rules.sort_by(|one, other| other.value.total_cmp(&one.value));
        panel("usage_leaves", "Rules of usage", "使用量规则")
            .about(
                &format!(
                    "Learned from {} customers whose usage is known; its error is that of {}.",
                    self.rows, self.tested
                ),
                &format!("由 {} 位已知使用量的客户训练，误差由 {} 位客户得出。", self.rows, self.tested),
            )
            .words("rule", ("Rule", "规则"), rules.iter().map(LeafRule::text))
            .int64(
                "customers",
                ("Customers in training", "训练客户数"),
                "",
                rules.iter().map(|rule| i64::try_from(rule.rows).ok()),
            )
            .float64("usage", ("Expected usage", "预计使用量"), "", rules.iter().map(|rule| Some(rule.value)))
    }

    pub(crate) fn write(&self, writer: ModelWriter) -> ModelWriter {
        let counts = [self.rows, self.tested, u64::from(self.explained.is_some())];
        self.tree.write(writer).u64s(&counts).f64s(&[self.mean_error, self.explained.unwrap_or_default()])
    }

    pub(crate) fn read(reader: &mut ModelReader<'_>) -> Result<Self> {
        let tree = Tree::read(reader)?;
        let (counts, figures) = (reader.u64s()?, reader.f64s()?);
        let (&[rows, tested, is_explained], &[mean_error, explained]) =
            (counts.as_slice(), figures.as_slice())
        else {
            return Err(PluginError::UnreadableModel("the second tree has other figures".into()));
        };
        Ok(Self { tree, rows, tested, mean_error, explained: (is_explained == 1).then_some(explained) })
    }
}

/// The mean absolute error, and 1 less the part of the variance that is left.
fn quality(expected: &[f64], actual: &[(u32, f64)]) -> (f64, Option<f64>) {
    let count = actual.len() as f64;
    let mean = actual.iter().map(|(_, number)| number).sum::<f64>() / count;
    let pairs =
        || expected.iter().zip(actual).map(|(expected, (_, number))| (expected - number, number - mean));
    let absolute = pairs().map(|(error, _)| error.abs()).sum::<f64>() / count;
    let (left, whole) = pairs().fold((0.0, 0.0), |sums, (error, deviation)| {
        (sums.0 + error * error, sums.1 + deviation * deviation)
    });
    (absolute, (whole > 0.0).then(|| 1.0 - left / whole))
}
