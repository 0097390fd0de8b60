use trellis_rules::{ErrorKind, Input};

use super::support::*;

#[test]
fn a_field_is_read_by_its_name_and_null_is_unit() {
    let fields = [("name", text("Ada"))];
    let decided = before_save(
        r#"print(record.name); print(record["name"]); print(record.phone == ()); print(record.id); print(record.object);"#,
        input(&fields),
    );
    assert_eq!(decided.unwrap().printed, ["Ada", "Ada", "true", ACCOUNT, "account"]);
}

#[test]
fn what_was_before_is_seen_and_changes_are_told() {
    let before = record(&[("name", text("Ada")), ("phone", text("1"))]);
    let given = Input { before: Some(before), ..input(&[("name", text("Ada")), ("country", text("CN"))]) };
    let source = r#"
        print(`${before.phone} ${record.phone == ()} ${is_new()}`);
        print(`${changed("name")} ${changed("phone")} ${changed("country")} ${changed("score")}`);
        record.name = "Bea";
        print(changed("name"));
    "#;
    let decided = before_save(source, given).unwrap();
    assert_eq!(decided.printed, ["1 true false", "false true true false", "true"]);
    assert_eq!(
        printed(r#"print(before == ()); print(is_new()); print(changed("name"))"#),
        "true\ntrue\nfalse"
    );
}

#[test]
fn money_that_is_only_newly_converted_has_not_changed() {
    let money = |base: Option<&str>| {
        let mut money =
            trellis_model::Money::new("9.50".parse().unwrap(), trellis_model::Currency::new("USD").unwrap())
                .unwrap();
        money.base_amount = base.map(|base| base.parse().unwrap());
        trellis_model::Value::Money(money)
    };
    let before = record(&[("amount", money(Some("68.40")))]);
    let given = Input { before: Some(before), ..input(&[("amount", money(None))]) };
    let decided =
        before_save(r#"print(changed("amount")); print(before.amount.base_amount)"#, given).unwrap();
    assert_eq!(decided.printed, ["false", "68.4"]);
}

#[test]
fn an_unknown_field_is_named_with_its_object_and_place() {
    check_error("let a = 1;\n  record.fone", "line 2, column 9: `account` has no field `fone`");
    let error = before_save("record.fone = 1", input(&[])).unwrap_err();
    assert_eq!(error.text().zh_cn, "第 1 行第 7 列：对象 `account` 没有字段 `fone`");
    check_error(r#"changed("fone")"#, "line 1, column 1: `account` has no field `fone`");
}

#[test]
fn personal_data_that_was_not_granted_can_neither_be_read_nor_changed() {
    for source in ["record.phone", r#"record.phone = "1""#, r#"changed("phone")"#, "before.phone"] {
        let hidden = ["phone".parse().unwrap()].into();
        let before = Some(record(&[("phone", text("123"))]));
        let error =
            before_save(source, Input { hidden, before, ..input(&[("phone", text("456"))]) }).unwrap_err();
        let expected = "`phone` is personal data: the rule must be granted to read personal data";
        assert_eq!((error.message.en.as_str(), error.kind), (expected, ErrorKind::Runtime), "{source}");
    }
}

#[test]
fn the_time_is_what_the_host_says_in_the_organisations_zone() {
    let source = r#"print(now()); print(today()); print(today().weekday); print(now().hour); print(user());"#;
    assert_eq!(
        printed(source),
        format!("2026-11-21T20:30:00Z\n2026-11-22\n7\n4\n{OWNER}"),
        "morning of a Sunday in Shanghai"
    );
    let nobody = before_save("print(user() == ())", Input { user: None, ..input(&[]) }).unwrap();
    assert_eq!(nobody.printed, ["true"]);
}

#[test]
fn records_carry_when_they_were_made() {
    let created = trellis_model::Value::Time(NOW.parse().unwrap());
    let decided =
        before_save("print(record.created_at < now() + 1)", input(&[("created_at", created)])).unwrap();
    assert_eq!(decided.printed, ["true"]);
    check_error(
        "record.created_at = now()",
        "line 1, column 7: `created_at` is a system field and cannot be changed",
    );
}

#[test]
fn methods_of_a_fields_value_change_nothing() {
    let given =
        input(&[("name", text(" Ada ")), ("tags", trellis_model::Value::MultiChoice(vec!["new".into()]))]);
    let source =
        r#"print(record.name.len()); print(record.tags.contains("new")); print(record.name.to_upper());"#;
    let decided = before_save(source, given.clone()).unwrap();
    assert_eq!(decided.printed, ["5", "true", " ADA "]);
    assert!(decided.changes.is_empty());
    assert!(after_save(source, given).is_ok());
}

#[test]
fn a_rules_own_functions_get_what_they_need_passed() {
    let source = r#"
        fn is_chinese(r) { r.country in ["CN", "中国"] }
        if is_chinese(record) { veto("In China.") }
    "#;
    let decided = before_save(source, input(&[("country", text("中国"))])).unwrap();
    assert_eq!(decided.vetoes.len(), 1);
}
