use proptest::prelude::*;
use trellis_rules::{Error, ErrorKind, Limits, RuleEngine, Trigger};

use super::support::*;

fn refused(source: &str) -> Error {
    engine().compile(source).expect_err(source)
}

#[test]
fn a_source_that_is_no_rule_is_refused_with_its_place() {
    let error = refused("let a = 1\nlet b = 2");
    assert_eq!((error.line, error.column, error.kind), (Some(2), Some(1), ErrorKind::Syntax));
    assert!(error.to_string().starts_with("line 2, column 1: syntax error: "), "{error}");
    assert!(error.text().zh_cn.starts_with("第 2 行第 1 列：语法错误："));
    let error = refused("if recrod.name == () { veto(\"x\") }");
    assert_eq!(error.to_string(), "line 1, column 4: there is no variable `recrod`");
    assert_eq!(error.text().zh_cn, "第 1 行第 4 列：没有变量 `recrod`");
}

#[test]
fn what_rhai_could_do_beyond_deciding_is_not_there() {
    for source in ["eval(\"1\")", "import \"x\" as y;", "export record;"] {
        assert_eq!(refused(source).kind, ErrorKind::Syntax, "{source}");
    }
    for call in
        ["sleep(1)", "sleep(0.1)", "timestamp()", "exit()", "rand()", "open(\"x\")", "parse_json(\"1\")"]
    {
        let error = before_save(call, input(&[])).unwrap_err();
        assert!(error.message.en.starts_with("there is no function `"), "{call}: {error}");
    }
}

#[test]
fn a_script_is_known_by_its_source() {
    let script = engine().compile("1").unwrap();
    assert_eq!(script.digest(), *blake3::hash(b"1").as_bytes());
    assert_eq!(script.clone().digest(), script.digest());
}

#[test]
fn the_size_of_a_source_is_limited() {
    let limits = Limits::default();
    let source = "1;".repeat(50 * 1_024);
    let expected = ErrorKind::Limit { name: "source_bytes_max", limit: limits.source_bytes_max as u64 };
    assert_eq!(refused(&source).kind, expected);
    assert!(engine().compile(&" ".repeat(limits.source_bytes_max)).is_ok());
}

#[test]
fn nesting_functions_and_literals_are_limited() {
    let check = |source: String, expected: &str| match refused(&source).kind {
        ErrorKind::Limit { name, .. } => assert_eq!(name, expected),
        other => panic!("{other:?}"),
    };
    check(format!("{}1{}", "(".repeat(65), ")".repeat(65)), "expression_depth_max");
    check(format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)), "expression_depth_max");
    check("if true {".repeat(7_000), "expression_depth_max");
    check(format!("let a = {}1", "!".repeat(20_000)), "expression_depth_max");
    check((0..101).map(|n| format!("fn f{n}() {{}}\n")).collect(), "functions_max");
    check(format!("let a = [{}];", "1,".repeat(10_001)), "array_len_max");
    let map: String = (0..1_001).map(|n| format!("k{n}:1,")).collect();
    check(format!("let a = #{{{map}}};"), "map_len_max");
    let engine = RuleEngine::new(Limits { string_bytes_max: 100, ..generous() });
    let long = engine.compile(&format!("let a = \"{}\";", "x".repeat(101))).unwrap_err();
    assert_eq!(long.kind, ErrorKind::Limit { name: "string_bytes_max", limit: 100 });
}

#[test]
fn the_largest_hostile_sources_compile_or_fail_soon() {
    let started = std::time::Instant::now();
    let arms: String = (0..6_500).map(|n| format!("{n}=>{n},")).collect();
    let _ = engine().compile(&format!("switch 1 {{ {arms} }}"));
    let parameters: String = (0..8_000).map(|n| format!("p{n},")).collect();
    let _ = engine().compile(&format!("fn f({parameters}) {{}}"));
    let _ = engine().compile(&"1;".repeat(32_768));
    assert!(started.elapsed().as_secs() < 20, "compiling took {:?}", started.elapsed());
}

#[test]
fn triggers_have_names() {
    assert!(Trigger::ALL.into_iter().all(|trigger| Trigger::of(trigger.as_str()) == Some(trigger)));
    assert_eq!(Trigger::of("on_delete"), None);
}

/// Pieces of the language and of our vocabulary, which meet in ways nobody planned.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "record",
        ".",
        "name",
        "=",
        "==",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "#{",
        ",",
        ";",
        ":",
        "if",
        "else",
        "fn",
        "f",
        "for",
        "in",
        "while",
        "loop",
        "let",
        "const",
        "switch",
        "=>",
        "_",
        "|",
        "||",
        "&&",
        "!",
        "-",
        "+",
        "*",
        "1",
        "1.5",
        "\"a\"",
        "`${",
        "`",
        "'x'",
        "..",
        "..=",
        "?.",
        "??",
        "try",
        "catch",
        "throw",
        "return",
        "break",
        "this",
        "Fn",
        "call",
        "curry",
        "veto",
        "before",
        "event",
        "changed",
        "today()",
        "is_shared",
        "type_of",
        "/*",
        "*/",
        "//",
        "\n",
        "9999999999999999999",
        "0x",
        "1e",
        "'",
        "\\",
        "é",
        "中",
        "do",
        "until",
        "continue",
        "print",
        "debug",
        "private",
        "as",
        "is_def_var",
        "@",
        "~",
        "<<",
        "**",
    ]);
    prop::collection::vec(token, 0..200).prop_map(|tokens| tokens.join(" "))
}

/// Statements that compile, in any order: most of such rules run.
fn statements() -> impl Strategy<Value = String> {
    let statement = prop::sample::select(vec![
        "let a = [1, [2]];",
        "let a = #{ b: 1 };",
        "let a = record.name;",
        "let a = 1.5;",
        "record.name = `${a}`;",
        "record.extra = a;",
        "record.score = a;",
        "a += a;",
        "a[0] = a;",
        "a.b = a;",
        "a = [a];",
        "a = -a;",
        "print(a);",
        "a.len();",
        "a.push(a);",
        "a.sort();",
        "a = a * a;",
        "a = a / 0;",
        "a = a << 70;",
        "a = a % 0;",
        "a = a ** 9999;",
        "a = today();",
        "a = now() - a;",
        "a = money(1, \"CNY\");",
        "a = a - 9223372036854775807;",
        "a = decimal(a);",
        "for n in 0..9 { a = [a, n]; }",
        "for n in 9..0 { a = n; }",
        "if a == () { a = 1; }",
        "try { throw a; } catch (e) { a = e; }",
        "switch a { 1 => a = 2, _ => a = () }",
        "a = a.map(|x| x);",
        "a = a.reduce(|x, y| x + y);",
        "a = \"é中\"[1];",
        "a = a[-1];",
        "a.remove(0);",
        "a.truncate(-5);",
        "a.insert(-9, 1);",
        "a = a.sub_string(1, 9);",
        "a = a in [a];",
        "a = range(1, 5, 2);",
        "a = 'x';",
        "a.pad(99, \"é\");",
        "a = a.extract(1..9);",
        "a.splice(0, 9, [1]);",
        "veto(a);",
        "a = a ?? 1;",
        "a = a?.b;",
        "a = max(a, 1);",
        "a = a.round();",
        "a = parse_int(a);",
        "a = a.split(a);",
        "a.drain(|x| x == 1);",
    ]);
    prop::collection::vec(statement, 0..30)
        .prop_map(|statements| format!("let a = 1;\n{}", statements.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_compiler(source in "(?s).{0,512}") {
        check_any(&source);
    }

    #[test]
    fn no_sequence_of_statements_breaks_the_interpreter(source in statements()) {
        check_any(&source);
    }

    #[test]
    fn no_soup_of_tokens_breaks_anything(source in tokens()) {
        check_any(&source);
    }
}

/// Compiles, and runs what compiles: never a panic, and never the report of one.
fn check_any(source: &str) {
    let failed = "the rule made the interpreter fail; please report it";
    match engine().compile(source) {
        Ok(script) => {
            if let Err(error) = engine().before_save(&script, input(&[])) {
                assert_ne!(error.message.en, failed, "{source}");
            }
        }
        Err(error) => assert_ne!(error.message.en, failed, "{source}"),
    }
}
