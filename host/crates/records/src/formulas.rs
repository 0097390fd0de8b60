use std::fmt::Debug;
use std::sync::Arc;

use jiff::tz::TimeZone;
use trellis_model::{FieldName, FieldType, ObjectDefinition, Text, Value};

/// Compiles the expressions of formula fields. `trellis-rules` implements it; without one, formulas have no value.
pub trait Formulas: Send + Sync + Debug + 'static {
    /// Compiles a formula. May take milliseconds; what it returns is kept for as long as the object's definition is the same.
    ///
    /// # Errors
    /// Says what is wrong, with line and column.
    fn compile(&self, formula: &FormulaSource<'_>) -> Result<Arc<dyn CompiledFormula>, Text>;
}

/// A formula as its field's definition has it.
#[derive(Debug, Clone, Copy)]
pub struct FormulaSource<'a> {
    /// The expression.
    pub expression: &'a str,
    /// Whether its values are kept: then the moment must not decide them.
    pub stored: bool,
    /// What its value is read as.
    pub field_type: &'a FieldType,
    /// Whose fields it sees.
    pub object: &'a ObjectDefinition,
}

/// A formula that can be evaluated.
pub trait CompiledFormula: Send + Sync + Debug + 'static {
    /// The fields that it reads, each once: fields of the object, `id`, `created_at` and `updated_at`.
    fn uses(&self) -> &[FieldName];

    /// Whether it asks what day or time it is.
    fn asks_the_time(&self) -> bool;

    /// Its value; `None` is null. `values` are those of [`CompiledFormula::uses`], in that order. Bounded, and free of side effects.
    ///
    /// # Errors
    /// Says why there is no value.
    fn value(&self, values: &[Option<Value>], moment: &EvaluationTime<'_>) -> Result<Option<Value>, Text>;
}

/// When a formula is evaluated.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationTime<'a> {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
    /// The organisation's time zone, for today and for the day of a time.
    pub time_zone: &'a TimeZone,
}
