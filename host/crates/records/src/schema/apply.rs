//! Changes of the schema while the server runs: planned, confirmed, applied as one write set.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{ObjectId, PluginId, Text};

use super::change::{Change, Stored};
use super::definition::Definition;
use super::install::from_json;
use super::merge::name_of;
use super::stored::StoredObject;
use super::{Schema, SchemaDocument, SchemaStep, check, diff, links, pack};
use crate::{Caller, Error, Records, Result};

/// How a change of the schema is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchemaApply {
    /// Whether steps that lose something are meant.
    pub confirm_destructive: bool,
    /// The plugin whose pack the document is; `None` for the company's own will.
    pub pack: Option<PluginId>,
    /// Only if the schema has this version.
    pub expected_version: Option<u64>,
}

/// What applying a document would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaPlan {
    /// The version that it was compared with.
    pub version: u64,
    /// What would be done.
    pub steps: Vec<SchemaStep>,
    /// Why it cannot be done.
    pub refused: Vec<Text>,
}

/// What applying a document did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaApplied {
    /// The version of the schema now.
    pub version: u64,
    /// What was done.
    pub steps: Vec<SchemaStep>,
    /// The objects of which indexes are to be built or deleted.
    pub builds: Vec<String>,
}

/// A change that was not made yet.
struct Candidate {
    objects: Vec<StoredObject>,
    steps: Vec<SchemaStep>,
    refused: Vec<Text>,
}

impl Records {
    /// All definitions.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn schema_export(&self) -> Result<SchemaDocument> {
        let stored = Stored::load(&**self.store()).await?;
        Ok(SchemaDocument::of(stored.objects.iter().map(|object| object.definition.to_json()).collect()))
    }

    /// What [`Records::schema_apply`] would do. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Definition`] for a definition that cannot be read.
    pub async fn schema_plan(
        &self,
        document: &SchemaDocument,
        pack: Option<&PluginId>,
    ) -> Result<SchemaPlan> {
        let stored = Stored::load(&**self.store()).await?;
        let candidate = self.candidate(&stored, document, pack)?;
        Ok(SchemaPlan { version: stored.version, steps: candidate.steps, refused: candidate.refused })
    }

    /// The schema as [`Records::schema_apply`] would leave it. Changes nothing.
    ///
    /// # Errors
    /// [`Error::SchemaRefused`] where it cannot be applied, [`Error::Definition`] for a definition that cannot be read.
    pub async fn schema_after(&self, document: &SchemaDocument, pack: Option<&PluginId>) -> Result<Schema> {
        let stored = Stored::load(&**self.store()).await?;
        let Candidate { objects, refused, .. } = self.candidate(&stored, document, pack)?;
        if !refused.is_empty() {
            return Err(Error::SchemaRefused { reasons: refused });
        }
        stored.with(&objects).schema()
    }

    /// Makes the objects that a document lists what it says, all of them or none, in one write set with one log entry
    /// (`schema.changed`). Objects that it does not list stay as they are. Indexes are built afterwards: [`Records::build_indexes`].
    ///
    /// What comes of a pack (`apply.pack`) is under its prefix; see `host/docs/formats/records.md`.
    ///
    /// # Errors
    /// [`Error::SchemaRefused`], [`Error::SchemaUnconfirmed`], [`Error::SchemaVersionConflict`], [`Error::Definition`] and
    /// [`Error::Model`] for definitions that contradict themselves, [`Error::TooMany`]. Nothing was changed then.
    pub async fn schema_apply(
        &self,
        caller: &Caller,
        document: &SchemaDocument,
        apply: &SchemaApply,
    ) -> Result<SchemaApplied> {
        let _changing = self.schema_changing.lock().await;
        let stored = Stored::load(&**self.store()).await?;
        if let Some(expected) = apply.expected_version.filter(|expected| *expected != stored.version) {
            return Err(Error::SchemaVersionConflict { expected, found: stored.version });
        }
        let Candidate { objects, steps, refused } = self.candidate(&stored, document, apply.pack.as_ref())?;
        if !refused.is_empty() {
            return Err(Error::SchemaRefused { reasons: refused });
        }
        if objects.is_empty() {
            return Ok(SchemaApplied { version: stored.version, steps, builds: Vec::new() });
        }
        if steps.iter().any(|step| step.destructive) && !apply.confirm_destructive {
            let destructive = steps.into_iter().filter(|step| step.destructive).map(|step| step.text);
            return Err(Error::SchemaUnconfirmed { steps: destructive.collect() });
        }
        let change = Change {
            actor: caller.actor.clone(),
            cause: caller.cause.clone(),
            event: "schema.changed",
            steps: steps.clone(),
            objects,
            done: Vec::new(),
        };
        let after = self.schema_commit(&stored, change).await?;
        let pending = |object: &&StoredObject| object.is_pending();
        let builds = after.objects.iter().filter(pending).map(|object| object.definition.name.clone());
        Ok(SchemaApplied { version: after.version, steps, builds: builds.collect() })
    }

    /// Marks everything that a pack added as removed: it stays readable, and applying the pack again takes it up again.
    ///
    /// # Errors
    /// As [`Records::schema_apply`].
    pub async fn schema_remove_pack(&self, caller: &Caller, pack: &PluginId) -> Result<SchemaApplied> {
        let apply =
            SchemaApply { confirm_destructive: true, pack: Some(pack.clone()), expected_version: None };
        self.schema_apply(caller, &SchemaDocument::default(), &apply).await
    }

    /// Commits a change and takes the new schema. The caller holds `schema_changing`.
    pub(super) async fn schema_commit(&self, stored: &Stored, change: Change) -> Result<Stored> {
        let (after, log) = stored.commit(&**self.store(), &**self.clock(), &**self.ids(), change).await?;
        self.set_schema(after.schema()?);
        self.log_grew(log);
        Ok(after)
    }

    /// Takes the schema that is stored, where another one is in memory: after a save found that its own is an older one.
    pub(crate) async fn refresh_schema(&self) -> Result<()> {
        let _changing = self.schema_changing.lock().await;
        let stored = Stored::load(&**self.store()).await?;
        if stored.version != self.schema().version() {
            self.set_schema(stored.schema()?);
        }
        Ok(())
    }

    fn candidate(
        &self,
        stored: &Stored,
        document: &SchemaDocument,
        pack: Option<&PluginId>,
    ) -> Result<Candidate> {
        let wanted = match pack {
            Some(pack) => {
                let current: Vec<Json> =
                    stored.objects.iter().map(|object| object.definition.to_json()).collect();
                match pack::contribute(&current, document, pack) {
                    Ok(wanted) => wanted,
                    Err(refused) => return Ok(Candidate { objects: Vec::new(), steps: Vec::new(), refused }),
                }
            }
            None => document.objects().iter().map(|object| completed(stored, object)).collect(),
        };
        let (mut objects, mut steps, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        check::twice(document, &mut refused);
        let mut next_id = stored.next_id();
        for json in wanted {
            let name = name_of(&json).unwrap_or("?").to_owned();
            let definition = from_json(&name, json)?;
            let current = stored.object(&definition.name);
            if current.is_some_and(|current| current.definition == definition) {
                continue;
            }
            let (mut further, mut cannot) =
                diff::steps(current.map(|current| &current.definition), &definition);
            steps.append(&mut further);
            let impossible = !cannot.is_empty();
            refused.append(&mut cannot);
            match current {
                Some(_) if impossible => {}
                Some(current) => objects.push(current.with(definition)?),
                None => {
                    check::new_object(&definition, pack.is_some(), &mut refused);
                    objects.push(StoredObject::new(next_id, definition)?);
                    next_id = ObjectId(next_id.0 + 1);
                }
            }
        }
        if refused.is_empty() && !objects.is_empty() {
            let changed: Vec<&str> = objects.iter().map(|object| object.definition.name.as_str()).collect();
            let after = stored.with(&objects);
            check::limits(&after, &changed, &self.config().limits, &mut refused);
            let schema = after.schema()?;
            let all: Vec<_> = schema.objects().cloned().collect();
            refused.extend(self.check_computed(&all).err().map(|error| error.text()));
            self.check_filters(&schema, &changed, &mut refused);
        }
        Ok(Candidate { objects, steps, refused })
    }

    /// Filters of definitions must fit the objects that they are about.
    fn check_filters(&self, schema: &Schema, changed: &[&str], refused: &mut Vec<Text>) {
        let compiler = self.compiler(schema, None);
        for name in changed {
            let Some(object) = schema.object(name).and_then(|object| schema.full(object.id)) else {
                continue;
            };
            check::filters(&compiler, &object, refused);
            check::related_lists(schema, &object, refused);
            links::columns(schema, &object, refused);
        }
    }
}

/// A definition as the company means it: options that it no longer lists are retired, and whose idea things are stays as it was.
fn completed(stored: &Stored, object: &Json) -> Json {
    let mut object = object.clone();
    let current =
        name_of(&object).and_then(|name| stored.object(name)).map(|current| current.definition.to_json());
    keep_origin(&mut object, current.as_ref());
    let Some(new) = object.as_object_mut() else { return object };
    // Where a definition does not say whether there are ordinals, the host decides once.
    let decided = current.as_ref().and_then(|current| current.get("ordinals")).cloned();
    let append_only = new.get("append_only").and_then(Json::as_bool).unwrap_or_default();
    new.entry("ordinals").or_insert(decided.unwrap_or(json!(!append_only)));
    let fields = new.get_mut("fields").and_then(Json::as_array_mut).into_iter().flatten();
    for field in fields {
        let fields = current.as_ref().and_then(|current| current.get("fields")).and_then(Json::as_array);
        let old = fields.into_iter().flatten().find(|old| name_of(old) == name_of(field));
        keep_origin(field, old);
        let options = old.and_then(|old| old.get("options")).and_then(Json::as_array);
        let Some(listed) = field.get_mut("options").and_then(Json::as_array_mut) else { continue };
        for option in options.into_iter().flatten() {
            if !listed.iter().any(|new| name_of(new) == name_of(option)) {
                let mut retired = option.clone();
                if let Some(retired) = retired.as_object_mut() {
                    retired.insert("retired".into(), json!(true));
                }
                listed.push(retired);
            }
        }
    }
    object
}

/// Nobody chooses whose idea something is: it stays as it was; what is new is the company's, or a pack's where it comes from another
/// company's file.
fn keep_origin(part: &mut Json, current: Option<&Json>) {
    let Some(part) = part.as_object_mut() else { return };
    let origin = match current {
        Some(current) => current.get("origin").cloned(),
        None => part.get("origin").filter(|origin| origin.get("pack").is_some()).cloned(),
    };
    match origin {
        Some(origin) => drop(part.insert("origin".into(), origin)),
        None => drop(part.remove("origin")),
    }
}

impl Records {
    fn set_schema(&self, schema: Schema) {
        self.schema_swap().store(Arc::new(schema));
    }
}

impl StoredObject {
    /// Whether it differs from another one in what people wrote.
    pub(super) fn defines_other_than(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| other.definition != self.definition)
    }
}

impl Definition {
    /// Bytes as they are stored.
    pub(super) fn bytes(&self) -> usize {
        self.to_json().to_string().len()
    }
}
