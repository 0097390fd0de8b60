use crate::{FieldName, Text};

/// When two records of an object are taken for the same: R185. What then happens is a [`DuplicateRule`]'s word.
///
/// Candidates are the records that agree in one of `block_on`; their score is the sum of the weights of `compare`, each times how alike
/// the values are (0 to 1; 0 where one is missing).
#[derive(Debug, Clone, PartialEq)]
pub struct MatchingRule {
    /// Its API name.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// What is compared.
    pub compare: Vec<MatchField>,
    /// Fields of `compare` by which candidates are found: equal after what the method makes of them, for `fuzzy` after `normalised`.
    pub block_on: Vec<FieldName>,
    /// The score from which on two records are taken for the same.
    pub threshold: f64,
}

/// A comparison of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchField {
    /// The field.
    pub field: FieldName,
    /// How it is compared.
    pub method: MatchMethod,
    /// The most that it adds to the score.
    pub weight: f64,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchMethod {
    /// Equal as they are.
    Exact,
    /// Equal without case, width, accents, punctuation and spaces.
    Normalised,
    /// Equal as E.164 numbers; the record's country, otherwise the organisation's, says what a number without prefix means.
    Phone,
    /// Equal as normalised company names without what says their legal form (`Ltd.`, `GmbH`, `有限公司`) and place (`（中国）`).
    Company,
    /// Equal as names of people: normalised, a Chinese name also by pinyin, given and family name in either order.
    Person,
    /// Jaro-Winkler similarity of the normalised texts.
    Fuzzy,
}

/// What happens when a record that is saved looks like another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateRule {
    /// The matching rule.
    pub matching_rule: FieldName,
    /// When a record is created.
    pub on_create: DuplicateAction,
    /// When one of the compared fields is changed.
    pub on_update: DuplicateAction,
    /// When it comes from an import.
    pub on_import: DuplicateAction,
}

/// What happens then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DuplicateAction {
    /// Nothing; the background scan may find the pair.
    #[default]
    Allow,
    /// It is saved, the answer names what it looks like, and the pair goes to the queue.
    Warn,
    /// It is not saved unless the caller says so.
    Block,
}

impl MatchMethod {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Exact, Self::Normalised, Self::Phone, Self::Company, Self::Person, Self::Fuzzy];

    /// Its API name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalised => "normalised",
            Self::Phone => "phone",
            Self::Company => "company",
            Self::Person => "person",
            Self::Fuzzy => "fuzzy",
        }
    }
}

impl DuplicateAction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Warn, Self::Block];

    /// Its API name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}
