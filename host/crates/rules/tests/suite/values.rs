use trellis_model::{Currency, Money, Value};
use trellis_rules::ErrorKind;

use super::support::*;

fn money(amount: &str, currency: &str) -> Value {
    Value::Money(Money::new(amount.parse().unwrap(), Currency::new(currency).unwrap()).unwrap())
}

/// A value of each type, and another one of the same type.
fn pairs() -> Vec<(&'static str, Value, Value)> {
    let tags =
        |options: &[&str]| Value::MultiChoice(options.iter().map(|&option| option.to_owned()).collect());
    vec![
        ("name", text("名 \"Ada\"\n"), text("")),
        ("score", Value::Number(0.1), Value::Number(-1.7976931348623157e308)),
        ("employees", Value::Integer(i64::MIN), Value::Integer(9_007_199_254_740_993)),
        ("amount", money("29.30", "USD"), money("-2930", "JPY")),
        ("active", Value::Bool(true), Value::Bool(false)),
        ("since", Value::Date("0000-01-01".parse().unwrap()), Value::Date("9999-12-31".parse().unwrap())),
        (
            "seen_at",
            Value::Time("1969-12-31T23:59:59.999Z".parse().unwrap()),
            Value::Time("2026-11-21T20:48:00.125Z".parse().unwrap()),
        ),
        ("status", Value::Choice("open".into()), Value::Choice("won".into())),
        ("tags", tags(&["new", "won"]), tags(&[])),
        ("owner", Value::Reference(id(OWNER)), Value::Reference(id(ACCOUNT))),
        ("codes", Value::List(vec![Value::Integer(1), Value::Integer(1)]), Value::List(vec![])),
        (
            "extra",
            Value::Json(serde_json::json!({ "a": [1, 2.5, null, "x", { "b": true }] })),
            Value::Json(serde_json::json!("text")),
        ),
    ]
}

#[test]
fn values_of_each_type_come_back_exactly() {
    for (name, value, other) in pairs() {
        let given = input(&[(name, value.clone())]);
        let given = trellis_rules::Input { before: Some(record(&[(name, other.clone())])), ..given };
        let swap = format!(
            "let kept = record.{name}; record.{name} = before.{name}; if record.{name} == () {{ throw 1 }}"
        );
        let decided = before_save(&swap, given.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(decided.changes, [(name.parse().unwrap(), Some(other))].into(), "{name}");
        let there_and_back =
            format!("let kept = record.{name}; record.{name} = before.{name}; record.{name} = kept;");
        assert!(before_save(&there_and_back, given.clone()).unwrap().changes.is_empty(), "{name}");
        let emptied = before_save(&format!("record.{name} = ();"), given).unwrap();
        assert_eq!(emptied.changes, [(name.parse().unwrap(), None)].into(), "{name}");
    }
}

#[test]
fn literals_become_what_the_field_holds() {
    let check = |assignment: &str, field: &str, expected: Value| {
        let decided =
            before_save(assignment, input(&[])).unwrap_or_else(|error| panic!("{assignment}: {error}"));
        assert_eq!(decided.changes, [(field.parse().unwrap(), Some(expected))].into(), "{assignment}");
    };
    check("record.score = 3", "score", Value::Number(3.0));
    check(r#"record.score = decimal("0.1")"#, "score", Value::Number(0.1));
    check(r#"record.employees = decimal("12.00")"#, "employees", Value::Integer(12));
    check(r#"record.since = "2026-02-28""#, "since", Value::Date("2026-02-28".parse().unwrap()));
    check("record.since = today() + 1", "since", Value::Date("2026-11-23".parse().unwrap()));
    check(
        r#"record.seen_at = "2026-02-28T00:00:00Z""#,
        "seen_at",
        Value::Time("2026-02-28T00:00:00Z".parse().unwrap()),
    );
    check(r#"record.amount = money(12, "CNY") * 1.5"#, "amount", money("18", "CNY"));
    check(
        r#"record.tags = ["won", "new", "won"]"#,
        "tags",
        Value::MultiChoice(vec!["new".into(), "won".into()]),
    );
    check("record.extra = #{ a: [()] }", "extra", Value::Json(serde_json::json!({ "a": [null] })));
}

#[test]
fn a_wrong_type_is_said_with_the_field() {
    let check = |source: &str, expected: &str| {
        let kind = check_error(source, expected);
        assert_eq!(kind, ErrorKind::Value, "{source}");
    };
    check("record.name = 1", "line 1, column 7: field `name`: `1` is not a text");
    check("record.employees = 1.5", "line 1, column 7: field `employees`: `1.5` is not a whole number");
    check("record.score = \"1\"", "line 1, column 7: field `score`: `\"1\"` is not a number");
    check("record.score = 0.0 / 0.0", "line 1, column 7: field `score`: `NaN` is not a finite number");
    check("record.score = 1e300 * 1e300", "line 1, column 7: field `score`: `inf` is not a finite number");
    check("record.active = 1", "line 1, column 7: field `active`: `1` is not true or false");
    check(
        "record.since = now()",
        "line 1, column 7: field `since`: `2026-11-21T20:30:00Z` is not a date (YYYY-MM-DD)",
    );
    check(
        "record.since = \"2026-02-30\"",
        "line 1, column 7: field `since`: `2026-02-30` is not a date (YYYY-MM-DD)",
    );
    check(
        "record.status = \"lost\"",
        "line 1, column 7: field `status`: `lost` is not one of the options new, open, won",
    );
    check("record.owner = \"Ada\"", "line 1, column 7: field `owner`: `Ada` is not a record id (a UUID)");
    check(
        "record.codes = [1, ()]",
        "line 1, column 7: field `codes`: `[1,null]` is not a list without nulls",
    );
    check(
        "record.amount = 12",
        "line 1, column 7: field `amount`: `12` is not money ({\"amount\": \"12.34\", \"currency\": \"USD\"})",
    );
    check(
        "record.phone = \"123456789012345678901\"",
        "line 1, column 7: field `phone`: text has 21 characters, at most 20",
    );
    check(
        "record.extra = |x| x",
        "line 1, column 7: field `extra`: a Fn is not a value that a field can hold",
    );
    let error = before_save("record.name = 1", input(&[])).unwrap_err();
    assert_eq!(error.text().zh_cn, "第 1 行第 7 列：字段 `name`：`1` 无效，应为文本");
}

#[test]
fn days_and_moments_are_calculated_with() {
    let check = |expression: &str, expected: &str| {
        assert_eq!(printed(&format!("print({expression})")), expected, "{expression}");
    };
    check(r#"date("2024-02-28") + 2"#, "2024-03-01");
    check(r#"date("2024-03-01") - 1"#, "2024-02-29");
    check(r#"date("2024-03-01") - date("2024-02-01")"#, "29");
    check(r#"days_between("2024-01-01", date("2025-01-01"))"#, "366");
    check(r#"days_between(now(), today())"#, "0");
    check(r#"date("2024-03-01").year + date("2024-03-01").month + date("2024-03-01").day"#, "2028");
    check(r#"date("2024-03-01") > "2024-02-29" && "2024-02-29" < date("2024-03-01")"#, "true");
    check(r#"date("2024-03-01") == date("2024-03-01")"#, "true");
    check("today() <= now()", "true");
    check("date(now()) == today()", "true");
    check(r#"time("2024-03-01T00:00:00Z") + minutes(90)"#, "2024-03-01T01:30:00Z");
    check(r#"time("2024-03-01T00:00:01Z") - time("2024-03-01T00:00:00Z")"#, "1000");
    check(r#"time("2024-03-01T00:00:01Z") - 1000 < "2024-03-01T00:00:01Z""#, "true");
    check(r#""due " + date("2024-03-01") + "!""#, "due 2024-03-01!");
    check("record.since < today()", "false");
    check_error(r#"date("1.3.2024")"#, "line 1, column 1: `\"1.3.2024\"` is not a date (YYYY-MM-DD)");
    check_error("days_between(record.since, today())", "line 1, column 1: `()` is not a date (YYYY-MM-DD)");
    check_error("today() + 9223372036854775807", "line 1, column 9: the result is beyond the calendar");
    check_error(
        "today() - (-9223372036854775807 - 1)",
        "line 1, column 9: the result is beyond the calendar",
    );
    check_error("hours(9223372036854775807)", "line 1, column 1: the result is beyond the calendar");
}

#[test]
fn money_is_exact_and_keeps_its_currency() {
    let check = |expression: &str, expected: &str| {
        assert_eq!(printed(&format!("print({expression})")), expected, "{expression}");
    };
    check(r#"money("0.10", "USD") + money("0.20", "USD")"#, "0.3 USD");
    check(r#"money("0.10", "USD") - money("0.20", "USD")"#, "-0.1 USD");
    check(r#"money("10.05", "USD") * 0.5"#, "5.03 USD");
    check(r#"money(1000, "JPY") / 3"#, "333 JPY");
    check(r#"decimal("0.1") + decimal("0.2") == decimal("0.3")"#, "true");
    check(r#"money("12.30", "CNY").amount * 2 >= 24.6"#, "true");
    check(r#"money("12.30", "CNY").amount.round(1).to_float()"#, "12.3");
    check(r#"money("12.30", "CNY").currency"#, "CNY");
    check(r#"money(1, "CNY") == money(1, "USD")"#, "false");
    check(r#"money(1, "CNY") < money(2, "CNY")"#, "true");
    check(r#"decimal("7.9").to_int() + 1"#, "8");
    check(r#"1000 < decimal("1000.01") && decimal("2.5") == 2.5"#, "true");
    check_error(
        r#"money(1, "CNY") < money(2, "USD")"#,
        "line 1, column 17: CNY and USD cannot be calculated or compared with each other",
    );
    check_error(
        r#"money(1, "CNY") > 5"#,
        "line 1, column 17: money cannot be compared with a number: compare its `.amount`, or use `money(…)`",
    );
    check_error(
        r#"money("1.234", "USD")"#,
        "line 1, column 1: `1.234` is not an amount of USD with at most 2 decimals and 15 digits",
    );
    check_error(
        r#"money(1, "usd")"#,
        "line 1, column 1: `usd` is not a valid currency: three capital letters (ISO 4217)",
    );
    check_error(r#"decimal(1) / 0"#, "line 1, column 12: `1 / 0` is no decimal of 28 digits");
    check_error(r#"decimal(1e300)"#, "line 1, column 1: `1e300` is no decimal of 28 digits");
    check_error(
        r#"money(900000000000000, "USD") * 9"#,
        "line 1, column 31: `8100000000000000` is not an amount of USD with at most 2 decimals and 15 digits",
    );
}
