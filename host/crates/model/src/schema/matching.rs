use crate::{FieldName, FieldType, ObjectDefinition, Text, bilingual};

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

/// Matching rules of an object.
const RULES_MAX: usize = 10;
/// Fields that a matching rule compares.
const COMPARED_MAX: usize = 20;

impl MatchingRule {
    /// Checks the rule against its object.
    pub(super) fn validate(&self, object: &ObjectDefinition) -> Result<(), Text> {
        if !(1..=COMPARED_MAX).contains(&self.compare.len()) {
            return Err(bilingual!(
                "compares not 1 to {COMPARED_MAX} fields",
                "比较的字段数须为 1 到 {COMPARED_MAX}"
            ));
        }
        for (place, compared) in self.compare.iter().enumerate() {
            compared.validate(object)?;
            let name = &compared.field;
            if self.compare.iter().take(place).any(|other| other.field == *name) {
                return Err(bilingual!("compares field `{name}` twice", "重复比较字段 `{name}`"));
            }
        }
        let reachable: f64 = self.compare.iter().map(|compared| compared.weight).sum();
        let threshold = self.threshold;
        if !(threshold > 0.0 && threshold <= reachable) {
            return Err(bilingual!(
                "threshold {threshold} is not above 0 and at most {reachable}, the sum of the weights",
                "阈值 {threshold} 须大于 0 且不超过权重之和 {reachable}"
            ));
        }
        if self.block_on.is_empty() {
            return Err(Text::new("no field to find candidates by", "没有用于查找候选记录的字段"));
        }
        match self.block_on.iter().find(|name| self.compare.iter().all(|compared| compared.field != **name)) {
            Some(name) => Err(bilingual!(
                "finds candidates by `{name}`, which it does not compare",
                "用于查找候选记录的 `{name}` 未参与比较"
            )),
            None => Ok(()),
        }
    }
}

impl MatchField {
    fn validate(&self, object: &ObjectDefinition) -> Result<(), Text> {
        let name = &self.field;
        let Some(field) = object.field(name.as_str()) else {
            return Err(bilingual!("compares `{name}`, which is no field", "比较的 `{name}` 不是字段"));
        };
        let (method, field_type) = (self.method.name(), field.field_type.name());
        let fits = field.computed.is_none()
            && match self.method {
                MatchMethod::Exact => field.field_type.is_sortable(),
                _ => matches!(field.field_type, FieldType::Text { .. }),
            };
        if !fits {
            return Err(bilingual!(
                "field `{name}` ({field_type}) cannot be compared as {method}",
                "字段 `{name}`（{field_type}）不能按 {method} 比较"
            ));
        }
        if !(self.weight.is_finite() && self.weight > 0.0) {
            let weight = self.weight;
            return Err(bilingual!(
                "weight {weight} of field `{name}` is not above 0",
                "字段 `{name}` 的权重 {weight} 须大于 0"
            ));
        }
        Ok(())
    }
}

/// Checks the matching and duplicate rules of an object.
pub(super) fn validate(object: &ObjectDefinition) -> Result<(), Text> {
    if object.matching_rules.len() > RULES_MAX {
        return Err(bilingual!("more than {RULES_MAX} matching rules", "匹配规则超过 {RULES_MAX} 条"));
    }
    for (place, rule) in object.matching_rules.iter().enumerate() {
        let name = &rule.name;
        if object.matching_rules.iter().take(place).any(|other| other.name == *name) {
            return Err(bilingual!("matching rule `{name}` is there twice", "匹配规则 `{name}` 重复"));
        }
        let named =
            |reason: Text| bilingual!("matching rule `{name}`: ", "匹配规则 `{name}`：").then(&reason);
        rule.validate(object).map_err(named)?;
    }
    for (place, rule) in object.duplicate_rules.iter().enumerate() {
        let name = &rule.matching_rule;
        if object.matching_rules.iter().all(|matching| matching.name != *name) {
            return Err(bilingual!(
                "a duplicate rule names `{name}`, which is no matching rule",
                "查重规则所指的 `{name}` 不是匹配规则"
            ));
        }
        if object.duplicate_rules.iter().take(place).any(|other| other.matching_rule == *name) {
            return Err(bilingual!(
                "there are two duplicate rules for matching rule `{name}`",
                "匹配规则 `{name}` 有两条查重规则"
            ));
        }
    }
    Ok(())
}
