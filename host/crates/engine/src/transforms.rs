//! The language of the expressions in a mapping: rhai.

use std::sync::Arc;

use trellis_model::Text;
use trellis_rules::{Expression, Limits, TransformEngine};
use trellis_transfer::{RowTexts, Transform, Transforms};

/// Compiles the expressions of mappings.
#[derive(Debug, Clone)]
pub(crate) struct CellTransforms(Arc<TransformEngine>);

#[derive(Debug)]
struct CellTransform {
    engine: Arc<TransformEngine>,
    expression: Expression,
}

impl CellTransforms {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(TransformEngine::new(limits)))
    }
}

impl Transforms for CellTransforms {
    fn compile(&self, source: &str) -> Result<Arc<dyn Transform>, Text> {
        let expression = self.0.compile(source).map_err(|error| error.text())?;
        Ok(Arc::new(CellTransform { engine: Arc::clone(&self.0), expression }))
    }
}

impl Transform for CellTransform {
    fn apply(&self, value: Option<&str>, row: &RowTexts<'_>) -> Result<Option<String>, Text> {
        self.engine.apply(&self.expression, value, row.columns, row.cells).map_err(|error| error.text())
    }
}
