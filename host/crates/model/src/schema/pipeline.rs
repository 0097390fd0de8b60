use crate::{FieldName, Filter, Text};

/// A way that records go through the values of a choice: R110, R111.
///
/// A record may enter a stage once the `required` fields of all stages before it have values and their required tasks are done. A stage
/// that loses the record ([`Outcome::Lost`]) may be entered at any time, but for its own required fields. Moving back asks for nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Its API name.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// The choice whose values are the stages.
    pub stage: FieldName,
    /// Which records follow it; the first pipeline that matches counts. None is all.
    pub when: Option<Filter>,
    /// The time that is set whenever the stage changes.
    pub entered_at: Option<FieldName>,
    /// The number (percent) that is set to the stage's probability when the stage changes and the same save does not set it.
    pub probability: Option<FieldName>,
    /// The list of texts that holds the names of the tasks that are done.
    pub tasks_done: Option<FieldName>,
    /// The day or moment that is set when the record enters a stage that ends it (won or lost) and the same save does not set it;
    /// emptied when the record is under way again.
    pub closed_at: Option<FieldName>,
    /// In the order in which records go through them.
    pub stages: Vec<Stage>,
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The option of the choice.
    pub value: String,
    /// What this stage is to achieve.
    pub goal: Text,
    /// What is to be done in it.
    pub tasks: Vec<StageTask>,
    /// Fields without which a record does not leave it.
    pub required: Vec<FieldName>,
    /// How likely a record in it is to be won, in percent.
    pub probability: Option<f64>,
    /// After how many days in it a record is overdue.
    pub days_max: Option<u32>,
    /// What it means to be in it.
    pub outcome: Outcome,
}

/// Something to do in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageTask {
    /// Its API name within the stage.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// Whether a record does not leave the stage before it is done.
    pub required: bool,
}

/// What it means to be in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Outcome {
    /// Under way.
    #[default]
    Open,
    /// Ended well.
    Won,
    /// Ended badly.
    Lost,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Won, Self::Lost];

    /// Its API name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}
