//! What `include` adds to records: those that they refer to, and of a single one the newest of those that refer to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::json;
use trellis_model::{
    FieldDefinition, FieldId, FieldName, FieldType, Filter, Language, ObjectDefinition, Op, Path, Record,
    RecordId, Scope, Sort, SystemField, Text, Value, bilingual,
};
use trellis_records::{Query, Records, Schema};

use crate::problem::{ApiResult, Problem};
use crate::wire::{RecordView, View};

/// Records of a list that stands beside a single record.
const LIST_ROWS: usize = 50;

/// What was asked for, checked against the schema and the caller's rights.
#[derive(Debug, Default)]
pub(super) struct Include {
    references: Vec<Reference>,
    lists: Vec<List>,
}

#[derive(Debug)]
struct Reference {
    field: FieldId,
    target: Arc<ObjectDefinition>,
}

/// Records that refer to a single one.
#[derive(Debug)]
struct List {
    /// As it was asked for: `contacts` or `contacts.account`.
    name: String,
    object: Arc<ObjectDefinition>,
    field: Path,
}

/// What names are looked up in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Includable<'a> {
    pub(super) schema: &'a Schema,
    pub(super) object: &'a ObjectDefinition,
    pub(super) scope: &'a Scope,
    /// Whether lists may be asked for: only beside a single record.
    pub(super) lists: bool,
    pub(super) names_max: usize,
}

impl Includable<'_> {
    /// Reads a list such as `owner,contacts`.
    ///
    /// # Errors
    /// [`Code::BadQuery`](crate::problem::Code::BadQuery) naming what cannot be included, or for more than `names_max`.
    pub(super) fn parse(&self, names: &str) -> ApiResult<Include> {
        let mut known: Vec<&str> = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if !known.contains(&name) {
                known.push(name);
            }
            if known.len() > self.names_max {
                let max = self.names_max;
                let message = bilingual!("`include` takes at most {max} names", "`include` 最多 {max} 项");
                return Err(Problem::bad_query("include", message));
            }
        }
        let mut include = Include::default();
        for name in known {
            self.add(&mut include, name).map_err(|message| Problem::bad_query("include", message))?;
        }
        Ok(include)
    }

    fn add(&self, include: &mut Include, name: &str) -> Result<(), Text> {
        let readable = &self.scope.of(&self.object.name).readable;
        match self.object.field(name).filter(|field| readable.contains(&field.name)) {
            Some(field) => {
                let target = target_of(field).and_then(|target| self.schema.object(target.as_str()));
                let Some(target) = target else {
                    let object = &self.object.name;
                    return Err(bilingual!(
                        "`{name}` of {object} is no reference",
                        "{object} 的 `{name}` 不是引用字段"
                    ));
                };
                include.references.push(Reference { field: field.id, target: Arc::clone(target) });
            }
            None => include.lists.push(self.list(name)?),
        }
        Ok(())
    }

    /// The list that `contacts` or `contacts.account` names.
    fn list(&self, name: &str) -> Result<List, Text> {
        let (plural, reference) =
            name.split_once('.').map_or((name, None), |(plural, field)| (plural, Some(field)));
        let unknown = || {
            let (name, object) = (name.chars().take(60).collect::<String>(), &self.object.name);
            bilingual!("{object} has nothing `{name}` to include", "{object} 没有可包含的 `{name}`")
        };
        let object = self.schema.object_by_plural(plural).ok_or_else(unknown)?;
        let readable = &self.scope.of(&object.name).readable;
        let refers = |field: &&FieldDefinition| {
            target_of(field) == Some(&self.object.name)
                && readable.contains(&field.name)
                && reference.is_none_or(|reference| field.name.as_str() == reference)
        };
        let fields: Vec<&FieldDefinition> = object.fields.iter().filter(refers).collect();
        match fields.as_slice() {
            [] => Err(unknown()),
            _ if !self.lists => Err(bilingual!(
                "`{name}` can be included only beside a single record",
                "仅读取单条记录时可包含 `{name}`"
            )),
            [field] => Ok(List {
                name: name.to_owned(),
                object: Arc::clone(object),
                field: Path(vec![field.name.clone()]),
            }),
            several => {
                let names: Vec<String> =
                    several.iter().map(|field| format!("`{plural}.{}`", field.name)).collect();
                let names = names.join(", ");
                Err(bilingual!("`{name}` may be any of {names}", "`{name}` 可指 {names}，请写明其一"))
            }
        }
    }
}

fn target_of(field: &FieldDefinition) -> Option<&trellis_model::ObjectName> {
    match &field.field_type {
        FieldType::Reference { object } => Some(object),
        _ => None,
    }
}

impl Include {
    pub(super) fn is_empty(&self) -> bool {
        self.references.is_empty() && self.lists.is_empty()
    }

    /// The records that a page of records refers to, each once, as far as the scope has them; `None` where none were asked for.
    pub(super) async fn referenced(
        &self,
        records: &Records,
        scope: &Scope,
        page: &[Record],
        labels: Option<Language>,
    ) -> ApiResult<Option<Included<'_>>> {
        if self.references.is_empty() {
            return Ok(None);
        }
        let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
        for Reference { field, target } in &self.references {
            let group = groups.entry(target.plural.as_str()).or_insert_with(|| Group {
                view: View::all(target, &scope.of(&target.name).readable, labels),
                records: BTreeMap::new(),
            });
            for record in page {
                let Some(Value::Reference(id)) = record.fields.get(field) else { continue };
                if !group.records.contains_key(id) {
                    group.records.insert(*id, records.get(scope, &target.name, *id).await?);
                }
            }
        }
        Ok(Some(Included(groups)))
    }

    /// The lists beside a single record; `None` where none were asked for.
    pub(super) async fn lists(
        &self,
        records: &Records,
        scope: &Scope,
        id: RecordId,
        labels: Option<Language>,
    ) -> ApiResult<Option<IncludedLists<'_>>> {
        if self.lists.is_empty() {
            return Ok(None);
        }
        let mut lists = BTreeMap::new();
        for List { name, object, field } in &self.lists {
            let view = View::all(object, &scope.of(&object.name).readable, labels);
            let filter = Filter::Compare { path: field.clone(), op: Op::Eq, value: json!(id.to_string()) };
            // An id holds the time at which its record was created.
            let id = FieldName::new(SystemField::Id.name()).expect("system fields are named as fields are");
            let newest = Sort { path: Path(vec![id]), descending: true };
            let query = Query {
                filter,
                sort: vec![newest],
                limit: LIST_ROWS.min(records.config().limits.page_rows_max),
                computed: Some(view.computed()),
                ..Query::new(object.name.clone())
            };
            let page = records.list(scope, &query).await?;
            let more = page.next.is_some();
            lists.insert(name.as_str(), ListPart { view, records: page.records, more });
        }
        Ok(Some(IncludedLists(lists)))
    }
}

/// Records by the plural of their object and their id.
#[derive(Debug)]
pub(super) struct Included<'a>(BTreeMap<&'a str, Group<'a>>);

#[derive(Debug)]
struct Group<'a> {
    view: View<'a>,
    /// `None` where the scope does not have it.
    records: BTreeMap<RecordId, Option<Record>>,
}

/// Lists by their name.
#[derive(Debug)]
pub(super) struct IncludedLists<'a>(BTreeMap<&'a str, ListPart<'a>>);

#[derive(Debug)]
struct ListPart<'a> {
    view: View<'a>,
    records: Vec<Record>,
    /// Whether there are older ones.
    more: bool,
}

impl Serialize for Included<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let found = self.records.values().flatten();
        serializer.collect_map(found.map(|record| (record.id.to_string(), view(record, &self.view))))
    }
}

impl Serialize for IncludedLists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl Serialize for ListPart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Part<'a> {
            data: Vec<RecordView<'a>>,
            more: bool,
        }
        let data = self.records.iter().map(|record| view(record, &self.view)).collect();
        Part { data, more: self.more }.serialize(serializer)
    }
}

fn view<'a>(record: &'a Record, view: &'a View<'a>) -> RecordView<'a> {
    RecordView { record, view, segments: None, quality: None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use trellis_model::{FieldAccess, ObjectScope, Op, RowAccess};
    use trellis_records::Caller;
    use trellis_test_support::TestApp;

    use super::*;

    /// Sees contacts without their owner, and accounts named Acme without their city; no orders.
    fn narrow() -> Scope {
        let without = |name: &str| FieldAccess::Except(BTreeSet::from([name.parse().unwrap()]));
        let everything = ObjectScope::everything;
        let acme = RowAccess::Where(Filter::compare("name", Op::Eq, "Acme").unwrap());
        let accounts = ObjectScope { rows: acme, readable: without("city"), ..everything() };
        let contacts = ObjectScope { readable: without("owner"), ..everything() };
        Scope::nothing().with("account".parse().unwrap(), accounts).with("contact".parse().unwrap(), contacts)
    }

    async fn contact(app: &TestApp, account: &str) -> Record {
        let account = app.create("accounts", json!({ "name": account, "city": "Oslo" })).await["id"].clone();
        let contact = app.create("contacts", json!({ "name": "Cid", "account": account })).await;
        let id = RecordId::parse(contact["id"].as_str().unwrap()).unwrap();
        let scope = &Caller::system("test").scope;
        app.state().records.get(scope, &"contact".parse().unwrap(), id).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_is_included_keeps_to_the_scope() {
        let app = TestApp::new().await;
        let page = [contact(&app, "Acme").await, contact(&app, "Bolt").await];
        let (records, scope) = (app.state().records, narrow());
        let schema = records.schema();
        let of = |object: &str| Includable {
            schema: &schema,
            object: schema.object(object).unwrap(),
            scope: &scope,
            lists: true,
            names_max: 5,
        };
        let include = of("contact").parse("account").unwrap();
        let included = include.referenced(&records, &scope, &page, None).await.unwrap();
        let included = serde_json::to_value(&included).unwrap();
        let accounts = included["accounts"].as_object().unwrap();
        assert_eq!(accounts.len(), 1, "Bolt does not exist for it: {included}");
        let acme = accounts.values().next().unwrap();
        assert_eq!((&acme["name"], acme.get("city")), (&json!("Acme"), None));

        let include = of("account").parse("contacts").unwrap();
        let id = RecordId::parse(acme["id"].as_str().unwrap()).unwrap();
        let lists = include.lists(&records, &scope, id, None).await.unwrap();
        let lists = serde_json::to_value(&lists).unwrap();
        let contacts = lists["contacts"]["data"].as_array().unwrap();
        assert_eq!((contacts.len(), contacts[0].get("owner")), (1, None));

        assert!(of("contact").parse("owner").is_err(), "a field that cannot be read is unknown");
        assert!(of("account").parse("orders").is_err(), "so is a list by a reference that cannot be read");
    }
}
