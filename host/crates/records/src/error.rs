use trellis_model::{Currency, FieldName, ObjectName, Record, RecordId, Text};

/// What can go wrong with records.
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
    #[error("{}", list(.0))]
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
    /// A rule or plugin refused.
    #[error("refused by {by}: {}", reason.en)]
    Veto {
        /// Which rule or plugin.
        by: String,
        /// Why.
        reason: Text,
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
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        count_max: usize,
    },
    /// A filter, sort or cursor cannot be used.
    #[error("{0}")]
    Query(String),
    /// Others kept changing what the save had read.
    #[error("save gave up after {attempts} attempts: others kept changing the same records")]
    Contended {
        /// How often it was tried.
        attempts: usize,
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
    /// An input is not valid.
    #[error(transparent)]
    Model(#[from] trellis_model::Error),
    /// The store failed or refused.
    #[error(transparent)]
    Storage(#[from] trellis_storage::Error),
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
    /// For people, in English.
    pub message: String,
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
            Self::Veto { .. } => "veto",
            Self::AppendOnly { .. } => "append_only",
            Self::TooDeep { .. } => "too_deep",
            Self::TooMany { .. } => "too_many",
            Self::Query(_) => "invalid_query",
            Self::Contended { .. } => "contended",
            Self::BaseCurrency { .. } => "base_currency_fixed",
            Self::Definition { .. } => "invalid_definition",
            Self::Damaged { .. } => "damaged",
            Self::Model(_) => "invalid_input",
            Self::Storage(_) => "storage",
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

fn list(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
