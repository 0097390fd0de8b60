//! All customers as `fit` reads them.

use trellis_mining::encoding::{Encoding, Preparation, Values};
use trellis_mining::frame::{Cells, Frame, NO_TEXT};
use trellis_mining::learner;
use trellis_mining::survival::{kaplan_meier, log_rank};
use trellis_sdk::{Batch, Context, Result, RowStream};

use crate::config::{Config, Definition};
use crate::model::{ChurnModel, Curve, Survival};
use crate::orders::{BEFORE, Orders, TODAY, lost_by_cycle, lost_by_window};
use crate::value::{Cuts, read_values};

/// More groups than these make no readable picture; the largest are shown.
const GROUPS_MAX: usize = 8;
/// So many points of each curve are kept.
const POINTS_MAX: usize = 300;

/// What was read of all customers.
pub(crate) struct Population {
    ordinals: Vec<u64>,
    fields: Frame,
    target: Frame,
    values: Vec<f64>,
    tenures: Option<Frame>,
    groups: Option<Frame>,
    today: Orders,
    before: Orders,
}

impl Population {
    pub(crate) fn read(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Self> {
        let column = |name: &str| Frame::of(&[name.to_owned()]);
        let mut population = Self {
            ordinals: Vec::new(),
            fields: Frame::of(&config.feature_columns()),
            target: column("target"),
            values: Vec::new(),
            tenures: config.tenure.as_ref().map(|_| column("tenure")),
            groups: config.group.as_ref().map(|_| column("group")),
            today: Orders::default(),
            before: Orders::default(),
        };
        for batch in rows.by_ref() {
            population.push(&batch, config, at)?;
        }
        Ok(population)
    }

    fn push(&mut self, batch: &Batch, config: &Config, at: &Context) -> Result<()> {
        self.ordinals.extend_from_slice(batch.ordinals());
        self.fields.push(batch, at)?;
        if config.definition == Definition::Label {
            self.target.push(batch, at)?;
        }
        for frame in [&mut self.tenures, &mut self.groups].into_iter().flatten() {
            frame.push(batch, at)?;
        }
        self.values.extend(read_values(batch, at)?);
        self.today.push(batch, &TODAY)?;
        self.before.push(batch, &BEFORE)
    }

    pub(crate) fn model(&self, config: &Config, at: &Context) -> Result<ChurnModel> {
        let cut = at.as_of.saturating_sub(config.outcome_days);
        let lost = match config.definition {
            Definition::Label => outcomes(&self.target, config),
            Definition::Window => lost_by_window(&self.before, &self.today),
            Definition::Cycle => lost_by_cycle(&self.before, &self.today, config.cycles, cut, at.as_of),
        };
        let (mut past, mut now) = (self.fields.clone(), self.fields.clone());
        if config.uses_orders() {
            self.today.add_features(&mut now, at.as_of);
            match config.definition {
                Definition::Label => past = now.clone(),
                Definition::Window | Definition::Cycle => self.before.add_features(&mut past, cut),
            }
        }
        let learned = learner::learn(&past, &lost, &self.ordinals, &config.learning, at.seed)?;
        let risks = learned.probabilities(&now);
        let cuts = Cuts::learn(&self.values, config);
        let mut model = ChurnModel {
            uses_orders: config.uses_orders(),
            columns: config.feature_columns(),
            medium: config.medium_percent,
            high: config.high_percent,
            survival: self.survival(&lost, at),
            cells: [[0, 0]; 9].map(|[customers, _]| (customers, 0.0, 0.0)),
            learned,
            cuts,
        };
        model.count_cells(&risks, &self.values);
        Ok(model)
    }

    fn survival(&self, lost: &[Option<bool>], at: &Context) -> Survival {
        let numbers = self.tenures.as_ref().and_then(|frame| match &frame.columns().first()?.cells {
            Cells::Numbers(numbers) => Some(numbers.clone()),
            _ => None,
        });
        let is_given = numbers.is_some();
        let times = numbers.unwrap_or_else(|| self.today.tenures(at.as_of, lost));
        // Who is unknown to be lost was still there when last seen.
        let left: Vec<bool> = lost.iter().map(|lost| *lost == Some(true)).collect();
        let (codes, names) = self.group_codes();
        let mut curves = Vec::new();
        for (group, name) in names.iter().enumerate() {
            let rows = || codes.iter().zip(times.iter().zip(&left)).filter(|(code, _)| **code == group);
            let of_group: Vec<f64> = rows().map(|(_, (time, _))| *time).collect();
            let left: Vec<bool> = rows().map(|(_, (_, left))| *left).collect();
            let points = kaplan_meier(&of_group, &left);
            let step = points.len().div_ceil(POINTS_MAX).max(1);
            let points = points.into_iter().step_by(step).collect();
            curves.push(Curve { name: name.clone(), customers: of_group.len() as u64, points });
        }
        let test = log_rank(&times, &left, &codes, names.len());
        Survival { curves, test, is_given }
    }

    /// The group of each customer and the groups' names; everybody in one group where none is configured.
    fn group_codes(&self) -> (Vec<usize>, Vec<String>) {
        let everybody = || (vec![0; self.ordinals.len()], vec![String::new()]);
        let Some(frame) = &self.groups else { return everybody() };
        let encoding = Encoding::learn(frame, &Preparation::default());
        let Some(Values::Levels { codes, count }) = encoding.encode(frame).features.into_iter().next() else {
            return everybody();
        };
        let names: Vec<String> = encoding
            .columns()
            .into_iter()
            .map(|column| encoding.column_name(column).en)
            .map(|name| name.split_once('=').map_or(name.clone(), |(_, level)| level.to_owned()))
            .collect();
        let mut sizes = vec![(0_usize, 0_usize); count];
        for (place, size) in sizes.iter_mut().enumerate() {
            *size = (codes.iter().filter(|code| usize::from(**code) == place).count(), place);
        }
        sizes.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        sizes.truncate(GROUPS_MAX);
        let mut shown: Vec<usize> = sizes.into_iter().map(|(_, place)| place).collect();
        shown.sort_unstable();
        let place_of = |code: &u8| shown.binary_search(&usize::from(*code)).unwrap_or(usize::MAX);
        let kept = shown.iter().filter_map(|place| names.get(*place)).cloned().collect();
        (codes.iter().map(place_of).collect(), kept)
    }
}

/// Whether each customer is lost, by the field that says so.
fn outcomes(target: &Frame, config: &Config) -> Vec<Option<bool>> {
    match target.columns().first().map(|column| &column.cells) {
        Some(Cells::Numbers(numbers)) => {
            numbers.iter().map(|number| (!number.is_nan()).then_some(*number > 0.0)).collect()
        }
        Some(Cells::Texts { codes, texts }) => {
            let lost: Vec<bool> = texts.iter().map(|text| config.means_lost(text)).collect();
            codes
                .iter()
                .map(|code| if *code == NO_TEXT { None } else { lost.get(*code as usize).copied() })
                .collect()
        }
        _ => Vec::new(),
    }
}
