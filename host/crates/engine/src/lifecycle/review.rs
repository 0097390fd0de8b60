//! What an admin looks at before a version of a plugin is enabled: what it reads field by field, what it may have done, its limits,
//! what it brings, and what is different from the version in use.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use semver::Version;
use serde_json::Value as Json;
use trellis_model::{ObjectDefinition, ObjectName, PluginId, Text};
use trellis_plugin_host::{
    ClassLimits, Inspection, LimitClass, Manifest, Plugin, Request,
    manifest::{Absence, AbsentPolicy, AbsentUse, Schedule},
};
use trellis_plugin_kit::golden::Report;
use trellis_records::{SchemaDocument, SchemaPlan};

use super::{ShippedRule, pack, rules, tests};
use crate::{Result, UseSettings, blocking::blocking, core::Core, run};

/// Moments that a review names at which a plugin would run by itself.
const MOMENTS: usize = 3;

/// What there is to know about a version of a plugin before it is enabled.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// Which plugin.
    pub plugin: PluginId,
    /// Which version of it.
    pub version: Version,
    /// What people call it.
    pub name: Text,
    /// What it is for.
    pub description: Text,
    /// BLAKE3 digest of the component, in hex.
    pub digest: String,
    /// Size of the component.
    pub bytes: usize,
    /// Its core modules.
    pub core_modules: usize,
    /// The version of `trellis:plugin` that it was built against.
    pub wit: Version,
    /// The SDK that it was built with, as it names itself.
    pub sdk: Option<String>,
    /// The interfaces that it offers.
    pub provides: Vec<String>,
    /// What it asks the host for.
    pub imports: Vec<String>,
    /// Whether it imports WASI, behind which there is nothing.
    pub wasi: bool,
    /// Everything that it asks for, with what it means here.
    pub requests: Vec<ReviewedRequest>,
    /// When it is asked while somebody waits: what it judges, and which work it guides.
    pub hooks: Vec<ReviewedHook>,
    /// What its calls may use, by class.
    pub limits: Vec<(&'static str, ClassLimits)>,
    /// What it puts out with its default configuration; empty where it needs settings first.
    pub outputs: Vec<ReviewedOutput>,
    /// What enabling it would change in the schema.
    pub schema: SchemaPlan,
    /// When it would run by itself, as its manifest says.
    pub schedule: Option<ReviewedSchedule>,
    /// What happens while it cannot be called: as its manifest says, or as the settings in use do.
    pub absences: Vec<Absence>,
    /// The rules that it ships, with what enabling it would do with each.
    pub rules: Vec<ShippedRule>,
    /// What came of the tests that it carries.
    pub tests: Report,
    /// What is different from the version in use; `None` where none is, or this is it.
    pub diff: Option<ReviewDiff>,
}

/// One thing that a plugin asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewedRequest {
    /// How it is granted, and what it means.
    pub request: Request,
    /// `data`, `score`, `band`, `segment`, `see`, `judge`, `read`, `act`, `personal` or `wasi`.
    pub way: String,
    /// For an action: its kind.
    pub action: Option<String>,
    /// Whose records it is about.
    pub object: Option<ReviewedName>,
    /// Which fields.
    pub fields: Vec<ReviewedName>,
}

/// An object or field by its API name, with what people call it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewedName {
    /// Its API name.
    pub name: String,
    /// What people call it; `None` where this server does not have it.
    pub label: Option<Text>,
    /// Whether it is personal data.
    pub personal: bool,
}

/// When a plugin is asked while somebody waits.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewedHook {
    /// The interface.
    pub interface: &'static str,
    /// Whose records.
    pub object: ReviewedName,
    /// When one of these fields changes.
    pub when: Vec<ReviewedName>,
    /// Whether a save is refused while it cannot answer.
    pub refuses_on_failure: bool,
}

/// When a plugin would run by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedSchedule {
    /// When, and with which model.
    pub schedule: Schedule,
    /// The next moments if it were enabled now, in milliseconds since 1970-01-01T00:00:00Z.
    pub next_ms: Vec<i64>,
}

/// A segmentation or score that a plugin puts out.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewedOutput {
    /// `segmentation` or `score`.
    pub kind: &'static str,
    /// Its full name.
    pub name: String,
    /// What people call it.
    pub label: Text,
}

/// What is different between the version in use and another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewDiff {
    /// The version in use.
    pub from: Option<Version>,
    /// What it asks for.
    pub requests: NamesDiff,
    /// What is granted now and would not be asked for any more, or is asked for and not granted now.
    pub ungranted: Vec<String>,
    /// Settings by name.
    pub settings: NamesDiff,
    /// Settings whose schema is another.
    pub settings_changed: Vec<String>,
    /// What the configuration in use breaks of the new schema.
    pub config_problems: Vec<String>,
    /// Segmentations and scores, by full name.
    pub outputs: NamesDiff,
    /// Interfaces that it offers.
    pub provides: NamesDiff,
    /// What it asks the host for.
    pub imports: NamesDiff,
}

/// Names that came, went and stayed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamesDiff {
    /// Those that the version in use does not have.
    pub added: Vec<String>,
    /// Those that only the version in use has.
    pub removed: Vec<String>,
    /// Those that both have.
    pub kept: Vec<String>,
}

impl NamesDiff {
    fn of(before: impl IntoIterator<Item = String>, after: impl IntoIterator<Item = String>) -> Self {
        let (before, after): (BTreeSet<_>, BTreeSet<_>) =
            (before.into_iter().collect(), after.into_iter().collect());
        Self {
            added: after.difference(&before).cloned().collect(),
            removed: before.difference(&after).cloned().collect(),
            kept: before.intersection(&after).cloned().collect(),
        }
    }
}

/// Reviews a version. Changes nothing.
pub(super) async fn review(core: &Core, id: &PluginId, version: &Version) -> Result<Review> {
    let plugin = core.registry.version(id, version).await?;
    let inspection = core.registry.inspection(id, version)?;
    let labels = Labels { schema: core.records.schema(), pack: pack::document(&inspection)? };
    let outputs = outputs(&plugin).await?;
    let diff = match core.registry.settings_of(id) {
        Some((settings, _)) if settings.version.as_ref() != Some(version) => {
            diff(core, id, &settings, &inspection, &outputs).await
        }
        _ => None,
    };
    let manifest = &inspection.manifest;
    let absences = manifest.absences(&absent_in_use(core, id, manifest));
    let review = Review {
        plugin: id.clone(),
        version: version.clone(),
        name: manifest.name.clone(),
        description: manifest.description.clone(),
        digest: inspection.digest.to_string(),
        bytes: inspection.bytes,
        core_modules: inspection.core_modules,
        wit: manifest.wit.clone(),
        sdk: inspection.sdk.clone(),
        provides: provided(&inspection),
        imports: inspection.imports.clone(),
        wasi: inspection.wasi,
        requests: core
            .registry
            .requests_of(&inspection.configured(&config_to_review(core, id, manifest)))
            .into_iter()
            .map(|request| labels.request(request))
            .collect(),
        schedule: schedule(core, &inspection),
        hooks: hooks(&inspection, &absences, &labels),
        absences,
        limits: limits(core, &inspection),
        outputs,
        schema: pack::plan(core, id, &inspection).await?,
        rules: rules::plan(core, id, &inspection).await?.shown(),
        tests: tests::run(core, &plugin).await?,
        diff,
    };
    drop(plugin);
    core.registry.unload_unused();
    Ok(review)
}

/// The configuration in use as far as there is one, else the default one: it may name what is read.
fn config_to_review(core: &Core, id: &PluginId, manifest: &Manifest) -> Json {
    match core.registry.settings_of(id) {
        Some((settings, _)) => manifest.config.with_defaults(settings.config),
        None => manifest.default_config(),
    }
}

fn provided(inspection: &Inspection) -> Vec<String> {
    inspection.manifest.provides.iter().map(|interface| interface.name().to_owned()).collect()
}

/// What it puts out with the default configuration. One that refuses that has to be set up first.
async fn outputs(plugin: &Arc<Plugin>) -> Result<Vec<ReviewedOutput>> {
    let asked = Arc::clone(plugin);
    let config = plugin.manifest().default_config().to_string();
    let described =
        blocking("asking the plugin what it puts out", move || run::describe_outputs(&asked, &config))
            .await?;
    let Ok(described) = described else { return Ok(Vec::new()) };
    let output = |(kind, name, label): (&'static str, String, Text)| ReviewedOutput {
        kind,
        name: plugin.manifest().output_name(&name),
        label,
    };
    Ok(described.into_iter().map(output).collect())
}

/// What the settings in use say of what happens while the plugin cannot be called, as far as that is something for this version.
fn absent_in_use(core: &Core, id: &PluginId, manifest: &Manifest) -> BTreeMap<AbsentUse, AbsentPolicy> {
    let settings = core.registry.settings_of(id);
    let mut absent = settings.map(|(settings, _)| settings.absent).unwrap_or_default();
    absent.retain(|of, _| of.is_of(manifest));
    absent
}

fn schedule(core: &Core, inspection: &Inspection) -> Option<ReviewedSchedule> {
    let schedule = inspection.manifest.schedule.clone()?;
    let config = core.records.config();
    let zone = config.time_zone.iana_name().unwrap_or("UTC");
    let now_ms = core.records.clock().now_ms();
    let next = |after: &i64| schedule.cron.next_after(*after, zone);
    let next_ms = std::iter::successors(Some(now_ms), next).skip(1).take(MOMENTS).collect();
    Some(ReviewedSchedule { next_ms, schedule })
}

fn hooks(inspection: &Inspection, absences: &[Absence], labels: &Labels) -> Vec<ReviewedHook> {
    let manifest = &inspection.manifest;
    let refuses = |of: AbsentUse, object: &ObjectName| {
        let is_about = |absence: &&Absence| absence.of == of && absence.object.as_ref() == Some(object);
        absences.iter().find(is_about).is_some_and(|absence| absence.policy == AbsentPolicy::Refuse)
    };
    let named = |object: &str, fields: &BTreeSet<trellis_model::FieldName>| {
        fields.iter().map(|field| labels.field(object, field.as_str())).collect::<Vec<_>>()
    };
    let judged = manifest.record_hooks.iter().map(|hook| ReviewedHook {
        interface: "record-hook",
        object: labels.object(hook.object.as_str()),
        when: named(hook.object.as_str(), &hook.when),
        refuses_on_failure: refuses(AbsentUse::RecordHook, &hook.object),
    });
    let guided = manifest.service_workflow.iter().map(|workflow| ReviewedHook {
        interface: "service-workflow",
        object: labels.object(workflow.object.as_str()),
        when: named(workflow.object.as_str(), &workflow.when),
        refuses_on_failure: refuses(AbsentUse::CloseCheck, &workflow.object),
    });
    judged.chain(guided).collect()
}

/// The limits of the classes under which its calls fall.
fn limits(core: &Core, inspection: &Inspection) -> Vec<(&'static str, ClassLimits)> {
    let limits = core.registry.limits();
    let manifest = &inspection.manifest;
    let mut classes = vec![("call", limits.call)];
    if !manifest.record_hooks.is_empty() {
        classes.push(("record-hook", limits.record_hook));
    }
    if manifest.provides.iter().any(|interface| interface.reads_customers()) {
        classes.push(match manifest.limit_class {
            LimitClass::Training => ("training", limits.training),
            LimitClass::RecordHook => ("record-hook", limits.record_hook),
            LimitClass::Call | LimitClass::Batch => ("batch", limits.batch),
        });
        classes.push(("training", limits.training));
    }
    classes.dedup_by_key(|(name, _)| *name);
    classes
}

async fn diff(
    core: &Core,
    id: &PluginId,
    settings: &UseSettings,
    new: &Inspection,
    outputs_after: &[ReviewedOutput],
) -> Option<ReviewDiff> {
    let from = settings.version.clone()?;
    // Where the file of the version in use is lost there is nothing to compare with.
    let old = core.registry.inspection(id, &from).ok()?;
    let before = core.registry.version(id, &from).await.ok()?;
    let outputs_before = outputs(&before).await.unwrap_or_default();
    let configured = |inspection: &Inspection| {
        inspection.configured(&inspection.manifest.config.with_defaults(settings.config.clone()))
    };
    let asked = core.registry.requests_of(&configured(new));
    let before = core.registry.requests_of(&configured(&old));
    let grants =
        |requests: &[Request]| requests.iter().map(|request| request.grant.clone()).collect::<Vec<_>>();
    let requests = NamesDiff::of(grants(&before), grants(&asked));
    // Where nothing was said, everything is granted but personal data.
    let is_personal =
        |grant: &String| asked.iter().any(|request| request.personal && request.grant == *grant);
    let granted = |grant: &&String| match &settings.grants {
        Some(grants) => grants.contains(grant),
        None => !is_personal(grant),
    };
    let withheld = requests.kept.iter().filter(|grant| !granted(grant));
    let ungranted = requests.added.iter().chain(withheld).cloned().collect();
    let (was, is) = (properties(&old), properties(new));
    let names = |properties: &serde_json::Map<String, Json>| properties.keys().cloned().collect::<Vec<_>>();
    let config = new.manifest.config.with_defaults(settings.config.clone());
    let problems = new.manifest.validate_config(&config).err().unwrap_or_default();
    let changed = is.iter().filter(|(name, schema)| was.get(*name).is_some_and(|before| before != *schema));
    let names_of =
        |outputs: &[ReviewedOutput]| outputs.iter().map(|output| output.name.clone()).collect::<Vec<_>>();
    Some(ReviewDiff {
        ungranted,
        requests,
        settings: NamesDiff::of(names(&was), names(&is)),
        settings_changed: changed.map(|(name, _)| name.clone()).collect(),
        config_problems: problems
            .iter()
            .map(|problem| format!("`{}` {}", problem.setting, problem.reason.en))
            .collect(),
        outputs: NamesDiff::of(names_of(&outputs_before), names_of(outputs_after)),
        provides: NamesDiff::of(provided(&old), provided(new)),
        imports: NamesDiff::of(old.imports.iter().cloned(), new.imports.iter().cloned()),
        from: Some(from),
    })
}

fn properties(inspection: &Inspection) -> serde_json::Map<String, Json> {
    let properties = inspection.manifest.config.as_json().get("properties");
    properties.and_then(Json::as_object).cloned().unwrap_or_default()
}

/// What people call objects and fields: those of this server, and those that the plugin brings.
struct Labels {
    schema: Arc<trellis_records::Schema>,
    pack: SchemaDocument,
}

impl Labels {
    fn object(&self, name: &str) -> ReviewedName {
        let known = self.schema.object(name).map(|object| object.label.clone());
        let label = known.or_else(|| label(self.pack.object(name)?));
        ReviewedName { name: name.to_owned(), label, personal: false }
    }

    fn field(&self, object: &str, name: &str) -> ReviewedName {
        let known = self.schema.object(object).map(Arc::as_ref);
        if let Some(field) = known.and_then(|object: &ObjectDefinition| object.field(name)) {
            let (label, personal) = (Some(field.label.clone()), field.personal_data);
            return ReviewedName { name: name.to_owned(), label, personal };
        }
        let brought = || {
            let fields = self.pack.object(object)?.get("fields")?.as_array()?;
            fields.iter().find(|field| field.get("name").and_then(Json::as_str) == Some(name))
        };
        let brought = brought();
        let personal = brought.and_then(|field| field.get("personal_data")).and_then(Json::as_bool);
        let system = trellis_model::SystemField::of(name).map(|_| Text::new(name, name));
        let label = brought.and_then(label).or(system);
        ReviewedName { name: name.to_owned(), label, personal: personal.unwrap_or_default() }
    }

    /// Reads `way:object(field,field)`, `act:kind`, `act:kind:object(field)` or `wasi`.
    fn request(&self, request: Request) -> ReviewedRequest {
        let (way, rest) = request.grant.split_once(':').unwrap_or((&request.grant, ""));
        let (action, about) = match way {
            "act" => match rest.split_once(':') {
                Some((kind, about)) => (Some(kind.to_owned()), about),
                None => (Some(rest.to_owned()), ""),
            },
            _ => (None, rest),
        };
        let (object, fields) = about.split_once('(').unwrap_or((about, ""));
        let fields = fields.trim_end_matches(')').split(',').filter(|field| !field.is_empty());
        ReviewedRequest {
            way: way.to_owned(),
            action,
            object: (!object.is_empty()).then(|| self.object(object)),
            fields: fields.map(|field| self.field(object, field)).collect(),
            request,
        }
    }
}

fn label(part: &Json) -> Option<Text> {
    let label = part.get("label")?;
    let in_language = |language: &str| label.get(language).and_then(Json::as_str).unwrap_or_default();
    Some(Text::new(in_language("en"), in_language("zh-CN")))
}
