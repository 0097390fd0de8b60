//! Saved views: what one says, and what of that still fits its object.

use trellis_model::{
    FieldName, FieldType, Fields, Filter, ObjectDefinition, ObjectName, Path, Record, RecordId, Scope, Sort,
    SystemField, Text, Value, bilingual,
};

use super::compile::Compiler;
use super::sort::Order;
use crate::schema::Object;
use crate::{FieldError, Records, Result};

/// The object of saved views.
pub(crate) const VIEW: &str = "view";

/// A saved view in the words of its record.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedView {
    /// The API name of the object whose records it shows.
    pub object: String,
    /// Who sees it where it is not shared.
    pub owner: Option<RecordId>,
    /// Whether everybody may use it.
    pub shared: bool,
    filter: Option<serde_json::Value>,
    sort: String,
    columns: Vec<String>,
    group_by: Option<String>,
}

/// What a saved view asks for, without the parts that no longer fit its object.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenedView {
    /// Which records it shows.
    pub filter: Filter,
    /// In which order; empty where it does not say.
    pub sort: Vec<Sort>,
    /// The fields that it shows; empty where it does not say.
    pub columns: Vec<FieldName>,
    /// What was left out, and why.
    pub warnings: Vec<Text>,
}

impl SavedView {
    fn of(definition: &ObjectDefinition, fields: &Fields) -> Self {
        let value = |name: &str| fields.get(&definition.field(name)?.id);
        let text = |name: &str| match value(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let columns = match value("columns") {
            Some(Value::List(columns)) => columns.as_slice(),
            _ => &[],
        };
        let column = |column: &Value| match column {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        Self {
            object: text("object").unwrap_or_default(),
            owner: match value("owner") {
                Some(Value::Reference(owner)) => Some(*owner),
                _ => None,
            },
            shared: matches!(value("shared"), Some(Value::Bool(true))),
            filter: match value("filter") {
                Some(Value::Json(json)) => Some(json.clone()),
                _ => None,
            },
            sort: text("sort").unwrap_or_default(),
            columns: columns.iter().filter_map(column).collect(),
            group_by: text("group_by"),
        }
    }
}

impl Records {
    /// The saved view of an id, whoever it belongs to; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn saved_view(&self, id: RecordId) -> Result<Option<SavedView>> {
        let schema = self.schema();
        let Some(definition) = schema.object(VIEW) else { return Ok(None) };
        let record = self.get(&Scope::everything(), &definition.name, id).await?;
        Ok(record.map(|Record { fields, .. }| SavedView::of(definition, &fields)))
    }

    /// Says what of a filter does not fit an object, or is out of use.
    ///
    /// # Errors
    /// [`crate::Error::UnknownObject`].
    pub fn check_filter(
        &self,
        scope: &Scope,
        object: &ObjectName,
        filter: &Filter,
    ) -> Result<std::result::Result<(), Text>> {
        let schema = self.schema();
        let object = schema.find(object)?;
        Ok(self.compiler(&schema, Some(scope)).check_filter(&object, filter))
    }

    /// What a view of `object` asks for, as far as a caller with this scope can have it: parts that name a field which is retired, gone
    /// or not readable are left out.
    ///
    /// # Errors
    /// [`crate::Error::UnknownObject`].
    pub fn open_view(&self, scope: &Scope, object: &ObjectName, view: &SavedView) -> Result<OpenedView> {
        let schema = self.schema();
        let object = schema.find(object)?;
        let compiler = self.compiler(&schema, Some(scope));
        let mut warnings = Vec::new();
        let filter = view.filter.as_ref().and_then(|json| {
            let parsed = Filter::parse_within(json, &self.config().limits.filter);
            let parsed = parsed.map_err(|error| warnings.push(left_out("filter", "筛选条件", &error.text())));
            compiler.fitting(&object, &parsed.ok()?, &mut warnings)
        });
        let sort = Sort::parse_list(&view.sort).unwrap_or_else(|error| {
            warnings.push(left_out("sort", "排序", &error.text()));
            Vec::new()
        });
        let sort = sort.into_iter().filter(|sort| match compiler.check_sort(&object, sort) {
            Ok(()) => true,
            Err(reason) => {
                warnings.push(left_out("sort", "排序", &reason));
                false
            }
        });
        let sort = sort.collect();
        let columns = view.columns.iter().filter_map(|column| match compiler.own_column(&object, column) {
            Ok(name) => Some(name),
            Err(reason) => {
                warnings.push(left_out("columns", "列", &reason));
                None
            }
        });
        let columns = columns.collect();
        Ok(OpenedView { filter: filter.unwrap_or_else(Filter::everything), sort, columns, warnings })
    }

    /// What is wrong with a view that is saved. What it had `before` is not looked at again, so that a view can be renamed after a field
    /// that it names was retired.
    pub(crate) fn view_errors(
        &self,
        scope: &Scope,
        definition: &ObjectDefinition,
        before: Option<&Fields>,
        after: &Fields,
    ) -> Vec<FieldError> {
        let (before, view) =
            (before.map(|before| SavedView::of(definition, before)), SavedView::of(definition, after));
        let schema = self.schema();
        let wrong = |field: &str, code: &'static str, message: Text| {
            definition.field(field).map(|field| FieldError { field: field.name.clone(), code, message })
        };
        let object = ObjectName::new(&view.object).ok().and_then(|name| schema.find(&name).ok());
        let Some(object) = object else {
            let name = &view.object;
            let message = bilingual!("there is no object `{name}`", "没有对象 `{name}`");
            return wrong("object", "unknown_object", message).into_iter().collect();
        };
        let before = before.filter(|before| before.object == view.object);
        let is_new = |same: &dyn Fn(&SavedView) -> bool| !before.as_ref().is_some_and(same);
        let compiler = self.compiler(&schema, Some(scope));
        let mut errors = Vec::new();
        if is_new(&|before| before.filter == view.filter) {
            let reason =
                view.filter.as_ref().and_then(|json| compiler.check_filter_json(&object, json).err());
            errors.extend(reason.and_then(|reason| wrong("filter", "invalid", reason)));
        }
        if is_new(&|before| before.sort == view.sort) {
            let reason = compiler.check_sorts(&object, &view.sort).err();
            errors.extend(reason.and_then(|reason| wrong("sort", "invalid", reason)));
        }
        if is_new(&|before| before.columns == view.columns) {
            let reason = view.columns.iter().find_map(|path| compiler.check_column(&object, path).err());
            errors.extend(reason.and_then(|reason| wrong("columns", "invalid", reason)));
        }
        if is_new(&|before| before.group_by == view.group_by) {
            let reason = view.group_by.as_ref().and_then(|path| compiler.check_column(&object, path).err());
            errors.extend(reason.and_then(|reason| wrong("group_by", "invalid", reason)));
        }
        errors
    }
}

impl Compiler<'_> {
    /// A filter without the conditions that do not fit; `None` where none is left.
    fn fitting(&self, object: &Object, filter: &Filter, warnings: &mut Vec<Text>) -> Option<Filter> {
        let mut all = |filters: &[Filter]| {
            filters.iter().filter_map(|filter| self.fitting(object, filter, warnings)).collect::<Vec<_>>()
        };
        match filter {
            Filter::And(filters) => Some(Filter::And(all(filters))),
            Filter::Or(filters) => {
                let left = all(filters);
                // An `or` of nothing matches nothing: what is left out must not empty the view.
                (filters.is_empty() || !left.is_empty()).then_some(Filter::Or(left))
            }
            Filter::Not(filter) => {
                self.fitting(object, filter, warnings).map(|filter| Filter::Not(Box::new(filter)))
            }
            Filter::Compare { .. } | Filter::Related(_) => match self.check_filter(object, filter) {
                Ok(()) => Some(filter.clone()),
                Err(reason) => {
                    warnings.push(left_out("filter", "筛选条件", &reason));
                    None
                }
            },
        }
    }

    fn check_filter_json(&self, object: &Object, json: &serde_json::Value) -> Result<(), Text> {
        let filter = Filter::parse_within(json, &self.config.limits.filter).map_err(|error| error.text())?;
        self.check_filter(object, &filter)
    }

    fn check_filter(&self, object: &Object, filter: &Filter) -> Result<(), Text> {
        self.filter(object, filter).map_err(|error| error.text())?;
        self.filter_in_use(object, filter)
    }

    fn check_sorts(&self, object: &Object, sorts: &str) -> Result<(), Text> {
        let sorts = Sort::parse_list(sorts).map_err(|error| error.text())?;
        sorts.iter().try_for_each(|sort| self.check_sort(object, sort))
    }

    fn check_sort(&self, object: &Object, sort: &Sort) -> Result<(), Text> {
        Order::new(self, object, std::slice::from_ref(sort)).map_err(|error| error.text())?;
        self.in_use(object, &sort.path.0)
    }

    /// Whether a column, perhaps of a record that is referred to, is there.
    fn check_column(&self, object: &Object, column: &str) -> Result<(), Text> {
        let path = Path::parse(column).map_err(|error| error.text())?;
        match path.single() {
            // A computed field may still be on its way to its first values.
            Some(name) if object.field(name.as_str()).is_some_and(|field| field.computed.is_some()) => {}
            _ => drop(self.source(object, &path, &path.0).map_err(|error| error.text())?),
        }
        self.in_use(object, &path.0)
    }

    /// The field of the object itself that a column is.
    fn own_column(&self, object: &Object, column: &str) -> Result<FieldName, Text> {
        self.check_column(object, column)?;
        let name = FieldName::new(column).ok();
        name.ok_or_else(|| {
            bilingual!("`{column}` is not a field of the object itself", "`{column}` 不是该对象自身的字段")
        })
    }

    fn filter_in_use(&self, object: &Object, filter: &Filter) -> Result<(), Text> {
        match filter {
            Filter::And(filters) | Filter::Or(filters) => {
                filters.iter().try_for_each(|filter| self.filter_in_use(object, filter))
            }
            Filter::Not(filter) => self.filter_in_use(object, filter),
            Filter::Compare { path, .. } => self.in_use(object, &path.0),
            Filter::Related(related) => {
                let other = self.referring(object, related.related.as_str()).map_err(|error| error.text())?.0;
                if let Some(sum) = &related.sum {
                    self.in_use(&other, std::slice::from_ref(sum))?;
                }
                related.filter.as_ref().map_or(Ok(()), |filter| self.filter_in_use(&other, filter))
            }
        }
    }

    /// Whether no field of a path is out of use.
    fn in_use(&self, object: &ObjectDefinition, steps: &[FieldName]) -> Result<(), Text> {
        let Some((first, rest)) = steps.split_first() else { return Ok(()) };
        let Some(field) = object.field(first.as_str()).filter(|_| SystemField::of(first.as_str()).is_none())
        else {
            return Ok(());
        };
        if field.is_out_of_use() {
            let object = &object.name;
            return Err(bilingual!("`{first}` of {object} is out of use", "{object} 的 `{first}` 已停用"));
        }
        match &field.field_type {
            FieldType::Reference { object: target } => {
                let target = self.schema.object(target.as_str());
                target.map_or(Ok(()), |target| self.in_use(target, rest))
            }
            _ => Ok(()),
        }
    }
}

fn left_out(en: &str, zh: &str, reason: &Text) -> Text {
    bilingual!("left out of the view's {en}: ", "视图的{zh}中已略去：").then(reason)
}
