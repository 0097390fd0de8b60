//! What is told of a run: the result of its job, and the data of its `run.flipped` entry.

use serde_json::{Map, Value as Json, json};
use trellis_columns::{ColumnSource, Columns, DatasetSpec, PublishedState};
use trellis_model::{PluginId, Published, RecordId, Text};
use trellis_plugin_host::{Metric, Model};

use super::{
    evaluate::Tally, evaluator::PerInterface, gather::Made, ledger::RunRecord, plugin_run::RunInput,
};
use crate::{as_of, plugins::hex};

/// How long the parts of a run took, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Timings {
    /// Making the rows and keeping them.
    pub(super) features: f64,
    pub(super) fit: f64,
    /// Assigning and scoring.
    pub(super) assign: f64,
    /// Storing results and capsule.
    pub(super) store: f64,
    pub(super) flip: f64,
}

/// What the result of a run is made of.
pub(super) struct Report<'a> {
    pub(super) run: RecordId,
    pub(super) input: &'a RunInput,
    pub(super) record: &'a RunRecord,
    /// See [`about`].
    pub(super) models: &'a Json,
    pub(super) tally: &'a Tally,
    pub(super) capsule: &'a Made,
    pub(super) timings: &'a Timings,
    /// See [`inputs`].
    pub(super) inputs: Json,
}

impl Report<'_> {
    /// The result of the job without the figures of its results: those are known once it is flipped to.
    pub(super) fn result(&self) -> Json {
        let (record, tally) = (self.record, self.tally);
        let failed = tally.failed_rows.iter().map(
            |(ordinal, row)| json!({ "ordinal": ordinal, "code": row.code, "message": text(&row.message) }),
        );
        json!({
            "run": self.run.to_string(),
            "plugin": self.input.of.plugin.as_str(),
            "version": record.version,
            "digest": hex(&record.plugin_digest),
            "config": self.input.of.config,
            "as_of": as_of::text(self.input.of.as_of),
            "model": record.model,
            "models": self.models,
            "log": record.log_number,
            "position": record.position,
            "seed": record.seed.to_string(),
            "generation": record.generation,
            "baseline": record.baseline,
            "customers": tally.customers,
            "earlier_customers": tally.earlier,
            "failed": tally.failed,
            "failed_rows": failed.collect::<Vec<_>>(),
            "segmentations": null,
            "scores": null,
            "inputs": self.inputs,
            "outputs_digest": hex(&record.outputs_digest),
            "capsule": capsule(self.capsule),
            "timings_ms": {
                "features": self.timings.features,
                "fit": self.timings.fit,
                "assign": self.timings.assign,
                "store": self.timings.store,
                "flip": self.timings.flip,
            },
        })
    }
}

/// Adds the figures of the results that are current now; returns whether they were missing.
pub(super) fn add_figures(result: &mut Json, record: &RunRecord, columns: &Columns) -> bool {
    let Some(result) = result.as_object_mut() else { return false };
    if result.get("segmentations").is_some_and(Json::is_object) {
        return false;
    }
    let named = |names: &[String], figures: fn(&Columns, &str) -> Json| -> Json {
        names.iter().map(|name| (name.clone(), figures(columns, name))).collect::<Map<_, _>>().into()
    };
    result.insert("segmentations".to_owned(), named(&record.segmentations, segmentation));
    result.insert("scores".to_owned(), named(&record.scores, score));
    true
}

/// How the scores and segmentations of other plugins stand that a run reads, by name.
pub(super) fn inputs(columns: &Columns, spec: &DatasetSpec) -> Json {
    let state = |published: &Published| match columns.published_state(published) {
        PublishedState::Current => "current",
        PublishedState::Stale => "stale",
        PublishedState::Cleared => "cleared",
        PublishedState::Missing => "missing",
    };
    let read = spec.columns.iter().filter_map(|column| match column.source.seen() {
        ColumnSource::Published(published) => Some((published, column.source.seen() != &column.source)),
        _ => None,
    });
    let told = read.map(|(published, is_withheld)| {
        let state = if is_withheld { "withheld" } else { state(published) };
        (published.to_string(), state.into())
    });
    told.collect::<Map<_, _>>().into()
}

/// What is told about models: for each interface its summary, figures, size and digest.
pub(super) fn about(models: &PerInterface<Model>) -> Json {
    let metric = |metric: &Metric| json!({ "name": metric.name, "label": text(&metric.label), "unit": text(&metric.unit), "value": metric.value });
    let about = |model: &Model| {
        json!({
            "summary": text(&model.summary),
            "metrics": model.metrics.iter().map(metric).collect::<Vec<_>>(),
            "bytes": model.bytes.len(),
            "digest": hex(blake3::hash(&model.bytes).as_bytes()),
        })
    };
    models.iter().map(|(interface, model)| (interface.to_owned(), about(model))).collect::<Map<_, _>>().into()
}

/// What the log is told about a run.
pub(super) fn flip_data(plugin: &PluginId, record: &RunRecord) -> Json {
    let models = record.models.iter().map(|(interface, digest)| (interface.to_owned(), hex(digest).into()));
    json!({
        "plugin": plugin.as_str(),
        "version": record.version,
        "digest": hex(&record.plugin_digest),
        "model": record.model,
        "models": models.collect::<Map<_, _>>(),
        "outputs_digest": hex(&record.outputs_digest),
        "log": record.log_number,
        "position": record.position,
        "seed": record.seed.to_string(),
    })
}

/// What became of a capsule.
pub(crate) fn capsule(made: &Made) -> Json {
    match made {
        Ok((digest, bytes)) => json!({ "digest": hex(digest), "bytes": bytes }),
        Err(why) => json!({ "none": text(why) }),
    }
}

/// A text in both languages.
pub(crate) fn text(text: &Text) -> Json {
    json!({ "en": text.en, "zh-CN": text.zh_cn })
}

fn segmentation(columns: &Columns, name: &str) -> Json {
    let info = columns.segmentation(name);
    let counts = info.iter().flat_map(|info| &info.counts);
    let counts = counts.map(|count| (count.value.clone(), count.count.into())).collect::<Map<_, _>>();
    json!({ "values": counts, "null": info.as_ref().map(|info| info.null_count) })
}

fn score(columns: &Columns, name: &str) -> Json {
    let info = columns.score(name);
    let bands = info.iter().flat_map(|info| &info.bands);
    let bands = bands.map(|count| (count.value.clone(), count.count.into())).collect::<Map<_, _>>();
    json!({
        "count": info.as_ref().map(|info| info.count),
        "null": info.as_ref().map(|info| info.null_count),
        "minimum": info.as_ref().and_then(|info| info.minimum),
        "maximum": info.as_ref().and_then(|info| info.maximum),
        "mean": info.as_ref().and_then(|info| info.mean),
        "bands": bands,
    })
}
