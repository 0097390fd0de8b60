//! Traits of customers: values of fields that key customers may have more often than others.

use std::collections::BTreeMap;

use trellis_sdk::math::{log, sqrt};
use trellis_sdk::{Batch, Context, Result};

use crate::rankings::numbers;

/// Into how many groups of equal size numbers are cut.
const GROUPS: usize = 4;
/// A field with more different texts than this is a name, not a trait: further ones count as unknown.
const VALUES_MAX: usize = 200;
/// With how many customers of the overall rate each value's rate is mixed (m-estimate: B. Cestnik, *Estimating Probabilities*, ECAI 1990).
const PRIOR_CUSTOMERS: f64 = 10.0;
/// The 97.5 % quantile of the normal distribution, for intervals of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A field and how often its values occur.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trait {
    /// The field.
    pub(crate) name: String,
    /// Where numbers are cut, ascending; none for texts.
    pub(crate) cuts: Option<Vec<f64>>,
    /// For numbers from the lowest group.
    pub(crate) values: Vec<TraitValue>,
    /// Customers of whom it is known.
    pub(crate) known: u64,
    /// Key customers of whom it is known.
    pub(crate) known_key: u64,
}

/// How many customers have a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TraitValue {
    pub(crate) text: String,
    pub(crate) customers: u64,
    pub(crate) key: u64,
}

impl Trait {
    /// What the value adds to the logarithm of the odds of being a key customer: the likelihood ratio of a naive Bayes classifier, as the
    /// odds among those who have the value over the odds among all.
    pub(crate) fn evidence(&self, value: &TraitValue) -> f64 {
        let all = (self.known_key as f64 + 0.5) / (self.known as f64 + 1.0);
        let drawn = (value.key as f64 + PRIOR_CUSTOMERS * all) / (value.customers as f64 + PRIOR_CUSTOMERS);
        let odds = |rate: f64| log(rate / (1.0 - rate));
        odds(drawn) - odds(all)
    }

    /// The share of key customers among those of whom the field is known.
    pub(crate) fn rate(&self) -> f64 {
        self.known_key as f64 / self.known.max(1) as f64
    }
}

impl TraitValue {
    /// The share of key customers among those who have the value.
    pub(crate) fn rate(&self) -> f64 {
        self.key as f64 / self.customers.max(1) as f64
    }

    /// Wilson's interval of 95 % for [`TraitValue::rate`] (E. Wilson, *JASA* 22, 1927).
    pub(crate) fn interval(&self) -> (f64, f64) {
        let (count, rate) = (self.customers.max(1) as f64, self.rate());
        let square = Z * Z / count;
        let middle = (rate + square / 2.0) / (1.0 + square);
        let half = Z * sqrt(rate * (1.0 - rate) / count + square / (4.0 * count)) / (1.0 + square);
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }
}

/// The values of one field in a batch.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Not a number where it is unknown.
    Numbers(Vec<f64>),
    /// For each row which of the texts it has.
    Texts { texts: Vec<String>, rows: Vec<Vec<u32>> },
}

impl Seen {
    pub(crate) fn read(batch: &Batch, column: &str, at: &Context) -> Result<Self> {
        let one = |code: Option<u32>| code.into_iter().collect::<Vec<u32>>();
        let owned =
            |texts: trellis_sdk::values::Texts<'_>| texts.iter().flatten().map(str::to_owned).collect();
        Ok(match batch.type_of(column) {
            Some("dictionary") => {
                let dictionary = batch.dictionary(column)?;
                Self::Texts {
                    texts: owned(dictionary.texts()),
                    rows: dictionary.codes().iter().map(one).collect(),
                }
            }
            Some("dictionary-list") => {
                let lists = batch.lists(column)?;
                let rows =
                    (0..lists.rows()).map(|row| lists.codes(row).unwrap_or_default().to_vec()).collect();
                Self::Texts { texts: owned(lists.texts()), rows }
            }
            Some("boolean") => {
                let texts = vec!["no".to_owned(), "yes".to_owned()];
                Self::Texts {
                    texts,
                    rows: batch.boolean(column)?.iter().map(|value| one(value.map(u32::from))).collect(),
                }
            }
            Some("text") => {
                let mut numbers = BTreeMap::<&str, u32>::new();
                let column = batch.text(column)?;
                let rows = column
                    .iter()
                    .map(|text| {
                        let next = numbers.len() as u32;
                        one(text.map(|text| *numbers.entry(text).or_insert(next)))
                    })
                    .collect();
                let mut texts = vec![String::new(); numbers.len()];
                for (text, number) in numbers {
                    texts.iter_mut().skip(number as usize).take(1).for_each(|place| text.clone_into(place));
                }
                Self::Texts { texts, rows }
            }
            Some("date") => {
                let days = |day: i32| (i64::from(at.as_of) - i64::from(day)) as f64;
                Self::Numbers(batch.date(column)?.iter().map(|day| day.map_or(f64::NAN, days)).collect())
            }
            _ => Self::Numbers(numbers(batch, column)?),
        })
    }
}

/// One field of the whole population.
#[derive(Debug)]
pub(crate) enum Gathered {
    Numbers(Vec<f64>),
    Texts {
        codes: BTreeMap<String, u32>,
        /// The codes of all customers one after the other, and where each customer's end.
        all: Vec<u32>,
        ends: Vec<usize>,
    },
}

impl Gathered {
    pub(crate) fn new(seen: &Seen) -> Self {
        match seen {
            Seen::Numbers(_) => Self::Numbers(Vec::new()),
            Seen::Texts { .. } => Self::Texts { codes: BTreeMap::new(), all: Vec::new(), ends: Vec::new() },
        }
    }

    /// Adds the rows of a batch that `is_counted`.
    pub(crate) fn add(&mut self, seen: &Seen, is_counted: &[bool]) {
        match (self, seen) {
            (Self::Numbers(numbers), Seen::Numbers(seen)) => {
                numbers.extend(
                    seen.iter().zip(is_counted).filter(|(_, counted)| **counted).map(|(value, _)| value),
                );
            }
            (Self::Texts { codes, all, ends }, Seen::Texts { texts, rows }) => {
                let known: Vec<Option<u32>> = texts
                    .iter()
                    .map(|text| {
                        let next = codes.len() as u32;
                        if codes.len() < VALUES_MAX && !codes.contains_key(text) {
                            codes.insert(text.clone(), next);
                        }
                        codes.get(text).copied()
                    })
                    .collect();
                for (row, _) in rows.iter().zip(is_counted).filter(|(_, counted)| **counted) {
                    all.extend(row.iter().filter_map(|code| known.get(*code as usize).copied().flatten()));
                    ends.push(all.len());
                }
            }
            // A column keeps its type throughout a stream.
            _ => {}
        }
    }

    /// Counts, given who is a key customer.
    pub(crate) fn tally(self, name: String, is_key: &[bool]) -> Trait {
        match self {
            Self::Numbers(numbers) => tally_numbers(name, &numbers, is_key),
            Self::Texts { codes, all, ends } => tally_texts(name, codes, &all, &ends, is_key),
        }
    }
}

fn tally_numbers(name: String, numbers: &[f64], is_key: &[bool]) -> Trait {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let quantile =
        |part: usize| sorted.get((sorted.len() * part).div_ceil(GROUPS).saturating_sub(1)).copied();
    let mut cuts: Vec<f64> = (1..GROUPS).filter_map(quantile).collect();
    // Equal values stay together, and a cut at the highest value cuts nothing.
    cuts.dedup();
    cuts.retain(|cut| sorted.last().is_some_and(|last| cut < last));
    let shown = |value: f64| if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    let text = |group: usize| match (group.checked_sub(1).and_then(|below| cuts.get(below)), cuts.get(group))
    {
        (None, None) => "–".to_owned(),
        (None, Some(to)) => format!("≤ {}", shown(*to)),
        (Some(from), None) => format!("> {}", shown(*from)),
        (Some(from), Some(to)) => format!("{} – {}", shown(*from), shown(*to)),
    };
    let mut counted = Trait {
        name,
        values: (0..=cuts.len())
            .map(|group| TraitValue { text: text(group), ..TraitValue::default() })
            .collect(),
        cuts: Some(cuts),
        known: 0,
        known_key: 0,
    };
    for (number, is_key) in numbers.iter().zip(is_key).filter(|(number, _)| !number.is_nan()) {
        let group = counted.group(*number);
        counted.count([group], *is_key);
    }
    counted
}

fn tally_texts(
    name: String,
    codes: BTreeMap<String, u32>,
    all: &[u32],
    ends: &[usize],
    is_key: &[bool],
) -> Trait {
    let mut values = vec![TraitValue::default(); codes.len()];
    for (text, code) in codes {
        values.iter_mut().skip(code as usize).take(1).for_each(|value| value.text.clone_from(&text));
    }
    let mut counted = Trait { name, cuts: None, values, known: 0, known_key: 0 };
    let mut from = 0;
    for (end, is_key) in ends.iter().zip(is_key) {
        let codes = all.get(from..*end).unwrap_or_default();
        if !codes.is_empty() {
            counted.count(codes.iter().map(|code| *code as usize), *is_key);
        }
        from = *end;
    }
    counted
}

impl Trait {
    fn group(&self, number: f64) -> usize {
        self.cuts.as_ref().map_or(0, |cuts| cuts.partition_point(|cut| number > *cut))
    }

    fn count(&mut self, values: impl IntoIterator<Item = usize>, is_key: bool) {
        self.known += 1;
        self.known_key += u64::from(is_key);
        for value in values {
            if let Some(value) = self.values.get_mut(value) {
                value.customers += 1;
                value.key += u64::from(is_key);
            }
        }
    }

    /// For each row of a batch which values it has; those that the population did not have are unknown.
    pub(crate) fn places(&self, seen: &Seen) -> Vec<Vec<usize>> {
        match seen {
            Seen::Numbers(numbers) if self.cuts.is_some() => {
                let place =
                    |number: &f64| if number.is_nan() { Vec::new() } else { vec![self.group(*number)] };
                numbers.iter().map(place).collect()
            }
            Seen::Texts { texts, rows } if self.cuts.is_none() => {
                let known: Vec<Option<usize>> = texts
                    .iter()
                    .map(|text| self.values.iter().position(|value| value.text == *text))
                    .collect();
                let places = |row: &Vec<u32>| {
                    row.iter().filter_map(|code| known.get(*code as usize).copied().flatten()).collect()
                };
                rows.iter().map(places).collect()
            }
            Seen::Numbers(rows) => vec![Vec::new(); rows.len()],
            Seen::Texts { rows, .. } => vec![Vec::new(); rows.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        let value = TraitValue { customers: 10, key: 3, ..TraitValue::default() };
        let (low, high) = value.interval();
        assert!((low - 0.107_791).abs() < 1e-5 && (high - 0.603_219).abs() < 1e-5, "{low} {high}");
        let none = TraitValue { customers: 5, key: 0, ..TraitValue::default() };
        assert!(none.interval().0 == 0.0 && none.interval().1 > 0.3);
    }

    #[test]
    fn numbers_are_cut_where_values_differ() {
        let numbers = [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, f64::NAN];
        let counted =
            tally_numbers("size".to_owned(), &numbers, &[true, false, false, false, false, true, true, true]);
        assert_eq!(counted.cuts, Some(vec![1.0, 2.0]));
        let texts: Vec<_> =
            counted.values.iter().map(|value| (value.text.as_str(), value.customers, value.key)).collect();
        assert_eq!(texts, [("≤ 1", 5, 1), ("1 – 2", 1, 1), ("> 2", 1, 1)]);
        assert_eq!((counted.known, counted.known_key), (7, 3));
    }

    #[test]
    fn little_evidence_is_drawn_to_nothing() {
        let counted = |customers, key| Trait {
            name: String::new(),
            cuts: None,
            values: vec![TraitValue { text: String::new(), customers, key }],
            known: 1_000,
            known_key: 100,
        };
        let evidence = |customers, key| {
            let counted = counted(customers, key);
            counted.evidence(&counted.values[0])
        };
        assert!(evidence(1, 1) < evidence(100, 100) && evidence(1, 1) > 0.0 && evidence(1, 1) < 1.0);
        assert!(evidence(100, 10).abs() < 0.05);
        assert!(evidence(100, 0) < -2.0 && evidence(100, 0).is_finite());
    }
}
