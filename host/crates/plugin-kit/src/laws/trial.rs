//! Which laws are tried on which function, with which data.

use serde_json::Value as Json;
use trellis_model::{Batch, Text, bilingual};
use trellis_plugin_host::HookChange;
use trellis_plugin_host::manifest::Interface;

use super::Options;
use super::data::{Data, Flavour, with_other_garbage};
use super::functions::model_answer;
use super::random::Random;
use super::report::{Broken, Law, LawOutcome, LawReport};
use super::subject::{Answer, Subject, compared, cuts};
use crate::Function;
use crate::calls::{Caller, Input, ModelSource};
use crate::golden::{Cases, failure};

/// Rows of a batch that laws are tried on.
pub(super) const ROWS: usize = 40;
/// Rows of a population that a model is learned from.
pub(super) const POPULATION_ROWS: usize = 200;

/// Tries the laws of a plugin.
pub(super) struct Trial<'a> {
    pub(super) caller: Caller<'a>,
    pub(super) data: &'a Data<'a>,
    pub(super) cases: &'a Cases,
    pub(super) options: &'a Options,
}

/// Makes up a subject of so many rows.
type Make<'a> = dyn Fn(Flavour, usize, &mut Random) -> Subject<'a> + 'a;

/// Why nothing could be tried of an interface.
pub(super) fn skipped(interface: Interface, why: &Text) -> Vec<LawReport> {
    let report =
        |function| LawReport { law: Law::NoFault, function, outcome: LawOutcome::Skipped(why.clone()) };
    Function::of(interface).map(report).collect()
}

impl<'a> Trial<'a> {
    pub(super) fn of(&self, interface: Interface) -> Vec<LawReport> {
        Function::of(interface).flat_map(|function| self.function(function)).collect()
    }

    fn function(&self, function: Function) -> Vec<LawReport> {
        let customers = matches!(function.interface, Interface::Segmentation | Interface::Scoring);
        match (function.interface, function.name) {
            (_, "describe") => {
                self.laws(function, &[Law::NoFault, Law::SameAnswer], &self.single(function, Input::Nothing))
            }
            (_, "fit") => {
                let mut reports =
                    self.laws(function, &[Law::NoFault, Law::SameAnswer], &self.learning(function));
                let learn = |batches| self.caller.fit(function.interface, batches).map(model_answer);
                let of_other =
                    trellis_model::Phrase::new("learning from the same rows in two batches", "分两批学习");
                let (law, outcome) = (Law::Splitting, self.in_two_batches(function, learn, of_other));
                reports.push(LawReport { law, function, outcome });
                reports
            }
            (_, "evaluate") => {
                let input = |rows| self.campaign(function, rows);
                self.laws(function, &[Law::NoFault, Law::SameAnswer], &self.whole(function, input))
            }
            (_, "rules") => match self.model(function) {
                Ok(model) => {
                    let input = Input::Model(ModelSource::Bytes(model));
                    self.laws(function, &[Law::NoFault, Law::SameAnswer], &self.single(function, input))
                }
                Err(report) => vec![report],
            },
            _ if customers => match self.model(function) {
                Ok(model) => {
                    let input = |rows| Input::Rows { model: ModelSource::Bytes(model.clone()), rows };
                    self.by_row(function, input)
                }
                Err(report) => vec![report],
            },
            (Interface::CampaignRules, _) => self.by_row(function, |rows| self.campaign(function, rows)),
            (Interface::RecordHook, _) => self.hooks(function),
            (Interface::ModelReport, _) => self.shown_models(function),
            (Interface::Analysis, _) => self.questions(function),
            _ => self.caller.plugin.manifest().service_workflow.as_ref().map_or_else(Vec::new, |used| {
                let laws = [Law::NoFault, Law::SameAnswer, Law::GrantedActions];
                self.laws(function, &laws, &self.items(function, used))
            }),
        }
    }

    fn random(&self, function: Function, law: Law, round: usize) -> Random {
        Random::new(self.options.seed, &format!("{function} {} {round}", law.name()))
    }

    /// Tries laws one after the other.
    pub(super) fn laws(&self, function: Function, laws: &[Law], make: &Make<'_>) -> Vec<LawReport> {
        let of = |law: &Law| {
            let outcome = match law {
                Law::NoFault => self.no_fault(function, make),
                Law::SameAnswer => {
                    self.rounds(function, *law, make, |subject, rows, _| subject.differs(rows))
                }
                Law::Splitting => self.rounds(function, *law, make, |subject, rows, random| {
                    // Fewer rows are each asked for alone: the cuts that broke it need not.
                    let alone = || (1..rows.len()).collect::<Vec<_>>();
                    subject.split(rows, &if rows.len() == ROWS { cuts(ROWS, random) } else { alone() })
                }),
                Law::GrantedActions => self.rounds(function, *law, make, |subject, rows, _| {
                    (subject.call)(rows).ok()?.iter().find_map(|answer| self.ungranted(answer))
                }),
                Law::NullsMeanNothing => return None,
            };
            Some(LawReport { law: *law, function, outcome })
        };
        laws.iter().filter_map(of).collect()
    }

    /// No rows, one, two, nulls, extremes, everything at once.
    fn no_fault(&self, function: Function, make: &Make<'_>) -> LawOutcome {
        let tries = [
            (Flavour::Usual, 0),
            (Flavour::Usual, 1),
            (Flavour::Usual, 2),
            (Flavour::Null, 3),
            (Flavour::Extreme, ROWS),
            (Flavour::Mixed, ROWS),
        ];
        for (round, (flavour, rows)) in tries.into_iter().enumerate() {
            let subject = make(flavour, rows, &mut self.random(function, Law::NoFault, round));
            let all = subject.all();
            if let Some(what) = subject.fault(&all) {
                let (rows, what) = subject.shrink(all, what, |rows| subject.fault(rows));
                return LawOutcome::Broken(Broken { seed: self.options.seed, what, rows });
            }
        }
        LawOutcome::Held(tries.len())
    }

    /// Tries a law on new data in each round. Where it is broken, `broken` is asked again with fewer rows.
    fn rounds(
        &self,
        function: Function,
        law: Law,
        make: &Make<'_>,
        broken: impl Fn(&Subject<'_>, &[usize], &mut Random) -> Option<Text>,
    ) -> LawOutcome {
        for round in 0..self.options.rounds {
            let mut random = self.random(function, law, round);
            let subject = make(Flavour::Mixed, ROWS, &mut random);
            let all = subject.all();
            if let Some(what) = broken(&subject, &all, &mut random) {
                let again = |rows: &[usize]| broken(&subject, rows, &mut random.clone());
                let (rows, what) = subject.shrink(all, what, again);
                return LawOutcome::Broken(Broken { seed: self.options.seed, what, rows });
            }
        }
        LawOutcome::Held(self.options.rounds)
    }

    /// A model to try other functions with, learned from usual rows.
    fn model(&self, function: Function) -> Result<Vec<u8>, LawReport> {
        self.model_of(function, function.interface)
    }

    /// A model that another interface learned, to try a function with.
    pub(super) fn model_of(&self, function: Function, learner: Interface) -> Result<Vec<u8>, LawReport> {
        let mut random = Random::new(self.options.seed, "model");
        let rows = self.data.batch(POPULATION_ROWS, Flavour::Usual, "fit", &mut random);
        self.caller.fit(learner, vec![rows]).map(|(model, _)| model).map_err(|error| {
            let why = bilingual!("there is no model: ", "没有模型：").then(&failure(&error));
            LawReport { law: Law::NoFault, function, outcome: LawOutcome::Skipped(why) }
        })
    }

    /// The laws of a function that looks at each row alone.
    fn by_row(&self, function: Function, input: impl Fn(Batch) -> Input) -> Vec<LawReport> {
        let make = |flavour, rows, random: &mut Random| {
            let batch = self.data.batch(rows, flavour, function.name, random);
            self.rows(function, batch, &input)
        };
        let mut laws = vec![Law::NoFault, Law::SameAnswer, Law::Splitting];
        laws.extend((function.name == "next-action").then_some(Law::GrantedActions));
        let mut reports = self.laws(function, &laws, &make);
        let law = Law::NullsMeanNothing;
        reports.push(LawReport { law, function, outcome: self.nulls(function, &input) });
        reports
    }

    fn nulls(&self, function: Function, input: &dyn Fn(Batch) -> Input) -> LawOutcome {
        for round in 0..self.options.rounds {
            let mut random = self.random(function, Law::NullsMeanNothing, round);
            let one = self.data.batch(ROWS, Flavour::Mixed, function.name, &mut random);
            let other = with_other_garbage(&one, &mut random);
            let (one, other) = (self.rows(function, one, input), self.rows(function, other, input));
            let broken = |rows: &[usize]| {
                let of_other = trellis_model::Phrase::new("other bytes at its nulls", "改变空值位置的内容后");
                compared(&(one.call)(rows), &(other.call)(rows), of_other)
            };
            if let Some(what) = broken(&one.all()) {
                let (rows, what) = one.shrink(one.all(), what, broken);
                return LawOutcome::Broken(Broken { seed: self.options.seed, what, rows });
            }
        }
        LawOutcome::Held(self.options.rounds)
    }

    /// A host passes rows in batches of whatever size: what is made of all of them may not depend on it.
    pub(super) fn in_two_batches(
        &self,
        function: Function,
        ask: impl Fn(Vec<Batch>) -> Answer,
        of_other: trellis_model::Phrase,
    ) -> LawOutcome {
        for round in 0..self.options.rounds {
            let mut random = self.random(function, Law::Splitting, round);
            let rows = self.data.batch(POPULATION_ROWS, Flavour::Mixed, function.name, &mut random);
            let (all, cut) = ((0..POPULATION_ROWS).collect::<Vec<_>>(), random.below(POPULATION_ROWS));
            let parts = all.split_at(cut);
            let parts = vec![rows.pick(parts.0), rows.pick(parts.1)];
            if let Some(what) = compared(&ask(vec![rows]), &ask(parts), of_other) {
                return LawOutcome::Broken(Broken { seed: self.options.seed, what, rows: Vec::new() });
            }
        }
        LawOutcome::Held(self.options.rounds)
    }

    fn hooks(&self, function: Function) -> Vec<LawReport> {
        let hooks = &self.caller.plugin.manifest().record_hooks;
        let of_hook = |hook: &'a trellis_plugin_host::manifest::RecordHookUse| {
            let make = |flavour, rows, random: &mut Random| {
                let change = |number: usize, random: &mut Random| {
                    let after = self.data.record(&hook.object, &hook.fields, flavour, number, random);
                    let before = random
                        .percent(60)
                        .then(|| self.data.fields(&hook.object, &hook.fields, flavour, random));
                    HookChange { after, before }
                };
                let changes: Vec<HookChange> = (0..rows).map(|number| change(number, random)).collect();
                self.changes(function, changes)
            };
            self.laws(function, &[Law::NoFault, Law::SameAnswer, Law::Splitting], &make)
        };
        hooks.iter().flat_map(of_hook).collect()
    }

    /// The first action in an answer that no entry of the manifest covers.
    fn ungranted(&self, answer: &Json) -> Option<Text> {
        let grants = &self.caller.plugin.manifest().actions;
        let covered = |action: &Json| {
            grants.iter().any(|grant| {
                let object = grant.object.as_ref().map(trellis_model::ObjectName::as_str);
                let fields = action.get("fields").and_then(Json::as_object);
                action.get("kind").and_then(Json::as_str) == Some(&grant.kind)
                    && (object.is_none() || object == action.get("object").and_then(Json::as_str))
                    && (object.is_none()
                        || fields.is_some_and(|fields| {
                            fields.keys().all(|name| grant.fields.iter().any(|field| field.as_str() == name))
                        }))
            })
        };
        let lists = answer.as_array().map_or_else(|| vec![answer], |parts| parts.iter().collect());
        let mut actions = lists.into_iter().filter_map(|part| part.get("actions")?.as_array()).flatten();
        let action = actions.find(|action| !covered(action))?.to_string();
        Some(bilingual!(
            "no `[[actions]]` entry of plugin.toml covers {action}",
            "plugin.toml 的 `[[actions]]` 未声明该动作：{action}"
        ))
    }
}
