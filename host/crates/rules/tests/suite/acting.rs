use trellis_model::{Action, NewMessage, NewTask, Text, Value};
use trellis_rules::{AfterSave, ErrorKind};

use super::support::*;

fn actions(source: &str) -> Vec<Action> {
    after_save(source, moved(Some("other"), Some("vip")))
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .actions
}

fn check_error(source: &str, expected: &str) {
    let error = after_save(source, moved(None, None)).unwrap_err();
    assert_eq!(error.to_string(), expected, "{source}");
}

#[test]
fn the_sample_rule_about_important_customers_makes_a_task() {
    let source = include_str!("../../../../../examples/rules/important-keep-task.rhai");
    let decided = after_save(source, moved(None, Some("important_keep"))).unwrap();
    let Action::CreateTask(task) = &decided.actions[0] else { panic!("{decided:?}") };
    assert_eq!(task.subject, Text::new("Call Ada", "回访客户 Ada"));
    assert_eq!((task.account, task.owner, task.due_in_days), (Some(id(ACCOUNT)), Some(id(OWNER)), Some(3)));
    assert_eq!(decided.reasons[0].code, "entered-important-keep");
    assert_eq!(after_save(source, moved(None, Some("other"))).unwrap(), AfterSave::default());
    let stayed = moved(Some("important_keep"), Some("important_keep"));
    assert_eq!(after_save(source, stayed).unwrap(), AfterSave::default());
}

#[test]
fn a_transition_says_what_happened() {
    let source = r#"
        print(`${event.watched} ${event.from} ${event.to} ${event.value == ()}`);
        print(`${entered("vip")} ${left("other")} ${entered("other")}`);
    "#;
    let decided = after_save(source, moved(Some("other"), Some("vip"))).unwrap();
    assert_eq!(decided.printed, ["segment.rfm other vip true", "true true false"]);
    let error = after_save(r#"entered("vip")"#, input(&[])).unwrap_err();
    assert_eq!(error.to_string(), "line 1, column 1: `entered` is for rules on transitions");
    assert!(after_save("event == ()", input(&[])).is_ok());
}

#[test]
fn each_action_comes_out_as_it_was_said() {
    let account = || "account".parse().unwrap();
    let task = format!(
        r#"create_task(#{{ subject: "Call", description: #{{ en: "d", zh: "说明" }}, owner: "{OWNER}", account: (), "case": "{ACCOUNT}", due_in_days: 2, priority: "high" }})"#
    );
    let expected = NewTask {
        subject: Text::new("Call", ""),
        description: Text::new("d", "说明"),
        owner: Some(id(OWNER)),
        account: None,
        case: Some(id(ACCOUNT)),
        due_in_days: Some(2),
        priority: Some("high".into()),
    };
    assert_eq!(actions(&task), [Action::CreateTask(expected)]);
    let message = r#"send_message(#{ channel: "sms", account: record.id, body: "Hello" })"#;
    let expected = NewMessage {
        channel: "sms".into(),
        account: Some(id(ACCOUNT)),
        body: Text::new("Hello", ""),
        ..NewMessage::default()
    };
    assert_eq!(actions(message), [Action::SendMessage(expected)]);
    let set = Action::SetFields {
        object: account(),
        id: id(ACCOUNT),
        fields: [
            ("phone".parse().unwrap(), None),
            ("status".parse().unwrap(), Some(Value::Choice("won".into()))),
        ]
        .into(),
    };
    assert_eq!(actions(r#"set_fields(#{ phone: (), status: "won" })"#), std::slice::from_ref(&set));
    assert_eq!(actions(r#"set_fields("account", record.id, #{ phone: (), status: "won" })"#), [set]);
    let timer = |name: &str, due: &str| Action::StartTimer {
        name: name.into(),
        object: account(),
        id: id(ACCOUNT),
        due_ms: due.parse::<jiff::Timestamp>().unwrap().as_millisecond(),
    };
    assert_eq!(actions(r#"start_timer("nag", now() + hours(2))"#), [timer("nag", "2026-11-21T22:30:00Z")]);
    assert_eq!(actions(r#"start_timer("nag", today() + 1)"#), [timer("nag", "2026-11-22T16:00:00Z")]);
    let cancel = Action::CancelTimer { name: "nag".into(), object: account(), id: id(ACCOUNT) };
    assert_eq!(actions(r#"cancel_timer("nag")"#), [cancel]);
}

#[test]
fn a_created_record_holds_values_of_each_kind() {
    let source = r#"create("case", #{
        subject: "S", score: 1.5, count: 2, amount: money("9.50", "CNY"), share: decimal("0.25"), open: true, due: today(),
        at: now(), tags: ["a", "b"], extra: #{ a: [1, ()] }, nothing: (), mixed: [[1]]
    })"#;
    let Action::CreateRecord { object, fields } = &actions(source)[0] else { panic!() };
    assert_eq!(object.as_str(), "case");
    let money =
        trellis_model::Money::new("9.50".parse().unwrap(), trellis_model::Currency::new("CNY").unwrap())
            .unwrap();
    let expected = [
        ("subject", text("S")),
        ("score", Value::Number(1.5)),
        ("count", Value::Integer(2)),
        ("amount", Value::Money(money)),
        ("share", Value::Number(0.25)),
        ("open", Value::Bool(true)),
        ("due", Value::Date("2026-11-22".parse().unwrap())),
        ("at", Value::Time(NOW.parse().unwrap())),
        ("tags", Value::List(vec![text("a"), text("b")])),
        ("extra", Value::Json(serde_json::json!({ "a": [1, null] }))),
        ("mixed", Value::Json(serde_json::json!([[1]]))),
    ];
    assert_eq!(fields, &record(&expected).fields);
}

#[test]
fn mistakes_in_actions_are_named() {
    check_error(
        r#"create_task(#{ subject: "x", owned: 1 })"#,
        "line 1, column 1: `create_task` does not take `owned`; it takes `subject`, `description`, `owner`, `account`, `case`, `due_in_days`, `priority`",
    );
    check_error("create_task(#{})", "line 1, column 1: `create_task` needs `subject`");
    check_error(
        r#"create_task(#{ subject: "x", owner: "Ada" })"#,
        "line 1, column 1: `owner` of `create_task`: `\"Ada\"` is not a record id (a UUID)",
    );
    check_error(
        r#"create_task(#{ subject: "x", due_in_days: -1 })"#,
        "line 1, column 1: `due_in_days` of `create_task`: `-1` is not a number of days, 0 to 65,535",
    );
    check_error(r#"send_message(#{ body: "x" })"#, "line 1, column 1: `send_message` needs `channel`");
    check_error("set_fields(#{})", "line 1, column 1: `set_fields` sets no field");
    check_error("set_fields(#{ fone: 1 })", "line 1, column 1: `account` has no field `fone`");
    check_error("set_fields(#{ name: 1 })", "line 1, column 1: field `name`: `1` is not a text");
    check_error("set_fields(#{ created_at: now() })", "line 1, column 1: `created_at` is a system field");
    check_error(
        r#"create("case", #{ "A b": 1 })"#,
        "line 1, column 1: `A b` is not a valid field name: 2 to 60 of a-z, 0-9 and _, a letter first",
    );
    check_error(
        r#"create("case", #{ x1: 0.0 / 0.0 })"#,
        "line 1, column 1: field `x1`: `NaN` is not a finite number",
    );
    check_error(
        r#"start_timer("Nag", now())"#,
        "line 1, column 1: `\"Nag\"` is not a name of at most 60 of a-z, 0-9 and -, a letter first",
    );
    check_error(r#"start_timer("nag", 5)"#, "line 1, column 1: `5` is not a time (RFC 3339)");
    check_error(r#"because("x", "y", 1.0 / 0.0)"#, "line 1, column 1: `inf` is not a finite number");
}

#[test]
fn a_saved_record_is_not_assigned_to() {
    check_error(
        r#"record.name = "Bea""#,
        "line 1, column 7: the record is saved already: change `name` with `set_fields`",
    );
    let error = before_save("set_fields(#{ name: \"x\" })", input(&[])).unwrap_err();
    assert_eq!(error.to_string(), "line 1, column 1: `set_fields` is for rules that run after saving");
    assert_eq!(error.kind, ErrorKind::Runtime);
    for call in ["create_task(#{})", "because(\"a\", \"b\")", "cancel_timer(\"x\")"] {
        assert!(
            before_save(call, input(&[])).unwrap_err().message.zh_cn.contains("只能用于保存后的规则"),
            "{call}"
        );
    }
}
