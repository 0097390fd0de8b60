//! `veto`: a before-save rule's way of refusing.

use rhai::{Dynamic, Engine, ImmutableString};
use trellis_model::bilingual;

use super::options::{code, message};
use super::{Evaluated, record::known_field};
use crate::call::{self, ensure_room};
use crate::error::Fault;
use crate::input::RuleVeto;

/// The code of a veto that names none.
const CODE: &str = "refused";

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("veto", |text: Dynamic| veto(None, CODE, &text));
    engine.register_fn("veto", |field: ImmutableString, text: Dynamic| veto(Some(&field), CODE, &text));
    engine.register_fn("veto", |field: ImmutableString, code: ImmutableString, text: Dynamic| {
        veto(Some(&field), &code, &text)
    });
}

/// Several vetoes add up: whoever saves sees everything that is wrong at once.
fn veto(field: Option<&str>, name: &str, text: &Dynamic) -> Evaluated<()> {
    call::with(|call| {
        if !call.before_save {
            return Err(Fault::runtime(bilingual!(
                "`veto` is for rules that run before saving",
                "`veto` 只能用于保存前的规则"
            )));
        }
        ensure_room(call.vetoes.len(), call.limits.vetoes_max, "vetoes_max")?;
        let field = field.map(|name| known_field(call, name)).transpose()?;
        call.vetoes.push(RuleVeto { field, code: code(name)?, message: message("veto", text)? });
        Ok(())
    })
}
