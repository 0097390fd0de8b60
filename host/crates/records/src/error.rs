use crate::DuplicateMatch;
use trellis_model::{
    Currency, Decider, FieldName, Language, ObjectName, Phrase, Record, RecordId, Text, bilingual,
};

/// What can go wrong with records. `Display` is English, [`Error::text`] speaks both languages.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such record, or the caller must not see it.
    #[error("there is no {object} `{id}`")]
    NotFound {
        /// Of which object.
        object: ObjectName,
        /// Its id.
        id: RecordId,
    },
    /// There is no such object.
    #[error("there is no object `{name}`")]
    UnknownObject {
        /// The name that was asked for.
        name: String,
    },
    /// A filter, sort or mapping names a field that the object does not have (or that the caller must not read).
    #[error("{object} has no field `{field}`")]
    UnknownField {
        /// The object.
        object: ObjectName,
        /// The field or path.
        field: String,
    },
    /// Fields of a record are not valid; nothing was written.
    #[error("{}", list(.0, Language::En, "; "))]
    Invalid(Vec<FieldError>),
    /// The caller may not write this field.
    #[error("field `{field}` of {object} cannot be written with these rights")]
    FieldDenied {
        /// The object.
        object: ObjectName,
        /// The field.
        field: FieldName,
    },
    /// The record would lie outside what the caller may see.
    #[error("a {object} like this lies outside what these rights allow")]
    OutOfScope {
        /// The object.
        object: ObjectName,
    },
    /// A unique value is taken.
    #[error("`{value}` as {field} is taken by {object} `{holder}`")]
    Duplicate {
        /// The object.
        object: ObjectName,
        /// The unique field.
        field: FieldName,
        /// The value.
        value: String,
        /// Who has it.
        holder: RecordId,
    },
    /// Somebody else changed the record first.
    #[error("`{}` was changed: expected version {expected}, found {}", found.id, found.version)]
    VersionConflict {
        /// The version that the caller had read.
        expected: u64,
        /// The record as it is now.
        found: Box<Record>,
    },
    /// A rule or plugin refused, or had to be asked and could not decide.
    #[error("{} {}: {}", if *unavailable { "no decision by" } else { "refused by" }, by.text().en, reason.en)]
    Veto {
        /// Which rule or plugin.
        by: Box<Decider>,
        /// Its own stable code, in kebab-case.
        code: String,
        /// Why.
        reason: Text,
        /// The field at fault, if it is one.
        field: Option<FieldName>,
        /// Whether it could not decide.
        unavailable: bool,
    },
    /// Records of this object are only ever added.
    #[error("a {object} cannot be changed: delete it and create another")]
    AppendOnly {
        /// The object.
        object: ObjectName,
    },
    /// A chain of reactions is too long.
    #[error("change is {depth} reactions deep, at most {depth_max}")]
    TooDeep {
        /// Its depth.
        depth: u8,
        /// The limit.
        depth_max: u8,
    },
    /// More than a limit allows.
    #[error("{count} {what}, at most {count_max}")]
    TooMany {
        /// Of what.
        what: Phrase,
        /// How many.
        count: usize,
        /// The limit.
        count_max: usize,
    },
    /// Whoever wanted all records that match wants them no longer.
    #[error("cancelled")]
    Cancelled,
    /// A filter, sort or cursor cannot be used.
    #[error("{}", .0.en)]
    Query(Text),
    /// Others kept changing what the save had read.
    #[error("save gave up after {attempts} attempts: others kept changing the same records")]
    Contended {
        /// How often it was tried.
        attempts: usize,
    },
    /// All or nothing was asked for, and another write of the batch was refused.
    #[error("not done, because operation {because_of} was refused")]
    NotDone {
        /// The first that was refused, counted from 0.
        because_of: usize,
    },
    /// Amounts are stored in another base currency than the configuration has.
    #[error(
        "the base currency is {stored} since the first amount was stored, the configuration says {configured}"
    )]
    BaseCurrency {
        /// What amounts are stored in.
        stored: String,
        /// What the configuration says.
        configured: Currency,
    },
    /// An object definition cannot be installed.
    #[error("definition of `{object}`: {reason}")]
    Definition {
        /// Which object.
        object: String,
        /// What is wrong.
        reason: String,
    },
    /// Stored bytes cannot be what this crate wrote.
    #[error("stored data is damaged: {what}")]
    Damaged {
        /// What, and how it was found.
        what: String,
    },
    /// The log no longer tells what a record was like at some time.
    #[error("what {object} `{id}` was like then has expired: log entry {number} no longer tells")]
    HistoryExpired {
        /// Its object.
        object: ObjectName,
        /// The record.
        id: RecordId,
        /// The entry whose payload would be needed.
        number: u64,
    },
    /// There is no entry of this number in the log.
    #[error("there is no log entry {number}")]
    UnknownEntry {
        /// The number that was asked for.
        number: u64,
    },
    /// The record looks like others, and a duplicate rule of its object refuses that.
    #[error("this looks like a {object} that is there already")]
    DuplicateSuspected {
        /// The object.
        object: ObjectName,
        /// What it looks like, as far as the caller may see it.
        duplicates: Vec<DuplicateMatch>,
    },
    /// The record was merged into another, which is the one to read and change.
    #[error("{object} `{id}` was merged into `{into}`")]
    Merged {
        /// The object.
        object: ObjectName,
        /// The record that was asked for.
        id: RecordId,
        /// The record that it is part of now.
        into: RecordId,
    },
    /// Records cannot be merged as was asked.
    #[error("{}", .0.en)]
    Merge(Text),
    /// An input is not valid.
    #[error(transparent)]
    Model(#[from] trellis_model::Error),
    /// The store failed or refused.
    #[error(transparent)]
    Storage(#[from] trellis_storage::Error),
    /// A change of the schema cannot be made; nothing was changed.
    #[error("the schema cannot change so: {}", texts(.reasons, Language::En, "; "))]
    SchemaRefused {
        /// All that is wrong with it.
        reasons: Vec<Text>,
    },
    /// A change of the schema loses something and was not confirmed; nothing was changed.
    #[error("the change of the schema needs to be confirmed: {}", texts(.steps, Language::En, "; "))]
    SchemaUnconfirmed {
        /// What would be lost or go out of use.
        steps: Vec<Text>,
    },
    /// Somebody else changed the schema first.
    #[error("the schema was changed: expected version {expected}, found {found}")]
    SchemaVersionConflict {
        /// The version that the caller had read.
        expected: u64,
        /// The version that it has.
        found: u64,
    },
    /// The object is out of use.
    #[error("{object} is out of use: its records can be read and deleted, not created or changed")]
    Retired {
        /// The object.
        object: ObjectName,
    },
    /// Records have the same value in a field that was to be unique.
    #[error("field `{field}` of {object} cannot be unique: {}", shared(.duplicates))]
    NotUnique {
        /// The object.
        object: ObjectName,
        /// The field.
        field: FieldName,
        /// Some of the values that several records have, each with two of those records.
        duplicates: Vec<(String, RecordId, RecordId)>,
    },
    /// Texts cannot be looked up now.
    #[error("full-text search is not available now: its index is being built, or was stopped by an error")]
    SearchUnavailable,
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Which field.
    pub field: FieldName,
    /// Stable: `required`, `invalid_type`, `unknown_field`, `unknown_reference`, `missing_rate`, `too_long`…
    pub code: &'static str,
    /// For people.
    pub message: Text,
}

impl Error {
    /// The stable code: the same in every release, with a page of its own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::UnknownObject { .. } => "unknown_object",
            Self::UnknownField { .. } => "unknown_field",
            Self::Invalid(_) => "validation_error",
            Self::FieldDenied { .. } => "field_denied",
            Self::OutOfScope { .. } => "out_of_scope",
            Self::Duplicate { .. } => "duplicate",
            Self::VersionConflict { .. } => "version_conflict",
            Self::Veto { unavailable: false, .. } => "veto",
            Self::Veto { unavailable: true, .. } => "veto_unavailable",
            Self::AppendOnly { .. } => "append_only",
            Self::TooDeep { .. } => "too_deep",
            Self::TooMany { .. } => "too_many",
            Self::Cancelled => "cancelled",
            Self::Query(_) => "invalid_query",
            Self::Contended { .. } => "contended",
            Self::NotDone { .. } => "not_done",
            Self::BaseCurrency { .. } => "base_currency_fixed",
            Self::Definition { .. } => "invalid_definition",
            Self::Damaged { .. } => "damaged",
            Self::HistoryExpired { .. } => "history_expired",
            Self::UnknownEntry { .. } => "unknown_entry",
            Self::DuplicateSuspected { .. } => "duplicate_suspected",
            Self::Merged { .. } => "merged",
            Self::Merge(_) => "invalid_merge",
            Self::Model(_) => "invalid_input",
            Self::Storage(_) => "storage",
            Self::SchemaRefused { .. } => "schema_refused",
            Self::SchemaUnconfirmed { .. } => "schema_unconfirmed",
            Self::SchemaVersionConflict { .. } => "schema_version_conflict",
            Self::Retired { .. } => "retired",
            Self::NotUnique { .. } => "not_unique",
            Self::SearchUnavailable => "search_unavailable",
        }
    }

    /// The message in both languages; the English one is what `Display` writes.
    pub fn text(&self) -> Text {
        Text { en: self.to_string(), zh_cn: self.chinese() }
    }

    fn chinese(&self) -> String {
        match self {
            Self::NotFound { object, id } => format!("{object} `{id}` 不存在"),
            Self::UnknownObject { name } => format!("对象 `{name}` 不存在"),
            Self::UnknownField { object, field } => format!("{object} 没有字段 `{field}`"),
            Self::Invalid(errors) => list(errors, Language::ZhCn, "；"),
            Self::FieldDenied { object, field } => format!("当前权限不能修改 {object} 的字段 `{field}`"),
            Self::OutOfScope { object } => format!("这样的 {object} 超出了当前权限的范围"),
            Self::Duplicate { object, field, value, holder } => {
                format!("{field} 的值 `{value}` 已被 {object} `{holder}` 使用")
            }
            Self::VersionConflict { expected, found } => {
                format!("`{}` 已被修改：预期版本 {expected}，当前版本 {}", found.id, found.version)
            }
            Self::Veto { by, reason, unavailable, .. } => {
                let (by, reason) = (by.text().zh_cn, reason.get(Language::ZhCn));
                if *unavailable {
                    format!("{by} 无法作出判断：{reason}")
                } else {
                    format!("{by} 拒绝了此更改：{reason}")
                }
            }
            Self::AppendOnly { object } => format!("{object} 不可修改：请删除后重新创建"),
            Self::TooDeep { depth, depth_max } => {
                format!("更改引发的连锁反应达到 {depth} 层，最多 {depth_max} 层")
            }
            Self::TooMany { what, count, count_max } => {
                format!("{}为 {count}，上限为 {count_max}", what.zh_cn)
            }
            Self::Cancelled => "已取消".to_owned(),
            Self::Query(text) => text.get(Language::ZhCn).to_owned(),
            Self::Contended { attempts } => format!("保存尝试 {attempts} 次后放弃：相关记录一直在被他人修改"),
            Self::NotDone { because_of } => format!("第 {because_of} 项操作被拒绝，因此未执行"),
            Self::BaseCurrency { stored, configured } => {
                format!("自首笔金额保存后本位币即为 {stored}，而配置为 {configured}")
            }
            Self::Definition { object, reason } => format!("对象 `{object}` 的定义：{reason}"),
            Self::Damaged { what } => format!("存储的数据已损坏：{what}"),
            Self::HistoryExpired { object, id, number } => {
                format!("{object} `{id}` 当时的内容已过期：日志条目 {number} 的明细已不再保留")
            }
            Self::UnknownEntry { number } => format!("日志条目 {number} 不存在"),
            Self::DuplicateSuspected { object, .. } => format!("与已有的 {object} 疑似重复"),
            Self::Merged { object, id, into } => format!("{object} `{id}` 已并入 `{into}`"),
            Self::Merge(text) => text.get(Language::ZhCn).to_owned(),
            Self::Model(error) => error.text().zh_cn,
            Self::Storage(error) => format!("存储出错：{error}"),
            Self::SchemaRefused { reasons } => {
                format!("无法这样更改结构：{}", texts(reasons, Language::ZhCn, "；"))
            }
            Self::SchemaUnconfirmed { steps } => {
                format!("此结构变更需要确认：{}", texts(steps, Language::ZhCn, "；"))
            }
            Self::SchemaVersionConflict { expected, found } => {
                format!("结构已被更改：预期版本 {expected}，当前版本 {found}")
            }
            Self::Retired { object } => format!("{object} 已停用：其记录可读取和删除，不能新建或修改"),
            Self::NotUnique { object, field, duplicates } => {
                format!("{object} 的字段 `{field}` 不能设为唯一：{}", shared(duplicates))
            }
            Self::SearchUnavailable => "全文搜索暂不可用：索引正在建立，或因出错而停止".into(),
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl FieldError {
    /// The field and the message in both languages; the English one is what `Display` writes.
    pub fn text(&self) -> Text {
        let field = &self.field;
        bilingual!("{field}: ", "{field}：").then(&self.message)
    }
}

fn texts(texts: &[Text], language: Language, separator: &str) -> String {
    texts.iter().map(|text| text.get(language)).collect::<Vec<_>>().join(separator)
}

/// `AB12 (id, id), …`
fn shared(duplicates: &[(String, RecordId, RecordId)]) -> String {
    let one =
        |(value, first, second): &(String, RecordId, RecordId)| format!("`{value}` ({first}, {second})");
    duplicates.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn list(errors: &[FieldError], language: Language, separator: &str) -> String {
    let texts = errors.iter().map(|error| error.text().get(language).to_owned());
    texts.collect::<Vec<_>>().join(separator)
}
