//! Verdicts that break what the interface says about them.

use trellis_sdk::bindings::record_hook::exports::trellis::plugin::record_hook::Guest;
use trellis_sdk::lookups;
use trellis_sdk::{Change, Context, Fields, Result, Value, Verdict};

use crate::{Hostile, resources, sin_of_config};

pub(crate) const SINS: [&str; 14] = [
    "hook-few-verdicts",
    "hook-many-verdicts",
    "hook-undeclared-field",
    "hook-empty-patch",
    "hook-nan",
    "hook-no-message",
    "hook-bad-code",
    "hook-loop",
    "hook-memory",
    "hook-stack",
    "hook-trap",
    "hook-lookup-flood",
    "hook-huge-output",
    "hook-veto",
];

/// Traps on changes of a company that is called so, and accepts all others.
pub(crate) const POISON_CHANGE: &str = "poison-change";

impl Guest for Hostile {
    /// Accepts everything.
    fn before_save(changes: Vec<Change>, config: String, _: Context) -> Result<Vec<Verdict>> {
        let verdict = match sin_of_config(&config)?.as_str() {
            "hook-few-verdicts" => return Ok(vec![Verdict::Accept; changes.len().saturating_sub(1)]),
            "hook-many-verdicts" => return Ok(vec![Verdict::Accept; changes.len() + 1]),
            "hook-undeclared-field" => Verdict::patch(Fields::default().text("owner", "me")),
            "hook-empty-patch" => Verdict::patch(Fields::default()),
            "hook-nan" => Verdict::patch(Fields::default().set("company", Some(Value::Number(f64::NAN)))),
            "hook-no-message" => Verdict::veto("no", "", "不"),
            "hook-bad-code" => Verdict::veto("No!", "no", "不"),
            "hook-veto" => {
                Verdict::veto("company-missing", "name the company", "请填写公司").on_field("company")
            }
            "hook-loop" => resources::endless_loop(),
            "hook-memory" => resources::grow_memory(),
            "hook-stack" => {
                resources::use_up_stack();
                Verdict::Accept
            }
            "hook-trap" => crate::trap(),
            POISON_CHANGE if changes.iter().any(is_poison) => crate::trap(),
            "hook-lookup-flood" => {
                let open = r#"{"field":"status","op":"eq","value":"open"}"#;
                let answers = (0..200).filter(|_| lookups::count("case", open).is_ok()).count();
                Verdict::patch(Fields::default().text("company", format!("{answers} answers")))
            }
            "hook-huge-output" => Verdict::patch(Fields::default().text("company", "x".repeat(2 << 20))),
            _ => Verdict::Accept,
        };
        Ok(vec![verdict; changes.len()])
    }
}

fn is_poison(change: &Change) -> bool {
    change.after.text("company") == Some("poison")
}
