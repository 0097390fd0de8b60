//! What a decider sees of records that it looks up.

use std::collections::BTreeSet;

use trellis_model::{FieldAccess, FieldName, ObjectDefinition, ObjectName, ObjectScope, RowAccess, Scope};
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

fn seen(readable: FieldAccess) -> ObjectScope {
    ObjectScope { rows: RowAccess::All, readable, writable: FieldAccess::Only(BTreeSet::new()) }
}
