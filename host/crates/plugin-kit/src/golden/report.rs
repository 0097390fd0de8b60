//! What came of golden cases.

use serde_json::{Value as Json, json};
use trellis_model::{Text, bilingual};

use super::Difference;
use crate::answers;

/// What came of the golden cases of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Each case, in the order of their names.
    pub cases: Vec<CaseReport>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// What it shows, in its author's words; may be empty.
    pub title: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is the expected one.
    Passed,
    /// It is another.
    Differs(Vec<Difference>),
    /// There is no answer: the call failed.
    Failed(Text),
    /// The case itself does not say what it should.
    Unusable(Text),
    /// Time was up before it.
    NotRun,
}

impl Report {
    /// Whether every case passed; also where there is none.
    pub fn passed(&self) -> bool {
        self.passed_count() == self.cases.len()
    }

    /// How many passed.
    pub fn passed_count(&self) -> usize {
        self.cases.iter().filter(|case| case.outcome == Outcome::Passed).count()
    }

    /// The whole in a sentence.
    pub fn summary(&self) -> Text {
        let (passed, all) = (self.passed_count(), self.cases.len());
        match all {
            0 => Text::new("the plugin carries no golden cases", "该插件未附带标准用例"),
            _ if passed == all => {
                bilingual!("all {all} golden cases passed", "{all} 个标准用例全部通过")
            }
            _ => bilingual!("{passed} of {all} golden cases passed", "{all} 个标准用例中有 {passed} 个通过"),
        }
    }

    /// The report as the API and `--json` show it.
    pub fn to_json(&self) -> Json {
        let case = |case: &CaseReport| {
            let texts = case.outcome.texts();
            json!({
                "name": case.name,
                "title": case.title,
                "passed": case.outcome == Outcome::Passed,
                "problems": texts.iter().map(answers::text).collect::<Vec<_>>(),
            })
        };
        json!({
            "passed": self.passed(),
            "summary": answers::text(&self.summary()),
            "cases": self.cases.iter().map(case).collect::<Vec<_>>(),
        })
    }
}

impl Outcome {
    /// What is wrong; nothing where the case passed.
    pub fn texts(&self) -> Vec<Text> {
        match self {
            Self::Passed => Vec::new(),
            Self::Differs(differences) => differences.iter().map(Difference::text).collect(),
            Self::Failed(text) | Self::Unusable(text) => vec![text.clone()],
            Self::NotRun => vec![Text::new("not run: time was up", "未运行：时间已用完")],
        }
    }
}
