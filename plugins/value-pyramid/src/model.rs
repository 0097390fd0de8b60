//! What `fit` learns and every later call reads.

use trellis_sdk::{
    LocalizedText, Metric, ModelReader, ModelWriter, PluginError, Result, format_money, localized, metric,
};

use crate::config::{By, Shares};
use crate::profit::{Averages, CAUSES};
use crate::rows::major_units;
use crate::tiers::TIERS;

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;

/// From which tier at the beginning of the window (the last: none yet), to which tier now.
pub(crate) type Movement = [[u64; 4]; 5];

/// The ranking of a population, thinned out, and what its tiers bring.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pyramid {
    pub(crate) shares: Shares,
    /// The ISO 4217 code of the amounts.
    pub(crate) currency: String,
    /// How many customers were ranked.
    pub(crate) customers: u64,
    /// Some of the customers, from the lowest to the highest; the first and the last among them, and the lowest of each tier.
    pub(crate) knots: Vec<Knot>,
    /// From the top.
    pub(crate) tiers: [TierFigures; 4],
    /// What customers without profit are measured by; none where no cost is known.
    pub(crate) averages: Option<Averages>,
    /// None where nobody had an order at the beginning of the window.
    pub(crate) movement: Option<Movement>,
    /// How many percent of the revenue the best 1, 2, … 100 % of the customers bring.
    pub(crate) pareto: Vec<f64>,
}

/// One ranked customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Knot {
    /// Lifetime value in minor units.
    pub(crate) value: i64,
    pub(crate) ordinal: u64,
    /// How many customers rank lower.
    pub(crate) rank: u64,
    pub(crate) standing: f64,
    /// The standing of the customer who ranks next below; of the lowest one, its own.
    pub(crate) standing_below: f64,
}

/// What a tier brings.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct TierFigures {
    pub(crate) customers: u64,
    /// Minor units.
    pub(crate) revenue: i64,
    /// The lifetime value of its lowest customer; none where the tier is empty.
    pub(crate) cut: Option<i64>,
    /// Customers whose cost is known, what they cost and what they bring after it, in minor units.
    pub(crate) costed: u64,
    pub(crate) cost: i64,
    pub(crate) profit: i64,
    /// How many of them cost more than they bring, by cause.
    pub(crate) unprofitable: [u64; CAUSES.len()],
}

/// Where a customer stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// 0 to 100.
    pub(crate) standing: f64,
    /// From the top: 1 is the highest.
    pub(crate) position: u64,
    /// Whether the position is exact, or read off between two knots.
    pub(crate) is_exact: bool,
}

impl Pyramid {
    /// Where a customer with this value and ordinal stands in the ranking; of equal values the higher ordinal ranks higher.
    ///
    /// Exact at every knot. Between two it is in proportion to the value (among equal values, to the ordinal), and never reaches the upper
    /// one, so that everybody is in the right tier.
    pub(crate) fn place(&self, value: i64, ordinal: u64) -> Place {
        let above = self.knots.partition_point(|knot| (knot.value, knot.ordinal) <= (value, ordinal));
        let Some(lower) = above.checked_sub(1).and_then(|place| self.knots.get(place)) else {
            return self.placed(0.0, 0, false);
        };
        if (lower.value, lower.ordinal) == (value, ordinal) {
            return self.placed(lower.standing, lower.rank, true);
        }
        let Some(upper) = self.knots.get(above) else {
            return self.placed(lower.standing, lower.rank + 1, false);
        };
        let way = way(lower, upper, value, ordinal);
        let standing = lower.standing + way * (upper.standing_below - lower.standing);
        let between = (upper.rank - lower.rank - 1) as f64;
        let rank = lower.rank + 1 + (way * between) as u64;
        self.placed(standing.min(upper.standing_below), rank.min(upper.rank), false)
    }

    fn placed(&self, standing: f64, below: u64, is_exact: bool) -> Place {
        let position = self.customers.saturating_sub(below).max(1);
        Place { standing: standing.clamp(0.0, 100.0), position, is_exact }
    }

    /// What all customers spent, in minor units.
    pub(crate) fn revenue(&self) -> i64 {
        self.tiers.iter().fold(0, |sum, tier| sum.saturating_add(tier.revenue))
    }

    /// How many percent of the revenue each tier brings; 0 where there is none to divide.
    pub(crate) fn revenue_percents(&self) -> [f64; 4] {
        let whole = self.revenue() as f64;
        self.tiers.map(|tier| if whole > 0.0 { 100.0 * tier.revenue as f64 / whole } else { 0.0 })
    }

    /// Writes the model; some 45 KB at most.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let column = |value: fn(&Knot) -> u64| self.knots.iter().map(value).collect::<Vec<_>>();
        let numbers = |value: fn(&Knot) -> f64| self.knots.iter().map(value).collect::<Vec<_>>();
        let values: Vec<i64> = self.knots.iter().map(|knot| knot.value).collect();
        let head = ModelWriter::new(FORMAT)
            .u64(u64::from(self.shares.by == By::Revenue))
            .u64s(&self.shares.parts().map(u64::from))
            .text(&self.currency)
            .u64(self.customers)
            .i64s(&values)
            .u64s(&column(|knot| knot.ordinal))
            .u64s(&column(|knot| knot.rank))
            .f64s(&numbers(|knot| knot.standing))
            .f64s(&numbers(|knot| knot.standing_below));
        let write = |writer: ModelWriter, tier: &TierFigures| {
            let writer = writer.u64(tier.customers).i64(tier.revenue).i64s(tier.cut.as_slice());
            writer.u64(tier.costed).i64(tier.cost).i64(tier.profit).u64s(&tier.unprofitable)
        };
        let averages = self.averages.map(|averages| [averages.cost, averages.orders, averages.order_value]);
        let movement = self.movement.iter().flatten().flatten().copied().collect::<Vec<_>>();
        let tiers = self.tiers.iter().fold(head, write);
        tiers
            .f64s(averages.as_ref().map_or(&[], <[f64; 3]>::as_slice))
            .u64s(&movement)
            .f64s(&self.pareto)
            .finish()
    }

    /// Reads a model that [`Pyramid::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PluginError::UnreadableModel`] for anything else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let shares = read_shares(&mut reader)?;
        let (currency, customers) = (reader.text()?, reader.u64()?);
        let knots = read_knots(&mut reader)?;
        let mut tiers = [TierFigures::default(); 4];
        for tier in &mut tiers {
            let (customers, revenue) = (reader.u64()?, reader.i64()?);
            let cut = reader.i64s()?.first().copied();
            let (costed, cost, profit) = (reader.u64()?, reader.i64()?, reader.i64()?);
            let unprofitable = reader.u64s()?.try_into().map_err(|_| unreadable("the causes"))?;
            *tier = TierFigures { customers, revenue, cut, costed, cost, profit, unprofitable };
        }
        let averages = match reader.f64s()?.as_slice() {
            [] => None,
            [cost, orders, order_value] => {
                Some(Averages { cost: *cost, orders: *orders, order_value: *order_value })
            }
            _ => return Err(unreadable("the averages")),
        };
        let movement = read_movement(&reader.u64s()?)?;
        let pareto = reader.f64s()?;
        reader.finish()?;
        Ok(Self { shares, currency, customers, knots, tiers, averages, movement, pareto })
    }

    pub(crate) fn require_currency(&self, currency: &str) -> Result<()> {
        if self.currency == currency {
            return Ok(());
        }
        let message = (
            format!("the model was fitted on amounts in {}, `spent` is in {currency}", self.currency),
            format!("模型学习时的金额币种为 {}，而 `spent` 的币种为 {currency}", self.currency),
        );
        Err(PluginError::UnsuitableData(message.into()))
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let (mut en, mut zh) = (
            format!("{} customers with orders.", self.customers),
            format!("{} 位有订单的客户。", self.customers),
        );
        for ((tier, figures), percent) in TIERS.iter().zip(&self.tiers).zip(self.revenue_percents()) {
            let money = format_money(&self.currency, figures.revenue);
            en += &format!(" {}: {} with {money} ({percent:.1} %).", tier.en, figures.customers);
            zh += &format!("{}：{} 位，{money}（{percent:.1}%）。", tier.zh, figures.customers);
        }
        localized(en, zh)
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let money = |minor_units| major_units(&self.currency, minor_units);
        let mut metrics = vec![
            metric(
                "customers",
                localized("Customers with an order", "有订单的客户数"),
                self.customers as f64,
            ),
            metric("revenue", localized("Revenue, base currency", "销售额（本位币）"), money(self.revenue())),
        ];
        for ((tier, figures), percent) in TIERS.iter().zip(&self.tiers).zip(self.revenue_percents()) {
            let mut add = |name: &str, en: &str, zh: &str, value: f64| {
                let label = localized(format!("{}: {en}", tier.en), format!("{}：{zh}", tier.zh));
                metrics.push(metric(&format!("{}_{name}", tier.name), label, value));
            };
            add("customers", "customers", "客户数", figures.customers as f64);
            add("revenue", "revenue, base currency", "销售额（本位币）", money(figures.revenue));
            add("revenue_percent", "share of the revenue, %", "销售额占比（%）", percent);
            if let Some(cut) = figures.cut {
                add("cut", "lowest lifetime value, base currency", "最低终身价值（本位币）", money(cut));
            }
        }
        if self.averages.is_some() {
            let lost: u64 = self.tiers.iter().flat_map(|tier| tier.unprofitable).sum();
            let profit = self.tiers.iter().fold(0_i64, |sum, tier| sum.saturating_add(tier.profit));
            let (label, amount) =
                (localized("Revenue less cost, base currency", "销售额减成本（本位币）"), money(profit));
            metrics.push(metric("profit", label, amount));
            metrics.push(metric(
                "unprofitable",
                localized("Customers who cost more than they bring", "成本高于销售额的客户数"),
                lost as f64,
            ));
        }
        metrics
    }
}

/// Which part of the way from `lower` to `upper` a customer between them has made, 0 to 1.
fn way(lower: &Knot, upper: &Knot, value: i64, ordinal: u64) -> f64 {
    if lower.value == upper.value {
        (ordinal - lower.ordinal) as f64 / (upper.ordinal - lower.ordinal) as f64
    } else {
        let of = |to: i64| (i128::from(to) - i128::from(lower.value)) as f64;
        of(value) / of(upper.value)
    }
}

fn read_movement(counts: &[u64]) -> Result<Option<Movement>> {
    if counts.is_empty() {
        return Ok(None);
    }
    let (rows, rest) = counts.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(unreadable("the movement"));
    }
    rows.to_vec().try_into().map(Some).map_err(|_| unreadable("the movement"))
}

fn unreadable(what: &str) -> PluginError {
    PluginError::UnreadableModel(format!("{what} of the tiers do not fit").into())
}

fn read_shares(reader: &mut ModelReader<'_>) -> Result<Shares> {
    let by = if reader.u64()? == 0 { By::Customers } else { By::Revenue };
    let parts: Vec<u32> = reader.u64s()?.into_iter().filter_map(|part| u32::try_from(part).ok()).collect();
    let shares = parts.try_into().ok().and_then(|parts| Shares::of_parts(by, parts));
    shares.ok_or_else(|| PluginError::UnreadableModel("the tiers do not make a whole".into()))
}

/// Checks what the look-up relies on: columns of one length, ascending.
fn read_knots(reader: &mut ModelReader<'_>) -> Result<Vec<Knot>> {
    let (values, ordinals, ranks) = (reader.i64s()?, reader.u64s()?, reader.u64s()?);
    let (standings, below) = (reader.f64s()?, reader.f64s()?);
    let lengths = [ordinals.len(), ranks.len(), standings.len(), below.len()];
    let columns = values.into_iter().zip(ordinals).zip(ranks).zip(standings).zip(below);
    let knots: Vec<Knot> = columns
        .map(|((((value, ordinal), rank), standing), standing_below)| Knot {
            value,
            ordinal,
            rank,
            standing,
            standing_below,
        })
        .collect();
    let ascend = |one: &Knot, next: &Knot| {
        (one.value, one.ordinal) < (next.value, next.ordinal) && one.rank < next.rank
    };
    if lengths.iter().any(|length| *length != knots.len()) || !knots.is_sorted_by(ascend) {
        return Err(PluginError::UnreadableModel("the ranking is not in order".into()));
    }
    Ok(knots)
}
