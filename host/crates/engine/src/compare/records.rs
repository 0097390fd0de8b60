//! A version of a plugin asked about single records, as if something had just happened to them: what it would change, refuse and do.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use trellis_columns::AsOf;
use trellis_model::{Action, FieldName, NamedRecord, ObjectName, Path, RecordId, Scope, Sort, Text, Value};
use trellis_plugin_host::{CallContext, manifest::ServiceWorkflowUse};
use trellis_records::Query;

use super::{AnswersDiff, Trial};
use crate::{
    Error, Result, actions,
    decisions::{PluginInput, actions_json, ask, decided_output, suggestions_output, text_json},
    hooks,
    plugins::Enabled,
};

/// Records of a page.
const PAGE_ROWS: usize = 200;

/// What became of asking about the records of an object.
#[derive(Debug, Default)]
struct Asked {
    records: u64,
    failed: u64,
    failures: BTreeMap<String, u64>,
    listed: Vec<(RecordId, Json)>,
}

/// Shows the records of each object that changed last to the record hooks of a plugin, as if they were created now. `used` is the version
/// in use, to compare with.
pub(crate) fn record_hooks(
    trial: &Trial<'_>,
    candidate: &Enabled,
    used: Option<&Enabled>,
) -> Result<Vec<Json>> {
    let objects = candidate.manifest().record_hooks.iter().map(|hook| &hook.object);
    objects.map(|object| record_hook(trial, candidate, used, object)).collect()
}

fn record_hook(
    trial: &Trial<'_>,
    candidate: &Enabled,
    used: Option<&Enabled>,
    object: &ObjectName,
) -> Result<Json> {
    let (mut asked, mut diff) = (Asked::default(), AnswersDiff::default());
    let (mut patched, mut vetoed) = (0_u64, 0_u64);
    let (mut fields, mut codes) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
    for record in newest(trial, object, |_| true)? {
        (trial.check)()?;
        let at = trial.view.context(trial.view.new_id(), AsOf::Now);
        let Some(answer) = judged(trial, candidate, &record, &at) else { continue };
        let answer = answer.and_then(|answer| failed(candidate, &answer).map_or(Ok(answer), Err));
        let Some(answer) = asked.note(trial, record.id, answer) else { continue };
        if let Some(patch) = answer.get("patch").and_then(Json::as_object) {
            patched += 1;
            patch.keys().for_each(|field| *fields.entry(field.clone()).or_default() += 1);
        }
        if let Some(code) = answer.pointer("/veto/code").and_then(Json::as_str) {
            vetoed += 1;
            *codes.entry(code.to_owned()).or_default() += 1;
        }
        if answer.get("accept").is_none() {
            asked.list(
                trial,
                &record,
                json!({ "before": patched_fields(&record, &answer), "verdict": answer }),
            );
        }
        if let Some(Ok(before)) = used.and_then(|used| judged(trial, used, &record, &at)) {
            diff.add(&before, &answer);
        }
    }
    let more = json!({
        "object": object.as_str(),
        "granted": candidate.hook(object.as_str()).is_some(),
        "patched": patched,
        "patched_fields": fields,
        "vetoed": vetoed,
        "vetoes": codes,
    });
    asked.into_json(trial, object, more, used.map(|_| diff))
}

/// What a hook says about a record; `None` where it is not asked.
fn judged(
    trial: &Trial<'_>,
    enabled: &Enabled,
    record: &NamedRecord,
    at: &CallContext,
) -> Option<Result<Json>> {
    let hook = enabled.hook(record.object.as_str())?;
    let change = hooks::hook_change(enabled, hook, None, record.clone())?;
    let lookups = trial.view.lookups(trial.handle, &enabled.scope);
    Some(ask(&enabled.plugin, &PluginInput::BeforeSave(change), &enabled.config, at, lookups))
}

/// The failure that an answer is.
fn failed(candidate: &Enabled, answer: &Json) -> Option<Error> {
    let said = |language| answer.pointer(language).and_then(Json::as_str);
    let reason = Text::new(said("/failed/en")?, said("/failed/zh-CN").unwrap_or_default());
    Some(Error::CannotRun { plugin: candidate.id.clone(), reason })
}

/// The values of the fields that an answer changes.
fn patched_fields(record: &NamedRecord, answer: &Json) -> Map<String, Json> {
    let patch = answer.get("patch").and_then(Json::as_object);
    let before = |field: &String| {
        let name = FieldName::new(field).ok()?;
        Some((field.clone(), record.fields.get(&name).map_or(Json::Null, Value::to_json)))
    };
    patch.into_iter().flat_map(Map::keys).filter_map(before).collect()
}

/// Asks a service workflow about the open records that changed last, as if they were new, and what it would suggest for them.
pub(crate) fn service_workflow(
    trial: &Trial<'_>,
    candidate: &Enabled,
    used: Option<&Enabled>,
) -> Result<Option<Json>> {
    let Some(workflow) = candidate.manifest().service_workflow.as_ref() else { return Ok(None) };
    let object = &workflow.object;
    let (mut asked, mut diff) = (Asked::default(), AnswersDiff::default());
    let (mut wanted, mut refused) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, Json>::new());
    if !candidate.guides(object.as_str()) {
        let more = json!({ "object": object.as_str(), "granted": false });
        return asked.into_json(trial, object, more, None).map(Some);
    }
    for record in newest(trial, object, |record| is_open(workflow, record))? {
        (trial.check)()?;
        let at = trial.view.context(trial.view.new_id(), AsOf::Now);
        let guided = guided(trial, candidate, &record, &at);
        let Some(guided) = asked.note(trial, record.id, guided) else { continue };
        for action in &guided.actions {
            *wanted.entry(action.kind().to_owned()).or_default() += 1;
            if let Err(refusal) = actions::for_plugin(candidate.manifest(), &candidate.grants, action) {
                refused.insert(action.kind().to_owned(), text_json(&refusal.message));
            }
        }
        let shown = json!({
            "actions": actions_json(&guided.actions),
            "reasons": guided.output.get("reasons"),
            "suggestions": guided.suggestions,
        });
        asked.list(trial, &record, shown);
        if let Some(Ok(before)) = used.map(|used| self::guided(trial, used, &record, &at)) {
            diff.add(&before.output, &guided.output);
        }
    }
    let more = json!({ "object": object.as_str(), "granted": true, "actions": wanted, "refused": refused });
    asked.into_json(trial, object, more, used.map(|_| diff)).map(Some)
}

/// What a service workflow says about a record.
struct Guided {
    actions: Vec<Action>,
    output: Json,
    suggestions: Json,
}

fn guided(trial: &Trial<'_>, enabled: &Enabled, record: &NamedRecord, at: &CallContext) -> Result<Guided> {
    let workflow = enabled
        .plugin
        .service_workflow()
        .ok_or_else(|| Error::not_offered(&enabled.id, "service-workflow"))?;
    let accounts = trial.view.lookups(trial.handle, &hooks::account_lookups(enabled));
    let item = hooks::work_item(enabled, record.clone(), &*accounts)?;
    let lookups = || trial.view.lookups(trial.handle, &enabled.scope);
    let decided = workflow.triage(&item, &enabled.config, at, lookups())?;
    let suggestions = workflow.suggest(&item, &enabled.config, at, lookups())?;
    Ok(Guided {
        output: decided_output(&decided.actions, &decided.reasons),
        suggestions: suggestions_output(&suggestions),
        actions: decided.actions,
    })
}

/// Whether nothing says that a record is closed.
fn is_open(workflow: &ServiceWorkflowUse, record: &NamedRecord) -> bool {
    let Some(closed) = &workflow.closed else { return true };
    match record.fields.get(&closed.field) {
        Some(Value::Choice(option) | Value::Text(option)) => !closed.values.contains(option),
        _ => true,
    }
}

/// The wanted records of an object that changed last.
fn newest(
    trial: &Trial<'_>,
    object: &ObjectName,
    wanted: impl Fn(&NamedRecord) -> bool,
) -> Result<Vec<NamedRecord>> {
    let records_max = usize::try_from(trial.limits.dry_run_records_max).unwrap_or(usize::MAX);
    let path = Path::parse("updated_at").expect("a system field's name");
    let sort = vec![Sort { path, descending: true }];
    let mut query = Query { sort, limit: PAGE_ROWS, ..Query::new(object.clone()) };
    let mut found = Vec::new();
    loop {
        (trial.check)()?;
        let page = trial.wait(trial.view.list(&Scope::everything(), &query))?;
        let named = page.records.iter().filter_map(|record| trial.view.named(record));
        found.extend(named.filter(|record| wanted(record)));
        match page.next {
            Some(next) if found.len() < records_max => query.after = Some(next),
            _ => break,
        }
    }
    found.truncate(records_max);
    Ok(found)
}

impl Asked {
    fn note<T>(&mut self, trial: &Trial<'_>, record: RecordId, answer: Result<T>) -> Option<T> {
        self.records += 1;
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.failed += 1;
                *self.failures.entry(error.code().to_owned()).or_default() += 1;
                if self.listed.len() < trial.limits.rows_listed_max {
                    self.listed.push((record, json!({ "error": error.to_string() })));
                }
                None
            }
        }
    }

    fn list(&mut self, trial: &Trial<'_>, record: &NamedRecord, shown: Json) {
        if self.listed.len() < trial.limits.rows_listed_max {
            self.listed.push((record.id, shown));
        }
    }

    fn into_json(
        self,
        trial: &Trial<'_>,
        object: &ObjectName,
        more: Json,
        diff: Option<AnswersDiff>,
    ) -> Result<Json> {
        let ids = self.listed.iter().map(|(id, _)| *id);
        let titles = trial.wait(trial.view.titles(trial.scope, object, ids))?;
        let row = |(id, mut shown): (RecordId, Json)| {
            if let Some(row) = shown.as_object_mut() {
                row.insert("id".to_owned(), id.to_string().into());
                row.insert("name".to_owned(), json!(titles.get(&id)));
            }
            shown
        };
        let mut shown = json!({
            "records": self.records,
            "failed": self.failed,
            "failures": self.failures,
            "rows": self.listed.into_iter().map(row).collect::<Vec<_>>(),
            "against_version_in_use": diff.map(|diff| diff.to_json()),
        });
        if let (Some(shown), Json::Object(more)) = (shown.as_object_mut(), more) {
            shown.extend(more);
        }
        Ok(shown)
    }
}
