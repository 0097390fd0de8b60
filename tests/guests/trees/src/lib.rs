//! Grows one tree, on every threshold or on histograms as its configuration says. The benchmark learns it natively and in a component.

use serde::Deserialize;
use trellis_mining::encoding::{Encoded, Encoding, Preparation};
use trellis_mining::frame::{Cells, Frame};
use trellis_mining::tree::{Binned, Growth, Tree, grow_exact, grow_histogram};
use trellis_sdk::{
    Batch, Context, Metric, Model, ModelReader, ModelWriter, PluginError, Result, RowStream,
    ScoreDescription, Scores, Scoring, export_scoring, localized, metric, scored,
};

const FORMAT: u8 = 1;

/// The plugin.
#[derive(Debug)]
pub struct Trees;

/// What tree. The host reads `target` too: it says which field is the column of that name.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    features: Vec<String>,
    splits: Splits,
    #[serde(default = "six")]
    max_depth: usize,
    /// Heeded by histograms only.
    #[serde(default = "thirty_one")]
    max_leaves: usize,
    #[serde(default = "hundred")]
    min_leaf: usize,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Splits {
    Exact,
    Histogram,
}

fn six() -> usize {
    6
}

fn thirty_one() -> usize {
    31
}

fn hundred() -> usize {
    100
}

impl Scoring for Trees {
    type Config = Config;

    fn describe(_: &Config) -> Result<Vec<ScoreDescription>> {
        Ok(vec![scored("probability", "Probability", "概率").range(0.0, 1.0)])
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        let columns: Vec<String> =
            config.features.iter().map(|feature| format!("features.{feature}")).collect();
        let (mut frame, mut target) = (Frame::of(&columns), Frame::of(&["target".to_owned()]));
        for batch in rows.by_ref() {
            frame.push(&batch, at)?;
            target.push(&batch, at)?;
        }
        let encoding = Encoding::learn(&frame, &Preparation::default());
        let encoded = encoding.encode(&frame);
        drop(frame);
        let Some(Cells::Numbers(target)) = target.columns().first().map(|column| &column.cells) else {
            let message = localized("`target` is no yes/no field", "`target` 不是是/否字段");
            return Err(PluginError::UnsuitableData(message));
        };
        let tree = grow(&encoded, target, config, at.seed);
        let summary = localized(
            format!("{} leaves.", tree.leaves().len()),
            format!("{} 个叶节点。", tree.leaves().len()),
        );
        let bytes = tree.write(encoding.write(ModelWriter::new(FORMAT))).finish();
        Ok(Model { bytes, summary, metrics: metrics(&tree) })
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let mut reader = ModelReader::new(model, FORMAT)?;
        let (encoding, tree) = (Encoding::read(&mut reader)?, Tree::read(&mut reader)?);
        let names: Vec<String> =
            encoding.features.iter().map(|feature| format!("features.{}", feature.name)).collect();
        let encoded = encoding.encode(&Frame::read(&names, rows, at)?);
        let mut scores = Scores::default();
        scores.push("probability", tree.values_of(&encoded).into_iter().map(Some));
        Ok(scores)
    }
}

fn grow(rows: &Encoded, target: &[f64], config: &Config, seed: u64) -> Tree {
    let Config { max_depth, max_leaves, min_leaf, .. } = *config;
    let growth = Growth { max_depth, max_leaves, min_leaf, shrinkage: 0.0 };
    match config.splits {
        Splits::Exact => grow_exact(rows, target, &growth),
        Splits::Histogram => grow_histogram(&Binned::new(rows, seed), target, &growth),
    }
}

/// Of the training rows, by leaf: all rows of one have one score.
fn metrics(tree: &Tree) -> Vec<Metric> {
    let mut leaves: Vec<(f64, f64)> = tree
        .leaves()
        .into_iter()
        .filter_map(|place| tree.nodes.get(place))
        .map(|node| (node.value, node.rows as f64))
        .collect();
    leaves.sort_by(|one, other| one.0.total_cmp(&other.0));
    let rows: f64 = leaves.iter().map(|leaf| leaf.1).sum();
    let brier = leaves.iter().map(|(value, rows)| rows * value * (1.0 - value)).sum::<f64>() / rows;
    let (mut below, mut ordered, mut positives) = (0.0, 0.0, 0.0);
    for (value, rows) in &leaves {
        let (of_leaf, others) = (rows * value, rows * (1.0 - value));
        ordered += of_leaf * (below + others / 2.0);
        below += others;
        positives += of_leaf;
    }
    vec![
        metric("leaves", localized("Leaves", "叶节点数"), leaves.len() as f64),
        metric("brier", localized("Brier score", "布里尔分数"), brier),
        metric(
            "auc",
            localized("AUC", "AUC"),
            if below * positives > 0.0 { ordered / (below * positives) } else { 0.5 },
        ),
    ]
}

export_scoring!(Trees);
