use trellis_sdk::{Batch, Context, NoConfig, Result, ScoreDescription, Scores, Scoring, export_scoring, scored};

/// How lately a customer bought: 100 on the day of an order, one less each day after it.
impl Scoring for Plugin {
    type Config = NoConfig;

    fn describe(_: &NoConfig) -> Result<Vec<ScoreDescription>> {
        let warmth = scored("warmth", "Warmth", "热度").range(0.0, 100.0);
        Ok(vec![warmth.band("cold", 0.0, "Cold", "冷").band("warm", 50.0, "Warm", "热")])
    }

    fn score(_: &[u8], rows: &Batch, at: &Context) -> Result<Scores> {
        let last_order = rows.date("last_order")?;
        let warmth = |day: i32| f64::from(100 - at.as_of.saturating_sub(day).clamp(0, 100));
        let mut scores = Scores::default();
        scores.push("warmth", last_order.iter().map(|day| day.map(warmth)));
        Ok(scores)
    }
}
export_scoring!(Plugin);
