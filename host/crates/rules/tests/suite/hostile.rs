//! Rules that want more than they may have. Each limit is reached once.

use std::sync::Arc;

use trellis_model::NoLookups;
use trellis_rules::{ErrorKind, Input, Limits, RuleEngine};

use super::support::*;

fn limit_reached(engine: &RuleEngine, source: &str, given: Input) -> &'static str {
    let script = engine.compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let error = engine.before_save(&script, given).expect_err(source);
    match error.kind {
        ErrorKind::Limit { name, .. } => name,
        other => panic!("{source}: {other:?}: {error}"),
    }
}

fn check(source: &str, expected: &str) {
    assert_eq!(limit_reached(engine(), source, input(&[])), expected, "{source}");
}

#[test]
fn loops_end() {
    check("loop {}", "operations_max");
    check("while true { let a = 1; }", "operations_max");
    check("let a = 0; for n in 0..9223372036854775807 { a += 1; }", "operations_max");
    check("let f = || loop {}; f.call();", "operations_max");
    check("for a in 0..1000 { for b in 0..1000 { today() } }", "operations_max");
    check("fn f() { loop {} } loop { try { f() } catch {} }", "operations_max");
}

#[test]
fn recursion_ends() {
    check("fn f() { f() } f()", "call_levels_max");
    check("fn f(n) { g(n + 1) } fn g(n) { f(n + 1) } f(0)", "call_levels_max");
    check("fn f(n) { [n].map(|x| f(x + 1)) } f(0)", "call_levels_max");
}

#[test]
fn values_do_not_grow_without_end() {
    check(r#"let a = "x"; loop { a += a; }"#, "string_bytes_max");
    check(r#"let a = "x"; a.pad(1000000000, "y");"#, "string_bytes_max");
    check(r#"let a = "x".to_string(); loop { a = `${a}${a}`; }"#, "string_bytes_max");
    check("let a = [1]; loop { a += a; }", "array_len_max");
    check("let a = []; a.pad(1000000000, 1);", "array_len_max");
    check("let a = []; loop { a = [a, a]; }", "array_len_max");
    check("let a = #{}; let n = 0; loop { a.set(`k${n}`, n); n += 1; }", "map_len_max");
    check("let a = #{}; loop { a = #{ a: a, b: a }; }", "map_len_max");
}

#[test]
fn values_that_nest_deeply_are_let_go_again() {
    check("let a = []; loop { a = [a]; }", "array_len_max");
    check("let a = #{}; loop { a = #{ a: a }; }", "map_len_max");
    let nest = "let a = []; let n = 0; while n < 9990 { a = [a]; n += 1; }";
    let used = "let b = a; print(a == b); print([a].len()); print(`${a}`.len()); print(a in [])";
    assert_eq!(printed(&format!("{nest} {used}")), "true\n1\n19982\nfalse");
    let calls = "fn nest(a) { [a] } let a = []; let n = 0; while n < 3000 { a = nest(a); n += 1; } print(`${a}`.len())";
    assert_eq!(printed(calls), "6002");
    let straight = format!("let a = []; {} print(`${{a}}`.len())", "a=[a];".repeat(3_000));
    assert_eq!(printed(&straight), "6002");
    let deep = "let a = 1; for n in 0..900 { a = [a]; } record.extra = a;";
    let error = before_save(deep, input(&[])).unwrap_err();
    assert_eq!(error.message.en, "field `extra`: the value nests deeper than 64 levels");
}

#[test]
fn pointers_to_functions_carry_nothing() {
    for source in ["let f = |x| x; loop { f = f.curry(f); }", "let f = Fn(\"x\"); loop { f = curry(f, f); }"]
    {
        assert_eq!(engine().compile(source).unwrap_err().kind, ErrorKind::Syntax, "{source}");
    }
    let error = engine().compile("let b = 1; [1].filter(|x| x == b)").unwrap_err();
    assert_eq!(error.message.en, "there is no variable `b`");
    assert_eq!(printed("print([1, 2, 3].filter(|x| x > 1).len())"), "2");
}

#[test]
fn a_field_that_is_larger_than_a_value_may_be_is_a_limit() {
    let essay = [("essay", text(&"x".repeat(70_000)))];
    assert_eq!(limit_reached(engine(), "let a = record.essay;", input(&essay)), "string_bytes_max");
    assert!(before_save("record.name", input(&essay)).is_ok());
}

#[test]
fn variables_are_counted() {
    let source: String = (0..250).map(|n| format!("let v{n} = {n};\n")).collect();
    check(&source, "variables_max");
}

#[test]
fn time_ends_what_operations_do_not() {
    let engine = RuleEngine::new(Limits { operations_max: u64::MAX, time_ms_max: 30, ..Limits::default() });
    for source in [
        "loop {}",
        "let a = []; for n in 0..5000 { a += [5000 - n]; } loop { let b = a; b.sort(); }",
        "let a = []; for n in 0..5000 { a += [n]; } loop { a.index_of(-1); }",
        "let a = []; for n in 0..5000 { a += [n]; } let b = a; loop { a == b; }",
        "let s = \"\"; s.pad(60000, \"ab\"); loop { s.index_of(\"ac\"); s.replace(\"a\", \"c\"); }",
        "fn f() { loop {} } loop { try { f() } catch {} }",
    ] {
        let started = std::time::Instant::now();
        assert_eq!(limit_reached(&engine, source, input(&[])), "time_ms_max", "{source}");
        assert!(started.elapsed().as_secs() < 10, "{source}: {:?}", started.elapsed());
    }
}

#[test]
fn time_that_look_ups_take_is_not_the_rules() {
    struct Slow;
    impl trellis_model::Lookups for Slow {
        fn get(
            &self,
            _: &trellis_model::ObjectName,
            _: trellis_model::RecordId,
        ) -> Result<Option<trellis_model::NamedRecord>, trellis_model::LookupError> {
            Ok(None)
        }
        fn find(
            &self,
            _: &trellis_model::ObjectName,
            _: &serde_json::Value,
            _: u32,
        ) -> Result<Vec<trellis_model::NamedRecord>, trellis_model::LookupError> {
            Ok(vec![])
        }
        fn count(
            &self,
            _: &trellis_model::ObjectName,
            _: &serde_json::Value,
        ) -> Result<u64, trellis_model::LookupError> {
            std::thread::park_timeout(std::time::Duration::from_millis(1_500));
            Ok(7)
        }
    }
    let engine = RuleEngine::new(Limits { time_ms_max: 1_000, ..Limits::default() });
    let script =
        engine.compile("let n = count(\"case\", #{}); for i in 0..100 { n += 1; } print(n);").unwrap();
    let given = Input { lookups: Arc::new(Slow), ..input(&[]) };
    assert_eq!(engine.before_save(&script, given).unwrap().printed, ["107"]);
}

#[test]
fn decisions_are_counted() {
    check(r#"loop { veto("no") }"#, "vetoes_max");
    check(r#"loop { try { veto("no") } catch {} }"#, "vetoes_max");
    check(r#"fn v() { veto("no") } for n in 0..30 { try { v() } catch {} }"#, "vetoes_max");
    for storm in [
        r#"loop { cancel_timer("x") }"#,
        r#"loop { because("a", "b") }"#,
        "loop { set_fields(#{ score: 1 }) }",
    ] {
        let error = after_save(storm, input(&[])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit { name: "actions_max", limit: 100 }, "{storm}");
        assert!(error.text().zh_cn.contains("动作或理由数量最多 100"));
    }
}

#[test]
fn look_ups_are_counted_even_if_they_fail() {
    let given = Input { lookups: Arc::new(Shelf::default()), ..input(&[]) };
    assert_eq!(limit_reached(engine(), "loop { count(\"case\", #{}) }", given), "lookups_max");
    let given = Input { lookups: Arc::new(NoLookups), ..input(&[]) };
    let stubborn = "fn ask() { count(\"case\", #{}) } for n in 0..60 { try { ask() } catch {} }";
    assert_eq!(limit_reached(engine(), stubborn, given), "lookups_max");
}

#[test]
fn what_is_printed_is_cut() {
    let printed = before_save(r#"for n in 0..200 { print(n) } debug("x")"#, input(&[])).unwrap().printed;
    assert_eq!((printed.len(), printed[48].as_str(), printed[49].as_str()), (50, "48", "…"));
    let long = before_save(r#"let a = ""; a.pad(5000, "长"); print(a)"#, input(&[])).unwrap().printed;
    assert_eq!(long[0].chars().count(), 1_000);
}

#[test]
fn a_panic_of_the_hosts_answer_does_not_escape() {
    struct Broken;
    impl trellis_model::Lookups for Broken {
        fn get(
            &self,
            _: &trellis_model::ObjectName,
            _: trellis_model::RecordId,
        ) -> Result<Option<trellis_model::NamedRecord>, trellis_model::LookupError> {
            panic!("broken on purpose")
        }
        fn find(
            &self,
            _: &trellis_model::ObjectName,
            _: &serde_json::Value,
            _: u32,
        ) -> Result<Vec<trellis_model::NamedRecord>, trellis_model::LookupError> {
            panic!("broken on purpose")
        }
        fn count(
            &self,
            _: &trellis_model::ObjectName,
            _: &serde_json::Value,
        ) -> Result<u64, trellis_model::LookupError> {
            panic!("broken on purpose")
        }
    }
    let given = Input { lookups: Arc::new(Broken), ..input(&[]) };
    let error = before_save("try { count(\"case\", #{}) } catch {}", given).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Runtime);
    assert_eq!(printed("print(1 + 1)"), "2", "the next rule on this thread runs");
}

#[test]
fn a_rules_names_can_be_hidden_but_not_the_record_replaced() {
    check_error("record = 5", "line 1, column 1: `record` cannot be assigned");
    check_error("before = 5", "line 1, column 1: `before` cannot be assigned");
    let decided = before_save("let record = #{ name: 1 }; record.name = 2;", input(&[])).unwrap();
    assert!(decided.changes.is_empty());
}

#[test]
fn one_engine_serves_many_threads() {
    let script = engine().compile(r#"record.name = record.country + "!"; veto(record.name)"#).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let script = script.clone();
            scope.spawn(move || {
                for n in 0..50 {
                    let country = format!("{thread}-{n}");
                    let decided =
                        engine().before_save(&script, input(&[("country", text(&country))])).unwrap();
                    assert_eq!(decided.vetoes[0].message.en, format!("{country}!"));
                }
            });
        }
    });
}
