//! What a customer's loyalty is.

use crate::model::LoyaltyModel;
use crate::rows::{Customer, Item, METRICS, SWITCHING_COSTS, mean};

/// The four combinations of attitude and behaviour, as the segmentation lists them.
pub(crate) const TYPES: [&str; 4] = ["true", "latent", "spurious", "none"];
/// The seven kinds, in the order in which they are tried, and none of them.
pub(crate) const KINDS: [&str; 8] =
    ["monopoly", "kinship", "latent", "price", "incentive", "premium", "inertia", "none"];
/// Whether satisfaction is a trap.
pub(crate) const TRAPS: [&str; 2] = ["trapped", "free"];
/// What a customer buys for.
pub(crate) const STAGES: [&str; 3] = ["rational", "perceptual", "emotional"];

/// A rating of convenience from which buying is inertia.
const CONVENIENT: f64 = 7.0;
/// Percent of purchases at a discount up to which a customer pays the full price.
const FULL_PRICE: f64 = 20.0;

/// Everything that is said of one customer. Points are of 100.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) attitudinal: Option<f64>,
    pub(crate) behavioural: Option<f64>,
    pub(crate) trust: Option<f64>,
    pub(crate) switching_cost: Option<f64>,
    /// Repurchase, cross-buying, recommending, price tolerance: the answer, else what behaviour shows.
    pub(crate) metrics: [Option<f64>; 4],
    /// Buys again, recommends, resists competitors, forgives.
    pub(crate) behaviours: [Option<f64>; 4],
    /// A place in [`TYPES`], [`KINDS`], [`TRAPS`] and [`STAGES`].
    pub(crate) loyalty: Option<usize>,
    pub(crate) kind: Option<usize>,
    pub(crate) trap: Option<usize>,
    pub(crate) stage: Option<usize>,
}

impl LoyaltyModel {
    /// Judges one customer by what was learned from all.
    pub(crate) fn judge(&self, customer: &Customer) -> Judgement {
        let has_bought = customer.orders > 0;
        let frequency = || self.orders.percent(customer.orders_window as f64);
        let frequency = if has_bought { frequency() } else { None };
        let breadth = customer.products.and_then(|count| self.products.percent(count as f64));
        let full_price = customer.discount_share.filter(|_| has_bought).map(|share| 100.0 - share);
        let referred = customer.referrals.and_then(|count| self.referrals.percent(count as f64));
        let attitudinal = customer.mean_points(&METRICS);
        let behavioural = if has_bought { mean([frequency, breadth, full_price, referred]) } else { None };
        let mut judgement = Judgement {
            attitudinal,
            behavioural,
            trust: customer.trust().map(points),
            switching_cost: customer.mean_rating(&SWITCHING_COSTS).map(points),
            behaviours: [
                frequency,
                referred.or_else(|| customer.points(Item::ReferralIntent)),
                customer.points(Item::CompetitorResistance),
                forgiveness(customer),
            ],
            ..Judgement::default()
        };
        let proxies = [frequency, breadth, referred, full_price];
        for ((metric, item), proxy) in judgement.metrics.iter_mut().zip(METRICS).zip(proxies) {
            *metric = customer.points(item).or(proxy);
        }
        judgement.loyalty = self.loyalty(attitudinal, behavioural);
        judgement.kind = self.kind(customer, attitudinal, behavioural);
        judgement.trap = self.trap(customer, attitudinal);
        judgement.stage = stage(customer);
        judgement
    }

    fn loyalty(&self, attitudinal: Option<f64>, behavioural: Option<f64>) -> Option<usize> {
        let of_mind = attitudinal? >= self.config.attitude_high;
        let of_deed = behavioural? >= self.config.behaviour_high;
        Some(match (of_mind, of_deed) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        })
    }

    /// The first kind whose evidence is there. None for somebody who neither bought nor gave any evidence.
    fn kind(&self, customer: &Customer, attitudinal: Option<f64>, behavioural: Option<f64>) -> Option<usize> {
        let high = |share: Option<f64>| share.is_some_and(|share| share >= self.config.share_high);
        let of_mind = attitudinal.is_some_and(|points| points >= self.config.attitude_high);
        let of_deed = behavioural.is_some_and(|points| points >= self.config.behaviour_high);
        let recommends = customer.referrals.is_some_and(|count| count > 0)
            || customer
                .points(Item::ReferralIntent)
                .is_some_and(|points| points >= self.config.attitude_high);
        let pays_in_full = customer.discount_share.is_none_or(|share| share <= FULL_PRICE);
        let evidence = [
            customer.single_supplier,
            customer.is_kin,
            customer.is_blocked && (of_mind || attitudinal.is_none()),
            high(customer.discount_share),
            high(customer.reward_share),
            of_mind && of_deed && recommends && pays_in_full && customer.orders > 1,
            of_deed
                && !of_mind
                && customer.rating(Item::Convenience).is_some_and(|rating| rating >= CONVENIENT),
        ];
        let found = evidence.iter().position(|holds| *holds);
        found.or((customer.orders > 0).then_some(evidence.len()))
    }

    /// Satisfied in what is taken for granted, not in what was never said, and no more loyal than others.
    fn trap(&self, customer: &Customer, attitudinal: Option<f64>) -> Option<usize> {
        let basic = customer.rating(Item::BasicExpectations)?;
        let latent = customer.rating(Item::LatentExpectations)?;
        let is_ordinary = attitudinal? <= self.mean_attitude.max(self.config.attitude_high);
        let is_trapped = basic >= self.config.trap_basic && latent <= self.config.trap_latent && is_ordinary;
        Some(usize::from(!is_trapped))
    }
}

/// Whether somebody who complained bought after it was resolved: 100 or 0; none without a resolved complaint.
fn forgiveness(customer: &Customer) -> Option<f64> {
    let complaint = customer.last_complaint?;
    Some(if customer.last_order.is_some_and(|order| order >= complaint) { 100.0 } else { 0.0 })
}

/// What appeals most; of equal ones the later stage.
fn stage(customer: &Customer) -> Option<usize> {
    let appeals = [Item::RationalAppeal, Item::PerceptualAppeal, Item::EmotionalAppeal];
    let rated = appeals.iter().enumerate().filter_map(|(stage, item)| Some((customer.rating(*item)?, stage)));
    rated.max_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1))).map(|(_, stage)| stage)
}

fn points(rating: f64) -> f64 {
    (rating - 1.0) / 9.0 * 100.0
}
