//! What `fit` learns and every later call reads.

use trellis_mining::frame::{Cells, Frame, NO_TEXT};
use trellis_mining::learner::{self, Learned, Predictor};
use trellis_mining::tree::{LeafRule, Tree};
use trellis_sdk::{Batch, Context, ModelReader, ModelWriter, PluginError, Result, RowStream};

use crate::config::Config;
use crate::usage::Usage;

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;

/// What a model without a tree would have.
static NO_TREE: Tree = Tree { nodes: Vec::new() };

/// Who uses the service, and how much.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Targeting {
    pub(crate) learned: Learned,
    /// How much users use it; none where no field says so.
    pub(crate) usage: Option<Usage>,
    pub(crate) columns: Vec<String>,
    /// In percent, descending.
    pub(crate) groups: Vec<f64>,
    user_values: Vec<String>,
    /// How many of those who do not use it are in each group, and at last below all.
    pub(crate) sizes: Vec<u64>,
}

impl Targeting {
    pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Self> {
        config.check()?;
        let columns = config.feature_columns();
        let column = |name: &str| Frame::of(&[name.to_owned()]);
        let (mut frame, mut target) = (Frame::of(&columns), column("target"));
        // Rules say what people call a field and its values.
        let words = rows.columns();
        frame.describe(&words);
        target.describe(&words);
        let mut usage = config.usage.as_ref().map(|_| column("usage"));
        let mut ordinals = Vec::new();
        for batch in rows.by_ref() {
            frame.gather(&batch, at)?;
            target.gather(&batch, at)?;
            if let Some(usage) = &mut usage {
                usage.gather(&batch, at)?;
            }
            ordinals.extend_from_slice(batch.ordinals());
        }
        let uses = uses(&target, |value| config.means_user(value));
        let learned = learner::learn(&frame, &uses, &ordinals, &config.learning(), at.seed)?;
        let usage = match &usage {
            Some(usage) => Usage::learn(&learned.encoding, &frame, usage, &ordinals, config, at.seed)?,
            None => None,
        };
        let mut model = Self {
            learned,
            usage,
            columns,
            groups: config.groups.clone(),
            user_values: config.user_values.clone(),
            sizes: vec![0; config.groups.len() + 1],
        };
        for (probability, uses) in model.learned.probabilities(&frame).into_iter().zip(uses) {
            let group = model.group(probability);
            if let Some(size) = model.sizes.get_mut(group).filter(|_| uses != Some(true)) {
                *size += 1;
            }
        }
        Ok(model)
    }

    /// The tree of who uses it.
    pub(crate) fn tree(&self) -> &Tree {
        match &self.learned.predictor {
            Predictor::Tree(tree) => tree,
            // A model is only made and read with a tree.
            Predictor::Logistic(_) | Predictor::Boosted(_) => &NO_TREE,
        }
    }

    /// The rules of the leaves, the one with the highest share of users first: a leaf's number is its rank among them, so that the first one means the
    /// likeliest customers whatever was learned.
    pub(crate) fn rules(&self) -> Vec<LeafRule> {
        let mut rules = self.tree().rules(&self.learned.encoding);
        rules.sort_by(|one, other| other.value.total_cmp(&one.value).then(one.node.cmp(&other.node)));
        rules
    }

    /// Which group a probability is in; the number of groups where it is below all.
    pub(crate) fn group(&self, probability: f64) -> usize {
        // Shares such as 19 of 20 are not hit exactly.
        let percent = 100.0 * probability + 1e-9;
        self.groups.iter().position(|lowest| percent >= *lowest).unwrap_or(self.groups.len())
    }

    pub(crate) fn frame(&self, batch: &Batch, at: &Context) -> Result<Frame> {
        Frame::read(&self.columns, batch, at)
    }

    /// Whether each row uses the service already.
    pub(crate) fn uses(&self, batch: &Batch, at: &Context) -> Result<Vec<Option<bool>>> {
        let target = Frame::read(&["target".to_owned()], batch, at)?;
        let known = |value: &str| {
            self.user_values.iter().any(|one| one.to_lowercase() == value.trim().to_lowercase())
        };
        Ok(uses(&target, known))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let texts = |writer: ModelWriter, texts: &[String]| {
            texts.iter().fold(writer.u64(texts.len() as u64), |writer, text| writer.text(text))
        };
        let writer = self.learned.write(ModelWriter::new(FORMAT)).u64(u64::from(self.usage.is_some()));
        let writer = self.usage.iter().fold(writer, |writer, usage| usage.write(writer));
        let writer = texts(texts(writer, &self.columns), &self.user_values);
        writer.f64s(&self.groups).u64s(&self.sizes).finish()
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let learned = Learned::read(&mut reader)?;
        if !matches!(learned.predictor, Predictor::Tree(_)) {
            return Err(PluginError::UnreadableModel("the model has no tree".into()));
        }
        let usage = if reader.u64()? == 1 { Some(Usage::read(&mut reader)?) } else { None };
        let texts = |reader: &mut ModelReader<'_>| {
            let count = reader.u64()?;
            (0..count).map(|_| reader.text()).collect::<Result<Vec<String>>>()
        };
        let (columns, user_values) = (texts(&mut reader)?, texts(&mut reader)?);
        let (groups, sizes) = (reader.f64s()?, reader.u64s()?);
        reader.finish()?;
        Ok(Self { learned, usage, columns, groups, user_values, sizes })
    }
}

fn uses(target: &Frame, means_user: impl Fn(&str) -> bool) -> Vec<Option<bool>> {
    match target.columns().first().map(|column| &column.cells) {
        Some(Cells::Numbers(numbers)) => {
            numbers.iter().map(|number| (!number.is_nan()).then_some(*number > 0.0)).collect()
        }
        Some(Cells::Texts { codes, texts }) => {
            let users: Vec<bool> = texts.iter().map(|text| means_user(text)).collect();
            codes
                .iter()
                .map(|code| if *code == NO_TEXT { None } else { users.get(*code as usize).copied() })
                .collect()
        }
        _ => Vec::new(),
    }
}
