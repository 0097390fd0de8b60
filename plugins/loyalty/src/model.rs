//! What `fit` learns and every later call reads.

use trellis_mining::ranking::Ranking;
use trellis_sdk::{LocalizedText, Metric, ModelReader, ModelWriter, PluginError, Result, localized, metric};

use crate::config::Config;
use crate::determinants::Found;
use crate::labels;
use crate::least_squares::{Coefficient, Fit};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;

/// A population's loyalty.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LoyaltyModel {
    pub(crate) config: Config,
    pub(crate) customers: u64,
    /// Of those who bought, orders in the window and different products; of all who have it, referrals.
    pub(crate) orders: Ranking,
    pub(crate) products: Ranking,
    pub(crate) referrals: Ranking,
    /// Points of 100; 0 where nobody was asked.
    pub(crate) mean_attitude: f64,
    pub(crate) found: Found,
    pub(crate) mix: Mix,
}

/// How many customers are what: in the order of the segmentations' values, and of all four metrics the mean and the number.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Mix {
    pub(crate) types: [u64; 4],
    pub(crate) kinds: [u64; 8],
    pub(crate) traps: [u64; 2],
    pub(crate) stages: [u64; 3],
    pub(crate) metrics: [(f64, u64); 4],
    pub(crate) behaviours: [(f64, u64); 4],
}

impl LoyaltyModel {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let config = &self.config;
        let mut writer = ModelWriter::new(FORMAT)
            .u64(u64::from(config.window_days))
            .f64s(&[
                config.attitude_high,
                config.behaviour_high,
                config.share_high,
                config.trap_basic,
                config.trap_latent,
                self.mean_attitude,
            ])
            .u64(self.customers)
            .f64s(&self.orders.figures)
            .f64s(&self.products.figures)
            .f64s(&self.referrals.figures);
        let found = &self.found;
        for fit in found.metrics.iter().chain([&found.basic, &found.latent]) {
            writer = write_fit(writer, fit.as_ref());
        }
        let mix = &self.mix;
        for means in
            found.levels.iter().map(<[_; 10]>::as_slice).chain([&mix.metrics[..], &mix.behaviours[..]])
        {
            let (values, counts): (Vec<f64>, Vec<u64>) = means.iter().copied().unzip();
            writer = writer.f64s(&values).u64s(&counts);
        }
        writer.u64s(&mix.types).u64s(&mix.kinds).u64s(&mix.traps).u64s(&mix.stages).finish()
    }

    /// # Errors
    /// [`PluginError::UnreadableModel`] for bytes that [`LoyaltyModel::to_bytes`] did not write.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let window_days = u32::try_from(reader.u64()?).map_err(|_| unreadable("the window"))?;
        let [attitude_high, behaviour_high, share_high, trap_basic, trap_latent, mean_attitude] =
            array(reader.f64s()?)?;
        let config =
            Config { window_days, attitude_high, behaviour_high, share_high, trap_basic, trap_latent };
        let customers = reader.u64()?;
        let [orders, products, referrals] =
            [ranking(&mut reader)?, ranking(&mut reader)?, ranking(&mut reader)?];
        let mut found = Found::default();
        for fit in &mut found.metrics {
            *fit = read_fit(&mut reader)?;
        }
        (found.basic, found.latent) = (read_fit(&mut reader)?, read_fit(&mut reader)?);
        found.levels = [means(&mut reader)?, means(&mut reader)?];
        let mix = Mix {
            metrics: means(&mut reader)?,
            behaviours: means(&mut reader)?,
            types: array(reader.u64s()?)?,
            kinds: array(reader.u64s()?)?,
            traps: array(reader.u64s()?)?,
            stages: array(reader.u64s()?)?,
        };
        reader.finish()?;
        Ok(Self { config, customers, orders, products, referrals, mean_attitude, found, mix })
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let [true_loyal, latent, spurious, none] = self.mix.types;
        let [trapped, _] = self.mix.traps;
        localized(
            format!(
                "{} customers. True loyalty: {true_loyal}, latent (attitude only): {latent}, spurious (behaviour only): {spurious}, \
                 none: {none}. In the satisfaction trap: {trapped}.",
                self.customers
            ),
            format!(
                "{} 位客户。真正忠诚 {true_loyal} 位，潜在忠诚 {latent} 位，虚假忠诚 {spurious} 位，不忠诚 {none} 位；\
                 陷入满意度陷阱 {trapped} 位。",
                self.customers
            ),
        )
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![metric(
            "customers",
            localized("Customers judged", "参与判断的客户数"),
            self.customers as f64,
        )];
        for (kind, count) in labels::TYPE_LABELS.iter().zip(self.mix.types) {
            let name = format!("{}_loyalty", kind.name);
            metrics.push(metric(&name, localized(kind.en, kind.zh), count as f64));
        }
        let [trapped, _] = self.mix.traps;
        metrics.push(metric(
            "trapped",
            localized("In the satisfaction trap", "陷入满意度陷阱"),
            trapped as f64,
        ));
        for (label, fit) in labels::METRIC_LABELS.iter().zip(&self.found.metrics) {
            if let Some(fit) = fit {
                let text = localized(
                    format!("{}: share explained by its determinants (R²)", label.en),
                    format!("{}：决定因素的解释比例（R²）", label.zh),
                );
                metrics.push(metric(&format!("{}_r_squared", label.name), text, fit.r_squared));
            }
        }
        metrics
    }
}

fn write_fit(writer: ModelWriter, fit: Option<&Fit>) -> ModelWriter {
    let Some(fit) = fit else { return writer.f64s(&[]).u64s(&[]) };
    let mut numbers = vec![fit.r_squared, fit.intercept.value, fit.intercept.error];
    for coefficient in &fit.coefficients {
        let (value, error) = coefficient.map_or((0.0, 0.0), |found| (found.value, found.error));
        numbers.extend([value, error]);
    }
    let mut marks = vec![fit.rows];
    marks.extend(fit.coefficients.iter().map(|coefficient| u64::from(coefficient.is_some())));
    writer.f64s(&numbers).u64s(&marks)
}

fn read_fit(reader: &mut ModelReader<'_>) -> Result<Option<Fit>> {
    let (numbers, marks) = (reader.f64s()?, reader.u64s()?);
    let Some((rows, marks)) = marks.split_first() else {
        return if numbers.is_empty() { Ok(None) } else { Err(unreadable("a regression")) };
    };
    let [r_squared, intercept, error, weights @ ..] = numbers.as_slice() else {
        return Err(unreadable("a regression"));
    };
    if weights.len() != 2 * marks.len() {
        return Err(unreadable("a regression"));
    }
    let pairs = weights.chunks_exact(2).zip(marks);
    let coefficients = pairs.map(|(pair, mark)| {
        let [value, error] = pair.try_into().ok()?;
        (*mark == 1).then_some(Coefficient { value, error })
    });
    Ok(Some(Fit {
        rows: *rows,
        intercept: Coefficient { value: *intercept, error: *error },
        coefficients: coefficients.collect(),
        r_squared: *r_squared,
    }))
}

fn ranking(reader: &mut ModelReader<'_>) -> Result<Ranking> {
    let figures = reader.f64s()?;
    if figures.is_sorted() { Ok(Ranking { figures }) } else { Err(unreadable("a ranking")) }
}

fn means<const N: usize>(reader: &mut ModelReader<'_>) -> Result<[(f64, u64); N]> {
    let (values, counts) = (reader.f64s()?, reader.u64s()?);
    array(values.into_iter().zip(counts).collect())
}

fn array<T, const N: usize>(values: Vec<T>) -> Result<[T; N]> {
    values.try_into().map_err(|_| unreadable("a list"))
}

fn unreadable(what: &str) -> PluginError {
    PluginError::UnreadableModel(format!("{what} does not fit").into())
}
