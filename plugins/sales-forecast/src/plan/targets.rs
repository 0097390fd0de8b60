//! Targets, and what counts for which.

use std::collections::BTreeMap;

use trellis_sdk::{Result, RowStream};

use crate::config::RevenueFrom;
use crate::deals::{Category, Deal};
use crate::names::{NONE, Names};

/// What a target asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Revenue,
    WonDeals,
    Orders,
    /// Something that neither opportunities nor orders say.
    Other,
}

/// Whose deals count: those of an owner, a team, a product; [`NONE`] is all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    owner: u32,
    team: u32,
    product: u32,
}

impl Scope {
    /// All that a deal is.
    pub(super) fn of(deal: &Deal) -> Self {
        Self { owner: deal.group(0), team: deal.group(1), product: deal.group(2) }
    }

    /// What is known of an order. Its lines name products, and teams are those of opportunities.
    pub(super) fn of_owner(owner: u32) -> Self {
        Self { owner, team: NONE, product: NONE }
    }

    /// Whether it is about the whole organisation.
    pub(super) fn is_everything(self) -> bool {
        (self.owner, self.team, self.product) == (NONE, NONE, NONE)
    }

    pub(super) fn is_team(self) -> bool {
        self.team != NONE && self.owner == NONE && self.product == NONE
    }

    pub(super) fn is_owner(self) -> bool {
        self.owner != NONE && self.product == NONE
    }
}

/// A target with what came of it. Amounts are minor units.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) scope: Scope,
    pub(super) whose: Option<String>,
    pub(super) starts_on: i32,
    pub(super) ends_on: i32,
    pub(super) goal: f64,
    pub(super) actual: f64,
    pub(super) commit: f64,
    pub(super) best_case: f64,
    weighted: f64,
}

/// Reads all targets; `names` are the numbers of owners, teams and products.
pub(super) fn read(rows: &mut RowStream<'_>, names: &mut [Names]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for batch in rows {
        let mut kinds = Names::default();
        let [name, kind] = [("name", 0), ("metric", 1)].map(|(column, _)| kinds.codes(&batch, column));
        let (name, kind) = (name?, kind?);
        let mut whose = Names::default();
        let labels = ["user_name", "team_name", "product_name"]
            .into_iter()
            .map(|column| whose.codes(&batch, column))
            .collect::<Result<Vec<_>>>()?;
        let scopes = names
            .iter_mut()
            .zip(["user_id", "team_id", "product_id"])
            .map(|(names, column)| names.codes(&batch, column))
            .collect::<Result<Vec<_>>>()?;
        let (starts_on, ends_on) = (batch.date("starts_on")?, batch.date("ends_on")?);
        let (amount, count) = (batch.money("amount")?.minor_units(), batch.float64("count")?);
        for row in 0..batch.rows() {
            let at =
                |codes: Option<&Vec<u32>>| codes.and_then(|codes| codes.get(row)).copied().unwrap_or(NONE);
            let (Some(starts_on), Some(ends_on)) = (starts_on.get(row), ends_on.get(row)) else { continue };
            let kind = kind_of(kinds.get(at(Some(&kind))).unwrap_or_default());
            let goal = match kind {
                Kind::Revenue => amount.get(row).map(|minor| minor as f64),
                _ => count.get(row),
            };
            let words: Vec<&str> =
                (0..labels.len()).filter_map(|place| whose.get(at(labels.get(place)))).collect();
            targets.push(Target {
                name: kinds.get(at(Some(&name))).unwrap_or_default().to_owned(),
                kind: if goal.is_some() { kind } else { Kind::Other },
                scope: Scope {
                    owner: at(scopes.first()),
                    team: at(scopes.get(1)),
                    product: at(scopes.get(2)),
                },
                whose: (!words.is_empty()).then(|| words.join(", ")),
                starts_on,
                ends_on,
                goal: goal.unwrap_or(0.0),
                actual: 0.0,
                commit: 0.0,
                best_case: 0.0,
                weighted: 0.0,
            });
        }
    }
    targets.sort_by(|one, other| (one.starts_on, &one.name).cmp(&(other.starts_on, &other.name)));
    Ok(targets)
}

fn kind_of(metric: &str) -> Kind {
    match metric {
        "revenue" => Kind::Revenue,
        "won_opportunities" => Kind::WonDeals,
        "orders" => Kind::Orders,
        _ => Kind::Other,
    }
}

impl Target {
    /// What is there, and the weighted value of what may come.
    pub(super) fn expected(&self) -> f64 {
        self.actual + self.weighted
    }

    pub(super) fn runs_on(&self, day: i32) -> bool {
        (self.starts_on..=self.ends_on).contains(&day)
    }

    /// A deal was won. A target of a product takes its revenue from deals in any case, since orders do not name it.
    pub(super) fn won(&mut self, day: i32, value: f64, revenue_from: RevenueFrom) {
        let of_deals = revenue_from == RevenueFrom::Opportunities
            || self.scope.product != NONE
            || self.scope.team != NONE;
        match self.kind {
            Kind::Revenue if of_deals && self.runs_on(day) => self.actual += value,
            Kind::WonDeals if self.runs_on(day) => self.actual += 1.0,
            _ => {}
        }
    }

    /// Something was ordered.
    pub(super) fn ordered(&mut self, day: i32, amount: f64, revenue_from: RevenueFrom) {
        match self.kind {
            Kind::Revenue if revenue_from == RevenueFrom::Orders && self.runs_on(day) => {
                self.actual += amount
            }
            Kind::Orders if self.runs_on(day) => self.actual += 1.0,
            _ => {}
        }
    }

    /// A deal is open and should close on `day`.
    pub(super) fn open(&mut self, day: i32, value: f64, weight: f64, category: Category, as_of: i32) {
        let part = match self.kind {
            Kind::Revenue => value,
            Kind::WonDeals => 1.0,
            Kind::Orders | Kind::Other => return,
        };
        if day < as_of || !self.runs_on(day) {
            return;
        }
        self.weighted += part * weight;
        match category {
            Category::Commit => self.commit += part,
            Category::BestCase => self.best_case += part,
            Category::Closed | Category::Pipeline | Category::Omitted => {}
        }
    }
}

/// Finds the targets that something counts for without looking at all of them.
#[derive(Debug)]
pub(super) struct Index {
    by_scope: BTreeMap<Scope, Vec<usize>>,
}

impl Index {
    pub(super) fn of(targets: &[Target]) -> Self {
        let mut by_scope: BTreeMap<Scope, Vec<usize>> = BTreeMap::new();
        for (place, target) in targets.iter().enumerate() {
            by_scope.entry(target.scope).or_default().push(place);
        }
        Self { by_scope }
    }

    /// The places of the targets whose scope holds what is `scope`: each of its parts, or any.
    pub(super) fn matching(&self, scope: Scope) -> impl Iterator<Item = usize> {
        let options = |code: u32| if code == NONE { vec![NONE] } else { vec![code, NONE] };
        let mut found = Vec::new();
        for owner in options(scope.owner) {
            for team in options(scope.team) {
                for product in options(scope.product) {
                    found.extend(self.by_scope.get(&Scope { owner, team, product }).into_iter().flatten());
                }
            }
        }
        found.into_iter()
    }
}
