//! Customers as points, laid out so that distances are computed eight at a time.

use wide::f64x4;

/// How many customers lie side by side: a multiple of what vector registers hold.
pub(crate) const LANES: usize = 8;

/// Standardised figures: a tile for every eight customers, in it for each figure the eight values. The last tile is filled up with zeros.
///
/// The inner loops over a tile are straight code over arrays of eight, which compilers turn into vector instructions, natively and in a
/// component; crates for k-means work on rows of a matrix (`linfa-clustering` brings threads along as well).
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    values: Vec<[f64; LANES]>,
    dimensions: usize,
    count: usize,
}

impl Points {
    /// Points without any.
    ///
    /// # Panics
    /// If there are no dimensions.
    pub fn new(dimensions: usize) -> Self {
        assert!(dimensions > 0, "points have a dimension");
        Self { values: Vec::new(), dimensions, count: 0 }
    }

    /// Adds a point; `point` has as many values as there are dimensions.
    pub fn push(&mut self, point: &[f64]) {
        let lane = self.count % LANES;
        if lane == 0 {
            self.values.resize(self.values.len() + self.dimensions, [0.0; LANES]);
        }
        let tile = self.values.len() - self.dimensions;
        for (values, value) in self.values.iter_mut().skip(tile).zip(point) {
            if let Some(place) = values.get_mut(lane) {
                *place = *value;
            }
        }
        self.count += 1;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many values each has.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The tiles with how many points each holds.
    pub(crate) fn tiles(&self) -> impl Iterator<Item = (&[[f64; LANES]], usize)> {
        let rest = self.count % LANES;
        let last = self.count / LANES;
        let sized = move |(tile, values)| (values, if tile == last { rest } else { LANES });
        self.values.chunks_exact(self.dimensions).enumerate().map(sized)
    }

    /// The point `place`.
    pub fn point(&self, place: usize) -> Vec<f64> {
        let tile = self.values.iter().skip(place / LANES * self.dimensions).take(self.dimensions);
        tile.filter_map(|values| values.get(place % LANES).copied()).collect()
    }

    /// Every `step`th point from the first.
    pub(crate) fn thinned(&self, step: usize) -> Self {
        let mut thinned = Self::new(self.dimensions);
        (0..self.count).step_by(step).for_each(|place| thinned.push(&self.point(place)));
        thinned
    }

    /// Writes how far each point lies from `point`, eight at a time.
    pub(crate) fn distances(&self, point: &[f64], distances: &mut [f64]) {
        for ((tile, _), distances) in self.tiles().zip(distances.chunks_mut(LANES)) {
            // Exact by IEEE 754, so that it is the same natively and in a component.
            let roots = lanes(squared_distances(tile, point).map(f64x4::sqrt));
            for (distance, root) in distances.iter_mut().zip(roots) {
                *distance = root;
            }
        }
    }

    /// Subtracts a mean from each dimension and divides it by a deviation. What is not a number becomes 0, the mean.
    pub fn standardise(&mut self, means: &[f64], deviations: &[f64]) {
        for tile in self.values.chunks_exact_mut(self.dimensions) {
            for ((values, mean), deviation) in tile.iter_mut().zip(means).zip(deviations) {
                for value in values {
                    *value = if value.is_nan() { 0.0 } else { (*value - mean) / deviation };
                }
            }
        }
    }
}

/// The squared distance of each point of a tile from `point`.
#[inline]
pub(crate) fn squared_distances(tile: &[[f64; LANES]], point: &[f64]) -> [f64x4; 2] {
    let mut distances = [f64x4::ZERO; 2];
    for (values, coordinate) in tile.iter().zip(point) {
        let coordinate = f64x4::splat(*coordinate);
        for (distances, values) in distances.iter_mut().zip(halves(values)) {
            let difference = values - coordinate;
            *distances += difference * difference;
        }
    }
    distances
}

/// The values of a tile as vectors. Compilers make vector instructions of sums by themselves, in a component not of comparisons and roots.
#[inline]
pub(crate) fn halves(values: &[f64; LANES]) -> [f64x4; 2] {
    let [a, b, c, d, e, f, g, h] = *values;
    [f64x4::new([a, b, c, d]), f64x4::new([e, f, g, h])]
}

/// The values of vectors as those of a tile.
#[inline]
pub(crate) fn lanes(halves: [f64x4; 2]) -> [f64; LANES] {
    let [[a, b, c, d], [e, f, g, h]] = halves.map(f64x4::to_array);
    [a, b, c, d, e, f, g, h]
}

/// The squared distance of one point of a tile from `point`.
#[inline]
pub(crate) fn squared_distance_of(tile: &[[f64; LANES]], lane: usize, point: &[f64]) -> f64 {
    let differences = tile.iter().zip(point).map(|(values, coordinate)| match values.get(lane) {
        Some(value) => value - coordinate,
        None => 0.0,
    });
    differences.map(|difference| difference * difference).sum()
}
