//! Learning from every customer.

use trellis_sdk::{Context, PluginError, Result, RowStream};

use crate::config::{Config, KeyBy};
use crate::model::{CURVE_PARTS, Curve, KeyModel, Top};
use crate::pareto::Ranked;
use crate::rankings::{Figures, Ranking};
use crate::traits::{Gathered, Seen, Trait};

/// What is read of every customer that can be ranked: 56 bytes, and 4 to 8 for each trait.
#[derive(Debug, Default)]
struct Population {
    currency: String,
    ordinals: Vec<u64>,
    /// For each of [`Ranking::ALL`].
    columns: Vec<Vec<f64>>,
    traits: Vec<Gathered>,
}

/// Reads one pass of `rows`, ranks everybody, and looks for what key customers share.
pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<KeyModel> {
    let Population { currency, ordinals, columns, traits } = Population::read(rows, config, at)?;
    let ranked = |ranking: Ranking| {
        let values = columns.get(ranking as usize).map_or(&[][..], Vec::as_slice);
        Ranked::new(values.iter().copied().zip(ordinals.iter().copied()))
    };
    let tops = Ranking::ALL.map(|ranking| {
        let ranked = ranked(ranking);
        (ranked.count() > 0).then(|| top(&ranked, ranked.top_count(config.top_percent)))
    });
    let revenue = ranked(Ranking::Revenue);
    let mut model = KeyModel {
        key_by: config.key_by,
        share_percent: config.share_percent,
        top_percent: config.top_percent,
        rankings_min: u64::from(config.rankings_min),
        growth_days: u64::from(config.growth_days),
        currency,
        customers: 0,
        revenue_customers: revenue.count() as u64,
        key: 0,
        tops: tops.to_vec(),
        share: top(&revenue, revenue.fewest_for(config.share_percent)),
        abc: [config.class_a_percent, config.class_b_percent]
            .map(|percent| top(&revenue, revenue.within(percent))),
        curve: curve(&revenue),
        overlap: vec![0; Ranking::ALL.len() * Ranking::ALL.len()],
        traits: Vec::new(),
    };
    let figures = Figures { currency: "", ordinals: &ordinals, columns, failures: Vec::new() };
    let is_key = judge(&mut model, &figures);
    model.traits = gather(traits, config, &is_key);
    Ok(model)
}

fn top(ranked: &Ranked, customers: usize) -> Top {
    Top { cut: ranked.cut(customers), customers: customers as u64 }
}

fn curve(revenue: &Ranked) -> Curve {
    let share = |percent: f64| revenue.share(revenue.top_count(percent));
    Curve {
        revenue: revenue.sum(),
        gini: revenue.gini(),
        top_10: share(10.0),
        top_20: share(20.0),
        shares: (1..=CURVE_PARTS).map(|part| share(100.0 * part as f64 / CURVE_PARTS as f64)).collect(),
    }
}

/// Counts key customers and who is among the best of two rankings.
fn judge(model: &mut KeyModel, figures: &Figures<'_>) -> Vec<bool> {
    let rankings = Ranking::ALL.len();
    let mut all = Vec::with_capacity(figures.ordinals.len());
    let mut overlap = vec![0; rankings * rankings];
    for row in 0..figures.ordinals.len() {
        let is_key = model.is_key(figures, row);
        model.customers += u64::from(is_key.is_some());
        model.key += u64::from(is_key == Some(true));
        all.push(is_key == Some(true));
        let bests = model.bests(figures, row);
        for (place, count) in overlap.iter_mut().enumerate() {
            let (one, other) = (place / rankings, place % rankings);
            *count += u64::from(bests >> one & bests >> other & 1);
        }
    }
    model.overlap = overlap;
    all
}

fn gather(traits: Vec<Gathered>, config: &Config, is_key: &[bool]) -> Vec<Trait> {
    traits
        .into_iter()
        .zip(&config.traits)
        .map(|(gathered, name)| gathered.tally(name.clone(), is_key))
        .collect()
}

impl Population {
    fn read(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Self> {
        let mut population = Self { columns: vec![Vec::new(); Ranking::ALL.len()], ..Self::default() };
        for batch in rows {
            let figures = Figures::read(&batch, config.growth_days, at)?;
            if population.currency.is_empty() {
                figures.currency.clone_into(&mut population.currency);
            } else if population.currency != figures.currency {
                let message = (
                    format!("`spent` is in {} and in {}", population.currency, figures.currency),
                    format!("`spent` 的币种既有 {} 又有 {}", population.currency, figures.currency),
                );
                return Err(PluginError::UnsuitableData(message.into()));
            }
            let seen: Vec<Seen> = config
                .traits
                .iter()
                .map(|field| Seen::read(&batch, &format!("traits.{field}"), at))
                .collect::<Result<_>>()?;
            population.add(&figures, &seen, config.key_by);
        }
        if population.ordinals.is_empty() {
            let message = (
                "no customer has an order or a value up to the day as of which it runs",
                "截至运行日期，没有客户有订单或价值",
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        Ok(population)
    }

    /// Adds the rows that can be judged: with a revenue, or with any figure where rankings decide.
    fn add(&mut self, figures: &Figures<'_>, seen: &[Seen], key_by: KeyBy) {
        let counts = |row: usize| match key_by {
            KeyBy::Share => figures.value(Ranking::Revenue, row).is_some(),
            KeyBy::Rankings => Ranking::ALL.into_iter().any(|ranking| figures.value(ranking, row).is_some()),
        };
        let is_counted: Vec<bool> = (0..figures.ordinals.len()).map(counts).collect();
        let kept = |of: &mut Vec<f64>, values: &[f64]| {
            of.extend(
                values.iter().zip(&is_counted).filter(|(_, counted)| **counted).map(|(value, _)| value),
            );
        };
        self.columns.iter_mut().zip(&figures.columns).for_each(|(of, values)| kept(of, values));
        self.ordinals.extend(
            figures
                .ordinals
                .iter()
                .zip(&is_counted)
                .filter(|(_, counted)| **counted)
                .map(|(ordinal, _)| ordinal),
        );
        if self.traits.is_empty() {
            self.traits = seen.iter().map(Gathered::new).collect();
        }
        self.traits.iter_mut().zip(seen).for_each(|(of, seen)| of.add(seen, &is_counted));
    }
}
