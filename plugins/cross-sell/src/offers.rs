//! What to offer to a customer: the rules that fit what it bought and lead to what it lacks (R123, R124), and the way to sell it (R126).

use std::collections::HashMap;

use trellis_sdk::{Batch, Result};

use crate::model::Model;
use crate::rules::Rule;

/// A model that is ready to be asked about customers.
#[derive(Debug)]
pub(crate) struct Matcher<'a> {
    pub(crate) model: &'a Model,
    numbers: HashMap<&'a str, u32>,
    /// The rules of each item that is the rarest of their left side.
    by_rarest: Vec<Vec<u32>>,
    is_offered: Vec<bool>,
    pub(crate) mean_margin: Option<f64>,
}

/// The best offer for a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer<'a> {
    pub(crate) rule: &'a Rule,
    /// The way to sell that pays best; none where none is configured or none pays.
    pub(crate) mode: Option<usize>,
    /// What is gained in the mean, in major units; none where the margin is unknown.
    pub(crate) gain: Option<f64>,
}

/// What a customer bought, by item. One is used for all rows of a batch.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    items: Vec<u32>,
    is_owned: Vec<bool>,
}

impl Owned {
    pub(crate) fn has(&self, item: u32) -> bool {
        self.is_owned.get(item as usize) == Some(&true)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn replace(&mut self, items: impl Iterator<Item = u32>) {
        for item in self.items.drain(..) {
            if let Some(place) = self.is_owned.get_mut(item as usize) {
                *place = false;
            }
        }
        for item in items {
            if let Some(place) = self.is_owned.get_mut(item as usize)
                && !*place
            {
                *place = true;
                self.items.push(item);
            }
        }
    }
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        let mut by_rarest = vec![Vec::new(); model.items.len()];
        let count = |item: &&u32| model.items.get(**item as usize).map_or(0, |item| item.count);
        for (place, rule) in (0_u32..).zip(&model.rules) {
            let rarest = rule.lhs.iter().min_by_key(|item| (count(item), **item));
            if let Some(rules) = rarest.and_then(|item| by_rarest.get_mut(*item as usize)) {
                rules.push(place);
            }
        }
        let named =
            |name: &str| model.offers.is_empty() || model.offers.iter().any(|(product, _)| product == name);
        Self {
            model,
            numbers: model.numbers(),
            by_rarest,
            is_offered: model.items.iter().map(|item| named(&item.name)).collect(),
            mean_margin: model.mean_margin(),
        }
    }

    /// Calls `see` with each row and what its customer bought.
    pub(crate) fn each_row(&self, batch: &Batch, mut see: impl FnMut(usize, &Owned)) -> Result<()> {
        let bought = batch.lists("products")?;
        let texts = bought.texts();
        let of_text: Vec<Option<u32>> = texts.iter().map(|text| self.numbers.get(text?).copied()).collect();
        let mut owned = Owned { items: Vec::new(), is_owned: vec![false; self.model.items.len()] };
        for row in 0..bought.rows() {
            let codes = bought.codes(row).unwrap_or_default().iter();
            owned.replace(codes.filter_map(|code| of_text.get(*code as usize).copied().flatten()));
            see(row, &owned);
        }
        Ok(())
    }

    /// The rules whose left side the customer bought and whose right side it lacks and may be offered.
    pub(crate) fn applicable<'m>(&'m self, owned: &'m Owned) -> impl Iterator<Item = &'a Rule> + 'm {
        let rules = owned.items.iter().flat_map(|item| self.by_rarest.get(*item as usize)).flatten();
        rules.filter_map(|place| self.model.rules.get(*place as usize)).filter(|rule| {
            !owned.has(rule.rhs)
                && self.is_offered.get(rule.rhs as usize) == Some(&true)
                && rule.lhs.iter().all(|item| owned.has(*item))
        })
    }

    /// The offer that gains most: confidence × margin; of equal ones the likelier, then the one with the higher lift.
    pub(crate) fn best(&self, owned: &Owned) -> Option<Offer<'a>> {
        let key = |rule: &Rule| (rule.confidence() * self.weight(rule), rule.confidence(), self.lift(rule));
        let best = self.applicable(owned).max_by(|one, other| {
            let (one_key, other_key) = (key(one), key(other));
            (one_key.0.total_cmp(&other_key.0))
                .then(one_key.1.total_cmp(&other_key.1))
                .then(one_key.2.total_cmp(&other_key.2))
                // The shorter, then the one of the lower items: so that the order of the rules does not matter.
                .then_with(|| other.lhs.len().cmp(&one.lhs.len()))
                .then_with(|| (other.rhs, &other.lhs).cmp(&(one.rhs, &one.lhs)))
        })?;
        Some(self.offer(best))
    }

    fn offer(&self, rule: &'a Rule) -> Offer<'a> {
        let Some(margin) = self.model.margin(rule.rhs) else {
            return Offer { rule, mode: None, gain: None };
        };
        let expected = rule.confidence() * margin;
        let gains = self.model.modes.iter().map(|mode| mode.response * expected - mode.cost);
        match gains
            .enumerate()
            .max_by(|(place, one), (other_place, other)| one.total_cmp(other).then(other_place.cmp(place)))
        {
            None => Offer { rule, mode: None, gain: Some(expected) },
            Some((mode, gain)) => Offer { rule, mode: (gain > 0.0).then_some(mode), gain: Some(gain) },
        }
    }

    pub(crate) fn lift(&self, rule: &Rule) -> f64 {
        rule.lift(self.model.baskets as usize)
    }

    fn weight(&self, rule: &Rule) -> f64 {
        self.model.weight(rule.rhs, self.mean_margin)
    }

    /// What R124 ranks applicable rules by.
    pub(crate) fn strength(&self, rule: &Rule) -> f64 {
        self.lift(rule) * self.weight(rule)
    }
}
