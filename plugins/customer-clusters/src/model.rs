//! What `fit` learns and every later call reads.

use trellis_sdk::math::expm1;
use trellis_sdk::{ModelReader, ModelWriter, PluginError, Result};

use crate::config::{CLUSTERS_MAX, Missing};
use crate::points::Points;
use crate::rows::{Reading, Rows};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 1;

/// Clusters and how figures are compared with them.
#[derive(Debug, Clone)]
pub(crate) struct ClusterModel {
    pub(crate) reading: Reading,
    /// The ISO 4217 code of the amounts.
    pub(crate) currency: String,
    pub(crate) customers: u64,
    /// Customers without the figures.
    pub(crate) left_out: u64,
    /// Of each figure, of its logarithm where logarithms count.
    pub(crate) means: Vec<f64>,
    /// Population standard deviations, likewise.
    pub(crate) deviations: Vec<f64>,
    /// How many customers have no value of each figure.
    pub(crate) missing: Vec<u64>,
    /// In standardised units.
    pub(crate) centroids: Vec<Vec<f64>>,
    pub(crate) sizes: Vec<u64>,
    pub(crate) inertia: f64,
    pub(crate) iterations: u64,
    pub(crate) silhouette: Option<f64>,
    pub(crate) calinski_harabasz: Option<f64>,
    pub(crate) davies_bouldin: Option<f64>,
    /// What was tried to find the number of clusters.
    pub(crate) elbow: Vec<ElbowRow>,
}

/// A number of clusters that was tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ElbowRow {
    pub(crate) clusters: u64,
    /// A customer.
    pub(crate) inertia: f64,
    pub(crate) silhouette: Option<f64>,
}

impl ClusterModel {
    /// A standardised value of the figure `figure` in its own unit; of a logarithm what it is the logarithm of.
    pub(crate) fn in_own_unit(&self, figure: usize, standardised: f64) -> f64 {
        let mean = self.means.get(figure).copied().unwrap_or(0.0);
        let value = mean + standardised * self.deviations.get(figure).copied().unwrap_or(1.0);
        if self.reading.logarithm { expm1(value) } else { value }
    }

    /// The standardised points of a batch; a missing value is the mean. Absent rows are points too, which mean nothing.
    pub(crate) fn points(&self, rows: &Rows<'_>) -> Points {
        let mut points = Points::new(self.reading.names.len());
        let mut point = vec![0.0; self.reading.names.len()];
        for row in 0..rows.absent.len() {
            rows.copy(row, &mut point);
            points.push(&point);
        }
        points.standardise(&self.means, &self.deviations);
        points
    }

    pub(crate) fn require_currency(&self, currency: &str) -> Result<()> {
        if self.currency == currency {
            return Ok(());
        }
        let message = (
            format!("the model was fitted on amounts in {}, `spent` is in {currency}", self.currency),
            format!("模型学习时的金额币种为 {}，而 `spent` 的币种为 {currency}", self.currency),
        );
        Err(PluginError::UnsuitableData(message.into()))
    }

    /// Writes the model; at most some kilobytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let measures = [self.silhouette, self.calinski_harabasz, self.davies_bouldin];
        let elbow = |value: fn(&ElbowRow) -> f64| self.elbow.iter().map(value).collect::<Vec<_>>();
        let flags = [
            u64::from(self.reading.logarithm),
            u64::from(self.reading.missing == Missing::LeaveOut),
            self.customers,
            self.left_out,
            self.iterations,
            self.reading.names.len() as u64,
        ];
        let head = ModelWriter::new(FORMAT).u64s(&flags);
        let named = self.reading.names.iter().fold(head, |writer, name| writer.text(name));
        named
            .text(&self.currency)
            .f64s(&self.means)
            .f64s(&self.deviations)
            .u64s(&self.missing)
            .f64s(&self.centroids.concat())
            .u64s(&self.sizes)
            .f64(self.inertia)
            .f64s(&measures.map(|measure| measure.unwrap_or(f64::NAN)))
            .u64s(&self.elbow.iter().map(|row| row.clusters).collect::<Vec<_>>())
            .f64s(&elbow(|row| row.inertia))
            .f64s(&elbow(|row| row.silhouette.unwrap_or(f64::NAN)))
            .finish()
    }

    /// Reads a model that [`ClusterModel::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let [logarithm, leave_out, customers, left_out, iterations, figures]: [u64; 6] =
            reader.u64s()?.try_into().map_err(|_| damaged())?;
        let names: Vec<String> = (0..figures.min(64)).map(|_| reader.text()).collect::<Result<_>>()?;
        let currency = reader.text()?;
        let (means, deviations, missing) = (reader.f64s()?, reader.f64s()?, reader.u64s()?);
        let (centroids, sizes) = (reader.f64s()?, reader.u64s()?);
        let figures = names.len();
        let lengths = [means.len(), deviations.len(), missing.len()];
        let fits = figures > 0
            && lengths.iter().all(|length| *length == figures)
            && (1..=CLUSTERS_MAX).contains(&sizes.len())
            && centroids.len() == sizes.len() * figures
            && deviations.iter().all(|deviation| *deviation > 0.0);
        if !fits {
            return Err(damaged());
        }
        let inertia = reader.f64()?;
        let [silhouette, calinski_harabasz, davies_bouldin]: [f64; 3] =
            reader.f64s()?.try_into().map_err(|_| damaged())?;
        let elbow = read_elbow(&mut reader)?;
        reader.finish()?;
        let known = |measure: f64| measure.is_finite().then_some(measure);
        Ok(Self {
            reading: Reading {
                names,
                logarithm: logarithm > 0,
                missing: if leave_out > 0 { Missing::LeaveOut } else { Missing::Mean },
            },
            currency,
            customers,
            left_out,
            means,
            deviations,
            missing,
            centroids: centroids.chunks_exact(figures).map(<[f64]>::to_vec).collect(),
            sizes,
            inertia,
            iterations,
            silhouette: known(silhouette),
            calinski_harabasz: known(calinski_harabasz),
            davies_bouldin: known(davies_bouldin),
            elbow,
        })
    }
}

fn read_elbow(reader: &mut ModelReader<'_>) -> Result<Vec<ElbowRow>> {
    let (clusters, inertia, silhouette) = (reader.u64s()?, reader.f64s()?, reader.f64s()?);
    let rows = clusters.into_iter().zip(inertia).zip(silhouette);
    Ok(rows
        .map(|((clusters, inertia), silhouette)| ElbowRow {
            clusters,
            inertia,
            silhouette: silhouette.is_finite().then_some(silhouette),
        })
        .collect())
}

fn damaged() -> PluginError {
    PluginError::UnreadableModel("the clusters do not fit the figures".into())
}
