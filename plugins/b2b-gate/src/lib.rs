//! Money, authority, need (R16): a lead is converted only once it has all three, or somebody says why it is all the same.

mod criteria;

use serde::Deserialize;
use trellis_sdk::{Change, Context, Fields, RecordHook, Result, Verdict, export_record_hook};

pub use criteria::{Criterion, Grade};

/// The plugin.
#[derive(Debug)]
pub struct B2bGate;

/// What an admin can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What a lead must have.
    pub required: Vec<Criterion>,
    /// The grade that is enough.
    pub least: Grade,
    /// Characters that a reason for an exception has at least.
    pub override_characters_min: usize,
    /// Whether a contacted lead that comes to have all of them becomes qualified.
    pub qualify_automatically: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            required: Criterion::ALL.to_vec(),
            least: Grade::Yes,
            override_characters_min: 10,
            qualify_automatically: true,
        }
    }
}

impl RecordHook for B2bGate {
    type Config = Config;

    fn before_save(change: &Change, config: &Config, _: &Context) -> Result<Verdict> {
        if change.becomes("status", "converted") {
            return Ok(convert(change, config));
        }
        let all = config.missing(change).is_empty() && !config.required.is_empty();
        let graded = config.required.iter().any(|criterion| change.changes(criterion.field()));
        let contacted = change.after.choice("status") == Some("contacted");
        if config.qualify_automatically && all && graded && contacted {
            return Ok(Verdict::patch(Fields::default().choice("status", "qualified")));
        }
        Ok(Verdict::Accept)
    }
}

export_record_hook!(B2bGate);

/// May the lead be converted?
fn convert(change: &Change, config: &Config) -> Verdict {
    let missing = config.missing(change);
    let Some((first, _)) = missing.first() else { return Verdict::Accept };
    let reason = change.after.text("qualification_override").unwrap_or_default();
    if reason.trim().chars().count() >= config.override_characters_min {
        return Verdict::Accept;
    }
    let in_english: Vec<String> = missing
        .iter()
        .map(|(criterion, grade)| format!("{} ({})", criterion.words().0, grade.words().0))
        .collect();
    let in_chinese: Vec<String> = missing
        .iter()
        .map(|(criterion, grade)| format!("{}（{}）", criterion.words().1, grade.words().1))
        .collect();
    let least = config.override_characters_min;
    let en = format!(
        "The lead cannot be converted yet: {}. Confirm what is missing, or give a reason for the exception of at least {least} characters.",
        in_english.join(", ")
    );
    let zh_cn = format!(
        "线索暂时不能转化：{}。请先确认所缺条件，或填写不少于 {least} 个字的例外理由。",
        in_chinese.join("、")
    );
    Verdict::veto(first.code(), en, zh_cn).on_field(first.field())
}

impl Config {
    /// What the lead does not have, as far as it goes, in the order money, authority, need.
    fn missing(&self, change: &Change) -> Vec<(Criterion, Grade)> {
        let graded = Criterion::ALL.into_iter().filter(|criterion| self.required.contains(criterion));
        let graded = graded.map(|criterion| (criterion, Grade::of(change.after.choice(criterion.field()))));
        graded.filter(|(_, grade)| *grade < self.least).collect()
    }
}
