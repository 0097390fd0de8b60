//! Saved views.

use serde_json::{Value as Json, json};
use trellis_model::Language;
use trellis_records::{Caller, SchemaApply, SchemaDocument};
use trellis_test_support::TestApp;

async fn with_accounts() -> TestApp {
    let app = TestApp::new().await;
    for (name, country, city) in
        [("Ash", "DE", "Bonn"), ("Birch", "AT", "Graz"), ("Cedar", "DE", "Ulm"), ("Elm", "DE", "Bonn")]
    {
        app.create("accounts", json!({ "name": name, "country": country, "city": city, "kind": "company" }))
            .await;
    }
    app
}

fn german() -> Json {
    json!({
        "name": "German accounts", "object": "account", "shared": true, "sort": "-name", "columns": ["name", "city"],
        "filter": { "field": "country", "op": "eq", "value": "DE" },
    })
}

async fn view(app: &TestApp, fields: Json) -> String {
    app.create("views", fields).await["id"].as_str().unwrap().to_owned()
}

fn names(page: &Json) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|record| record["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_view_says_what_the_request_does_not() {
    let app = with_accounts().await;
    let (admin, id) = (app.admin(), view(&app, german()).await);
    let page = admin.get(&format!("/api/v1/accounts?view={id}")).await.expect(200);
    assert_eq!(names(&page), ["Elm", "Cedar", "Ash"]);
    assert!(page.get("warnings").is_none(), "{page}");
    let keys: Vec<&String> = page["data"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["city", "id", "name"]);

    let narrower = format!("/api/v1/accounts?view={id}&filter[city]=Bonn&sort=name&fields=name,country");
    let page = admin.get(&narrower).await.expect(200);
    assert_eq!(names(&page), ["Ash", "Elm"]);
    assert_eq!(page["data"][0]["country"], "DE");

    let body = json!({ "view": id, "filter": { "field": "city", "op": "eq", "value": "Bonn" } });
    let page = admin.post("/api/v1/accounts/search", body).await.expect(200);
    assert_eq!(names(&page), ["Elm", "Ash"]);
}

#[tokio::test]
async fn pages_of_a_view_lead_to_each_other() {
    let app = with_accounts().await;
    let (admin, id) = (app.admin(), view(&app, german()).await);
    let first = admin.get(&format!("/api/v1/accounts?view={id}&limit=2&count=exact")).await.expect(200);
    assert_eq!((names(&first), &first["total"]), (vec!["Elm", "Cedar"], &json!(3)));
    let next = first["page"]["next"].as_str().unwrap();
    let second = admin.get(&format!("/api/v1/accounts?view={id}&limit=2&after={next}")).await.expect(200);
    assert_eq!(names(&second), ["Ash"]);
}

#[tokio::test]
async fn a_view_of_another_object_or_none_is_refused() {
    let app = with_accounts().await;
    let (admin, id) = (app.admin(), view(&app, german()).await);
    assert_eq!(admin.get(&format!("/api/v1/contacts?view={id}")).await.problem(400), "BAD_QUERY");
    assert_eq!(admin.get("/api/v1/accounts?view=mine").await.problem(400), "BAD_QUERY");
    let body = json!({ "view": id });
    assert_eq!(admin.post("/api/v1/contacts/search", body).await.problem(400), "BAD_QUERY");
    let none = "/api/v1/accounts?view=01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(admin.get(none).await.problem(404), "NOT_FOUND");
    admin.delete(&format!("/api/v1/views/{id}")).await;
    assert_eq!(admin.get(&format!("/api/v1/accounts?view={id}")).await.problem(404), "NOT_FOUND");
}

#[tokio::test]
async fn a_private_view_is_its_owners_and_the_administrators() {
    let app = with_accounts().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let users = app.admin().get("/api/v1/users?filter[username]=ann").await.expect(200);
    let mut fields = german();
    (fields["shared"], fields["owner"]) = (json!(false), users["data"][0]["id"].clone());
    let id = view(&app, fields).await;
    let path = format!("/api/v1/accounts?view={id}");
    assert_eq!(names(&app.admin().get(&path).await.expect(200)).len(), 3);
    assert_eq!(ben.get(&path).await.problem(404), "NOT_FOUND");
    assert_eq!(ann.get(&path).await.expect(200)["data"], json!([]), "the view gives no rights");
    app.admin().patch(&format!("/api/v1/views/{id}"), json!({ "shared": true })).await.expect(200);
    assert_eq!(ben.get(&path).await.expect(200)["data"], json!([]));
}

/// Retires a field of accounts.
async fn retire(app: &TestApp, field: &str) {
    let exported = app.records.schema_export().await.unwrap();
    let mut account = exported.object("account").unwrap().clone();
    let fields = account["fields"].as_array_mut().unwrap();
    fields.iter_mut().find(|found| found["name"] == field).unwrap()["retired"] = json!(true);
    let apply = SchemaApply { confirm_destructive: true, ..SchemaApply::default() };
    let document = SchemaDocument::of(vec![account]);
    app.records.schema_apply(&Caller::system("test"), &document, &apply).await.unwrap();
}

#[tokio::test]
async fn a_view_opens_without_what_is_out_of_use() {
    let app = with_accounts().await;
    let mut fields = german();
    fields["filter"] = json!({ "and": [
        { "field": "country", "op": "eq", "value": "DE" },
        { "or": [{ "field": "website", "op": "null", "value": false }] },
    ] });
    fields["sort"] = json!("website,-name");
    fields["columns"] = json!(["name", "website", "owner.name"]);
    let id = view(&app, fields).await;
    let path = format!("/api/v1/accounts?view={id}");
    let before = app.admin().get(&path).await.expect(200);
    assert_eq!(before["data"], json!([]), "no account has a website");
    assert_eq!(
        before["warnings"].as_array().unwrap().len(),
        1,
        "owner.name is no field of accounts: {before}"
    );

    retire(&app, "website").await;
    let page = app.admin().get(&path).await.expect(200);
    assert_eq!(names(&page), ["Elm", "Cedar", "Ash"]);
    assert!(page["data"][0].get("website").is_none(), "{page}");
    let warnings = page["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 4, "{page}");
    for (warning, part) in warnings.iter().zip(["filter", "sort", "columns"]) {
        let warning = warning.as_str().unwrap();
        assert!(warning.contains(part) && warning.contains("`website`"), "{warning}");
    }
    let chinese = app.admin().with("accept-language", Language::ZhCn.tag()).get(&path).await.expect(200);
    assert!(!chinese["warnings"][0].as_str().unwrap().is_ascii(), "{chinese}");

    let renamed =
        app.admin().patch(&format!("/api/v1/views/{id}"), json!({ "name": "Old" })).await.expect(200);
    assert_eq!(renamed["name"], "Old");
    let again = app.admin().patch(&format!("/api/v1/views/{id}"), json!({ "sort": "-website" })).await;
    assert_eq!(again.problem(422), "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_view_that_does_not_fit_is_not_saved() {
    let app = with_accounts().await;
    let check = async |name: &str, value: Json, place: &str| {
        let mut fields = german();
        fields[name] = value;
        let answer = app.admin().post("/api/v1/views", fields.clone()).await;
        let body = answer.json();
        assert_eq!(answer.problem(422), "VALIDATION_ERROR", "{fields}");
        assert_eq!(body["errors"][0]["field"], place, "{body}");
    };
    check("object", json!("machine"), "object").await;
    check("object", json!("No name"), "object").await;
    check("filter", json!({ "field": "nothing", "op": "eq", "value": 1 }), "filter").await;
    check("filter", json!({ "field": "name", "op": "like", "value": "x" }), "filter").await;
    check("filter", json!({ "field": "created_at", "op": "gte", "value": "some day" }), "filter").await;
    check("sort", json!("-nothing"), "sort").await;
    check("sort", json!("Not a name"), "sort").await;
    check("columns", json!(["name", "owner.nothing"]), "columns").await;
    check("group_by", json!("nothing"), "group_by").await;
    let views = app.admin().get("/api/v1/views").await.expect(200);
    assert_eq!(views["data"], json!([]));

    let id = view(&app, german()).await;
    let moved = app.admin().patch(&format!("/api/v1/views/{id}"), json!({ "object": "order" })).await;
    assert_eq!(moved.problem(422), "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_view_is_sorted_by_as_many_fields_as_a_list() {
    let app = with_accounts().await;
    let mut fields = german();
    fields["sort"] = json!("city,-name,country,kind");
    let id = view(&app, fields).await;
    let page = app.admin().get(&format!("/api/v1/accounts?view={id}")).await.expect(200);
    assert_eq!(names(&page), ["Elm", "Ash", "Cedar"]);
    assert_eq!(page["warnings"].as_array().unwrap().len(), 1, "{page}");
}
