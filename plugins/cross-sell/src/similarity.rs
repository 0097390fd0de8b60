//! Products that are bought by the same baskets: cosine and Jaccard (Sarwar et al., *Item-based collaborative filtering*, WWW 2001).

use crate::baskets::Baskets;

/// How alike two items are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likeness {
    pub(crate) item: u32,
    /// In how many baskets both are.
    pub(crate) together: u32,
    pub(crate) cosine: f64,
    pub(crate) jaccard: f64,
}

/// How alike every other item is to `item`, by number; items that are never together are left out.
pub(crate) fn neighbours(baskets: &Baskets, counts: &[u32], item: u32) -> Vec<Likeness> {
    let mut together = vec![0_u32; counts.len()];
    for basket in baskets.iter().filter(|basket| basket.binary_search(&item).is_ok()) {
        for other in basket {
            if let Some(count) = together.get_mut(*other as usize) {
                *count += 1;
            }
        }
    }
    let own = f64::from(counts.get(item as usize).copied().unwrap_or(0));
    let pairs = (0..).zip(together).zip(counts);
    pairs
        .filter(|((other, both), _)| *other != item && *both > 0)
        .map(|((other, together), count)| {
            let (both, count) = (f64::from(together), f64::from(*count));
            Likeness {
                item: other,
                together,
                cosine: both / (own * count).sqrt(),
                jaccard: both / (own + count - both),
            }
        })
        .collect()
}

/// What goes best with `basket`: the sum of the cosines to its items; its own items are left out. The best first.
pub(crate) fn recommend(baskets: &Baskets, counts: &[u32], basket: &[u32]) -> Vec<(u32, f64)> {
    let mut sums = vec![0.0; counts.len()];
    for item in basket {
        for likeness in neighbours(baskets, counts, *item) {
            if let Some(sum) = sums.get_mut(likeness.item as usize) {
                *sum += likeness.cosine;
            }
        }
    }
    let mut ranked: Vec<(u32, f64)> =
        (0..).zip(sums).filter(|(item, sum)| *sum > 0.0 && !basket.contains(item)).collect();
    ranked.sort_by(|(item, one), (other_item, other)| other.total_cmp(one).then(item.cmp(other_item)));
    ranked
}
