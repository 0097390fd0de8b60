//! Computed fields: formulas, worked out when a record is read, and roll-ups, which [`crate::DerivedFields`] keeps as columns.

mod check;
mod children;
mod formula;
mod quality;
mod read_only;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use parking_lot::RwLock;
use trellis_model::{
    Computed as Definition, FieldId, FieldName, ObjectDefinition, ObjectId, Path, Record, Text, Value,
};

pub use check::check;
pub use children::{ChildPage, Children};
pub(crate) use formula::FormulaField;
pub use quality::RecordQuality;
pub(crate) use quality::{Measure, Share};
pub(crate) use read_only::check_writes;

use crate::{Clock, Config, DerivedFields, DerivedValue, Formulas, Records, Result};

/// The compiled formulas of all objects.
#[derive(Debug, Default)]
pub(crate) struct Computed {
    formulas: ArcSwapOption<Arc<dyn Formulas>>,
    objects: RwLock<HashMap<ObjectId, Arc<ComputedObject>>>,
}

/// The computed fields of an object as one definition of it has them.
#[derive(Debug)]
pub(crate) struct ComputedObject {
    definition: Arc<ObjectDefinition>,
    /// Each after those that it reads.
    fields: Vec<ComputedField>,
}

/// A computed field.
#[derive(Debug, Clone)]
pub(crate) enum ComputedField {
    /// Worked out from the record.
    Formula(Arc<FormulaField>),
    /// Kept as a column.
    RollUp(FieldId, Path),
}

impl ComputedField {
    fn id(&self) -> FieldId {
        match self {
            Self::Formula(formula) => formula.id,
            Self::RollUp(id, _) => *id,
        }
    }

    pub(crate) fn value(&self, record: &Record, derived: Option<&dyn DerivedFields>) -> Option<Value> {
        match self {
            Self::Formula(formula) => formula.value(record, derived),
            Self::RollUp(_, path) => roll_up(record, path, derived),
        }
    }
}

fn roll_up(record: &Record, path: &Path, derived: Option<&dyn DerivedFields>) -> Option<Value> {
    match derived?.value(record.object, path, record.ordinal?)? {
        DerivedValue::Value(value) => Some(value),
        DerivedValue::Text(text) => Some(Value::Text(text)),
        DerivedValue::Number(number) => Some(Value::Number(number)),
    }
}

impl Computed {
    pub(crate) fn set(&self, formulas: Arc<dyn Formulas>) {
        self.formulas.store(Some(Arc::new(formulas)));
        self.objects.write().clear();
    }

    pub(crate) fn formulas(&self) -> Option<Arc<dyn Formulas>> {
        self.formulas.load_full().map(|formulas| Arc::clone(&*formulas))
    }

    /// The computed fields of an object; `None` where it has none. Compiled at the first call for a definition.
    pub(crate) fn of(
        &self,
        object: &Arc<ObjectDefinition>,
        config: &Config,
        clock: &Arc<dyn Clock>,
    ) -> Option<Arc<ComputedObject>> {
        if !object.fields.iter().any(|field| field.computed.is_some()) {
            return None;
        }
        let known = self.objects.read().get(&object.id).cloned();
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.definition, object)) {
            return Some(known);
        }
        let made = Arc::new(ComputedObject::new(object, self.formulas().as_deref(), config, clock));
        self.objects.write().insert(object.id, Arc::clone(&made));
        Some(made)
    }
}

impl ComputedObject {
    fn new(
        object: &Arc<ObjectDefinition>,
        formulas: Option<&dyn Formulas>,
        config: &Config,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let mut fields = Vec::new();
        let mut waiting = Vec::new();
        for field in &object.fields {
            match &field.computed {
                Some(Definition::RollUp(_)) => {
                    fields.push(ComputedField::RollUp(field.id, Path(vec![field.name.clone()])));
                }
                Some(Definition::Formula(formula)) => {
                    waiting.push(formula::Compiled::new(object, field, formula, formulas));
                }
                None => {}
            }
        }
        // Those whose inputs are there, until no more are: what is left goes round in circles, and has no value.
        loop {
            let known: BTreeMap<FieldId, ComputedField> =
                fields.iter().map(|field| (field.id(), field.clone())).collect();
            let (ready, rest): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|compiled| compiled.is_ready(object, &known));
            if ready.is_empty() {
                fields.extend(rest.into_iter().map(|compiled| compiled.without_value(config, clock)));
                return Self { definition: Arc::clone(object), fields };
            }
            fields.extend(ready.into_iter().map(|compiled| compiled.resolve(object, &known, config, clock)));
            waiting = rest;
        }
    }

    pub(crate) fn field(&self, id: FieldId) -> Option<&ComputedField> {
        self.fields.iter().find(|field| field.id() == id)
    }

    /// Gives a record the values of its computed fields, of those that are wanted.
    pub(crate) fn fill(
        &self,
        record: &mut Record,
        derived: Option<&dyn DerivedFields>,
        wanted: impl Fn(&FieldName) -> bool,
    ) {
        for field in &self.fields {
            let id = field.id();
            if self.definition.field_by_id(id).is_some_and(|field| wanted(&field.name))
                && let Some(value) = field.value(record, derived)
            {
                record.fields.insert(id, value);
            }
        }
    }
}

/// How often a formula had no value because of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormulaErrors {
    /// The formula's field.
    pub field: FieldName,
    /// How often, since the server started or the definition changed.
    pub count: u64,
    /// What was wrong with the last.
    pub last: Text,
}

impl Records {
    /// Sets what compiles formulas.
    pub fn set_formulas(&self, formulas: Arc<dyn Formulas>) {
        self.computed.set(formulas);
    }

    pub(crate) fn computed_of(&self, object: &Arc<ObjectDefinition>) -> Option<Arc<ComputedObject>> {
        self.computed.of(object, self.config(), self.clock())
    }

    /// Whether the definitions' computed fields make sense: see [`check`]. Formulas are looked into where something compiles them.
    ///
    /// # Errors
    /// [`crate::Error::Model`] names the object, the field and what is wrong.
    pub fn check_computed(&self, objects: &[Arc<ObjectDefinition>]) -> Result<()> {
        check(objects, self.computed.formulas().as_deref())
    }

    /// The value of a computed field of a record as it is stored; `None` too for a field that is not computed. A stored formula is worked
    /// out anew.
    pub fn computed_value(&self, record: &Record, field: FieldId) -> Option<Value> {
        let schema = self.schema();
        let object = schema.object_by_id(record.object)?;
        self.computed_of(object)?.field(field)?.value(record, self.derived().as_deref())
    }

    /// The formulas of an object that had no value because of an error, most often first.
    pub fn formula_errors(&self, object: ObjectId) -> Vec<FormulaErrors> {
        let schema = self.schema();
        let Some(computed) = schema.object_by_id(object).and_then(|object| self.computed_of(object)) else {
            return Vec::new();
        };
        let mut errors: Vec<FormulaErrors> = computed
            .fields
            .iter()
            .filter_map(|field| match field {
                ComputedField::Formula(formula) => formula.errors(),
                ComputedField::RollUp(..) => None,
            })
            .collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors
    }
}
