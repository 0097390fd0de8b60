//! A model as figures, tables and pictures.

use trellis_sdk::{LocalizedText, Panel, Report, localized, panel, report};

use super::{Learned, Predictor};
use crate::encoding::Encoding;
use crate::tree::{Tree, condition, short};

/// At most so many features, weights and nodes are shown.
const ROWS_MAX: usize = 200;

/// What a report calls things, each in English and Chinese.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// Those with the outcome: `Customers lost`.
    pub positives: (&'static str, &'static str),
    /// How likely it is: `Risk of leaving`.
    pub probability: (&'static str, &'static str),
}

impl Words {
    /// How many with the outcome there are in a part of the customers: `Customers lost, in training`.
    pub(super) fn counted(&self, part: &str, part_zh: &str) -> LocalizedText {
        localized(format!("{}, {part}", self.positives.0), format!("{part_zh}中的{}数", self.positives.1))
    }
}

impl Learned {
    /// What the model is, in a sentence with its figures.
    pub fn summary(&self, words: &Words) -> LocalizedText {
        let (evaluation, title) = (&self.evaluation, self.predictor.method().title());
        let (rows, positives) = evaluation.train;
        let share = 100.0 * positives as f64 / rows.max(1) as f64;
        let auc = evaluation.quality.auc;
        let (of, of_zh) = if evaluation.is_held_out {
            (
                format!("{} customers held out", evaluation.test.0),
                format!("验证集 {} 位客户", evaluation.test.0),
            )
        } else {
            (
                "the customers that it learned from, since there are too few to hold some out".to_owned(),
                "参与训练的客户（客户太少，无法划出验证集）".to_owned(),
            )
        };
        localized(
            format!(
                "{}, learned from {rows} customers of whom {positives} ({share:.1} %) had the outcome; AUC {auc:.3} on {of}.",
                title.en
            ),
            format!(
                "{}：由 {rows} 位客户训练，其中{} {positives} 位（{share:.1}%）；在{of_zh}上 AUC 为 {auc:.3}。",
                title.zh_cn, words.positives.1
            ),
        )
    }

    /// The report that every learned model has: how it compares, how it ranks, how far it is to be trusted, and what it looks at.
    pub fn report(&self, words: &Words) -> Report {
        let mut shown = report(self.summary(words));
        for metric in self.evaluation.metrics(words) {
            shown = shown.metric(metric);
        }
        let panels = [
            self.candidates_panel(),
            self.gains_panel(words),
            self.lift_panel(words),
            self.calibration_panel(words),
            self.roc_panel(),
            self.importance_panel(),
        ];
        shown = panels.into_iter().fold(shown, Report::panel);
        match &self.predictor {
            Predictor::Logistic(logistic) => {
                shown.panel(weights_panel(&self.encoding, &logistic.standardised().1, &logistic.coefficients))
            }
            Predictor::Tree(tree) => shown
                .panel(tree_panel(tree, &self.encoding, words.probability))
                .panel(leaves_panel(tree, &self.encoding, words.probability)),
            Predictor::Boosted(_) => shown,
        }
    }

    fn candidates_panel(&self) -> Panel {
        let candidates = &self.evaluation.candidates;
        let number = |of: fn(&super::Candidate) -> f64| candidates.iter().map(move |one| Some(of(one)));
        panel("models", "Models compared", "模型比较")
            .about(
                "The model with the highest AUC in cross-validation is used; the other figures are of customers held out.",
                "采用交叉验证 AUC 最高的模型；其余指标来自验证集客户。",
            )
            .words("model", ("Model", "模型"), candidates.iter().map(|one| one.method.title()))
            .float64("validation_auc", ("AUC in cross-validation", "交叉验证 AUC"), "", number(|one| one.validation_auc))
            .float64("auc", ("AUC held out", "验证集 AUC"), "", number(|one| one.quality.auc))
            .float64("ks", ("KS", "KS 值"), "", number(|one| one.quality.ks))
            .float64("brier", ("Brier score", "Brier 分数"), "", number(|one| one.quality.brier))
            .float64("log_loss", ("Log loss", "对数损失"), "", number(|one| one.quality.log_loss))
    }

    fn gains_panel(&self, words: &Words) -> Panel {
        let deciles = &self.evaluation.deciles;
        let with_zero =
            |values: Vec<f64>| std::iter::once(0.0).chain(values).map(|value| Some(100.0 * value));
        let gains = deciles.iter().map(|decile| decile.cumulative_gain).collect();
        let shares = || (1..=deciles.len()).map(|number| number as f64 / 10.0).collect::<Vec<f64>>();
        panel("gains", "Cumulative gains", "累积增益")
            .about(
                "How many percent of those with the outcome are among the customers with the highest probability; the diagonal is chance.",
                "按概率从高到低取客户时，覆盖目标客户的比例；对角线为随机水平。",
            )
            .float64("customers", ("Customers from the highest probability", "概率最高的客户占比"), "%", with_zero(shares()))
            .float64("found", words.positives, "%", with_zero(gains))
            .float64("chance", ("By chance", "随机"), "%", with_zero(shares()))
            .line("customers", ["found", "chance"])
    }

    fn lift_panel(&self, words: &Words) -> Panel {
        let deciles = &self.evaluation.deciles;
        let count = |of: fn(&crate::measures::Decile) -> u64| {
            deciles.iter().map(move |decile| Some(i64::try_from(of(decile)).unwrap_or(i64::MAX)))
        };
        let number =
            |of: fn(&crate::measures::Decile) -> f64| deciles.iter().map(move |decile| Some(of(decile)));
        panel("lift", "Lift by tenth of the customers", "各十分位提升度")
            .about(
                "The share of those with the outcome in each tenth, as a multiple of the share among all.",
                "各十分位目标客户占比与总体占比之比。",
            )
            .int64(
                "tenth",
                ("Tenth, from the highest probability", "十分位（概率从高到低）"),
                "",
                (1..).take(deciles.len()).map(Some),
            )
            .int64("customers", ("Customers", "客户数"), "", count(|decile| decile.rows))
            .int64("positives", words.positives, "", count(|decile| decile.positives))
            .float64("rate", ("Share", "目标客户占比"), "%", number(|decile| 100.0 * decile.rate))
            .float64("lift", ("Lift", "提升度"), "", number(|decile| decile.lift))
            .float64(
                "cumulative_lift",
                ("Cumulative lift", "累积提升度"),
                "",
                number(|decile| decile.cumulative_lift),
            )
            .float64(
                "lowest",
                ("Lowest probability", "最低概率"),
                "%",
                number(|decile| 100.0 * decile.lowest_score),
            )
            .bar("tenth", ["lift"])
    }

    fn calibration_panel(&self, words: &Words) -> Panel {
        let groups = &self.evaluation.calibration;
        let expected = || groups.iter().map(|group| Some(100.0 * group.expected));
        let count = groups.iter().map(|group| Some(i64::try_from(group.rows).unwrap_or(i64::MAX)));
        panel("calibration", "Calibration", "概率校准")
            .about(
                "Customers in ten groups by probability: what was expected and what happened. On the diagonal the probabilities can be taken at their word.",
                "按概率分为十组，比较预测与实际。越接近对角线，概率越可信。",
            )
            .float64("expected", words.probability, "%", expected())
            .float64("observed", ("What happened", "实际比例"), "%", groups.iter().map(|group| Some(100.0 * group.observed)))
            .float64("perfect", ("Perfect", "理想"), "%", expected())
            .int64("customers", ("Customers", "客户数"), "", count)
            .line("expected", ["observed", "perfect"])
    }

    fn roc_panel(&self) -> Panel {
        let points = &self.evaluation.roc;
        let with_zero = |of: fn(&crate::measures::Roc) -> f64| {
            std::iter::once(Some(0.0)).chain(points.iter().map(move |point| Some(100.0 * of(point))))
        };
        panel("roc", "Receiver operating characteristic", "ROC 曲线")
            .about(
                "What is found against what is wrongly taken for it, for every threshold.",
                "不同阈值下的命中率与误报率。",
            )
            .float64(
                "false_positives",
                ("Negatives taken for positives", "误报率"),
                "%",
                with_zero(|point| point.false_positive_rate),
            )
            .float64("found", ("Positives found", "命中率"), "%", with_zero(|point| point.true_positive_rate))
            .line("false_positives", ["found"])
    }

    fn importance_panel(&self) -> Panel {
        let mut rows: Vec<(LocalizedText, f64)> = self
            .encoding
            .features
            .iter()
            .map(|one| one.title())
            .zip(self.evaluation.importance.iter().copied())
            .collect();
        rows.sort_by(|one, other| other.1.total_cmp(&one.1));
        rows.truncate(ROWS_MAX);
        let shares: Vec<Option<f64>> = rows.iter().map(|row| Some(100.0 * row.1)).collect();
        panel("importance", "What the model looks at", "特征重要性")
            .about(
                "For trees the share in the gain of all splits, for a logistic regression the share in the size of what features add.",
                "树模型为各特征在全部分裂增益中的占比，逻辑回归为各特征贡献绝对值的占比。",
            )
            .words("feature", ("Feature", "特征"), rows.into_iter().map(|row| row.0))
            .float64("share", ("Share", "占比"), "%", shares)
            .bar("feature", ["share"])
    }
}

fn weights_panel(encoding: &Encoding, standardised: &[f64], coefficients: &[f64]) -> Panel {
    let columns = encoding.columns();
    let mut rows: Vec<(LocalizedText, f64, f64)> = columns
        .into_iter()
        .zip(standardised.iter().zip(coefficients))
        .map(|(column, (standardised, coefficient))| {
            (encoding.column_name(column), *standardised, *coefficient)
        })
        .collect();
    rows.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    rows.truncate(ROWS_MAX);
    let standardised: Vec<_> = rows.iter().map(|row| Some(row.1)).collect();
    let coefficients: Vec<_> = rows.iter().map(|row| Some(row.2)).collect();
    let ratios: Vec<_> = rows.iter().map(|row| Some(trellis_sdk::math::exp(row.2))).collect();
    panel("weights", "Weights of the regression", "回归系数")
        .about(
            "Log odds per standard deviation, per unit, and the odds ratio per unit. Columns that others explain have 0; without a penalty only predictions are unique then.",
            "每标准差、每单位的对数优势及每单位的优势比。可由其他列解释的列系数为 0；无惩罚时仅预测值唯一。",
        )
        .words("column", ("Column", "列"), rows.into_iter().map(|row| row.0))
        .float64("standardised", ("Per standard deviation", "每标准差"), "", standardised)
        .float64("coefficient", ("Per unit", "每单位"), "", coefficients)
        .float64("odds_ratio", ("Odds ratio", "优势比"), "", ratios)
        .bar("column", ["standardised"])
}

/// A tree as a picture: each node with the condition that leads to it, its rows and its value in percent.
pub fn tree_panel(tree: &Tree, encoding: &Encoding, value: (&str, &str)) -> Panel {
    drawn(tree, encoding, ("tree", "Decision tree", "决策树"), value, 100.0, "%")
}

/// As [`tree_panel`], for a tree whose values are numbers times `scale` in `unit`.
pub fn drawn(
    tree: &Tree,
    encoding: &Encoding,
    (name, en, zh): (&str, &str, &str),
    value: (&str, &str),
    scale: f64,
    unit: &str,
) -> Panel {
    let count = tree.nodes.len();
    let (mut parents, mut labels) = (vec![None; count], vec![localized("All customers", "全部客户"); count]);
    for (place, node) in tree.nodes.iter().enumerate() {
        let Some(split) = node.split else { continue };
        for (child, goes_left) in [(split.left, true), (split.right, false)] {
            if let (Some(parent), Some(label)) = (parents.get_mut(child), labels.get_mut(child)) {
                (*parent, *label) = (Some(place), condition(encoding, &split, goes_left));
            }
        }
    }
    let name_of = |place: usize| format!("n{place}");
    for (label, node) in labels.iter_mut().zip(&tree.nodes) {
        let shown = short((node.value * scale * 100.0).round() / 100.0);
        label.en += &format!(" ({} customers, {shown}{unit})", node.rows);
        label.zh_cn += &format!("（{} 位客户，{shown}{unit}）", node.rows);
    }
    let rows = tree.nodes.iter().map(|node| i64::try_from(node.rows).ok());
    panel(name, en, zh)
        .about("Each node says what leads to it.", "每个节点标明到达它的条件。")
        .names("node", ("Node", "节点"), (0..count).map(|place| Some(name_of(place))))
        .names("parent", ("Above it", "上级节点"), parents.into_iter().map(|parent| parent.map(name_of)))
        .words("condition", ("Condition", "条件"), labels)
        .int64("customers", ("Customers", "客户数"), "", rows)
        .float64("value", value, unit, tree.nodes.iter().map(|node| Some(scale * node.value)))
        .tree("node", "parent", "condition", Some("value"))
}

/// The leaves as rules, the highest value first.
pub fn leaves_panel(tree: &Tree, encoding: &Encoding, value: (&str, &str)) -> Panel {
    let mut rules = tree.rules(encoding);
    rules.sort_by(|one, other| other.value.total_cmp(&one.value));
    rules.truncate(ROWS_MAX);
    panel("leaves", "Rules", "规则")
        .about("What customers of each leaf have in common.", "每个叶节点客户的共同条件。")
        .words("rule", ("Rule", "规则"), rules.iter().map(|rule| rule.text()))
        .int64(
            "customers",
            ("Customers", "客户数"),
            "",
            rules.iter().map(|rule| i64::try_from(rule.rows).ok()),
        )
        .float64("value", value, "%", rules.iter().map(|rule| Some(100.0 * rule.value)))
}
