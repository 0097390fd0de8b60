//! What the engine offers of analyses.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use trellis_model::{PluginId, RecordId, Text, bilingual};
use trellis_plugin_host::{AnalysisDescription, Plugin};
use trellis_records::Caller;

use super::{AnalysisInfo, AnalysisRequest, AnalysisResult, AnalysisResultPage, job, stored};
use crate::{
    Engine, Error, Job, Result, as_of,
    blocking::blocking,
    core::Core,
    jobs::{Jobs, Request},
    plugins::{Active, names_problems},
    run,
};

/// Answers of a page.
const PAGE_RESULTS_MAX: usize = 200;
/// Bytes of what is said with a question.
const PARAMETERS_BYTES_MAX: usize = 64 << 10;

impl Engine {
    /// The questions that an enabled plugin answers under its configuration.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::NotEnabled`], [`Error::Broken`], [`Error::CannotRun`] where it answers none, [`Error::Plugin`].
    pub async fn analyses(&self, id: &PluginId) -> Result<Vec<AnalysisInfo>> {
        let active = self.core.registry.active(id).await?;
        let described = described(&active).await?;
        Ok(described.into_iter().map(info).collect())
    }

    /// Has a plugin answer a question, as a job. Its result names the answer, which [`Engine::analysis_result`] returns.
    ///
    /// # Errors
    /// As [`Engine::analyses`]; [`Error::UnknownAnalysis`], [`Error::InvalidParameters`], [`Error::QueueFull`].
    pub async fn analyse(
        &self,
        caller: &Caller,
        id: &PluginId,
        name: &str,
        request: AnalysisRequest,
    ) -> Result<Job> {
        ask(&self.core, &self.jobs, caller, id, name, request).await
    }

    /// Up to `results_max` (at most 200) answers to a question, the newest first: those after `after`. They outlive the plugin. Where there are
    /// none, an enabled plugin is asked once which questions it has.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownAnalysis`] for what no question can be called, and for a question without answers that the
    /// plugin does not have.
    pub async fn analysis_results(
        &self,
        id: &PluginId,
        name: &str,
        after: Option<RecordId>,
        results_max: usize,
    ) -> Result<AnalysisResultPage> {
        self.check_analysis_known(id, name).await?;
        let results_max = results_max.clamp(1, PAGE_RESULTS_MAX);
        let page = stored::newest(&self.core.records, id, name, after, results_max).await?;
        if page.results.is_empty() && after.is_none() {
            self.check_question(id, name).await?;
        }
        Ok(page)
    }

    /// An answer to a question, and the report that it is, as `host/docs/reports.md` says.
    ///
    /// # Errors
    /// [`Error::UnknownPlugin`], [`Error::UnknownAnalysisResult`], [`Error::Damaged`].
    pub async fn analysis_result(
        &self,
        id: &PluginId,
        name: &str,
        result: RecordId,
    ) -> Result<(AnalysisResult, Json)> {
        self.check_analysis_known(id, name).await?;
        let found = stored::get(&self.core.records, id, name, result).await?;
        let found = found.ok_or_else(|| unknown_result(id, name, result))?;
        let report = stored::report(&self.core.records, id, name, result).await?;
        Ok((found, report))
    }

    /// Deletes an answer: what it shows of people may have to go, and nothing else makes it go once nobody asks again.
    ///
    /// # Errors
    /// As [`Engine::analysis_result`].
    pub async fn analysis_result_delete(
        &self,
        caller: &Caller,
        id: &PluginId,
        name: &str,
        result: RecordId,
    ) -> Result<()> {
        self.check_analysis_known(id, name).await?;
        match stored::delete(&self.core.records, caller, (id, name), result).await? {
            true => Ok(()),
            false => Err(unknown_result(id, name, result)),
        }
    }

    /// Deletes every answer to a question; returns how many there were.
    ///
    /// # Errors
    /// As [`Engine::analysis_results`].
    pub async fn analysis_results_delete(&self, caller: &Caller, id: &PluginId, name: &str) -> Result<u64> {
        self.check_analysis_known(id, name).await?;
        stored::delete_all(&self.core.records, caller, id, name).await
    }

    /// Refuses a question that a plugin does not have. Of one that is not enabled, or fails, it is not known.
    async fn check_question(&self, id: &PluginId, name: &str) -> Result<()> {
        let Ok(active) = self.core.registry.active(id).await else { return Ok(()) };
        let of = (
            *active.plugin.digest().as_bytes(),
            *blake3::hash(active.config.to_string().as_bytes()).as_bytes(),
        );
        let known = match self.core.questions.get(&of) {
            Some(known) => known,
            None => match described(&active).await {
                Ok(described) => {
                    self.core.questions.put(of, described.into_iter().map(|question| question.name).collect())
                }
                Err(_) => return Ok(()),
            },
        };
        if known.iter().any(|known| known == name) { Ok(()) } else { Err(unknown(id, name)) }
    }

    /// A name that no question can have is one that none has; so what a path says never becomes a key unchecked.
    async fn check_analysis_known(&self, id: &PluginId, name: &str) -> Result<()> {
        if !run::is_known(&self.core, id).await? && !stored::has_any(&self.core.records, id).await? {
            return Err(Error::UnknownPlugin { id: id.to_string() });
        }
        let mut characters = name.chars();
        let is_name = name.len() <= 40
            && characters.next().is_some_and(|first| first.is_ascii_lowercase())
            && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if is_name { Ok(()) } else { Err(unknown(id, name)) }
    }
}

/// Has a plugin answer a question.
pub(crate) async fn ask(
    core: &Core,
    jobs: &Jobs,
    caller: &Caller,
    id: &PluginId,
    name: &str,
    request: AnalysisRequest,
) -> Result<Job> {
    let active = core.registry.active(id).await?;
    let mut described = described(&active).await?.into_iter();
    let question = described.find(|question| question.name == name);
    let question = question.ok_or_else(|| unknown(id, name))?;
    let parameters = checked(core, id, &question, request.parameters)?;
    let request = Request::PluginAnalysis {
        plugin: id.to_string(),
        version: active.plugin.version().to_string(),
        config: active.config.to_string(),
        as_of: as_of::to_days(request.as_of.unwrap_or(active.as_of)),
        analysis: question.name,
        parameters: parameters.to_string(),
    };
    jobs.create(core.records.ids().record_id(core.records.clock().now_ms()), caller, request).await
}

/// The parameters with their defaults, if they fit the question.
fn checked(core: &Core, id: &PluginId, question: &AnalysisDescription, parameters: Json) -> Result<Json> {
    let invalid = |problems: Vec<(String, Text)>| Error::InvalidParameters {
        plugin: id.clone(),
        analysis: question.name.clone(),
        problems,
    };
    let parameters = match parameters {
        Json::Null => json!({}),
        parameters => parameters,
    };
    if !parameters.is_object() {
        let reason = Text::new("is no object", "不是对象");
        return Err(invalid(vec![(String::new(), reason)]));
    }
    let schema = &question.parameters;
    let parameters = schema.with_defaults(parameters);
    let bytes = parameters.to_string().len();
    if bytes > PARAMETERS_BYTES_MAX {
        let reason = bilingual!(
            "has {bytes} bytes, at most {PARAMETERS_BYTES_MAX}",
            "共 {bytes} 字节，最多 {PARAMETERS_BYTES_MAX} 字节"
        );
        return Err(invalid(vec![(String::new(), reason)]));
    }
    let mut problems: Vec<_> =
        schema.problems(&parameters).into_iter().map(|problem| (problem.setting, problem.reason)).collect();
    if problems.is_empty() {
        let finds = |object: &_, published: &_| core.registry.finds(object, published);
        problems = names_problems(&core.records.schema(), &schema.names(&parameters), &finds);
    }
    if problems.is_empty() { Ok(parameters) } else { Err(invalid(problems)) }
}

async fn described(active: &Active) -> Result<Vec<AnalysisDescription>> {
    let (plugin, config): (Arc<Plugin>, _) = (Arc::clone(&active.plugin), active.config.to_string());
    blocking("asking the plugin for its analyses", move || job::describe(&plugin, &config)).await?
}

fn info(question: AnalysisDescription) -> AnalysisInfo {
    AnalysisInfo {
        parameters: question.parameters.as_json().clone(),
        name: question.name,
        label: question.label,
        description: question.description,
        dataset: question.dataset,
    }
}

fn unknown_result(plugin: &PluginId, analysis: &str, result: RecordId) -> Error {
    Error::UnknownAnalysisResult { plugin: plugin.clone(), analysis: analysis.to_owned(), result }
}

fn unknown(plugin: &PluginId, name: &str) -> Error {
    Error::UnknownAnalysis { plugin: plugin.clone(), analysis: name.chars().take(60).collect() }
}
