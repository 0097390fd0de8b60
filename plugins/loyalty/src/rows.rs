//! What is known of each customer in a batch.

use trellis_sdk::values::{Booleans, Values};
use trellis_sdk::{Batch, Result};

/// A question that a customer answers with 1 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    RepurchaseIntent,
    CrossBuyIntent,
    ReferralIntent,
    PriceTolerance,
    PerceivedValue,
    Satisfaction,
    Credibility,
    Benevolence,
    CostInvestment,
    CostRisk,
    CostContract,
    CostLearning,
    CostSearch,
    CostRelations,
    BasicExpectations,
    LatentExpectations,
    RationalAppeal,
    PerceptualAppeal,
    EmotionalAppeal,
    CompetitorResistance,
    Convenience,
}

/// The columns of the items, in their order.
const ITEMS: [&str; 21] = [
    "repurchase_intent",
    "cross_buy_intent",
    "referral_intent",
    "price_tolerance",
    "perceived_value",
    "satisfaction",
    "credibility",
    "benevolence",
    "cost_investment",
    "cost_risk",
    "cost_contract",
    "cost_learning",
    "cost_search",
    "cost_relations",
    "basic_expectations",
    "latent_expectations",
    "rational_appeal",
    "perceptual_appeal",
    "emotional_appeal",
    "competitor_resistance",
    "convenience",
];

const DAY_MS: i64 = 86_400_000;

/// The four intents: what attitudinal loyalty is measured by.
pub(crate) const METRICS: [Item; 4] =
    [Item::RepurchaseIntent, Item::CrossBuyIntent, Item::ReferralIntent, Item::PriceTolerance];

/// The six costs of leaving.
pub(crate) const SWITCHING_COSTS: [Item; 6] = [
    Item::CostInvestment,
    Item::CostRisk,
    Item::CostContract,
    Item::CostLearning,
    Item::CostSearch,
    Item::CostRelations,
];

/// What is known of one customer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Customer {
    ratings: [Option<f64>; ITEMS.len()],
    /// How many answers lie outside of 1 to 10; they do not count.
    pub(crate) out_of_scale: usize,
    pub(crate) orders: i64,
    pub(crate) orders_window: i64,
    /// Days since 1970-01-01.
    pub(crate) last_order: Option<i32>,
    /// When the last complaint was resolved.
    pub(crate) last_complaint: Option<i32>,
    /// How many different products it bought; none where no product is known.
    pub(crate) products: Option<usize>,
    pub(crate) referrals: Option<i64>,
    /// Percent.
    pub(crate) discount_share: Option<f64>,
    pub(crate) reward_share: Option<f64>,
    pub(crate) single_supplier: bool,
    pub(crate) is_kin: bool,
    pub(crate) is_blocked: bool,
}

impl Customer {
    /// The answer, 1 to 10.
    pub(crate) fn rating(&self, item: Item) -> Option<f64> {
        self.ratings.get(item as usize).copied().flatten()
    }

    /// The answer in points of 100: 1 is 0, 10 is 100.
    pub(crate) fn points(&self, item: Item) -> Option<f64> {
        self.rating(item).map(|rating| (rating - 1.0) / 9.0 * 100.0)
    }

    /// The mean of the answers to `items` in points of 100; none without an answer.
    pub(crate) fn mean_points(&self, items: &[Item]) -> Option<f64> {
        mean(items.iter().map(|item| self.points(*item)))
    }

    /// The mean of the answers to `items`, 1 to 10; none without an answer.
    pub(crate) fn mean_rating(&self, items: &[Item]) -> Option<f64> {
        mean(items.iter().map(|item| self.rating(*item)))
    }

    /// Credibility and benevolence, 1 to 10.
    pub(crate) fn trust(&self) -> Option<f64> {
        self.mean_rating(&[Item::Credibility, Item::Benevolence])
    }

    pub(crate) fn answered(&self, items: &[Item]) -> usize {
        items.iter().filter(|item| self.rating(**item).is_some()).count()
    }
}

/// The mean of what is there; none where nothing is.
pub(crate) fn mean(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) =
        values.into_iter().flatten().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The columns of a batch.
pub(crate) struct Rows<'a> {
    items: Vec<Values<'a, f64>>,
    shares: [Values<'a, f64>; 2],
    counts: [Values<'a, i64>; 3],
    last_order: Values<'a, i32>,
    last_complaint: Vec<Option<i32>>,
    flags: [Booleans<'a>; 3],
    products: trellis_sdk::values::Lists<'a>,
    rows: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn read(batch: &'a Batch) -> Result<Self> {
        Ok(Self {
            items: ITEMS.into_iter().map(|item| batch.float64(item)).collect::<Result<_>>()?,
            shares: [batch.float64("discount_share")?, batch.float64("reward_share")?],
            counts: [batch.int64("orders")?, batch.int64("orders_window")?, batch.int64("referrals")?],
            last_order: batch.date("last_order")?,
            last_complaint: days(batch, "last_complaint")?,
            flags: [
                batch.boolean("single_supplier")?,
                batch.boolean("is_kin")?,
                batch.boolean("is_blocked")?,
            ],
            products: batch.lists("products")?,
            rows: batch.rows(),
        })
    }

    pub(crate) fn customers(&self) -> impl Iterator<Item = Customer> + '_ {
        (0..self.rows).map(|row| self.customer(row))
    }

    fn customer(&self, row: usize) -> Customer {
        let [discounts, rewards] = &self.shares;
        let [orders, orders_window, referrals] = &self.counts;
        let [single, kin, blocked] = &self.flags;
        let share = |values: &Values<'_, f64>| values.get(row).filter(|share| (0.0..=100.0).contains(share));
        let mut customer = Customer {
            orders: orders.get(row).unwrap_or(0).max(0),
            orders_window: orders_window.get(row).unwrap_or(0).max(0),
            last_order: self.last_order.get(row),
            last_complaint: self.last_complaint.get(row).copied().flatten(),
            products: self.products.codes(row).map(<[u32]>::len).filter(|count| *count > 0),
            referrals: referrals.get(row).filter(|count| *count >= 0),
            discount_share: share(discounts),
            reward_share: share(rewards),
            single_supplier: single.get(row) == Some(true),
            is_kin: kin.get(row) == Some(true),
            is_blocked: blocked.get(row) == Some(true),
            ..Customer::default()
        };
        for (values, rating) in self.items.iter().zip(&mut customer.ratings) {
            let given = values.get(row);
            *rating = given.filter(|rating| (1.0..=10.0).contains(rating));
            customer.out_of_scale += usize::from(given.is_some() && rating.is_none());
        }
        customer
    }
}

/// A column of days, or of times as the days of UTC that they lie on.
fn days(batch: &Batch, name: &str) -> Result<Vec<Option<i32>>> {
    if batch.type_of(name) == Some("time") {
        let day = |time: Option<i64>| i32::try_from(time?.div_euclid(DAY_MS)).ok();
        return Ok(batch.time(name)?.iter().map(day).collect());
    }
    Ok(batch.date(name)?.iter().collect())
}
