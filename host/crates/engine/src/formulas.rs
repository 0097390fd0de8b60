use std::sync::Arc;

use trellis_model::{FieldName, Text, Value};
use trellis_records::{CompiledFormula, EvaluationTime, FormulaSource, Formulas};
use trellis_rules::{Formula, FormulaEngine, Limits};

/// Formula fields as rhai expressions: what records evaluate.
#[derive(Debug)]
pub struct RuleFormulas(FormulaEngine);

impl RuleFormulas {
    /// Under the limits of rules.
    pub fn new(limits: Limits) -> Self {
        Self(FormulaEngine::new(limits))
    }
}

impl Formulas for RuleFormulas {
    fn compile(&self, formula: &FormulaSource<'_>) -> Result<Arc<dyn CompiledFormula>, Text> {
        let FormulaSource { expression, stored, field_type, object } = *formula;
        let compiled = self.0.compile(expression, stored, field_type, object);
        compiled.map(|formula| Arc::new(RuleFormula(formula)) as _).map_err(|error| error.text())
    }
}

#[derive(Debug)]
struct RuleFormula(Formula);

impl CompiledFormula for RuleFormula {
    fn uses(&self) -> &[FieldName] {
        self.0.uses()
    }

    fn asks_the_time(&self) -> bool {
        self.0.asks_the_time()
    }

    fn value(&self, values: &[Option<Value>], moment: &EvaluationTime<'_>) -> Result<Option<Value>, Text> {
        self.0.value(values, moment.now_ms, moment.time_zone).map_err(|error| error.text())
    }
}
