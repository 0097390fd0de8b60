//! Association rules and their measures (Agrawal, Imieliński, Swami 1993; Brin et al. 1997 for conviction; Zhang 2000).

use crate::itemsets::Itemsets;

/// Who has bought all of `lhs` also buys `rhs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Ascending by number.
    pub(crate) lhs: Vec<u32>,
    pub(crate) rhs: u32,
    /// How many baskets hold both sides, the left one, the right one.
    pub(crate) count: u32,
    pub(crate) lhs_count: u32,
    pub(crate) rhs_count: u32,
}

/// What a rule has to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds {
    /// 0 to 1.
    pub(crate) min_confidence: f64,
    /// 0 asks for nothing.
    pub(crate) min_lift: f64,
}

/// Measures of a rule among `baskets` baskets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measures {
    pub(crate) support: f64,
    pub(crate) confidence: f64,
    pub(crate) lift: f64,
    pub(crate) leverage: f64,
    /// None where the rule never failed: then it is infinite.
    pub(crate) conviction: Option<f64>,
    /// -1 to 1; none where a side is in every basket or nothing can be said.
    pub(crate) zhang: Option<f64>,
}

impl Rule {
    pub(crate) fn confidence(&self) -> f64 {
        f64::from(self.count) / f64::from(self.lhs_count)
    }

    pub(crate) fn lift(&self, baskets: usize) -> f64 {
        self.confidence() / (f64::from(self.rhs_count) / baskets as f64)
    }

    pub(crate) fn measures(&self, baskets: usize) -> Measures {
        let n = baskets as f64;
        let (support, lhs, rhs) =
            (f64::from(self.count) / n, f64::from(self.lhs_count) / n, f64::from(self.rhs_count) / n);
        let leverage = support - lhs * rhs;
        let most = (support * (1.0 - lhs)).max(lhs * (rhs - support));
        Measures {
            support,
            confidence: self.confidence(),
            lift: self.lift(baskets),
            leverage,
            conviction: (self.count < self.lhs_count).then(|| (1.0 - rhs) / (1.0 - self.confidence())),
            zhang: (most > 0.0).then(|| leverage / most),
        }
    }
}

/// All rules with one item on the right, in the order of the itemsets.
pub(crate) fn generate(itemsets: &Itemsets, baskets: usize, thresholds: Thresholds) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (items, count) in itemsets.iter().filter(|(items, _)| items.len() > 1) {
        for rhs in items {
            let lhs = items.iter().filter(|item| *item != rhs);
            let Some(lhs_count) = itemsets.count(lhs.clone()) else { continue };
            if f64::from(count) / f64::from(lhs_count) < thresholds.min_confidence {
                continue;
            }
            let Some(rhs_count) = itemsets.count(std::iter::once(rhs)) else { continue };
            let rule = Rule { lhs: lhs.copied().collect(), rhs: *rhs, count, lhs_count, rhs_count };
            if rule.lift(baskets) >= thresholds.min_lift {
                rules.push(rule);
            }
        }
    }
    rules
}

/// How many rules there are with any number of items on the right. A right side is looked at only where the same without its last item is
/// confident: confidence can only fall as items move to the right (Agrawal and Srikant 1994). The lift is not asked for.
pub(crate) fn count_with_any_right_side(itemsets: &Itemsets, min_confidence: f64) -> u64 {
    let mut total = 0;
    let mut is_confident: Vec<bool> = Vec::new();
    for (items, count) in itemsets.iter().filter(|(items, _)| items.len() > 1) {
        let sides = 1_u32 << items.len();
        is_confident.clear();
        is_confident.resize(sides as usize, false);
        for rhs in 1..sides - 1 {
            let without_lowest = rhs & (rhs - 1);
            if without_lowest != 0 && is_confident.get(without_lowest as usize) != Some(&true) {
                continue;
            }
            let lhs =
                items.iter().enumerate().filter(|(place, _)| rhs >> place & 1 == 0).map(|(_, item)| item);
            let holds = itemsets
                .count(lhs)
                .is_some_and(|lhs_count| f64::from(count) / f64::from(lhs_count) >= min_confidence);
            if holds {
                total += 1;
                if let Some(place) = is_confident.get_mut(rhs as usize) {
                    *place = true;
                }
            }
        }
    }
    total
}
