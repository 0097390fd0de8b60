//! Opportunities, one at a time, as the questions see them.

use serde::Deserialize;
use trellis_sdk::{Batch, Context, Result, RowStream};

use crate::config::Config;
use crate::names::{NONE, Names};

/// Where a deal stands as of the day that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Open,
    Won,
    Lost,
}

/// What a deal counts for in a forecast, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Category {
    Closed,
    Commit,
    BestCase,
    Pipeline,
    /// Somebody said that it is not to be counted.
    Omitted,
}

/// A deal. Amounts are minor units of the stream's currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deal {
    pub(crate) outcome: Outcome,
    /// Its amount; without one the list price times the quantity.
    pub(crate) value: Option<i64>,
    /// The list price times the quantity.
    pub(crate) list_value: Option<i64>,
    pub(crate) opened_on: Option<i32>,
    /// Only of a deal that is not open.
    pub(crate) closed_on: Option<i32>,
    /// When it is expected to close.
    pub(crate) close_on: Option<i32>,
    /// From 0 to 1, by the stage's setting or the record; none where neither says it.
    pub(crate) probability: Option<f64>,
    /// As the record says, if it does.
    category: Option<Category>,
    pub(crate) stage: u32,
    /// What it is in each dimension that was asked for.
    pub(crate) groups: [u32; GROUPS_MAX],
}

/// How many dimensions can be asked for at once.
pub(crate) const GROUPS_MAX: usize = 3;

/// What deals can be divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dimension {
    #[default]
    Owner,
    Manager,
    Office,
    Product,
    Sector,
    Source,
    Stage,
    Account,
    /// The ids of the owner, the owner's team and the product: what targets name.
    OwnerId,
    TeamId,
    ProductId,
}

impl Dimension {
    /// The dataset's column.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Office => "office",
            Self::Product => "product",
            Self::Sector => "sector",
            Self::Source => "source",
            Self::Stage => "stage",
            Self::Account => "account",
            Self::OwnerId => "owner_id",
            Self::TeamId => "team_id",
            Self::ProductId => "product_id",
        }
    }

    /// English and Chinese.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Owner | Self::OwnerId => ("Owner", "负责人"),
            Self::Manager => ("Manager", "上级主管"),
            Self::Office => ("Office", "办事处"),
            Self::Product | Self::ProductId => ("Product", "产品"),
            Self::Sector => ("Industry", "行业"),
            Self::Source => ("Source", "来源"),
            Self::Stage => ("Stage", "阶段"),
            Self::Account => ("Account", "客户"),
            Self::TeamId => ("Team", "团队"),
        }
    }
}

/// Reads deals; names keep their numbers from one pass to the next.
#[derive(Debug)]
pub(crate) struct DealReader<'a> {
    config: &'a Config,
    as_of: i32,
    dimensions: Vec<Dimension>,
    pub(crate) stages: Names,
    /// One for each dimension.
    pub(crate) names: Vec<Names>,
    /// ISO 4217; that of the organisation until a batch says it.
    pub(crate) currency: String,
}

impl<'a> DealReader<'a> {
    pub(crate) fn new(config: &'a Config, at: &Context, dimensions: &[Dimension]) -> Self {
        assert!(dimensions.len() <= GROUPS_MAX, "a deal has room for {GROUPS_MAX} dimensions");
        Self {
            config,
            as_of: at.as_of,
            dimensions: dimensions.to_vec(),
            stages: Names::default(),
            names: dimensions.iter().map(|_| Names::default()).collect(),
            currency: at.base_currency.clone(),
        }
    }

    /// Shows every deal that was opened by then to `visit`, from the first one of `rows`.
    pub(crate) fn each(&mut self, rows: &mut RowStream<'_>, mut visit: impl FnMut(&Deal)) -> Result<()> {
        rows.rewind();
        for batch in rows {
            self.batch(&batch, &mut visit)?;
        }
        Ok(())
    }

    fn batch(&mut self, batch: &Batch, visit: &mut impl FnMut(&Deal)) -> Result<()> {
        let stage_codes = self.stages.codes(batch, "stage")?;
        let stages: Vec<Stage> = self.known_stages();
        let groups = self
            .names
            .iter_mut()
            .zip(&self.dimensions)
            .map(|(names, dimension)| names.codes(batch, dimension.column()))
            .collect::<Result<Vec<_>>>()?;
        let (amount, list_price) = (batch.money("amount")?, batch.money("list_price")?);
        amount.currency().clone_into(&mut self.currency);
        let (amount, list_price) = (amount.minor_units(), list_price.minor_units());
        let (quantity, probability) = (batch.float64("quantity")?, batch.float64("probability")?);
        let (opened, closed, close_on) =
            (batch.date("opened_on")?, batch.date("closed_on")?, batch.date("close_on")?);
        let category = batch.dictionary("forecast_category")?;
        for row in 0..batch.rows() {
            let opened_on = opened.get(row);
            if opened_on.is_some_and(|day| day > self.as_of) {
                continue;
            }
            let code = stage_codes.get(row).copied().unwrap_or(NONE);
            let stage = stages.get(code as usize).copied().unwrap_or(Stage::UNKNOWN);
            // What was closed later was open then, in a stage that nobody knows any more.
            let closed_on = closed.get(row).filter(|_| stage.outcome != Outcome::Open);
            let closes_later = closed_on.is_some_and(|day| day > self.as_of);
            let outcome = if closes_later { Outcome::Open } else { stage.outcome };
            let list_value = list_price.get(row).map(|price| times(price, quantity.get(row)));
            visit(&Deal {
                outcome,
                value: amount.get(row).or(list_value),
                list_value,
                opened_on,
                closed_on: closed_on.filter(|_| !closes_later),
                close_on: close_on.get(row),
                probability: stage
                    .probability
                    .or_else(|| Some(probability.get(row)?.clamp(0.0, 100.0) / 100.0))
                    .filter(|_| !closes_later),
                category: category.get(row).and_then(Category::parse).filter(|_| !closes_later),
                stage: code,
                groups: std::array::from_fn(|place| {
                    groups.get(place).and_then(|codes| codes.get(row)).copied().unwrap_or(NONE)
                }),
            });
        }
        Ok(())
    }

    /// The last days of the classes of age, ascending.
    pub(crate) fn age_classes(&self) -> Vec<i32> {
        let mut classes = self.config.age_classes.clone();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    fn known_stages(&self) -> Vec<Stage> {
        let stage = |name: &str| Stage {
            outcome: self.outcome(name),
            probability: self
                .config
                .stage_probabilities
                .iter()
                .find(|setting| setting.stage == name)
                .map(|setting| setting.percent / 100.0),
        };
        (0..).map_while(|code| self.stages.get(code)).map(stage).collect()
    }

    fn outcome(&self, stage: &str) -> Outcome {
        if self.config.won_stages.iter().any(|won| won == stage) {
            Outcome::Won
        } else if self.config.lost_stages.iter().any(|lost| lost == stage) {
            Outcome::Lost
        } else {
            Outcome::Open
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Stage {
    outcome: Outcome,
    probability: Option<f64>,
}

impl Stage {
    const UNKNOWN: Self = Self { outcome: Outcome::Open, probability: None };
}

impl Deal {
    /// What it counts for, by what somebody said or by how probable it is.
    pub(crate) fn category(&self, config: &Config) -> Category {
        match (self.outcome, self.category) {
            (Outcome::Won, _) => Category::Closed,
            (Outcome::Lost, _) | (Outcome::Open, Some(Category::Omitted)) => Category::Omitted,
            // An open deal is not closed, whatever somebody said: it is as sure as can be.
            (Outcome::Open, Some(Category::Closed)) => Category::Commit,
            (Outcome::Open, Some(said)) => said,
            (Outcome::Open, None) => match self.probability.map(|share| share * 100.0) {
                Some(percent) if percent >= config.commit_percent => Category::Commit,
                Some(percent) if percent >= config.best_case_percent => Category::BestCase,
                _ => Category::Pipeline,
            },
        }
    }

    /// What it is in the dimension that was asked for in this place.
    pub(crate) fn group(&self, place: usize) -> u32 {
        self.groups.get(place).copied().unwrap_or(NONE)
    }

    /// Days from its opening to its end.
    pub(crate) fn cycle_days(&self) -> Option<i64> {
        Some(i64::from(self.closed_on?) - i64::from(self.opened_on?))
    }
}

impl Category {
    fn parse(option: &str) -> Option<Self> {
        match option {
            "closed" => Some(Self::Closed),
            "commit" => Some(Self::Commit),
            "best_case" => Some(Self::BestCase),
            "pipeline" => Some(Self::Pipeline),
            "omitted" => Some(Self::Omitted),
            _ => None,
        }
    }
}

/// A price times a quantity, 1 where there is none, in whole minor units.
fn times(price: i64, quantity: Option<f64>) -> i64 {
    quantity.map_or(price, |quantity| (price as f64 * quantity).round() as i64)
}
