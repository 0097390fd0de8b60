//! A formula with where its inputs come from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::tz::TimeZone;
use parking_lot::Mutex;
use trellis_model::{
    Currency, FieldDefinition, FieldId, FieldName, Formula, Money, ObjectDefinition, Path, Record, Text,
    Value, bilingual,
};

use super::{ComputedField, FormulaErrors, roll_up};
use crate::index::Column;
use crate::{Clock, CompiledFormula, Config, DerivedFields, EvaluationTime, FormulaSource, Formulas};

/// A formula field that can be evaluated.
#[derive(Debug)]
pub(crate) struct FormulaField {
    pub(crate) id: FieldId,
    pub(crate) name: FieldName,
    /// `None` where it does not compile, so that it is null.
    formula: Option<Arc<dyn CompiledFormula>>,
    inputs: Vec<Input>,
    base_currency: Currency,
    time_zone: TimeZone,
    clock: Arc<dyn Clock>,
    failed: AtomicU64,
    last_error: Mutex<Text>,
}

#[derive(Debug)]
enum Input {
    Column(Column),
    Formula(Arc<FormulaField>),
    RollUp(Path),
}

/// A compiled formula before its inputs are known.
pub(super) struct Compiled {
    id: FieldId,
    name: FieldName,
    formula: Result<Arc<dyn CompiledFormula>, Text>,
}

impl Compiled {
    pub(super) fn new(
        object: &ObjectDefinition,
        field: &FieldDefinition,
        formula: &Formula,
        formulas: Option<&dyn Formulas>,
    ) -> Self {
        let source = FormulaSource {
            expression: &formula.expression,
            stored: formula.stored,
            field_type: &field.field_type,
            object,
        };
        let compiled = match formulas {
            Some(formulas) => formulas.compile(&source),
            None => Err(Text::new("nothing evaluates formulas here", "此处无法计算公式")),
        };
        Self { id: field.id, name: field.name.clone(), formula: compiled }
    }

    /// Whether every computed field that it reads is known.
    pub(super) fn is_ready(
        &self,
        object: &ObjectDefinition,
        known: &BTreeMap<FieldId, ComputedField>,
    ) -> bool {
        self.formula.iter().flat_map(|formula| formula.uses()).all(|name| {
            let field = object.field(name.as_str());
            field.is_none_or(|field| field.computed.is_none() || known.contains_key(&field.id))
        })
    }

    pub(super) fn resolve(
        self,
        object: &ObjectDefinition,
        known: &BTreeMap<FieldId, ComputedField>,
        config: &Config,
        clock: &Arc<dyn Clock>,
    ) -> ComputedField {
        let input = |name: &FieldName| {
            let computed = object.field(name.as_str()).and_then(|field| known.get(&field.id));
            match computed {
                Some(ComputedField::Formula(formula)) => Some(Input::Formula(Arc::clone(formula))),
                Some(ComputedField::RollUp(_, path)) => Some(Input::RollUp(path.clone())),
                None => Column::of(object, name.as_str()).map(Input::Column),
            }
        };
        let inputs = match &self.formula {
            Ok(formula) => formula.uses().iter().map(input).collect(),
            Err(_) => Some(Vec::new()),
        };
        self.field(inputs.unwrap_or_default(), config, clock)
    }

    /// For a formula that reads itself, by whatever way.
    pub(super) fn without_value(mut self, config: &Config, clock: &Arc<dyn Clock>) -> ComputedField {
        self.formula = Err(Text::new("the formula needs its own value", "公式引用了自身的值"));
        self.field(Vec::new(), config, clock)
    }

    fn field(self, inputs: Vec<Input>, config: &Config, clock: &Arc<dyn Clock>) -> ComputedField {
        let last_error = Mutex::new(self.formula.as_ref().err().cloned().unwrap_or_default());
        ComputedField::Formula(Arc::new(FormulaField {
            id: self.id,
            name: self.name,
            formula: self.formula.ok(),
            inputs,
            base_currency: config.base_currency,
            time_zone: config.time_zone.clone(),
            clock: Arc::clone(clock),
            failed: AtomicU64::new(0),
            last_error,
        }))
    }
}

impl FormulaField {
    /// Its value for a record as it is stored; null where there is an error, which is counted.
    pub(crate) fn value(&self, record: &Record, derived: Option<&dyn DerivedFields>) -> Option<Value> {
        let Some(formula) = &self.formula else {
            self.failed.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let input = |input: &Input| match input {
            Input::Column(column) => column.value(record).map(std::borrow::Cow::into_owned),
            Input::Formula(formula) => formula.value(record, derived),
            Input::RollUp(path) => roll_up(record, path, derived),
        };
        let values: Vec<Option<Value>> = self.inputs.iter().map(input).collect();
        let now_ms = if formula.asks_the_time() { self.clock.now_ms() } else { 0 };
        let value = formula.value(&values, &EvaluationTime { now_ms, time_zone: &self.time_zone });
        match value.and_then(|value| value.map(|value| self.in_base(value)).transpose()) {
            Ok(value) => value,
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                *self.last_error.lock() = error;
                None
            }
        }
    }

    /// Adds the fields of the record itself that it reads.
    pub(crate) fn add_fields(&self, fields: &mut BTreeSet<FieldId>) {
        for input in &self.inputs {
            match input {
                Input::Column(Column::Field(field)) => drop(fields.insert(*field)),
                Input::Formula(formula) => formula.add_fields(fields),
                Input::Column(Column::System(_)) | Input::RollUp(_) => {}
            }
        }
    }

    /// Amounts are sorted and summed in the base currency; without a rate nothing else has one.
    fn in_base(&self, value: Value) -> Result<Value, Text> {
        let Value::Money(money) = value else { return Ok(value) };
        let (currency, base) = (money.currency, self.base_currency);
        if currency == base {
            return Ok(Value::Money(Money { base_amount: Some(money.amount), ..money }));
        }
        Err(bilingual!("there is no rate from {currency} to {base}", "没有从 {currency} 到 {base} 的汇率"))
    }

    pub(super) fn errors(&self) -> Option<FormulaErrors> {
        let count = self.failed.load(Ordering::Relaxed);
        (count > 0).then(|| FormulaErrors {
            field: self.name.clone(),
            count,
            last: self.last_error.lock().clone(),
        })
    }
}
