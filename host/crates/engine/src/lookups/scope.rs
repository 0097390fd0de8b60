//! What a decider sees of records that it looks up.

use std::collections::BTreeSet;

use trellis_model::{
    FieldAccess, FieldName, FieldType, ObjectDefinition, ObjectName, ObjectScope, Published, PublishedKind,
    RowAccess, Scope, SystemField,
};
use trellis_plugin_host::Manifest;
use trellis_plugin_host::manifest::{ColumnSource, Dataset, DatasetColumn, DatasetKind, Figure};
use trellis_records::Schema;

use crate::plugins::path_steps;

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

/// Whether a user may be told what a plugin says about a customer whom the user sees: the user sees the fields that it reads of the customer,
/// every record that its figures are made of, and the kinds of data that it learned from. See decision 66.
pub(crate) fn sees_datasets(user: &Scope, schema: &Schema, manifest: &Manifest) -> bool {
    let sees = |object: &ObjectName, field: &FieldName| sees_field(user, object, field);
    // Of those who put out results only: campaigns learn nothing.
    let learns = manifest.provides.iter().any(|by| matches!(by.name(), "segmentation" | "scoring"));
    let is_learned = |dataset: &&Dataset| learns && dataset.kind == DatasetKind::Rows;
    let mut datasets = manifest.datasets.iter().filter(is_learned);
    *user == Scope::everything()
        || datasets.all(|dataset| sees_learned(user, schema, dataset))
            && manifest.customers().is_none_or(|dataset| {
                let fields = dataset
                    .reads()
                    .into_iter()
                    .all(|(object, fields)| fields.iter().all(|field| sees(&object, field)));
                // Also where they are of the customer's own kind: the accounts below an account may be others'.
                let mut figures = dataset.columns.iter().filter_map(figure_over);
                let rows = figures.all(|object| user.of(object).rows == RowAccess::All);
                let named =
                    dataset.columns.iter().filter_map(|column| named_records(schema, dataset, column));
                let mut titles = named.map(|named| {
                    user.of(&named.name).rows == RowAccess::All && sees(&named.name, &named.title)
                });
                // Lists show scores and segmentations to whoever may read the fields of these names.
                let mut results = dataset.columns.iter().filter_map(DatasetColumn::published);
                let results = results.all(|published| sees(&dataset.object, &field_of(published)));
                // Whose fields a filter reaches over references is not said.
                fields
                    && rows
                    && results
                    && titles.all(|seen| seen)
                    && dataset.columns.iter().all(|column| column.source.reads_beyond().is_empty())
            })
}

fn sees_field(user: &Scope, object: &ObjectName, field: &FieldName) -> bool {
    SystemField::of(field.as_str()).is_some() || user.of(object).readable.contains(field)
}

/// Whether a user may be told what was learned from rows. That is sums over all of them, which who sees some of the rows may know; but the
/// records that they lead to are quoted one by one (the name of a product), so those have to be seen.
fn sees_learned(user: &Scope, schema: &Schema, dataset: &Dataset) -> bool {
    let mut fields = dataset.reads().into_iter();
    let own = fields.all(|(object, fields)| fields.iter().all(|field| sees_field(user, &object, field)));
    let leads_to_seen = |path: &Vec<FieldName>| {
        let steps = path_steps(schema, &dataset.object, path);
        let known = steps.len() == path.len();
        let mut targets = steps.iter().skip(1);
        known
            && steps.iter().all(|(object, field)| sees_field(user, object, field))
            && targets.all(|(object, _)| user.of(object).rows == RowAccess::All)
    };
    own && user.of(&dataset.object).rows != RowAccess::Nothing
        && dataset.reads_through().iter().all(leads_to_seen)
}

/// The field by which it is said who may read a score or segmentation.
fn field_of(published: &Published) -> FieldName {
    let name = match published.kind {
        PublishedKind::Score | PublishedKind::Band => "score",
        PublishedKind::Segment => "segment",
    };
    FieldName::new(name).expect("follows the rules of names")
}

/// The object whose records a figure is made of.
fn figure_over(column: &DatasetColumn) -> Option<&ObjectName> {
    match &column.source {
        ColumnSource::Aggregate { from, .. } => Some(from),
        ColumnSource::Related(related) => Some(&related.object),
        ColumnSource::Field(_)
        | ColumnSource::Chosen(_)
        | ColumnSource::Published(_)
        | ColumnSource::Through { .. }
        | ColumnSource::Configured(_) => None,
    }
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
    use trellis_model::Filter;

    use super::*;

    fn reading(column: &str) -> Manifest {
        let text = format!(
            r#"
id = "sums"
version = "1.0.0"
wit = "1.0.0"
name = {{ en = "Sums", zh-CN = "合计" }}
description = {{ en = "Sums", zh-CN = "合计" }}
provides = ["scoring"]

[[datasets]]
name = "customers"
kind = "per-customer"
object = "account"
columns = [{{ name = "amount", {column} }}]
"#
        );
        Manifest::parse(&text).unwrap()
    }

    #[test]
    fn figures_over_accounts_below_an_account_need_the_sight_of_all_accounts() {
        let account = ObjectName::new("account").unwrap();
        let below = reading(r#"from = "account", by = "parent", aggregate = "sum", field = "amount""#);
        let own = reading(r#"field = "amount""#);
        let user = |rows| {
            let seen = ObjectScope { rows, ..seen(FieldAccess::All) };
            Scope::nothing().with(account.clone(), seen)
        };
        let sees = |rows, manifest| sees_datasets(&user(rows), &Schema::default(), manifest);
        let mine = || RowAccess::Where(Filter::everything());
        assert!(sees(RowAccess::All, &below) && sees(RowAccess::All, &own));
        assert!(sees(mine(), &own), "a field of the customer itself");
        assert!(!sees(mine(), &below), "others' accounts may lie below one's own");
    }

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
