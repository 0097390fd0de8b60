//! Records that come along with others, and values beyond references.

use serde_json::{Value as Json, json};
use trellis_test_support::TestApp;

struct World {
    app: TestApp,
    /// Ids: a user, two accounts of hers, the contact of the first.
    ann: String,
    acme: String,
    bolt: String,
    cid: String,
}

fn id(record: &Json) -> String {
    record["id"].as_str().unwrap().to_owned()
}

async fn world() -> World {
    let app = TestApp::new().await;
    let user = json!({"username": "ann", "name": "Ann", "kind": "person", "active": true});
    let ann = id(&app.create("users", user).await);
    let acme = json!({"name": "Acme", "kind": "company", "owner": ann});
    let acme = id(&app.create("accounts", acme).await);
    let bolt = id(&app.create("accounts", json!({"name": "Bolt", "owner": ann, "parent": acme})).await);
    let cid = id(&app.create("contacts", json!({"name": "Cid", "account": acme})).await);
    World { app, ann, acme, bolt, cid }
}

fn keys(json: &Json) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn each_record_referred_to_comes_once() {
    let World { app, ann, acme, bolt, .. } = world().await;
    let admin = app.admin();
    let page = admin.get("/api/v1/accounts?sort=name&include=owner,parent&fields=name").await.expect(200);
    assert_eq!(keys(&page["data"][0]), ["id", "name"], "what is included need not be shown");
    assert_eq!(keys(&page["included"]), ["accounts", "users"]);
    assert_eq!(keys(&page["included"]["users"]), [&ann], "two accounts have her, but she comes once");
    assert_eq!(page["included"]["users"][&ann]["name"], "Ann");
    assert_eq!(keys(&page["included"]["accounts"]), [&acme]);
    let included = &page["included"]["accounts"][&acme];
    assert_eq!((&included["name"], &included["owner"]), (&json!("Acme"), &json!(ann)), "one level only");

    let body =
        json!({ "filter": { "field": "name", "value": "Bolt" }, "include": ["parent"], "labels": true });
    let found = admin.post("/api/v1/accounts/search", body).await.expect(200);
    assert_eq!(found["included"]["accounts"][&acme]["kind"]["value"], "company");
    assert_eq!(keys(&found["included"]), ["accounts"]);

    let plain = admin.get("/api/v1/accounts").await.expect(200);
    assert!(plain.get("included").is_none());
    let none = admin.get(&format!("/api/v1/accounts/{acme}?include=parent")).await.expect(200);
    assert_eq!(none["included"], json!({ "accounts": {} }), "Acme has no parent");

    admin.delete(&format!("/api/v1/accounts/{acme}")).await.expect(204);
    let one = admin.get(&format!("/api/v1/accounts/{bolt}?include=parent")).await.expect(200);
    assert_eq!((&one["parent"], &one["included"]), (&json!(acme), &json!({ "accounts": {} })), "deleted");
}

#[tokio::test]
async fn a_single_record_comes_with_what_refers_to_it() {
    let World { app, ann, acme, bolt, cid } = world().await;
    let admin = app.admin();
    let path = format!("/api/v1/accounts/{acme}?include=owner,contacts,accounts,leads.partner");
    let answer = admin.get(&path).await;
    let one = answer.json();
    assert_eq!((&one["name"], &one["included"]["users"][&ann]["name"]), (&json!("Acme"), &json!("Ann")));
    let lists = &one["included_lists"];
    assert_eq!(keys(lists), ["accounts", "contacts", "leads.partner"]);
    assert_eq!(id(&lists["contacts"]["data"][0]), cid);
    assert_eq!(lists["contacts"]["more"], false);
    assert_eq!(id(&lists["accounts"]["data"][0]), bolt);
    assert_eq!(lists["leads.partner"], json!({ "data": [], "more": false }));

    // Its version says nothing about the others.
    let etag = answer.header("etag").to_owned();
    let again = admin.clone().with("if-none-match", etag);
    assert_eq!(again.get(&path).await.status, 200);
    assert_eq!(again.get(&format!("/api/v1/accounts/{acme}?fields=owner.name")).await.status, 200);
}

#[tokio::test]
async fn a_list_is_the_newest_fifty() {
    let World { app, acme, .. } = world().await;
    let operation =
        |place: usize| json!({ "op": "create", "data": { "name": format!("C{place}"), "account": acme } });
    let operations: Vec<Json> = (1..=50).map(operation).collect();
    app.admin().post("/api/v1/contacts/batch", json!({ "operations": operations })).await.expect(200);
    let one = app.admin().get(&format!("/api/v1/accounts/{acme}?include=contacts.account")).await.expect(200);
    let list = &one["included_lists"]["contacts.account"];
    let data = list["data"].as_array().unwrap();
    assert_eq!((data.len(), &list["more"]), (50, &json!(true)));
    assert_eq!((&data[0]["name"], &data[49]["name"]), (&json!("C50"), &json!("C1")), "Cid is older");
}

#[tokio::test]
async fn paths_are_shown_beside_fields() {
    let World { app, acme, bolt, cid, .. } = world().await;
    let admin = app.admin();
    let query =
        "/api/v1/accounts?sort=name&fields=name,parent.name,parent.owner.name,parent.kind&labels=true";
    let page = admin.get(query).await.expect(200);
    let kind = &page["data"][1]["parent.kind"];
    assert_eq!((&kind["value"], kind["label"].is_string()), (&json!("company"), true));
    let (first, second) = (&page["data"][0], &page["data"][1]);
    let expected = json!({ "id": acme, "name": "Acme", "parent.name": null, "parent.owner.name": null, "parent.kind": null });
    assert_eq!(first, &expected);
    assert_eq!((&second["parent.name"], &second["parent.owner.name"]), (&json!("Acme"), &json!("Ann")));
    let body = json!({ "fields": ["account.created_at", "account.id"] });
    let found = admin.post("/api/v1/contacts/search", body).await.expect(200);
    assert_eq!(keys(&found["data"][0]), ["account.created_at", "account.id", "id"]);
    assert_eq!(found["data"][0]["account.id"], json!(acme));
    let one = admin.get(&format!("/api/v1/contacts/{cid}?fields=account.name")).await.expect(200);
    assert_eq!(one, json!({ "id": cid, "account.name": "Acme" }));
    assert_ne!(bolt, acme);
}

#[tokio::test]
async fn what_cannot_be_included_is_named() {
    let World { app, acme, .. } = world().await;
    let admin = app.admin();
    let one = format!("/api/v1/accounts/{acme}?");
    let list = "/api/v1/accounts?";
    for (path, query, code, word) in [
        (list, "include=nmae", "BAD_QUERY", "`nmae`"),
        (list, "include=name", "BAD_QUERY", "`name` of account is no reference"),
        (list, "include=tags", "BAD_QUERY", "`tags` of account is no reference"),
        (list, "include=contacts", "BAD_QUERY", "only beside a single record"),
        (list, "include=owner,parent,a,b,c,d", "BAD_QUERY", "at most 5 names"),
        (list, "fields=parent.nmae", "UNKNOWN_FIELD", "parent.nmae"),
        (list, "fields=parent.name,parent.No", "BAD_QUERY", "No"),
        (list, "fields=name.first", "UNKNOWN_FIELD", "name.first"),
        (list, "fields=aa.aa,aa.bb,aa.cc,aa.dd,aa.ee,aa.ff", "BAD_QUERY", "at most 5 paths over references"),
        (list, "fields=parent.parent.parent.parent.name", "BAD_QUERY", "more than 4 steps"),
        (&one, "include=leads", "BAD_QUERY", "`leads.account`, `leads.partner`"),
        (&one, "include=contacts.owner", "BAD_QUERY", "`contacts.owner`"),
        (&one, "include=teams", "BAD_QUERY", "`teams`"),
        (&one, "include=owner&as_of=1", "BAD_QUERY", "as of now"),
        (&one, "fields=owner.name&as_of=1", "BAD_QUERY", "as of now"),
    ] {
        let answer = admin.get(&format!("{path}{query}")).await;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(body.contains(word), "{query}: {body}");
        assert_eq!(answer.problem(400), code, "{query}");
    }
    let body = json!({ "include": ["contacts"] });
    assert_eq!(admin.post("/api/v1/accounts/search", body).await.problem(400), "BAD_QUERY");
    let nobody = app.user("nobody").await.get("/api/v1/accounts?include=owner").await;
    assert_eq!(nobody.problem(400), "BAD_QUERY", "what cannot be read is not there");
}

#[tokio::test]
async fn no_standard_object_has_a_field_of_that_name() {
    let app = TestApp::new().await;
    for object in app.state().records.schema().objects() {
        for name in ["included", "included_lists"] {
            assert!(object.field(name).is_none(), "{}.{name}", object.name);
        }
    }
}

#[tokio::test]
async fn a_field_of_that_name_keeps_it() {
    let World { app, acme, .. } = world().await;
    let label = json!({ "en": "Included", "zh-CN": "已包含" });
    let field = json!({ "name": "included", "label": label, "type": "text" });
    app.admin().post("/api/v1/metadata/objects/account/fields", field).await.expect(201);
    let changed = app.admin().patch(&format!("/api/v1/accounts/{acme}"), json!({ "included": "tax" })).await;
    changed.expect(200);
    let one = app.admin().get(&format!("/api/v1/accounts/{acme}?include=owner,contacts")).await.expect(200);
    assert_eq!(one["included"], "tax");
    assert_eq!(keys(&one["_included"]), ["users"]);
    assert_eq!(keys(&one["included_lists"]), ["contacts"]);
}
