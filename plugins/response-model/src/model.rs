//! What `fit` learns and every later call reads.

use trellis_mining::encoding::{Encoding, Kind, Preparation, Values, level_zh};
use trellis_mining::frame::{Cells, Frame, NO_TEXT};
use trellis_mining::learner::{self, Learned, Words};
use trellis_mining::measures::{WeightOfEvidence, weight_of_evidence};
use trellis_sdk::{
    Context, LocalizedText, Metric, ModelReader, ModelWriter, Panel, Result, RowStream, localized, metric,
    panel,
};

use crate::config::Config;
use crate::profit::Profit;

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;
/// So many parts of the population's ranking are kept.
const KNOTS: usize = 1_000;
/// So many values of features are shown.
const LEVELS_MAX: usize = 500;

/// What the report calls things.
pub(crate) const WORDS: Words =
    Words { positives: ("Responses", "响应客户"), probability: ("Propensity", "响应概率") };

/// A model of who responds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResponseModel {
    pub(crate) learned: Learned,
    pub(crate) columns: Vec<String>,
    pub(crate) profit: Profit,
    /// Probabilities of the population in ascending order, thinned out.
    knots: Vec<f64>,
    evidence: Vec<Evidence>,
}

/// How a value of a choice goes with responding.
#[derive(Debug, Clone, PartialEq)]
struct Evidence {
    feature: LocalizedText,
    level: LocalizedText,
    customers: u64,
    responses: u64,
    weight: f64,
    information: f64,
}

impl ResponseModel {
    pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Self> {
        config.check()?;
        let columns = config.feature_columns();
        let (mut frame, mut target) = (Frame::of(&columns), Frame::of(&["target".to_owned()]));
        let mut ordinals = Vec::new();
        for batch in rows.by_ref() {
            frame.push(&batch, at)?;
            target.push(&batch, at)?;
            ordinals.extend_from_slice(batch.ordinals());
        }
        let outcomes = outcomes(&target, config);
        let learned = learner::learn(&frame, &outcomes, &ordinals, &config.learning, at.seed)?;
        let scores = learned.probabilities(&frame);
        let held = learner::held_out(&outcomes, &ordinals, &config.learning, at.seed);
        let of_held = |row: &usize| Some((*scores.get(*row)?, (*outcomes.get(*row)?)?));
        let (chosen, responded): (Vec<f64>, Vec<bool>) = held.iter().filter_map(of_held).unzip();
        let profit =
            Profit::of(&chosen, &responded, config.contact_cost, config.response_value, &at.base_currency);
        let evidence = evidence(&frame, &outcomes);
        Ok(Self { learned, columns, profit, knots: knots(scores), evidence })
    }

    /// How many percent of the population have a lower probability, an equal one counting half.
    pub(crate) fn ease(&self, probability: f64) -> f64 {
        let below = self.knots.partition_point(|knot| *knot < probability);
        let until = self.knots.partition_point(|knot| *knot <= probability);
        50.0 * (below + until) as f64 / self.knots.len().max(1) as f64
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let learned = self.learned.summary(&WORDS);
        let (percent, profit) = self.profit.best();
        let (currency, threshold) = (&self.profit.currency, 100.0 * self.profit.best_threshold());
        localized(
            format!(
                "{} Contacting the {percent} % with the highest propensity (from {threshold:.1} %) brings most: {profit:.2} {currency} on the customers held out.",
                learned.en
            ),
            format!(
                "{}联系响应概率最高的 {percent}%（概率不低于 {threshold:.1}%）利润最大：在留出客户上为 {profit:.2} {currency}。",
                learned.zh_cn
            ),
        )
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let (percent, profit) = self.profit.best();
        let all = self
            .profit
            .steps
            .last()
            .map_or(0.0, |step| step.2 as f64 * self.profit.benefit - step.1 as f64 * self.profit.cost);
        let number = |name, en: &str, zh: &str, value| metric(name, localized(en, zh), value);
        let mut metrics = self.learned.evaluation.metrics();
        metrics.extend([
            number(
                "best_contacted_percent",
                "Customers to contact, in percent",
                "最佳联系比例（%）",
                percent as f64,
            ),
            number(
                "best_threshold",
                "Propensity to contact from, in percent",
                "最佳联系概率起点（%）",
                100.0 * self.profit.best_threshold(),
            ),
            number("best_profit", "Profit of contacting them", "最佳利润", profit),
            number("profit_of_all", "Profit of contacting everybody", "联系全部客户的利润", all),
            number(
                "break_even",
                "Propensity from which a contact pays, in percent",
                "盈亏平衡概率（%）",
                100.0 * self.profit.break_even(),
            ),
        ]);
        metrics
    }

    /// What responders have in common, value by value.
    pub(crate) fn evidence_panel(&self) -> Panel {
        let shown = || self.evidence.iter();
        let rate = |one: &Evidence| 100.0 * one.responses as f64 / one.customers.max(1) as f64;
        panel("evidence", "What responders have in common", "响应客户的共同特征")
            .about(
                "Weight of evidence of each value (above 0: more responses than average) and the information value of its feature: from 0.02 weak, from 0.1 medium, from 0.3 strong.",
                "各取值的证据权重（大于 0 表示响应高于平均）及特征的信息价值：0.02 起为弱，0.1 起为中，0.3 起为强。",
            )
            .words("feature", ("Feature", "特征"), shown().map(|one| one.feature.clone()))
            .words("value", ("Value", "取值"), shown().map(|one| one.level.clone()))
            .int64("customers", ("Customers", "客户数"), "", shown().map(|one| i64::try_from(one.customers).ok()))
            .float64("rate", ("Response rate", "响应率"), "%", shown().map(|one| Some(rate(one))))
            .float64("weight", ("Weight of evidence", "证据权重"), "", shown().map(|one| Some(one.weight)))
            .float64("information", ("Information value of the feature", "特征信息价值"), "", shown().map(|one| Some(one.information)))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let writer = self.learned.write(ModelWriter::new(FORMAT)).u64(self.columns.len() as u64);
        let writer = self.columns.iter().fold(writer, |writer, column| writer.text(column));
        let writer = self.profit.write(writer).f64s(&self.knots).u64(self.evidence.len() as u64);
        let text = |writer: ModelWriter, text: &LocalizedText| writer.text(&text.en).text(&text.zh_cn);
        let writer = self.evidence.iter().fold(writer, |writer, one| {
            let writer = text(text(writer, &one.feature), &one.level).u64s(&[one.customers, one.responses]);
            writer.f64(one.weight).f64(one.information)
        });
        writer.finish()
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let learned = Learned::read(&mut reader)?;
        let count = reader.u64()?;
        let columns: Result<Vec<String>> = (0..count).map(|_| reader.text()).collect();
        let columns = columns?;
        let (profit, knots, count) = (Profit::read(&mut reader)?, reader.f64s()?, reader.u64()?);
        let evidence: Result<Vec<Evidence>> = (0..count).map(|_| read_evidence(&mut reader)).collect();
        let evidence = evidence?;
        reader.finish()?;
        Ok(Self { learned, columns, profit, knots, evidence })
    }
}

fn read_evidence(reader: &mut ModelReader<'_>) -> Result<Evidence> {
    let feature = localized(reader.text()?, reader.text()?);
    let level = localized(reader.text()?, reader.text()?);
    let counts = reader.u64s()?;
    let count = |place: usize| counts.get(place).copied().unwrap_or_default();
    Ok(Evidence {
        feature,
        level,
        customers: count(0),
        responses: count(1),
        weight: reader.f64()?,
        information: reader.f64()?,
    })
}

/// Whether each customer responded; none where nobody knows, as of those who were not asked.
fn outcomes(target: &Frame, config: &Config) -> Vec<Option<bool>> {
    match target.columns().first().map(|column| &column.cells) {
        Some(Cells::Numbers(numbers)) => {
            numbers.iter().map(|number| (!number.is_nan()).then_some(*number > 0.0)).collect()
        }
        Some(Cells::Texts { codes, texts }) => {
            let hits: Vec<bool> = texts.iter().map(|text| config.means_response(text)).collect();
            codes
                .iter()
                .map(|code| if *code == NO_TEXT { None } else { hits.get(*code as usize).copied() })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn knots(mut scores: Vec<f64>) -> Vec<f64> {
    scores.sort_unstable_by(f64::total_cmp);
    if scores.len() <= KNOTS {
        return scores;
    }
    let at = |knot: usize| scores.get((2 * knot + 1) * scores.len() / (2 * KNOTS)).copied();
    (0..KNOTS).filter_map(at).collect()
}

fn evidence(frame: &Frame, outcomes: &[Option<bool>]) -> Vec<Evidence> {
    let encoding = Encoding::learn(frame, &Preparation::default());
    let places: Vec<u32> =
        (0..).zip(outcomes).filter_map(|(row, known): (u32, _)| known.map(|_| row)).collect();
    let responded: Vec<bool> = outcomes.iter().flatten().copied().collect();
    let known = encoding.encode(frame).take(&places);
    let mut found: Vec<(f64, Vec<Evidence>)> = Vec::new();
    for (feature, values) in encoding.features.iter().zip(&known.features) {
        let (Kind::Category { levels }, Values::Levels { codes, count }) = (&feature.kind, values) else {
            continue;
        };
        let WeightOfEvidence { levels: weights, information } = weight_of_evidence(codes, *count, &responded);
        let of_level = |(name, level): (&String, &trellis_mining::measures::Level)| {
            Some(Evidence {
                feature: feature.title(),
                level: localized(name, level_zh(name)),
                customers: level.rows,
                responses: level.positives,
                weight: level.weight?,
                information,
            })
        };
        found.push((information, levels.iter().zip(&weights).filter_map(of_level).collect()));
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found.into_iter().flat_map(|(_, levels)| levels).take(LEVELS_MAX).collect()
}
