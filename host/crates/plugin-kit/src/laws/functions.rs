//! The functions of a plugin as subjects of laws: what each is called with, and what counts as its answer.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value as Json, json};
use trellis_model::{Batch, FieldName, Value};
use trellis_plugin_host::manifest::ServiceWorkflowUse;
use trellis_plugin_host::{Error, HookChange, Occurrence, WorkItem};

use super::data::Flavour;
use super::random::Random;
use super::scalar::shown;
use super::subject::{Answer, Subject};
use super::trial::{POPULATION_ROWS, ROWS, Trial};
use crate::Function;
use crate::calls::Input;

impl Trial<'_> {
    pub(super) fn campaign(&self, function: Function, rows: Batch) -> Input {
        let mut random = Random::new(self.options.seed, "campaign");
        let object = "campaign".parse().expect("it is an object's name");
        let fields =
            self.caller.plugin.manifest().campaign_rules.as_ref().map(|used| used.campaign_fields.clone());
        let fields = fields.unwrap_or_default();
        let flavour = if function.name == "evaluate" { Flavour::Null } else { Flavour::Usual };
        Input::Campaign { campaign: self.data.record(&object, &fields, flavour, 0, &mut random), rows }
    }

    pub(super) fn rows<'s>(
        &'s self,
        function: Function,
        batch: Batch,
        input: &'s dyn Fn(Batch) -> Input,
    ) -> Subject<'s> {
        let rows = batch.rows as usize;
        let batch = Rc::new(batch);
        let of = Rc::clone(&batch);
        Subject {
            rows,
            call: Box::new(move |rows| list(self.caller.call(function, &input(of.pick(rows))))),
            shown: Box::new(move |row| shown(&batch, row)),
        }
    }

    /// A function that is called with all rows at once and gives one answer.
    pub(super) fn whole<'s>(
        &'s self,
        function: Function,
        input: impl Fn(Batch) -> Input + Copy + 's,
    ) -> impl Fn(Flavour, usize, &mut Random) -> Subject<'s> + 's {
        move |flavour, rows, random| {
            let batch = Rc::new(self.data.batch(rows, flavour, function.name, random));
            let of = Rc::clone(&batch);
            Subject {
                rows,
                call: Box::new(move |rows| Ok(vec![self.caller.call(function, &input(of.pick(rows)))?])),
                shown: Box::new(move |row| shown(&batch, row)),
            }
        }
    }

    /// Learning: the answer is the model.
    pub(super) fn learning<'s>(
        &'s self,
        function: Function,
    ) -> impl Fn(Flavour, usize, &mut Random) -> Subject<'s> + 's {
        move |flavour, rows, random| {
            let rows = if rows == ROWS { POPULATION_ROWS } else { rows };
            let batch = Rc::new(self.data.batch(rows, flavour, function.name, random));
            let of = Rc::clone(&batch);
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
    pub(super) fn single<'s>(
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

    pub(super) fn changes(&self, function: Function, changes: Vec<HookChange>) -> Subject<'_> {
        let changes = Rc::new(changes);
        let of = Rc::clone(&changes);
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
    pub(super) fn items<'s>(
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
            let inputs = Rc::new(inputs);
            let of = Rc::clone(&inputs);
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

pub(super) fn model_answer((model, answer): (Vec<u8>, Json)) -> Vec<Json> {
    vec![json!([digest(&model), answer])]
}

/// Tells models apart (FNV-1a).
fn digest(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}
