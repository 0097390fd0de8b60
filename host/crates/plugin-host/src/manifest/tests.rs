use serde_json::{Value as Json, json};
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
    check("kind = \"per-customer\"", "kind = \"rows\"", "`last_order`: figures over child records belong to");
    check("aggregate = \"last\", ", "", "`datasets[0].columns[0]`: is neither a field");
    check(", field = \"amount\"", "", "`aggregate = \"sum\"` needs `field`");
    check("name = \"spent\"", "name = \"last_order\"", "`datasets[0].columns`: `last_order` is there twice");
    check("minimum = 2", "pattern = 2", "`config.properties.groups.pattern`: is not a keyword");
    check("default = 5", "default = 12", "`config.properties.groups.default`: 12 breaks maximum 9");
    check("provides =", "limit-class = \"call\"\nprovides =", "`limit-class`: is neither");
    check("rfm = \"class\"", "Rfm = \"class\"", "`segmentation.aliases.Rfm`");
}

const DESK: &str = r#"
id = "complaint-desk"
version = "1.0.0"
wit = "1.0.0"
provides = ["service-workflow", "record-hook", "campaign-rules", "scoring"]
name = { en = "Complaint desk" }

[[datasets]]
name = "customers"
kind = "per-customer"
object = "account"
[[datasets.columns]]
name = "open_severe_complaints"
from = "case"
aggregate = "count"
by = "account"
where = { and = [ { field = "kind", op = "eq", value = "complaint" }, { field = "status", op = "nin", value = ["resolved", "closed"] } ] }

[scoring.aliases]
value = "points"

[service-workflow]
object = "case"
fields = ["subject", "status"]
account-fields = ["name"]
when = ["status"]
closed = { field = "status", values = ["closed"] }

[campaign-rules]
campaign-fields = ["name", "starts_on"]
when = [{ object = "case", by = "account" }]

[[record-hook]]
object = "lead"
fields = ["status", "money_grade"]
on-failure = "accept"

[[lookups]]
object = "account"
fields = ["owner", "name"]

[[actions]]
kind = "set-fields"
object = "case"
fields = ["severity", "priority"]
[[actions]]
kind = "create-task"
"#;

fn fields<const N: usize>(names: [&str; N]) -> std::collections::BTreeSet<FieldName> {
    names.into_iter().map(|name| FieldName::new(name).unwrap()).collect()
}

#[test]
fn uses_and_grants_are_read() {
    let manifest = Manifest::parse(DESK).unwrap();
    let workflow = manifest.service_workflow.as_ref().unwrap();
    assert_eq!((&workflow.fields, &workflow.when), (&fields(["status", "subject"]), &fields(["status"])));
    assert_eq!(workflow.closed.as_ref().unwrap().values, ["closed"]);
    assert_eq!(manifest.campaign_rules.as_ref().unwrap().when[0].by.as_str(), "account");
    let lead = ObjectName::new("lead").unwrap();
    let hook = manifest.record_hook(&lead).unwrap();
    assert_eq!((&hook.when, hook.on_failure), (&fields(["money_grade", "status"]), OnFailure::Accept));
    assert_eq!(
        manifest.lookup(&ObjectName::new("account").unwrap()).unwrap().fields,
        fields(["name", "owner"])
    );
    assert_eq!(manifest.lookup(&lead), None);
    assert_eq!(manifest.score_aliases["value"], "points");
    let ColumnSource::Related(counted) = &manifest.datasets[0].columns[0].source else {
        panic!("{:?}", manifest.datasets)
    };
    let by = counted.by.as_ref().map(FieldName::as_str);
    assert_eq!((counted.object.as_str(), by, &counted.figure), ("case", Some("account"), &Figure::Count));
    assert!(matches!(&counted.filter, trellis_model::Filter::And(parts) if parts.len() == 2));
}

#[test]
fn what_happens_while_it_is_absent_is_declared_and_an_admin_may_say_otherwise() {
    use std::collections::BTreeMap;
    let text = |absent: &str| format!("{DESK}[absent]\n{absent}");
    let manifest = Manifest::parse(&text("scoring = \"clear\"\ncampaign-rules = \"skip\"")).unwrap();
    let said = |instead: &[(AbsentUse, AbsentPolicy)]| {
        let absences = manifest.absences(&instead.iter().copied().collect());
        let one = |absence: &Absence| {
            let by = if absence.by_settings { "admin" } else { "author" };
            let object = absence.object.as_ref().map_or("", ObjectName::as_str);
            format!("{} {object} {} by {by}", absence.of.name(), absence.policy.name())
        };
        absences.iter().map(one).collect::<Vec<_>>()
    };
    let declared = [
        "scoring  clear by author",
        "campaign-rules  skip by author",
        "service-workflow  skip by author",
        "close-check case refuse by author",
        "record-hook lead accept by author",
    ];
    assert_eq!(said(&[]), declared);
    let own = said(&[
        (AbsentUse::Scoring, AbsentPolicy::Keep),
        (AbsentUse::CampaignRules, AbsentPolicy::Refuse),
        (AbsentUse::CloseCheck, AbsentPolicy::Accept),
        (AbsentUse::RecordHook, AbsentPolicy::Refuse),
    ]);
    assert_eq!(own[0], "scoring  keep by admin");
    assert_eq!(own[1], "campaign-rules  refuse by admin");
    assert_eq!(own[2], declared[2]);
    assert_eq!(own[3..], ["close-check case accept by admin", "record-hook lead refuse by admin"]);
    for of in AbsentUse::ALL {
        assert_eq!(AbsentUse::named(of.name()), Some(of));
        for policy in of.choices() {
            let absence =
                Absence { of, object: None, policy: *policy, declared: *policy, by_settings: false };
            let Text { en, zh_cn } = absence.in_words();
            assert!(!en.is_empty() && !zh_cn.is_empty() && en != zh_cn);
        }
    }
    let check =
        |of, policy| manifest.check_absent(&BTreeMap::from([(of, policy)])).map_err(|reason| reason.en);
    assert_eq!(check(AbsentUse::Scoring, AbsentPolicy::Keep), Ok(()));
    assert_eq!(
        check(AbsentUse::Scoring, AbsentPolicy::Accept).unwrap_err(),
        "`absent.scoring`: `accept` is none of `keep`, `clear`"
    );
    let unknown = check(AbsentUse::Segmentation, AbsentPolicy::Keep).unwrap_err();
    assert_eq!(unknown, "`absent.segmentation`: the plugin is not asked for that");
    let refused = |absent: &str, reason: &str| {
        let error = Manifest::parse(&text(absent)).unwrap_err().to_string();
        assert!(error.contains(reason), "{absent}: {error}");
    };
    refused("scoring = \"skip\"", "`skip` is none of `keep`, `clear`");
    refused("scoring = \"hide\"", "`hide` is no policy");
    refused("segmentation = \"keep\"", "`provides` does not name `segmentation`");
    refused("record-hook = \"accept\"", "`on-failure` of `[[record-hook]]` says it");
    refused("search = \"keep\"", "`absent.search`: is nothing");
}

#[test]
fn an_admin_is_told_what_is_asked_for() {
    let requests = Manifest::parse(DESK).unwrap().requests();
    let grants: Vec<_> = requests.iter().map(|request| request.grant.as_str()).collect();
    assert_eq!(
        grants,
        [
            "data:case(account,kind,status)",
            "see:case(status,subject)",
            "see:account(name)",
            "see:campaign(name,starts_on)",
            "judge:lead(money_grade,status)",
            "read:account(name,owner)",
            "act:set-fields:case(priority,severity)",
            "act:create-task",
        ]
    );
    assert!(requests.iter().all(|request| !request.text.en.is_empty() && !request.text.zh_cn.is_empty()));
    assert_eq!(requests[6].text.zh_cn, "可设置 case 的：priority,severity");
}

#[test]
fn a_grant_covers_its_kind_its_object_and_its_fields() {
    use trellis_model::{Action, NewTask, RecordId, Value};
    let grants = Manifest::parse(DESK).unwrap().actions;
    let allowed = |action: &Action| grants.iter().any(|grant| grant.allows(action));
    let set = |object: &str, names: &[&str]| Action::SetFields {
        object: ObjectName::new(object).unwrap(),
        id: RecordId::parse("01926b5e-0000-7000-8000-000000000001").unwrap(),
        fields: names.iter().map(|name| (FieldName::new(name).unwrap(), None)).collect(),
    };
    assert!(allowed(&set("case", &["severity"])) && allowed(&set("case", &["severity", "priority"])));
    assert!(!allowed(&set("case", &["severity", "owner"])));
    assert!(!allowed(&set("lead", &["severity"])));
    let create = |object: &str| Action::CreateRecord {
        object: ObjectName::new(object).unwrap(),
        fields: [(FieldName::new("severity").unwrap(), Value::Bool(true))].into(),
    };
    assert!(!allowed(&create("case")), "changing is not creating");
    assert!(allowed(&Action::CreateTask(NewTask::default())));
    let other = |kind: &str| Action::Other { kind: kind.to_owned(), payload: String::new() };
    assert!(!allowed(&other("create-task")) && !allowed(&other("launch-rocket")));
}

#[test]
fn uses_that_are_wrong_are_named() {
    let check = |old: &str, new: &str, message: &str| {
        assert!(DESK.contains(old), "{old}");
        let error = Manifest::parse(&DESK.replacen(old, new, 1)).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    };
    check("\"service-workflow\", ", "", "`service-workflow`: is there, but `provides` does not name");
    check("\"record-hook\", ", "", "`record-hook`: is there, but `provides` does not name");
    check("\"campaign-rules\", ", "", "`campaign-rules`: is there, but `provides` does not name");
    check("[[datasets]]\nname", "[[datasets]]\nnom", "unknown field `nom`");
    check(
        "kind = \"per-customer\"",
        "kind = \"rows\"",
        "`open_severe_complaints`: figures over child records belong to",
    );
    check("op = \"nin\"", "op = \"out\"", "`datasets[0].columns[0].where`: ");
    check("by = \"account\"\n", "", "`datasets[0].columns[0]`: names neither `time`");
    check("aggregate = \"count\"", "aggregate = \"last\"", "`first`, `last` or `count-days` needs `time`");
    check(
        "when = [\"status\"]",
        "when = [\"owner\"]",
        "`service-workflow.when`: `owner` is not among `fields`",
    );
    check("values = [\"closed\"]", "values = []", "`service-workflow.closed.values`: there are none");
    check("by = \"account\" }]", "by = \"Account\" }]", "`campaign-rules.when[0].by`: ");
    check("fields = [\"status\", \"money_grade\"]", "fields = []", "`record-hook[0].fields`: there are none");
    check("\"accept\"", "\"shrug\"", "unknown variant `shrug`");
    check(
        "fields = [\"owner\", \"name\"]",
        "fields = [\"name\", \"name\"]",
        "`lookups[0].fields`: `name` is there twice",
    );
    check("\"set-fields\"", "\"set-fire\"", "`actions[0].kind`: `set-fire` is no kind of action");
    check(
        "object = \"case\"\nfields = [\"severity\", \"priority\"]",
        "",
        "`actions[0]`: `set-fields` needs `object`",
    );
    check("\"create-task\"", "\"create-task\"\nobject = \"task\"", "`actions[1]`: `create-task` has neither");
    let twice = format!("{DESK}[[actions]]\nkind = \"create-task\"\n");
    assert!(Manifest::parse(&twice).unwrap_err().to_string().contains("`create-task` is there twice"));
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

const BASKETS: &str = r#"
id = "baskets"
version = "1.0.0"
wit = "1.0.0"
provides = ["scoring"]
name = { en = "Baskets" }

[[datasets]]
name = "customers"
kind = "per-customer"
object = "account"
columns = [
    { name = "name", field = "name" },
    { name = "features", fields-from = "features" },
    { name = "target", field-from = "target" },
]

[[datasets]]
name = "lines"
kind = "rows"
object = "order_line"
where = { field = "product.kind", op = "eq", value = "goods" }
order-by = ["order"]
time = "ordered_on"
columns = [
    { name = "product", field = "product.name" },
    { name = "amount", field = "amount" },
    { name = "owner", field = "account.owner.name" },
]

[config]
type = "object"
[config.properties.features]
type = "array"
items = { type = "string", x-field-of = "account" }
[config.properties.target]
type = "string"
x-field-of = "account"
"#;

#[test]
fn datasets_of_rows_are_read() {
    let manifest = Manifest::parse(BASKETS).unwrap();
    let name = |name: &str| FieldName::new(name).unwrap();
    let lines = manifest.dataset("lines").unwrap();
    assert_eq!((lines.kind, lines.order_by.as_slice()), (DatasetKind::Rows, [name("order")].as_slice()));
    assert_eq!(lines.time, Some(name("ordered_on")));
    let source = ColumnSource::Through { references: vec![name("product")], field: name("name") };
    assert_eq!(lines.columns[0].source, source);
    let beyond = &lines.columns[2].source;
    let references = vec![name("account"), name("owner")];
    assert_eq!(*beyond, ColumnSource::Through { references, field: name("name") });
    assert_eq!(beyond.reads_beyond(), [&name("owner"), &name("name")], "what is granted of other objects");
    let through = [vec!["account", "owner", "name"], vec!["product", "kind"], vec!["product", "name"]]
        .map(|path| path.into_iter().map(name).collect::<Vec<_>>());
    assert_eq!(lines.reads_through().into_iter().collect::<Vec<_>>(), through);
    let grants: Vec<_> = manifest.requests().into_iter().map(|request| request.grant).collect();
    let of_lines = "data:order_line(account,amount,order,ordered_on,product,account.owner.name,product.kind,product.name)";
    assert_eq!(grants, ["data:account(name)", of_lines]);
}

#[test]
fn a_configuration_names_columns() {
    let manifest = Manifest::parse(BASKETS).unwrap();
    let config = json!({ "features": ["city", "age"], "target": "churned" });
    let configured = manifest.configured(&config);
    let columns = &configured.customers().unwrap().columns;
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["name", "features.city", "features.age", "target"]);
    let grants: Vec<_> = configured.requests().into_iter().map(|request| request.grant).collect();
    assert_eq!(
        grants[..4],
        ["data:account(name)", "data:account(city)", "data:account(age)", "data:account(churned)"]
    );
    let none = manifest.configured(&json!({}));
    assert_eq!(none.customers().unwrap().columns.len(), 1, "no value, no column");
    let wrong = |config: Json| manifest.validate_config(&config).unwrap_err()[0].to_string();
    assert_eq!(wrong(json!({ "features": ["age", "age"] })), "setting `features`: names `age` twice");
    assert_eq!(wrong(json!({ "target": "a b" })), "setting `target`: `a b` is no name of a field");
    let many: Vec<_> = (0..=CONFIGURED_COLUMNS_MAX).map(|number| format!("f{number}")).collect();
    assert_eq!(wrong(json!({ "features": many })), "setting `features`: names 501 fields, at most 500");
}

#[test]
fn a_configuration_names_results_of_other_plugins_where_the_setting_takes_them() {
    let takes =
        BASKETS.replacen("x-field-of = \"account\" }", "x-field-of = \"account\", x-published = true }", 1);
    let manifest = Manifest::parse(&takes).unwrap();
    let config = json!({ "features": ["city", "score.customer_lifetime__clv", "segment.rfm"] });
    assert_eq!(manifest.validate_config(&config), Ok(()));
    let configured = manifest.configured(&config);
    let columns = &configured.customers().unwrap().columns;
    let names: Vec<_> = columns[1..].iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["features.city", "features.score.customer_lifetime__clv", "features.segment.rfm"]);
    let read: Vec<_> = configured.reads_published().into_iter().map(ToString::to_string).collect();
    assert_eq!(read, ["score.customer_lifetime__clv", "segment.rfm"]);
    let grants: Vec<_> = configured.requests().into_iter().map(|request| request.grant).collect();
    for grant in ["score:account(customer_lifetime__clv)", "segment:account(rfm)"] {
        assert!(grants.iter().any(|asked| asked == grant), "{grants:?}");
    }
    assert!(manifest.configured(&json!({})).reads_published().is_empty());
    let wrong =
        |manifest: &Manifest, config: Json| manifest.validate_config(&config).unwrap_err()[0].to_string();
    assert_eq!(
        wrong(&manifest, json!({ "target": "score.customer_lifetime__clv" })),
        "setting `target`: takes fields only, and `score.customer_lifetime__clv` is a score or segmentation"
    );
    let no_name = wrong(&manifest, json!({ "features": ["score.A"] }));
    assert_eq!(no_name, "setting `features`: `score.A` is no name of a field");

    let unread = format!(
        "{takes}[config.properties.other]\ntype = \"string\"\nx-field-of = \"account\"\nx-published = true\n"
    );
    let error = Manifest::parse(&unread).unwrap_err().to_string();
    assert!(error.contains("config.properties.other.x-published"), "{error}");
}

#[test]
fn what_is_wrong_with_datasets_is_named() {
    let check = |old: &str, new: &str, message: &str| {
        assert!(BASKETS.contains(old), "{old}");
        let error = Manifest::parse(&BASKETS.replacen(old, new, 1)).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    };
    check("fields-from = \"features\"", "fields-from = \"fields\"", "`[config]` has no setting `fields`");
    check(
        "fields-from = \"features\"",
        "fields-from = \"target\"",
        "is not a list whose items have `x-field-of = \"account\"`",
    );
    check(
        "field-from = \"target\"",
        "field-from = \"features\"",
        "is not a text with `x-field-of = \"account\"`",
    );
    check(
        "field-from = \"target\"",
        "field-from = \"target\", field = \"name\"",
        "says besides what it comes from",
    );
    check("field-from = \"target\"", "field-from = \"target\", fields-from = \"features\"", "has both");
    check(
        "field = \"name\"",
        "field = \"owner.name\"",
        "fields beyond a reference belong to datasets of kind `rows`",
    );
    check(
        "object = \"account\"",
        "object = \"account\"\ntime = \"created_on\"",
        "`datasets[0].time`: belongs to datasets of kind `rows`",
    );
    check(
        "field = \"amount\"",
        "from = \"order\", aggregate = \"count\", time = \"day\"",
        "`datasets[1].columns`: `amount`: figures",
    );
    check("account.owner.name", "account.owner.manager.name", "follows more than 2 references");
    check("product.kind", "order.account.name", "`order.account.name` is more than one reference away");
    check("[\"order\"]", "[\"order\", \"order\"]", "`datasets[1].order-by`: `order` is there twice");
    check("kind = \"per-customer\"", "kind = \"rows\"", "reads exactly one dataset of kind `per-customer`");
}

#[test]
fn a_table_that_needs_settings_and_has_none_is_left_out() {
    let bounds =
        json!({ "type": "object", "required": ["low"], "properties": { "low": { "type": "number" } } });
    let schema = json!({ "type": "object", "properties": { "bounds": bounds } });
    let schema = ConfigSchema::new(Some(schema)).unwrap();
    let filled = schema.with_defaults(json!({}));
    assert_eq!((&filled, schema.problems(&filled)), (&json!({}), Vec::new()));
    let half = schema.with_defaults(json!({ "bounds": {} }));
    assert_eq!(schema.problems(&half)[0].to_string(), "setting `bounds.low`: is missing");
}
