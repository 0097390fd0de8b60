use trellis_model::Text;
use trellis_rules::{ErrorKind, RuleVeto};

use super::support::*;

fn vetoes(source: &str) -> Vec<RuleVeto> {
    before_save(source, input(&[("country", text("CN"))])).unwrap().vetoes
}

#[test]
fn the_sample_rule_about_phones_in_china_vetoes() {
    let source = include_str!("../../../../../examples/rules/phone-in-china.rhai");
    let vetoes = vetoes(source);
    assert_eq!(vetoes.len(), 1);
    assert_eq!(vetoes[0].field.as_ref().unwrap().as_str(), "phone");
    assert_eq!(vetoes[0].code, "phone-required");
    assert_eq!(vetoes[0].message.zh_cn, "中国的客户必须填写电话。");
    let fine = input(&[("country", text("CN")), ("phone", text("138"))]);
    assert_eq!(before_save(source, fine).unwrap(), Default::default());
}

#[test]
fn vetoes_add_up_in_each_form() {
    let source = r#"
        veto("one");
        veto(#{ en: "two", zh: "二" });
        veto("phone", "three");
        veto("phone", "a-code", #{ zh: "四" });
    "#;
    let expected = |field: Option<&str>, code: &str, message| RuleVeto {
        field: field.map(|name| name.parse().unwrap()),
        code: code.to_owned(),
        message,
    };
    let all = [
        expected(None, "refused", Text::new("one", "")),
        expected(None, "refused", Text::new("two", "二")),
        expected(Some("phone"), "refused", Text::new("three", "")),
        expected(Some("phone"), "a-code", Text::new("四", "四")),
    ];
    assert_eq!(vetoes(source), all);
}

#[test]
fn a_veto_must_be_well_formed() {
    check_error(r#"veto("fone", "x")"#, "line 1, column 1: `account` has no field `fone`");
    check_error(
        r#"veto("phone", "A Code", "x")"#,
        "line 1, column 1: `\"A Code\"` is not a name of at most 60 of a-z, 0-9 and -, a letter first",
    );
    for bad in [r#"veto("")"#, "veto(1)", "veto(#{})", r#"veto(#{ en: "a", de: "b" })"#, "veto(#{ en: 1 })"] {
        let error = before_save(bad, input(&[])).unwrap_err();
        assert!(error.message.en.contains("is not a message of 1 to 1000 characters"), "{bad}: {error}");
        assert_eq!(error.kind, ErrorKind::Value);
    }
    let long = format!(r#"veto("{}")"#, "长".repeat(1_001));
    assert!(before_save(&long, input(&[])).is_err());
}

#[test]
fn only_rules_before_saving_refuse() {
    let error = after_save(r#"veto("no")"#, input(&[])).unwrap_err();
    assert_eq!(error.to_string(), "line 1, column 1: `veto` is for rules that run before saving");
}

#[test]
fn a_rule_that_throws_decides_nothing() {
    let kind = check_error(
        "record.name = \"x\";\nthrow \"enough\"",
        "line 2, column 1: the rule stopped itself: enough",
    );
    assert_eq!(kind, ErrorKind::Runtime);
}
