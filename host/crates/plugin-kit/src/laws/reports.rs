//! The laws of what plugins show: models and answers to questions. That a report is within its bounds is checked with every call; one that
//! is not counts as a fault.

use std::rc::Rc;

use serde_json::{Map, Value as Json};
use trellis_model::{Batch, Phrase, bilingual};
use trellis_plugin_host::{AnalysisDescription, LearnedBy};

use super::data::Flavour;
use super::random::Random;
use super::report::{Law, LawOutcome, LawReport};
use super::scalar::shown;
use super::subject::{Answer, Subject};
use super::trial::{POPULATION_ROWS, ROWS, Trial};
use crate::Function;
use crate::calls::{Input, ModelSource, interface_of};
use crate::golden::failure;

impl Trial<'_> {
    /// Each model that the plugin learns is shown, and twice alike.
    pub(super) fn shown_models(&self, function: Function) -> Vec<LawReport> {
        let provides = &self.caller.plugin.manifest().provides;
        let learners = provides.iter().filter_map(|interface| LearnedBy::named(interface.name()));
        let of_learner = |learned_by| match self.model_of(function, interface_of(learned_by)) {
            Ok(model) => {
                let input = Input::Shown { learned_by, model: ModelSource::Bytes(model) };
                self.laws(function, &[Law::NoFault, Law::SameAnswer], &self.single(function, input))
            }
            Err(report) => vec![report],
        };
        learners.flat_map(of_learner).collect()
    }

    /// Each question that the plugin describes is answered, twice alike, and however the rows are divided into batches.
    pub(super) fn questions(&self, function: Function) -> Vec<LawReport> {
        let described = self.caller.plugin.analysis().map(|guest| guest.describe(self.caller.config));
        match described {
            Some(Ok(questions)) => {
                questions.iter().flat_map(|question| self.question(function, question)).collect()
            }
            Some(Err(error)) => vec![skipped(function, failure(&error))],
            None => Vec::new(),
        }
    }

    fn question(&self, function: Function, question: &AnalysisDescription) -> Vec<LawReport> {
        let said = self.cases.said_with(&question.name).cloned();
        let said = said.unwrap_or_else(|| Json::Object(Map::new()));
        let complete = question.parameters.with_defaults(said.clone());
        if let Some(problem) = question.parameters.problems(&complete).first() {
            let name = &question.name;
            let why = bilingual!(
                "write a golden case of analysis `{name}`, its defaults are not enough: {problem}",
                "请编写分析 `{name}` 的标准用例，默认参数不完整：{problem}"
            );
            return vec![skipped(function, why)];
        }
        let input = |rows: Vec<Batch>| Input::Question {
            analysis: question.name.clone(),
            parameters: said.clone(),
            rows,
        };
        let customers = self.caller.plugin.manifest().customers().map(|dataset| dataset.name.as_str());
        // Rows of other datasets are the same for every call.
        if question.dataset.is_none() || question.dataset.as_deref() != customers {
            let laws = [Law::NoFault, Law::SameAnswer];
            return self.laws(function, &laws, &self.single(function, input(Vec::new())));
        }
        let ask = &|rows: Vec<Batch>| -> Answer { Ok(vec![self.caller.call(function, &input(rows))?]) };
        let make = |flavour: Flavour, rows: usize, random: &mut Random| {
            let rows = if rows == ROWS { POPULATION_ROWS } else { rows };
            let batch = Rc::new(self.data.batch(rows, flavour, function.name, random));
            let of = Rc::clone(&batch);
            Subject {
                rows,
                call: Box::new(move |rows| ask(vec![of.pick(rows)])),
                shown: Box::new(move |row| shown(&batch, row)),
            }
        };
        let mut reports = self.laws(function, &[Law::NoFault, Law::SameAnswer], &make);
        let of_other = Phrase::new("the same rows in two batches", "相同数据分两批");
        let outcome = self.in_two_batches(function, ask, of_other);
        reports.push(LawReport { law: Law::Splitting, function, outcome });
        reports
    }
}

fn skipped(function: Function, why: trellis_model::Text) -> LawReport {
    LawReport { law: Law::NoFault, function, outcome: LawOutcome::Skipped(why) }
}
