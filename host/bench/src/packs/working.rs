//! All that a plugin does for all customers, with the limits of a server: learning, giving every batch its scores and values, answering its questions.

use std::time::Duration;

use serde_json::json;
use trellis_plugin_host::manifest::Interface;
use trellis_plugin_host::{AnalysisDescription, CallStats, CancelFlag, Error, Plugin, Result};

use super::learning::{TODAY, context};
use super::tables::Stream;
use crate::figures::print;

/// A plugin with the rows and the configuration that it works with.
pub(crate) struct Subject<'a> {
    pub plugin: &'a Plugin,
    pub rows: &'a Stream,
    pub config: &'a str,
}

/// What a step took.
#[derive(Default)]
struct Took {
    cpu: Duration,
    memory_bytes: u64,
    beside: String,
}

impl Took {
    fn of(stats: &CallStats, beside: String) -> Self {
        Self { cpu: stats.cpu, memory_bytes: stats.memory_bytes_peak, beside }
    }

    fn add(&mut self, stats: &CallStats) {
        self.cpu += stats.cpu;
        self.memory_bytes = self.memory_bytes.max(stats.memory_bytes_peak);
    }
}

impl Subject<'_> {
    /// Does everything, printing each step. Gives the faults: what ended neither with a result nor with a word of the plugin against what it got.
    pub(crate) fn work(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let provides = &self.plugin.manifest().provides;
        if provides.contains(&Interface::Scoring) {
            faults.extend(self.told("learns scores", self.score()));
        }
        if provides.contains(&Interface::Segmentation) {
            faults.extend(self.told("learns segments", self.assign()));
        }
        if let Some(analysis) = self.plugin.analysis() {
            for question in analysis.describe(self.config).expect("descriptions") {
                faults.extend(self.told(&format!("answers {}", question.name), self.answer(&question)));
            }
        }
        faults
    }

    fn told(&self, step: &str, ended: Result<Vec<(&'static str, Took)>>) -> Option<String> {
        let step = format!("{} {step}", self.plugin.id());
        match ended {
            Ok(steps) => {
                for (part, Took { cpu, memory_bytes, beside }) in steps {
                    let memory = memory_bytes as f64 / 1_048_576.0;
                    print(
                        &format!("{step}{part}"),
                        cpu.as_secs_f64(),
                        "s",
                        &format!("{memory:.0} MiB{beside}"),
                    );
                }
                None
            }
            Err(Error::Plugin { error, .. }) => {
                println!("  {step}: says {error}");
                None
            }
            Err(fault) => {
                println!("  {step}: FAULT {fault}");
                Some(format!("{step}: {fault}"))
            }
        }
    }

    fn score(&self) -> Result<Vec<(&'static str, Took)>> {
        let scoring = self.plugin.scoring().expect("a plugin that scores");
        let (mut rows, at) = (self.rows.clone(), context(TODAY));
        let fitted = scoring.fit(&mut rows, self.config, &at, &CancelFlag::default())?;
        let described = scoring.describe(self.config)?;
        let mut all = Took::default();
        for batch in self.rows.batches() {
            let scored = scoring.score(&described, &fitted.model.bytes, batch.clone(), &at)?;
            assert!(scored.failed.is_empty(), "{}: {:?}", self.plugin.id(), scored.failed.first());
            all.add(&scored.stats);
        }
        Ok(learned(&fitted.stats, fitted.model.bytes.len(), all))
    }

    fn assign(&self) -> Result<Vec<(&'static str, Took)>> {
        let segmentation = self.plugin.segmentation().expect("a plugin that segments");
        let (mut rows, at) = (self.rows.clone(), context(TODAY));
        let fitted = segmentation.fit(&mut rows, self.config, &at, &CancelFlag::default())?;
        let described = segmentation.describe(self.config)?;
        let mut all = Took::default();
        for batch in self.rows.batches() {
            let assigned = segmentation.assign(&described, &fitted.model.bytes, batch.clone(), &at)?;
            assert!(assigned.failed.is_empty(), "{}: {:?}", self.plugin.id(), assigned.failed.first());
            all.add(&assigned.stats);
        }
        Ok(learned(&fitted.stats, fitted.model.bytes.len(), all))
    }

    /// A question with nothing said about it.
    fn answer(&self, question: &AnalysisDescription) -> Result<Vec<(&'static str, Took)>> {
        let analysis = self.plugin.analysis().expect("a plugin that answers");
        let mut rows = self.rows.at(question.dataset.as_deref());
        let parameters = question.parameters.with_defaults(json!({})).to_string();
        let never = CancelFlag::default();
        let answer =
            analysis.analyse(&question.name, &mut rows, &parameters, self.config, &context(TODAY), &never)?;
        Ok(vec![("", Took::of(&answer.stats, String::new()))])
    }
}

fn learned(stats: &CallStats, bytes: usize, given: Took) -> Vec<(&'static str, Took)> {
    vec![("", Took::of(stats, format!(", a model of {bytes} bytes"))), (", gives them to all", given)]
}
