//! How the results of two evaluations differ, row by row: `{output: value}` before and after.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

/// How results differ.
#[derive(Debug)]
pub(crate) struct RowsDiff {
    limits: DiffLimits,
    rows: u64,
    changed: u64,
    outputs: BTreeMap<String, OutputDiff>,
    bands: Bands,
    listed: Vec<(u64, Json, Json)>,
}

/// What a comparison keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DiffLimits {
    pub(crate) rows_listed_max: usize,
    pub(crate) pairs_max: usize,
}

/// The bands of scores by full name, before and after: names with their lowest values, ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bands {
    pub(crate) before: BTreeMap<String, Vec<(String, f64)>>,
    pub(crate) after: BTreeMap<String, Vec<(String, f64)>>,
}

/// How one output differs.
#[derive(Debug, Default)]
struct OutputDiff {
    same: u64,
    gained: u64,
    lost: u64,
    changed: u64,
    /// From value to value, or from band to band; nothing stands for none.
    pairs: BTreeMap<(Option<String>, Option<String>), u64>,
    further_pairs: u64,
    /// Differences of numbers.
    moved: Vec<f64>,
    is_number: bool,
}

impl RowsDiff {
    pub(crate) fn new(limits: DiffLimits, bands: Bands) -> Self {
        let (outputs, listed) = (BTreeMap::new(), Vec::new());
        Self { limits, rows: 0, changed: 0, outputs, bands, listed }
    }

    /// Adds a row. What one side does not have is none there.
    pub(crate) fn add(&mut self, ordinal: u64, before: &Json, after: &Json) {
        self.rows += 1;
        if self.compare(before, after) {
            self.changed += 1;
            if self.listed.len() < self.limits.rows_listed_max {
                self.listed.push((ordinal, before.clone(), after.clone()));
            }
        }
    }

    fn compare(&mut self, before: &Json, after: &Json) -> bool {
        let empty = Map::new();
        let (was, is) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
        let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let mut differs = false;
        for name in names {
            let (was, is) = (was.get(name).unwrap_or(&Json::Null), is.get(name).unwrap_or(&Json::Null));
            let output = self.outputs.entry(name.clone()).or_default();
            let pair = match (was.as_f64(), is.as_f64()) {
                (None, None) => (text(was), text(is)),
                (before, after) => {
                    output.is_number = true;
                    output.moved.extend(before.zip(after).map(|(before, after)| after - before));
                    (band(&self.bands.before, name, before), band(&self.bands.after, name, after))
                }
            };
            differs |= output.add(was, is, pair, self.limits.pairs_max);
        }
        differs
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn changed(&self) -> u64 {
        self.changed
    }

    /// The mean of how far the numbers that both sides have differ, whichever way.
    pub(crate) fn moved(&self) -> (f64, u64) {
        let moved = self.outputs.values().flat_map(|output| &output.moved);
        moved.fold((0.0, 0), |(sum, count), by| (sum + by.abs(), count + 1))
    }

    /// The rows that are listed, by ordinal.
    pub(crate) fn listed(&self) -> &[(u64, Json, Json)] {
        &self.listed
    }

    /// The figures; `first_rows` are the listed rows as they are shown.
    pub(crate) fn to_json(&self, first_rows: Vec<Json>) -> Json {
        let outputs: Map<_, _> =
            self.outputs.iter().map(|(name, output)| (name.clone(), output.to_json())).collect();
        json!({ "rows": self.rows, "changed": self.changed, "outputs": outputs, "first_rows": first_rows })
    }
}

impl OutputDiff {
    fn add(
        &mut self,
        was: &Json,
        is: &Json,
        pair: (Option<String>, Option<String>),
        pairs_max: usize,
    ) -> bool {
        let counter = match (was.is_null(), is.is_null()) {
            _ if was == is => &mut self.same,
            (true, _) => &mut self.gained,
            (_, true) => &mut self.lost,
            _ => &mut self.changed,
        };
        *counter += 1;
        if self.pairs.len() < pairs_max || self.pairs.contains_key(&pair) {
            *self.pairs.entry(pair).or_default() += 1;
        } else {
            self.further_pairs += 1;
        }
        was != is
    }

    fn to_json(&self) -> Json {
        let cells =
            self.pairs.iter().map(|((from, to), count)| json!({ "from": from, "to": to, "count": count }));
        let mut shown = json!({
            "same": self.same,
            "gained": self.gained,
            "lost": self.lost,
            "changed": self.changed,
            "matrix": cells.collect::<Vec<_>>(),
            "further": self.further_pairs,
        });
        if let (true, Some(shown)) = (self.is_number, shown.as_object_mut()) {
            let mut sizes: Vec<f64> = self.moved.iter().map(|by| by.abs()).collect();
            sizes.sort_unstable_by(f64::total_cmp);
            let count = sizes.len().max(1) as f64;
            let change = json!({
                "mean": self.moved.iter().sum::<f64>() / count,
                "mean_size": sizes.iter().sum::<f64>() / count,
                "median_size": median(&sizes),
                "max_size": sizes.last().copied().unwrap_or(0.0),
            });
            shown.insert("change".to_owned(), change);
        }
        shown
    }
}

fn median(sorted: &[f64]) -> f64 {
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    match sorted.len() % 2 {
        0 => (sorted.get((sorted.len() / 2).wrapping_sub(1)).copied().unwrap_or(upper) + upper) / 2.0,
        _ => upper,
    }
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The band of a number; the first one has no lower end. A score without bands has one that is called `any`.
fn band(bands: &BTreeMap<String, Vec<(String, f64)>>, score: &str, number: Option<f64>) -> Option<String> {
    let number = number?;
    let bands = bands.get(score).map_or(&[][..], Vec::as_slice);
    let within = bands.iter().take_while(|(_, lowest)| *lowest <= number).last().or_else(|| bands.first());
    Some(within.map_or_else(|| "any".to_owned(), |(name, _)| name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(rows_listed_max: usize, pairs_max: usize) -> RowsDiff {
        let bands = vec![("low".to_owned(), 0.0), ("high".to_owned(), 10.0)];
        let of = BTreeMap::from([("value".to_owned(), bands)]);
        let bands = Bands { before: of.clone(), after: of };
        RowsDiff::new(DiffLimits { rows_listed_max, pairs_max }, bands)
    }

    #[test]
    fn rows_are_counted_by_what_became_of_them() {
        let mut diff = diff(2, 100);
        diff.add(1, &json!({ "tier": "a", "value": 1.0 }), &json!({ "tier": "b", "value": 12.0 }));
        diff.add(2, &json!({ "tier": null, "value": 5.0 }), &json!({ "tier": "b", "value": 4.0 }));
        diff.add(3, &json!({ "tier": "a", "value": null }), &json!({ "tier": null, "value": null }));
        diff.add(4, &json!({ "tier": "a", "value": 2.0 }), &json!({ "tier": "a", "value": 2.0 }));
        assert_eq!((diff.rows(), diff.changed(), diff.moved()), (4, 3, (12.0, 3)));
        assert_eq!(diff.listed().len(), 2, "the first ones");
        let shown = diff.to_json(Vec::new());
        let tier = &shown["outputs"]["tier"];
        assert_eq!((&tier["same"], &tier["gained"], &tier["lost"]), (&json!(1), &json!(1), &json!(1)));
        assert_eq!(tier["matrix"][0], json!({ "from": null, "to": "b", "count": 1 }));
        let value = &shown["outputs"]["value"];
        let change = json!({ "mean": 10.0 / 3.0, "mean_size": 4.0, "median_size": 1.0, "max_size": 11.0 });
        assert_eq!(value["change"], change);
        assert_eq!(value["matrix"][1], json!({ "from": "low", "to": "high", "count": 1 }));
        assert_eq!(value["same"], 2, "none and none are the same, and so are equal numbers");
    }

    #[test]
    fn an_output_that_one_side_does_not_have_is_none_there() {
        let mut diff = diff(10, 100);
        diff.add(1, &json!({ "old": "a" }), &json!({ "new": "a" }));
        let shown = diff.to_json(Vec::new());
        assert_eq!(
            (&shown["outputs"]["old"]["lost"], &shown["outputs"]["new"]["gained"]),
            (&json!(1), &json!(1))
        );
    }

    #[test]
    fn pairs_over_the_limit_are_counted_together() {
        let mut diff = diff(0, 2);
        for number in 0..5 {
            diff.add(number, &json!({ "x": "a" }), &json!({ "x": format!("b{number}") }));
        }
        let shown = diff.to_json(Vec::new());
        assert_eq!(shown["outputs"]["x"]["matrix"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            (&shown["outputs"]["x"]["further"], &shown["outputs"]["x"]["changed"]),
            (&json!(3), &json!(5))
        );
        assert!(diff.listed().is_empty());
    }
}
