//! The schema, changed while records are there.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::PluginId;
use trellis_records::{
    BuildEnd, Config, Error, Limits, SchemaApplied, SchemaApply, SchemaDocument, SchemaPlan, SchemaStepKind,
};
use trellis_storage::MemoryStore;

use crate::support::World;

pub(crate) fn label(text: &str) -> Json {
    json!({ "en": text, "zh-CN": text })
}

pub(crate) fn field(name: &str, of_type: &str, rest: Json) -> Json {
    let mut field = json!({ "name": name, "label": label(name), "type": of_type });
    field.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    field
}

/// A machine: what a company makes that rents them out.
pub(crate) fn machine() -> Json {
    let option = |value: &str| json!({ "value": value, "label": label(value) });
    json!({
        "name": "machine", "plural": "machines", "label": label("Machine"), "plural_label": label("Machines"), "title": "name",
        "fields": [
            field("name", "text", json!({ "required": true })),
            field("serial", "text", json!({ "characters_max": 50 })),
            field("account", "reference", json!({ "object": "account" })),
            field("state", "choice", json!({ "options": [option("new"), option("rented"), option("sold")], "default": "new" })),
            field("price", "number", json!({})),
        ],
    })
}

/// Changes a part of a field of a definition.
pub(crate) fn set(definition: &mut Json, field: &str, key: &str, value: Json) {
    let fields = definition["fields"].as_array_mut().unwrap();
    fields.iter_mut().find(|found| found["name"] == field).unwrap()[key] = value;
}

impl World {
    pub(crate) async fn apply(
        &self,
        objects: Vec<Json>,
        apply: &SchemaApply,
    ) -> Result<SchemaApplied, Error> {
        self.records.schema_apply(&self.caller, &SchemaDocument::of(objects), apply).await
    }

    /// Applies what needs no confirmation, and builds what that asks for.
    pub(crate) async fn shape(&self, object: Json) -> SchemaApplied {
        let applied = self.apply(vec![object], &SchemaApply::default()).await.unwrap();
        self.build_all().await;
        applied
    }

    pub(crate) async fn build_all(&self) {
        for build in self.records.pending_builds() {
            let end = self.records.build_index(&self.caller, &build, &|_| ControlFlow::Continue(())).await;
            assert_eq!(end.unwrap(), BuildEnd::Finished);
        }
    }

    async fn schema_plan_of(&self, object: Json) -> SchemaPlan {
        self.records.schema_plan(&SchemaDocument::of(vec![object]), None).await.unwrap()
    }

    async fn definition(&self, object: &str) -> Json {
        self.records.schema_export().await.unwrap().object(object).unwrap().clone()
    }
}

fn confirmed() -> SchemaApply {
    SchemaApply { confirm_destructive: true, ..SchemaApply::default() }
}

#[tokio::test]
async fn an_object_is_added_and_its_records_are_kept_like_any_other() {
    let world = World::new().await;
    let before = world.records.schema().version();
    let applied = world.shape(machine()).await;
    assert_eq!((applied.version, applied.steps.len()), (before + 1, 1));
    assert_eq!(applied.steps[0].kind, SchemaStepKind::AddObject);
    let acme = world.create("account", json!({ "name": "Acme" })).await;
    let drill = world
        .create("machine", json!({ "name": "Drill", "account": acme.id.to_string(), "price": 5.0 }))
        .await;
    assert_eq!(drill.ordinal, Some(0), "an admin's objects have ordinals");
    assert_eq!(world.text("machine", &drill, "state"), "new", "the default");
    let filter = json!({ "field": "account.name", "op": "eq", "value": "Acme" });
    assert_eq!(world.names("machine", filter, "-price").await, ["Drill"]);
    assert!(world.apply(vec![machine()], &SchemaApply::default()).await.unwrap().steps.is_empty(), "again");
    world.expect_clean().await;
}

#[tokio::test]
async fn a_schema_survives_a_restart_with_the_same_numbers() {
    let store = Arc::new(MemoryStore::new());
    let world = World::over(Arc::clone(&store), Config::default()).await;
    world.shape(machine()).await;
    let mut account = world.definition("account").await;
    account["label"] = label("Customer");
    account["fields"].as_array_mut().unwrap().push(field("floors", "integer", json!({ "indexed": true })));
    world.shape(account).await;
    let again = World::over(store, Config::default()).await;
    let (before, after) = (world.records.schema(), again.records.schema());
    assert_eq!(before.version(), after.version(), "a start changes nothing");
    assert!(before.objects().eq(after.objects()));
    assert_eq!(after.object("account").unwrap().label.en, "Customer", "what the company changed stays");
}

#[tokio::test]
async fn an_export_can_be_applied_to_another_company() {
    let (world, other) = (World::new().await, World::new().await);
    world.shape(machine()).await;
    let export = world.records.schema_export().await.unwrap();
    let read = SchemaDocument::from_json(&export.to_json()).unwrap();
    other.records.schema_apply(&other.caller, &read, &SchemaApply::default()).await.unwrap();
    assert_eq!(other.records.schema_export().await.unwrap(), export);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let world = World::new().await;
    world.shape(machine()).await;
    let version = world.records.schema().version();
    let check = async |change: &dyn Fn(&mut Json), expected: &str| {
        let mut definition = machine();
        definition["ordinals"] = json!(true);
        change(&mut definition);
        let error = world.apply(vec![definition], &confirmed()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&|d| set(d, "price", "type", json!("integer")), "`type` of field `price` cannot change").await;
    check(&|d| set(d, "account", "object", json!("contact")), "`object` of field `account` cannot change")
        .await;
    check(&|d| drop(d["fields"].as_array_mut().unwrap().pop()), "field `price` is gone").await;
    check(&|d| d["plural"] = json!("engines"), "`plural` cannot change").await;
    check(&|d| d["ordinals"] = json!(false), "`ordinals` cannot change").await;
    check(&|d| d["colour"] = json!(1), "unknown field `colour`").await;
    check(&|d| set(d, "name", "retired", json!(true)), "is its title and cannot be retired").await;
    check(&|d| set(d, "price", "formula", json!({ "expression": "1" })), "cannot become computed").await;
    check(&|d| set(d, "state", "default", json!("burnt")), "default").await;
    let filter = json!({ "field": "colour", "op": "eq", "value": 1 });
    check(&|d| set(d, "price", "required_if", filter.clone()), "no field `colour`").await;
    let filter = json!({ "field": "account.name", "op": "eq", "value": "x" });
    check(&|d| set(d, "price", "required_if", filter.clone()), "own fields").await;
    let related = json!([{ "name": "main", "label": label("Main"), "related": [{ "object": "contact", "reference": "account" }] }]);
    check(&|d| d["layouts"] = related.clone(), "which does not refer to machine").await;
    let columns = |path: &str| json!([{ "name": "main", "label": label("Main"), "columns": ["name", path] }]);
    check(&|d| d["layouts"] = columns("account.colour"), "shows `account.colour`").await;
    check(&|d| d["layouts"] = columns("price.name"), "shows `price.name`").await;
    check(&|d| d["layouts"] = columns("colour"), "column `colour` is no field").await;

    let named = |name: &str, plural: &str| {
        let mut definition = machine();
        (definition["name"], definition["plural"]) = (json!(name), json!(plural));
        definition
    };
    let refused = async |definition: Json, expected: &str| {
        let error = world.apply(vec![definition], &confirmed()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(named("job", "jobs"), "is an address of the API").await;
    refused(named("a__b", "a__bs"), "only packs have names with `__`").await;
    refused(named("engine", "machines"), "is that of another object").await;
    let mut dangling = named("engine", "engines");
    set(&mut dangling, "account", "object", json!("nobody"));
    refused(dangling, "refers to an object that is not there").await;
    // One bad object keeps the good one out too.
    let both = vec![named("engine", "engines"), named("job", "jobs")];
    assert!(matches!(world.apply(both, &confirmed()).await, Err(Error::SchemaRefused { .. })));
    assert_eq!(world.records.schema().version(), version);
    assert!(world.records.schema().object("engine").is_none());
    assert!(SchemaDocument::from_json(&json!({ "format": 2, "objects": [] })).is_err());
    assert!(SchemaDocument::from_toml("format = 1").is_err());
}

#[tokio::test]
async fn steps_that_lose_something_need_to_be_confirmed() {
    let world = World::new().await;
    world.shape(machine()).await;
    let definition = world.definition("machine").await;
    let check = async |change: &dyn Fn(&mut Json), destructive: bool, kind: SchemaStepKind| {
        let mut definition = definition.clone();
        change(&mut definition);
        let plan = world.schema_plan_of(definition.clone()).await;
        let steps: Vec<_> = plan.steps.iter().map(|step| (step.kind, step.destructive)).collect();
        assert_eq!((steps, plan.refused), (vec![(kind, destructive)], vec![]));
        let refused = world
            .apply(vec![definition], &SchemaApply { expected_version: Some(9_999), ..confirmed() })
            .await;
        assert!(matches!(refused, Err(Error::SchemaVersionConflict { .. })));
    };
    check(&|d| d["retired"] = json!(true), true, SchemaStepKind::RetireObject).await;
    check(&|d| set(d, "price", "retired", json!(true)), true, SchemaStepKind::RetireField).await;
    check(&|d| set(d, "serial", "characters_max", json!(10)), true, SchemaStepKind::ChangeField).await;
    check(&|d| set(d, "serial", "characters_max", json!(90)), false, SchemaStepKind::ChangeField).await;
    check(&|d| set(d, "price", "label", label("Cost")), false, SchemaStepKind::ChangeField).await;
    check(&|d| set(d, "serial", "unique", json!(true)), false, SchemaStepKind::AddIndex).await;
    check(&|d| set(d, "price", "indexed", json!(true)), false, SchemaStepKind::AddIndex).await;
    check(
        &|d| d["indexes"] = json!([{ "equals": ["state"], "sort": "price" }]),
        false,
        SchemaStepKind::AddIndex,
    )
    .await;
    let fewer = |d: &mut Json| {
        let options = d["fields"][3]["options"].as_array_mut().unwrap();
        options.truncate(2);
    };
    check(&fewer, true, SchemaStepKind::RetireOption).await;
    check(&|d| d["quality"] = json!({ "fields": ["name"] }), false, SchemaStepKind::ChangePart).await;

    let mut without = definition.clone();
    fewer(&mut without);
    let error = world.apply(vec![without.clone()], &SchemaApply::default()).await.unwrap_err();
    assert!(matches!(&error, Error::SchemaUnconfirmed { steps } if steps.len() == 1), "{error}");
    world.apply(vec![without], &confirmed()).await.unwrap();
    let kept = &world.definition("machine").await["fields"][3]["options"];
    assert_eq!(kept.as_array().unwrap().len(), 3, "the option stays, retired");
    assert_eq!(kept[2]["retired"], json!(true));
}

#[tokio::test]
async fn what_is_out_of_use_is_readable_and_cannot_be_chosen_or_changed() {
    let world = World::new().await;
    world.shape(machine()).await;
    let drill = world.create("machine", json!({ "name": "Drill", "state": "sold", "price": 3.0 })).await;
    let mut definition = world.definition("machine").await;
    set(&mut definition, "price", "retired", json!(true));
    definition["fields"][3]["options"][2]["retired"] = json!(true);
    world.apply(vec![definition.clone()], &confirmed()).await.unwrap();

    let code = |error: Error| match error {
        Error::Invalid(errors) => errors[0].code,
        other => panic!("{other}"),
    };
    let update = async |json: Json| world.update("machine", drill.id, json).await;
    assert_eq!(code(update(json!({ "price": 4.0 })).await.unwrap_err()), "retired");
    assert_eq!(code(update(json!({ "price": null })).await.unwrap_err()), "retired");
    update(json!({ "name": "Big drill", "price": 3.0, "state": "sold" })).await.unwrap();
    assert_eq!(
        code(world.try_create("machine", json!({ "name": "Saw", "state": "sold" })).await.unwrap_err()),
        "retired_option"
    );
    assert_eq!(
        code(world.try_create("machine", json!({ "name": "Saw", "price": 1.0 })).await.unwrap_err()),
        "retired"
    );
    let read = world.get("machine", drill.id).await.unwrap();
    assert_eq!(world.text("machine", &read, "price"), "3.0");

    let price = world.records.schema().object("machine").unwrap().field("price").unwrap().id;
    definition["retired"] = json!(true);
    world.apply(vec![definition.clone()], &confirmed()).await.unwrap();
    assert_eq!(world.try_create("machine", json!({ "name": "Saw" })).await.unwrap_err().code(), "retired");
    assert_eq!(update(json!({ "name": "Drill" })).await.unwrap_err().code(), "retired");
    assert!(world.get("machine", drill.id).await.is_some());

    definition["retired"] = json!(false);
    set(&mut definition, "price", "retired", json!(false));
    world.shape(definition).await;
    assert_eq!(world.records.schema().object("machine").unwrap().field("price").unwrap().id, price);
    update(json!({ "price": 4.0 })).await.unwrap();
    world.expect_clean().await;
}

#[tokio::test]
async fn a_field_is_required_where_its_condition_says_so() {
    let world = World::new().await;
    let mut definition = machine();
    set(&mut definition, "price", "required_if", json!({ "field": "state", "op": "eq", "value": "sold" }));
    world.shape(definition).await;
    let drill = world.create("machine", json!({ "name": "Drill" })).await;
    let refused = world.update("machine", drill.id, json!({ "state": "sold" })).await.unwrap_err();
    assert!(matches!(&refused, Error::Invalid(errors) if errors[0].code == "required"), "{refused}");
    world.update("machine", drill.id, json!({ "state": "sold", "price": 9.0 })).await.unwrap();
    let refused = world.update("machine", drill.id, json!({ "price": null })).await.unwrap_err();
    assert!(matches!(&refused, Error::Invalid(errors) if errors[0].code == "required"), "{refused}");
    world.update("machine", drill.id, json!({ "state": "rented", "price": null })).await.unwrap();
}

#[tokio::test]
async fn every_version_can_be_read_again() {
    let world = World::new().await;
    let first = world.records.schema().version();
    let standard = world.records.schema_export().await.unwrap();
    world.shape(machine()).await;
    let mut definition = world.definition("machine").await;
    definition["label"] = label("Device");
    world.shape(definition).await;
    let versions = world.records.schema_versions(None, 10).await.unwrap();
    let listed: Vec<_> = versions.iter().map(|version| (version.version, version.objects.clone())).collect();
    assert_eq!(
        listed[..2],
        [(first + 2, vec!["machine".to_owned()]), (first + 1, vec!["machine".to_owned()])]
    );
    assert_eq!(versions[0].actor, world.caller.actor);
    assert_eq!(versions[0].steps[0]["kind"], "change_object");
    let older = world.records.schema_versions(Some(first + 1), 10).await.unwrap();
    assert_eq!(older.iter().map(|version| version.version).collect::<Vec<_>>(), [first]);
    let at = async |version| world.records.schema_at(version).await.unwrap();
    assert_eq!(at(first).await.unwrap(), standard);
    assert_eq!(at(first + 1).await.unwrap().object("machine").unwrap()["label"], label("Machine"));
    assert_eq!(at(first + 2).await.unwrap(), world.records.schema_export().await.unwrap());
    assert!(at(first + 3).await.is_none());
    let entry = world.records.log_entry(versions[0].log_number).await.unwrap().unwrap();
    let trellis_records::EntryBody::Event { name, data } = entry.body else { panic!("an event") };
    assert_eq!(name, "schema.changed");
    assert_eq!(data["before"]["machine"]["label"], label("Machine"));
    assert_eq!(data["after"]["machine"]["label"], label("Device"));
}

#[tokio::test]
async fn limits_of_a_schema_are_named() {
    let limits = Limits {
        objects_max: 17,
        fields_per_object_max: 6,
        options_max: 4,
        definition_bytes_max: 2_000,
        indexes_per_object_max: 3,
        formula_bytes_max: 10,
        ..Limits::default()
    };
    let world = World::with(Config { limits, ..Config::default() }).await;
    let check = async |objects: Vec<Json>, expected: &str| {
        let error = world.apply(objects, &confirmed()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let changed = |change: &dyn Fn(&mut Json)| {
        let mut definition = machine();
        change(&mut definition);
        vec![definition]
    };
    let add = |d: &mut Json, added: Vec<Json>| d["fields"].as_array_mut().unwrap().extend(added);
    let many = |count: usize, rest: Json| {
        (0..count).map(|n| field(&format!("f{n}"), "number", rest.clone())).collect()
    };
    check(changed(&|d| add(d, many(3, json!({})))), "fields of machine: 8, at most 6").await;
    check(changed(&|d| add(d, many(3, json!({ "indexed": true })))), "indexes of machine: 4, at most 3")
        .await;
    check(changed(&|d| d["label"]["en"] = json!("x".repeat(2_000))), "bytes of the definition of machine")
        .await;
    let options: Vec<Json> =
        (0..5).map(|n| json!({ "value": format!("o{n}"), "label": label("o") })).collect();
    check(changed(&|d| set(d, "state", "options", json!(options))), "default").await;
    let choice = field("size", "choice", json!({ "options": options }));
    check(changed(&|d| add(d, vec![choice.clone()])), "options of machine.size: 5, at most 4").await;
    let formula = field("double", "number", json!({ "formula": { "expression": "record.price * 2" } }));
    check(changed(&|d| add(d, vec![formula.clone()])), "bytes of the formula machine.double: 16, at most 10")
        .await;
    let mut other = machine();
    (other["name"], other["plural"]) = (json!("engine"), json!("engines"));
    let objects = world.records.schema().objects().count();
    assert!(objects >= 16);
    check(vec![machine(), other], "objects: ").await;
}

fn pack(id: &str) -> SchemaApply {
    SchemaApply { pack: Some(PluginId::new(id).unwrap()), ..SchemaApply::default() }
}

#[tokio::test]
async fn a_pack_adds_under_its_prefix_and_binds_again_to_what_it_left() {
    let world = World::new().await;
    let tariff = |name: &str| {
        json!({
            "name": name, "plural": format!("{name}s"), "label": label("Tariff"), "plural_label": label("Tariffs"),
            "title": "name", "fields": [field("name", "text", json!({}))],
        })
    };
    let line = field("telecom__line", "text", json!({}));
    let option = json!({ "value": "telecom__port_out", "label": label("Port out") });
    let account = json!({ "name": "account", "fields": [line.clone()] });
    let task = json!({ "name": "task", "fields": [{ "name": "status", "options": [option] }] });
    let contributions = vec![tariff("telecom__tariff"), account.clone(), task];
    let refuse = async |objects: Vec<Json>, expected: &str| {
        let error = world.apply(objects, &pack("telecom")).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refuse(vec![tariff("tariff")], "`tariff` does not begin with `telecom__`").await;
    refuse(vec![json!({ "name": "account", "label": label("Subscriber") })], "cannot change its `label`")
        .await;
    refuse(
        vec![json!({ "name": "account", "fields": [field("name", "text", json!({}))] })],
        "is not the pack's",
    )
    .await;
    refuse(
        vec![json!({ "name": "account", "fields": [field("line", "text", json!({}))] })],
        "does not begin",
    )
    .await;

    world.apply(contributions.clone(), &pack("telecom")).await.unwrap();
    let acme = world.create("account", json!({ "name": "Acme", "telecom__line": "+49" })).await;
    let flat = world.create("telecom__tariff", json!({ "name": "Flat" })).await;
    let of_line =
        || world.records.schema().object("account").unwrap().field("telecom__line").unwrap().clone();
    let id = of_line().id;

    let removed = world.records.schema_remove_pack(&world.caller, &PluginId::new("telecom").unwrap()).await;
    assert!(!removed.unwrap().steps.is_empty());
    assert!(of_line().origin.is_removed());
    assert_eq!(world.get("account", acme.id).await.unwrap().fields[&id].canonical(), "+49");
    assert!(world.get("telecom__tariff", flat.id).await.is_some());
    assert!(world.update("account", acme.id, json!({ "telecom__line": "+86" })).await.is_err());
    assert_eq!(
        world.try_create("telecom__tariff", json!({ "name": "X" })).await.unwrap_err().code(),
        "retired"
    );
    let status = world.definition("task").await["fields"].as_array().unwrap().clone();
    let status = status.iter().find(|field| field["name"] == "status").unwrap();
    assert_eq!(status["options"].as_array().unwrap().last().unwrap()["retired"], json!(true));

    world.apply(contributions, &pack("telecom")).await.unwrap();
    assert_eq!(of_line().id, id);
    assert!(!of_line().is_out_of_use());
    world.update("account", acme.id, json!({ "telecom__line": "+86" })).await.unwrap();
    assert!(world.apply(vec![account], &pack("other")).await.is_err(), "another pack's prefix");
    world.expect_clean().await;
}
