use trellis_model::{Filter, ObjectName, RecordId, Scope, SegmentationName, Value};
use trellis_records::Selection;

use super::keep;
use crate::{Result, core::Core};

/// Objects whose records may name a segmentation: in a filter, a column, what a rule watches or its script.
const OBJECTS: [&str; 4] = ["campaign", "dashboard", "rule", "view"];

/// What names a segmentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentationUse {
    /// `segmentation`, or the object of the record.
    pub object: String,
    /// The record; `None` for another segmentation.
    pub id: Option<RecordId>,
    /// What it is called.
    pub name: String,
}

/// What names a segmentation: filters of others, and records that are not deleted.
pub(crate) async fn uses(core: &Core, name: &SegmentationName) -> Result<Vec<SegmentationUse>> {
    let schema = core.records.schema();
    let infos = core.columns.segmentations_by_filter();
    let readers = infos
        .iter()
        .filter(|info| info.definition.name != *name && keep::reads(&schema, info).contains(name))
        .map(|info| SegmentationUse {
            object: "segmentation".to_owned(),
            id: None,
            name: info.definition.name.to_string(),
        });
    let mut uses: Vec<_> = readers.collect();
    let everything = [Filter::everything()];
    for object in OBJECTS {
        let Some(definition) = schema.object(object) else { continue };
        let title = definition.field(definition.title.as_str()).map(|field| field.id);
        let object = ObjectName::new(object).map_err(trellis_records::Error::from)?;
        let selection = Selection { object: &object, of: None, filters: &everything, today: None };
        let mut matching = core.records.matching(&Scope::everything(), &selection)?;
        while let Some(page) = matching.next(&core.records).await? {
            for (record, _) in
                page.iter().filter(|(record, _)| record.fields.values().any(|value| names(value, name)))
            {
                let called = title.and_then(|title| record.fields.get(&title));
                uses.push(SegmentationUse {
                    object: object.to_string(),
                    id: Some(record.id),
                    name: match called {
                        Some(Value::Text(called)) => called.clone(),
                        _ => record.id.to_string(),
                    },
                });
            }
        }
    }
    Ok(uses)
}

fn names(value: &Value, name: &SegmentationName) -> bool {
    match value {
        Value::Text(text) => has_word(text, name),
        Value::Json(json) => has_word(&json.to_string(), name),
        Value::List(values) => values.iter().any(|value| names(value, name)),
        _ => false,
    }
}

/// Whether a text has `segment.<name>` that is not the beginning of a longer name.
fn has_word(text: &str, name: &SegmentationName) -> bool {
    let word = format!("segment.{name}");
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
    text.match_indices(&word).any(|(at, found)| text.get(at + found.len()..).is_none_or(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_whole() {
        let name = SegmentationName::new("big").unwrap();
        let check = |text: &str, expected: bool| assert_eq!(has_word(text, &name), expected, "{text}");
        check(r#"{"field":"segment.big","op":"eq","value":"member"}"#, true);
        check("segment.big", true);
        check("segment.bigger or segment.big_2", false);
        check("segment.bigger, segment.big", true);
        check("big", false);
    }
}
