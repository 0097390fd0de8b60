//! Laws, and what came of trying them.

use serde_json::{Value as Json, json};
use trellis_model::{Text, bilingual};

use crate::{Function, answers};

/// What every plugin has to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// No input that a host can send ends in a fault.
    NoFault,
    /// The same input gives the same answer.
    SameAnswer,
    /// What a batch is cut into changes no row's answer.
    Splitting,
    /// What stands at a null row means nothing.
    NullsMeanNothing,
    /// Only actions that the manifest names are returned.
    GrantedActions,
}

impl Law {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoFault => "no-fault",
            Self::SameAnswer => "same-answer",
            Self::Splitting => "splitting",
            Self::NullsMeanNothing => "nulls-mean-nothing",
            Self::GrantedActions => "granted-actions",
        }
    }

    /// What it says.
    pub fn text(self) -> Text {
        match self {
            Self::NoFault => Text::new(
                "no rows, single rows, nulls and extreme values end in no fault",
                "空批次、单行、空值和极端值都不会导致故障",
            ),
            Self::SameAnswer => Text::new("the same input gives the same answer", "相同的输入得到相同的结果"),
            Self::Splitting => {
                Text::new("splitting a batch changes no row's answer", "拆分批次不改变任何一行的结果")
            }
            Self::NullsMeanNothing => {
                Text::new("what stands in the place of a null changes nothing", "空值位置上的内容不影响结果")
            }
            Self::GrantedActions => {
                Text::new("every action is one that plugin.toml names", "返回的动作都在 plugin.toml 中声明")
            }
        }
    }
}

/// What came of a law for one function.
#[derive(Debug, Clone, PartialEq)]
pub struct LawReport {
    /// The law.
    pub law: Law,
    /// The function.
    pub function: Function,
    /// What came of it.
    pub outcome: LawOutcome,
}

/// What came of a law.
#[derive(Debug, Clone, PartialEq)]
pub enum LawOutcome {
    /// It held, in so many tries.
    Held(usize),
    /// It was broken.
    Broken(Broken),
    /// It could not be tried.
    Skipped(Text),
}

/// How a law was broken.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// The seed that gives the same data again.
    pub seed: u64,
    /// What happened.
    pub what: Text,
    /// The fewest rows or changes with which it happens, as golden cases write them.
    pub rows: Vec<Json>,
}

impl LawReport {
    /// Whether nothing is wrong.
    pub fn passed(&self) -> bool {
        !matches!(self.outcome, LawOutcome::Broken(_))
    }

    /// The report as `--json` shows it.
    pub fn to_json(&self) -> Json {
        let mut json = json!({
            "law": self.law.name(),
            "says": answers::text(&self.law.text()),
            "function": self.function.to_string(),
            "passed": self.passed(),
        });
        let more = match &self.outcome {
            LawOutcome::Held(tries) => json!({ "tries": tries }),
            LawOutcome::Skipped(why) => json!({ "skipped": answers::text(why) }),
            LawOutcome::Broken(broken) => {
                json!({ "seed": broken.seed, "problem": answers::text(&broken.what), "rows": broken.rows })
            }
        };
        if let (Some(json), Json::Object(more)) = (json.as_object_mut(), more) {
            json.extend(more);
        }
        json
    }

    /// The report in a line or a few, in both languages.
    pub fn text(&self) -> Text {
        let (law, function) = (self.law.name(), self.function);
        match &self.outcome {
            LawOutcome::Held(tries) => {
                bilingual!(
                    "{function}: {law} held in {tries} tries",
                    "{function}：{law} 成立（尝试 {tries} 次）"
                )
            }
            LawOutcome::Skipped(why) => {
                bilingual!("{function}: {law} was not tried: ", "{function}：未检验 {law}：").then(why)
            }
            LawOutcome::Broken(broken) => {
                let seed = broken.seed;
                bilingual!(
                    "{function}: {law} is broken (seed {seed}): ",
                    "{function}：违反 {law}（种子 {seed}）："
                )
                .then(&broken.what)
            }
        }
    }
}
