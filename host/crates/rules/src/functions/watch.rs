//! Transitions: what a record entered and left.

use rhai::{Dynamic, Engine, ImmutableString, Map};
use trellis_model::bilingual;

use super::Evaluated;
use crate::call;
use crate::error::Fault;
use crate::input::Transition;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("entered", |value: ImmutableString| {
        moved("entered", |event| &event.to, |event| &event.from, &value)
    });
    engine.register_fn("left", |value: ImmutableString| {
        moved("left", |event| &event.from, |event| &event.to, &value)
    });
}

/// The script's `event`.
pub(crate) fn event(transition: &Transition) -> Map {
    let text = |value: &Option<String>| value.clone().map_or(Dynamic::UNIT, Dynamic::from);
    let entries = [
        ("watched", Dynamic::from(transition.watched.clone())),
        ("from", text(&transition.from)),
        ("to", text(&transition.to)),
        ("value", transition.value.map_or(Dynamic::UNIT, Dynamic::from_float)),
    ];
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

fn moved(
    function: &str,
    there: fn(&Transition) -> &Option<String>,
    elsewhere: fn(&Transition) -> &Option<String>,
    value: &str,
) -> Evaluated<bool> {
    call::with(|call| match &call.event {
        Some(event) => {
            Ok(there(event).as_deref() == Some(value) && elsewhere(event).as_deref() != Some(value))
        }
        None => Err(Fault::runtime(bilingual!(
            "`{function}` is for rules on transitions",
            "`{function}` 只能用于由变动触发的规则"
        ))),
    })
}
