use serde_json::json;
use trellis_model::FieldName;

use super::*;

const RFM: &str = r#"
id = "retail-rfm"
version = "1.2.0"
wit = "1.0.0"
industry = "retail"
provides = ["segmentation"]
name = { en = "RFM segmentation", zh-CN = "RFM 客户细分" }

[[datasets]]
name = "customers"
kind = "per-customer"
object = "account"
columns = [
    { name = "last_order", from = "order", aggregate = "last", time = "ordered_on" },
    { name = "spent", from = "order", aggregate = "sum", field = "amount", time = "ordered_on" },
    { name = "country", field = "country" },
]

[config]
type = "object"
additionalProperties = false
[config.properties.groups]
type = "integer"
minimum = 2
maximum = 9
default = 5
title = { en = "Groups", zh-CN = "分组数" }
[config.properties.weights.properties.recency]
type = "number"
exclusiveMinimum = 0
default = 1.5

[segmentation.aliases]
rfm = "class"
"#;

#[test]
fn a_manifest_is_read() {
    let manifest = Manifest::parse(RFM).unwrap();
    assert_eq!(manifest.plugin_version().to_string(), "plugin `retail-rfm` 1.2.0");
    assert_eq!(manifest.output_name("class"), "retail_rfm__class");
    assert_eq!(manifest.limit_class, LimitClass::Batch);
    let dataset = manifest.dataset("customers").unwrap();
    let spent = ColumnSource::Aggregate {
        from: ObjectName::new("order").unwrap(),
        aggregate: Aggregate::Sum(FieldName::new("amount").unwrap()),
        time: FieldName::new("ordered_on").unwrap(),
    };
    assert_eq!(dataset.columns[1].source, spent);
    assert_eq!(dataset.columns[2].source, ColumnSource::Field(FieldName::new("country").unwrap()));
    assert_eq!(manifest.segmentation_aliases["rfm"], "class");
}

/// Replaces `old` in the good manifest and expects this message.
fn check(old: &str, new: &str, message: &str) {
    assert!(RFM.contains(old), "{old}");
    let error = Manifest::parse(&RFM.replacen(old, new, 1)).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn what_is_wrong_is_named() {
    let rfm = "plugin.toml of plugin `retail-rfm` 1.2.0, ";
    check("industry =", "industri =", &format!("{rfm}line 5: unknown field `industri`"));
    check("\"account\"", "\"account\"\nfilter = 1", "unknown field `filter`");
    check("id = \"retail-rfm\"", "id = \"Retail\"", "plugin `Retail` 1.2.0, `id`: ");
    check("version = \"1.2.0\"", "", "plugin `retail-rfm` without a version");
    check(
        "= [\"segmentation\"]",
        "= [\"telepathy\"]",
        "`provides`: `telepathy` is no interface of this host",
    );
    check("= [\"segmentation\"]", "= []", "`provides`: names no interface");
    check("en = \"RFM segmentation\"", "en = \"\"", "`name.en`: is empty");
    check("kind = \"per-customer\"", "kind = \"rows\"", "`datasets`: a plugin that provides segmentation");
    check("aggregate = \"last\", ", "", "`datasets[0].columns[0]`: is either a field");
    check(", field = \"amount\"", "", "`aggregate = \"sum\"` needs `field`");
    check("name = \"spent\"", "name = \"last_order\"", "`datasets[0].columns`: `last_order` is there twice");
    check("minimum = 2", "pattern = 2", "`config.properties.groups.pattern`: is not a keyword");
    check("default = 5", "default = 12", "`config.properties.groups.default`: 12 breaks maximum 9");
    check("provides =", "limit-class = \"call\"\nprovides =", "`limit-class`: is neither");
    check("rfm = \"class\"", "Rfm = \"class\"", "`segmentation.aliases.Rfm`");
}

#[test]
fn text_that_is_no_manifest_is_refused() {
    let error = Manifest::parse("= 1").unwrap_err().to_string();
    assert!(error.starts_with("plugin.toml of an unnamed plugin, line 1: "), "{error}");
}

#[test]
fn defaults_fill_what_is_left_out() {
    let manifest = Manifest::parse(RFM).unwrap();
    assert_eq!(manifest.default_config(), json!({"groups": 5, "weights": {"recency": 1.5}}));
    let given = manifest.config.with_defaults(json!({"groups": 3, "other": 1}));
    assert_eq!(given, json!({"groups": 3, "other": 1, "weights": {"recency": 1.5}}));
}

#[test]
fn wrong_settings_are_named() {
    let manifest = Manifest::parse(RFM).unwrap();
    let check = |config, expected: &[&str]| {
        let problems = manifest.validate_config(&config).err().unwrap_or_default();
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, expected, "{config}");
    };
    check(json!({"groups": 9}), &[]);
    check(json!({"groups": 1}), &["setting `groups`: 1 breaks minimum 2"]);
    check(json!({"groups": 2.5}), &["setting `groups`: 2.5 is not of type integer"]);
    check(json!({"group": 2}), &["setting `group`: is unknown"]);
    check(json!({"weights": {"recency": 0}}), &["setting `weights.recency`: 0 breaks exclusiveMinimum 0"]);
    check(json!([]), &["setting ``: [] is not of type object"]);
}

#[test]
fn a_plugin_without_settings_takes_none() {
    let start = RFM.find("[config]").unwrap();
    let end = RFM.find("[segmentation.aliases]").unwrap();
    let manifest = Manifest::parse(&format!("{}{}", &RFM[..start], &RFM[end..])).unwrap();
    assert_eq!(manifest.default_config(), json!({}));
    assert!(manifest.validate_config(&json!({"a": 1})).is_err());
}

#[test]
fn lists_and_choices_are_checked() {
    let schema = ConfigSchema::new(Some(json!({
        "type": "object",
        "required": ["mode"],
        "properties": {
            "mode": {"type": "string", "enum": ["a", "b"]},
            "bounds": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
        },
    })))
    .unwrap();
    let check = |config, expected: &[&str]| {
        let problems: Vec<_> = schema.problems(&config).iter().map(ToString::to_string).collect();
        assert_eq!(problems, expected, "{config}");
    };
    check(json!({"mode": "a", "bounds": [1, 2]}), &[]);
    check(json!({}), &["setting `mode`: is missing"]);
    check(json!({"mode": "c"}), &["setting `mode`: \"c\" is not one of [\"a\",\"b\"]"]);
    check(
        json!({"mode": "a", "bounds": [1, "x", 3]}),
        &[
            "setting `bounds`: [1,\"x\",3] breaks maxItems 2",
            "setting `bounds[1]`: \"x\" is not of type integer",
        ],
    );
}
