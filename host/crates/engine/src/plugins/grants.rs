//! What an admin grants of what a plugin asks for.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use trellis_model::{Action, FieldName, ObjectName, PluginId, Text, bilingual};
use trellis_plugin_host::{
    Inspection,
    manifest::{ActionGrant, LookupGrant, Manifest},
};

use trellis_records::Schema;

use super::personal::{self, Hidden};
use crate::{Error, Result};

/// What cannot be withheld: a component that imports WASI does not link without it.
const NEEDED: &str = "wasi";

/// What was granted; everything that the manifest asks for where nothing else was said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Grants(Option<BTreeSet<String>>);

impl Grants {
    pub(crate) fn new(granted: Option<Vec<String>>) -> Self {
        Self(granted.map(|granted| granted.into_iter().collect()))
    }

    /// Whether a request was granted.
    pub(crate) fn allow(&self, request: &str) -> bool {
        self.0.as_ref().is_none_or(|granted| granted.contains(request))
    }

    /// Whether a request was granted by name.
    pub(super) fn name(&self, request: &str) -> bool {
        self.0.as_ref().is_some_and(|granted| granted.contains(request))
    }

    /// Whether one of the requests that begin so was granted: `judge:lead(`. There is at most one for each object.
    pub(crate) fn allow_any(&self, beginning: &str) -> bool {
        let granted = |set: &BTreeSet<String>| set.iter().any(|request| request.starts_with(beginning));
        self.0.as_ref().is_none_or(granted)
    }

    /// The personal data of an object that was granted. Where nothing was said it is none: personal data needs a word of its own.
    pub(super) fn personal(&self, object: &ObjectName) -> BTreeSet<&str> {
        let granted = self.0.iter().flatten().filter_map(|grant| personal::parse(grant));
        granted.filter(|(of, _)| *of == object.as_str()).flat_map(|(_, fields)| fields).collect()
    }

    /// The look-ups that a plugin may make.
    pub(crate) fn lookups<'a>(&'a self, manifest: &'a Manifest) -> impl Iterator<Item = &'a LookupGrant> {
        let granted = |lookup: &&LookupGrant| self.allow_any(&format!("read:{}(", lookup.object));
        manifest.lookups.iter().filter(granted)
    }

    /// Why an action of a plugin must not be carried out: the manifest does not ask for it, or it was not granted.
    pub(crate) fn refusal(&self, manifest: &Manifest, action: &Action) -> Option<Text> {
        let kind = action.kind();
        let of_kind = |grant: &&ActionGrant| grant.allows(action);
        match manifest.actions.iter().find(of_kind) {
            None => Some(bilingual!(
                "plugin.toml does not ask for this `{kind}`: it has no `[[actions]]` that covers it",
                "plugin.toml 未申请此 `{kind}` 动作：没有与之相符的 `[[actions]]`"
            )),
            Some(asked) if !self.allow(&asked.grant()) => {
                let grant = asked.grant();
                Some(bilingual!("`{grant}` is not granted to the plugin", "未授予该插件 `{grant}`"))
            }
            Some(_) => None,
        }
    }
}

/// Checks what an admin grants: each thing has to be asked for under the configuration, and WASI cannot be left out where the component
/// imports it.
pub(crate) fn check(
    id: &PluginId,
    inspection: &Inspection,
    schema: &Schema,
    granted: Option<&[String]>,
) -> Result<()> {
    let Some(granted) = granted else { return Ok(()) };
    let invalid = |reason: Text| Error::InvalidSettings { plugin: id.clone(), reason };
    let requests = inspection.requests();
    let is_asked_for = |grant: &String| {
        requests.iter().any(|asked| asked.grant == *grant)
            || personal::is_asked_for(&inspection.manifest, schema, grant)
    };
    if let Some(unknown) = granted.iter().find(|grant| !is_asked_for(grant)) {
        return Err(invalid(bilingual!(
            "`grants`: the plugin does not ask for `{unknown}`",
            "`grants`：插件未申请 `{unknown}`"
        )));
    }
    let missing = requests.iter().find(|asked| asked.grant == NEEDED && !granted.contains(&asked.grant));
    match missing {
        Some(missing) => {
            let grant = &missing.grant;
            Err(invalid(bilingual!(
                "`grants`: the plugin cannot be used without `{grant}`",
                "`grants`：未授予 `{grant}` 时无法使用该插件"
            )))
        }
        None => Ok(()),
    }
}

/// Checks that what a configuration chose to be read was granted: a column that somebody asks for by name is not left empty in silence.
///
/// # Errors
/// [`Error::GrantsNeeded`].
pub(crate) fn check_columns(
    manifest: &Manifest,
    version: &Version,
    hidden: &Hidden,
    grants: &Grants,
) -> Result<()> {
    let mut chosen = BTreeMap::<&ObjectName, BTreeSet<&FieldName>>::new();
    let (mut needed, mut of_personal) = (BTreeSet::new(), BTreeSet::new());
    for (dataset, column) in manifest
        .datasets
        .iter()
        .flat_map(|dataset| dataset.columns.iter().map(move |column| (dataset, column)))
    {
        let grant = dataset.grant_of_column(column);
        if column.published().is_some_and(|published| hidden.hides_result(published)) {
            of_personal.insert(grant);
            continue;
        }
        if (column.chosen().is_some() || column.published().is_some()) && !grants.allow(&grant) {
            needed.insert(grant);
        }
        let Some(field) = column.chosen() else { continue };
        if hidden.hides(&dataset.object, field) {
            chosen.entry(&dataset.object).or_default().insert(field);
        }
    }
    let mut requests = manifest.requests();
    requests.retain(|request| needed.contains(&request.grant) || of_personal.contains(&request.grant));
    for request in &mut requests {
        request.personal = of_personal.contains(&request.grant);
    }
    requests.extend(chosen.into_iter().map(|(object, fields)| personal::request(manifest, object, &fields)));
    if requests.is_empty() {
        return Ok(());
    }
    Err(Error::GrantsNeeded { plugin: manifest.id.clone(), version: version.to_string(), requests })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use trellis_model::{FieldName, NewTask, ObjectName, RecordId, Value};

    use super::*;

    fn manifest() -> Manifest {
        let text = r#"
id = "complaint-desk"
version = "1.0.0"
wit = "1.0.0"
name = { en = "Complaint desk", zh-CN = "投诉处理台" }
description = { en = "Guides complaints", zh-CN = "处理投诉" }
provides = ["service-workflow"]

[service-workflow]
object = "case"
fields = ["subject", "status"]

[[lookups]]
object = "account"
fields = ["name"]

[[actions]]
kind = "set-fields"
object = "case"
fields = ["severity"]

[[actions]]
kind = "create-task"
"#;
        Manifest::parse(text).unwrap()
    }

    fn set(field: &str) -> Action {
        let fields = BTreeMap::from([(FieldName::new(field).unwrap(), Some(Value::Text("high".into())))]);
        let (object, id) = (ObjectName::new("case").unwrap(), RecordId(uuid::Uuid::from_u128(1)));
        Action::SetFields { object, id, fields }
    }

    #[test]
    fn actions_need_the_manifest_and_the_grant() {
        let (manifest, all) = (manifest(), Grants::default());
        assert_eq!(all.refusal(&manifest, &set("severity")), None);
        assert!(all.refusal(&manifest, &set("status")).unwrap().en.contains("plugin.toml"));
        let some = Grants::new(Some(vec!["act:create-task".into()]));
        assert_eq!(some.refusal(&manifest, &Action::CreateTask(NewTask::default())), None);
        let refused = some.refusal(&manifest, &set("severity")).unwrap();
        assert!(refused.en.contains("act:set-fields:case(severity)"), "{}", refused.en);
        assert_eq!(all.lookups(&manifest).count(), 1);
        assert_eq!(some.lookups(&manifest).count(), 0, "looking up was not granted");
    }
}
