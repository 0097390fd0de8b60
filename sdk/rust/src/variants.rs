//! Dividing customers so that each stays where it is.

/// A number that only the campaign and the customer decide, natively and in a component, in every version of this crate.
///
/// It is FNV-1a (64 bits) over the bytes of `key` and the eight bytes of `ordinal`, lowest first, finished by the mixing of MurmurHash3
/// (`fmix64`), so that neighbouring ordinals spread evenly. Not for secrets.
///
/// ```
/// assert_eq!(trellis_sdk::stable_hash("", 0), trellis_sdk::stable_hash("", 0));
/// assert_ne!(trellis_sdk::stable_hash("spring", 7), trellis_sdk::stable_hash("summer", 7));
/// ```
pub fn stable_hash(key: &str, ordinal: u64) -> u64 {
    let bytes = key.as_bytes().iter().copied().chain(ordinal.to_le_bytes());
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

/// Which of `weights` a customer falls to: in the long run each as often as its share of their sum. None where the sum is 0.
///
/// The same key, ordinal and weights give the same place. Where a weight grows at the expense of its neighbour, only customers at
/// their common border move.
///
/// ```
/// let places: Vec<_> = (0..10_000).filter_map(|ordinal| trellis_sdk::weighted("spring", ordinal, &[45, 45, 10])).collect();
/// let of_last = places.iter().filter(|place| **place == 2).count();
/// assert!((900..1_100).contains(&of_last), "{of_last}");
/// ```
pub fn weighted(key: &str, ordinal: u64, weights: &[u32]) -> Option<usize> {
    let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    // The high half of the product is uniform in 0..sum.
    let mut drawn = ((u128::from(stable_hash(key, ordinal)) * u128::from(sum)) >> 64) as u64;
    weights.iter().position(|weight| {
        let falls_here = drawn < u64::from(*weight);
        drawn = drawn.wrapping_sub(u64::from(*weight));
        falls_here
    })
}

#[cfg(test)]
mod tests {
    use super::{stable_hash, weighted};

    /// The hash is part of what plugins promise: a change of it would move customers between variants.
    #[test]
    fn hashes_stay_what_they_were() {
        // Computed apart from this code, from the published definitions.
        assert_eq!(stable_hash("", 0), 8_922_497_616_986_557_598);
        assert_eq!(stable_hash("spring", 7), 14_965_436_726_765_172_778);
    }

    #[test]
    fn weights_are_met_and_a_weight_of_nothing_is_never_drawn() {
        let mut counts = [0_u32; 4];
        for ordinal in 0..100_000 {
            counts[weighted("c", ordinal, &[45, 0, 45, 10]).unwrap()] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, expected) in counts.into_iter().zip([45_000_u32, 0, 45_000, 10_000]) {
            assert!(count.abs_diff(expected) < 600, "{counts:?}");
        }
        assert_eq!(weighted("c", 1, &[0, 0]), None);
        assert_eq!(weighted("c", 1, &[]), None);
    }

    #[test]
    fn a_weight_that_grows_moves_nobody_but_at_its_border() {
        for ordinal in 0..10_000 {
            let (before, after) =
                (weighted("c", ordinal, &[50, 40, 10]), weighted("c", ordinal, &[60, 30, 10]));
            assert!(before == after || (before, after) == (Some(1), Some(0)));
        }
    }
}
