//! Which laws are tried on which function, with which data.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use trellis_model::{Batch, FieldName, Text, Value, bilingual};
use trellis_plugin_host::manifest::{Interface, ServiceWorkflowUse};
use trellis_plugin_host::{Error, HookChange, Occurrence, WorkItem};

use super::Options;
use super::data::{Data, Flavour, with_other_garbage};
use super::random::Random;
use super::report::{Broken, Law, LawOutcome, LawReport};
use super::scalar::shown;
use super::subject::{Answer, Subject, compared, cuts};
use crate::Function;
use crate::calls::{Caller, Input, ModelSource};
use crate::golden::failure;

/// Rows of a batch that laws are tried on.
const ROWS: usize = 40;
/// Rows of a population that a model is learned from.
const POPULATION_ROWS: usize = 200;

/// Tries the laws of a plugin.
pub(super) struct Trial<'a> {
    pub(super) caller: Caller<'a>,
    pub(super) data: &'a Data<'a>,
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
                let (law, outcome) = (Law::Splitting, self.learned_in_parts(function));
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
    fn laws(&self, function: Function, laws: &[Law], make: &Make<'_>) -> Vec<LawReport> {
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
        let mut random = Random::new(self.options.seed, "model");
        let rows = self.data.batch(POPULATION_ROWS, Flavour::Usual, "fit", &mut random);
        self.caller.fit(function.interface, vec![rows]).map(|(model, _)| model).map_err(|error| {
            let why = bilingual!("there is no model: ", "没有模型：").then(&failure(&error));
            LawReport { law: Law::NoFault, function, outcome: LawOutcome::Skipped(why) }
        })
    }

    fn campaign(&self, function: Function, rows: Batch) -> Input {
        let mut random = Random::new(self.options.seed, "campaign");
        let object = "campaign".parse().expect("it is an object's name");
        let fields =
            self.caller.plugin.manifest().campaign_rules.as_ref().map(|used| used.campaign_fields.clone());
        let fields = fields.unwrap_or_default();
        let flavour = if function.name == "evaluate" { Flavour::Null } else { Flavour::Usual };
        Input::Campaign { campaign: self.data.record(&object, &fields, flavour, 0, &mut random), rows }
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

    fn rows<'s>(
        &'s self,
        function: Function,
        batch: Batch,
        input: &'s dyn Fn(Batch) -> Input,
    ) -> Subject<'s> {
        let rows = batch.rows as usize;
        let batch = std::rc::Rc::new(batch);
        let of = std::rc::Rc::clone(&batch);
        Subject {
            rows,
            call: Box::new(move |rows| list(self.caller.call(function, &input(of.pick(rows))))),
            shown: Box::new(move |row| shown(&batch, row)),
        }
    }

    /// A function that is called with all rows at once and gives one answer.
    fn whole<'s>(
        &'s self,
        function: Function,
        input: impl Fn(Batch) -> Input + Copy + 's,
    ) -> impl Fn(Flavour, usize, &mut Random) -> Subject<'s> + 's {
        move |flavour, rows, random| {
            let batch = std::rc::Rc::new(self.data.batch(rows, flavour, function.name, random));
            let of = std::rc::Rc::clone(&batch);
            Subject {
                rows,
                call: Box::new(move |rows| Ok(vec![self.caller.call(function, &input(of.pick(rows)))?])),
                shown: Box::new(move |row| shown(&batch, row)),
            }
        }
    }

    /// A host passes rows in batches of whatever size: the model may not depend on it.
    fn learned_in_parts(&self, function: Function) -> LawOutcome {
        for round in 0..self.options.rounds {
            let mut random = self.random(function, Law::Splitting, round);
            let rows = self.data.batch(POPULATION_ROWS, Flavour::Mixed, function.name, &mut random);
            let (all, cut) = ((0..POPULATION_ROWS).collect::<Vec<_>>(), random.below(POPULATION_ROWS));
            let parts = all.split_at(cut);
            let parts = vec![rows.pick(parts.0), rows.pick(parts.1)];
            let learn = |batches| self.caller.fit(function.interface, batches).map(model_answer);
            let of_other =
                trellis_model::Phrase::new("learning from the same rows in two batches", "分两批学习");
            if let Some(what) = compared(&learn(vec![rows]), &learn(parts), of_other) {
                return LawOutcome::Broken(Broken { seed: self.options.seed, what, rows: Vec::new() });
            }
        }
        LawOutcome::Held(self.options.rounds)
    }

    /// Learning: the answer is the model.
    fn learning<'s>(
        &'s self,
        function: Function,
    ) -> impl Fn(Flavour, usize, &mut Random) -> Subject<'s> + 's {
        move |flavour, rows, random| {
            let rows = if rows == ROWS { POPULATION_ROWS } else { rows };
            let batch = std::rc::Rc::new(self.data.batch(rows, flavour, function.name, random));
            let of = std::rc::Rc::clone(&batch);
            Subject {
                rows,
                call: Box::new(move |rows| {
                    self.caller.fit(function.interface, vec![of.pick(rows)]).map(model_answer)
                }),
                shown: Box::new(move |row| shown(&batch, row)),
            }
        }
    }

    /// A function without rows.
    fn single<'s>(
        &'s self,
        function: Function,
        input: Input,
    ) -> impl Fn(Flavour, usize, &mut Random) -> Subject<'s> + 's {
        move |_, _, _| {
            let input = input.clone();
            Subject {
                rows: 0,
                call: Box::new(move |_| Ok(vec![self.caller.call(function, &input)?])),
                shown: Box::new(|_| Json::Null),
            }
        }
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

    fn changes(&self, function: Function, changes: Vec<HookChange>) -> Subject<'_> {
        let changes = std::rc::Rc::new(changes);
        let of = std::rc::Rc::clone(&changes);
        Subject {
            rows: changes.len(),
            call: Box::new(move |rows| {
                let some = rows.iter().filter_map(|row| of.get(*row).cloned()).collect();
                list(self.caller.call(function, &Input::Changes(some)))
            }),
            shown: Box::new(move |row| {
                let change = changes.get(row);
                json!({
                    "after": change.map(|change| fields(&change.after.fields)),
                    "before": change.and_then(|change| change.before.as_ref()).map(fields),
                })
            }),
        }
    }

    /// Records that are worked on; what happened to each, for `on-event`. Each is a call of its own.
    fn items<'s>(
        &'s self,
        function: Function,
        used: &'s ServiceWorkflowUse,
    ) -> impl Fn(Flavour, usize, &mut Random) -> Subject<'s> + 's {
        move |flavour, rows, random| {
            let item = |number: usize| self.item(used, flavour, number, random);
            let inputs: Vec<Input> = (0..rows)
                .map(item)
                .map(|(item, event)| Input::Item {
                    item,
                    event: (function.name == "on-event").then_some(event),
                })
                .collect();
            let inputs = std::rc::Rc::new(inputs);
            let of = std::rc::Rc::clone(&inputs);
            Subject {
                rows,
                call: Box::new(move |rows| {
                    let inputs = rows.iter().filter_map(|row| of.get(*row));
                    inputs.map(|input| self.caller.call(function, input)).collect()
                }),
                shown: Box::new(move |row| match inputs.get(row) {
                    Some(Input::Item { item, event }) => {
                        json!({ "item": fields(&item.item.fields), "event": format!("{event:?}") })
                    }
                    _ => Json::Null,
                }),
            }
        }
    }

    fn item(
        &self,
        used: &ServiceWorkflowUse,
        flavour: Flavour,
        number: usize,
        random: &mut Random,
    ) -> (WorkItem, Occurrence) {
        let account = "account".parse().expect("it is an object's name");
        let item = self.data.record(&used.object, &used.fields, flavour, number, random);
        let account = random
            .percent(50)
            .then(|| self.data.record(&account, &used.account_fields, flavour, 10_000 + number, random));
        let event = if random.percent(20) {
            Occurrence::Timer("no-such-timer".to_owned())
        } else {
            let before = self.data.fields(&used.object, &used.fields, flavour, random);
            let changed = used.fields.iter().filter(|_| random.percent(50));
            Occurrence::Changed(changed.map(|name| (name.clone(), before.get(name).cloned())).collect())
        };
        (WorkItem { item, account }, event)
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

/// The answer of a function that gives one part a row.
fn list(answer: Result<Json, Error>) -> Answer {
    Ok(match answer? {
        Json::Array(parts) => parts,
        other => vec![other],
    })
}

fn fields(fields: &BTreeMap<FieldName, Value>) -> Json {
    Json::Object(fields.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect())
}

fn model_answer((model, answer): (Vec<u8>, Json)) -> Vec<Json> {
    vec![json!([digest(&model), answer])]
}

/// Tells models apart (FNV-1a).
fn digest(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}
