//! Whether computed fields make sense before there are any values.

mod filter;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use trellis_model::{
    Computed, FieldDefinition, FieldName, FieldType, Formula, ObjectDefinition, RollUp, RollUpFunction,
    SystemField, Text, bilingual,
};

use crate::{CompiledFormula, FormulaSource, Formulas, Result};

/// What is wrong, without where.
type Check<T = ()> = std::result::Result<T, Text>;

/// Checks the computed fields of all objects: that what they name is there and of a fitting type, and that no formula needs its own
/// value. Without something that compiles formulas, these are not looked into.
///
/// # Errors
/// [`trellis_model::Error::InvalidDefinition`] names the object, the field and what is wrong.
pub fn check<O: Borrow<ObjectDefinition>>(objects: &[O], formulas: Option<&dyn Formulas>) -> Result<()> {
    let checker = Checker { objects: objects.iter().map(Borrow::borrow).collect(), formulas };
    for object in &checker.objects {
        checker.object(object).map_err(|reason| trellis_model::Error::InvalidDefinition {
            object: object.name.to_string(),
            reason,
        })?;
    }
    Ok(())
}

struct Checker<'a> {
    objects: Vec<&'a ObjectDefinition>,
    formulas: Option<&'a dyn Formulas>,
}

/// The formulas of an object, compiled.
type CompiledFields = BTreeMap<FieldName, Arc<dyn CompiledFormula>>;

impl Checker<'_> {
    fn object(&self, object: &ObjectDefinition) -> Check {
        let computed = object.fields.iter().filter_map(|field| Some((field, field.computed.as_ref()?)));
        for (field, computed) in computed {
            let name = &field.name;
            let checked = plain(object, field).and_then(|()| match computed {
                Computed::Formula(formula) => result_type(object, field, formula),
                Computed::RollUp(roll_up) => self.roll_up(object, field, roll_up),
            });
            checked.map_err(|reason| of_field(name, &reason))?;
        }
        let compiled = self.compile(object)?;
        for (name, formula) in &compiled {
            let field = object.field(name.as_str()).expect("compiled from it");
            inputs(object, field, &**formula, &compiled).map_err(|reason| of_field(name, &reason))?;
        }
        Ok(())
    }

    fn compile(&self, object: &ObjectDefinition) -> Check<CompiledFields> {
        let mut compiled = CompiledFields::new();
        let Some(formulas) = self.formulas else { return Ok(compiled) };
        for field in &object.fields {
            if let Some(Computed::Formula(formula)) = &field.computed {
                let source = FormulaSource {
                    expression: &formula.expression,
                    stored: formula.stored,
                    field_type: &field.field_type,
                    object,
                };
                let found = formulas.compile(&source).map_err(|reason| of_field(&field.name, &reason))?;
                compiled.insert(field.name.clone(), found);
            }
        }
        cycle(&compiled)?;
        Ok(compiled)
    }

    fn roll_up(&self, object: &ObjectDefinition, field: &FieldDefinition, roll_up: &RollUp) -> Check {
        needs_ordinals(object)?;
        let RollUp { object: child, reference, function, .. } = roll_up;
        let found = self.objects.iter().find(|other| other.name == *child);
        let other = *found.ok_or_else(|| bilingual!("there is no object `{child}`", "没有对象 `{child}`"))?;
        let refers = other.field(reference.as_str()).is_some_and(
            |field| matches!(&field.field_type, FieldType::Reference { object: target } if *target == object.name),
        );
        if !refers {
            let name = &object.name;
            return Err(bilingual!(
                "`{child}` has no reference `{reference}` to `{name}`",
                "`{child}` 没有指向 `{name}` 的引用字段 `{reference}`"
            ));
        }
        if let Some(filter) = &roll_up.filter {
            filter::check(other, filter)?;
        }
        let result = match (function, &roll_up.field) {
            (RollUpFunction::Count, None) => FieldType::Integer,
            (RollUpFunction::Count, Some(_)) => {
                return Err(Text::new("a count has no `field`", "计数汇总不能指定 `field`"));
            }
            (_, None) => {
                let name = function.name();
                return Err(bilingual!("`{name}` needs a `field`", "`{name}` 汇总需要指定 `field`"));
            }
            (function, Some(name)) => self.figure(field, other, *function, name)?,
        };
        if let Some(by) = &roll_up.by {
            by_time(other, *function, by)?;
        }
        if same_type(&result, &field.field_type) {
            return Ok(());
        }
        let (found, result) = (field.field_type.name(), result.name());
        Err(bilingual!(
            "its values are of type {result}, not {found}",
            "其结果为 {result} 类型，而不是 {found}"
        ))
    }

    /// The type that a figure over a child's field has.
    fn figure(
        &self,
        field: &FieldDefinition,
        child: &ObjectDefinition,
        function: RollUpFunction,
        name: &FieldName,
    ) -> Check<FieldType> {
        let object = &child.name;
        let of = child
            .field(name.as_str())
            .ok_or_else(|| bilingual!("`{object}` has no field `{name}`", "`{object}` 没有字段 `{name}`"))?;
        if of.personal_data && !field.personal_data {
            return Err(personal(name));
        }
        if of.computed.is_some() && !self.of_itself(child, of) {
            return Err(bilingual!(
                "`{name}` of `{object}` is not computed from the fields of `{object}` alone",
                "`{object}` 的 `{name}` 并非仅由 `{object}` 自身的字段计算得出"
            ));
        }
        let numeric = matches!(of.field_type, FieldType::Integer | FieldType::Number | FieldType::Money);
        let fits = match function {
            RollUpFunction::Count | RollUpFunction::Sum => numeric,
            RollUpFunction::Min | RollUpFunction::Max => {
                numeric || matches!(of.field_type, FieldType::Date | FieldType::Time)
            }
            RollUpFunction::Last => of.field_type.is_sortable(),
        };
        if fits {
            return Ok(of.field_type.clone());
        }
        let (function, type_name) = (function.name(), of.field_type.name());
        Err(bilingual!(
            "there is no `{function}` of a {type_name}",
            "{type_name} 类型不支持 `{function}` 汇总"
        ))
    }

    /// Whether a computed field follows from the stored fields of its own record, so that the log of its object tells of every change.
    fn of_itself(&self, object: &ObjectDefinition, field: &FieldDefinition) -> bool {
        match (&field.computed, self.formulas) {
            (None, _) => true,
            (Some(Computed::RollUp(_)), _) => false,
            // Looked into when there is something that can.
            (Some(Computed::Formula(_)), None) => true,
            (Some(Computed::Formula(_)), Some(_)) => self.compile(object).is_ok_and(|compiled| {
                all_inputs(&field.name, &compiled).iter().all(|name| {
                    let roll_up = object
                        .field(name.as_str())
                        .is_some_and(|field| matches!(field.computed, Some(Computed::RollUp(_))));
                    !roll_up && !compiled.get(name.as_str()).is_some_and(|formula| formula.asks_the_time())
                })
            }),
        }
    }
}

fn of_field(name: &FieldName, reason: &Text) -> Text {
    bilingual!("field `{name}`: ", "字段 `{name}`：").then(reason)
}

/// What nobody writes cannot be required, unique or given; and it stands in no index, since stored formulas and roll-ups are columns.
fn plain(object: &ObjectDefinition, field: &FieldDefinition) -> Check {
    let in_index = |name: &FieldName| {
        let composite =
            object.composite_indexes.iter().any(|index| index.sort == *name || index.equals.contains(name));
        let covering = object.covering.as_ref();
        composite || covering.is_some_and(|index| index.time == *name || index.values.contains(name))
    };
    if field.required || field.required_if.is_some() || field.unique || field.default.is_some() {
        return Err(Text::new(
            "a computed field cannot be required or unique, or have a default",
            "计算字段不能设为必填或唯一，也不能有默认值",
        ));
    }
    if field.indexed || in_index(&field.name) {
        return Err(Text::new(
            "a computed field stands in no index: roll-ups and stored formulas are kept as columns, which serve filters and sorts",
            "计算字段不能建索引：汇总与存储的公式以列保存，可直接用于筛选和排序",
        ));
    }
    if object.title == field.name {
        return Err(Text::new("the title cannot be computed", "标题字段不能是计算字段"));
    }
    Ok(())
}

fn needs_ordinals(object: &ObjectDefinition) -> Check {
    if object.ordinals {
        return Ok(());
    }
    let name = &object.name;
    Err(bilingual!(
        "`{name}` has no ordinals, so nothing can be kept as its columns",
        "`{name}` 未启用序号，无法以列保存计算结果"
    ))
}

fn result_type(object: &ObjectDefinition, field: &FieldDefinition, formula: &Formula) -> Check {
    if formula.stored {
        needs_ordinals(object)?;
    }
    match &field.field_type {
        FieldType::Text { .. }
        | FieldType::Number
        | FieldType::Integer
        | FieldType::Money
        | FieldType::Bool
        | FieldType::Date
        | FieldType::Time => Ok(()),
        other => {
            let name = other.name();
            Err(bilingual!("a formula cannot be a {name}", "公式的结果不能是 {name} 类型"))
        }
    }
}

/// What a formula reads through others: not the time where it is stored, no personal data where it is none.
fn inputs(
    object: &ObjectDefinition,
    field: &FieldDefinition,
    formula: &dyn CompiledFormula,
    compiled: &CompiledFields,
) -> Check {
    let stored = matches!(&field.computed, Some(Computed::Formula(formula)) if formula.stored);
    for name in all_inputs(&field.name, compiled) {
        if stored && compiled.get(name.as_str()).is_some_and(|formula| formula.asks_the_time()) {
            return Err(bilingual!(
                "a stored formula cannot ask what day or time it is, which `{name}` does",
                "存储的公式不能使用当前日期或时间，而 `{name}` 使用了"
            ));
        }
    }
    let personal_input = formula.uses().iter().find(|name| {
        object.field(name.as_str()).is_some_and(|input| input.personal_data && !field.personal_data)
    });
    personal_input.map_or(Ok(()), |name| Err(personal(name)))
}

fn personal(name: &FieldName) -> Text {
    bilingual!(
        "`{name}` is personal data, so this field must be marked so too",
        "`{name}` 是个人信息，因此本字段也必须标记为个人信息"
    )
}

/// All that a formula reads, itself included, over the formulas that it reads. They do not go round in circles.
fn all_inputs(name: &FieldName, compiled: &CompiledFields) -> Vec<FieldName> {
    let mut found = vec![name.clone()];
    let mut next = 0;
    while let Some(name) = found.get(next).cloned() {
        let uses = compiled.get(name.as_str()).map_or(&[][..], |formula| formula.uses());
        for used in uses {
            if !found.contains(used) {
                found.push(used.clone());
            }
        }
        next += 1;
    }
    found
}

/// Refuses formulas that need their own value, and names the way round.
fn cycle(compiled: &CompiledFields) -> Check {
    for start in compiled.keys() {
        let mut ways = vec![vec![start.clone()]];
        let mut seen = vec![start.clone()];
        while let Some(way) = ways.pop() {
            let Some(last) = way.last() else { continue };
            let uses = compiled.get(last.as_str()).map_or(&[][..], |formula| formula.uses());
            for used in uses.iter().filter(|used| compiled.contains_key(used.as_str())) {
                let way: Vec<FieldName> = way.iter().chain([used]).cloned().collect();
                if used == start {
                    let way = way.iter().map(FieldName::as_str).collect::<Vec<_>>().join(" → ");
                    return Err(bilingual!("formulas go round in a circle: {way}", "公式循环引用：{way}"));
                }
                if !seen.contains(used) {
                    seen.push(used.clone());
                    ways.push(way);
                }
            }
        }
    }
    Ok(())
}

fn by_time(child: &ObjectDefinition, function: RollUpFunction, by: &FieldName) -> Check {
    if function != RollUpFunction::Last {
        return Err(Text::new("only `last` has a `by`", "只有 `last` 汇总可以指定 `by`"));
    }
    let system =
        matches!(SystemField::of(by.as_str()), Some(SystemField::CreatedAt | SystemField::UpdatedAt));
    let timed = child.field(by.as_str()).is_some_and(|field| {
        field.computed.is_none() && matches!(field.field_type, FieldType::Date | FieldType::Time)
    });
    if system || timed {
        return Ok(());
    }
    let object = &child.name;
    Err(bilingual!(
        "`{by}` is no date or time of `{object}` that is written",
        "`{by}` 不是 `{object}` 中可写入的日期或时间字段"
    ))
}

/// Options and lengths may differ, and a text takes an option.
fn same_type(result: &FieldType, field: &FieldType) -> bool {
    match (result, field) {
        (FieldType::Reference { object: a }, FieldType::Reference { object: b }) => a == b,
        (FieldType::Choice { .. } | FieldType::Text { .. }, FieldType::Text { .. }) => true,
        (FieldType::Choice { .. }, FieldType::Choice { .. }) => true,
        (FieldType::Reference { .. } | FieldType::Choice { .. }, _) => false,
        (a, b) => a == b,
    }
}
