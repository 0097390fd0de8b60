use std::sync::Arc;

use serde_json::Value as Json;
use trellis_model::{ObjectId, Op, Path};
use trellis_records::{DerivedFields, DerivedValue};

use crate::Columns;
use crate::segmentation::Segmentation;

/// `segment.<name>` of every segmentation: its value or null.
impl DerivedFields for Columns {
    fn knows(&self, object: ObjectId, path: &Path) -> bool {
        self.segmentation_of(object, path).is_some()
    }

    fn value(&self, object: ObjectId, path: &Path, ordinal: u64) -> Option<DerivedValue> {
        let segmentation = self.segmentation_of(object, path)?;
        let value = segmentation.value(segmentation.loaded.column.get(ordinal))?;
        Some(DerivedValue::Text(value.to_owned()))
    }

    fn matching(
        &self,
        object: ObjectId,
        path: &Path,
        op: Op,
        value: &Json,
        after: Option<u64>,
        rows_max: usize,
    ) -> Option<Vec<u64>> {
        let segmentation = self.segmentation_of(object, path)?;
        let wanted = wanted(&segmentation, op, value)?;
        let population = self.features.population(object)?;
        let from = after.map_or(0, |after| after.saturating_add(1));
        let column = &segmentation.loaded.column;
        // Past the column's end there are only customers without a value.
        let bound = if wanted.of(0) { population.bound() } else { column.bound() };
        let mut found = Vec::new();
        let mut start = from;
        while found.len() < rows_max {
            let page = column.find(start, bound, rows_max - found.len(), |code| wanted.of(code));
            let Some(last) = page.last() else { break };
            start = last + 1;
            found.extend(page.into_iter().filter(|ordinal| population.contains(*ordinal)));
        }
        Some(found)
    }
}

/// Codes that a comparison is true for; with null it never is, unless null is asked for.
struct Wanted {
    codes: Vec<bool>,
}

impl Wanted {
    fn of(&self, code: u16) -> bool {
        self.codes.get(usize::from(code)).copied().unwrap_or(false)
    }
}

fn wanted(segmentation: &Segmentation, op: Op, value: &Json) -> Option<Wanted> {
    let values = segmentation.definition.values.len();
    let named: Vec<u16> = match (op, value) {
        (Op::Eq | Op::Ne, Json::String(name)) => segmentation.code(name).into_iter().collect(),
        (Op::In | Op::Nin, Json::Array(names)) => {
            names.iter().filter_map(Json::as_str).filter_map(|name| segmentation.code(name)).collect()
        }
        (Op::Null, Json::Bool(true)) => vec![0],
        (Op::Null, Json::Bool(false)) => Vec::new(),
        // A comparison with null is neither true nor false.
        (Op::Eq | Op::Ne, Json::Null) => return Some(Wanted { codes: Vec::new() }),
        _ => return None,
    };
    let null_in_list = value.as_array().is_some_and(|list| list.iter().any(Json::is_null));
    let negated = match op {
        Op::Ne => true,
        Op::Nin if null_in_list => return Some(Wanted { codes: Vec::new() }),
        Op::Nin => true,
        Op::Null => value == &Json::Bool(false),
        _ => false,
    };
    let of = |code: usize| named.iter().any(|named| usize::from(*named) == code) != (negated && code > 0);
    Some(Wanted { codes: (0..=values).map(of).collect() })
}

impl Columns {
    fn segmentation_of(&self, object: ObjectId, path: &Path) -> Option<Arc<Segmentation>> {
        let [first, name] = path.0.as_slice() else { return None };
        let state = self.results.state();
        let found =
            state.get(name.as_str()).filter(|found| first.as_str() == "segment" && found.object == object);
        found.cloned()
    }
}
