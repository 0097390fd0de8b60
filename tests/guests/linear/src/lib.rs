//! Weighs ten features of each customer. The benchmark calls [`weigh`] natively and in a component.

use trellis_sdk::{
    Batch, Context, Model, NoConfig, Result, RowStream, ScoreDescription, Scores, Scoring, export_scoring,
    localized, scored,
};

/// The plugin.
#[derive(Debug)]
pub struct Linear;

impl Scoring for Linear {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<ScoreDescription>> {
        Ok(vec![scored("points", "Points", "得分")])
    }

    /// Learns the mean number of orders, so that every row is read once.
    fn fit(rows: &mut RowStream<'_>, _: &NoConfig, _: &Context) -> Result<Model> {
        let (mut orders, mut customers) = (0_i64, 0_usize);
        for batch in rows.by_ref() {
            orders += batch.int64("orders")?.as_slice().iter().sum::<i64>();
            customers += batch.rows();
        }
        let mean = orders as f64 / customers.max(1) as f64;
        let summary = localized("The mean number of orders.", "平均订单数。");
        Ok(Model { bytes: mean.to_le_bytes().to_vec(), summary, metrics: Vec::new() })
    }

    fn score(model: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let mean = model.first_chunk().map_or(1.0, |bytes| f64::from_le_bytes(*bytes));
        let mut scores = Scores::default();
        scores.push("points", weigh(rows, mean, at.as_of)?.into_iter().map(Some));
        Ok(scores)
    }
}

/// A weighted sum of the features, beside a mean number of orders.
///
/// # Errors
/// Where a column is missing or of another type.
pub fn weigh(rows: &Batch, mean: f64, today: i32) -> Result<Vec<f64>> {
    let mut points = vec![0.0; rows.rows()];
    for (suffix, weight) in [("", 1.0), ("_again", 0.25)] {
        let column = |name: &str| format!("{name}{suffix}");
        let orders = rows.int64(&column("orders"))?;
        add(&mut points, orders.as_slice(), |orders| weight * (orders as f64 - mean));
        let spent = rows.money(&column("spent"))?;
        add(&mut points, spent.minor_units().as_slice(), |cents| weight * cents as f64 / 10_000.0);
        let pieces = rows.float64(&column("pieces"))?;
        add(&mut points, pieces.as_slice(), |pieces| weight * pieces * 0.5);
        for (name, factor) in [("first_order", 0.01), ("last_order", -0.02)] {
            let days = rows.date(&column(name))?;
            add(&mut points, days.as_slice(), |day| weight * factor * f64::from(today - day));
        }
    }
    Ok(points)
}

fn add<T: Copy>(points: &mut [f64], values: &[T], weigh: impl Fn(T) -> f64) {
    points.iter_mut().zip(values).for_each(|(points, value)| *points += weigh(*value));
}

export_scoring!(Linear);

#[cfg(test)]
mod tests {
    use super::*;
    use trellis_sdk::testing::BatchBuilder;

    #[test]
    fn every_feature_counts() {
        let mut builder = BatchBuilder::new([1]);
        for suffix in ["", "_again"] {
            builder = builder
                .int64(&format!("orders{suffix}"), [Some(3)])
                .money(&format!("spent{suffix}"), "USD", [Some(20_000)])
                .float64(&format!("pieces{suffix}"), [Some(4.0)])
                .date(&format!("first_order{suffix}"), [Some(0)])
                .date(&format!("last_order{suffix}"), [Some(50)]);
        }
        let points = weigh(&builder.build(), 1.0, 100).unwrap();
        // 2 orders over the mean, 200.00 spent, 4 pieces, 100 and 50 days: 2 + 2 + 2 + 1 - 1, and a quarter of it again.
        assert_eq!(points, [7.5]);
    }
}
