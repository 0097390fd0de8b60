//! Finding customers for a service: two trees over what an operator knows of its customers, one of who uses the service and one of how much, with a rule
//! for each leaf, and those who do not use it yet in groups by how likely they would (R76–R79).
//!
//! `fit` keeps a `Targeting`; everything else looks at each row alone. The README beside this crate states methods and limits.

mod config;
pub mod demo;
mod labels;
mod model;
mod usage;

use std::collections::BTreeMap;

use trellis_mining::learner::{Words, drawn, effect_reason, effects};
use trellis_mining::tree::{LeafRule, short};
use trellis_sdk::{
    Assignments, Batch, Context, LearnedBy, LocalizedText, Metric, Model, ModelReport, NO_VALUE, Panel,
    Reason, Report, Result, RowStream, ScoreDescription, Scores, Scoring, Segmentation,
    SegmentationDescription, export_model_report, export_scoring, export_segmentation, localized, metric,
    panel, reason,
};

pub use config::Config;

use labels::{group_name, leaf_name};
use model::Targeting;

/// The plugin.
#[derive(Debug)]
pub struct TelecomTargeting;

/// What the report calls things.
const WORDS: Words = Words {
    positives: ("Users", "使用者"),
    probability: ("Probability to use the service", "使用该业务的概率"),
};

impl TelecomTargeting {
    fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        let model = Targeting::learn(rows, config, at)?;
        Ok(Model { bytes: model.to_bytes(), summary: summary(&model), metrics: metrics(&model) })
    }

    /// The rule of the row's leaf first, then what moves its probability most.
    fn why(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        let model = Targeting::of_bytes(model)?;
        let frame = model.frame(rows, at)?;
        let rules = model.rules();
        let leaves = model.tree().leaves_of(&model.learned.encoding.encode(&frame));
        let effects = effects(&model.learned, &frame);
        let worded = effects.iter().zip(leaves).map(|(effects, leaf)| {
            let rule = rules.iter().find(|rule| rule.node == leaf).map(rule_reason);
            let moves = effects.iter().take(4).map(|effect| effect_reason(effect, ("probability", "概率")));
            rule.into_iter().chain(moves).collect()
        });
        Ok(worded.collect())
    }
}

impl Scoring for TelecomTargeting {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<ScoreDescription>> {
        config.check()?;
        Ok(labels::scores())
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        Self::learn(rows, config, at)
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let model = Targeting::of_bytes(model)?;
        let frame = model.frame(rows, at)?;
        let mut scores = Scores::default();
        let adoption = model.learned.probabilities(&frame);
        scores.push("adoption", adoption.into_iter().map(|share| Some(100.0 * share)));
        let usage =
            model.usage.as_ref().map(|usage| usage.tree.values_of(&model.learned.encoding.encode(&frame)));
        let of_row = |row: usize| usage.as_ref().and_then(|usage| usage.get(row).copied());
        scores.push("usage", (0..rows.rows()).map(of_row));
        Ok(scores)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        Self::why(model, rows, at)
    }

    fn rules(model: &[u8]) -> Result<LocalizedText> {
        let model = Targeting::of_bytes(model)?;
        let mut text = localized(
            "| leaf | rule | customers | probability |\n|---|---|---|---|\n",
            "| 叶节点 | 规则 | 客户数 | 概率 |\n|---|---|---|---|\n",
        );
        for (place, rule) in model.rules().iter().enumerate() {
            let (words, share) = (rule.text(), short((rule.value * 1000.0).round() / 10.0));
            text.en += &format!("| {} | {} | {} | {share} % |\n", place + 1, words.en, rule.rows);
            text.zh_cn += &format!("| {} | {} | {} | {share}% |\n", place + 1, words.zh_cn, rule.rows);
        }
        Ok(text)
    }
}

impl Segmentation for TelecomTargeting {
    type Config = Config;

    fn describe(config: &Config) -> Result<Vec<SegmentationDescription>> {
        config.check()?;
        Ok(labels::segmentations(config))
    }

    fn fit(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Model> {
        Self::learn(rows, config, at)
    }

    fn assign(model: &[u8], rows: &Batch, at: &Context) -> Result<Assignments> {
        let model = Targeting::of_bytes(model)?;
        let frame = model.frame(rows, at)?;
        let uses = model.uses(rows, at)?;
        let groups = model.learned.probabilities(&frame).into_iter().zip(uses).map(|(probability, uses)| {
            if uses == Some(true) { NO_VALUE } else { model.group(probability) as u32 }
        });
        let rules = model.rules();
        let numbers: BTreeMap<usize, u32> = rules.iter().map(|rule| rule.node).zip(0..).collect();
        let leaves = model.tree().leaves_of(&model.learned.encoding.encode(&frame));
        let leaves = leaves.iter().map(|leaf| numbers.get(leaf).copied().unwrap_or(NO_VALUE));
        let mut assignments = Assignments::default();
        let names = model.groups.iter().copied().map(Some).chain([None]).map(group_name);
        assignments.push("probability_group", names, groups.collect());
        assignments.push("leaf", (0..rules.len()).map(leaf_name), leaves.collect());
        Ok(assignments)
    }

    fn explain(model: &[u8], rows: &Batch, at: &Context) -> Result<Vec<Vec<Reason>>> {
        Self::why(model, rows, at)
    }
}

/// What the column is called that names a leaf's segment.
const SEGMENT: (&str, &str) = ("Segment", "客群");

impl ModelReport for TelecomTargeting {
    fn describe_model(_: LearnedBy, model: &[u8]) -> Result<Report> {
        let model = Targeting::of_bytes(model)?;
        let mut report = model.learned.report(&WORDS);
        (report.summary, report.metrics) = (summary(&model), metrics(&model));
        report.panels.retain(|panel| panel.name != "leaves");
        // A node of the picture leads to its customers, where it is a leaf.
        let segments = segments_of_nodes(&model);
        for panel in report.panels.extract_if(.., |panel| panel.name == "tree").collect::<Vec<_>>() {
            report = report.panel(panel.names("leaf", SEGMENT, segments.iter().cloned()));
        }
        let report = report.panel(leaves_panel(&model)).panel(groups_panel(&model));
        Ok(match &model.usage {
            None => report,
            Some(usage) => report.panel(usage.panel(&model.learned.encoding)).panel(drawn(
                &usage.tree,
                &model.learned.encoding,
                ("usage_tree", "How much is used", "使用量回归树"),
                ("Expected usage", "预计使用量"),
                1.0,
                "",
            )),
        })
    }
}

export_scoring!(TelecomTargeting);
export_segmentation!(TelecomTargeting);
export_model_report!(TelecomTargeting);

/// For each node of the tree the segment that it is, where it is a leaf.
fn segments_of_nodes(model: &Targeting) -> Vec<Option<String>> {
    let mut segments = vec![None; model.tree().nodes.len()];
    for (leaf, rule) in model.rules().iter().enumerate() {
        if let Some(segment) = segments.get_mut(rule.node) {
            *segment = Some(leaf_name(leaf));
        }
    }
    segments
}

fn rule_reason(rule: &LeafRule) -> Reason {
    let (words, share) = (rule.text(), short((rule.value * 1000.0).round() / 10.0));
    let text = localized(
        format!("{share} % of the customers like this use the service: {}", words.en),
        format!("同类客户中有 {share}% 使用该业务：{}", words.zh_cn),
    );
    reason("leaf", text, 1.0)
}

fn summary(model: &Targeting) -> LocalizedText {
    let learned = model.learned.summary(&WORDS);
    let best = model.rules().into_iter().next();
    let (en, zh) = best.map_or((String::new(), String::new()), |rule| {
        let (words, share) = (rule.text(), short((rule.value * 1000.0).round() / 10.0));
        (
            format!(" Most likely to use it ({share} %): {}.", words.en),
            format!("最可能使用者（{share}%）：{}。", words.zh_cn),
        )
    });
    localized(learned.en + &en, learned.zh_cn + &zh)
}

fn metrics(model: &Targeting) -> Vec<Metric> {
    let mut metrics = model.learned.evaluation.metrics(&WORDS);
    let leaves = model.tree().leaves().len() as f64;
    metrics.push(metric("leaves", localized("Leaves of the tree", "叶节点数"), leaves));
    let likely: u64 = model
        .groups
        .iter()
        .zip(&model.sizes)
        .filter(|(lowest, _)| **lowest >= 50.0)
        .map(|(_, size)| size)
        .sum();
    let label = localized("Customers who do not use it but probably would", "尚未使用但很可能使用的客户数");
    metrics.push(metric("likely_non_users", label, likely as f64));
    metrics.extend(model.usage.iter().flat_map(|usage| usage.metrics()));
    metrics
}

fn leaves_panel(model: &Targeting) -> Panel {
    let rules = model.rules();
    let number = |rule: &LeafRule| i64::try_from(rule.rows).ok();
    panel("leaves", "Rules", "规则")
        .about(
            "Each leaf is a segment, the one with the highest share of users first: its customers can be taken into a campaign in one call.",
            "每个叶节点都是一个客群，按使用概率从高到低编号，可一步生成以其客户为受众的营销活动。",
        )
        .names("leaf", SEGMENT, (0..rules.len()).map(|leaf| Some(leaf_name(leaf))))
        .words("rule", ("Rule", "规则"), rules.iter().map(LeafRule::text))
        .int64(
            "customers",
            ("Customers in training", "训练客户数"),
            "",
            rules.iter().map(number),
        )
        .float64(
            "probability",
            WORDS.probability,
            "%",
            rules.iter().map(|rule| Some(100.0 * rule.value)),
        )
}

fn groups_panel(model: &Targeting) -> Panel {
    // Nobody is below a group that begins at 0.
    let groups = labels::groups(&model.groups);
    let sizes = model.sizes.iter().take(groups.len());
    panel("groups", "Customers who do not use the service", "尚未使用该业务的客户")
        .about("How many there are in each group by probability.", "各概率组的客户数。")
        .words("group", ("Group", "分组"), groups.into_iter().map(|(_, label)| label))
        .int64("customers", ("Customers", "客户数"), "", sizes.map(|size| i64::try_from(*size).ok()))
        .bar("group", ["customers"])
}
