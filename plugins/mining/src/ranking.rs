//! Where a figure ranks among those of all customers, of which only some are kept.

/// How many figures are kept at most.
const KEPT: usize = 1025;

/// Some of the figures of a population, ascending: all of them up to 1,025, else those at equal steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranking {
    /// Ascending.
    pub figures: Vec<f64>,
}

impl Ranking {
    /// Sorts the finite figures of a population and thins them out.
    pub fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_unstable_by(f64::total_cmp);
        let count = figures.len();
        if count > KEPT {
            let kept = (0..KEPT).map(|step| step * (count - 1) / (KEPT - 1));
            figures = kept.filter_map(|place| figures.get(place).copied()).collect();
        }
        Self { figures }
    }

    /// How many percent rank lower, those with the same figure by half; none without a population.
    pub fn percent(&self, figure: f64) -> Option<f64> {
        let below = self.figures.partition_point(|other| *other < figure);
        let up_to = self.figures.partition_point(|other| *other <= figure);
        let count = self.figures.len() as f64;
        (count > 0.0).then(|| 50.0 * (below + up_to) as f64 / count)
    }
}

#[cfg(test)]
mod tests {
    use super::Ranking;

    #[test]
    fn equal_figures_share_their_place_and_a_thinned_ranking_stays_close() {
        let few = Ranking::of(vec![3.0, 1.0, 1.0, 2.0]);
        assert_eq!(
            [0.0, 1.0, 2.0, 3.0, 9.0].map(|figure| few.percent(figure).unwrap()),
            [0.0, 25.0, 62.5, 87.5, 100.0]
        );
        let many = Ranking::of((0..100_000).map(f64::from).collect());
        assert!((many.percent(25_000.0).unwrap() - 25.0).abs() < 0.1);
        assert_eq!(Ranking::default().percent(1.0), None);
    }
}
