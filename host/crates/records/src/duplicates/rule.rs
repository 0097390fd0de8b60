//! A matching rule with its fields at hand.

use trellis_model::{FieldId, FieldName, MatchMethod, MatchingRule, ObjectDefinition, Record, Value};

use super::compare::{Compared, similarity};
use super::phone::Country;
use crate::index::match_keys::MatchKey;

/// From which similarity on two values are said to agree; only `fuzzy` knows more than yes and no.
const AGREES_FROM: f64 = 0.9;
/// The field that says which country's telephone numbers a record has, where its object has one.
const COUNTRY: &str = "country";

/// A matching rule of an object.
#[derive(Debug)]
pub(crate) struct Rule<'a> {
    pub(crate) name: &'a FieldName,
    threshold: f64,
    compare: Vec<Compare<'a>>,
    /// What finds candidates, in the order of the definition.
    pub(crate) blocks: Vec<(MatchKey, &'a FieldName)>,
    country_field: Option<FieldId>,
    country: Country,
}

#[derive(Debug)]
struct Compare<'a> {
    field: FieldId,
    name: &'a FieldName,
    method: MatchMethod,
    weight: f64,
}

/// How alike two records are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Likeness {
    pub(crate) score: f64,
    pub(crate) matched_on: Vec<FieldName>,
}

impl<'a> Rule<'a> {
    /// The rule for records of an object; `country` is meant where a record names none.
    pub(crate) fn new(object: &'a ObjectDefinition, rule: &'a MatchingRule, country: Country) -> Self {
        let compare: Vec<Compare<'a>> = rule
            .compare
            .iter()
            .filter_map(|compared| {
                let field = object.field(compared.field.as_str())?.id;
                Some(Compare {
                    field,
                    name: &compared.field,
                    method: compared.method,
                    weight: compared.weight,
                })
            })
            .collect();
        let block = |name: &'a FieldName| {
            let compared = compare.iter().find(|compared| compared.name == name)?;
            Some((MatchKey::new(compared.field, compared.method), name))
        };
        let blocks = rule.block_on.iter().filter_map(block).collect();
        let country_field = object.field(COUNTRY).map(|field| field.id);
        Self { name: &rule.name, threshold: rule.threshold, compare, blocks, country_field, country }
    }

    /// Whether a field that the rule compares differs between two states of a record.
    pub(crate) fn is_touched(&self, before: &Record, after: &Record) -> bool {
        self.compare
            .iter()
            .any(|compared| before.fields.get(&compared.field) != after.fields.get(&compared.field))
    }

    /// How alike two records are, if they are alike enough.
    pub(crate) fn matches(&self, one: &Record, other: &Record) -> Option<Likeness> {
        let countries = (self.country_of(one), self.country_of(other));
        let mut likeness = Likeness { score: 0.0, matched_on: Vec::new() };
        let mut reachable: f64 = self.compare.iter().map(|compared| compared.weight).sum();
        for compared in &self.compare {
            // What is missing compares as 0.
            if let (Some(a), Some(b)) = (one.fields.get(&compared.field), other.fields.get(&compared.field)) {
                let a = Compared { value: a, country: countries.0 };
                let alike = similarity(compared.method, a, Compared { value: b, country: countries.1 });
                likeness.score += compared.weight * alike;
                reachable -= compared.weight * (1.0 - alike);
                if alike >= AGREES_FROM {
                    likeness.matched_on.push(compared.name.clone());
                }
            } else {
                reachable -= compared.weight;
            }
            if reachable + f64::EPSILON < self.threshold {
                return None;
            }
        }
        (likeness.score >= self.threshold).then_some(likeness)
    }

    fn country_of(&self, record: &Record) -> Country {
        let named = self.country_field.and_then(|field| match record.fields.get(&field) {
            Some(Value::Text(name) | Value::Choice(name)) => Country::of_name(name),
            _ => None,
        });
        named.unwrap_or(self.country)
    }
}
