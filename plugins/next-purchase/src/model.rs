//! What `fit` learns and every later call reads.

use trellis_likelihood::{Fitted, GammaGamma};
use trellis_sdk::{Context, ModelReader, ModelWriter, PluginError, Result, RowStream};

use crate::config::Config;
use crate::gap::Gap;
use crate::rows::{Customer, Rows};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;
/// Which parts of the customers' own rhythms are shown: tenths.
pub(crate) const QUANTILES: usize = 9;

/// The rhythm of a population.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rhythm {
    pub(crate) config: Config,
    /// None where too few customers came back to tell a rhythm.
    pub(crate) fitted: Option<Fitted>,
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
        if customers.is_empty() {
            let message = (
                "no customer has an order up to the day as of which it runs",
                "截至运行日期，没有客户有订单",
            );
            return Err(PluginError::UnsuitableData(message.into()));
        }
        let mut means: Vec<f64> = rhythms.iter().map(|(_, mean)| *mean).collect();
        means.sort_unstable_by(f64::total_cmp);
        let quantile = |tenth: usize| means.get((means.len() - 1) * tenth / 10).copied().unwrap_or(0.0);
        let mut rhythm = Self {
            config: *config,
            fitted: GammaGamma::fit(&rhythms),
            customers: customers.len() as u64,
            repeaters: rhythms.len() as u64,
            quantiles: (1..=QUANTILES).map(quantile).collect(),
            bands: [0; 4],
        };
        for customer in &customers {
            let Some(lateness) = rhythm.gap(customer).map(|gap| lateness(&gap, customer)) else { break };
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

    fn gap(&self, customer: &Customer) -> Option<Gap> {
        Some(Gap::new(&self.fitted?.model, customer.gaps, customer.days))
    }

    /// None where there is no rhythm.
    pub(crate) fn outlook(&self, customer: &Customer) -> Option<Outlook> {
        let gap = self.gap(customer)?;
        let days = gap.median_left(customer.since);
        Some(Outlook {
            days,
            probability: gap.within(customer.since, f64::from(self.config.window_days)),
            cycle: gap.mean().unwrap_or_else(|| gap.median_left(0.0)).min(crate::gap::DAYS_MAX),
            lateness: lateness(&gap, customer),
        })
    }

    /// Writes the model; some 300 bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let fitted = self.fitted.map(|fitted| {
            let GammaGamma { p, q, v } = fitted.model;
            let [p_error, q_error, v_error] = fitted.standard_errors.map(|error| error.unwrap_or(f64::NAN));
            let is_flat = f64::from(u8::from(fitted.is_flat));
            [p, q, v, p_error, q_error, v_error, fitted.log_likelihood, is_flat]
        });
        ModelWriter::new(FORMAT)
            .u64(u64::from(self.config.window_days))
            .f64s(&[self.config.overdue_percent, self.config.dormant_percent])
            .f64s(fitted.as_ref().map_or(&[], <[f64; 8]>::as_slice))
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
        let fitted = read_fitted(reader.f64s()?)?;
        let [customers, repeaters] = sized(reader.u64s()?)?;
        let (quantiles, bands) = (reader.f64s()?, sized(reader.u64s()?)?);
        reader.finish()?;
        let config = Config { window_days, overdue_percent, dormant_percent };
        config.checked().map_err(|_| damaged())?;
        Ok(Self { config, fitted, customers, repeaters, quantiles, bands })
    }
}

/// How many percent of such customers would have bought by now.
fn lateness(gap: &Gap, customer: &Customer) -> f64 {
    100.0 * (1.0 - gap.survival(customer.since)).clamp(0.0, 1.0)
}

fn read_fitted(numbers: Vec<f64>) -> Result<Option<Fitted>> {
    if numbers.is_empty() {
        return Ok(None);
    }
    let [p, q, v, p_error, q_error, v_error, log_likelihood, is_flat] = sized(numbers)?;
    if ![p, q, v].iter().all(|parameter| *parameter > 0.0 && parameter.is_finite()) {
        return Err(damaged());
    }
    let known = |error: f64| error.is_finite().then_some(error);
    Ok(Some(Fitted {
        model: GammaGamma { p, q, v },
        standard_errors: [p_error, q_error, v_error].map(known),
        log_likelihood,
        is_flat: is_flat > 0.0,
    }))
}

fn sized<T, const N: usize>(list: Vec<T>) -> Result<[T; N]> {
    list.try_into().map_err(|_| damaged())
}

fn damaged() -> PluginError {
    PluginError::UnreadableModel("the rhythm's figures do not fit together".into())
}
