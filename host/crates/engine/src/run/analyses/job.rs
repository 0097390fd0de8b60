//! The job that answers a question.

use std::time::Instant;

use serde_json::{Value as Json, json};
use trellis_model::{Language, PluginId, RecordId, Text, bilingual};
use trellis_plugin_host::{AnalysisDescription, Plugin};

use super::stored::{self, Answer, Answered};
use crate::{
    Error, Result, as_of,
    core::Core,
    jobs::{Running, StoredActor},
    run::{
        FitInput, context,
        copied::{Call, Copied},
        datasets::NoRows,
        evaluator,
        source::{Opens, Rows, Source},
        spec,
    },
    supervision,
};

/// What is asked, all of it decided.
#[derive(Debug, Clone)]
pub(crate) struct AnalysisInput {
    pub(crate) of: FitInput,
    pub(crate) analysis: String,
    /// JSON, defaults filled in.
    pub(crate) parameters: String,
}

/// Asks a plugin for its questions.
pub(super) fn describe(plugin: &Plugin, config: &str) -> Result<Vec<AnalysisDescription>> {
    let analysis = plugin.analysis().ok_or_else(|| Error::not_offered(plugin.id(), "analysis"))?;
    Ok(analysis.describe(config)?)
}

/// Checks that a plugin has the questions that it is to be asked.
///
/// # Errors
/// [`Error::InvalidSettings`] with the first that it does not have.
pub(crate) fn check_asked(plugin: &Plugin, config: &str, asked: &[String]) -> Result<()> {
    if asked.is_empty() {
        return Ok(());
    }
    let known: Vec<String> = describe(plugin, config)?.into_iter().map(|question| question.name).collect();
    let Some(missing) = asked.iter().find(|name| !known.contains(name)) else { return Ok(()) };
    let known = known.join(", ");
    Err(Error::InvalidSettings {
        plugin: plugin.id().clone(),
        reason: bilingual!(
            "`schedule.analyses`: the plugin has no analysis `{missing}`; it has {known}",
            "`schedule.analyses`：该插件没有分析 `{missing}`；可用的分析：{known}"
        ),
    })
}

/// Answers a question; called again with the same job where a stop of the server interrupted it. Names the answer and no more of it: whoever
/// deletes the answer leaves nothing of it with the job.
pub(crate) fn analyse(core: &Core, job: &Running<'_>, input: &AnalysisInput) -> Result<Json> {
    let (records, id, name) = (&core.records, &input.of.plugin, input.analysis.as_str());
    let Answered { result, version, rows } = match job.wait(stored::answered(records, job.id()))? {
        Some(answered) => answered,
        None => ask(core, job, input)?,
    };
    let result = RecordId(uuid::Uuid::from_bytes(result));
    job.wait(stored::prune(records, id, name, core.config.analysis_results_max, result))?;
    Ok(json!({
        "plugin": id.as_str(),
        "version": version,
        "analysis": name,
        "result": result.to_string(),
        "rows": rows,
    }))
}

fn ask(core: &Core, job: &Running<'_>, input: &AnalysisInput) -> Result<Answered> {
    let began = Instant::now();
    let FitInput { plugin: id, version, config, as_of } = &input.of;
    // Since it was asked the plugin may have been disabled or removed.
    core.registry.check_enabled(id)?;
    let (plugin, config) = (job.wait(core.registry.version(id, version))?, config.to_string());
    let question = describe(&plugin, &config)?.into_iter().find(|question| question.name == input.analysis);
    let question = question
        .ok_or_else(|| Error::UnknownAnalysis { plugin: id.clone(), analysis: input.analysis.clone() })?;
    let at = context::of(core, job.id(), *as_of);
    let call = Call { core, job, plugin: &plugin, config: &config, as_of: *as_of, at: &at };
    let specs = spec::all_granted(core, plugin.manifest(), &config)?;
    let personal = core.registry.sees_personal(&spec::configured(plugin.manifest(), &config)?);
    let opened = Copied::begin(call, specs, question.dataset.clone())?;
    let mut source = own(&opened, id)?;
    let analysis = plugin.analysis().expect("it described its questions");
    let analysed = analysis.analyse(
        &question.name,
        &mut Rows::new(source.as_mut(), &opened),
        &input.parameters,
        &config,
        &at,
        job.cancel_plugin(),
    )?;
    job.check()?;
    evaluator::log(&plugin, &analysed.logs);
    let report = analysed.report;
    let answer = Answer {
        job: *job.id().as_bytes(),
        version: version.to_string(),
        plugin_digest: *plugin.digest().as_bytes(),
        label: (question.label.en, question.label.zh_cn),
        config_digest: *blake3::hash(config.as_bytes()).as_bytes(),
        parameters: input.parameters.clone(),
        as_of: as_of::to_days(*as_of),
        log_number: opened.log_number,
        log_until: opened.log_until(),
        rows: opened.reading.rows(),
        personal,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        answered_at_ms: core.records.clock().now_ms(),
        asked_by: StoredActor::from(&job.caller().actor),
        summary: (report.summary.en.clone(), report.summary.zh_cn.clone()),
    };
    let answered = job.wait(stored::put(core, job, (id, &input.analysis), (&answer, &report)))?;
    for warning in &report.warnings {
        let subject = warned(&plugin.manifest().name, warning);
        job.wait(supervision::notify(core, id, &subject, None))?;
    }
    Ok(answered)
}

/// What administrators are told of a warning.
fn warned(plugin: &Text, warning: &Text) -> Text {
    let of = |language| (plugin.get(language).to_owned(), warning.get(language).to_owned());
    let ((plugin, text), (plugin_zh, text_zh)) = (of(Language::En), of(Language::ZhCn));
    Text::new(format!("{plugin}: {text}"), format!("{plugin_zh}：{text_zh}"))
}

/// The rows that the question is about; none where it is about none.
fn own(opened: &Copied<'_>, plugin: &PluginId) -> Result<Box<dyn Source>> {
    let Some(name) = opened.own() else { return Ok(Box::new(NoRows)) };
    opened.open(name)?.ok_or_else(|| Error::CannotRun {
        plugin: plugin.clone(),
        reason: bilingual!("its manifest declares no dataset `{name}`", "其清单未声明数据集 `{name}`"),
    })
}
