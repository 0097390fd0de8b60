use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::json;
use trellis_model::{Decider, FieldName, ObjectId, PluginId, RecordId, Text, Value};
use trellis_records::{Proposed, SaveContext, SaveHook, Veto};
use trellis_test_support::TestApp;

/// Refuses accounts: one named `plugin` as a plugin does, `rule` as a rule does, `down` as a plugin that cannot decide.
#[derive(Debug)]
struct Refuses(ObjectId);

const RULE: &str = "01939d4c-7c3a-7b6e-8000-000000000001";

fn veto(name: &str, row: usize) -> Option<Veto> {
    let plugin = || Decider::Plugin { id: PluginId::new("b2b-gate").unwrap(), version: "1.2.0".into() };
    let rule = || Decider::Rule {
        id: RecordId::parse(RULE).unwrap(),
        version: 3,
        name: Text::new("Names are not rules", "名称不能是规则"),
    };
    let (by, field, unavailable) = match name {
        "plugin" => (plugin(), Some(FieldName::new("name").unwrap()), false),
        "rule" => (rule(), None, false),
        "down" => (plugin(), None, true),
        _ => return None,
    };
    let reason = Text::new("not so", "不可以");
    Some(Veto { by, code: "bad-name".into(), reason, field, unavailable, row })
}

impl SaveHook for Refuses {
    fn concerns(&self, object: ObjectId) -> bool {
        object == self.0
    }

    fn before_save<'a>(
        &'a self,
        _context: &'a Arc<SaveContext>,
        proposed: &'a mut [Proposed],
    ) -> BoxFuture<'a, Result<(), Vec<Veto>>> {
        let name = |row: &Proposed| {
            row.fields.values().find_map(|value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
        };
        let vetoes: Vec<Veto> = proposed
            .iter()
            .enumerate()
            .filter_map(|(row, record)| veto(&name(record).unwrap_or_default(), row))
            .collect();
        Box::pin(async move { if vetoes.is_empty() { Ok(()) } else { Err(vetoes) } })
    }
}

#[tokio::test]
async fn a_veto_says_who_refuses_and_why() {
    let app = TestApp::new().await;
    let records = app.state().records;
    let account = records.schema().object("account").unwrap().id;
    records.add_hook(Arc::new(Refuses(account)));
    let post = async |name: &str| app.admin().post("/api/v1/accounts", json!({ "name": name })).await;

    let problem = post("plugin").await.expect(422);
    assert_eq!(problem["code"], "PLUGIN_VETO");
    assert_eq!((&problem["plugin"], &problem["version"]), (&json!("b2b-gate"), &json!("1.2.0")));
    assert_eq!(problem["reason"], json!({ "en": "not so", "zh-CN": "不可以" }));
    assert_eq!((&problem["reason_code"], &problem["field"]), (&json!("bad-name"), &json!("name")));
    assert_eq!(problem["detail"], "not so");
    assert_eq!(problem["errors"], json!([{ "field": "name", "code": "veto", "message": "not so" }]));

    let problem = post("rule").await.expect(422);
    assert_eq!(problem["code"], "RULE_VETO");
    assert_eq!((&problem["rule"], &problem["version"]), (&json!(RULE), &json!(3)));
    assert_eq!(problem["rule_name"]["zh-CN"], "名称不能是规则");

    let answer = post("down").await;
    assert_eq!(answer.header("retry-after"), "5");
    let problem = answer.expect(503);
    assert_eq!((&problem["code"], &problem["plugin"]), (&json!("PLUGIN_UNAVAILABLE"), &json!("b2b-gate")));

    let chinese = app.admin().with("accept-language", "zh-CN");
    let problem = chinese.post("/api/v1/accounts", json!({ "name": "plugin" })).await.expect(422);
    assert_eq!((&problem["title"], &problem["detail"]), (&json!("插件拒绝了此更改"), &json!("不可以")));
    post("anything else").await.expect(201);
}
