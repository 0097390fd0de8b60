//! What a decider sees of records that it looks up.

use std::collections::BTreeSet;

use trellis_model::{
    FieldAccess, FieldName, FieldType, ObjectDefinition, ObjectName, ObjectScope, RowAccess, Scope,
    SystemField,
};
use trellis_plugin_host::Manifest;
use trellis_plugin_host::manifest::{ColumnSource, Dataset, DatasetColumn, Figure};
use trellis_records::Schema;

/// What a rule sees: every record, without personal data unless that was granted. It may write nothing: actions do.
pub(crate) fn rule_scope(schema: &Schema, reads_personal_data: bool) -> Scope {
    let mut scope = Scope::everything();
    for object in schema.objects() {
        let hidden = if reads_personal_data { BTreeSet::new() } else { hidden_fields(object) };
        if !hidden.is_empty() {
            scope = scope.with(object.name.clone(), seen(FieldAccess::Except(hidden)));
        }
    }
    scope
}

/// The fields of an object that are personal data.
pub(crate) fn hidden_fields(object: &ObjectDefinition) -> BTreeSet<FieldName> {
    object.fields.iter().filter(|field| field.personal_data).map(|field| field.name.clone()).collect()
}

/// What a plugin sees: the objects and fields of its look-ups.
pub(crate) fn plugin_scope<'a>(
    lookups: impl IntoIterator<Item = (&'a ObjectName, BTreeSet<FieldName>)>,
) -> Scope {
    let grant = |scope: Scope, (object, fields): (&ObjectName, BTreeSet<FieldName>)| {
        scope.with(object.clone(), seen(FieldAccess::Only(fields)))
    };
    lookups.into_iter().fold(Scope::nothing(), grant)
}

/// What a plugin sees on behalf of a user: no more of `objects` than `plugin` sees, and no more than the user.
pub(crate) fn for_user<'a>(
    plugin: &Scope,
    objects: impl IntoIterator<Item = &'a ObjectName>,
    user: &Scope,
) -> Scope {
    let narrow = |scope: Scope, object: &ObjectName| {
        let (granted, own) = (plugin.of(object), user.of(object));
        let readable = match &granted.readable {
            FieldAccess::Only(fields) => FieldAccess::Only(
                fields.iter().filter(|field| own.readable.contains(field)).cloned().collect(),
            ),
            // A plugin's scope lists its fields.
            FieldAccess::All | FieldAccess::Except(_) => return scope,
        };
        let rows = match &granted.rows {
            RowAccess::All => own.rows.clone(),
            RowAccess::Where(_) | RowAccess::Nothing => return scope,
        };
        scope.with(object.clone(), ObjectScope { rows, ..seen(readable) })
    };
    objects.into_iter().fold(Scope::nothing(), narrow)
}

/// Whether a user sees all that a plugin reads of a customer whom the user sees: its fields, and every record that its figures are made of.
pub(crate) fn sees_datasets(user: &Scope, schema: &Schema, manifest: &Manifest) -> bool {
    let sees = |object: &ObjectName, field: &FieldName| {
        SystemField::of(field.as_str()).is_some() || user.of(object).readable.contains(field)
    };
    *user == Scope::everything()
        || manifest.customers().is_none_or(|dataset| {
            let own = dataset.reads().into_iter().all(|(object, fields)| {
                let rows = object == dataset.object || user.of(&object).rows == RowAccess::All;
                rows && fields.iter().all(|field| sees(&object, field))
            });
            let named = dataset.columns.iter().filter_map(|column| named_records(schema, dataset, column));
            let mut titles = named
                .map(|named| user.of(&named.name).rows == RowAccess::All && sees(&named.name, &named.title));
            // Whose fields a filter reaches over references is not said.
            own && titles.all(|seen| seen)
                && dataset.columns.iter().all(|column| column.source.reads_beyond().is_empty())
        })
}

/// The object whose records a column of texts names by their titles.
fn named_records<'a>(
    schema: &'a Schema,
    dataset: &Dataset,
    column: &DatasetColumn,
) -> Option<&'a ObjectDefinition> {
    let (object, field, is_list) = match &column.source {
        ColumnSource::Field(field) | ColumnSource::Chosen(field) => (&dataset.object, field, false),
        ColumnSource::Related(related) => match &related.figure {
            Figure::Values(field) => (&related.object, field, true),
            _ => return None,
        },
        _ => return None,
    };
    let of = match &schema.object(object.as_str())?.field(field.as_str())?.field_type {
        FieldType::List { of } => &**of,
        field_type if is_list => field_type,
        _ => return None,
    };
    let FieldType::Reference { object } = of else { return None };
    schema.object(object.as_str()).map(AsRef::as_ref)
}

fn seen(readable: FieldAccess) -> ObjectScope {
    ObjectScope { rows: RowAccess::All, readable, writable: FieldAccess::Only(BTreeSet::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_behalf_of_a_user_a_plugin_sees_what_both_may_see() {
        let name = |name: &str| ObjectName::new(name).unwrap();
        let fields = |names: &[&str]| names.iter().map(|name| FieldName::new(name).unwrap()).collect();
        let (case, account) = (name("case"), name("account"));
        let plugin = plugin_scope([(&case, fields(&["subject", "status"])), (&account, fields(&["name"]))]);
        let own = |rows, names: &[&str]| ObjectScope { rows, ..seen(FieldAccess::Only(fields(names))) };
        let user = Scope::nothing().with(case.clone(), own(RowAccess::All, &["status", "priority"]));
        let both = for_user(&plugin, [&case, &account], &user);
        assert_eq!(both.of(&case).readable, FieldAccess::Only(fields(&["status"])));
        assert_eq!(both.of(&case).rows, RowAccess::All);
        assert_eq!(both.of(&account).rows, RowAccess::Nothing);
        let everything = for_user(&plugin, [&case, &account], &Scope::everything());
        assert_eq!(everything.of(&account).readable, FieldAccess::Only(fields(&["name"])));
        assert_eq!(for_user(&plugin, [&case], &Scope::everything()).of(&account).rows, RowAccess::Nothing);
    }
}
