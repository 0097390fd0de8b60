//! What becomes of deals, counted.

use crate::deals::{Deal, Outcome};

/// Counts and sums over some deals. Amounts are minor units.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) won: u64,
    pub(crate) lost: u64,
    pub(crate) open: u64,
    pub(crate) revenue: i64,
    won_with_value: u64,
    /// Days from opening to end of won deals, and of how many.
    won_days: i64,
    won_with_days: u64,
    lost_days: i64,
    lost_with_days: u64,
    /// The list value of what was won with an amount and a list price, and that amount.
    list_of_won: i64,
    won_with_list: i64,
}

impl Tally {
    pub(crate) fn add(&mut self, deal: &Deal) {
        match deal.outcome {
            Outcome::Open => self.open += 1,
            Outcome::Won => self.add_won(deal),
            Outcome::Lost => {
                self.lost += 1;
                if let Some(days) = deal.cycle_days() {
                    self.lost_days = self.lost_days.saturating_add(days);
                    self.lost_with_days += 1;
                }
            }
        }
    }

    fn add_won(&mut self, deal: &Deal) {
        self.won += 1;
        if let Some(value) = deal.value {
            self.revenue = self.revenue.saturating_add(value);
            self.won_with_value += 1;
            if let Some(list) = deal.list_value {
                self.list_of_won = self.list_of_won.saturating_add(list);
                self.won_with_list = self.won_with_list.saturating_add(value);
            }
        }
        if let Some(days) = deal.cycle_days() {
            self.won_days = self.won_days.saturating_add(days);
            self.won_with_days += 1;
        }
    }

    pub(crate) fn deals(&self) -> u64 {
        self.won + self.lost + self.open
    }

    pub(crate) fn closed(&self) -> u64 {
        self.won + self.lost
    }

    /// Won as a share of won and lost.
    pub(crate) fn win_rate(&self) -> Option<f64> {
        share(self.won as f64, self.closed() as f64)
    }

    /// Mean value of a won deal in minor units.
    pub(crate) fn mean_won_value(&self) -> Option<f64> {
        share(self.revenue as f64, self.won_with_value as f64)
    }

    pub(crate) fn mean_won_days(&self) -> Option<f64> {
        share(self.won_days as f64, self.won_with_days as f64)
    }

    pub(crate) fn mean_lost_days(&self) -> Option<f64> {
        share(self.lost_days as f64, self.lost_with_days as f64)
    }

    /// What was won as a share of what it would have cost by the list.
    pub(crate) fn price_realisation(&self) -> Option<f64> {
        share(self.won_with_list as f64, self.list_of_won as f64)
    }

    /// Sales velocity in minor units a day: open deals × win rate × mean won value ÷ mean days to win.
    pub(crate) fn velocity(&self) -> Option<f64> {
        share(self.open as f64 * self.win_rate()? * self.mean_won_value()?, self.mean_won_days()?)
    }

    /// Between which shares the win rate lies with 95 % probability (Wilson 1927).
    pub(crate) fn win_rate_interval(&self) -> Option<(f64, f64)> {
        const Z: f64 = 1.959_963_984_540_054;
        let (rate, n) = (self.win_rate()?, self.closed() as f64);
        let (centre, scale) = (rate + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
        let half = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some((((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)))
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Tallies by a number that is handed out in order.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    groups: Vec<Tally>,
    /// Of deals without a group.
    pub(crate) none: Tally,
}

impl Tallies {
    pub(crate) fn add(&mut self, group: u32, deal: &Deal) {
        self.entry(group).add(deal);
    }

    fn entry(&mut self, group: u32) -> &mut Tally {
        if group == crate::names::NONE {
            return &mut self.none;
        }
        let place = group as usize;
        if place >= self.groups.len() {
            self.groups.resize(place + 1, Tally::default());
        }
        self.groups.get_mut(place).expect("it was made long enough")
    }

    pub(crate) fn get(&self, group: u32) -> &Tally {
        self.groups.get(group as usize).unwrap_or(&self.none)
    }

    /// Each group with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Tally)> {
        (0..).zip(&self.groups)
    }
}
