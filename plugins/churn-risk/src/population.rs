//! All customers as `fit` reads them.

use trellis_mining::frame::Frame;
use trellis_mining::learner;
use trellis_mining::outcome::Outcomes;
use trellis_mining::profit::Profit;
use trellis_sdk::{Batch, ColumnDescription, Context, Result, RowStream};

use crate::config::{Config, Definition};
use crate::model::ChurnModel;
use crate::orders::{BEFORE, Orders, TODAY, lost_by_cycle, lost_by_window};
use crate::survival::Stays;
use crate::value::{Cuts, read_values};

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
        population.describe(&rows.columns());
        for batch in rows.by_ref() {
            population.push(&batch, config, at)?;
        }
        Ok(population)
    }

    /// Calls fields and options what people call them.
    fn describe(&mut self, columns: &[ColumnDescription]) {
        self.fields.describe(columns);
        self.target.describe(columns);
        self.groups.iter_mut().for_each(|groups| groups.describe(columns));
    }

    fn push(&mut self, batch: &Batch, config: &Config, at: &Context) -> Result<()> {
        self.ordinals.extend_from_slice(batch.ordinals());
        self.fields.gather(batch, at)?;
        if config.definition == Definition::Label {
            self.target.gather(batch, at)?;
        }
        for frame in [&mut self.tenures, &mut self.groups].into_iter().flatten() {
            frame.gather(batch, at)?;
        }
        self.values.extend(read_values(batch, at)?);
        self.today.push(batch, &TODAY)?;
        self.before.push(batch, &BEFORE)
    }

    pub(crate) fn model(mut self, config: &Config, at: &Context) -> Result<ChurnModel> {
        let cut = at.as_of.saturating_sub(config.outcome_days);
        let Outcomes { known: lost, readings } = self.outcomes(config, cut, at.as_of)?;
        let stays = Stays::of(&self.today, &lost, at.as_of);
        let survival = stays.survival(config, self.tenures.take(), self.groups.take())?;
        let mut now = self.fields;
        let past = (config.definition != Definition::Label).then(|| {
            let mut past = now.clone();
            self.before.add_features(&mut past, cut);
            past
        });
        if config.uses_orders() {
            self.today.add_features(&mut now, at.as_of);
        }
        let past = past.as_ref().unwrap_or(&now);
        let learned = learner::learn(past, &lost, &self.ordinals, &config.learning, at.seed)?;
        let risks = learned.probabilities(&now);
        let held = learner::held_out(&lost, &self.ordinals, &config.learning, at.seed);
        let retention = config.retention().map(|(cost, benefit)| {
            let before = learned.probabilities(past);
            let of_held = |row: &usize| Some((*before.get(*row)?, (*lost.get(*row)?)?));
            let (scores, left): (Vec<f64>, Vec<bool>) = held.iter().filter_map(of_held).unzip();
            Profit::of(&scores, &left, cost, benefit, &at.base_currency)
        });
        let cuts = Cuts::learn(&self.values, config);
        let mut model = ChurnModel {
            uses_orders: config.uses_orders(),
            columns: config.feature_columns(),
            medium: config.medium_percent,
            high: config.high_percent,
            survival,
            readings,
            retention,
            cells: [[0, 0]; 9].map(|[customers, _]| (customers, 0.0, 0.0)),
            learned,
            cuts,
        };
        model.count_cells(&risks, &self.values);
        Ok(model)
    }

    /// Whether each customer is lost, and how the field that says so was read.
    fn outcomes(&self, config: &Config, cut: i32, day: i32) -> Result<Outcomes> {
        let known = match config.definition {
            Definition::Label => {
                let field = config.target.as_deref().unwrap_or("target");
                return Outcomes::read(&self.target, field, |value| config.means_lost(value));
            }
            Definition::Window => lost_by_window(&self.before, &self.today, cut, config.active_days),
            Definition::Cycle => lost_by_cycle(&self.before, &self.today, config.cycles, cut, day),
        };
        Ok(Outcomes { known, readings: Vec::new() })
    }
}
