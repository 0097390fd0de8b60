use std::sync::Arc;

use trellis_model::LookupError;
use trellis_rules::{ErrorKind, Input};

use super::support::*;

fn shelf(error: Option<LookupError>) -> Arc<Shelf> {
    let found = record(&[("name", text("Ada")), ("status", text("open"))]);
    Arc::new(Shelf { records: [(found.id, found)].into(), error, asked: Default::default() })
}

#[test]
fn records_are_got_found_and_counted() {
    let shelf = shelf(None);
    let source = format!(
        r#"
        let a = get("account", "{ACCOUNT}");
        print(`${{a.name}} ${{a.id}} ${{a.object}} ${{a.phone == ()}}`);
        print(get("account", "{OWNER}") == ());
        print(get("account", record.owner) == ());
        let all = find("account", #{{ field: "since", op: "lt", value: today() }}, 7);
        print(`${{all.len()}} ${{all[0].name}}`);
        for one in find("account", #{{}}) {{ print(one.status) }}
        print(count("account", #{{ field: "amount", op: "gt", value: decimal("9.5") }}));
    "#
    );
    let given = Input { lookups: shelf.clone(), ..input(&[]) };
    let decided = before_save(&source, given).unwrap();
    let ada = format!("Ada {ACCOUNT} account true");
    assert_eq!(decided.printed, [ada.as_str(), "true", "true", "1 Ada", "open", "1"]);
    let asked = shelf.asked.lock().unwrap();
    assert_eq!(asked[2], r#"find account {"field":"since","op":"lt","value":"2026-11-22"} 7"#);
    assert_eq!(asked[3], "find account {} 20");
    assert_eq!(asked[4], r#"count account {"field":"amount","op":"gt","value":"9.5"}"#);
}

#[test]
fn a_look_up_that_has_no_answer_stops_the_rule_at_its_place() {
    let check = |error: LookupError, source: &str, expected: &str, kind: ErrorKind| {
        let given = Input { lookups: shelf(Some(error)), ..input(&[]) };
        let error = before_save(source, given).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.kind), (expected, kind), "{source}");
    };
    let source = "let n = 1;\nn += count(\"case\", #{})";
    check(
        LookupError::Denied("case".into()),
        source,
        "line 2, column 6: the rule was not granted to look up case",
        ErrorKind::Runtime,
    );
    check(
        LookupError::Invalid("no such field".into()),
        source,
        "line 2, column 6: the look-up cannot be made: no such field",
        ErrorKind::Runtime,
    );
    check(
        LookupError::Failed("closing".into()),
        source,
        "line 2, column 6: the look-up could not be answered: closing",
        ErrorKind::Unavailable,
    );
}

#[test]
fn a_look_up_that_failed_cannot_be_swallowed() {
    let given = Input { lookups: shelf(Some(LookupError::Failed("closing".into()))), ..input(&[]) };
    let swallow = "fn ask() { count(\"case\", #{}) }\ntry { ask() } catch { record.name = \"x\" }";
    assert_eq!(before_save(swallow, given).unwrap_err().kind, ErrorKind::Unavailable);
    let given = Input { lookups: shelf(Some(LookupError::Denied("case".into()))), ..input(&[]) };
    let caught = before_save("try { count(\"case\", #{}) } catch (e) { print(e) }", given).unwrap();
    assert_eq!(caught.printed, ["the rule was not granted to look up case"]);
}

#[test]
fn wrong_questions_never_reach_the_host() {
    check_error(r#"get("account", "x")"#, "line 1, column 1: `get`: `\"x\"` is not a record id (a UUID)");
    check_error(
        r#"count("Case", #{})"#,
        "line 1, column 1: `Case` is not a valid object name: 2 to 60 of a-z, 0-9 and _, a letter first",
    );
    check_error(
        r#"count("case", #{ value: Fn("x") })"#,
        "line 1, column 1: a Fn is not a value that a field can hold",
    );
}

#[test]
fn found_records_can_only_be_read() {
    let given = Input { lookups: shelf(None), ..input(&[]) };
    let error =
        before_save(&format!("let a = get(\"account\", \"{ACCOUNT}\");\na.name = \"x\""), given).unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 2: `name` of this record can only be read");
}
