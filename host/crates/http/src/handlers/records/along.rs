//! `fields=account.name`: values that lie beyond references, beside the fields of a record.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use trellis_model::{FieldType, Language, ObjectName, Path, Record, Scope, bilingual};
use trellis_records::{PathValues, Records};

use crate::problem::{ApiResult, Problem};
use crate::wire::{RecordView, ValueView};

/// The parts of a `fields`.
#[derive(Debug, Default)]
pub(super) struct FieldList {
    /// Names of fields, joined by commas.
    pub(super) plain: String,
    pub(super) paths: Vec<Path>,
}

impl FieldList {
    /// Tells names and paths apart.
    ///
    /// # Errors
    /// [`Code::BadQuery`](crate::problem::Code::BadQuery) for what is no path, one of more than `steps_max` steps, and for more than
    /// `paths_max` that follow a reference. What is derived of a record itself costs no look at another one and does not count.
    pub(super) fn parse(fields: &str, paths_max: usize, steps_max: usize) -> ApiResult<Self> {
        let wrong = |message| Err(Problem::bad_query("fields", message));
        let (dotted, plain): (Vec<&str>, Vec<&str>) =
            fields.split(',').map(str::trim).partition(|name| name.contains('.'));
        let mut paths: Vec<Path> = Vec::new();
        for text in dotted {
            let path = Path::parse(text).map_err(|error| Problem::bad_query("fields", error.text()))?;
            if path.0.len() > steps_max {
                return wrong(bilingual!(
                    "`{path}` has more than {steps_max} steps",
                    "`{path}` 超过 {steps_max} 级"
                ));
            }
            if !paths.contains(&path) {
                paths.push(path);
            }
            if paths.iter().filter(|path| !path.is_derived()).count() > paths_max {
                return wrong(bilingual!(
                    "`fields` takes at most {paths_max} paths over references",
                    "`fields` 最多 {paths_max} 条经引用的路径"
                ));
            }
        }
        Ok(Self { plain: plain.join(","), paths })
    }
}

/// The values of a page of records along some paths.
#[derive(Debug)]
pub(super) struct Along {
    columns: Vec<(String, PathValues)>,
    labels: Option<Language>,
}

impl Along {
    pub(super) async fn read(
        records: &Records,
        scope: &Scope,
        object: &ObjectName,
        paths: &[Path],
        page: &[Record],
        labels: Option<Language>,
    ) -> ApiResult<Self> {
        let mut columns = Vec::with_capacity(paths.len());
        for path in paths {
            columns.push((path.to_string(), records.values_along(scope, object, path, page).await?));
        }
        Ok(Self { columns, labels })
    }

    /// A record with its values: `place` is where it stands in the page.
    pub(super) fn beside<'a>(&'a self, record: RecordView<'a>, place: usize) -> WithPaths<'a> {
        WithPaths { record, paths: Paths { along: self, place } }
    }
}

/// A record with values that lie beyond references.
#[derive(Serialize)]
pub(super) struct WithPaths<'a> {
    #[serde(flatten)]
    record: RecordView<'a>,
    #[serde(flatten)]
    paths: Paths<'a>,
}

struct Paths<'a> {
    along: &'a Along,
    place: usize,
}

impl Serialize for Paths<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, PathValues { field_type, values }) in &self.along.columns {
            // Derived values without a type are texts and numbers, which write themselves.
            let field_type = field_type.as_ref().unwrap_or(&FieldType::Json);
            let value = values.get(self.place).and_then(Option::as_ref);
            map.serialize_entry(
                name,
                &value.map(|value| ValueView { value, field_type, labels: self.along.labels }),
            )?;
        }
        map.end()
    }
}
