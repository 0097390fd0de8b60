//! What `fit` learns and every later call reads.

use trellis_likelihood::{Fitted, GammaGamma};
use trellis_sdk::{Context, ModelReader, ModelWriter, PluginError, Result, RowStream};

use crate::config::Config;
use crate::gap::Gap;
use crate::rows::{Customer, Rows};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;
/// Which parts of the customers' own rhythms are shown: tenths.
pub(crate) const QUANTILES: usize = 9;

/// The rhythm of a population.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rhythm {
    pub(crate) config: Config,
    pub(crate) fitted: Fitted,
    pub(crate) customers: u64,
    /// Customers who bought again.
    pub(crate) repeaters: u64,
    /// The 10 %, 20 % … 90 % quantile of the repeaters' mean days between purchases.
    pub(crate) quantiles: Vec<f64>,
    /// How many customers are in the cycle, due, overdue and dormant.
    pub(crate) bands: [u64; 4],
}

/// The figures of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outlook {
    /// Days until half of such customers have bought.
    pub(crate) days: f64,
    /// The probability to buy within the window.
    pub(crate) probability: f64,
    /// Expected days between purchases, the population's share included.
    pub(crate) cycle: f64,
    /// How many percent of such customers would have bought by now.
    pub(crate) lateness: f64,
}

impl Rhythm {
    /// Learns from one pass of `rows`.
    pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config, at: &Context) -> Result<Self> {
        let mut customers: Vec<Customer> = Vec::new();
        for batch in rows {
            customers.extend(Rows::read(&batch, at)?.customers.into_iter().flatten());
        }
        let rhythms: Vec<(f64, f64)> = customers
            .iter()
            .filter(|customer| customer.gaps > 0.0)
            .map(|customer| (customer.gaps, customer.days / customer.gaps))
            .collect();
        let Some(fitted) = GammaGamma::fit(&rhythms) else {
            let (found, of) = (rhythms.len(), customers.len());
            let message = (
                format!(
                    "{found} of {of} customers bought on two days or more; a rhythm needs at least two such customers"
                ),
                format!(
                    "{of} 位客户中仅 {found} 位在两个或以上的日期购买过；估计购买节奏至少需要两位这样的客户"
                ),
            );
            return Err(PluginError::UnsuitableData(message.into()));
        };
        let mut means: Vec<f64> = rhythms.iter().map(|(_, mean)| *mean).collect();
        means.sort_unstable_by(f64::total_cmp);
        let quantile = |tenth: usize| means.get((means.len() - 1) * tenth / 10).copied().unwrap_or(0.0);
        let mut rhythm = Self {
            config: *config,
            fitted,
            customers: customers.len() as u64,
            repeaters: rhythms.len() as u64,
            quantiles: (1..=QUANTILES).map(quantile).collect(),
            bands: [0; 4],
        };
        for customer in &customers {
            let lateness = rhythm.lateness(customer);
            let band = rhythm.lowest().iter().rposition(|lowest| lateness >= *lowest).unwrap_or(0);
            if let Some(count) = rhythm.bands.get_mut(band) {
                *count += 1;
            }
        }
        Ok(rhythm)
    }

    /// The lowest lateness of each band.
    pub(crate) fn lowest(&self) -> [f64; 4] {
        [0.0, 50.0, self.config.overdue_percent, self.config.dormant_percent]
    }

    fn gap(&self, customer: &Customer) -> Gap {
        Gap::new(&self.fitted.model, customer.gaps, customer.days)
    }

    fn lateness(&self, customer: &Customer) -> f64 {
        100.0 * (1.0 - self.gap(customer).survival(customer.since)).clamp(0.0, 1.0)
    }

    pub(crate) fn outlook(&self, customer: &Customer) -> Outlook {
        let gap = self.gap(customer);
        let days = gap.median_left(customer.since);
        Outlook {
            days,
            probability: gap.within(customer.since, f64::from(self.config.window_days)),
            cycle: gap.mean().unwrap_or_else(|| gap.median_left(0.0)).min(crate::gap::DAYS_MAX),
            lateness: self.lateness(customer),
        }
    }

    /// Writes the model; some 300 bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let GammaGamma { p, q, v } = self.fitted.model;
        let [p_error, q_error, v_error] = self.fitted.standard_errors.map(|error| error.unwrap_or(f64::NAN));
        let is_flat = f64::from(u8::from(self.fitted.is_flat));
        ModelWriter::new(FORMAT)
            .u64(u64::from(self.config.window_days))
            .f64s(&[self.config.overdue_percent, self.config.dormant_percent])
            .f64s(&[p, q, v, p_error, q_error, v_error, self.fitted.log_likelihood, is_flat])
            .u64s(&[self.customers, self.repeaters])
            .f64s(&self.quantiles)
            .u64s(&self.bands)
            .finish()
    }

    /// Reads a model that [`Rhythm::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let window_days = u32::try_from(reader.u64()?).map_err(|_| damaged())?;
        let [overdue_percent, dormant_percent] = sized(reader.f64s()?)?;
        let [p, q, v, p_error, q_error, v_error, log_likelihood, is_flat] = sized(reader.f64s()?)?;
        let [customers, repeaters] = sized(reader.u64s()?)?;
        let (quantiles, bands) = (reader.f64s()?, sized(reader.u64s()?)?);
        reader.finish()?;
        let config = Config { window_days, overdue_percent, dormant_percent };
        config.checked().map_err(|_| damaged())?;
        if !(p > 0.0 && q > 0.0 && v > 0.0 && p.is_finite() && q.is_finite() && v.is_finite()) {
            return Err(damaged());
        }
        let known = |error: f64| error.is_finite().then_some(error);
        Ok(Self {
            config,
            fitted: Fitted {
                model: GammaGamma { p, q, v },
                standard_errors: [p_error, q_error, v_error].map(known),
                log_likelihood,
                is_flat: is_flat > 0.0,
            },
            customers,
            repeaters,
            quantiles,
            bands,
        })
    }
}

fn sized<T, const N: usize>(list: Vec<T>) -> Result<[T; N]> {
    list.try_into().map_err(|_| damaged())
}

fn damaged() -> PluginError {
    PluginError::UnreadableModel("the rhythm's figures do not fit together".into())
}
