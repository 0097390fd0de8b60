//! What scripts do with the cells of a row. Somebody above supplies the language: `trellis-rules` has it.

use std::fmt::Debug;
use std::sync::Arc;

use trellis_model::Text;

/// Compiles the expressions of a mapping.
pub trait Transforms: Send + Sync + Debug {
    /// Compiles an expression over `value`, the text of a cell, and `row`, the texts of the row by column.
    ///
    /// # Errors
    /// Says what is wrong with it, and where.
    fn compile(&self, source: &str) -> Result<Arc<dyn Transform>, Text>;
}

/// A compiled expression.
pub trait Transform: Send + Sync + Debug {
    /// What it makes of a cell: a text as a table would write it, `true` and `false` included; `None` is nothing.
    ///
    /// # Errors
    /// Says what went wrong.
    fn apply(&self, value: Option<&str>, row: &RowTexts<'_>) -> Result<Option<String>, Text>;
}

/// The texts of a row, trimmed, by the names of their columns.
#[derive(Debug, Clone, Copy)]
pub struct RowTexts<'a> {
    /// The names of the columns.
    pub columns: &'a [String],
    /// As many texts.
    pub cells: &'a [String],
}

/// No language: a mapping that has expressions is refused.
#[derive(Debug, Clone, Copy)]
pub struct NoTransforms;

impl Transforms for NoTransforms {
    fn compile(&self, _source: &str) -> Result<Arc<dyn Transform>, Text> {
        Err(Text::new("expressions are not available here", "此处不能使用表达式"))
    }
}
