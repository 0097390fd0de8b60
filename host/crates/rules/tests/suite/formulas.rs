//! Formula fields: what they can say, what they are refused for, what becomes of nulls.

use jiff::tz::TimeZone;
use trellis_model::{
    ChoiceOption, Currency, FieldDefinition, FieldId, FieldType, Money, ObjectDefinition, ObjectId, Text,
    Value,
};
use trellis_rules::{ErrorKind, Formula, FormulaEngine, Limits};

fn object() -> ObjectDefinition {
    let option =
        |value: &str| ChoiceOption { value: value.into(), label: Text::new(value, value), retired: false };
    let fields = [
        ("name", FieldType::Text { characters_max: 100 }),
        ("amount", FieldType::Money),
        ("probability", FieldType::Number),
        ("quantity", FieldType::Integer),
        ("opened_on", FieldType::Date),
        ("closed_on", FieldType::Date),
        ("stage", FieldType::Choice { options: vec![option("open"), option("won")] }),
        ("hot", FieldType::Bool),
    ];
    let fields = fields.into_iter().zip(1..).map(|((name, field_type), id)| {
        FieldDefinition::new(FieldId(id), name.parse().unwrap(), Text::new(name, name), field_type)
    });
    ObjectDefinition::new(
        ObjectId(1),
        "deal".parse().unwrap(),
        "deals".parse().unwrap(),
        "name".parse().unwrap(),
        fields.collect(),
    )
}

fn compile(expression: &str, field_type: FieldType) -> Result<Formula, trellis_rules::Error> {
    FormulaEngine::new(Limits::default()).compile(expression, false, &field_type, &object())
}

fn money(amount: &str) -> Value {
    Value::Money(Money::new(amount.parse().unwrap(), Currency::new("USD").unwrap()).unwrap())
}

/// The value of an expression over a deal without a name.
fn value(expression: &str, field_type: FieldType) -> Option<Value> {
    let formula = compile(expression, field_type).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let day = |text: &str| Some(Value::Date(text.parse().unwrap()));
    let values: Vec<Option<Value>> = formula
        .uses()
        .iter()
        .map(|name| match name.as_str() {
            "amount" => Some(money("1000.10")),
            "probability" => Some(Value::Number(25.0)),
            "quantity" => Some(Value::Integer(3)),
            "opened_on" => day("2026-01-30"),
            "closed_on" => day("2026-03-01"),
            "stage" => Some(Value::Choice("won".into())),
            "hot" => Some(Value::Bool(true)),
            _ => None,
        })
        .collect();
    formula
        .value(&values, 1_780_000_000_000, &TimeZone::UTC)
        .unwrap_or_else(|error| panic!("{expression}: {error}"))
}

const TEXT: FieldType = FieldType::Text { characters_max: 200 };

#[test]
fn formulas_calculate() {
    let check = |expression, field_type, expected: Value| {
        assert_eq!(value(expression, field_type), Some(expected), "{expression}");
    };
    check("record.amount * record.probability / 100", FieldType::Money, money("250.03"));
    check("record.amount.amount * 2", FieldType::Number, Value::Number(2000.2));
    check("record.quantity * 2", FieldType::Integer, Value::Integer(6));
    check("record.quantity * 2", FieldType::Number, Value::Number(6.0));
    check("record.probability * 2", FieldType::Integer, Value::Integer(50));
    check("record.closed_on - record.opened_on", FieldType::Integer, Value::Integer(30));
    check("days_between(record.opened_on, record.closed_on)", FieldType::Integer, Value::Integer(30));
    check("record.opened_on + 2", FieldType::Date, Value::Date("2026-02-01".parse().unwrap()));
    check("record.stage == \"won\" && record.hot", FieldType::Bool, Value::Bool(true));
    check("if record.quantity > 2 { \"many\" } else { \"few\" }", TEXT, Value::Text("many".into()));
    check("record.stage + \"/\" + record.quantity", TEXT, Value::Text("won/3".into()));
    check("today() - record.closed_on", FieldType::Integer, Value::Integer(88));
    check("record[\"quantity\"] % 2", FieldType::Integer, Value::Integer(1));
}

#[test]
fn a_null_makes_null_unless_the_formula_says_otherwise() {
    let twice = compile("record.quantity * 2", FieldType::Integer).unwrap();
    assert_eq!(twice.value(&[None], 0, &TimeZone::UTC).unwrap(), None);
    assert_eq!(
        value("record.name + \"!\"", TEXT),
        Some(Value::Text("!".into())),
        "rhai adds nothing for a null"
    );
    assert_eq!(value("record.name", TEXT), None);
    assert_eq!(value("record.name.len() * 2", FieldType::Integer), None);
    assert_eq!(value("record.name ?? \"nobody\"", TEXT), Some(Value::Text("nobody".into())));
    let expression = "if record.name == () { 0 } else { record.quantity }";
    assert_eq!(value(expression, FieldType::Integer), Some(Value::Integer(0)));
}

#[test]
fn wrong_formulas_are_refused_with_their_place() {
    let check = |expression: &str, field_type, message: &str, place: Option<(u32, u32)>| {
        let error = compile(expression, field_type).unwrap_err();
        assert!(error.to_string().contains(message), "{expression}: {error}");
        assert_eq!(error.line.zip(error.column), place, "{expression}: {error}");
    };
    check("record.amount +\n record.nothing", FieldType::Money, "has no field `nothing`", Some((2, 2)));
    check("record.amount + record.quantity", FieldType::Money, "there is no function `+", Some((1, 15)));
    check("record.quantity", TEXT, "`1` is not a text", None);
    check("record.name", FieldType::Integer, "is not a whole number", None);
    check("let x = 1; x", FieldType::Integer, "not an expression", Some((1, 1)));
    check("record.quantity; 1", FieldType::Integer, "not an expression", Some((1, 16)));
    check("veto(\"no\")", FieldType::Bool, "there is no function `veto", Some((1, 1)));
    check("find(\"deal\", \"x\")", FieldType::Bool, "there is no function `find", Some((1, 1)));
    check("[1, 2].map(|x| x + 1).len()", FieldType::Integer, "defines functions", None);
    assert!(compile("loop { 1 }", FieldType::Integer).is_err());
    assert!(compile("Fn(\"today\").call()", FieldType::Date).is_err());
    assert!(compile("record.quantity = 3", FieldType::Integer).is_err());
    let chinese = compile("record.nothing", FieldType::Integer).unwrap_err().text().zh_cn;
    assert_eq!(chinese, "第 1 行第 1 列：对象 `deal` 没有字段 `nothing`");
}

#[test]
fn a_stored_formula_cannot_ask_the_time() {
    let stored = |expression| {
        FormulaEngine::new(Limits::default()).compile(expression, true, &FieldType::Integer, &object())
    };
    let error = stored("record.quantity +\n(today() - record.opened_on)").unwrap_err();
    assert_eq!((error.line, error.column, error.kind), (Some(2), Some(2), ErrorKind::Syntax));
    assert!(stored("now().year").is_err());
    assert!(!stored("record.closed_on - record.opened_on").unwrap().asks_the_time());
    assert!(compile("today().year", FieldType::Integer).unwrap().asks_the_time());
}

#[test]
fn the_size_of_a_formula_is_limited() {
    let limit = Limits::default().formula_bytes_max;
    let padded = |bytes: usize| format!("1{}", " ".repeat(bytes - 1));
    assert!(compile(&padded(limit), FieldType::Integer).is_ok());
    let expected = ErrorKind::Limit { name: "formula_bytes_max", limit: limit as u64 };
    assert_eq!(compile(&padded(limit + 1), FieldType::Integer).unwrap_err().kind, expected);
    let deep = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    let expected = ErrorKind::Limit { name: "expression_depth_max", limit: 64 };
    assert_eq!(compile(&deep, FieldType::Integer).unwrap_err().kind, expected);
}

#[test]
fn what_fails_only_for_some_values_is_an_error_of_those() {
    let formula = compile("100 / record.quantity", FieldType::Integer).unwrap();
    let value = |quantity| formula.value(&[Some(Value::Integer(quantity))], 0, &TimeZone::UTC);
    assert_eq!(value(8).unwrap(), Some(Value::Integer(12)));
    assert!(value(0).unwrap_err().to_string().contains("calculation failed"));
}
