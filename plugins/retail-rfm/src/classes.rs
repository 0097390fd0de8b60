//! The eight named classes and the value matrix.

use crate::model::RfmModel;
use crate::rows::Rows;

/// The classes (R157), by their code: 4 for low monetary value, 2 for low recency score, 1 for low frequency.
pub(crate) const CLASS_NAMES: [&str; 8] = [
    "important_value",
    "important_development",
    "important_keep",
    "important_retain",
    "general_value",
    "general_development",
    "general_keep",
    "general_retain",
];

/// The fields of the matrix (R159), by their code: 2 for low average spend, 1 for low frequency.
pub(crate) const MATRIX_NAMES: [&str; 4] = ["best", "spender", "frequent", "uncertain"];

/// The class of each row by the scores that decide on it, counted from 0.
pub(crate) fn classes(model: &RfmModel, [recency, frequency, monetary]: &[Vec<u32>; 3]) -> Vec<u32> {
    let [recency_cut, frequency_cut, monetary_cut] =
        model.dimensions().map(|dimension| high_from(dimension.class_mean));
    let rows = recency.iter().zip(frequency).zip(monetary);
    rows.map(|((r, f), m)| {
        4 * u32::from(*m < monetary_cut) + 2 * u32::from(*r < recency_cut) + u32::from(*f < frequency_cut)
    })
    .collect()
}

/// The least score, counted from 0, that is above the mean of scores counted from 1.
pub(crate) fn high_from(mean_score: f64) -> u32 {
    mean_score.floor() as u32
}

/// The field of the matrix of each row: its average spend and its number of orders against the means, or the medians.
pub(crate) fn value_matrix(model: &RfmModel, rows: &Rows<'_>) -> Vec<u32> {
    let figures = rows.spent.iter().zip(&rows.orders);
    figures
        .map(|(spent, orders)| {
            let (spent, orders) = (*spent as f64, *orders as f64);
            let [spend_cut, frequency_cut] = model.matrix_cuts;
            let (high_spend, high_frequency) = (spent / orders > spend_cut, orders > frequency_cut);
            2 * u32::from(!high_spend) + u32::from(!high_frequency)
        })
        .collect()
}
