//! What `fit` learns and every later call reads.

use trellis_mining::frame::Frame;
use trellis_mining::learner::{self, Learned, Words};
use trellis_mining::outcome::{Outcomes, Reading, read_readings, write_readings};
use trellis_mining::profit::Profit;
use trellis_sdk::{Context, LocalizedText, Metric, ModelReader, ModelWriter, Result, RowStream, localized};

use crate::config::Config;
use crate::evidence::{Choice, choices, read_choices, write_choices};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;
/// So many parts of the population's ranking are kept.
const KNOTS: usize = 1_000;

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
    /// How each choice goes with responding.
    pub(crate) evidence: Vec<Choice>,
    /// How the field that says who responded was read.
    pub(crate) readings: Vec<Reading>,
}

impl ResponseModel {
    pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Self> {
        config.check()?;
        let columns = config.feature_columns();
        let (mut frame, mut target) = (Frame::of(&columns), Frame::of(&["target".to_owned()]));
        let words = rows.columns();
        frame.describe(&words);
        target.describe(&words);
        let mut ordinals = Vec::new();
        for batch in rows.by_ref() {
            frame.gather(&batch, at)?;
            target.gather(&batch, at)?;
            ordinals.extend_from_slice(batch.ordinals());
        }
        let field = config.target.as_deref().unwrap_or("target");
        let Outcomes { known: outcomes, readings } =
            Outcomes::read(&target, field, |value| config.means_response(value))?;
        let learned = learner::learn(&frame, &outcomes, &ordinals, &config.learning, at.seed)?;
        let scores = learned.probabilities(&frame);
        let held = learner::held_out(&outcomes, &ordinals, &config.learning, at.seed);
        let of_held = |row: &usize| Some((*scores.get(*row)?, (*outcomes.get(*row)?)?));
        let (chosen, responded): (Vec<f64>, Vec<bool>) = held.iter().filter_map(of_held).unzip();
        let profit =
            Profit::of(&chosen, &responded, config.contact_cost, config.response_value, &at.base_currency);
        let evidence = choices(&frame, &outcomes, &config.learning.preparation());
        Ok(Self { learned, columns, profit, knots: knots(scores), evidence, readings })
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
                "{}联系响应概率最高的 {percent}%（概率不低于 {threshold:.1}%）利润最大：在验证集客户上为 {profit:.2} {currency}。",
                learned.zh_cn
            ),
        )
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = self.learned.evaluation.metrics(&WORDS);
        metrics.extend(self.profit.metrics());
        metrics
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let writer = self.learned.write(ModelWriter::new(FORMAT)).u64(self.columns.len() as u64);
        let writer = self.columns.iter().fold(writer, |writer, column| writer.text(column));
        let writer = self.profit.write(writer).f64s(&self.knots);
        write_readings(&self.readings, write_choices(&self.evidence, writer)).finish()
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let learned = Learned::read(&mut reader)?;
        let count = reader.u64()?;
        let columns: Result<Vec<String>> = (0..count).map(|_| reader.text()).collect();
        let columns = columns?;
        let (profit, knots) = (Profit::read(&mut reader)?, reader.f64s()?);
        let (evidence, readings) = (read_choices(&mut reader)?, read_readings(&mut reader)?);
        reader.finish()?;
        Ok(Self { learned, columns, profit, knots, evidence, readings })
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
