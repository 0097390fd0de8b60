//! Formula fields: one expression over the fields of a record, which gives a value and does nothing.

mod scan;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rhai::{AST, Dynamic, Engine, Map, ParseErrorType, Scope};
use rust_decimal::Decimal;
use trellis_model::{
    Currency, FieldName, FieldType, Money, NamedRecord, NoLookups, ObjectDefinition, RecordId, SystemField,
    Text, Value, bilingual,
};

use crate::call::{self, Call};
use crate::engine::{base, interpreter_failed};
use crate::error::{Error, ErrorKind, Fault, Result};
use crate::input::Input;
use crate::{Limits, stack, values};

/// Compiles formulas. Built once; shared by all threads.
pub struct FormulaEngine {
    engine: Arc<Engine>,
    limits: Limits,
}

/// A compiled formula. Cloning it is cheap.
#[derive(Clone)]
pub struct Formula {
    engine: Arc<Engine>,
    limits: Limits,
    ast: Arc<AST>,
    object: Arc<ObjectDefinition>,
    field_type: FieldType,
    uses: Vec<FieldName>,
    asks_the_time: bool,
}

impl std::fmt::Debug for FormulaEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FormulaEngine").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Formula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Formula")
            .field("object", &self.object.name)
            .field("uses", &self.uses)
            .finish_non_exhaustive()
    }
}

impl FormulaEngine {
    /// Builds an engine under the limits that rules have.
    pub fn new(limits: Limits) -> Self {
        let mut engine = Engine::new_raw();
        base(&mut engine, &limits);
        // Nothing repeats in a formula, so its cost is bounded by its length.
        stack::forbid_repetition(&mut engine);
        Self { engine: Arc::new(engine), limits }
    }

    /// Compiles the expression of a field of `object`. A `stored` formula must not ask the time, because its value would change
    /// without a change.
    ///
    /// # Errors
    /// Says what is wrong with it, with line and column: also a field that is not there, and operands or a result that never fit.
    pub fn compile(
        &self,
        expression: &str,
        stored: bool,
        field_type: &FieldType,
        object: &ObjectDefinition,
    ) -> Result<Formula> {
        let limit = self.limits.formula_bytes_max;
        if expression.len() > limit {
            return Err(Error::from_fault(Fault::limit("formula_bytes_max", limit as u64)));
        }
        let found = scan::scan(expression).map_err(|wrong| Error::of_source(wrong.place, wrong.text))?;
        if let Some(place) = found.moment.filter(|_| stored) {
            let text = Text::new(
                "a stored formula cannot ask what day or time it is",
                "存储的公式不能使用当前日期或时间",
            );
            return Err(Error::of_source(place, text));
        }
        let mut uses = Vec::with_capacity(found.fields.len());
        for (name, place) in &found.fields {
            uses.push(known(object, name).map_err(|text| Error::of_source(*place, text))?);
        }
        let formula = Formula {
            engine: Arc::clone(&self.engine),
            limits: self.limits,
            ast: Arc::new(self.parse(expression)?),
            object: Arc::new(object.clone()),
            field_type: field_type.clone(),
            uses,
            asks_the_time: found.moment.is_some(),
        };
        formula.try_out()?;
        Ok(formula)
    }

    fn parse(&self, expression: &str) -> Result<AST> {
        let mut scope = Scope::new();
        scope.push("record", Dynamic::UNIT);
        let compile = || {
            let ast = self.engine.compile_expression_with_scope(&scope, expression)?;
            let shallow = stack::is_shallow(&self.engine, &scope, expression, &ast);
            Ok((ast, shallow))
        };
        let (ast, shallow) = catch_unwind(AssertUnwindSafe(compile))
            .map_err(|_| interpreter_failed())?
            .map_err(|error: rhai::ParseError| match &*error.0 {
                ParseErrorType::BadInput(_) | ParseErrorType::UnexpectedEOF => Error::of_source(
                    place_of(error.1),
                    bilingual!("not an expression: {error}", "不是有效的表达式：{error}"),
                ),
                _ => Error::from_parser(&error, &self.limits),
            })?;
        if shallow { Ok(ast) } else { Err(Error::from_fault(too_tangled())) }
    }
}

fn place_of(position: rhai::Position) -> (u32, u32) {
    let number = |place: Option<usize>| place.and_then(|place| u32::try_from(place).ok()).unwrap_or(1);
    (number(position.line()), number(position.position()))
}

fn too_tangled() -> Fault {
    Fault::value(Text::new(
        "the formula defines functions, or has more than 200 brackets and assignments",
        "公式定义了函数，或括号与赋值超过 200 处",
    ))
}

fn known(object: &ObjectDefinition, name: &str) -> Result<FieldName, Text> {
    let system = matches!(
        SystemField::of(name),
        Some(SystemField::Id | SystemField::CreatedAt | SystemField::UpdatedAt)
    );
    let found = FieldName::new(name).ok().filter(|_| system || object.field(name).is_some());
    let object = &object.name;
    found.ok_or_else(|| bilingual!("`{object}` has no field `{name}`", "对象 `{object}` 没有字段 `{name}`"))
}

impl Formula {
    /// The fields that it reads, each once.
    pub fn uses(&self) -> &[FieldName] {
        &self.uses
    }

    /// Whether it asks what day or time it is.
    pub fn asks_the_time(&self) -> bool {
        self.asks_the_time
    }

    /// Its value for the values of [`Formula::uses`], in that order. Where one of them is null and the formula does not say what is then
    /// (`record.amount ?? 0`), the value is null too.
    ///
    /// # Errors
    /// Says what went wrong, with line and column.
    pub fn value(
        &self,
        values: &[Option<Value>],
        now_ms: i64,
        time_zone: &TimeZone,
    ) -> Result<Option<Value>> {
        let dynamic = |value: &Option<Value>| value.as_ref().map_or(Dynamic::UNIT, values::to_dynamic);
        let record: Map = self
            .uses
            .iter()
            .zip(values)
            .map(|(name, value)| (name.as_str().into(), dynamic(value)))
            .collect();
        match self.evaluate(record, now_ms, time_zone).and_then(|result| self.typed(&result)) {
            Err(error) if error.is_about_values() && values.iter().any(Option::is_none) => Ok(None),
            result => result,
        }
    }

    fn evaluate(&self, record: Map, now_ms: i64, time_zone: &TimeZone) -> Result<Dynamic> {
        let input = Input {
            object: Arc::clone(&self.object),
            record: NamedRecord {
                object: self.object.name.clone(),
                id: RecordId(Default::default()),
                version: 0,
                fields: BTreeMap::new(),
            },
            before: None,
            event: None,
            hidden: Default::default(),
            now_ms,
            time_zone: time_zone.clone(),
            user: None,
            lookups: Arc::new(NoLookups),
        };
        let mut scope = Scope::new();
        scope.push_constant_dynamic("record", Dynamic::from_map(record));
        let run = || self.engine.eval_ast_with_scope::<Dynamic>(&mut scope, &self.ast);
        let (mut call, result) = call::enter(Call::new(self.limits, false, input), run);
        match (result, call.take_fatal()) {
            (None, _) => Err(interpreter_failed()),
            (Some(Err(error)), _) => Err(Error::from_interpreter(*error, &self.limits)),
            (Some(Ok(_)), Some(fault)) => Err(Error::from_fault(fault)),
            (Some(Ok(value)), None) => Ok(value),
        }
    }

    fn typed(&self, result: &Dynamic) -> Result<Option<Value>> {
        let fits = |field_type| values::typed(field_type, result);
        let value = match (&self.field_type, result.as_int()) {
            (FieldType::Number, Ok(number)) => return Ok(Some(Value::Number(number as f64))),
            (FieldType::Integer, Err(_)) if result.is_float() => fits(&FieldType::Number).map(whole),
            (field_type, _) => fits(field_type),
        };
        let value = value.map_err(|text| Error::from_fault(Fault::value(text)))?;
        Ok(value.filter(|value| !matches!(value, Value::Text(text) if text.is_empty())))
    }

    /// Runs it once with made-up values: operands that no function takes, and a result that is no value of the field, show whatever the
    /// values are.
    fn try_out(&self) -> Result<()> {
        let sample = |name: &FieldName| {
            let field = self.object.field(name.as_str());
            match SystemField::of(name.as_str()) {
                Some(SystemField::Id) => Some(Value::Reference(RecordId(Default::default()))),
                Some(_) => Some(Value::Time(Timestamp::UNIX_EPOCH)),
                None => field.and_then(|field| sample(&field.field_type)),
            }
        };
        let values: Vec<Option<Value>> = self.uses.iter().map(sample).collect();
        match self.value(&values, 0, &TimeZone::UTC) {
            Err(error) if error.kind == ErrorKind::Operand || error.kind == ErrorKind::Value => Err(error),
            _ => Ok(()),
        }
    }
}

/// A whole number that came out as a float: `record.a * 1.0`. Of anything else it stays what it is, and does not fit.
fn whole(value: Option<Value>) -> Option<Value> {
    match value {
        Some(Value::Number(number)) if number.abs() < 9.0e15 => Some(Value::Integer(number.round() as i64)),
        _ => None,
    }
}

/// A value of a type, such as a formula may meet.
fn sample(field_type: &FieldType) -> Option<Value> {
    Some(match field_type {
        FieldType::Text { .. } => Value::Text("1".into()),
        FieldType::Number => Value::Number(1.0),
        FieldType::Integer => Value::Integer(1),
        FieldType::Money => {
            let currency = Currency::new("USD").ok()?;
            Value::Money(Money { amount: Decimal::ONE, currency, base_amount: Some(Decimal::ONE) })
        }
        FieldType::Bool => Value::Bool(true),
        FieldType::Date => Value::Date(Date::constant(2000, 1, 1)),
        FieldType::Time => Value::Time(Timestamp::UNIX_EPOCH),
        FieldType::Choice { options } => Value::Choice(options.first()?.value.clone()),
        FieldType::MultiChoice { options } => Value::MultiChoice(vec![options.first()?.value.clone()]),
        FieldType::Reference { .. } => Value::Reference(RecordId(Default::default())),
        FieldType::List { of } => Value::List(vec![sample(of)?]),
        FieldType::Json => return None,
    })
}
