//! Expressions over one cell of a table: what an import makes of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, ImmutableString, Map, OptimizationLevel, Scope};
use trellis_model::{Text, bilingual};

use crate::error::{Error, Fault, Result};
use crate::{Limits, stack, values};

/// Compiles and runs expressions over cells. They see `value`, the text of a cell (or `()`), and `row`, the texts of the row by the names of
/// its columns. They have neither loops nor functions of their own, so that each ends, and none of the functions that rules have.
pub struct TransformEngine {
    engine: Engine,
    limits: Limits,
}

/// A compiled expression. Cloning it is cheap.
#[derive(Clone)]
pub struct Expression {
    ast: Arc<AST>,
}

impl std::fmt::Debug for TransformEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransformEngine").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expression").finish_non_exhaustive()
    }
}

impl TransformEngine {
    /// Builds an engine. Of the limits of rules those on the interpreter hold.
    pub fn new(limits: Limits) -> Self {
        let mut engine = Engine::new_raw();
        crate::engine::base(&mut engine, &limits);
        stack::forbid_repetition(&mut engine);
        // A function that is defined could call itself.
        engine.disable_symbol("fn").set_optimization_level(OptimizationLevel::Simple);
        Self { engine, limits }
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// Says what is wrong with it, with line and column.
    pub fn compile(&self, source: &str) -> Result<Expression> {
        if source.len() > self.limits.source_bytes_max {
            let limit = self.limits.source_bytes_max as u64;
            return Err(Error::from_fault(Fault::limit("source_bytes_max", limit)));
        }
        let mut scope = Scope::new();
        scope.push("value", Dynamic::UNIT).push("row", Dynamic::UNIT);
        let compiled = catch_unwind(AssertUnwindSafe(|| self.engine.compile_with_scope(&scope, source)));
        let ast = compiled
            .map_err(|_| Error::from_fault(failed()))?
            .map_err(|error| Error::from_parser(&error, &self.limits))?;
        Ok(Expression { ast: Arc::new(ast) })
    }

    /// What an expression makes of a cell, as a table would write it; `None` is nothing. `columns` and `cells` go together.
    ///
    /// # Errors
    /// Says what went wrong, with line and column.
    pub fn apply(
        &self,
        expression: &Expression,
        value: Option<&str>,
        columns: &[String],
        cells: &[String],
    ) -> Result<Option<String>> {
        let text = |text: &str| Dynamic::from(ImmutableString::from(text));
        let row: Map =
            columns.iter().zip(cells).map(|(column, cell)| (column.as_str().into(), text(cell))).collect();
        let mut scope = Scope::new();
        scope.push_constant_dynamic("value", value.map_or(Dynamic::UNIT, text));
        scope.push_constant_dynamic("row", Dynamic::from_map(row));
        let run = || self.engine.eval_ast_with_scope::<Dynamic>(&mut scope, &expression.ast);
        let outcome = catch_unwind(AssertUnwindSafe(run)).map_err(|_| Error::from_fault(failed()))?;
        let outcome = outcome.map_err(|error| Error::from_interpreter(*error, &self.limits))?;
        written(&outcome).map_err(|text| Error::from_fault(Fault::value(text)))
    }
}

fn failed() -> Fault {
    Fault::runtime(bilingual!(
        "the expression made the interpreter fail; please report it",
        "表达式导致解释器内部故障，请报告此问题"
    ))
}

/// A value as a table writes it.
fn written(value: &Dynamic) -> Result<Option<String>, Text> {
    use serde_json::Value as Json;
    if let Some(money) = value.read_lock::<values::MoneyValue>() {
        return Ok(Some(format!("{} {}", money.0.amount.normalize(), money.0.currency)));
    }
    Ok(match values::to_json(value)? {
        Json::Null => None,
        Json::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(source: &str, value: Option<&str>) -> Result<Option<String>, String> {
        let engine = TransformEngine::new(Limits::default());
        let expression = engine.compile(source).map_err(|error| error.to_string())?;
        let (columns, cells) =
            (["shop".to_owned(), "金额".to_owned()], ["North".to_owned(), "12.50".to_owned()]);
        engine.apply(&expression, value, &columns, &cells).map_err(|error| error.to_string())
    }

    #[test]
    fn cells_become_other_texts() {
        let check = |source: &str, expected: &str| {
            assert_eq!(apply(source, Some("GTXPro")), Ok(Some(expected.to_owned())), "{source}");
        };
        check("value.to_upper()", "GTXPRO");
        check(r#"row["shop"] + "/" + row.shop"#, "North/North");
        check(r#"parse_float(row["金额"]) * 2.0"#, "25.0");
        check(r#"if value == "GTXPro" { "GTX Pro" } else { value }"#, "GTX Pro");
        check(r#"parse_float(row["金额"]) <= 0.0"#, "false");
        assert_eq!(apply("value", None), Ok(None));
    }

    #[test]
    fn what_an_expression_cannot_do_is_named() {
        let refused = |source: &str| apply(source, Some("x")).expect_err(source);
        for source in ["loop {}", "fn f() { f() } f()", "let i = 0; while true { i += 1 }", "eval(\"1\")"] {
            assert!(refused(source).contains("line 1"), "{source}");
        }
        assert!(refused("amount").contains("there is no variable `amount`"));
        assert!(refused("veto(\"no\")").contains("there is no function `veto"));
        let limits = Limits { source_bytes_max: 4, ..Limits::default() };
        let error = TransformEngine::new(limits).compile("value + value").unwrap_err();
        assert!(error.to_string().contains("source_bytes_max"), "{error}");
    }
}
