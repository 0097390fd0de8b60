//! Who gets what within a budget and what channels can carry out: a knapsack with one choice a customer.
//!
//! Greedy by density: for each customer only the choices on the upper hull of (cost, gain) count; the steps from one to the next are taken in
//! descending order of gain per cost (Sinha and Zoltners, *The multiple-choice knapsack problem*, 1979). Without capacities the result lies below the
//! best one by less than one step, and the same steps with the last one in part are an upper bound for any plan. Small cases are then solved exactly
//! by branch and bound.

/// One choice of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// A place among the actions.
    pub(crate) action: usize,
    /// A place among the channels.
    pub(crate) channel: usize,
    /// Above 0.
    pub(crate) gain: f64,
    /// 0 or more.
    pub(crate) cost: f64,
}

/// The candidates of all customers, one customer after the other: two allocations however many there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidates {
    all: Vec<Candidate>,
    /// Where the candidates of each customer end.
    ends: Vec<usize>,
}

impl Candidates {
    /// Adds a customer.
    pub(crate) fn push(&mut self, candidates: impl IntoIterator<Item = Candidate>) {
        self.all.extend(candidates);
        self.ends.push(self.all.len());
    }

    /// How many customers there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Those of a customer.
    pub(crate) fn of(&self, customer: usize) -> &[Candidate] {
        let begin = customer.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(customer).copied().unwrap_or(begin);
        self.all.get(begin..end).unwrap_or_default()
    }

    /// Those of each customer, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Candidate]> {
        (0..self.len()).map(|customer| self.of(customer))
    }
}

impl<C: IntoIterator<Item = Candidate>> FromIterator<C> for Candidates {
    fn from_iter<I: IntoIterator<Item = C>>(customers: I) -> Self {
        let mut all = Self::default();
        customers.into_iter().for_each(|candidates| all.push(candidates));
        all
    }
}

/// What there is to spend.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    pub(crate) budget: Option<f64>,
    /// For each channel how many actions it can carry out; channels beyond the end have no limit.
    pub(crate) capacity: Vec<Option<u64>>,
}

/// Who gets what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// For each customer which of its candidates, if any.
    pub(crate) chosen: Vec<Option<usize>>,
    pub(crate) gain: f64,
    pub(crate) cost: f64,
    /// No plan gains more.
    pub(crate) upper_bound: f64,
    /// What one more unit of budget brings; 0 where there is budget left.
    pub(crate) shadow_price: f64,
    /// The first customer whose step did not fit into the budget: equally dense steps of customers before it did. None where all fit.
    pub(crate) border: Option<usize>,
    /// For each channel what one more place brings, at the price of the budget; 0 where there are places left.
    pub(crate) channel_prices: Vec<f64>,
    /// For each channel the first customer who was turned away at that price.
    pub(crate) channel_borders: Vec<Option<usize>>,
    /// Whether it is the best plan for certain.
    pub(crate) is_optimal: bool,
}

/// Up to so many customers with a choice the best plan is looked for.
const EXACT_CUSTOMERS_MAX: usize = 60;
/// How many part plans are looked at before the best one found has to do.
const EXACT_NODES_MAX: usize = 200_000;

/// A step of a customer from one choice to the next dearer one.
#[derive(Debug, Clone, Copy)]
struct Step {
    customer: usize,
    candidate: usize,
    gain: f64,
    cost: f64,
}

impl Step {
    fn density(&self) -> f64 {
        if self.cost > 0.0 { self.gain / self.cost } else { f64::INFINITY }
    }
}

/// Plans for all customers at once.
pub(crate) fn plan(customers: &Candidates, limits: &Limits) -> Plan {
    let steps = steps(customers);
    let mut plan = greedy(customers, &steps, limits);
    let busy = customers.iter().filter(|candidates| !candidates.is_empty()).count();
    if plan.gain >= plan.upper_bound - tolerance(plan.upper_bound) {
        plan.is_optimal = true;
    } else if busy <= EXACT_CUSTOMERS_MAX {
        Search::new(customers, limits).improve(&mut plan);
    }
    plan
}

/// The gain of the best plans without capacities at some budgets, each with its budget: what more money would bring.
pub(crate) fn frontier(customers: &Candidates, points: usize) -> Vec<(f64, f64)> {
    let (mut cost, mut gain) = (0.0, 0.0);
    let mut all = vec![(0.0, 0.0)];
    for step in steps(customers) {
        cost += step.cost;
        gain += step.gain;
        all.push((cost, gain));
    }
    let last = all.len() - 1;
    let mut places: Vec<usize> = (0..=points).map(|point| last * point / points.max(1)).collect();
    places.dedup();
    places.into_iter().filter_map(|place| all.get(place).copied()).collect()
}

fn tolerance(value: f64) -> f64 {
    1e-9 * value.abs().max(1.0)
}

/// The steps of all customers, the densest first; of equal ones that of the earlier customer.
fn steps(customers: &Candidates) -> Vec<Step> {
    let mut steps: Vec<Step> =
        customers.iter().enumerate().flat_map(|(customer, candidates)| hull(customer, candidates)).collect();
    steps.sort_by(|one, other| {
        other
            .density()
            .total_cmp(&one.density())
            .then(one.customer.cmp(&other.customer))
            .then(one.cost.total_cmp(&other.cost))
    });
    steps
}

/// The steps of one customer along the upper hull: their densities fall.
fn hull(customer: usize, candidates: &[Candidate]) -> Vec<Step> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    let at = |place: &usize| {
        candidates.get(*place).map_or((0.0, 0.0), |candidate| (candidate.cost, candidate.gain))
    };
    order.sort_by(|one, other| {
        let ((cost, gain), (other_cost, other_gain)) = (at(one), at(other));
        cost.total_cmp(&other_cost).then(other_gain.total_cmp(&gain)).then(one.cmp(other))
    });
    let mut steps: Vec<Step> = Vec::new();
    for candidate in order {
        let (cost, gain) = at(&candidate);
        loop {
            let base = steps.iter().fold((0.0, 0.0), |sum, step| (sum.0 + step.cost, sum.1 + step.gain));
            let step = Step { customer, candidate, cost: cost - base.0, gain: gain - base.1 };
            if step.gain <= 0.0 {
                break;
            }
            match steps.last() {
                Some(last) if last.density() <= step.density() => {
                    steps.pop();
                }
                _ => {
                    steps.push(step);
                    break;
                }
            }
        }
    }
    steps
}

/// What the steps gain within `budget`, the last one in part.
fn bound(steps: impl Iterator<Item = Step>, budget: Option<f64>) -> f64 {
    let mut left = budget.unwrap_or(f64::INFINITY);
    let mut gain = 0.0;
    for step in steps {
        if step.cost > left {
            return gain + step.gain * left / step.cost;
        }
        left -= step.cost;
        gain += step.gain;
    }
    gain
}

fn greedy(customers: &Candidates, steps: &[Step], limits: &Limits) -> Plan {
    let mut chosen: Vec<Option<usize>> = vec![None; customers.len()];
    let mut left: Vec<Option<u64>> = limits.capacity.clone();
    let channels = customers.all.iter().map(|candidate| candidate.channel + 1).max().unwrap_or(0);
    left.resize(left.len().max(channels), None);
    let mut channel_prices = vec![0.0_f64; left.len()];
    let mut channel_borders = vec![None; left.len()];
    let (mut gain, mut cost, mut shadow_price, mut border) = (0.0, 0.0, 0.0_f64, None);
    let mut full: Vec<(usize, usize, f64, f64)> = Vec::new();
    for step in steps {
        let candidates = customers.of(step.customer);
        let Some(wanted) = candidates.get(step.candidate) else { continue };
        let now = chosen.get(step.customer).copied().flatten().and_then(|place| candidates.get(place));
        let (now_gain, now_cost) = now.map_or((0.0, 0.0), |now| (now.gain, now.cost));
        let (more_gain, more_cost) = (wanted.gain - now_gain, wanted.cost - now_cost);
        if more_gain <= 0.0 {
            continue;
        }
        let stays = now.is_some_and(|now| now.channel == wanted.channel);
        let has_place = stays || left.get(wanted.channel).copied().flatten() != Some(0);
        if !has_place {
            full.push((wanted.channel, step.customer, more_gain, more_cost));
            continue;
        }
        if limits.budget.is_some_and(|budget| cost + more_cost > budget + tolerance(budget)) {
            // The first step that is too dear has the price: all later ones are less dense.
            if border.is_none() && more_cost > 0.0 {
                (shadow_price, border) = (more_gain / more_cost, Some(step.customer));
            }
            continue;
        }
        if !stays {
            change(&mut left, wanted.channel, |places| places.saturating_sub(1));
            if let Some(now) = now {
                change(&mut left, now.channel, |places| places + 1);
            }
        }
        if let Some(place) = chosen.get_mut(step.customer) {
            *place = Some(step.candidate);
        }
        gain += more_gain;
        cost += more_cost;
    }
    for (channel, customer, more_gain, more_cost) in full {
        let worth = more_gain - shadow_price * more_cost;
        if let (Some(price), Some(border)) =
            (channel_prices.get_mut(channel), channel_borders.get_mut(channel))
            && worth > *price
        {
            (*price, *border) = (worth, Some(customer));
        }
    }
    let upper_bound = bound(steps.iter().copied(), limits.budget);
    Plan {
        chosen,
        gain,
        cost,
        upper_bound,
        shadow_price,
        border,
        channel_prices,
        channel_borders,
        is_optimal: false,
    }
}

fn change(left: &mut [Option<u64>], channel: usize, to: impl Fn(u64) -> u64) {
    if let Some(Some(places)) = left.get_mut(channel) {
        *places = to(*places);
    }
}

/// Branch and bound over customers, those with the largest gains first.
struct Search<'a> {
    customers: Vec<(usize, &'a [Candidate])>,
    /// The steps of the customers from each place on, the densest first.
    rest: Vec<Vec<Step>>,
    budget: Option<f64>,
    left: Vec<Option<u64>>,
    chosen: Vec<Option<usize>>,
    nodes: usize,
}

impl<'a> Search<'a> {
    fn new(customers: &'a Candidates, limits: &Limits) -> Self {
        let mut busy: Vec<(usize, &[Candidate])> =
            customers.iter().enumerate().filter(|(_, candidates)| !candidates.is_empty()).collect();
        let most =
            |candidates: &[Candidate]| candidates.iter().map(|candidate| candidate.gain).fold(0.0, f64::max);
        busy.sort_by(|one, other| most(other.1).total_cmp(&most(one.1)).then(one.0.cmp(&other.0)));
        let from = |place: usize| {
            let mut steps: Vec<Step> = busy
                .iter()
                .skip(place)
                .flat_map(|(customer, candidates)| hull(*customer, candidates))
                .collect();
            steps.sort_by(|one, other| other.density().total_cmp(&one.density()));
            steps
        };
        let rest = (0..=busy.len()).map(from).collect();
        Self {
            rest,
            budget: limits.budget,
            left: limits.capacity.clone(),
            chosen: vec![None; customers.len()],
            nodes: 0,
            customers: busy,
        }
    }

    /// Replaces `best` by any better plan, and says whether nothing was left out.
    fn improve(mut self, best: &mut Plan) {
        self.descend(0, 0.0, 0.0, best);
        best.is_optimal = self.nodes < EXACT_NODES_MAX;
    }

    /// No deeper than there are customers.
    fn descend(&mut self, place: usize, gain: f64, cost: f64, best: &mut Plan) {
        self.nodes += 1;
        if self.nodes >= EXACT_NODES_MAX {
            return;
        }
        if gain > best.gain + tolerance(best.gain) {
            best.chosen.clone_from(&self.chosen);
            (best.gain, best.cost) = (gain, cost);
        }
        let Some((customer, candidates)) = self.customers.get(place).copied() else { return };
        let budget = self.budget.map(|budget| budget - cost);
        let possible = self.rest.get(place).map_or(0.0, |steps| bound(steps.iter().copied(), budget));
        if gain + possible <= best.gain + tolerance(best.gain) {
            return;
        }
        for (number, candidate) in candidates.iter().enumerate() {
            let is_dear = budget.is_some_and(|budget| candidate.cost > budget + tolerance(budget));
            if is_dear || self.left.get(candidate.channel).copied().flatten() == Some(0) {
                continue;
            }
            change(&mut self.left, candidate.channel, |places| places - 1);
            self.choose(customer, Some(number));
            self.descend(place + 1, gain + candidate.gain, cost + candidate.cost, best);
            self.choose(customer, None);
            change(&mut self.left, candidate.channel, |places| places + 1);
        }
        self.descend(place + 1, gain, cost, best);
    }

    fn choose(&mut self, customer: usize, candidate: Option<usize>) {
        if let Some(place) = self.chosen.get_mut(customer) {
            *place = candidate;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All plans, the slow way.
    fn best(customers: &[Vec<Candidate>], limits: &Limits) -> f64 {
        fn go(customers: &[Vec<Candidate>], left: Option<f64>, capacity: &mut Vec<Option<u64>>) -> f64 {
            let Some((first, rest)) = customers.split_first() else { return 0.0 };
            let mut most = go(rest, left, capacity);
            for candidate in first {
                let fits = left.is_none_or(|left| candidate.cost <= left + 1e-9);
                let places = capacity.get(candidate.channel).copied().flatten();
                if fits && places != Some(0) {
                    change(capacity, candidate.channel, |places| places - 1);
                    let rest = go(rest, left.map(|left| left - candidate.cost), capacity);
                    change(capacity, candidate.channel, |places| places + 1);
                    most = most.max(candidate.gain + rest);
                }
            }
            most
        }
        go(customers, limits.budget, &mut limits.capacity.clone())
    }

    fn flat(customers: &[Vec<Candidate>]) -> Candidates {
        customers.iter().cloned().collect()
    }

    fn candidates() -> impl Strategy<Value = Vec<Vec<Candidate>>> {
        let candidate = (0_usize..3, 1_u32..50, 0_u32..20).prop_map(|(channel, gain, cost)| Candidate {
            action: channel,
            channel,
            gain: f64::from(gain),
            cost: f64::from(cost),
        });
        proptest::collection::vec(proptest::collection::vec(candidate, 0..3), 0..7)
    }

    proptest! {
        #[test]
        fn small_plans_are_the_best_and_keep_to_every_limit(
            customers in candidates(),
            budget in proptest::option::of(0_u32..60),
            capacity in proptest::collection::vec(proptest::option::of(0_u64..3), 3),
        ) {
            let limits = Limits { budget: budget.map(f64::from), capacity };
            let plan = plan(&flat(&customers), &limits);
            let most = best(&customers, &limits);
            prop_assert!((plan.gain - most).abs() < 1e-6, "{} instead of {most}", plan.gain);
            prop_assert!(plan.is_optimal && plan.upper_bound >= most - 1e-6);
            let taken: Vec<Candidate> = plan.chosen.iter().zip(&customers).filter_map(|(chosen, of)| Some(of[(*chosen)?])).collect();
            prop_assert!((taken.iter().map(|one| one.cost).sum::<f64>() - plan.cost).abs() < 1e-6);
            prop_assert!(limits.budget.is_none_or(|budget| plan.cost <= budget + 1e-6));
            for (channel, places) in limits.capacity.iter().enumerate() {
                let used = taken.iter().filter(|one| one.channel == channel).count() as u64;
                prop_assert!(places.is_none_or(|places| used <= places));
            }
        }

        #[test]
        fn the_greedy_plan_is_within_one_step_of_its_bound(customers in candidates(), budget in 0_u32..60) {
            let limits = Limits { budget: Some(f64::from(budget)), capacity: Vec::new() };
            let customers = flat(&customers);
            let all = steps(&customers);
            let plan = greedy(&customers, &all, &limits);
            let largest = all.iter().map(|step| step.gain).fold(0.0, f64::max);
            prop_assert!(plan.upper_bound - plan.gain <= largest + 1e-9);
        }
    }

    #[test]
    fn the_price_is_what_one_more_unit_brings() {
        let one = |gain: f64, cost: f64| vec![Candidate { action: 0, channel: 0, gain, cost }];
        let customers: Candidates = (1..=100).map(|place| one(f64::from(place), 1.0)).collect();
        let plan = plan(&customers, &Limits { budget: Some(10.0), capacity: Vec::new() });
        assert_eq!((plan.gain, plan.cost, plan.shadow_price), ((91..=100).sum::<i32>() as f64, 10.0, 90.0));
        assert!(plan.is_optimal);
        let plenty = super::plan(&customers, &Limits::default());
        assert_eq!((plenty.gain, plenty.shadow_price), (5050.0, 0.0));
    }

    #[test]
    fn a_full_channel_has_a_price() {
        let one = |gain: f64| vec![Candidate { action: 0, channel: 0, gain, cost: 1.0 }];
        let customers: Candidates = [5.0, 9.0, 7.0].map(one).into_iter().collect();
        let plan = plan(&customers, &Limits { budget: None, capacity: vec![Some(2)] });
        assert_eq!(plan.chosen, [None, Some(0), Some(0)]);
        assert_eq!(plan.channel_prices, [5.0]);
    }
}
